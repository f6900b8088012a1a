//! Detected: begin to collect.

use crate::domain::incident::State;

use super::step::{Case, StepError};

pub async fn step(case: &mut Case<'_>) -> Result<(), StepError> {
    let now = case.now();
    let next = case.incident.become_state(State::Collecting)?.due(Some(now));
    case.commit(next).await
}
