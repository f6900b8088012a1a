//! Acting: an intent is open. Either it was written a moment ago by this step, then the call is made; or this process found it
//! (a crash, a lost answer), then the workspace is asked first whether it happened.

use std::time::Duration;

use crate::databricks::run::{RunFilter, Standing};
use crate::databricks::{ApiError, RunQuery};
use crate::domain::decision::{Authority, Mode};
use crate::domain::event::{Actor, Call, Happening};
use crate::domain::ids::{RepairId, RunId};
use crate::domain::incident::{Attempt, State};
use crate::domain::intent::{Effect, Intent, Settlement};

use super::scheduled;
use super::step::{Case, StepError, after};
use super::world::{self, World};

/// A call whose answer was lost may still be on its way: so long nothing is sent again.
const SETTLE: Duration = Duration::from_secs(5);
/// Longest pause between tries of one intent while the workspace is away.
const PAUSE_MAX: Duration = Duration::from_secs(300);

/// What the workspace says of an intent.
enum Found {
    Happened(Done),
    NotYet,
    /// It did not happen, and by now somebody else acted.
    Overtaken(String),
}

#[derive(Clone, Copy)]
enum Done {
    Repaired(RepairId),
    Started(RunId),
}

pub async fn step(case: &mut Case<'_>) -> Result<(), StepError> {
    let now = case.now();
    let Some(intent) = current(case).await? else {
        return scheduled::fall_to_people(case, "the ledger holds no intent for this action: nothing was sent").await;
    };
    match &intent.settlement {
        Settlement::Open => {}
        // The repair was refused for good and this process died before it wrote the next intent.
        Settlement::NotOffered { .. } => return instead(case).await,
        Settlement::Refused { reason } => return scheduled::fall_to_people(case, &format!("the workspace refused: {reason}")).await,
        // Settled and watched are one transaction, so this cannot be: a person looks.
        Settlement::Repaired { .. } | Settlement::Started { .. } => {
            return scheduled::fall_to_people(case, "the action was recorded as done, but not as watched").await;
        }
    }
    let settled_by = intent.created_at.checked_add(SETTLE).unwrap_or(now);
    if now < settled_by {
        let stay = case.incident.stay().due(Some(settled_by));
        return case.commit(stay).await;
    }
    match reconcile(case, &intent).await? {
        Found::Happened(done) => done_with(case, intent, done, true).await,
        Found::Overtaken(how) => {
            let settled = settle(&intent, Settlement::Refused { reason: how.clone() }, now);
            let mut stay = case.incident.stay();
            stay.intent = Some(settled);
            case.commit(stay).await?;
            world::supersede(case, how, false).await
        }
        Found::NotYet if case.house.settings.mode == Mode::Observe => {
            let mut stay = case.incident.stay().due(after(now, PAUSE_MAX));
            stay.incident.hold = Some("mode observe: the open intent is not carried out".to_owned());
            case.commit(stay).await
        }
        Found::NotYet => perform(case).await,
    }
}

/// The newest intent of this attempt.
async fn current(case: &Case<'_>) -> Result<Option<Intent>, StepError> {
    let intents = case.house.ledger.intents(&case.incident.id).await?;
    Ok(intents.into_iter().rev().find(|intent| intent.attempt == case.incident.attempt))
}

