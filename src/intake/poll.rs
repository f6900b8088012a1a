//! The poller: finds every run of a workspace that ends badly, once each, across restarts, with few calls.
//!
//! Flow: the active runs (one list), the runs that ended since the last poll (another, which the API filters by START only), and
//! runs/get for each run that was active at the last poll and is now in neither, or that is listed failed and not yet known.
//! Guarantees: what was found is admitted before the memory of this poll is saved, so a poll that breaks off is made again and the
//! ledger drops what it knows. A quiet poll costs at most 3 calls, and one more for each further 25 active runs.
//! Assumptions: the workspace's clock and ours differ by less than [`OVERLAP`], or a poll before this one in the same process has
//! seen a run to tell the difference by.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};

use super::facts::Facts;
use super::recheck::Recheck;
use super::scan::{Scan, scan};
use super::{IntakeError, PollReport};
use crate::databricks::run::{LifeCycle, Run, Standing};
use crate::databricks::{ApiError, Workspace};
use crate::domain::Timestamp;
use crate::domain::event::{Event, Via};
use crate::domain::ids::{IncidentId, RunId};
use crate::domain::incident::{Failure, FailureKey, Incident, State};
use crate::domain::intent::{Effect, Intent, Settlement};
use crate::ledger::{Admission, IntakeMemory, Ledger};

/// Each list reaches back so far before the last poll: runs that were being written down then, and clocks that differ.
const OVERLAP: Duration = Duration::from_secs(2 * 60);
/// The most by which the window follows a workspace's clock that is behind ours.
const SKEW_MAX: Duration = Duration::from_secs(10 * 60);
/// After a longer stop the list reaches back no further than this (or the look-back, if that is longer): nobody wants last week's
/// failures re-run. Runs that were being followed are asked about all the same.
const CATCH_UP_MAX: Duration = Duration::from_secs(24 * 60 * 60);
/// runs/get calls at once; the platform allows 100 a second.
const ASKS_AT_ONCE: usize = 4;
/// runs/get calls a poll; what is over is followed and asked at the next.
const ASKS_MAX: usize = 500;

pub struct Poller {
    workspace: Arc<dyn Workspace>,
    ledger: Arc<dyn Ledger>,
    lookback: Duration,
    facts: Facts,
    recheck: Recheck,
    /// Listed failures that were asked about and are known, with their end: they cost no second call.
    settled: BTreeMap<RunId, Option<Timestamp>>,
    /// Successes that the ledger was told.
    told: BTreeSet<RunId>,
    /// Runs of the last poll.
    seen: BTreeSet<RunId>,
    /// The newest start in the workspace's own clock.
    newest_start: Option<Timestamp>,
    /// Admitted, but the poll broke off before it could report them.
    unreported: Vec<(Incident, Event)>,
}

/// A run to ask about, and why.
struct Ask {
    run: RunId,
    why: Why,
}

enum Why {
    /// It is listed as failed.
    Listed(Box<Run>),
    /// It was active, or could not be asked about.
    Followed,
    /// Its turn in a quiet poll.
    Recheck,
}

/// What a poll has gathered and not yet written down.
#[derive(Default)]
struct Harvest {
    failed: Vec<Run>,
    succeeded: Vec<Run>,
    following: BTreeSet<RunId>,
    calls: u32,
    warnings: Vec<String>,
}

impl Poller {
    pub fn new(workspace: Arc<dyn Workspace>, ledger: Arc<dyn Ledger>, lookback: Duration) -> Self {
        Self {
            workspace,
            ledger,
            lookback,
            facts: Facts::default(),
            recheck: Recheck::default(),
            settled: BTreeMap::new(),
            told: BTreeSet::new(),
            seen: BTreeSet::new(),
            newest_start: None,
            unreported: Vec::new(),
        }
    }

