//! Everything about one incident that the list does not need: evidence, audit trail, calls, mails. Loaded when the cursor rests on it.

use crate::domain::classification::{Classification, OpinionOrigin, Span};
use crate::domain::decision::Authority;
use crate::domain::event::{Actor, Happening, Outcome};
use crate::domain::evidence::{Evidence, FailureText, Field, TaskEvidence};
use crate::domain::ids::IncidentId;
use crate::domain::incident::{Incident, PlannedCall, correction};
use crate::domain::intent::{Effect, Intent, Settlement};
use crate::domain::mail::{Delivery, QueuedMail};
use crate::domain::money::Usd;
use crate::ledger::AuditLine;
use jiff::tz::TimeZone;

use super::doc::{Doc, Kind};
use super::words;

/// The documents of one incident at one version of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Dossier {
    pub incident: IncidentId,
    pub version: i64,
    /// `None`: nothing was collected yet.
    pub evidence: Option<Doc>,
    pub history: Doc,
}

/// What the ledger gives for a dossier.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Papers {
    pub evidence: Option<Evidence>,
    pub audit: Vec<AuditLine>,
    pub intents: Vec<Intent>,
    pub mails: Vec<QueuedMail>,
}

impl Dossier {
    pub fn new(incident: &Incident, papers: &Papers, zone: &TimeZone) -> Self {
        Self {
            incident: incident.id.clone(),
            version: incident.version,
            evidence: papers.evidence.as_ref().map(|evidence| evidence_doc(evidence, incident.classification.as_ref())),
            history: history_doc(papers, zone),
        }
    }
}

const FIELDS: [Field; 4] = [Field::Error, Field::ErrorTrace, Field::StateMessage, Field::Logs];

fn field_words(field: Field) -> &'static str {
    match field {
        Field::Error => "error",
        Field::ErrorTrace => "stack trace",
        Field::StateMessage => "state message",
        Field::TerminationCode => "termination code",
        Field::TaskType => "task type",
        Field::Logs => "log",
    }
}

/// The task that decided comes first, then the others, then what is around them.
pub fn evidence_doc(evidence: &Evidence, classification: Option<&Classification>) -> Doc {
    let mut doc = Doc::default();
    let span = classification.and_then(|classification| classification.evidence.as_ref());
    let decided = classification.and_then(|classification| classification.task.as_ref());
    for gap in &evidence.gaps {
        doc.line(Kind::Danger, &format!("missing: {}: {}", gap.part, gap.reason));
    }
    let mut pending = span;
    // Without a task the verdict rests on the run's own message, where it has one.
    if decided.is_none() && span.is_some_and(|span| evidence.run.field(span.field).is_some()) {
        text_sections(&mut doc, "run", &evidence.run, false, pending.take());
    }
    let (first, rest): (Vec<_>, Vec<_>) = evidence.tasks.iter().partition(|task| Some(&task.task_key) == decided);
    for task in first.into_iter().chain(rest) {
        let hit = pending.take_if(|span| (decided.is_none_or(|key| *key == task.task_key)) && task.text.field(span.field).is_some());
        task_sections(&mut doc, task, hit);
    }
    if span.is_none() || decided.is_some() {
        text_sections(&mut doc, "run", &evidence.run, false, pending);
    }
    if !evidence.consequences.is_empty() {
        doc.heading("failed only because of these");
        for key in &evidence.consequences {
            doc.line(Kind::Muted, key.as_str());
        }
    }
    if !evidence.history.is_empty() {
        doc.heading("earlier runs of this job");
        for past in &evidence.history {
            let result = past.result_state.as_deref().unwrap_or("running");
            let took = past.duration_s.and_then(|s| u64::try_from(s).ok()).map(words::span).unwrap_or_default();
            let start = past.started_at.map(|at| at.strftime("%Y-%m-%d %H:%M UTC").to_string()).unwrap_or_default();
            doc.line(Kind::Muted, &format!("run {}  {result}  {start}  {took}", past.run));
        }
    }
    doc
}

fn task_sections(doc: &mut Doc, task: &TaskEvidence, hit: Option<&Span>) {
    text_sections(doc, task.task_key.as_str(), &task.text, task.logs_truncated, hit);
    let mut facts: Vec<String> = [&task.result_state, &task.termination_type, &task.text.task_type]
        .into_iter()
        .flatten()
        .cloned()
        .chain(task.settings.iter().map(|(name, value)| format!("{name} = {value}")))
        .collect();
    facts.insert(0, format!("task run {}", task.task_run));
    doc.heading(&format!("{} · settings", task.task_key));
    for fact in facts {
        doc.line(Kind::Muted, &fact);
    }
}