/// Makes the call of the open intent. Whatever comes of it is recorded before anything else happens.
pub async fn perform(case: &mut Case<'_>) -> Result<(), StepError> {
    let Some(intent) = current(case).await?.filter(|intent| intent.settlement == Settlement::Open) else {
        return step_again(case).await;
    };
    let house = case.house;
    // A run of ours that fails at once must be known as ours before the next poll sees it.
    let _starting = match &intent.effect {
        Effect::RunNow { .. } => Some(house.starting.lock().await),
        Effect::Repair { .. } => None,
    };
    let answer = match &intent.effect {
        Effect::Repair { .. } => house.workspace.repair(&intent.effect).await.map(Done::Repaired),
        Effect::RunNow { .. } => house.workspace.run_now(&intent.effect).await.map(Done::Started),
    };
    match answer {
        Ok(done) => {
            house.recover("workspace").await;
            done_with(case, intent, done, false).await
        }
        Err(ApiError::NotOffered { message, .. }) if matches!(intent.effect, Effect::Repair { .. }) => {
            house.remember_no_repair();
            refuse(case, intent, Settlement::NotOffered { reason: message }).await?;
            instead(case).await
        }
        Err(error) if error.may_have_happened() || error.is_transient() || matches!(error, ApiError::Unauthenticated { .. }) => {
            wait(case, &intent, &error).await
        }
        Err(error) => refused(case, intent, &error).await,
    }
}

async fn step_again(case: &mut Case<'_>) -> Result<(), StepError> {
    let stay = case.incident.stay().due(after(case.now(), SETTLE));
    case.commit(stay).await
}

/// The intent stays open: the next step asks the workspace whether it happened before it is sent again.
async fn wait(case: &mut Case<'_>, intent: &Intent, error: &ApiError) -> Result<(), StepError> {
    let now = case.now();
    let age = Duration::try_from(now.duration_since(intent.created_at)).unwrap_or_default();
    let pause = match error {
        ApiError::RateLimited { retry_after: Some(wait), .. } => (*wait).max(SETTLE),
        _ => (age / 2).clamp(SETTLE, PAUSE_MAX),
    };
    let mut stay = case.incident.stay().due(after(now, pause));
    stay.incident.hold = Some(if error.may_have_happened() { format!("{error}; will ask whether it happened") } else { error.to_string() });
    case.house.degrade("workspace", &error.to_string()).await;
    case.commit(stay).await
}

/// The workspace said no. If that is because somebody acted first, the incident is superseded; else a person must see it.
async fn refused(case: &mut Case<'_>, intent: Intent, error: &ApiError) -> Result<(), StepError> {
    refuse(case, intent, Settlement::Refused { reason: error.to_string() }).await?;
    match world::look(case.house, &case.incident).await? {
        World::Superseded { how, failed_again } => world::supersede(case, how, failed_again).await,
        World::AsFailed(_) => scheduled::fall_to_people(case, &format!("the workspace refused the re-run: {error}")).await,
    }
}

async fn refuse(case: &mut Case<'_>, intent: Intent, settlement: Settlement) -> Result<(), StepError> {
    let now = case.now();
    let reason = match &settlement {
        Settlement::Refused { reason } | Settlement::NotOffered { reason } => reason.clone(),
        Settlement::Open | Settlement::Repaired { .. } | Settlement::Started { .. } => String::new(),
    };
    let mut stay = case.incident.stay().due(Some(now));
    stay.intent = Some(settle(&intent, settlement, now));
    case.commit(stay.happening(now, Actor::Agent, Happening::Refused { intent: intent.id.to_string(), reason })).await
}

/// The workspace knows no repair: a new run of the job, once, in its place.
async fn instead(case: &mut Case<'_>) -> Result<(), StepError> {
    case.house.remember_no_repair();
    if case.house.settings.mode == Mode::Observe {
        return step_again(case).await;
    }
    let run = case.house.workspace.run(case.incident.run).await?;
    let Some(effect) = super::analysed::effect(case.house, &case.incident, &run) else {
        return scheduled::fall_to_people(case, "this workspace offers no repair, and the run belongs to no job").await;
    };
    scheduled::open(case, effect).await?;
    Box::pin(perform(case)).await
}

fn settle(intent: &Intent, settlement: Settlement, now: crate::domain::Timestamp) -> Intent {
    Intent { settlement, settled_at: Some(now), ..intent.clone() }
}

