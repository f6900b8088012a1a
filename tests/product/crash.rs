//! Killed at any moment, the next start goes on from the ledger alone: each decided action happens exactly once.

use std::collections::BTreeMap;
use std::time::Duration;

use rand::{Rng, SeedableRng};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Agent, Sim, mails};

const INCIDENTS: usize = 50;
const REFUSED: &str = "java.net.ConnectException: Connection refused (Connection refused)";
const DENIED: &str = "com.databricks.sql.PermissionException: [INSUFFICIENT_PERMISSIONS] User does not have SELECT on Table 'main.sales.orders'. SQLSTATE: 42501";

/// Events that the agent may still say before it is killed, and milliseconds after the last of them.
fn moments(seed: u64) -> impl Iterator<Item = (usize, u64)> {
    let mut chance = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
    std::iter::from_fn(move || Some((chance.random_range(1..40), chance.random_range(0..30))))
}

async fn kills(sim: &Sim, home: &TempDir, seed: u64, lives: usize) {
    for (events, milliseconds) in moments(seed).take(lives) {
        let mut agent = Agent::auto(home.path(), &sim.url, &sim.token, &[]);
        for _ in 0..events {
            // An agent that has nothing left to say is killed in its idleness: a moment like any other.
            if tokio::time::timeout(Duration::from_secs(2), agent.until("event", |_| true)).await.is_err() {
                break;
            }
        }
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        agent.process.kill();
    }
}

/// Re-runs that the workspace took, by run (repair) or job (run-now).
async fn taken(sim: &Sim, path: &str, key: &str) -> BTreeMap<i64, usize> {
    let mut taken = BTreeMap::new();
    for call in sim.calls_to(path).await {
        if call["status"] == 200 {
            *taken.entry(call["body"][key].as_i64().unwrap()).or_default() += 1;
        }
    }
    taken
}

async fn until_all_ended(agent: &mut Agent, sim: &Sim, runs: &[Value]) {
    tokio::time::timeout(Duration::from_secs(90), async {
        loop {
            let mut open = 0;
            for run in runs {
                let state = sim.get(&format!("/api/2.2/jobs/runs/get?run_id={run}")).await;
                open += usize::from(state["state"]["result_state"] != "SUCCESS");
            }
            if open == 0 {
                return;
            }
            let _ = tokio::time::timeout(Duration::from_secs(1), agent.until("event", |_| true)).await;
        }
    })
    .await
    .unwrap_or_else(|_| panic!("not all runs were mended.\n{}", agent.log()));
}

#[tokio::test]
async fn killed_at_random_moments_each_repair_happens_exactly_once() {
    let home = TempDir::new().unwrap();
    let sim = Sim::start(home.path());
    let mut runs = Vec::new();
    for number in 0..INCIDENTS {
        let failed = sim
            .order(
                json!({"do": "fail", "job": format!("load_{number}"), "error": REFUSED, "duration_ms": 50, "truth": {"passes_after": 1}}),
            )
            .await;
        runs.push(failed["runs"][0]["run_id"].clone());
    }
    // Answers that never come are the worst moment to die at.
    sim.order(json!({"do": "fault", "path": "/jobs/runs/repair", "drop_answer": true, "times": 10})).await;
    kills(&sim, &home, 42, 14).await;

    let mut agent = Agent::auto(home.path(), &sim.url, &sim.token, &[]);
    until_all_ended(&mut agent, &sim, &runs).await;
    agent.stop().await;

    let repairs = taken(&sim, "/runs/repair", "run_id").await;
    assert_eq!(repairs.len(), INCIDENTS, "every run was repaired");
    assert!(repairs.values().all(|times| *times == 1), "a run was repaired twice: {repairs:?}");
    let refused: Vec<Value> = sim.calls_to("/runs/repair").await.into_iter().filter(|call| call["status"] == 400).collect();
    assert!(refused.is_empty(), "a second repair was tried: {refused:?}");
}

#[tokio::test]
async fn killed_at_random_moments_each_run_now_happens_exactly_once() {
    let home = TempDir::new().unwrap();
    let sim = Sim::start(home.path());
    sim.order(json!({"do": "no_repair"})).await;
    for number in 0..INCIDENTS / 5 {
        sim.order(
            json!({"do": "fail", "job": format!("load_{number}"), "error": REFUSED, "duration_ms": 50, "truth": {"passes_after": 1}}),
        )
        .await;
    }
    sim.order(json!({"do": "fault", "path": "/jobs/run-now", "drop_answer": true, "times": 4})).await;
    kills(&sim, &home, 7, 6).await;

    let mut agent = Agent::auto(home.path(), &sim.url, &sim.token, &[]);
    let mut mended = 0;
    while tokio::time::timeout(Duration::from_secs(8), agent.until("event", |_| true)).await.is_ok() {
        mended += 1;
    }
    agent.stop().await;
    let _ = mended;

    for number in 0..INCIDENTS / 5 {
        let runs = runs_of(&sim, &format!("load_{number}")).await;
        assert_eq!(runs.len(), 2, "load_{number}: one failed run and one in its place: {runs:?}");
    }
}

async fn runs_of(sim: &Sim, job: &str) -> Vec<Value> {
    let list = sim.get(&format!("/api/2.2/jobs/list?name={job}")).await;
    let id = list["jobs"].as_array().unwrap().iter().find(|entry| entry["settings"]["name"] == job).unwrap()["job_id"].as_i64().unwrap();
    let runs = sim.get(&format!("/api/2.2/jobs/runs/list?job_id={id}")).await;
    runs["runs"].as_array().unwrap().clone()
}

#[tokio::test]
async fn killed_at_random_moments_each_mail_is_one_mail() {
    let home = TempDir::new().unwrap();
    let sim = Sim::start(home.path());
    for number in 0..10 {
        sim.order(json!({"do": "fail", "job": format!("report_{number}"), "error": DENIED, "duration_ms": 50, "truth": "never"})).await;
    }
    kills(&sim, &home, 3, 6).await;
    let mut agent = Agent::auto(home.path(), &sim.url, &sim.token, &[]);
    while mails(home.path()).len() < 10 {
        agent.until("event", |_| true).await;
    }
    agent.stop().await;
    assert_eq!(mails(home.path()).len(), 10, "one mail an incident");
}