fn text_sections(doc: &mut Doc, name: &str, text: &FailureText, tail: bool, hit: Option<&Span>) {
    if let Some(code) = &text.termination_code {
        doc.heading(&format!("{name} · termination code"));
        doc.numbered(code, hit.filter(|span| span.field == Field::TerminationCode).map(|span| span.start..span.end));
    }
    for field in FIELDS {
        let Some(body) = text.field(field).filter(|body| !body.trim().is_empty()) else { continue };
        let cut = if field == Field::Logs && tail { " (the platform kept its tail)" } else { "" };
        doc.heading(&format!("{name} · {}{cut}", field_words(field)));
        doc.numbered(body, hit.filter(|span| span.field == field).map(|span| span.start..span.end));
    }
}

fn history_doc(papers: &Papers, zone: &TimeZone) -> Doc {
    let mut doc = Doc::default();
    let zone_name = papers.audit.last().map(|line| line.event.ts.to_zoned_datetime(zone.clone()).strftime("%Z").to_string());
    doc.heading(&format!("audit trail, times in {}", zone_name.as_deref().unwrap_or("UTC")));
    let (mut attempt, mut rules) = (Some(1), None);
    for line in &papers.audit {
        let event = &line.event;
        if event.attempt.is_some() && event.attempt != attempt {
            attempt = event.attempt;
            doc.line(Kind::Muted, &format!("attempt {}", attempt.unwrap_or_default()));
        }
        let who = match &event.actor {
            Actor::Agent => "runmend".to_owned(),
            Actor::Person(name) => name.clone(),
            Actor::Workspace => "workspace".to_owned(),
        };
        let mut said = say(&event.what);
        match &event.what {
            Happening::Classified(verdict) => rules = Some(verdict.cause),
            Happening::Overridden { cause: Some(cause), .. } => said.push_str(&format!("; {}", correction(&who, *cause, rules))),
            _ => {}
        }
        let text = format!("{}  {who:<9} {:<10} {said}", words::short_time(event.ts, zone), event.what.name());
        doc.line(if matches!(event.what, Happening::Refused { .. }) { Kind::Danger } else { Kind::Text }, text.trim_end());
    }
    if let Some(last) = papers.audit.last() {
        doc.line(Kind::Muted, &format!("line {} of the trail, chained by sha-256 {}", last.seq, last.hash));
    }
    doc.heading("calls to the workspace");
    if papers.intents.is_empty() {
        doc.line(Kind::Muted, "none so far: nothing was done to this run");
    }
    for intent in &papers.intents {
        let (kind, text) = intent_line(intent, zone);
        doc.line(kind, &text);
    }
    doc.heading("mails");
    if papers.mails.is_empty() {
        doc.line(Kind::Muted, "none so far");
    }
    for queued in &papers.mails {
        let (kind, text) = mail_line(queued, zone);
        doc.line(kind, &text);
    }
    doc
}

fn intent_line(intent: &Intent, zone: &TimeZone) -> (Kind, String) {
    let call = match &intent.effect {
        Effect::Repair { run, tasks, after, .. } => {
            let tasks = tasks.iter().map(|key| key.as_str()).collect::<Vec<_>>().join(", ");
            let after = after.map(|repair| format!(" after repair {repair}")).unwrap_or_default();
            format!("repair run {run}{after}, tasks {tasks}")
        }
        Effect::RunNow { job, token, .. } => format!("run job {job} now, idempotency token {token}"),
    };
    let (kind, answer) = match &intent.settlement {
        Settlement::Open => (Kind::Danger, "no answer yet: the workspace is asked whether it happened before anything else".to_owned()),
        Settlement::Repaired { repair } => (Kind::Text, format!("answered: repair {repair}")),
        Settlement::Started { run } => (Kind::Text, format!("answered: run {run}")),
        Settlement::Refused { reason } => (Kind::Danger, format!("refused: {reason}")),
        Settlement::NotOffered { reason } => (Kind::Text, format!("no such call here, another is made in its place: {reason}")),
    };
    (kind, format!("{}  {call}; {answer}", words::short_time(intent.created_at, zone)))
}

