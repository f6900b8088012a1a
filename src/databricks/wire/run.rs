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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::databricks::run::Standing;

    fn run(json: Value) -> Run {
        serde_json::from_value::<RunJson>(json).unwrap().into_run()
    }

    fn check(state: Value, status: Value, want: Standing, word: &str) {
        let state = run(json!({"run_id": 1, "state": state, "status": status})).state;
        assert_eq!((state.standing(), state.word()), (want, word));
    }

    #[test]
    fn how_a_run_stands() {
        let none = Value::Null;
        check(json!({"life_cycle_state": "INTERNAL_ERROR", "result_state": "FAILED"}), none.clone(), Standing::Failed, "FAILED");
        check(json!({"life_cycle_state": "INTERNAL_ERROR"}), none.clone(), Standing::Failed, "INTERNAL_ERROR");
        check(json!({"life_cycle_state": "TERMINATED", "result_state": "TIMEDOUT"}), none.clone(), Standing::Failed, "TIMEDOUT");
        check(json!({"life_cycle_state": "TERMINATED", "result_state": "EVICTED"}), none.clone(), Standing::Failed, "EVICTED");
        check(
            json!({"life_cycle_state": "TERMINATED", "result_state": "SUCCESS_WITH_FAILURES"}),
            none.clone(),
            Standing::Succeeded,
            "SUCCESS_WITH_FAILURES",
        );
        check(json!({"life_cycle_state": "TERMINATED", "result_state": "CANCELED"}), none.clone(), Standing::Canceled, "CANCELED");
        check(json!({"life_cycle_state": "SKIPPED"}), none.clone(), Standing::Skipped, "SKIPPED");
        check(json!({"life_cycle_state": "TERMINATING", "result_state": "FAILED"}), none.clone(), Standing::Active, "FAILED");
        check(json!({"life_cycle_state": "HIBERNATING"}), none.clone(), Standing::Active, "HIBERNATING");
        check(none.clone(), none.clone(), Standing::Active, "NOT_GIVEN");
        // The newer half alone.
        let ended = |code: &str| json!({"state": "TERMINATED", "termination_details": {"code": code, "type": "CLIENT_ERROR"}});
        check(none.clone(), ended("RUN_EXECUTION_ERROR"), Standing::Failed, "TERMINATED");
        check(none.clone(), ended("CANCELED"), Standing::Failed, "TERMINATED");
        check(none.clone(), ended("USER_CANCELED"), Standing::Canceled, "TERMINATED");
        check(none.clone(), ended("SKIPPED"), Standing::Skipped, "SKIPPED");
        check(none.clone(), json!({"state": "WAITING"}), Standing::Active, "WAITING_FOR_RETRY");
        check(json!({"life_cycle_state": "NEW_WORD"}), ended("INTERNAL_ERROR"), Standing::Failed, "INTERNAL_ERROR");
    }

    #[test]
    fn an_emulators_nulls_are_absence() {
        let run = run(json!({
            "run_id": "11", "job_id": 3, "run_name": "j2", "run_type": null, "job_parameters": null, "overriding_parameters": null,
            "repair_history": null, "job_clusters": null, "start_time": 792, "end_time": null, "unheard_of": {"x": [1]},
            "state": {"life_cycle_state": "TERMINATED", "result_state": "FAILED", "state_message": "One or more tasks failed"},
            "tasks": [
                {"task_key": "a", "run_id": 12, "state": {"life_cycle_state": "TERMINATED", "result_state": "FAILED"},
                 "notebook_task": null, "spark_python_task": {"python_file": "/Shared/bad.py", "parameters": null}, "sql_task": null,
                 "depends_on": null},
                {"task_key": "b", "run_id": null, "state": {"life_cycle_state": "SKIPPED", "result_state": null},
                 "depends_on": [{"task_key": "a", "outcome": null}]},
            ],
            "run_page_url": "http://127.0.0.1:1/#job/3/run/11",
        }));
        assert_eq!((run.run_id, run.job_id, run.ended_at, run.latest_repair()), (RunId(11), Some(JobId(3)), None, None));
        assert_eq!(
            run.tasks.iter().map(|task| (task.run_id, task.task_type.as_str())).collect::<Vec<_>>(),
            [(Some(RunId(12)), "python"), (None, "unknown")]
        );
        assert_eq!(run.root_failures().iter().map(|task| task.task_key.as_str()).collect::<Vec<_>>(), ["a"]);
        assert!(run.tasks[0].settings.is_empty(), "what is not told is not guessed");
    }

    #[test]
    fn only_what_a_repair_takes_again_is_kept_of_the_parameters() {
        let run = run(json!({
            "run_id": 1,
            "job_parameters": [{"name": "day", "default": "x", "value": "2026-11-24"}, {"name": "unset", "default": "y"}],
            "overriding_parameters": {"notebook_params": {"k": "v"}, "jar_params": [], "run_id": 666},
        }));
        assert_eq!(run.parameters.job.into_iter().collect::<Vec<_>>(), [("day".to_owned(), "2026-11-24".to_owned())]);
        assert_eq!(Value::Object(run.parameters.overriding), json!({"notebook_params": {"k": "v"}}));
    }

    #[test]
    fn the_newest_repair_is_the_last_item() {
        let run = run(json!({"run_id": 1, "repair_history": [
            {"type": "ORIGINAL", "start_time": 1000, "end_time": 4000},
            {"type": "REPAIR", "id": 930, "start_time": 6000, "end_time": 0},
            {"type": "REPAIR", "id": 930, "start_time": 6000, "end_time": 0},
            {"type": "REPAIR", "id": 9_007_199_254_740_993i64, "start_time": 7000, "end_time": 8000},
        ]}));
        assert_eq!(run.latest_repair(), Some(RepairId(9_007_199_254_740_993)));
        assert_eq!(run.repair_history.len(), 3);
        assert_eq!(run.repair_history[1].ended_at, None);
    }

    #[test]
    fn a_hostile_run_is_harmless_to_show() {
        let run = run(json!({"run_id": 1, "run_name": "x\u{1b}[2J\ny", "run_page_url": "javascript:alert(1)",
                             "state": {"state_message": "a\u{202e}b"}}));
        assert_eq!((run.run_name.as_str(), run.run_page_url, run.state.message.as_deref()), ("x y", None, Some("ab")));
    }

    #[test]
    fn settings_that_matter_are_read_from_task_and_job_cluster() {
        let run = run(json!({"run_id": 1, "effective_performance_target": "STANDARD",
        "job_clusters": [{"job_cluster_key": "main", "new_cluster": {"spark_version": "15.4", "node_type_id": "D4", "num_workers": null,
            "autoscale": {"min_workers": 2, "max_workers": 8}, "azure_attributes": {"availability": "SPOT_AZURE"}}}],
        "tasks": [
            {"task_key": "a", "job_cluster_key": "main", "timeout_seconds": 0, "max_retries": 0, "new_cluster": null},
            {"task_key": "b", "sql_task": {"warehouse_id": "w1"}, "timeout_seconds": 600},
            {"task_key": "c", "existing_cluster_id": "c1"},
            {"task_key": "d", "notebook_task": {"notebook_path": "/x"}},
        ]}));
        let settings =
            |index: usize| run.tasks[index].settings.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ");
        assert_eq!(
            settings(0),
            "compute=job_cluster job_cluster_key=main max_retries=0 spark_version=15.4 node_type_id=D4 autoscale=2..8 availability=SPOT_AZURE"
        );
        assert_eq!(settings(1), "compute=warehouse warehouse_id=w1 timeout_seconds=600");
        assert_eq!(settings(2), "compute=existing_cluster existing_cluster_id=c1");
        assert_eq!(settings(3), "compute=serverless");
        assert_eq!(run.tasks[2].cluster_id.as_deref(), Some("c1"));
    }
}
