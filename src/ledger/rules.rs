//! What every store must decide alike: whether a commit may go through, and what a reported failure means. Pure.

use super::LedgerError;
use crate::domain::Timestamp;
use crate::domain::event::{Actor, Event, Happening};
use crate::domain::ids::IncidentId;
use crate::domain::incident::{Ending, Failure, FailureKey, IllegalTransition, Incident, State, Transition};
use crate::domain::intent::{Intent, Settlement};

/// What a store holds of an incident, as far as a commit must look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    pub version: i64,
    pub state: State,
    pub fence: i64,
}

/// # Errors
/// `Conflict` when someone else changed or claimed the incident meanwhile; `Illegal` for a step that the state machine lacks.
pub fn may_commit(transition: &Transition, held: &Held, fence: Option<i64>) -> Result<(), LedgerError> {
    let incident = &transition.incident;
    let same = incident.version == held.version && transition.from == held.state && fence.is_none_or(|fence| fence == held.fence);
    if !same {
        return Err(LedgerError::Conflict { incident: incident.id.clone() });
    }
    if transition.from != incident.state && !transition.from.may_become(incident.state) {
        return Err(IllegalTransition { incident: incident.id.clone(), from: transition.from, to: incident.state }.into());
    }
    Ok(())
}

/// Does this commit end the claim? A person's word makes the incident claimable at once, but never while a call is in flight:
/// a second worker would ask the workspace before the first one's answer is there.
pub fn ends_claim(fence: Option<i64>, from: State) -> bool {
    fence.is_none() && from != State::Acting
}

/// What to write for the intent of a commit.
#[derive(Debug)]
pub enum IntentWrite {
    Open(Intent),
    Settle(Intent),
}

/// `stored` is the intent of the same id, if there is one.
///
/// # Errors
/// `IntentRefused`: never two actions for one decision, and never a second settlement.
pub fn intent_write(intent: Intent, incident: &IncidentId, stored: Option<Intent>) -> Result<IntentWrite, LedgerError> {
    let refused = |reason: &str| LedgerError::IntentRefused { intent: intent.id.clone(), reason: reason.to_owned() };
    if intent.incident != *incident {
        return Err(refused("belongs to another incident"));
    }
    match (&intent.settlement, stored) {
        (Settlement::Open, None) => Ok(IntentWrite::Open(intent)),
        (Settlement::Open, Some(_)) => Err(refused("exists already")),
        (_, None) => Err(refused("was never opened")),
        (_, Some(stored)) if stored.settlement != Settlement::Open => Err(refused("is settled already")),
        (_, Some(stored)) if stored.incident != *incident => Err(refused("belongs to another incident")),
        // What was asked stays as it was written before the call; only the answer is new.
        (_, Some(stored)) => Ok(IntentWrite::Settle(Intent { settlement: intent.settlement, settled_at: intent.settled_at, ..stored })),
    }
}

/// A failure that is not known yet, of a run that has an incident: does it reopen, or is it in hand?
/// Gives the incident as its next attempt, with its event; the version is still the one that was read.
pub fn fails_anew(incident: &Incident, failure: Failure, now: Timestamp) -> Option<(Incident, Event)> {
    let state = match incident.state {
        State::Closed(Ending::Mended | Ending::Handled | Ending::Ignored | Ending::Superseded) => State::Detected,
        State::WithPeople => State::Collecting,
        State::Detected
        | State::Collecting
        | State::Analysed
        | State::Decided
        | State::Scheduled
        | State::AwaitingApproval
        | State::Acting
        | State::Watching => return None,
    };
    let mut next = incident.clone();
    next.state = state;
    next.attempt += 1;
    next.failure = FailureKey { run: failure.run, after_repair: failure.after_repair };
    next.via = failure.via;
    next.result_state = failure.result_state;
    next.termination_code = failure.termination_code;
    next.failed_at = failure.ended_at;
    next.run_url = failure.run_url.or(next.run_url);
    next.failed_tasks.clear();
    next.classification = None;
    next.opinion = None;
    next.no_opinion = None;
    next.draft = None;
    next.decision = None;
    next.planned = None;
    next.approval = None;
    next.hold = None;
    next.closed_at = None;
    next.next_due = Some(now);
    let what = Happening::Detected {
        via: next.via,
        result_state: next.result_state.clone(),
        termination_code: next.termination_code.clone(),
        ended_at: next.failed_at,
    };
    let event = next.event(now, Actor::Agent, what);
    Some((next, event))
}

/// What to remember of an attempt's outcome.
#[derive(Debug, PartialEq, Eq)]
pub struct Lesson {
    pub attempt: u32,
    /// The attempt started a run, and the outcome is that run's.
    pub rerun: bool,
}

/// Which attempt an outcome belongs to. A re-run that failed again is not mended by a run that people start later.
pub fn lesson(incident: &Incident, outcome: crate::domain::event::Outcome) -> Lesson {
    match incident.attempts.last() {
        Some(last) if last.outcome.is_none_or(|ended| ended == outcome) => Lesson { attempt: last.number, rerun: last.action.reruns() },
        Some(_) | None => Lesson { attempt: incident.attempt, rerun: false },
    }
}
