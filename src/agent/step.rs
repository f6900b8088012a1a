//! One incident, moved as far as it goes now: read, at most one transition a round, and the ledger holds when to look again.

use std::time::Duration;

use tokio::sync::SemaphorePermit;

use crate::databricks::ApiError;
use crate::domain::Timestamp;
use crate::domain::incident::{IllegalTransition, Incident, State, Transition};
use crate::ledger::{Claim, LedgerError};

use super::house::House;
use super::{acting, analysed, awaiting, collecting, decided, detected, scheduled, watching, with_people};

/// Rounds of one drive. A whole attempt takes seven; more is a loop of our own making, ended before it costs calls.
const ROUNDS_MAX: u32 = 24;
/// Wait after a call that may work a little later.
const SOON: Duration = Duration::from_secs(15);
/// Wait after a refusal that only an operator can lift (a token, a permission).
const LATER: Duration = Duration::from_secs(60);
/// How often an incident that waits for people is checked against the workspace; a poll wakes it sooner.
pub const WAITING_CHECK: Duration = Duration::from_secs(300);

/// Why a step did not end in its transition.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    #[error(transparent)]
    Api(#[from] ApiError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Illegal(#[from] IllegalTransition),
}

/// A claimed incident on its way: every commit goes through here, so that none forgets the fence or the listeners.
pub struct Case<'a> {
    pub incident: Incident,
    pub fence: i64,
    pub house: &'a House,
    /// Its place among those that are moved at the same time.
    hand: Option<SemaphorePermit<'a>>,
}

impl<'a> Case<'a> {
    /// Gives its place among those that are moved to another: a slow model holds nobody up.
    pub fn step_aside(&mut self) {
        self.hand = None;
    }

    pub async fn come_back(&mut self) {
        let house: &'a House = self.house;
        self.hand = house.hands.acquire().await.ok();
    }
}

impl Case<'_> {
    pub async fn commit(&mut self, transition: Transition) -> Result<(), StepError> {
        let events = transition.events.clone();
        self.incident = self.house.ledger.commit(transition, Some(self.fence)).await?;
        self.house.tell(events);
        Ok(())
    }

    pub fn now(&self) -> Timestamp {
        self.house.now()
    }
}

/// Moves the incident until it has to wait. Errors are kept with it: a hold in words, and a time to look again.
pub async fn drive(claim: Claim, house: &House) -> Result<(), LedgerError> {
    let id = claim.incident.id.clone();
    let hand = house.hands.acquire().await.ok();
    let mut case = Case { incident: claim.incident, fence: claim.fence, house, hand };
    for _ in 0..ROUNDS_MAX {
        let outcome = round(&mut case).await;
        match outcome {
            Ok(()) => {}
            Err(StepError::Ledger(LedgerError::Conflict { .. })) => {
                // A person, or a newer claim, was faster. What they decided is in the ledger, and due by their word.
                tracing::debug!(incident = %id, "changed by someone else meanwhile");
                break;
            }
            Err(StepError::Ledger(error)) => return Err(error),
            Err(StepError::Illegal(error)) => {
                tracing::error!(%error, "a step of the agent's own is not in the state machine");
                hold(&mut case, &error.to_string(), LATER).await?;
                break;
            }
            Err(StepError::Api(error)) => {
                let part = if matches!(error, ApiError::Unauthenticated { .. } | ApiError::Unreachable { .. }) {
                    "workspace"
                } else {
                    error.call()
                }
                .to_owned();
                house.degrade(&part, &error.to_string()).await;
                let wait = match &error {
                    ApiError::RateLimited { retry_after: Some(wait), .. } => (*wait).max(SOON),
                    error if error.is_transient() => SOON,
                    _ => LATER,
                };
                hold(&mut case, &error.to_string(), wait).await?;
                break;
            }
        }
        let due = case.incident.next_due.is_some_and(|due| due <= case.now());
        if !case.incident.state.is_open() || !due {
            break;
        }
    }
    house.ledger.release(&id, case.fence).await
}

async fn round(case: &mut Case<'_>) -> Result<(), StepError> {
    match case.incident.state {
        State::Detected => detected::step(case).await,
        State::Collecting => collecting::step(case).await,
        State::Analysed => analysed::step(case).await,
        State::Decided => decided::step(case).await,
        State::AwaitingApproval => awaiting::step(case).await,
        State::Scheduled => scheduled::step(case).await,
        State::Acting => acting::step(case).await,
        State::Watching => watching::step(case).await,
        State::WithPeople => with_people::step(case).await,
        State::Closed(_) => Ok(()),
    }
}

/// Keeps the state, says what it waits for, and comes back.
async fn hold(case: &mut Case<'_>, why: &str, wait: Duration) -> Result<(), LedgerError> {
    let mut stay = case.incident.stay().due(after(case.now(), wait));
    stay.incident.hold = Some(why.to_owned());
    match case.commit(stay).await {
        Ok(()) | Err(StepError::Ledger(LedgerError::Conflict { .. })) => Ok(()),
        Err(StepError::Ledger(error)) => Err(error),
        Err(error) => {
            tracing::error!(%error, "could not hold an incident");
            Ok(())
        }
    }
}

pub fn after(now: Timestamp, wait: Duration) -> Option<Timestamp> {
    Some(now.checked_add(wait).unwrap_or(now))
}
