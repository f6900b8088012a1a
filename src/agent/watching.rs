//! Watching: the re-run is on its way. To its end, then mended, or the next attempt.

use crate::databricks::run::Standing;
use crate::databricks::{ApiError, Run};
use crate::domain::event::{Actor, Happening, Outcome};
use crate::domain::incident::{Attempt, Ending, FailureKey, State};

use super::step::{Case, StepError, after};
use super::{scheduled, world};

/// What the watched run shows.
#[derive(Debug, PartialEq)]
enum Seen {
    Running,
    Succeeded,
    Failed,
    /// Somebody acted on it meanwhile.
    Overtaken(&'static str),
}

pub async fn step(case: &mut Case<'_>) -> Result<(), StepError> {
    let Some(attempt) = case.incident.attempts.last().cloned() else {
        return scheduled::fall_to_people(case, "the ledger holds no re-run to watch").await;
    };
    let run = match case.house.workspace.run(attempt.new_run.unwrap_or(case.incident.run)).await {
        Ok(run) => run,
        Err(ApiError::NotFound { .. }) => return world::supersede(case, "the run was deleted".to_owned(), false).await,
        Err(error) => return Err(error.into()),
    };
    case.house.recover("workspace").await;
    match seen(&run, &attempt) {
        Seen::Running => {
            let stay = case.incident.stay().due(after(case.now(), case.house.settings.watch_interval));
            case.commit(clear(stay)).await
        }
        Seen::Succeeded => mended(case).await,
        Seen::Failed => failed_again(case, &run, &attempt).await,
        Seen::Overtaken(how) => world::supersede(case, how.to_owned(), run.state.standing() == Standing::Failed).await,
    }
}

fn clear(mut stay: crate::domain::incident::Transition) -> crate::domain::incident::Transition {
    stay.incident.hold = None;
    stay
}

/// A run shows its old end for a moment after a repair was taken: only an end that knows our repair counts.
fn seen(run: &Run, attempt: &Attempt) -> Seen {
    if let Some(ours) = attempt.repair {
        let mut later = run.repair_history.iter().filter_map(|item| item.id).skip_while(|id| *id != ours);
        match (later.next(), later.next()) {
            (None, _) => return Seen::Running,
            (Some(_), Some(_)) => return Seen::Overtaken("somebody repaired the run again"),
            (Some(_), None) => {}
        }
    }
    match run.state.standing() {
        Standing::Active => Seen::Running,
        Standing::Succeeded => Seen::Succeeded,
        Standing::Failed => Seen::Failed,
        Standing::Canceled => Seen::Overtaken("somebody canceled the re-run"),
        Standing::Skipped => Seen::Overtaken("the re-run was skipped: another run of the job was active"),
    }
}

async fn mended(case: &mut Case<'_>) -> Result<(), StepError> {
    let now = case.now();
    end_attempt(case, Outcome::Mended);
    let next = case.incident.close(Ending::Mended, Outcome::Mended, Actor::Agent, now, None)?;
    case.commit(next).await?;
    case.house.ledger.learn(&case.incident, Outcome::Mended, now).await?;
    Ok(())
}

async fn failed_again(case: &mut Case<'_>, run: &Run, attempt: &Attempt) -> Result<(), StepError> {
    let now = case.now();
    end_attempt(case, Outcome::FailedAgain);
    let before = case.incident.clone();
    let duration_s = now.duration_since(before.detected_at).as_secs();
    let mut next = case.incident.become_state(State::Collecting)?.due(Some(now)).happening(
        now,
        Actor::Agent,
        Happening::Outcome { result: Outcome::FailedAgain, duration_s, note: None },
    );
    next.incident.attempt += 1;
    next.incident.failure = FailureKey { run: run.run_id, after_repair: run.latest_repair().or(attempt.repair) };
    next.incident.failed_at = run.ended_at;
    next.incident.classification = None;
    next.incident.opinion = None;
    next.incident.no_opinion = None;
    next.incident.decision = None;
    next.incident.planned = None;
    next.incident.approval = None;
    case.commit(next).await?;
    case.house.ledger.learn(&before, Outcome::FailedAgain, now).await?;
    Ok(())
}

fn end_attempt(case: &mut Case<'_>, outcome: Outcome) {
    let now = case.now();
    if let Some(attempt) = case.incident.attempts.last_mut() {
        attempt.outcome = Some(outcome);
        attempt.ended_at = Some(now);
    }
}
