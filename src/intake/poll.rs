//! The poller: finds every run of a workspace that ends badly, once each, across restarts, with few calls.
//!
//! Flow: the active runs (one list), the runs that ended since the last poll (another, which the API filters by START only), and
//! runs/get for each run that was active at the last poll and is now in neither, or that is listed failed and not yet known.
//! Guarantees: what was found is admitted before the memory of this poll is saved, so a poll that breaks off is made again and the
//! ledger drops what it knows. A quiet poll costs at most 3 calls, and one more for each further 25 active runs.
//! Assumptions: the workspace's clock is no more than [`SKEW_MAX`] behind ours; ahead of ours it may be by any time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};

use super::facts::Facts;
use super::harvest::{Ask, Harvest, Why, failure_key};
use super::patience::{Patience, Verdict};
use super::recheck::Recheck;
use super::scan::{Scan, scan};
use super::{IntakeError, PollReport};
use crate::databricks::run::{Run, Standing};
use crate::databricks::{ApiError, Workspace};
use crate::domain::Timestamp;
use crate::domain::event::{Event, Via};
use crate::domain::ids::{IncidentId, RunId};
use crate::domain::incident::{Failure, Incident, State};
use crate::domain::intent::{Effect, Intent, Settlement};
use crate::ledger::{Admission, IntakeMemory, Ledger};

/// Each list reaches back so far before the last poll: runs that were being written down then, and clocks that differ.
const OVERLAP: Duration = Duration::from_secs(2 * 60);
/// The most by which the window follows a workspace's clock that is behind ours. So far it reaches too while nothing tells how the
/// clocks differ: after a start, and after ours was set back.
const SKEW_MAX: Duration = Duration::from_secs(10 * 60);
/// After a longer stop the list reaches back no further than this (or the look-back, if that is longer): nobody wants last week's
/// failures re-run. Runs that were being followed are asked about all the same.
const CATCH_UP_MAX: Duration = Duration::from_secs(24 * 60 * 60);
/// runs/get calls at once; the platform allows 100 a second.
const ASKS_AT_ONCE: usize = 4;
/// runs/get calls a poll; what is over is followed and asked at the next.
const ASKS_MAX: usize = 500;
/// Calls of a quiet poll with up to [`RUNS_A_PAGE`] active runs: two lists, and one run to look at again.
const QUIET_CALLS: u32 = 3;
const RUNS_A_PAGE: usize = 25;

