//! Takes secrets out of everything that a letter quotes.

use std::sync::LazyLock;

use crate::domain::evidence::{Evidence, FailureText};
use crate::domain::incident::Incident;
use crate::redact::control::strip_control;
use crate::redact::secrets::Redactor;

static REDACTOR: LazyLock<Redactor> = LazyLock::new(Redactor::default);

/// The incident and its evidence, redacted together: what one text gives away is known in all, by one name.
pub fn of(incident: &Incident, evidence: Option<&Evidence>) -> (Incident, Option<Evidence>) {
    let mut incident = incident.clone();
    let mut evidence = evidence.cloned();
    let mut texts = told(&mut incident);
    texts.extend(evidence.as_mut().map(collected).unwrap_or_default());
    let originals: Vec<&str> = texts.iter().map(|text| text.as_str()).collect();
    let (redacted, _) = REDACTOR.redact_all(&originals);
    for (text, redacted) in texts.into_iter().zip(redacted) {
        // Whatever breaks a line anywhere breaks it here: each line is quoted behind a bar, and none may step out of it later.
        *text = strip_control(&redacted).replace(['\u{2028}', '\u{2029}'], "\n");
    }
    (incident, evidence)
}

/// The finished letter once more: lines that came together may show a secret that was none apart.
pub fn of_letter(subject: &str, body: &str) -> (String, String) {
    let (mut redacted, _) = REDACTOR.redact_all(&[subject, body]);
    let body = redacted.pop().unwrap_or_default();
    (redacted.pop().unwrap_or_default(), body)
}

/// Longest text that is looked through, characters: a letter quotes far less of names and reasons, and what is beyond is not quoted.
const TEXT_CHARS_MAX: usize = 2 * super::PROSE_CHARS_MAX;

/// What the incident says in words of others, bounded: the rest would not be read anyway.
fn told(incident: &mut Incident) -> Vec<&mut String> {
    let mut texts = words(incident);
    for text in &mut texts {
        if let Some((end, _)) = text.char_indices().nth(TEXT_CHARS_MAX) {
            text.truncate(end);
        }
    }
    texts
}

fn words(incident: &mut Incident) -> Vec<&mut String> {
    let mut texts = vec![&mut incident.job.name];
    texts.extend(incident.run_url.as_mut());
    texts.extend(incident.failed_tasks.iter_mut().take(super::TASKS_MAX));
    if let Some(found) = &mut incident.classification {
        texts.extend(found.evidence.as_mut().map(|span| &mut span.text));
        texts.extend([&mut found.explanation, &mut found.advice]);
    }
    if let Some(decision) = &mut incident.decision {
        texts.extend(decision.reasons.iter_mut().take(super::ITEMS_MAX));
        texts.extend(decision.guardrails.iter_mut().take(super::ITEMS_MAX).map(|rail| &mut rail.reason));
    }
    texts.extend(incident.approval.as_mut().and_then(|approval| approval.note.as_mut()));
    if let Some(call) = &mut incident.planned {
        texts.extend([&mut call.path, &mut call.body]);
    }
    texts
}

fn collected(evidence: &mut Evidence) -> Vec<&mut String> {
    let mut texts = Vec::new();
    for text in evidence.tasks.iter_mut().map(|task| &mut task.text).chain([&mut evidence.run]) {
        let FailureText { error, error_trace, state_message, termination_code: _, task_type: _, logs } = text;
        texts.extend([error, error_trace, state_message, logs].into_iter().flatten());
    }
    texts.extend(evidence.gaps.iter_mut().map(|gap| &mut gap.reason));
    texts
}
