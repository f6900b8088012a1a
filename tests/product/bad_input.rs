//! What is wrong outside gives a clear error or a visible degraded state; the agent goes on with what it can, and nothing is lost.

use std::io::{Read, Write};
use std::net::TcpListener;

use serde_json::json;
use tempfile::TempDir;

use crate::support::{Agent, Sim, output, runmend};

const REFUSED: &str = "java.net.ConnectException: Connection refused (Connection refused)";

/// The report says what, where and what to do, and the exit code is the contract's.
fn check(home: &TempDir, environment: &[(&str, &str)], arguments: &[&str], code: i32, must: &[&str]) {
    let mut command = runmend(home.path());
    command.envs(environment.iter().copied()).args(arguments).args(["--for", "20s"]);
    let (stdout, stderr, exit) = output(&mut command);
    assert_eq!(exit, Some(code), "{arguments:?}: {stdout}{stderr}");
    for word in must.iter().chain(&["error: ", "do: "]) {
        assert!(stderr.contains(word), "{arguments:?}: no `{word}` in:\n{stderr}");
    }
    assert!(!stderr.contains("panicked"), "{stderr}");
}

#[tokio::test]
async fn a_wrong_token_is_said_at_start() {
    let home = TempDir::new().unwrap();
    let sim = Sim::start(home.path());
    check(&home, &[("DATABRICKS_HOST", &sim.url), ("DATABRICKS_TOKEN", "dapi-wrong")], &["--auto"], 3, &["token", "where: "]);
}

#[test]
fn hosts_that_are_none() {
    let home = TempDir::new().unwrap();
    let with = |host| [("DATABRICKS_HOST", host), ("DATABRICKS_TOKEN", "dapi1")];
    check(&home, &with("https://no-such-host.invalid"), &["--auto"], 3, &["no-such-host.invalid", "network"]);
    check(&home, &with("http://127.0.0.1:9"), &["--auto"], 3, &["127.0.0.1:9"]);
    check(&home, &with("http://workspace.example.com"), &["--auto"], 2, &["plain http"]);
    check(&home, &[], &["--auto"], 2, &["DATABRICKS_HOST", "--profile", ".env", "--demo"]);
    check(&home, &[], &[], 2, &["DATABRICKS_HOST", "--demo"]);
}

#[test]
fn a_page_of_html_is_no_workspace() {
    let home = TempDir::new().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut stream = stream;
            let _ = stream.read(&mut [0; 4096]);
            let page = "<html><body>Sign in to continue</body></html>";
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{page}",
                page.len()
            );
        }
    });
    check(&home, &[("DATABRICKS_HOST", &host), ("DATABRICKS_TOKEN", "dapi1")], &["--auto"], 3, &["Databricks API", "where: "]);
}

#[tokio::test]
async fn ledgers_that_cannot_be_used_are_left_as_they_are() {
    let home = TempDir::new().unwrap();
    let sim = Sim::start(home.path());
    let with: [(&str, &str); 2] = [("DATABRICKS_HOST", &sim.url), ("DATABRICKS_TOKEN", &sim.token)];
    let damaged = home.path().join("ledger.db");
    let bytes: Vec<u8> = (0..20_000u32).map(|n| (n * 7919 % 251) as u8).collect();
    std::fs::write(&damaged, &bytes).unwrap();
    check(&home, &with, &["--auto", "--ledger", damaged.to_str().unwrap()], 4, &["ledger.db", "backup"]);
    assert_eq!(std::fs::read(&damaged).unwrap(), bytes, "the file was touched");

    let file = home.path().join("file");
    std::fs::write(&file, "").unwrap();
    let below = file.join("ledger.db");
    check(&home, &with, &["--auto", "--ledger", below.to_str().unwrap()], 4, &["cannot be written"]);
}

#[test]
fn settings_and_rules_that_are_wrong_name_the_place() {
    let home = TempDir::new().unwrap();
    check(&home, &[], &["--auto", "--set", "poll.intervall=3s"], 2, &["poll.intervall", "did you mean `poll.interval`"]);
    let config = home.path().join("config.toml");
    std::fs::write(&config, "[poll]\n\ninterval = \"soon\"\n").unwrap();
    check(&home, &[], &["--auto", "--config", config.to_str().unwrap()], 2, &["poll.interval", "line 3"]);
    let rules = home.path().join("rules");
    std::fs::create_dir(&rules).unwrap();
    std::fs::write(rules.join("mine.toml"), "[[rule]]\nid = 3\n").unwrap();
    let setting = format!("rules.dir={}", rules.display());
    check(
        &home,
        &[("DATABRICKS_HOST", "http://127.0.0.1:9"), ("DATABRICKS_TOKEN", "x")],
        &["--auto", "--set", &setting],
        2,
        &["mine.toml"],
    );
}

#[tokio::test]
async fn output_that_may_not_be_read_is_a_gap_that_people_see() {
    let home = TempDir::new().unwrap();
    let sim = Sim::start(home.path());
    sim.order(json!({"do": "fault", "path": "/jobs/runs/get-output", "status": 403, "times": 1000})).await;
    sim.order(json!({"do": "fail", "job": "rates_import", "error": REFUSED, "truth": {"passes_after": 1}})).await;
    let mut agent = Agent::auto(home.path(), &sim.url, &sim.token, &[]);
    let collected = agent.event("collected").await;
    assert!(collected["gaps"].as_array().unwrap().iter().any(|gap| gap.as_str().unwrap().contains("output of")), "{collected}");
    let decided = agent.event("decided").await;
    assert_ne!(decided["action"], "retry", "nothing is re-run on evidence that nobody saw: {decided}");
    agent.event("notified").await;
    agent.stop().await;
}

#[tokio::test]
async fn a_workspace_that_goes_away_degrades_and_recovers() {
    let home = TempDir::new().unwrap();
    let sim = Sim::start(home.path());
    let mut agent = Agent::auto(home.path(), &sim.url, &sim.token, &[]);
    agent.event("ready").await;
    sim.order(json!({"do": "fault", "path": "/jobs/runs/list", "status": 503, "body": "html", "times": 12})).await;
    let degraded = agent.event("degraded").await;
    assert_eq!(degraded["part"], "poll", "{degraded}");
    sim.order(json!({"do": "fail", "job": "rates_import", "error": REFUSED, "truth": {"passes_after": 1}})).await;
    agent.event("recovered").await;
    agent.outcome("mended").await;
    agent.stop().await;
}