pub struct Poller {
    workspace: Arc<dyn Workspace>,
    ledger: Arc<dyn Ledger>,
    lookback: Duration,
    facts: Facts,
    recheck: Recheck,
    patience: Patience,
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

impl Poller {
    pub fn new(workspace: Arc<dyn Workspace>, ledger: Arc<dyn Ledger>, lookback: Duration) -> Self {
        Self {
            workspace,
            ledger,
            lookback,
            facts: Facts::default(),
            recheck: Recheck::default(),
            patience: Patience::default(),
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
        let mut asks = self.asks(scan, &memory, &listed, &mut harvest, now).await?;
        if !asks.is_empty() || harvest.calls < quiet_calls(active.len()) {
            let next = self.recheck.next(&*self.ledger, self.workspace.name(), &active, now).await?;
            asks.extend(next.map(|failure| Ask { run: failure.run, why: Why::Recheck(failure) }));
        }
        self.ask(asks, &mut harvest, now).await?;
        let failures = self.failures(&mut harvest, now).await?;

        // From here on only the ledger is spoken to.
        for failure in failures {
            let (run, ended_at) = (failure.run, failure.ended_at);
            match self.ledger.admit(failure, now).await? {
                Admission::Admitted(incident, event) => self.unreported.push((*incident, *event)),
                Admission::Known(_) => {
                    self.settled.insert(run, ended_at);
                }
                Admission::InHand(_) => {
                    harvest.following.insert(run);
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
        // Never polled; or our clock was ahead by so much that nobody knows when the last poll really was.
        let Some(polled_at) = polled_at.filter(|polled_at| before(*polled_at, SKEW_MAX) <= now) else {
            return before(now, self.lookback);
        };
        // When the newest run seen started before the last poll, the next one may too: the workspace's clock may be behind ours.
        let newest_start = self.newest_start.filter(|_| polled_at <= now).unwrap_or(Timestamp::MIN);
        let polled_at = polled_at.min(now);
        let behind = newest_start.clamp(before(polled_at, SKEW_MAX), polled_at);
        before(behind, OVERLAP).max(before(now, self.lookback.max(CATCH_UP_MAX)))
    }

    /// Sorts what the lists gave; gives the runs that a list alone does not explain.
    async fn asks(
        &self,
        scan: Scan,
        memory: &IntakeMemory,
        listed: &BTreeSet<RunId>,
        harvest: &mut Harvest,
        now: Timestamp,
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
            if self.incident(run).await?.is_some_and(|incident| in_hand(incident.state)) {
                harvest.following.insert(run);
                continue;
            }
            match self.patience.waits(run, now) {
                Some(why) => harvest.later(run, why),
                None => asks.push(Ask { run, why: Why::Followed }),
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
        if self.settled.get(&listed.run_id).is_some_and(|end| *end == listed.ended_at) {
            return Ok(true);
        }
        let incident = self.incident(listed.run_id).await?;
        Ok(incident.is_some_and(|incident| in_hand(incident.state) || listed.ended_at <= incident.failed_at))
    }

    async fn ask(&mut self, asks: Vec<Ask>, harvest: &mut Harvest, now: Timestamp) -> Result<(), IntakeError> {
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
                Ok(run) => {
                    self.patience.answered(run.run_id);
                    harvest.answered(ask, run);
                }
                Err(error) => self.unanswered(ask, error, harvest, now)?,
            }
        }
        Ok(())
    }

    /// A run that could not be asked about: asked again where that may help, taken as listed where not.
    fn unanswered(&mut self, ask: Ask, error: ApiError, harvest: &mut Harvest, now: Timestamp) -> Result<(), IntakeError> {
        match (&error, ask.why) {
            // Not this run's fault: the poll is over.
            (ApiError::Unauthenticated { .. } | ApiError::NotOffered { .. } | ApiError::NotDatabricks { .. }, _) => {
                return Err(error.into());
            }
            (_, Why::Recheck(_)) => {}
            (
                ApiError::RateLimited { .. } | ApiError::Unavailable { .. } | ApiError::Unreachable { .. } | ApiError::AnswerLost { .. },
                Why::Listed(_) | Why::Followed,
            ) => harvest.later(ask.run, &error.to_string()),
            (ApiError::Forbidden { .. } | ApiError::Refused { .. } | ApiError::Malformed { .. }, Why::Listed(run)) => {
                harvest.warnings.push(format!("run {} has failed, but cannot be read: {error}", ask.run));
                harvest.failed.push(*run);
            }
            (ApiError::NotFound { .. }, Why::Listed(_) | Why::Followed)
            | (ApiError::Forbidden { .. } | ApiError::Refused { .. } | ApiError::Malformed { .. }, Why::Followed) => {
                match self.patience.refused(ask.run, &error, now) {
                    Verdict::AskAgain => harvest.later(ask.run, &error.to_string()),
                    // Deleted by somebody, who knows of it.
                    Verdict::GiveUp if matches!(error, ApiError::NotFound { .. }) => {}
                    Verdict::GiveUp => harvest.warnings.push(format!("run {} is no longer followed: {error}", ask.run)),
                }
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
            let key = failure_key(&run);
            match self.incident(run.run_id).await? {
                Some(incident) if in_hand(incident.state) => {
                    harvest.following.insert(run.run_id);
                    continue;
                }
                // The same end is the same failure, even if it was recorded without its repair, which only runs/get tells.
                Some(incident) if incident.failure == key || (run.ended_at.is_some() && run.ended_at <= incident.failed_at) => {
                    self.settled.insert(run.run_id, run.ended_at);
                    continue;
                }
                Some(_) | None => {}
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
                    harvest.later(run.run_id, &error.to_string());
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

/// What a poll may cost in which nothing happened.
fn quiet_calls(active: usize) -> u32 {
    QUIET_CALLS + (active / RUNS_A_PAGE).saturating_sub(1) as u32
}

fn before(time: Timestamp, span: Duration) -> Timestamp {
    time.checked_sub(span).unwrap_or(Timestamp::MIN)
}

/// The ledger would answer [`Admission::InHand`]: the incident's own next step reads the run. Meanwhile the run is followed without a
/// call, and asked about when that is over, so that a failure which the step did not live to take up is not lost.
fn in_hand(state: State) -> bool {
    match state {
        State::Detected
        | State::Collecting
        | State::Analysed
        | State::Decided
        | State::Scheduled
        | State::AwaitingApproval
        | State::Acting
        | State::Watching => true,
        State::WithPeople | State::Closed(_) => false,
    }
}
