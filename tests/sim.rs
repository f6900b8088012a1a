//! Our own client against the simulated workspace: two readings of one API, written apart, must agree.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use runmend::databricks::run::{ResultState, RunFilter, RunQuery, Standing};
use runmend::databricks::{ApiError, Client, Workspace};
use runmend::domain::ids::{JobId, RepairId, RunId, TaskKey, WorkspaceName};
use runmend::domain::intent::{Effect, RunParameters};
use runmend::domain::secret::Secret;
use runmend::sim::{Options, Simulator};
use serde_json::{Value, json};
use url::Url;

struct Lab {
    simulator: Simulator,
    client: Client,
    http: reqwest::Client,
}

impl Lab {
    async fn new() -> Self {
        let simulator = Simulator::start(Options::default()).await.unwrap();
        let client = Self::client(&simulator, &simulator.ready().token);
        Self { simulator, client, http: reqwest::Client::builder().no_proxy().build().unwrap() }
    }

    fn client(simulator: &Simulator, token: &str) -> Client {
        Client::new(WorkspaceName::from("sim"), &Url::parse(&simulator.ready().url).unwrap(), &Secret::new(token)).unwrap()
    }

    async fn control(&self, command: Value) -> Value {
        let answer = self.http.post(&self.simulator.ready().control_url).json(&command).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(answer["ok"], true, "{command}: {answer}");
        answer
    }

    async fn failed(&self, mut spec: Value) -> RunId {
        spec["do"] = json!("fail");
        spec["duration_ms"] = json!(0);
        RunId(self.control(spec).await["runs"][0]["run_id"].as_i64().unwrap())
    }

    async fn finish(&self) {
        self.control(json!({"do": "finish"})).await;
    }

    async fn calls(&self, path: &str) -> Vec<Value> {
        let book: Value = self.http.get(&self.simulator.ready().book_url).send().await.unwrap().json().await.unwrap();
        book["calls"].as_array().unwrap().iter().filter(|call| call["path"].as_str().unwrap().ends_with(path)).cloned().collect()
    }

    async fn repair(&self, run: RunId, tasks: &[&str], after: Option<RepairId>) -> Result<RepairId, ApiError> {
        let parameters = self.client.run(run).await.unwrap().parameters;
        let tasks = tasks.iter().map(|key| TaskKey::from(*key)).collect();
        self.client.repair(&Effect::Repair { run, tasks, after, parameters }).await
    }
}

#[tokio::test]
async fn a_failed_run_is_read_to_its_cause() {
    let lab = Lab::new().await;
    lab.client.check().await.unwrap();
    lab.control(json!({"do": "job", "name": "orders", "owner": "dana@acme.example", "tags": {"runmend.owner": "dana@acme.example"},
                       "parameters": {"day": "today"}, "task": [{"key": "a"}, {"key": "b", "depends_on": ["a"]}]}))
        .await;
    let id =
        lab.failed(json!({"job": "orders", "task": "a", "recording": "r061", "parameters": {"day": "2026-11-24"}, "attempts": 2})).await;
    let run = lab.client.run(id).await.unwrap();
    assert_eq!((run.run_id, run.state.standing()), (id, Standing::Failed));
    assert_eq!(run.parameters.job["day"], "2026-11-24");
    let roots = run.root_failures();
    assert_eq!(roots.iter().map(|task| (task.task_key.as_str(), task.attempt_number)).collect::<Vec<_>>(), [("a", 1)]);
    assert_eq!(run.consequences().len(), 1);
    assert_eq!((roots[0].task_type.as_str(), roots[0].state.result.clone()), ("python", Some(ResultState::Failed)));
    let output = lab.client.task_output(roots[0].run_id.unwrap()).await.unwrap();
    assert!(output.error.unwrap().contains("Connection refused") && output.error_trace.is_some() && output.logs.is_some());
    assert!(matches!(lab.client.task_output(id).await, Err(ApiError::Refused { .. })), "a job run has no output of its own");

    let job = lab.client.job(run.job_id.unwrap()).await.unwrap();
    assert_eq!((job.name.as_str(), job.creator.as_deref()), ("orders", Some("dana@acme.example")));
    assert_eq!(job.tags["runmend.owner"], "dana@acme.example");
    assert!(matches!(lab.client.run(RunId(5)).await, Err(ApiError::NotFound { .. })));
    assert!(matches!(lab.client.job(JobId(5)).await, Err(ApiError::NotFound { .. })));
}

#[tokio::test]
async fn how_runs_stand() {
    let lab = Lab::new().await;
    for (result, want) in [
        ("FAILED", Standing::Failed),
        ("TIMEDOUT", Standing::Failed),
        ("INTERNAL_ERROR", Standing::Failed),
        ("EVICTED", Standing::Failed),
        ("CANCELED", Standing::Canceled),
        ("SKIPPED", Standing::Skipped),
    ] {
        let spec = json!({"do": "fail", "job": "a", "result_state": result, "started_ago": "1m", "duration_ms": 1000});
        let id = RunId(lab.control(spec).await["runs"][0]["run_id"].as_i64().unwrap());
        assert_eq!(lab.client.run(id).await.unwrap().state.standing(), want, "{result}");
    }
    lab.control(json!({"do": "fail", "job": "long", "started_ago": "30h", "ends_in": "10m"})).await;
    let active = RunQuery { filter: RunFilter::ActiveOnly, ..RunQuery::default() };
    let page = lab.client.list_runs(&active, None).await.unwrap();
    assert_eq!(page.runs.iter().map(|run| (run.run_name.as_str(), run.state.standing())).collect::<Vec<_>>(), [("long", Standing::Active)]);
}

