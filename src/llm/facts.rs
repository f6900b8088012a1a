//! What is known around a failure, for its prompt: task, settings, history, what came of failures alike.

use std::collections::BTreeMap;

use crate::domain::event::Outcome;
use crate::domain::evidence::PastRun;
use crate::redact::control::one_line;

use super::excerpt;
use super::prompt::{Alike, Question, Source, invisible};

const SETTINGS_MAX: usize = 8;
const PAST_RUNS_MAX: usize = 10;

/// What is known around the failure, a line each; what is not known is not mentioned.
pub(super) fn of(question: &Question<'_>, source: &Source<'_>) -> String {
    let mut lines: Vec<String> = Vec::new();
    let word = |text: &str| excerpt::shorten(&one_line(text)).chars().filter(|c| !invisible(*c)).take(120).collect::<String>();
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
    let Alike { mended, failed_again, people } = question.alike;
    if mended + failed_again > 0 {
        lines.push(format!("re-runs after this very error: {mended} of {} passed", mended + failed_again));
    }
    if !people.is_empty() {
        let chosen: Vec<String> = people.iter().map(|(action, times)| format!("{action} {times}x")).collect();
        lines.push(format!("people chose for this very error: {}", chosen.join(", ")));
    }
    lines.join("\n")
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
