//! Events as they leave the process: JSON lines for programs, sentences for people.

use std::io::Write;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use runmend::domain::decision::Authority;
use runmend::domain::event::{Actor, Event, Happening, Outcome};
use runmend::redact::control::{one_line, plain_json};
use runmend::report::metrics::Heard;

/// Who hears of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Voice {
    /// One JSON object a line on stdout. Source: contract.md, `--auto --json`.
    Json,
    /// Log lines on stderr.
    Log,
    /// A story on stdout.
    Story,
    /// Nobody: a console shows the ledger.
    Silent,
}

/// Longest piece of outside text in a sentence, characters.
const QUOTE_CHARS_MAX: usize = 160;

/// Starts to tell. The task ends when all senders are gone and everything is told; it gives back what it told, for a summary.
pub fn start(voice: Voice, heard: Arc<Heard>) -> (mpsc::UnboundedSender<Event>, JoinHandle<Told>) {
    let (sender, mut receiver) = mpsc::unbounded_channel::<Event>();
    let task = tokio::spawn(async move {
        let mut told = Told::default();
        let mut deaf = false;
        while let Some(event) = receiver.recv().await {
            told.count(&event);
            heard.count(&event);
            let written = match voice {
                Voice::Json => line(serde_json::to_string(&event).map(plain_json).map_err(std::io::Error::other)),
                Voice::Story => sentence(&event).map_or(Ok(()), |words| line(Ok(format!("{}  {words}", event.ts.strftime("%H:%M:%S"))))),
                Voice::Log => {
                    if let Some(words) = sentence(&event) {
                        tracing::info!("{words}");
                    }
                    Ok(())
                }
                Voice::Silent => Ok(()),
            };
            if let Err(error) = written
                && !std::mem::replace(&mut deaf, true)
            {
                // The work goes on: the ledger has every event, whoever reads stdout or not.
                tracing::error!(%error, "events cannot be written to stdout any more; the ledger has them all");
            }
        }
        told
    });
    (sender, task)
}

fn line(text: std::io::Result<String>) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", text?)?;
    out.flush()
}

/// What was told, counted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Told {
    pub detected: u64,
    pub acted: u64,
    pub mended: u64,
    pub failed_again: u64,
    pub superseded: u64,
    pub mailed: u64,
    pub awaiting: u64,
}

impl Told {
    fn count(&mut self, event: &Event) {
        match &event.what {
            Happening::Detected { .. } => self.detected += 1,
            Happening::Acted { .. } => self.acted += 1,
            Happening::Notified { .. } => self.mailed += 1,
            Happening::Decided { authority: Authority::Approval, .. } => self.awaiting += 1,
            Happening::Outcome { result: Outcome::Mended, .. } => self.mended += 1,
            Happening::Outcome { result: Outcome::FailedAgain, .. } => self.failed_again += 1,
            Happening::Outcome { result: Outcome::Superseded, .. } => self.superseded += 1,
            _ => {}
        }
    }
}

/// The event in one line; `None` for what only a program wants to know.
pub fn sentence(event: &Event) -> Option<String> {
    let what = happening(event)?;
    let job = event.job_name.as_deref().map(clip).filter(|name| !name.is_empty());
    let run = event.run_id.map(|run| run.to_string());
    Some(match (job, run) {
        (Some(job), _) => format!("{job:<24} {what}"),
        (None, Some(run)) => format!("{:<24} {what}", format!("run {run}")),
        (None, None) => format!("{:<24} {what}", "runmend"),
    })
}

fn happening(event: &Event) -> Option<String> {
    Some(match &event.what {
        Happening::Ready { version, mode, workspaces } => {
            let names: Vec<String> = workspaces.iter().map(ToString::to_string).collect();
            format!("{version} ready, mode {mode}, watching {}", names.join(", "))
        }
        Happening::Detected { result_state, termination_code, .. } => {
            let code = termination_code.as_deref().map(|code| format!(", {}", clip(code))).unwrap_or_default();
            let run = event.run_id.map(|run| format!("run {run} ")).unwrap_or_default();
            format!("{run}failed ({}{code})", result_state.as_deref().map_or("no state".to_owned(), clip))
        }
        Happening::Classified(verdict) => {
            let quote = verdict.evidence.as_ref().map(|span| format!(": \"{}\"", clip(&span.text))).unwrap_or_default();
            format!("cause {} {}{quote}", verdict.cause, verdict.confidence)
        }
        Happening::Decided { action, authority, not_before, reasons, guardrails, .. } => {
            let wait = not_before.duration_since(event.ts).as_secs();
            let when = if wait > 0 { format!(" in {wait} s") } else { String::new() };
            let who = match authority {
                Authority::Auto => String::new(),
                Authority::Approval => ", once a person approves".to_owned(),
                Authority::Observe => ", only observed".to_owned(),
            };
            let why = guardrails.last().map(|rail| rail.reason.clone()).or_else(|| reasons.last().cloned());
            let why = why.map(|why| format!(" ({})", clip(&why))).unwrap_or_default();
            format!("decided: {}{when}{who}{why}", action.words())
        }
        Happening::Asked => format!("{} asks a model", person(event)),
        Happening::Approved { .. } => format!("approved by {}", person(event)),
        Happening::Overridden { action, note, cause } => {
            let cause = cause.map(|cause| format!(", cause {cause}")).unwrap_or_default();
            format!("{} chose {}{cause}: {}", person(event), action.words(), clip(note))
        }
        Happening::Acted { call, repair_id, new_run_id, reconciled, .. } => {
            let came = match (repair_id, new_run_id) {
                (Some(repair), _) => format!("repair {repair}"),
                (None, Some(run)) => format!("run {run}"),
                (None, None) => "done".to_owned(),
            };
            let again = if *reconciled { " (had happened, though no answer came)" } else { "" };
            format!("{} {}: {came}{again}", call.method, call.path)
        }
        Happening::Refused { reason, .. } => format!("the workspace refused: {}", clip(reason)),
        Happening::Outcome { result, duration_s, note } => {
            let note = note.as_deref().map(|note| format!(": {}", clip(note))).unwrap_or_default();
            match result {
                Outcome::Mended => format!("MENDED after {duration_s} s{note}"),
                Outcome::FailedAgain => format!("failed again{note}"),
                Outcome::Superseded => format!("superseded{note}"),
                Outcome::Escalated => format!("escalated to the on-call address{note}"),
                Outcome::Notified => format!("with its owner now{note}"),
                Outcome::Ignored => format!("ignored{note}"),
                Outcome::Handled => format!("closed as handled{note}"),
            }
        }
        Happening::Notified { channel, to, .. } => format!("mail to {} by {channel}", clip(to)),
        Happening::Degraded { part, reason } => format!("degraded: {}: {}", clip(part), clip(reason)),
        Happening::Recovered { part, .. } => format!("recovered: {}", clip(part)),
        Happening::Stopped { open_incidents } => format!("stopped, {open_incidents} incidents open"),
        Happening::Collected { .. } | Happening::Opinion { .. } | Happening::Intended { .. } | Happening::Queued { .. } => return None,
    })
}

fn person(event: &Event) -> String {
    match &event.actor {
        Actor::Person(who) => clip(who),
        Actor::Agent => "the agent".to_owned(),
        Actor::Workspace => "the workspace".to_owned(),
    }
}

/// Outside text within one line.
fn clip(text: &str) -> String {
    let line = one_line(text);
    match line.char_indices().nth(QUOTE_CHARS_MAX) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    }
}
