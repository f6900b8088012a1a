//! Awaiting approval: a person decides. Meanwhile: did somebody act in the workspace, or was auto-apply switched on?

use crate::domain::decision::{Authority, Mode};

use super::step::{Case, StepError, WAITING_CHECK, after};
use super::{decided, opinion, with_people};

pub async fn step(case: &mut Case<'_>) -> Result<(), StepError> {
    if with_people::ended_elsewhere(case).await? {
        return Ok(());
    }
    if opinion::by_hand(case).await? {
        return Ok(());
    }
    let mode = case.house.mode().await?;
    if mode == Mode::Observe || (mode == Mode::Auto && waits_for_mode_alone(case)) {
        return decided::redecide(case, mode).await;
    }
    let stay = case.incident.stay().due(after(case.now(), WAITING_CHECK));
    case.commit(stay).await
}

/// Its guardrails would let it go; only the operator's mode holds it.
fn waits_for_mode_alone(case: &Case<'_>) -> bool {
    case.incident.decision.as_ref().is_some_and(|decision| {
        decision.authority == Authority::Approval && decision.guardrails.iter().filter(|rail| rail.id == "mode").count() == 1
    })
}
