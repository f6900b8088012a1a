//! What a person's word sets off, told before it is given: the rows of a question, and of the override's preview.

use crate::decide::guardrail;
use crate::domain::action::Action;
use crate::domain::decision::Decision;
use crate::domain::incident::{Incident, PlannedCall};

use super::act;
use super::model::{Model, Override, Question};
use super::words;

/// A label and what stands beside it; a warning is meant to stop a hasty hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub label: &'static str,
    pub text: String,
    pub warning: bool,
}

fn row(label: &'static str, text: impl Into<String>) -> Row {
    Row { label, text: text.into(), warning: false }
}

fn warning(label: &'static str, text: impl Into<String>) -> Row {
    Row { label, text: text.into(), warning: true }
}

/// Awaiting decisions that the question on auto-apply names.
const NAMED_MAX: usize = 4;

pub fn title(question: &Question) -> String {
    match question {
        Question::Approve(entry) => format!("Approve: {}", words::name(&entry.incident)),
        Question::Ignore(entry) => format!("Ignore: {}", words::name(&entry.incident)),
        Question::Close(entry) => format!("Close as handled: {}", words::name(&entry.incident)),
        Question::AutoApply => "Auto-apply for this session".to_owned(),
    }
}

pub fn rows(model: &Model, question: &Question) -> Vec<Row> {
    match question {
        Question::Approve(entry) => approve(model, &entry.incident),
        Question::Ignore(_) => vec![
            row("does", "closes the incident as ignored; the run is left as it is, nobody is mailed"),
            row("later", "it opens again only if the same run is repaired and fails anew"),
        ],
        Question::Close(_) => vec![
            row("does", "closes the incident as handled by a person; its clock stops, the run is left as it is"),
            row("later", "it opens again only if the same run is repaired and fails anew"),
        ],
        Question::AutoApply => auto_apply(model),
    }
}

fn approve(model: &Model, incident: &Incident) -> Vec<Row> {
    let Some(decision) = &incident.decision else { return Vec::new() };
    let mut rows = Vec::new();
    rows.extend(held(model, incident, decision));
    rows.push(row("does", act::effect_of(model, incident, decision.action)));
    if let Some(success) = &decision.success {
        rows.push(row("chances", format!("p(success) {}, {}", success.p, words::alike(success))));
    }
    rows.push(row("when", not_before(model, incident)));
    if let Some(planned) = &incident.planned {
        rows.extend(call(model, planned));
    }
    rows
}

/// What holds it besides the operator's mode: a person who approves takes that on.
fn held(model: &Model, incident: &Incident, decision: &Decision) -> Vec<Row> {
    let rails = decision.guardrails.iter().filter(|rail| rail.id != guardrail::mode::ID);
    let mut rows: Vec<Row> = rails.map(|rail| warning("mind", &rail.reason)).collect();
    if !decision.guardrails.iter().any(|rail| rail.id == guardrail::critical::ID) {
        rows.extend(critical(model, incident));
    }
    rows
}

fn critical(model: &Model, incident: &Incident) -> Option<Row> {
    act::critical(model, incident).map(|why| warning("mind", format!("this job is critical ({why})")))
}

fn not_before(model: &Model, incident: &Incident) -> String {
    match incident.decision.as_ref().map(|decision| decision.not_before).filter(|at| *at > model.now) {
        Some(at) => format!("at {}, in {}", words::clock(at, &model.options.zone), words::span(words::since(at, model.now))),
        None => "at once".to_owned(),
    }
}

fn call(model: &Model, call: &PlannedCall) -> Vec<Row> {
    let mut rows = vec![row("call", words::call(call))];
    rows.extend(words::compact(&call.body).lines().map(|line| row("", line)));
    if call.path.starts_with('/') && !model.options.host.is_empty() {
        rows.push(row("on", &model.options.host));
    }
    rows
}

fn auto_apply(model: &Model) -> Vec<Row> {
    let held: Vec<&Incident> = model.awaiting().filter(|incident| act::auto_would_apply(incident)).collect();
    let mut rows = vec![row("does", "the agent carries out by itself what only mode approve holds back, now and from now on")];
    for (at, incident) in held.iter().take(NAMED_MAX).enumerate() {
        let label = if at == 0 { "now" } else { "" };
        rows.push(row(label, format!("{} · {}", words::action(incident, model.max_attempts()), words::name(incident))));
    }
    match held.len() {
        0 => rows.push(row("now", "nothing that waits would be carried out")),
        n if n > NAMED_MAX => rows.push(row("", format!("and {} more", n - NAMED_MAX))),
        _ => {}
    }
    rows.push(row("never", "what another guardrail holds: critical jobs, too low a confidence, spent re-runs; these still ask you"));
    rows.push(row("ends", "with `A`, or when this console is left; if it dies, within 60 s"));
    rows
}

/// What the override would do, as the request will be sent.
pub fn instead(model: &Model, form: &Override) -> Vec<Row> {
    let incident = &form.entry.incident;
    let mut rows: Vec<Row> = critical(model, incident).into_iter().collect();
    let action = form.action();
    rows.push(row(
        "will",
        match action {
            Action::Retry | Action::RetryWithNewParams => format!("repair run {}, its failed tasks only, at once", incident.run),
            Action::Notify | Action::Escalate => act::effect_of(model, incident, action),
            Action::Ignore => "close the incident; the run is left as it is, nobody is mailed".to_owned(),
        },
    ));
    if action.reruns() {
        match &incident.planned {
            Some(planned) if incident.decision.as_ref().is_some_and(|decision| decision.action.reruns()) => {
                rows.extend(call(model, planned));
            }
            _ => {
                rows.push(row("call", "runs/repair with the run's own parameters, made from the run as it is then"));
                if !incident.failed_tasks.is_empty() {
                    rows.push(row("", format!("tasks {}", incident.failed_tasks.join(", "))));
                }
            }
        }
        rows.push(row("safe", "refused if somebody repaired the run meanwhile"));
    }
    let cause = form.corrected().map(|cause| format!(" and the cause, {cause}")).unwrap_or_default();
    rows.push(row("record", format!("your note{cause}, under your name ({})", model.options.user)));
    rows
}