#[tokio::test]
async fn every_run_of_every_page_comes_once() {
    let lab = Lab::new().await;
    lab.control(json!({"do": "history", "count": 130, "job": "old"})).await;
    let (mut seen, mut token, mut pages) = (BTreeSet::new(), None, 0);
    loop {
        let page = lab.client.list_runs(&RunQuery::default(), token.as_deref()).await.unwrap();
        assert!(page.malformed.is_empty());
        pages += 1;
        assert!(page.runs.iter().all(|run| seen.insert(run.run_id)));
        token = page.next_page_token;
        if token.is_none() {
            break;
        }
    }
    assert_eq!((seen.len(), pages), (130, 6));
}

#[tokio::test]
async fn a_run_of_many_tasks_and_attempts_is_whole() {
    let lab = Lab::new().await;
    let id = lab.failed(json!({"job": "wide", "tasks": 140, "attempts": 3, "task": "t007"})).await;
    let run = lab.client.run(id).await.unwrap();
    assert_eq!((run.tasks.len(), run.latest_attempts().len()), (142, 140));
    assert_eq!(run.root_failures().iter().map(|task| task.attempt_number).collect::<Vec<_>>(), [2]);
    assert_eq!(lab.client.job(run.job_id.unwrap()).await.unwrap().tasks.len(), 140);
}

#[tokio::test]
async fn of_two_repairs_after_the_same_one_only_the_first_is_taken() {
    let lab = Lab::new().await;
    let id = lab.failed(json!({"job": "a", "truth": {"passes_after": 2}, "parameters": {"day": "1"}})).await;
    let first = lab.repair(id, &["main"], None).await.unwrap();
    assert!(matches!(lab.repair(id, &["main"], Some(first)).await, Err(ApiError::Refused { .. })), "it still runs");
    lab.finish().await;
    let run = lab.client.run(id).await.unwrap();
    assert_eq!((run.latest_repair(), run.state.standing()), (Some(first), Standing::Failed));
    assert_eq!(run.parameters.job["day"], "1", "passed again, they are still there");
    let stale = lab.repair(id, &["main"], None).await.unwrap_err();
    assert!(stale.to_string().contains("latest repair ID") && !stale.may_have_happened(), "{stale}");
    let second = lab.repair(id, &["main"], Some(first)).await.unwrap();
    lab.finish().await;
    let run = lab.client.run(id).await.unwrap();
    assert_eq!((run.latest_repair(), run.state.standing()), (Some(second), Standing::Succeeded));
}

#[tokio::test]
async fn a_lost_answer_is_found_out_by_asking() {
    let lab = Lab::new().await;
    let id = lab.failed(json!({"job": "a", "truth": {"passes_after": 1}})).await;
    lab.control(json!({"do": "fault", "path": "/runs/repair", "drop_answer": true, "times": 1})).await;
    let lost = lab.repair(id, &["main"], None).await.unwrap_err();
    assert!(lost.may_have_happened(), "{lost:?}");
    lab.finish().await;
    assert!(lab.client.run(id).await.unwrap().latest_repair().is_some(), "it happened");
    assert_eq!(lab.calls("/runs/repair").await.len(), 1, "and was not sent again");

    lab.control(json!({"do": "fault", "path": "/run-now", "drop_answer": true, "times": 1})).await;
    let job = lab.client.run(id).await.unwrap().job_id.unwrap();
    let start = Effect::RunNow { job, token: "sim/1#1".to_owned(), parameters: RunParameters::default() };
    assert!(lab.client.run_now(&start).await.unwrap_err().may_have_happened());
    let run = lab.client.run_now(&start).await.unwrap();
    assert_eq!(lab.client.run_now(&start).await.unwrap(), run, "one token, one run");
}

#[tokio::test]
async fn a_workspace_without_repair_is_told_from_one_that_refuses() {
    let lab = Lab::new().await;
    let id = lab.failed(json!({"job": "a"})).await;
    lab.control(json!({"do": "no_repair"})).await;
    assert!(matches!(lab.repair(id, &["main"], None).await, Err(ApiError::NotOffered { .. })));
    lab.control(json!({"do": "no_repair", "on": false})).await;
    let gone = lab.repair(id, &["gone"], None).await.unwrap_err();
    assert!(matches!(gone, ApiError::Refused { .. }), "{gone:?}");
}

#[tokio::test]
async fn what_stands_in_the_way_is_named() {
    let lab = Lab::new().await;
    let stranger = Lab::client(&lab.simulator, "dapi0");
    assert!(matches!(stranger.check().await, Err(ApiError::Unauthenticated { .. })));
    let id = lab.failed(json!({"job": "a"})).await;
    let task_run = lab.client.run(id).await.unwrap().root_failures()[0].run_id.unwrap();
    lab.control(json!({"do": "fault", "path": "/runs/get-output", "status": 403})).await;
    assert!(matches!(lab.client.task_output(task_run).await, Err(ApiError::Forbidden { .. })));
    lab.control(json!({"do": "fault", "path": "/runs/list", "status": 200, "body": "html"})).await;
    assert!(matches!(lab.client.check().await, Err(ApiError::NotDatabricks { .. })));
}
