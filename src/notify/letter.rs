//! What a mail says: one template a kind in `assets/templates/`, filled in from the incident. Pure.
//!
//! Guarantees, whatever job names and logs hold: no secret that redaction finds; one line of subject; a body without control characters, each line under
//! [`LINE_BYTES_MAX`], all of it under [`BODY_BYTES_MAX`]. Text that is filled in is never read as a template again.

mod without_secrets;

use super::addressee::owner;
use super::message::bounded;
use crate::domain::Timestamp;
use crate::domain::cause::Cause;
use crate::domain::event::Outcome;
use crate::domain::evidence::{Evidence, FailureText, Field};
use crate::domain::incident::{Attempt, Incident};
use crate::domain::mail::MailKind;
use crate::redact::control::{one_line, strip_control};

/// Longest line, bytes. Source: RFC 5322, 2.1.1 (998), with room for what a relay adds.
pub const LINE_BYTES_MAX: usize = 900;
/// Longest body, bytes: what a person reads in a mail; the whole evidence is in the console.
pub const BODY_BYTES_MAX: usize = 24 << 10;
/// Columns of prose.
const WIDTH: usize = 78;
/// Longest name of a job, task or workspace, characters.
const NAME_CHARS_MAX: usize = 80;
/// Longest line quoted from evidence, characters.
const QUOTE_CHARS_MAX: usize = 200;
/// Lines quoted from the short error, from the trace's end and from the log's end.
const ERROR_LINES_MAX: usize = 8;
const TAIL_LINES_MAX: usize = 12;
/// Failing tasks quoted, attempts and reasons listed: a run may have hundreds of tasks, a mail not.
const TASKS_MAX: usize = 3;
const ITEMS_MAX: usize = 20;
/// Longest prose taken over from a rule or a reason, characters.
const PROSE_CHARS_MAX: usize = 600;

/// Subject and body of the mail of this kind, as things stand in `incident`.
pub fn compose(kind: MailKind, incident: &Incident, evidence: Option<&Evidence>) -> (String, String) {
    // Before anything is quoted or cut: half a secret, or one without its label, would not be recognised.
    let (incident, evidence) = without_secrets::of(incident, evidence);
    let (subject, body) = written(kind, &incident, evidence.as_ref());
    let (subject, body) = without_secrets::of_letter(&subject, &body);
    // What stands for a secret may be longer than the secret was.
    (subject, cut(&body))
}

fn written(kind: MailKind, incident: &Incident, evidence: Option<&Evidence>) -> (String, String) {
    let template = match kind {
        MailKind::Owner => include_str!("../../assets/templates/owner.txt"),
        MailKind::OnCall => include_str!("../../assets/templates/on_call.txt"),
        MailKind::Approval => include_str!("../../assets/templates/approval.txt"),
    };
    let (subject, body) = template.split_once("\n\n").unwrap_or((template, ""));
    let value = |name: &str| slot(name, kind, incident, evidence);
    let subject = one_line(&fill(subject.trim_start_matches("Subject: "), &value).unwrap_or_default());
    // A paragraph that has nothing to say is left out, heading and all.
    let paragraphs: Vec<String> = body.split("\n\n").filter_map(|paragraph| fill(paragraph.trim_end(), &value)).collect();
    (subject, cut(&paragraphs.join("\n\n")))
}

/// The template with its `{slots}` filled in once; `None` when one of them is empty.
fn fill(template: &str, value: &dyn Fn(&str) -> String) -> Option<String> {
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, tail) = after.split_once('}')?;
        let filled = value(name);
        if filled.is_empty() {
            return None;
        }
        text.push_str(before);
        text.push_str(&filled);
        rest = tail;
    }
    text.push_str(rest);
    Some(text)
}

fn slot(name: &str, kind: MailKind, incident: &Incident, evidence: Option<&Evidence>) -> String {
    match name {
        "job" => job_name(incident),
        "cause" => incident.cause().map_or("failed", Cause::as_str).to_owned(),
        "action" => incident.decision.as_ref().map_or("a decision", |decision| decision.action.words()).to_owned(),
        "incident" => named(incident.id.as_str()),
        "attempt" => incident.attempt.to_string(),
        "facts" => facts(incident),
        "finding" => finding(incident),
        "evidence" => quoted(incident, evidence),
        // What helps against the rules' cause is no help against another.
        "advice" if incident.corrected().is_some() => String::new(),
        "advice" => incident.classification.as_ref().map(|found| prose(&found.advice, "  ", "  ")).unwrap_or_default(),
        "tried" => tried(&incident.attempts),
        "plan" => plan(incident),
        "url" => incident.run_url.as_deref().map(|url| format!("  {}", bounded(&one_line(url), 500))).unwrap_or_default(),
        "reasons" => reasons(kind, incident),
        _ => String::new(),
    }
}

