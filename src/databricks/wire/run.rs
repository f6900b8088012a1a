//! A run as runs/list and runs/get give it. Source of the shapes: Jobs API 2.2, `Run` and `BaseRun`.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::lenient::{List, Millis, Number, Text};
use super::task::{JobCluster, Task};
use super::text;
use crate::databricks::run::{LifeCycle, RepairItem, ResultState, Run, RunPage, RunState, Termination};
use crate::domain::ids::{JobId, RepairId, RunId};
use crate::domain::intent::RunParameters;

/// `state` is the older half, `status` the newer one; each knows something that the other does not, and either may be absent.
#[derive(Debug, Default, Deserialize)]
pub struct State {
    life_cycle_state: Option<Text>,
    result_state: Option<Text>,
    state_message: Option<Text>,
}

#[derive(Debug, Default, Deserialize)]
pub struct Status {
    state: Option<Text>,
    termination_details: Option<TerminationDetails>,
}

#[derive(Debug, Default, Deserialize)]
struct TerminationDetails {
    code: Option<Text>,
    #[serde(rename = "type")]
    kind: Option<Text>,
    message: Option<Text>,
}

#[derive(Debug, Deserialize)]
pub struct RunJson {
    run_id: Number,
    job_id: Option<Number>,
    run_name: Option<Text>,
    run_page_url: Option<Text>,
    run_type: Option<Text>,
    trigger: Option<Text>,
    creator_user_name: Option<Text>,
    state: Option<State>,
    status: Option<Status>,
    #[serde(default)]
    start_time: Millis,
    #[serde(default)]
    end_time: Millis,
    #[serde(default)]
    tasks: List<Task>,
    #[serde(default)]
    job_clusters: List<JobCluster>,
    #[serde(default)]
    job_parameters: List<Parameter>,
    overriding_parameters: Option<Map<String, Value>>,
    #[serde(default)]
    repair_history: List<Repair>,
    /// Only serverless runs have one.
    effective_performance_target: Option<Text>,
    next_page_token: Option<Text>,
}

#[derive(Debug, Deserialize)]
struct Parameter {
    name: Text,
    value: Option<Text>,
}

#[derive(Debug, Deserialize)]
struct Repair {
    id: Option<Number>,
    state: Option<State>,
    status: Option<Status>,
    #[serde(default)]
    start_time: Millis,
    #[serde(default)]
    end_time: Millis,
}

#[derive(Debug, Deserialize)]
pub struct RunListJson {
    #[serde(default)]
    runs: List<RunJson>,
    next_page_token: Option<Text>,
}

/// The older per-type parameters that runs/repair and run-now take again. Nothing else of `overriding_parameters` is passed on: it
/// is text from outside and must not be able to set another field of the request.
pub const OVERRIDING_PARAMETERS: [&str; 8] = [
    "dbt_commands",
    "jar_params",
    "notebook_params",
    "pipeline_params",
    "python_named_params",
    "python_params",
    "spark_submit_params",
    "sql_params",
];

impl RunListJson {
    pub fn into_page(self) -> RunPage {
        let runs = self.runs.items.into_iter().map(RunJson::into_listed).collect();
        let malformed = self.runs.malformed.iter().filter_map(|words| text::message(words)).collect();
        RunPage { runs, next_page_token: token(self.next_page_token), malformed }
    }
}

impl RunJson {
    pub fn take_next_page(&mut self) -> Option<String> {
        token(self.next_page_token.take())
    }

    /// A further page of the same run: its arrays go on, an exhausted one is empty.
    pub fn append(&mut self, page: Self) {
        self.tasks.items.extend(page.tasks.items);
        self.tasks.malformed.extend(page.tasks.malformed);
        self.job_clusters.items.extend(page.job_clusters.items);
        self.job_parameters.items.extend(page.job_parameters.items);
        self.repair_history.items.extend(page.repair_history.items);
        // A run that moved on between two pages: the later word is the truer one.
        self.state = page.state.or(self.state.take());
        self.status = page.status.or(self.status.take());
        self.end_time = page.end_time;
    }

    /// Tasks that could not be read.
    pub fn malformed(&self) -> &[String] {
        &self.tasks.malformed
    }

    fn into_listed(self) -> Run {
        // A list gives at most the first tasks and no history: half of them would be worse than none.
        Run { tasks: Vec::new(), repair_history: Vec::new(), parameters: RunParameters::default(), ..self.into_run() }
    }