    pub async fn poll(&mut self, now: Timestamp) -> Result<PollReport, IntakeError> {
        let memory = self.ledger.intake_memory(self.workspace.name()).await?;
        let scan = scan(&*self.workspace, self.window_start(memory.polled_at, now)).await?;
        let active: BTreeSet<RunId> = scan.active.iter().map(|run| run.run_id).collect();
        let listed: BTreeSet<RunId> = active.iter().copied().chain(scan.ended.iter().map(|run| run.run_id)).collect();
        let starts = scan.active.iter().chain(&scan.ended).filter_map(|run| run.started_at);
        let newest_start = starts.max().max(self.newest_start);

        let mut harvest = Harvest { following: active.clone(), calls: scan.calls, ..Harvest::default() };
        harvest.warnings.clone_from(&scan.warnings);
        let mut asks = self.asks(scan, &memory, &listed, &mut harvest).await?;
        if asks.is_empty() && harvest.calls < 3 {
            let next = self.recheck.next(&*self.ledger, self.workspace.name(), &active, now).await?;
            asks.extend(next.map(|run| Ask { run, why: Why::Recheck }));
        }
        self.ask(asks, &mut harvest).await?;
        let failures = self.failures(&mut harvest, now).await?;

        // From here on only the ledger is spoken to.
        for failure in failures {
            let (run, ended_at) = (failure.run, failure.ended_at);
            match self.ledger.admit(failure, now).await? {
                Admission::Admitted(incident, event) => self.unreported.push((*incident, *event)),
                Admission::Known(_) | Admission::InHand(_) => {
                    self.settled.insert(run, ended_at);
                }
            }
        }
        let succeeded = self.tell_successes(&harvest.succeeded, now).await?;
        let following = harvest.following.into_iter().collect();
        self.ledger.save_intake_memory(self.workspace.name(), &IntakeMemory { following, polled_at: Some(now) }).await?;

        let runs_seen = listed.difference(&self.seen).count() as u64;
        self.newest_start = newest_start;
        self.settled.retain(|run, _| listed.contains(run));
        self.told.retain(|run| listed.contains(run));
        self.seen = listed;
        Ok(PollReport {
            runs_seen,
            active,
            succeeded,
            admitted: std::mem::take(&mut self.unreported),
            calls: harvest.calls,
            warnings: harvest.warnings,
        })
    }

    fn window_start(&self, polled_at: Option<Timestamp>, now: Timestamp) -> Timestamp {
        let Some(polled_at) = polled_at else {
            return before(now, self.lookback);
        };
        // When the newest run seen started before the last poll, the next one may too: the workspace's clock may be behind ours.
        let behind = self.newest_start.map_or(polled_at, |start| start.min(polled_at).max(before(polled_at, SKEW_MAX)));
        before(behind, OVERLAP).max(before(now, self.lookback.max(CATCH_UP_MAX)))
    }

    /// Sorts what the lists gave; gives the runs that a list alone does not explain.
    async fn asks(
        &self,
        scan: Scan,
        memory: &IntakeMemory,
        listed: &BTreeSet<RunId>,
        harvest: &mut Harvest,
    ) -> Result<Vec<Ask>, IntakeError> {
        let mut asks = Vec::new();
        for run in scan.ended {
            match run.state.standing() {
                Standing::Succeeded => harvest.succeeded.push(run),
                Standing::Canceled | Standing::Skipped | Standing::Active => {}
                Standing::Failed => {
                    if !self.is_known(&run).await? {
                        asks.push(Ask { run: run.run_id, why: Why::Listed(Box::new(run)) });
                    }
                }
            }
        }
        for &run in memory.following.iter().filter(|run| !listed.contains(run)) {
            if !self.incident(run).await?.is_some_and(|incident| in_hand(incident.state)) {
                asks.push(Ask { run, why: Why::Followed });
            }
        }
        for ask in asks.drain(ASKS_MAX.min(asks.len())..) {
            harvest.following.insert(ask.run);
        }
        Ok(asks)
    }

