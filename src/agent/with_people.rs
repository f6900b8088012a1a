//! With people: mailed or paged. Open and visible until the job succeeds, somebody repairs the run, or a person closes it.

use crate::domain::event::{Actor, Outcome};
use crate::domain::incident::{Ending, Incident};

use super::house::House;
use super::opinion;
use super::step::{Case, StepError, WAITING_CHECK, after};
use super::world::{self, World};

pub async fn step(case: &mut Case<'_>) -> Result<(), StepError> {
    if ended_elsewhere(case).await? {
        return Ok(());
    }
    if opinion::by_hand(case).await? {
        return Ok(());
    }
    let stay = case.incident.stay().due(after(case.now(), WAITING_CHECK));
    case.commit(stay).await
}

/// Closes the incident if the job has succeeded since, or somebody acted on the run. For every state that waits.
pub async fn ended_elsewhere(case: &mut Case<'_>) -> Result<bool, StepError> {
    if let Some(note) = succeeded_since(case.house, &case.incident).await? {
        let next = case.incident.close(Ending::Mended, Outcome::Mended, Actor::Workspace, case.now(), Some(note))?;
        case.commit(next).await?;
        return Ok(true);
    }
    match world::look(case.house, &case.incident).await? {
        World::AsFailed(_) => Ok(false),
        World::Superseded { how, failed_again } => {
            world::supersede(case, how, failed_again).await?;
            Ok(true)
        }
    }
}

async fn succeeded_since(house: &House, incident: &Incident) -> Result<Option<String>, StepError> {
    let (Some(job), Some(failed_at)) = (incident.job.job_id, incident.failed_at) else { return Ok(None) };
    let success = house.ledger.last_success(&incident.workspace, job).await?;
    Ok(success
        .filter(|(run, started_at)| *run != incident.run && *started_at >= failed_at)
        .map(|(run, _)| format!("run {run} of the job succeeded")))
}
