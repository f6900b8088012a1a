//! The main job, from a failure to its end, as `--auto --json`, `--observe` and the outbox show it.

use serde_json::json;
use tempfile::TempDir;

use crate::support::{Agent, Sim, mails, of};

const REFUSED: &str = "requests.exceptions.ConnectionError: HTTPSConnectionPool(host='rates.example.com', port=443): Max retries exceeded with url: /v1 (Caused by NewConnectionError('<urllib3.connection.HTTPSConnection object at 0x7f0c>: Failed to establish a new connection: [Errno 111] Connection refused'))";
const NO_MODULE: &str = "ModuleNotFoundError: No module named 'pandaz_core'";

#[tokio::test]
async fn a_transient_failure_is_repaired_once_and_mended() {
    let home = TempDir::new().unwrap();
    let sim = Sim::start(home.path());
    sim.order(
        json!({"do": "fail", "job": "rates_import", "error": REFUSED, "truth": {"passes_after": 1}, "parameters": {"day": "2026-11-24"}}),
    )
    .await;

    let mut agent = Agent::auto(home.path(), &sim.url, &sim.token, &[]);
    let detected = agent.event("detected").await;
    assert_eq!((detected["job_name"].as_str(), detected["via"].as_str()), (Some("rates_import"), Some("poll")));
    let classified = agent.event("classified").await;
    assert_eq!(classified["cause"], "network", "{classified}");
    let decided = agent.event("decided").await;
    assert_eq!((decided["action"].as_str(), decided["authority"].as_str()), (Some("retry"), Some("auto")), "{decided}");
    let acted = agent.event("acted").await;
    agent.outcome("mended").await;
    let (_, code) = agent.stop().await;
    assert_eq!(code, Some(0));

    let repairs = sim.calls_to("/runs/repair").await;
    assert_eq!(repairs.len(), 1, "{repairs:?}");
    assert_eq!(repairs[0]["body"]["run_id"], detected["run_id"]);
    assert_eq!(repairs[0]["body"]["job_parameters"], json!({"day": "2026-11-24"}), "the run's own parameters are passed again");
    assert_eq!(acted["call"]["path"], "/api/2.2/jobs/runs/repair");
    assert!(acted["repair_id"].is_i64(), "{acted}");
    assert!(mails(home.path()).is_empty(), "a run that was mended wakes nobody");
}

#[tokio::test]
async fn what_only_its_owner_can_mend_is_mailed_and_closes_with_the_jobs_next_success() {
    let home = TempDir::new().unwrap();
    let sim = Sim::start(home.path());
    sim.order(json!({"do": "fail", "job": "train_model", "error": NO_MODULE, "owner": "ml@example.com", "truth": "never"})).await;

    let mut agent = Agent::auto(home.path(), &sim.url, &sim.token, &[]);
    let decided = agent.event("decided").await;
    assert_eq!(decided["action"], "notify", "{decided}");
    let notified = agent.event("notified").await;
    assert_eq!((notified["to"].as_str(), notified["channel"].as_str()), (Some("ml@example.com"), Some("outbox")));
    assert!(sim.calls_to("/runs/repair").await.is_empty() && sim.calls_to("/run-now").await.is_empty());
    let mail = mails(home.path()).concat();
    for must in ["train_model", "pandaz_core", "dependency", "/run/"] {
        assert!(mail.contains(must), "the mail lacks {must}:\n{mail}");
    }
    sim.order(json!({"do": "succeed", "job": "train_model"})).await;
    agent.outcome("mended").await;
}

#[tokio::test]
async fn a_run_that_fails_again_is_tried_again_within_its_limit() {
    let home = TempDir::new().unwrap();
    let sim = Sim::start(home.path());
    sim.order(json!({"do": "fail", "job": "rates_import", "error": REFUSED, "truth": "never"})).await;

    let mut agent = Agent::auto(home.path(), &sim.url, &sim.token, &["--set", "retry.max_attempts=2"]);
    for _ in 0..2 {
        agent.event("acted").await;
        agent.outcome("failed_again").await;
    }
    let decided = agent.until("a decision that no longer re-runs", |event| event["event"] == "decided" && event["action"] != "retry").await;
    assert!(decided["guardrails"].as_array().unwrap().iter().any(|rail| rail["id"] == "max_attempts"), "{decided}");
    agent.event("notified").await;
    agent.stop().await;

    let repairs = sim.calls_to("/runs/repair").await;
    assert_eq!(repairs.len(), 2);
    assert!(repairs[0]["body"].get("latest_repair_id").is_none(), "the first repair follows none");
    assert!(repairs[1]["body"]["latest_repair_id"].is_i64(), "the second names the first: {}", repairs[1]);
    assert!(repairs.iter().all(|call| call["status"] == 200), "{repairs:?}");
}

#[tokio::test]
async fn observe_records_and_does_nothing() {
    let home = TempDir::new().unwrap();
    let sim = Sim::start(home.path());
    sim.order(json!({"do": "fail", "job": "rates_import", "error": REFUSED, "truth": {"passes_after": 1}})).await;
    sim.order(json!({"do": "fail", "job": "train_model", "error": NO_MODULE, "truth": "never"})).await;

    let mut agent = Agent::start(home.path(), &sim.url, &sim.token, &["--observe", "--json"]);
    for _ in 0..2 {
        let decided = agent.event("decided").await;
        assert_eq!(decided["authority"], "observe", "{decided}");
    }
    let (heard, code) = agent.stop().await;
    assert_eq!(code, Some(0));
    assert!(of(&heard, "acted").is_empty() && of(&heard, "notified").is_empty());
    assert_eq!(of(&heard, "stopped")[0]["open_incidents"], 2);
    let writes: Vec<_> = sim.calls().await.into_iter().filter(|call| call["method"] != "GET").collect();
    assert!(writes.is_empty(), "{writes:?}");
    assert!(mails(home.path()).is_empty());
}

#[tokio::test]
async fn a_person_who_repairs_first_is_left_alone() {
    let home = TempDir::new().unwrap();
    let sim = Sim::start(home.path());
    sim.order(json!({"do": "fail", "job": "rates_import", "error": REFUSED, "truth": {"passes_after": 1}})).await;

    let mut agent = Agent::auto(home.path(), &sim.url, &sim.token, &["--set", "retry.base_delay=30s"]);
    let decided = agent.event("decided").await;
    sim.order(json!({"do": "person_repairs", "run_id": decided["run_id"]})).await;
    agent.outcome("superseded").await;
    agent.stop().await;
    assert_eq!(sim.calls_to("/runs/repair").await.len(), 0, "nothing of ours was sent");
}

#[tokio::test]
async fn without_a_person_nothing_is_done_in_approve_mode() {
    let home = TempDir::new().unwrap();
    let sim = Sim::start(home.path());
    sim.order(json!({"do": "fail", "job": "rates_import", "error": REFUSED, "duration_ms": 0, "truth": {"passes_after": 1}})).await;
    let mut agent = Agent::start(home.path(), &sim.url, &sim.token, &["once", "--json"]);
    let decided = agent.event("decided").await;
    assert_eq!((decided["action"].as_str(), decided["authority"].as_str()), (Some("retry"), Some("approval")), "{decided}");
    agent.event("stopped").await;
    assert!(sim.calls_to("/runs/repair").await.is_empty());
}
