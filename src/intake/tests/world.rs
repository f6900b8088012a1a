//! A workspace with a script: runs that start, end, and are repaired at set seconds. It counts every call, and refuses on request.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;

use crate::databricks::run::{LifeCycle, RepairItem, ResultState, RunFilter, RunState, Standing, Termination};
use crate::databricks::{ApiError, Job, Run, RunPage, RunQuery, TaskOutput, Workspace};
use crate::domain::Timestamp;
use crate::domain::ids::{IncidentId, JobId, RepairId, RunId, TaskKey, WorkspaceName};
use crate::domain::incident::{Incident, PlannedCall, State};
use crate::domain::intent::{Effect, RunParameters};
use crate::intake::{PollReport, Poller};
use crate::ledger::{Ledger, SqliteLedger};

pub const PAGE: usize = 25;

pub fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

pub fn workspace() -> WorkspaceName {
    WorkspaceName::from("acme-prod")
}

/// How a run, or one repair of it, ends.
#[derive(Clone, Debug)]
pub struct End {
    pub life_cycle: LifeCycle,
    pub result: Option<ResultState>,
    pub code: Option<&'static str>,
}

pub fn ends(result: ResultState) -> End {
    End { life_cycle: LifeCycle::Terminated, result: Some(result), code: None }
}

pub fn fails() -> End {
    End { life_cycle: LifeCycle::InternalError, result: Some(ResultState::Failed), code: Some("RUN_EXECUTION_ERROR") }
}

pub fn succeeds() -> End {
    ends(ResultState::Success)
}

/// One stretch of a run's life: the run itself, then each repair. Seconds of the workspace's clock.
#[derive(Clone, Debug)]
pub struct Stretch {
    pub repair: Option<i64>,
    pub from: i64,
    pub to: i64,
    pub end: End,
}

#[derive(Clone, Debug)]
pub struct Life {
    pub job: i64,
    pub run_type: &'static str,
    pub stretches: Vec<Stretch>,
    /// So long after a repair begins the run itself still shows its old end; its history shows the repair.
    pub stale_s: i64,
    /// So long after its start no list shows the run.
    pub late_s: i64,
}

pub const NEVER: i64 = i64::MAX;

pub fn life(from: i64, to: i64, end: End) -> Life {
    Life { job: 7, run_type: "JOB_RUN", stretches: vec![Stretch { repair: None, from, to, end }], stale_s: 0, late_s: 0 }
}

impl Life {
    pub fn of_job(self, job: i64) -> Self {
        Self { job, ..self }
    }

    pub fn repaired(mut self, repair: i64, from: i64, to: i64, end: End) -> Self {
        self.stretches.push(Stretch { repair: Some(repair), from, to, end });
        self
    }