fn named(text: &str) -> String {
    bounded(one_line(text).trim(), NAME_CHARS_MAX)
}

fn job_name(incident: &Incident) -> String {
    match named(&incident.job.name) {
        name if name.is_empty() => format!("run {}", incident.run),
        name => name,
    }
}

fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

fn facts(incident: &Incident) -> String {
    let mut lines = Vec::new();
    let mut fact = |word: &str, value: String| lines.push(format!("  {word:<10} {value}"));
    let id = incident.job.job_id.map(|id| format!(" (job {id})")).unwrap_or_default();
    fact("Job", format!("{}{id}", job_name(incident)));
    fact("Workspace", named(incident.workspace.as_str()));
    fact("Run", incident.run.to_string());
    if !incident.failed_tasks.is_empty() {
        let tasks: Vec<String> = incident.failed_tasks.iter().take(TASKS_MAX).map(|task| named(task)).collect();
        let more = incident.failed_tasks.len().saturating_sub(TASKS_MAX);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        fact("Task", format!("{}{more}", tasks.join(", ")));
    }
    fact("Failed at", time(incident.failed_at.unwrap_or(incident.detected_at)));
    let ended: Vec<String> = [&incident.result_state, &incident.termination_code].into_iter().flatten().map(|word| named(word)).collect();
    if !ended.is_empty() {
        fact("Ended as", ended.join(", "));
    }
    lines.join("\n")
}

fn finding(incident: &Incident) -> String {
    let Some(found) = &incident.classification else { return String::new() };
    let rules: Vec<String> = found.rules.iter().take(3).map(|rule| named(rule)).collect();
    let by = if rules.is_empty() { String::new() } else { format!(", by {}", rules.join(", ")) };
    if let Some((said, person)) = incident.corrected() {
        let note = incident.approval.as_ref().and_then(|approval| approval.note.as_deref()).map(|note| prose(note, "  ", "  "));
        let rules = format!("  The rules said {}, confidence {}{by}.", found.cause, found.confidence);
        let lines = [format!("  {said}, by {}", named(person)), note.unwrap_or_default(), rules];
        return lines.into_iter().filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n");
    }
    let head = format!("  {}, confidence {}{by}", found.cause, found.confidence);
    match prose(&found.explanation, "  ", "  ") {
        why if why.is_empty() => head,
        why => format!("{head}\n{why}"),
    }
}

/// The line that decided, then the ends of what each failing task left behind.
fn quoted(incident: &Incident, evidence: Option<&Evidence>) -> String {
    let mut lines = Vec::new();
    if let Some(span) = incident.classification.as_ref().and_then(|found| found.evidence.as_ref()) {
        lines.push(format!("  decided by ({}):", span.field.as_str()));
        quote(&mut lines, span.text.lines().take(ERROR_LINES_MAX));
    }
    let Some(evidence) = evidence else { return lines.join("\n") };
    for task in evidence.tasks.iter().take(TASKS_MAX) {
        let cut = if task.logs_truncated { ", its log cut off by the platform" } else { "" };
        lines.push(format!("  task {}, run {}{cut}:", named(task.task_key.as_str()), task.task_run));
        texts(&mut lines, &task.text);
    }
    if evidence.tasks.is_empty() {
        texts(&mut lines, &evidence.run);
    }
    for gap in evidence.gaps.iter().take(ITEMS_MAX) {
        lines.push(prose(&format!("{} could not be had: {}", gap.part, gap.reason), "  ", "    "));
    }
    lines.join("\n")
}

fn texts(lines: &mut Vec<String>, text: &FailureText) {
    for field in [Field::Error, Field::StateMessage] {
        if let Some(words) = text.field(field) {
            quote(lines, words.lines().filter(|line| !line.trim().is_empty()).take(ERROR_LINES_MAX));
        }
    }
    for field in [Field::ErrorTrace, Field::Logs] {
        let Some(words) = text.field(field).filter(|words| !words.trim().is_empty()) else { continue };
        let all: Vec<&str> = words.lines().filter(|line| !line.trim().is_empty()).collect();
        let skipped = all.len().saturating_sub(TAIL_LINES_MAX);
        lines.push(format!("  end of its {}:", if field == Field::Logs { "log" } else { "trace" }));
        quote(lines, all.into_iter().skip(skipped));
    }
}

