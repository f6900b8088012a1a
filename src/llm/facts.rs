//! What is known around a failure, for its prompt: task, settings, history, what came of failures alike.

use std::collections::BTreeMap;

use crate::domain::action::Action;
use crate::domain::event::Outcome;
use crate::domain::evidence::PastRun;
use crate::domain::precedent::{Precedent, Word};
use crate::redact::control::one_line;
use crate::redact::prose::invisible;

use super::excerpt;
use super::prompt::{Alike, PRECEDENTS_MAX, Question, Source};

const SETTINGS_MAX: usize = 8;
const PAST_RUNS_MAX: usize = 10;
/// A longer reason than anybody types, bytes.
const NOTE_BYTES_MAX: usize = 4096;
/// One person's word with its reason, characters.
const PRECEDENT_CHARS_MAX: usize = 150;

/// What is known around the failure, a line each; what is not known is not mentioned.
pub(super) fn of(question: &Question<'_>, source: &Source<'_>) -> String {
    let mut lines: Vec<String> = Vec::new();
    if !question.job.name.is_empty() {
        lines.push(format!("job {}", word(&question.job.name)));
    }
    let mut task = Vec::new();
    task.extend(source.text.task_type.as_deref().map(|kind| format!("{} task", word(kind))));
    if let Some(evidence) = source.task {
        task.extend(evidence.result_state.as_deref().map(word));
        task.extend(evidence.termination_type.as_deref().map(word));
    }
    task.extend(source.text.termination_code.as_deref().map(word));
    if !task.is_empty() {
        lines.push(task.join(", "));
    }
    let failing = question.evidence.tasks.len();
    if failing > 1 {
        lines.push(format!("{failing} tasks of the run failed by themselves; this is the one that decides"));
    }
    if let Some(evidence) = source.task.filter(|task| !task.settings.is_empty()) {
        let settings: Vec<String> =
            evidence.settings.iter().take(SETTINGS_MAX).map(|(name, value)| format!("{} {}", word(name), word(value))).collect();
        lines.push(settings.join(", "));
    }
    lines.extend(history(&question.evidence.history));
    let reruns: Vec<&str> =
        question.attempts.iter().filter(|attempt| attempt.action.reruns()).map(|attempt| outcome(attempt.outcome)).collect();
    if !reruns.is_empty() {
        lines.push(format!("this run was re-run {} times: {}", reruns.len(), reruns.join(", ")));
    }
    let Alike { mended, failed_again, .. } = question.alike;
    if mended + failed_again > 0 {
        lines.push(format!("re-runs after this very error: {mended} of {} passed", mended + failed_again));
    }
    lines.join("\n")
}

/// A name or sentence of somebody's: one line, bounded, nothing in it that is not seen.
fn word(text: &str) -> String {
    excerpt::shorten(&one_line(text)).chars().filter(|c| !invisible(*c)).take(120).collect()
}

/// A person's reason on one line, not cut yet: half a secret is not recognised as one.
fn whole(note: &str) -> String {
    let line: String = one_line(note).chars().filter(|c| !invisible(*c)).collect();
    match line.get(..excerpt::floor(&line, NOTE_BYTES_MAX)) {
        Some(start) if start.len() < line.len() => start.rsplit_once(' ').map_or("", |(words, _)| words).to_owned(),
        _ => line,
    }
}

/// A line of [`precedents`] after redaction, as short as it is sent.
pub(super) fn precedent_as_sent(line: &str) -> String {
    let cut: String = line.chars().take(PRECEDENT_CHARS_MAX).collect();
    if cut.len() < line.len() { format!("{}…", cut.trim_end()) } else { cut }
}

/// What people decided before, a line each, newest first.
pub(super) fn precedents(alike: &Alike) -> String {
    let mut lines = Vec::new();
    for (on, all, other) in [("this very error", &alike.people, false), ("other errors of this job", &alike.of_job, true)] {
        if !all.is_empty() {
            lines.push(format!("what people decided on {on}, newest first:"));
        }
        lines.extend(all.iter().take(PRECEDENTS_MAX).map(|precedent| precedent_line(precedent, other)));
    }
    lines.join("\n")
}

fn precedent_line(precedent: &Precedent, other: bool) -> String {
    let action = precedent.action.map(Action::as_str).unwrap_or_default();
    let decided = match precedent.word {
        Word::Approved => format!("approved {action}"),
        Word::Overrode => format!("overrode the engine with {action}"),
        Word::Ignored => "ignored it".to_owned(),
        Word::Handled => "dealt with it by hand".to_owned(),
    };
    // What the rules say of it is not told: the model reads for itself.
    let on = match precedent.rules_said {
        Some(_) => format!(" (cause by them: {})", precedent.cause),
        None if other => format!(" ({})", precedent.cause),
        None => String::new(),
    };
    let came = match (precedent.action, precedent.outcome) {
        (Some(action), Some(ended)) if action.reruns() => format!("; {}", outcome(Some(ended))),
        _ => String::new(),
    };
    let note = precedent.note.as_deref().map(|note| format!("; said: {}", whole(note))).unwrap_or_default();
    format!("- {}{on} {decided}{came}{note}", precedent.at.strftime("%Y-%m-%d"))
}

fn history(past: &[PastRun]) -> Option<String> {
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    let ended: Vec<&PastRun> = past.iter().filter(|run| run.result_state.is_some()).take(PAST_RUNS_MAX).collect();
    for run in &ended {
        let state = run.result_state.as_deref().map(one_line).unwrap_or_default();
        *counts.entry(state.chars().take(40).collect()).or_default() += 1;
    }
    if ended.is_empty() {
        return None;
    }
    let said: Vec<String> = counts.iter().map(|(state, times)| format!("{times} {state}")).collect();
    let mut durations: Vec<i64> =
        ended.iter().filter(|run| run.result_state.as_deref() == Some("SUCCESS")).filter_map(|run| run.duration_s).collect();
    durations.sort_unstable();
    let usual = durations.get(durations.len() / 2).map(|s| format!("; a good run takes {s} s")).unwrap_or_default();
    Some(format!("last {} runs of the job: {}{usual}", ended.len(), said.join(", ")))
}

fn outcome(outcome: Option<Outcome>) -> &'static str {
    match outcome {
        None => "still open",
        Some(Outcome::Mended) => "passed",
        Some(Outcome::FailedAgain) => "failed again",
        Some(Outcome::Superseded) => "somebody acted first",
        Some(Outcome::Escalated | Outcome::Notified | Outcome::Ignored | Outcome::Handled) => "left to people",
    }
}
