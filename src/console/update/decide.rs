//! What a person decides: each becomes a ledger transition, and says beforehand what it will do.

use std::sync::Arc;

use tui_input::Input;

use crate::console::act;
use crate::console::key::Act;
use crate::console::model::{Effect, Model, Overlay, Override, Question};
use crate::console::notice::Notice;
use crate::console::snapshot::{Entry, Snapshot};
use crate::console::{wall, words};
use crate::domain::action::Action;
use crate::domain::cause::Cause;
use crate::domain::incident::{IllegalTransition, Instead, Transition};

use super::post;

/// What may be chosen by hand. New settings are proposed by the engine only: a person changes them in the workspace.
const CHOICES: [Action; 4] = [Action::Retry, Action::Notify, Action::Escalate, Action::Ignore];

pub fn start(model: &mut Model, does: Act, effects: &mut Vec<Effect>) {
    if does == Act::AutoApply {
        if model.auto_since.is_some() {
            effects.push(Effect::AutoApply(false));
        } else {
            model.over.push(Overlay::Question(Question::AutoApply));
        }
        return;
    }
    let Some(entry) = model.selected().cloned() else { return };
    match does {
        Act::Approve => model.over.push(Overlay::Question(Question::Approve(entry))),
        Act::Ignore => model.over.push(Overlay::Question(Question::Ignore(entry))),
        Act::CloseHandled => model.over.push(Overlay::Question(Question::Close(entry))),
        Act::Override => {
            let engine = entry.incident.decision.as_ref().map(|decision| decision.action);
            let at = CHOICES.iter().position(|choice| Some(*choice) != engine).unwrap_or(0);
            let cause = entry.incident.cause().unwrap_or(Cause::Unknown);
            let form = Override { entry, choices: CHOICES.to_vec(), at, cause, reason: Input::default() };
            model.over.push(Overlay::Override(Box::new(form)));
        }
        // Neither touches the workspace, and each takes the other back: done at once.
        Act::AskModel => {
            let said = format!("a model is asked about {}", words::name(&entry.incident));
            let transition = entry.incident.ask_model(&model.options.user, model.now);
            commit(model, Ok(transition), said, effects);
        }
        Act::StopModel => {
            let said = format!("no model is asked about {}", words::name(&entry.incident));
            let transition = entry.incident.cancel_opinion(&model.options.user, model.now);
            commit(model, Ok(transition), said, effects);
        }
        _ => {}
    }
}

/// The incident of an open question or override moved on: what is answered must be what was read.
pub fn refresh(model: &mut Model, snapshot: &Snapshot) {
    let held = match model.over.last_mut() {
        Some(Overlay::Question(question)) => question.entry(),
        Some(Overlay::Override(form)) => Some(&mut form.entry),
        Some(Overlay::Filter | Overlay::Reader(_) | Overlay::Chooser(_)) | None => None,
    };
    let Some(held) = held else { return };
    let Some(newer) = snapshot.entries.iter().find(|entry| entry.incident.id == held.incident.id) else { return };
    if held.poses_the_same_question(newer) {
        *held = newer.clone();
    } else {
        let name = words::name(&newer.incident);
        model.over.pop();
        post(model, Notice::error(format!("changed meanwhile, look again; nothing was done: {name} is {}", newer.incident.state)));
    }
}

pub fn choose(model: &mut Model, does: Act) {
    let Some(Overlay::Override(form)) = model.over.last_mut() else { return };
    let actions = form.choices.len().max(1);
    let causes = Cause::ALL.len();
    let at = Cause::ALL.iter().position(|cause| *cause == form.cause).unwrap_or_default();
    let cause = |at: usize| Cause::ALL.get(at % causes).copied().unwrap_or(Cause::Unknown);
    match does {
        Act::NextChoice => form.at = (form.at + 1) % actions,
        Act::PreviousChoice => form.at = (form.at + actions - 1) % actions,
        Act::NextCause => form.cause = cause(at + 1),
        Act::PreviousCause => form.cause = cause(at + causes - 1),
        Act::ModelsCause => {
            let models = form.opinion().map(|opinion| opinion.cause);
            form.cause = models.filter(|models| *models != form.cause).or(form.rules()).unwrap_or(form.cause);
        }
        _ => {}
    }
}

pub fn answered(model: &mut Model, question: Question, effects: &mut Vec<Effect>) {
    let (by, now) = (model.options.user.clone(), model.now);
    match question {
        Question::Approve(entry) => approve(model, &entry, effects),
        Question::Ignore(entry) => {
            let said = format!("ignored {}", words::name(&entry.incident));
            commit(model, entry.incident.ignore(&by, now, None), said, effects);
        }
        Question::Close(entry) => {
            let said = format!("closed as handled {}", words::name(&entry.incident));
            commit(model, entry.incident.close_handled(&by, now, None), said, effects);
        }
        Question::AutoApply => effects.push(Effect::AutoApply(true)),
    }
}

fn approve(model: &mut Model, entry: &Arc<Entry>, effects: &mut Vec<Effect>) {
    let incident = &entry.incident;
    let Some(decision) = &incident.decision else { return };
    let what = act::effect_of(model, incident, decision.action);
    let said = format!("approved {}: {what}", words::name(incident));
    let transition = incident.approve(&model.options.user, model.now, None);
    commit(model, transition, said, effects);
}

pub fn overridden(model: &mut Model, form: &Override, effects: &mut Vec<Effect>) {
    let (by, now, incident, note) = (model.options.user.clone(), model.now, &form.entry.incident, form.reason());
    let cause = form.corrected().map(|cause| format!("cause {cause}, ")).unwrap_or_default();
    let said = format!("overridden {}: {cause}{}", words::name(incident), act::effect_of(model, incident, form.action()));
    let transition = incident.override_with(Instead { action: form.action(), cause: form.corrected(), note }, &by, now);
    commit(model, transition, said, effects);
}

fn commit(model: &mut Model, transition: Result<Transition, IllegalTransition>, said: String, effects: &mut Vec<Effect>) {
    match transition {
        Ok(transition) => {
            model.pending.insert(transition.incident.id.clone(), None);
            effects.push(Effect::Commit { transition: Box::new(transition), said });
        }
        Err(illegal) => post(model, Notice::error(format!("{illegal}; nothing done"))),
    }
}

pub fn on_auto_applied(model: &mut Model, on: bool, result: Result<(), String>) {
    match result {
        Ok(()) if model.auto_since.is_some() != on => {
            model.auto_since = on.then_some(model.now);
            let words =
                if on { "auto-apply is on while this console is open; `A` stops it" } else { "auto-apply is off: a person approves again" };
            post(model, Notice::done(words));
        }
        Ok(()) => {}
        Err(why) => {
            // Not renewed means that it ends by itself within the minute: say what is true.
            let words = if on {
                "auto-apply could not be kept on, it ends by itself"
            } else {
                "auto-apply could not be switched off now, it ends by itself"
            };
            model.auto_since = None;
            post(model, Notice::error(format!("{words}: {}", wall::clean(&why))));
        }
    }
}