async fn done_with(case: &mut Case<'_>, intent: Intent, done: Done, reconciled: bool) -> Result<(), StepError> {
    let now = case.now();
    let planned = case.house.workspace.preview(&intent.effect);
    let (repair, new_run, settlement) = match done {
        Done::Repaired(repair) => (Some(repair), None, Settlement::Repaired { repair }),
        Done::Started(run) => (None, Some(run), Settlement::Started { run }),
    };
    let action = case.incident.decision.as_ref().map_or(crate::domain::action::Action::Retry, |decision| decision.action);
    let automatic =
        case.incident.approval.is_none() && case.incident.decision.as_ref().is_some_and(|decision| decision.authority == Authority::Auto);
    let mut next = case.incident.become_state(State::Watching)?.due(after(now, case.house.settings.watch_interval));
    next.incident.attempts.push(Attempt {
        number: case.incident.attempt,
        action,
        acted_at: now,
        repair,
        new_run,
        automatic,
        outcome: None,
        ended_at: None,
    });
    next.intent = Some(settle(&intent, settlement, now));
    let acted = Happening::Acted {
        action,
        call: Call { method: planned.method, path: planned.path },
        repair_id: repair,
        new_run_id: new_run,
        intent: intent.id.to_string(),
        reconciled,
    };
    case.commit(next.happening(now, Actor::Agent, acted)).await
}

/// Did it happen? Asked of the workspace, never guessed.
async fn reconcile(case: &Case<'_>, intent: &Intent) -> Result<Found, StepError> {
    match &intent.effect {
        Effect::Repair { run, after, .. } => {
            let now = match case.house.workspace.run(*run).await {
                Ok(run) => run,
                Err(ApiError::NotFound { .. }) => return Ok(Found::Overtaken("the run was deleted".to_owned())),
                Err(error) => return Err(error.into()),
            };
            // The repair that follows the one we named is ours: the workspace takes only one such.
            let mut ids = now.repair_history.iter().filter_map(|item| item.id);
            let next = match after {
                Some(after) => ids.by_ref().skip_while(|id| id != after).nth(1),
                None => ids.next(),
            };
            Ok(match (next, now.state.standing()) {
                (Some(repair), _) => Found::Happened(Done::Repaired(repair)),
                (None, Standing::Failed) => Found::NotYet,
                // Active without a new repair in its history yet: it shows in a moment.
                (None, Standing::Active) => {
                    return Err(ApiError::AnswerLost {
                        call: "POST runs/repair".to_owned(),
                        message: "the run is active, but its history shows no new repair yet".to_owned(),
                    }
                    .into());
                }
                (None, Standing::Succeeded) => Found::Overtaken("the run has succeeded".to_owned()),
                (None, Standing::Canceled) => Found::Overtaken("somebody canceled the run".to_owned()),
                (None, Standing::Skipped) => Found::Overtaken("the run was skipped".to_owned()),
            })
        }
        Effect::RunNow { job, .. } => {
            // A workspace may ignore the token, so look first: a run of the job that nobody scheduled, since the intent was written.
            let query = RunQuery { job_id: Some(*job), filter: RunFilter::All, started_from: Some(intent.created_at) };
            let page = case.house.workspace.list_runs(&query, None).await?;
            let scheduled = |trigger: Option<&str>| {
                matches!(trigger, Some("PERIODIC" | "FILE_ARRIVAL" | "CONTINUOUS" | "TABLE" | "RETRY" | "RUN_JOB_TASK" | "JOB_COMPLETION"))
            };
            let ours = page.runs.iter().filter(|run| {
                run.run_id != case.incident.run
                    && run.started_at.is_some_and(|at| at >= intent.created_at)
                    && !scheduled(run.trigger.as_deref())
                    && !case.incident.attempts.iter().any(|attempt| attempt.new_run == Some(run.run_id))
            });
            Ok(match ours.min_by_key(|run| run.started_at) {
                Some(run) => Found::Happened(Done::Started(run.run_id)),
                None => Found::NotYet,
            })
        }
    }
}