    /// The run as runs/get shows it at `now`.
    fn seen(&self, id: RunId, now: i64) -> Option<Run> {
        let begun: Vec<&Stretch> = self.stretches.iter().filter(|stretch| stretch.from <= now).collect();
        let shown = |stretch: &&&Stretch| stretch.repair.is_none() || stretch.from + self.stale_s <= now;
        let last = begun.iter().rev().find(shown)?;
        let state = |stretch: &Stretch| {
            let over = stretch.to <= now;
            let code = stretch.end.code.filter(|_| over).map(str::to_owned);
            RunState {
                life_cycle: if over { stretch.end.life_cycle.clone() } else { LifeCycle::Running },
                result: stretch.end.result.clone().filter(|_| over),
                message: None,
                termination: Termination { code, ..Termination::default() },
            }
        };
        let ended = |stretch: &Stretch| (stretch.to <= now).then(|| at(stretch.to));
        let history = begun.iter().map(|stretch| RepairItem {
            id: stretch.repair.map(RepairId),
            started_at: Some(at(stretch.from)),
            ended_at: ended(stretch),
            state: state(stretch),
        });
        Some(Run {
            run_id: id,
            job_id: Some(JobId(self.job)),
            run_name: format!("job {}", self.job),
            run_page_url: None,
            run_type: Some(self.run_type.to_owned()),
            trigger: None,
            creator: None,
            state: state(last),
            started_at: Some(at(self.stretches[0].from)),
            ended_at: ended(last),
            tasks: Vec::new(),
            parameters: RunParameters::default(),
            repair_history: history.collect(),
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Call {
    /// Any page of either list.
    List,
    Get(i64),
    Job(i64),
}

#[derive(Default)]
pub struct Script {
    pub runs: BTreeMap<i64, Life>,
    /// The workspace's clock.
    pub now: i64,
    /// Answers of calls to come, first come first served; `None` goes well.
    pub refusals: BTreeMap<Call, VecDeque<Option<ApiError>>>,
    /// Calls that were made.
    pub calls: Vec<Call>,
    /// Seconds that pass with each call.
    pub pace_s: i64,
    /// It gives every run, whatever is asked for.
    pub ignores_filters: bool,
    pub malformed: Vec<String>,
}

pub struct Fake {
    name: WorkspaceName,
    script: Mutex<Script>,
}

impl Fake {
    pub fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap()
    }

    fn called(&self, call: Call) -> Result<MutexGuard<'_, Script>, ApiError> {
        let mut script = self.script();
        script.calls.push(call);
        script.now += script.pace_s;
        match script.refusals.get_mut(&call).and_then(VecDeque::pop_front).flatten() {
            Some(error) => Err(error),
            None => Ok(script),
        }
    }
}

#[async_trait]
impl Workspace for Fake {
    fn name(&self) -> &WorkspaceName {
        &self.name
    }

    async fn check(&self) -> Result<(), ApiError> {
        Ok(())
    }

    async fn list_runs(&self, query: &RunQuery, page_token: Option<&str>) -> Result<RunPage, ApiError> {
        let script = self.called(Call::List)?;
        let wanted = |run: &Run| {
            let active = run.state.standing() == Standing::Active;
            let kind = match query.filter {
                RunFilter::All => true,
                RunFilter::ActiveOnly => active,
                RunFilter::CompletedOnly => !active,
            };
            script.ignores_filters || (kind && query.started_from.is_none_or(|from| run.started_at >= Some(from)))
        };
        let listed = script.runs.iter().filter(|(_, life)| life.stretches[0].from + life.late_s <= script.now);
        let mut runs: Vec<Run> = listed.filter_map(|(id, life)| life.seen(RunId(*id), script.now)).filter(|run| wanted(run)).collect();
        runs.sort_by_key(|run| std::cmp::Reverse((run.started_at, run.run_id)));
        let skip: usize = page_token.map_or(0, |token| token.parse().unwrap());
        let more = runs.len() > skip + PAGE;
        let page = runs.into_iter().skip(skip).take(PAGE).map(|run| Run { repair_history: Vec::new(), ..run }).collect();
        Ok(RunPage { runs: page, next_page_token: more.then(|| (skip + PAGE).to_string()), malformed: script.malformed.clone() })
    }

    async fn run(&self, run: RunId) -> Result<Run, ApiError> {
        let script = self.called(Call::Get(run.0))?;
        let seen = script.runs.get(&run.0).and_then(|life| life.seen(run, script.now));
        seen.ok_or_else(|| not_found("no such run"))
    }

    async fn job(&self, job: JobId) -> Result<Job, ApiError> {
        drop(self.called(Call::Job(job.0))?);
        Ok(Job {
            job_id: Some(job),
            name: format!("job {job}"),
            creator: Some("dana@acme.example".to_owned()),
            tags: BTreeMap::from([("team".to_owned(), "orders".to_owned())]),
            tasks: vec![TaskKey::from("load")],
            ..Job::default()
        })
    }

    async fn task_output(&self, _: RunId) -> Result<TaskOutput, ApiError> {
        panic!("the intake reads no outputs")
    }

    async fn repair(&self, _: &Effect) -> Result<RepairId, ApiError> {
        panic!("the intake repairs nothing")
    }

    async fn run_now(&self, _: &Effect) -> Result<RunId, ApiError> {
        panic!("the intake starts nothing")
    }

    fn preview(&self, _: &Effect) -> PlannedCall {
        panic!("the intake plans nothing")
    }
}

pub fn not_found(message: &str) -> ApiError {
    ApiError::NotFound { call: "GET x".to_owned(), message: message.to_owned() }
}

pub fn forbidden() -> ApiError {
    ApiError::Forbidden { call: "GET x".to_owned(), message: "not yours".to_owned() }
}

pub fn rate_limited() -> ApiError {
    ApiError::RateLimited { call: "GET x".to_owned(), message: "slow down".to_owned(), retry_after: None }
}

pub fn unavailable() -> ApiError {
    ApiError::Unavailable { call: "GET x".to_owned(), status: 500, message: "oops".to_owned() }
}

pub fn unauthenticated() -> ApiError {
    ApiError::Unauthenticated { call: "GET x".to_owned(), message: "who are you".to_owned() }
}

/// What was admitted: the run, and the repair that the failure follows.
pub type Found = (i64, Option<i64>);

pub fn found(report: &PollReport) -> Vec<Found> {
    report.admitted.iter().map(|(incident, _)| key(incident)).collect()
}

pub fn key(incident: &Incident) -> Found {
    (incident.failure.run.0, incident.failure.after_repair.map(|repair| repair.0))
}

/// A workspace, a ledger, and the poller between them. The first poll looks an hour back.
pub struct Stage {
    pub fake: Arc<Fake>,
    pub ledger: Arc<SqliteLedger>,
    pub poller: Poller,
    /// The workspace's clock less ours, seconds.
    pub skew: i64,
}

pub const LOOKBACK_S: i64 = 3600;

pub async fn stage(runs: impl IntoIterator<Item = (i64, Life)>) -> Stage {
    let script = Script { runs: runs.into_iter().collect(), ..Script::default() };
    let fake = Arc::new(Fake { name: workspace(), script: Mutex::new(script) });
    let ledger = Arc::new(SqliteLedger::open_in_memory().await.unwrap());
    let poller = poller(&fake, &ledger);
    Stage { fake, ledger, poller, skew: 0 }
}

fn poller(fake: &Arc<Fake>, ledger: &Arc<SqliteLedger>) -> Poller {
    Poller::new(fake.clone(), ledger.clone(), Duration::from_secs(LOOKBACK_S.unsigned_abs()))
}

impl Stage {
    /// The process ended, and another one begins.
    pub fn restart(&mut self) {
        self.poller = poller(&self.fake, &self.ledger);
    }

    pub fn refuse(&self, call: Call, errors: impl IntoIterator<Item = Option<ApiError>>) {
        self.fake.script().refusals.entry(call).or_default().extend(errors);
    }

    /// The workspace's clock is at `now`, as far as it agrees with ours; calls are counted from here.
    pub fn clock(&self, now: i64) {
        let mut script = self.fake.script();
        script.now = now + self.skew;
        script.calls.clear();
    }

    /// A poll that goes to its end. Its word on what it cost is checked against the calls that came.
    pub async fn poll(&mut self, now: i64) -> PollReport {
        self.clock(now);
        let report = self.poller.poll(at(now)).await.unwrap();
        assert_eq!(report.calls as usize, self.calls().len(), "calls counted and calls made differ: {:?}", self.calls());
        report
    }

    pub async fn found(&mut self, now: i64) -> Vec<Found> {
        found(&self.poll(now).await)
    }

    pub fn calls(&self) -> Vec<Call> {
        self.fake.script().calls.clone()
    }

    pub async fn incident(&self, run: i64) -> Incident {
        self.ledger.incident(&IncidentId::new(&workspace(), RunId(run))).await.unwrap().unwrap()
    }

    /// Takes the run's incident along the state machine.
    pub async fn becomes(&self, run: i64, states: &[State]) -> Incident {
        let mut incident = self.incident(run).await;
        for state in states {
            let next = incident.become_state(*state).unwrap().due(None);
            incident = self.ledger.commit(next, None).await.unwrap();
        }
        incident
    }

    pub async fn close(&self, run: i64) {
        let incident = self.incident(run).await;
        self.ledger.commit(incident.close_handled("dana", at(0), None).unwrap(), None).await.unwrap();
    }
}

pub const TO_AWAITING: [State; 4] = [State::Collecting, State::Analysed, State::Decided, State::AwaitingApproval];
pub const TO_PEOPLE: [State; 4] = [State::Collecting, State::Analysed, State::Decided, State::WithPeople];
pub const TO_ACTING: [State; 5] = [State::Collecting, State::Analysed, State::Decided, State::Scheduled, State::Acting];
