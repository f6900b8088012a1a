//! Scheduled, and the time has come: look once more, write the intent down, then act.

use crate::databricks::Run;
use crate::domain::action::Action;
use crate::domain::decision::{Authority, Mode};
use crate::domain::event::{Actor, Call, Happening, Outcome};
use crate::domain::incident::{Ending, State};
use crate::domain::intent::Effect;
use crate::domain::mail::MailKind;

use super::step::{Case, StepError, WAITING_CHECK, after};
use super::world::{self, World};
use super::{acting, analysed, decided, letters};

pub async fn step(case: &mut Case<'_>) -> Result<(), StepError> {
    let Some(decision) = case.incident.decision.clone() else {
        return decided::redecide(case, Mode::Approve).await;
    };
    let mode = case.house.mode().await?;
    if mode == Mode::Observe {
        // Approved or scheduled before the agent was started to observe: it stays on the schedule and is not carried out.
        let mut stay = case.incident.stay().due(after(case.now(), WAITING_CHECK));
        stay.incident.hold = Some("mode observe: not carried out".to_owned());
        return case.commit(stay).await;
    }
    // Auto-apply ended while it waited for its time: a person's word is needed again.
    if case.incident.approval.is_none() && decision.authority.min(mode.ceiling()) < Authority::Auto && !tag_raised(case) {
        return decided::redecide(case, mode).await;
    }
    let run = match world::look(case.house, &case.incident).await? {
        World::AsFailed(run) => *run,
        World::Superseded { how, failed_again } => return world::supersede(case, how, failed_again).await,
    };
    match decision.action {
        Action::Retry | Action::RetryWithNewParams => rerun(case, run).await,
        Action::Notify => tell(case, MailKind::Owner, decision.action).await,
        Action::Escalate => tell(case, MailKind::OnCall, decision.action).await,
        Action::Ignore => {
            let note = case.incident.approval.as_ref().and_then(|approval| approval.note.clone());
            let next = case.incident.close(Ending::Ignored, Outcome::Ignored, Actor::Agent, case.now(), note)?;
            case.commit(next).await
        }
    }
}

/// A job's tag may raise the mode where policy trusts tags; the engine said so when it decided.
fn tag_raised(case: &Case<'_>) -> bool {
    case.house.settings.policy.trust_tags && case.incident.job.tags.get("runmend.mode").is_some_and(|mode| mode == "auto")
}

async fn rerun(case: &mut Case<'_>, failed: Run) -> Result<(), StepError> {
    if let Some(how) = world::rerun_by_hand(case.house, &case.incident).await? {
        return world::supersede(case, how, false).await;
    }
    // Where a re-run of ours is a run of its own, parameters and identity are still the original's.
    let original = if failed.run_id == case.incident.run { failed } else { case.house.workspace.run(case.incident.run).await? };
    let Some(effect) = analysed::effect(case.house, &case.incident, &original) else {
        return fall_to_people(case, "the run belongs to no job, so it cannot be re-run").await;
    };
    open(case, effect).await?;
    acting::perform(case).await
}

/// The intent, in the ledger before anything is sent.
pub async fn open(case: &mut Case<'_>, effect: Effect) -> Result<(), StepError> {
    let now = case.now();
    let word = match &effect {
        Effect::Repair { .. } => "repair",
        Effect::RunNow { .. } => "run_now",
    };
    let planned = case.house.workspace.preview(&effect);
    let intent = case.incident.intent(word, effect, now);
    let call = Call { method: planned.method.clone(), path: planned.path.clone() };
    let mut next = match case.incident.state {
        State::Acting => case.incident.stay(),
        _ => case.incident.become_state(State::Acting)?,
    };
    next.incident.planned = Some(planned);
    let what = Happening::Intended { intent: intent.id.to_string(), call };
    next.intent = Some(intent);
    // Due at once: if this process dies after the commit, the next one finds it and asks the workspace first.
    case.commit(next.due(Some(now)).happening(now, Actor::Agent, what)).await
}

/// Mail with the decision's transition: from then on it is in the ledger and goes out sooner or later.
async fn tell(case: &mut Case<'_>, kind: MailKind, action: Action) -> Result<(), StepError> {
    let now = case.now();
    let mut next = case.incident.become_state(State::WithPeople)?.due(after(now, WAITING_CHECK));
    match letters::write(case.house, &next.incident, kind).await? {
        Ok(mail) => next = letters::enclose(next, mail, now),
        Err(why) => {
            // Nobody to write to: it stays open and visible, and says why no mail went out.
            case.house.degrade("mail", &why).await;
            next.incident.hold = Some(why);
        }
    }
    let result = match action {
        Action::Escalate => Outcome::Escalated,
        Action::Notify | Action::Retry | Action::RetryWithNewParams | Action::Ignore => Outcome::Notified,
    };
    let duration_s = now.duration_since(case.incident.detected_at).as_secs();
    case.commit(next.happening(now, Actor::Agent, Happening::Outcome { result, duration_s, note: None })).await
}

/// What was to be done cannot be: a person must see it, with the reason.
pub async fn fall_to_people(case: &mut Case<'_>, why: &str) -> Result<(), StepError> {
    if let Some(decision) = &mut case.incident.decision {
        decision.reasons.push(why.to_owned());
    }
    tell(case, MailKind::OnCall, Action::Escalate).await
}