    pub fn into_run(self) -> Run {
        let serverless = self.effective_performance_target.is_some();
        let mut tasks: Vec<crate::databricks::run::TaskRun> = Vec::new();
        for task in self.tasks.items {
            tasks.extend(task.into_task_run(&self.job_clusters.items, serverless));
        }
        let mut repairs: Vec<RepairItem> = Vec::new();
        for item in self.repair_history.items {
            let item = item.into_item();
            if item.id.is_none() || repairs.iter().all(|seen| seen.id != item.id) {
                repairs.push(item);
            }
        }
        Run {
            run_id: RunId(self.run_id.0),
            job_id: self.job_id.filter(|id| id.0 != 0).map(|id| JobId(id.0)),
            run_name: self.run_name.and_then(|raw| text::name(&raw.0)).unwrap_or_default(),
            run_page_url: self.run_page_url.and_then(|raw| text::name(&raw.0)).filter(|url| is_web(url)),
            run_type: self.run_type.and_then(|raw| text::word(&raw.0)),
            trigger: self.trigger.and_then(|raw| text::word(&raw.0)),
            creator: self.creator_user_name.and_then(|raw| text::name(&raw.0)),
            state: run_state(self.state, self.status),
            started_at: self.start_time.0,
            ended_at: self.end_time.0,
            tasks,
            parameters: RunParameters {
                job: self.job_parameters.items.into_iter().filter_map(|p| Some((p.name.0, p.value?.0))).collect(),
                overriding: self.overriding_parameters.map(overriding).unwrap_or_default(),
            },
            repair_history: repairs,
        }
    }
}

impl Repair {
    fn into_item(self) -> RepairItem {
        RepairItem {
            id: self.id.map(|id| RepairId(id.0)),
            started_at: self.start_time.0,
            ended_at: self.end_time.0,
            state: run_state(self.state, self.status),
        }
    }
}

/// A page opens at a link that a person clicks; only a web page may be behind it.
fn is_web(url: &str) -> bool {
    url.starts_with("https://") || url.starts_with("http://")
}

fn overriding(given: Map<String, Value>) -> Map<String, Value> {
    given.into_iter().filter(|(name, value)| OVERRIDING_PARAMETERS.contains(&name.as_str()) && !is_empty(value)).collect()
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// A page token goes back as it came; it is only ever sent.
pub fn token(raw: Option<Text>) -> Option<String> {
    raw.map(|text| text.0).filter(|text| !text.is_empty())
}

pub fn run_state(state: Option<State>, status: Option<Status>) -> RunState {
    let (state, status) = (state.unwrap_or_default(), status.unwrap_or_default());
    let details = status.termination_details.unwrap_or_default();
    let code = details.code.and_then(|raw| text::word(&raw.0));
    let older = state.life_cycle_state.and_then(|raw| text::word(&raw.0)).map(|word| life_cycle(&word, None));
    let newer = status.state.and_then(|raw| text::word(&raw.0)).map(|word| life_cycle(&word, code.as_deref()));
    let life_cycle = match (older, newer) {
        // A word that we do not know says nothing; the other half may.
        (Some(LifeCycle::Other(_)) | None, Some(newer)) => newer,
        (Some(older), _) => older,
        // Right after a start both may be missing for a moment.
        (None, None) => LifeCycle::Other(LifeCycle::NOT_GIVEN.to_owned()),
    };
    RunState {
        life_cycle,
        result: state.result_state.and_then(|raw| text::word(&raw.0)).map(|word| result_state(&word)),
        message: state.state_message.and_then(|raw| text::message(&raw.0)),
        termination: Termination {
            code,
            kind: details.kind.and_then(|raw| text::word(&raw.0)),
            message: details.message.and_then(|raw| text::message(&raw.0)),
        },
    }
}

/// `status.state` has neither SKIPPED nor INTERNAL_ERROR: there both are TERMINATED with a code of that name.
fn life_cycle(word: &str, code: Option<&str>) -> LifeCycle {
    match (word, code) {
        ("TERMINATED", Some("SKIPPED")) => LifeCycle::Skipped,
        ("TERMINATED", Some("INTERNAL_ERROR")) => LifeCycle::InternalError,
        ("QUEUED", _) => LifeCycle::Queued,
        ("PENDING", _) => LifeCycle::Pending,
        ("RUNNING", _) => LifeCycle::Running,
        ("TERMINATING", _) => LifeCycle::Terminating,
        ("BLOCKED", _) => LifeCycle::Blocked,
        ("WAITING_FOR_RETRY" | "WAITING", _) => LifeCycle::WaitingForRetry,
        ("TERMINATED", _) => LifeCycle::Terminated,
        ("SKIPPED", _) => LifeCycle::Skipped,
        ("INTERNAL_ERROR", _) => LifeCycle::InternalError,
        (other, _) => LifeCycle::Other(other.to_owned()),
    }
}

fn result_state(word: &str) -> ResultState {
    match word {
        "SUCCESS" => ResultState::Success,
        "SUCCESS_WITH_FAILURES" => ResultState::SuccessWithFailures,
        "FAILED" => ResultState::Failed,
        "TIMEDOUT" => ResultState::TimedOut,
        "CANCELED" => ResultState::Canceled,
        "MAXIMUM_CONCURRENT_RUNS_REACHED" => ResultState::MaximumConcurrentRunsReached,
        "EXCLUDED" => ResultState::Excluded,
        "UPSTREAM_FAILED" => ResultState::UpstreamFailed,
        "UPSTREAM_CANCELED" => ResultState::UpstreamCanceled,
        "DISABLED" => ResultState::Disabled,
        other => ResultState::Other(other.to_owned()),
    }
}