fn mail_line(queued: &QueuedMail, zone: &TimeZone) -> (Kind, String) {
    let head = format!("to {}: {}", queued.mail.to, queued.mail.subject);
    match &queued.delivery {
        Delivery::Sent { at } => (Kind::Text, format!("{}  {head}; sent", words::short_time(*at, zone))),
        Delivery::Failed { at, reason } => (Kind::Danger, format!("{}  {head}; refused for good: {reason}", words::short_time(*at, zone))),
        Delivery::Queued => {
            let why = queued.last_error.as_ref().map(|error| format!(" ({error})")).unwrap_or_default();
            let when = words::short_time(queued.next_try, zone);
            let kind = if queued.last_error.is_some() { Kind::Danger } else { Kind::Text };
            (kind, format!("{head}; waits, {} tried{why}, next {when}", words::plural(u64::from(queued.tries), "time")))
        }
    }
}

/// What happened, as a sentence's second half.
fn say(what: &Happening) -> String {
    let noted = |note: &Option<String>| note.as_ref().map(|note| format!(": {note}")).unwrap_or_default();
    match what {
        Happening::Ready { version, mode, .. } => format!("runmend {version}, mode {mode}"),
        Happening::Detected { result_state, termination_code, .. } => {
            [result_state.as_deref(), termination_code.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(", ")
        }
        Happening::Collected { tasks, gaps } => {
            let gaps = if gaps.is_empty() { String::new() } else { format!("; missing: {}", gaps.join(", ")) };
            format!("{}{gaps}", tasks.join(", "))
        }
        Happening::Classified(classification) => {
            format!("{} {}, rule {}", classification.cause, classification.confidence, classification.rules.join(", "))
        }
        Happening::Opinion { available, reason, cause, model, origin, cost_usd, .. } => match (available, cause) {
            (true, Some(cause)) => {
                let cost = match (origin, cost_usd) {
                    (Some(OpinionOrigin::Cached), _) => ", cached, free".to_owned(),
                    (Some(OpinionOrigin::Asked) | None, Some(cost)) if *cost > Usd::ZERO => format!(", {cost}"),
                    (Some(OpinionOrigin::Asked) | None, _) => String::new(),
                };
                format!("{cause}, by {}{cost}", model.as_deref().unwrap_or("a model"))
            }
            (true, None) => "no cause named".to_owned(),
            (false, _) => format!("none{}", noted(reason)),
        },
        Happening::Asked => "a model, for a second opinion".to_owned(),
        Happening::Decided { action, authority, reasons, guardrails, .. } => {
            let rails = guardrails.iter().map(|rail| rail.id.as_str()).collect::<Vec<_>>().join(", ");
            let rails = if rails.is_empty() { rails } else { format!(" [{rails}]") };
            format!("{}, {}{rails}: {}", action.words(), authority_words(*authority), reasons.join("; "))
        }
        Happening::Approved { note } => format!("the decision as it stood{}", noted(note)),
        Happening::Overridden { action, note, .. } => format!("{} instead: {note}", action.words()),
        Happening::Intended { call, .. } => format!("about to {} {}", call.method, call.path),
        Happening::Acted { call, repair_id, new_run_id, reconciled, .. } => {
            let id = match (repair_id, new_run_id) {
                (Some(repair), _) => format!(", repair {repair}"),
                (None, Some(run)) => format!(", new run {run}"),
                (None, None) => String::new(),
            };
            let asked = if *reconciled { " (the answer was lost; the workspace said it had happened)" } else { "" };
            format!("{} {}{id}{asked}", call.method, call.path)
        }
        Happening::Refused { reason, .. } => reason.clone(),
        Happening::Outcome { result, duration_s, note } => {
            let after = u64::try_from(*duration_s).map(words::span).unwrap_or_default();
            format!("{} after {after}{}", outcome_words(*result), noted(note))
        }
        Happening::Notified { channel, to, .. } => format!("{to} by {channel}"),
        Happening::Queued { to, subject, .. } => format!("{to}: {subject}"),
        Happening::Degraded { part, reason } | Happening::Recovered { part, reason } => format!("{part}: {reason}"),
        Happening::Stopped { open_incidents } => format!("{open_incidents} open"),
    }
}

pub fn authority_words(authority: Authority) -> &'static str {
    match authority {
        Authority::Observe => "observe",
        Authority::Approval => "approval",
        Authority::Auto => "auto",
    }
}

fn outcome_words(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Mended => "mended",
        Outcome::FailedAgain => "failed again",
        Outcome::Superseded => "superseded: a person acted first",
        Outcome::Escalated => "escalated",
        Outcome::Notified => "notified",
        Outcome::Ignored => "ignored",
        Outcome::Handled => "handled by a person",
    }
}

/// The exact call, to be read in full.
pub fn call_doc(call: &PlannedCall) -> Doc {
    let mut doc = Doc::default();
    doc.heading(&words::call(call));
    for line in call.body.lines() {
        doc.line(Kind::Text, line);
    }
    doc
}
