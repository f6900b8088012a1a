//! The official SDKs for Python, of Databricks and of OpenAI, against the simulated workspace and its model: they must accept every answer.
//! Needs an interpreter with `databricks-sdk` and `openai` in RUNMEND_TEST_PYTHON, as `.ci/run` sets it up.

#![allow(clippy::unwrap_used)]

use runmend::sim::{Options, Scenario, Simulator};
use serde_json::{Value, json};

/// `None`, with its reason, where there is no interpreter; in CI that is a failure.
fn python() -> Option<String> {
    let python = std::env::var("RUNMEND_TEST_PYTHON").ok().filter(|python| !python.is_empty());
    if python.is_none() {
        assert!(std::env::var("CI").is_err(), "RUNMEND_TEST_PYTHON is not set; .ci/run sets it");
        eprintln!("skipped: RUNMEND_TEST_PYTHON names no interpreter with databricks-sdk and openai");
    }
    python
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_official_sdk_accepts_every_answer() {
    let Some(python) = python() else { return };
    let _ = rustls::crypto::ring::default_provider().install_default();
    // Fast, and with repairs that are seen at once: whoever waits for an end would take the old one for the new one.
    let scenario = Scenario::read("[workspace]\nrepair_shows_after = 0").unwrap();
    let simulator = Simulator::start(Options { speed: 50.0, scenario, ..Options::default() }).await.unwrap();
    let ready = simulator.ready().clone();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let control =
        async |command: Value| -> Value { http.post(&ready.control_url).json(&command).send().await.unwrap().json().await.unwrap() };
    let made = control(json!([
        {"do": "job", "name": "orders", "parameters": {"day": "today"}, "tags": {"team": "orders"},
         "task": [{"key": "a"}, {"key": "b", "depends_on": ["a"]}, {"key": "n", "kind": "notebook"}]},
        {"do": "history", "count": 60, "job": "old"},
        {"do": "fail", "job": "orders", "task": "a", "recording": "r061", "truth": {"passes_after": 1}, "duration_ms": 0,
         "attempts": 2, "parameters": {"day": "2026-11-24"}},
        {"do": "fail", "job": "wide", "tasks": 140, "duration_ms": 0},
        {"do": "fail", "job": "late", "result_state": "TIMEDOUT", "started_ago": "1m", "duration_ms": 1000},
        {"do": "fail", "job": "odd", "result_state": "EVICTED", "started_ago": "1m", "duration_ms": 1000},
        {"do": "fail", "job": "skipped", "result_state": "SKIPPED"},
        {"do": "succeed", "job": "long", "started_ago": "1h", "ends_in": "24h"},
    ]))
    .await;
    let run = |n: usize| made["answers"][n]["runs"][0]["run_id"].to_string();
    let mut sdk = std::process::Command::new(&python);
    sdk.args(["tests/support/sdk.py", &run(2), &run(3)])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("DATABRICKS_HOST", &ready.url)
        .env("DATABRICKS_TOKEN", &ready.token)
        .env("DATABRICKS_CONFIG_FILE", "/nonexistent")
        .env("NO_PROXY", "127.0.0.1");
    let output = tokio::task::spawn_blocking(move || sdk.output()).await.unwrap().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told["runs"], 66, "{told}");
    assert_eq!(told["active"], 1);
    assert_eq!(told["jobs"], json!(["late", "long", "odd", "old", "orders", "skipped", "wide"]));
    assert_eq!((&told["code"], &told["history"]), (&json!("RUN_EXECUTION_ERROR"), &json!(["ORIGINAL"])));
    assert_eq!(told["failed"], json!(["a", "a"]), "both attempts");
    assert!(told["error"].as_str().unwrap().contains("Connection refused"));
    assert!(told["of_a_job_run"].as_str().unwrap().contains("multiple tasks"));
    assert!(told["missing"].as_str().unwrap().contains("does not exist"));
    assert_eq!(told["parent"].to_string(), run(2), "64 bits survive");
    assert_eq!(told["job"], json!({"name": "orders", "tags": {"team": "orders"}, "tasks": ["a", "b", "n"]}));
    assert_eq!((&told["wide"], &told["after"], &told["started_once"]), (&json!(140), &json!("SUCCESS"), &json!(true)));
    assert!(told["second"].as_str().unwrap().contains("latest repair ID"), "{told}");
    let book: Value = http.get(&ready.book_url).send().await.unwrap().json().await.unwrap();
    let repairs =
        book["runs"].as_array().unwrap().iter().find(|row| row["run_id"] == made["answers"][2]["runs"][0]["run_id"]).unwrap()["repairs"]
            .clone();
    assert_eq!((&repairs[0]["repair_id"], &repairs[0]["parameters_lost"]), (&told["repair"], &json!(false)));
    simulator.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_official_sdk_of_openai_accepts_every_answer_of_the_model() {
    let Some(python) = python() else { return };
    let simulator = Simulator::start(Options::default()).await.unwrap();
    let ready = simulator.ready().clone();
    let mut sdk = std::process::Command::new(&python);
    sdk.arg("tests/support/openai_sdk.py")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("SIM_URL", &ready.url)
        .env("SIM_TOKEN", &ready.token)
        .env("SIM_CONTROL", &ready.control_url)
        .env("NO_PROXY", "127.0.0.1");
    let output = tokio::task::spawn_blocking(move || sdk.output()).await.unwrap().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    let quotes = json!(["java.net.ConnectException: Connection refused"]);
    for form in ["dated", "v1"] {
        let told = &told[form];
        assert_eq!(told["plain"], json!({"model": "simulated-model", "quotes": quotes, "tokens": true}), "{form}");
        assert_eq!(told["streamed"], json!({"quotes": quotes, "roles": ["assistant"], "ends": ["stop"], "tokens": true}), "{form}");
        assert_eq!((&told["parsed"], &told["gathered"]), (&json!("network"), &quotes), "{form}");
        for (what, raised, code) in [
            ("wrong key", "AuthenticationError", json!("401")),
            ("loose schema", "BadRequestError", Value::Null),
            ("busy", "RateLimitError", json!("429")),
            ("filtered", "BadRequestError", json!("content_filter")),
            ("failed", "InternalServerError", json!("InternalServerError")),
            ("page", "InternalServerError", Value::Null),
            ("dropped", "APIConnectionError", Value::Null),
            ("cut", "APIConnectionError", Value::Null),
            ("late", "APITimeoutError", Value::Null),
        ] {
            assert_eq!((&told[what]["raised"], &told[what]["code"]), (&json!(raised), &code), "{form}, {what}: {}", told[what]);
        }
        assert!(told["busy"]["said"].as_str().unwrap().contains("Please retry after 7 seconds"), "{told}");
        assert!(told["loose schema"]["said"].as_str().unwrap().contains("'additionalProperties' is required"), "{told}");
    }
    for who in ["waited", "entra", "entra by provider"] {
        assert_eq!(told[who], quotes, "{who}");
    }
    assert_eq!((&told["wrong entra"]["raised"], &told["nowhere"]["raised"]), (&json!("AuthenticationError"), &json!("NotFoundError")));
    simulator.stop().await;
}
