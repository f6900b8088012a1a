//! How the run stands in the workspace, seen from the incident: as we left it, or did somebody act first?

use crate::databricks::run::{ResultState, RunFilter, Standing};
use crate::databricks::{ApiError, Run, RunQuery};
use crate::domain::event::{Actor, Outcome, Via};
use crate::domain::incident::{Ending, Failure, Incident};

use super::house::House;
use super::step::{Case, StepError};

/// What the workspace shows of a run that we hold for failed.
#[derive(Debug, PartialEq)]
pub enum World {
    /// As we know it: failed, and nobody did anything since.
    AsFailed(Box<Run>),
    /// Somebody acted first: how, in words; and the failure that came of it, if it failed again.
    Superseded { how: String, failed_again: bool },
}

/// Reads the run that the incident's current failure is about, and compares.
pub async fn look(house: &House, incident: &Incident) -> Result<World, ApiError> {
    let run = match house.workspace.run(incident.failure.run).await {
        Ok(run) => run,
        Err(ApiError::NotFound { .. }) => return Ok(World::Superseded { how: "the run was deleted".to_owned(), failed_again: false }),
        Err(error) => return Err(error),
    };
    Ok(compare(incident, run))
}

pub fn compare(incident: &Incident, run: Run) -> World {
    let newer = run.latest_repair() != incident.failure.after_repair && run.latest_repair().is_some();
    let how = match (run.state.standing(), newer) {
        (Standing::Failed, false) => return World::AsFailed(Box::new(run)),
        (Standing::Failed, true) => "somebody repaired the run, and it failed again",
        (Standing::Active, _) => "somebody is repairing the run",
        (Standing::Succeeded, _) => "somebody repaired the run, and it succeeded",
        (Standing::Canceled, _) => "somebody canceled the run",
        (Standing::Skipped, _) => "the run was skipped",
    };
    World::Superseded { how: how.to_owned(), failed_again: run.state.standing() == Standing::Failed }
}

/// Has a person started the job anew by hand since it failed, and does that run live or has it succeeded? Then repairing the old run
/// would do the work twice. A newer run that failed as well does not count: it is an incident of its own.
pub async fn rerun_by_hand(house: &House, incident: &Incident) -> Result<Option<String>, ApiError> {
    let (Some(job), Some(failed_at)) = (incident.job.job_id, incident.failed_at) else { return Ok(None) };
    let query = RunQuery { job_id: Some(job), filter: RunFilter::All, started_from: Some(failed_at) };
    let page = house.workspace.list_runs(&query, None).await?;
    let ours = |run: &Run| run.run_id == incident.run || incident.attempts.iter().any(|attempt| attempt.new_run == Some(run.run_id));
    let by_hand = page.runs.iter().find(|run| {
        !ours(run)
            && run.trigger.as_deref() == Some("ONE_TIME")
            && run.started_at.is_some_and(|at| at > failed_at)
            && matches!(run.state.standing(), Standing::Active | Standing::Succeeded)
    });
    Ok(by_hand.map(|run| format!("somebody started run {} of the job by hand", run.run_id)))
}

/// Closes the incident because somebody acted first. A failure that came of it is admitted as the run's next one.
pub async fn supersede(case: &mut Case<'_>, how: String, failed_again: bool) -> Result<(), StepError> {
    let now = case.now();
    if let Some(attempt) = case.incident.attempts.last_mut().filter(|attempt| attempt.outcome.is_none()) {
        attempt.outcome = Some(Outcome::Superseded);
        attempt.ended_at = Some(now);
    }
    let next = case.incident.close(Ending::Superseded, Outcome::Superseded, Actor::Workspace, now, Some(how))?;
    case.commit(next).await?;
    if failed_again {
        readmit(case).await?;
    }
    Ok(())
}

async fn readmit(case: &mut Case<'_>) -> Result<(), StepError> {
    let run = case.house.workspace.run(case.incident.failure.run).await?;
    if run.state.standing() != Standing::Failed {
        return Ok(());
    }
    let failure = Failure {
        workspace: case.incident.workspace.clone(),
        // The run that failed anew: one that we started in the first one's place has repairs of its own.
        run: case.incident.failure.run,
        after_repair: run.latest_repair(),
        job: case.incident.job.clone(),
        run_url: run.run_page_url.clone().or_else(|| case.incident.run_url.clone()),
        via: Via::Poll,
        result_state: run.state.result.as_ref().map(result_word),
        termination_code: run.state.termination.code.clone(),
        ended_at: run.ended_at,
    };
    if let crate::ledger::Admission::Admitted(_, event) = case.house.ledger.admit(failure, case.now()).await? {
        case.house.tell(vec![*event]);
    }
    Ok(())
}

/// The API's own word.
pub fn result_word(result: &ResultState) -> String {
    match result {
        ResultState::Success => "SUCCESS",
        ResultState::SuccessWithFailures => "SUCCESS_WITH_FAILURES",
        ResultState::Failed => "FAILED",
        ResultState::TimedOut => "TIMEDOUT",
        ResultState::Canceled => "CANCELED",
        ResultState::MaximumConcurrentRunsReached => "MAXIMUM_CONCURRENT_RUNS_REACHED",
        ResultState::Excluded => "EXCLUDED",
        ResultState::UpstreamFailed => "UPSTREAM_FAILED",
        ResultState::UpstreamCanceled => "UPSTREAM_CANCELED",
        ResultState::Disabled => "DISABLED",
        ResultState::Other(word) => word,
    }
    .to_owned()
}