    async fn incident(&self, run: RunId) -> Result<Option<Incident>, IntakeError> {
        Ok(self.ledger.incident(&IncidentId::new(self.workspace.name(), run)).await?)
    }

    /// Only runs/get tells which repair a failure follows; a run that has not ended anew since it was recorded needs no such call.
    async fn is_known(&self, listed: &Run) -> Result<bool, IntakeError> {
        let Some(incident) = self.incident(listed.run_id).await? else {
            return Ok(false);
        };
        let settled = self.settled.get(&listed.run_id).is_some_and(|end| *end == listed.ended_at);
        Ok(settled || in_hand(incident.state) || listed.ended_at <= incident.failed_at)
    }

    async fn ask(&self, asks: Vec<Ask>, harvest: &mut Harvest) -> Result<(), IntakeError> {
        harvest.calls += asks.len() as u32;
        let answers: Vec<(Ask, Result<Run, ApiError>)> = stream::iter(asks)
            .map(|ask| {
                let workspace = Arc::clone(&self.workspace);
                async move {
                    let answer = workspace.run(ask.run).await;
                    (ask, answer)
                }
            })
            .buffered(ASKS_AT_ONCE)
            .collect()
            .await;
        for (ask, answer) in answers {
            match answer {
                Ok(run) => match standing(&run) {
                    Standing::Active => {
                        harvest.following.insert(ask.run);
                    }
                    Standing::Failed => harvest.failed.push(run),
                    Standing::Succeeded => harvest.succeeded.push(run),
                    Standing::Canceled | Standing::Skipped => {}
                },
                Err(error) => harvest.unanswered(ask, error)?,
            }
        }
        Ok(())
    }

    /// The failures that the ledger is to be told, oldest first. Asks for the job of each.
    async fn failures(&mut self, harvest: &mut Harvest, now: Timestamp) -> Result<Vec<Failure>, IntakeError> {
        let mut failures = Vec::new();
        let mut failed = std::mem::take(&mut harvest.failed);
        failed.sort_by_key(|run| (run.ended_at, run.run_id));
        for run in failed {
            let key = FailureKey { run: run.run_id, after_repair: run.latest_repair() };
            if self.incident(run.run_id).await?.is_some_and(|incident| in_hand(incident.state) || incident.failure == key) {
                self.settled.insert(run.run_id, run.ended_at);
                continue;
            }
            if self.may_be_ours(&run).await? {
                harvest.following.insert(run.run_id);
                continue;
            }
            let found = match self.facts.of(&*self.workspace, &run, now).await {
                Ok(found) => found,
                Err(error @ ApiError::Unauthenticated { .. }) => return Err(error.into()),
                Err(error) => {
                    harvest.calls += 1;
                    harvest.later(run.run_id, &error);
                    continue;
                }
            };
            harvest.calls += found.calls;
            harvest.warnings.extend(found.warning);
            failures.push(Failure {
                workspace: self.workspace.name().clone(),
                run: run.run_id,
                after_repair: key.after_repair,
                job: found.facts,
                run_url: run.run_page_url.clone(),
                via: Via::Poll,
                result_state: Some(run.state.word().to_owned()),
                termination_code: run.state.termination.code.clone(),
                ended_at: run.ended_at,
            });
        }
        Ok(failures)
    }

