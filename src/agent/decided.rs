//! Decided: by its authority the decision goes to the schedule, to a person, or (under observe) nowhere.

use crate::domain::decision::{Authority, Decision, Mode};
use crate::domain::event::{Actor, Happening};
use crate::domain::incident::State;
use crate::domain::mail::MailKind;

use super::step::{Case, StepError, WAITING_CHECK, after};
use super::{analysed, letters, opinion, with_people};

pub async fn step(case: &mut Case<'_>) -> Result<(), StepError> {
    let Some(decision) = case.incident.decision.clone() else {
        return redecide(case, Mode::Approve).await;
    };
    let now = case.now();
    match decision.authority {
        Authority::Auto => {
            let next = case.incident.become_state(State::Scheduled)?.due(Some(decision.not_before.max(now)));
            case.commit(next).await
        }
        Authority::Approval => ask_a_person(case).await,
        Authority::Observe => observe(case, &decision).await,
    }
}

/// In an unattended agent nobody looks at a screen: whoever is on call hears that a decision waits.
async fn ask_a_person(case: &mut Case<'_>) -> Result<(), StepError> {
    let now = case.now();
    let mut next = case.incident.become_state(State::AwaitingApproval)?.due(after(now, WAITING_CHECK));
    if case.house.settings.unattended && case.house.settings.mode != Mode::Observe {
        match letters::write(case.house, &next.incident, MailKind::Approval).await? {
            Ok(mail) => next = letters::enclose(next, mail, now),
            Err(why) => case.house.degrade("mail", &why).await,
        }
    }
    case.commit(next).await
}

/// What would have been done is on record. From here only the workspace moves it: was it mended, or did somebody act?
async fn observe(case: &mut Case<'_>, decision: &Decision) -> Result<(), StepError> {
    // The agent was started again in another mode: what was only observed is decided anew, unless it is this job's own tag that says so.
    let mode = case.house.mode().await?;
    if mode != Mode::Observe && decision.guardrails.iter().any(|rail| rail.id == "mode") {
        return redecide(case, mode).await;
    }
    if with_people::ended_elsewhere(case).await? || opinion::by_hand(case).await? {
        return Ok(());
    }
    let stay = case.incident.stay().due(after(case.now(), WAITING_CHECK));
    case.commit(stay).await
}

/// Asks the engine again under the mode now in force, and stands as decided.
pub async fn redecide(case: &mut Case<'_>, mode: Mode) -> Result<(), StepError> {
    let now = case.now();
    let Some(classification) = case.incident.classification.clone() else {
        let next = case.incident.stay().due(after(now, WAITING_CHECK));
        return case.commit(next).await;
    };
    let decision = analysed::conclude(case.house, &case.incident, classification, mode).await?;
    let planned = analysed::plan(case.house, &case.incident, &decision).await?;
    let mut next = match case.incident.state {
        State::Decided => case.incident.stay(),
        _ => case.incident.become_state(State::Decided)?,
    };
    next.incident.decision = Some(decision.clone());
    next.incident.planned = Some(planned);
    next.incident.approval = None;
    let next = next.due(Some(now)).happening(now, Actor::Agent, Happening::decided(&decision));
    case.commit(next).await
}
