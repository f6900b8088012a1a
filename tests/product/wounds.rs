//! What users of other tools report today; none may happen here.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Agent, Sim, of};

const REFUSED: &str = "java.net.ConnectException: Connection refused (Connection refused)";

/// apache/airflow#69998: duplicate task keys after several attempts. apache/airflow#28812: get-output asked with the job run's id.
#[tokio::test]
async fn the_latest_attempt_of_a_task_counts_and_its_own_output_is_read() {
    let home = TempDir::new().unwrap();
    let sim = Sim::start(home.path());
    sim.order(json!({"do": "fail", "job": "wide", "tasks": 4, "error": REFUSED, "truth": {"passes_after": 2}})).await;
    let mut agent = Agent::auto(home.path(), &sim.url, &sim.token, &[]);
    let detected = agent.event("detected").await;
    agent.outcome("mended").await;
    agent.stop().await;

    let repairs = sim.calls_to("/runs/repair").await;
    assert_eq!(repairs.len(), 2);
    for repair in &repairs {
        let tasks: Vec<&str> = repair["body"]["rerun_tasks"].as_array().unwrap().iter().map(|task| task.as_str().unwrap()).collect();
        assert_eq!(tasks.iter().collect::<BTreeSet<_>>().len(), tasks.len(), "{tasks:?}");
        assert_eq!(repair["status"], 200, "{repair}");
    }
    let outputs = sim.calls_to("/runs/get-output").await;
    assert!(!outputs.is_empty());
    for call in &outputs {
        let path = call["path"].as_str().unwrap();
        assert!(!path.ends_with(&format!("run_id={}", detected["run_id"])), "asked with the job run's id: {path}");
        assert_eq!(call["status"], 200, "{call}");
    }
}

/// apache/airflow#53904: a run that fails within a second taken for a success; INTERNAL_ERROR and TIMEDOUT not counted as failures.
#[tokio::test]
async fn every_bad_end_is_a_failure_however_quick() {
    let home = TempDir::new().unwrap();
    let sim = Sim::start(home.path());
    let mut agent = Agent::start(home.path(), &sim.url, &sim.token, &["--observe", "--json"]);
    agent.event("ready").await;
    for (job, state) in [("quick", "FAILED"), ("slow", "TIMEDOUT"), ("broken", "INTERNAL_ERROR")] {
        sim.order(json!({"do": "fail", "job": job, "result_state": state, "duration_ms": 1, "error": REFUSED, "truth": "never"})).await;
    }
    sim.order(json!({"do": "succeed", "job": "fine"})).await;
    let mut seen = BTreeSet::new();
    while seen.len() < 3 {
        seen.insert(agent.event("detected").await["job_name"].as_str().unwrap().to_owned());
    }
    let (heard, _) = agent.stop().await;
    assert_eq!(seen, ["quick", "slow", "broken"].map(str::to_owned).into());
    assert_eq!(of(&heard, "detected").len(), 3);
}

/// apache/airflow#69174, databricks/cli#5882: a job started twice after a lost answer.
#[tokio::test]
async fn a_lost_answer_starts_nothing_twice() {
    let home = TempDir::new().unwrap();
    let sim = Sim::start(home.path());
    sim.order(json!({"do": "fault", "path": "/jobs/runs/repair", "drop_answer": true, "times": 1})).await;
    sim.order(json!({"do": "fail", "job": "rates_import", "error": REFUSED, "truth": {"passes_after": 1}})).await;
    let mut agent = Agent::auto(home.path(), &sim.url, &sim.token, &[]);
    let acted = agent.event("acted").await;
    assert_eq!(acted["reconciled"], true, "{acted}");
    agent.outcome("mended").await;
    agent.stop().await;
    assert_eq!(sim.calls_to("/runs/repair").await.len(), 1);
}

#[tokio::test]
async fn a_lost_answer_to_a_run_now_starts_nothing_twice() {
    let home = TempDir::new().unwrap();
    let sim = Sim::start(home.path());
    sim.order(json!({"do": "no_repair"})).await;
    sim.order(json!({"do": "fault", "path": "/jobs/run-now", "drop_answer": true, "times": 1})).await;
    sim.order(json!({"do": "fail", "job": "rates_import", "error": REFUSED, "truth": {"passes_after": 1}})).await;
    let mut agent = Agent::auto(home.path(), &sim.url, &sim.token, &[]);
    let acted = agent.event("acted").await;
    assert_eq!(acted["call"]["path"], "/api/2.2/jobs/run-now", "{acted}");
    agent.outcome("mended").await;
    let (heard, _) = agent.stop().await;
    assert_eq!(of(&heard, "detected").len(), 1, "the run in its place is no failure of its own");
    let calls = sim.calls_to("/jobs/run-now").await;
    let tokens: BTreeSet<&str> = calls.iter().map(|call| call["body"]["idempotency_token"].as_str().unwrap()).collect();
    assert_eq!(tokens.len(), 1, "{calls:?}");
}

/// Hundreds of list calls a poll on a workspace with 5,000 runs of history.
#[tokio::test]
async fn a_quiet_poll_costs_three_calls_whatever_the_history() {
    let home = TempDir::new().unwrap();
    let sim = Sim::start(home.path());
    sim.order(json!({"do": "history", "count": 5000})).await;
    let mut first = Agent::start(home.path(), &sim.url, &sim.token, &["once", "--json"]);
    first.event("stopped").await;
    let before = sim.calls().await.len();
    let mut second = Agent::start(home.path(), &sim.url, &sim.token, &["once", "--json"]);
    second.event("stopped").await;
    let calls: Vec<Value> = sim.calls().await.split_off(before);
    // One call asks at start whether this is a workspace.
    assert!(calls.len() <= 1 + 3, "{} calls: {calls:?}", calls.len());
}

/// A run that started long before the look-back, and fails now.
#[tokio::test]
async fn a_run_older_than_the_lookback_that_fails_now_is_found() {
    let home = TempDir::new().unwrap();
    let sim = Sim::start(home.path());
    let started = sim
        .order(json!({"do": "fail", "job": "long_runner", "error": REFUSED, "started_ago": "72h", "ends_in": "10m", "truth": "never"}))
        .await;
    let mut agent = Agent::start(home.path(), &sim.url, &sim.token, &["--observe", "--json", "--set", "poll.lookback=1h"]);
    agent.event("ready").await;
    while sim.calls_to("/runs/list").await.len() < 4 {
        tokio::task::yield_now().await;
    }
    sim.order(json!({"do": "finish"})).await;
    let detected = agent.event("detected").await;
    assert_eq!(detected["run_id"], started["runs"][0]["run_id"]);
    agent.stop().await;
}