    /// A run-now of ours may have no recorded answer yet: until the agent knows whether this run came of it, it is nobody else's failure.
    async fn may_be_ours(&self, run: &Run) -> Result<bool, IntakeError> {
        let Some(job) = run.job_id else { return Ok(false) };
        for incident in self.ledger.open_of_job(self.workspace.name(), job).await? {
            if incident.state != State::Acting {
                continue;
            }
            let started_since = |intent: &Intent| {
                matches!(intent.effect, Effect::RunNow { .. })
                    && intent.settlement == Settlement::Open
                    && run.started_at.is_none_or(|start| start >= before(intent.created_at, OVERLAP))
            };
            if self.ledger.intents(&incident.id).await?.iter().any(started_since) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Only jobs with open incidents wait for a success; asking the ledger for them costs no call.
    async fn tell_successes(&mut self, succeeded: &[Run], now: Timestamp) -> Result<u64, IntakeError> {
        let workspace = self.workspace.name();
        let mut open: BTreeMap<_, bool> = BTreeMap::new();
        let mut told = 0;
        let mut oldest_first: Vec<&Run> = succeeded.iter().filter(|run| !self.told.contains(&run.run_id)).collect();
        oldest_first.sort_by_key(|run| run.started_at);
        for run in oldest_first {
            let Some(job) = run.job_id else { continue };
            let waits = match open.get(&job) {
                Some(waits) => *waits,
                None => {
                    let waits = !self.ledger.open_of_job(workspace, job).await?.is_empty();
                    open.insert(job, waits);
                    waits
                }
            };
            if waits {
                let started_at = run.started_at.or(run.ended_at).unwrap_or(now);
                self.ledger.job_succeeded(workspace, job, run.run_id, started_at, now).await?;
                self.told.insert(run.run_id);
                told += 1;
            }
        }
        Ok(told)
    }
}

fn before(time: Timestamp, span: Duration) -> Timestamp {
    time.checked_sub(span).unwrap_or(Timestamp::MIN)
}

impl Harvest {
    /// A run that could not be asked about: followed where asking again may help, taken as listed where not.
    fn unanswered(&mut self, ask: Ask, error: ApiError) -> Result<(), IntakeError> {
        match (&error, ask.why) {
            // Not this run's fault: the poll is over.
            (ApiError::Unauthenticated { .. } | ApiError::NotOffered { .. } | ApiError::NotDatabricks { .. }, _) => {
                return Err(error.into());
            }
            (ApiError::NotFound { .. }, _) | (_, Why::Recheck) => {}
            (
                ApiError::RateLimited { .. } | ApiError::Unavailable { .. } | ApiError::Unreachable { .. } | ApiError::AnswerLost { .. },
                Why::Listed(_) | Why::Followed,
            )
            | (ApiError::Malformed { .. }, Why::Followed) => self.later(ask.run, &error),
            (ApiError::Forbidden { .. } | ApiError::Refused { .. } | ApiError::Malformed { .. }, Why::Listed(run)) => {
                self.warnings.push(format!("run {} has failed, but cannot be read: {error}", ask.run));
                self.failed.push(*run);
            }
            (ApiError::Forbidden { .. } | ApiError::Refused { .. }, Why::Followed) => {
                self.warnings.push(format!("run {} is no longer followed: {error}", ask.run));
            }
        }
        Ok(())
    }

    fn later(&mut self, run: RunId, error: &ApiError) {
        self.following.insert(run);
        self.warnings.push(format!("run {run} is asked about again at the next poll: {error}"));
    }
}

/// The agent waits for this run's end itself.
fn in_hand(state: State) -> bool {
    match state {
        State::Acting | State::Watching => true,
        State::Detected
        | State::Collecting
        | State::Analysed
        | State::Decided
        | State::Scheduled
        | State::AwaitingApproval
        | State::WithPeople
        | State::Closed(_) => false,
    }
}

/// Right after a repair the run may still show its old end. It counts as ended only when its newest repair has.
fn standing(run: &Run) -> Standing {
    let Some(repair) = run.repair_history.iter().rev().find(|item| item.id.is_some()) else {
        return run.state.standing();
    };
    let told = repair.state.life_cycle != LifeCycle::Other(LifeCycle::NOT_GIVEN.to_owned());
    let repair_runs = repair.ended_at.is_none() && told && repair.state.standing() == Standing::Active;
    let old_end = run.ended_at.zip(repair.started_at).is_some_and(|(end, start)| end < start);
    if repair_runs || old_end { Standing::Active } else { run.state.standing() }
}