fn quote<'a>(lines: &mut Vec<String>, quoted: impl Iterator<Item = &'a str>) {
    lines.extend(quoted.map(|line| format!("  | {}", bounded(strip_control(line).trim_end(), QUOTE_CHARS_MAX))));
}

fn tried(attempts: &[Attempt]) -> String {
    if attempts.is_empty() {
        return "  Nothing yet: this is the first failure of this run that runmend handles.".to_owned();
    }
    let skipped = attempts.len().saturating_sub(ITEMS_MAX);
    let line = |attempt: &Attempt| {
        let what = match (attempt.repair, attempt.new_run) {
            (Some(repair), _) => format!(" (repair {repair})"),
            (None, Some(run)) => format!(" (new run {run})"),
            (None, None) => String::new(),
        };
        let who = if attempt.automatic { "" } else { ", approved by a person" };
        let outcome = attempt.outcome.map_or("no outcome yet", outcome_words);
        format!("  {}. {}{what} at {}{who}: {outcome}", attempt.number, attempt.action.words(), time(attempt.acted_at))
    };
    attempts.iter().skip(skipped).map(line).collect::<Vec<_>>().join("\n")
}

fn outcome_words(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Mended => "mended",
        Outcome::FailedAgain => "failed again",
        Outcome::Superseded => "a person acted first",
        Outcome::Escalated => "escalated",
        Outcome::Notified => "the owner was told",
        Outcome::Ignored => "ignored",
        Outcome::Handled => "dealt with by a person",
    }
}

/// The action, its parameters and the very call.
fn plan(incident: &Incident) -> String {
    let Some(decision) = &incident.decision else { return String::new() };
    let mut lines = vec![format!("  {}", decision.action.words())];
    lines.extend(decision.parameters.iter().take(ITEMS_MAX).map(|parameter| format!("    {}", named(&parameter.to_string()))));
    if let Some(call) = &incident.planned {
        lines.push(format!("  {} {}", named(&call.method), bounded(&one_line(&call.path), QUOTE_CHARS_MAX)));
        quote(&mut lines, call.body.lines().take(ITEMS_MAX * 2));
    }
    lines.join("\n")
}

fn reasons(kind: MailKind, incident: &Incident) -> String {
    let mut items: Vec<String> = Vec::new();
    if let (MailKind::Owner, Err(why)) = (kind, owner(&incident.job)) {
        items.push(format!("{why}: this came to you instead"));
    }
    if let Some(decision) = &incident.decision {
        items.extend(decision.reasons.iter().cloned());
        items.extend(decision.guardrails.iter().map(|rail| format!("{} [{}]", rail.reason, rail.id)));
    }
    items.iter().take(ITEMS_MAX).map(|item| prose(item, "  - ", "    ")).collect::<Vec<_>>().join("\n")
}

/// Text of others as our prose: one paragraph, wrapped. Words longer than a line are cut into lines.
fn prose(text: &str, first: &str, next: &str) -> String {
    let clean = bounded(one_line(text).trim(), PROSE_CHARS_MAX);
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    let mut width = 0;
    for word in clean.split_whitespace() {
        let chars = word.chars().count();
        if width > 0 && first.len() + width + 1 + chars > WIDTH {
            lines.push(std::mem::take(&mut line));
            width = 0;
        }
        if width > 0 {
            line.push(' ');
            width += 1;
        }
        line.push_str(word);
        width += chars;
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines.iter().enumerate().map(|(at, line)| format!("{}{line}", if at == 0 { first } else { next })).collect::<Vec<_>>().join("\n")
}

/// The body within its bounds. The last lines say what is asked only in short mails: what is cut off is the end, and it says so.
fn cut(body: &str) -> String {
    let clean = strip_control(body);
    let mut kept = String::new();
    for line in clean.lines() {
        let end = (0..=line.len().min(LINE_BYTES_MAX)).rev().find(|end| line.is_char_boundary(*end)).unwrap_or(0);
        if kept.len() + end + 1 > BODY_BYTES_MAX - 100 {
            kept.push_str("(cut off: the console has the rest)\n");
            break;
        }
        kept.push_str(line.get(..end).unwrap_or_default());
        kept.push('\n');
    }
    kept
}

#[cfg(test)]
mod tests;
