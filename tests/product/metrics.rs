//! The metrics endpoint of the real binary, as a scraper meets it.

use std::net::TcpListener;

use reqwest::{Method, StatusCode};
use serde_json::json;
use tempfile::TempDir;

use crate::support::{Agent, Sim, output, runmend};

/// Where the agent said that its metrics are.
fn address(log: &str) -> String {
    let said = log.lines().find_map(|line| line.strip_prefix("metrics at "));
    said.unwrap_or_else(|| panic!("no address in:\n{log}")).to_owned()
}

/// The value of the series, written as the endpoint writes it.
fn value(text: &str, series: &str) -> f64 {
    let said = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    said.unwrap_or_else(|| panic!("no {series} in:\n{text}")).parse().unwrap()
}

#[tokio::test]
async fn a_scraper_sees_what_is_open_and_what_opinions_cost() {
    let home = TempDir::new().unwrap();
    let sim = Sim::start(home.path());
    sim.order(
        json!({"do": "fail", "job": "orders", "error": "java.lang.OutOfMemoryError: Java heap space", "duration_ms": 1, "truth": "never"}),
    )
    .await;
    let model = format!("llm.base_url={}", sim.url);
    let key = format!("llm.api_key={}", sim.token);
    let settings = [
        "metrics.listen=127.0.0.1:0",
        "llm.provider=azure",
        "llm.ask=always",
        "llm.deployment=simulated-model",
        "llm.daily_budget=2",
        &model,
        &key,
    ];
    let arguments: Vec<&str> = settings.iter().flat_map(|setting| ["--set", setting]).collect();
    let mut agent = Agent::auto(home.path(), &sim.url, &sim.token, &arguments);
    let asked = agent.event("opinion").await;
    agent.event("decided").await;
    assert_eq!((&asked["origin"], asked["cost_usd"].as_f64().is_some_and(|cost| cost > 0.0)), (&json!("asked"), true), "{asked}");
    sim.order(json!({"do": "fail", "job": "invoices", "error": "java.lang.OutOfMemoryError: Java heap space", "duration_ms": 1, "truth": "never"})).await;
    let cached = agent.event("opinion").await;
    agent.event("decided").await;
    assert_eq!((&cached["origin"], &cached["cost_usd"]), (&json!("cached"), &json!(0.0)), "{cached}");

    let url = address(&agent.log());
    let http = reqwest::Client::new();
    let answer = http.get(&url).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    let text = answer.text().await.unwrap();
    let cost = value(&text, "runmend_llm_cost_usd_today");
    assert!(cost > 0.0 && cost < 0.01, "{cost}");
    assert_eq!(value(&text, "runmend_llm_daily_budget_usd"), 2.0);
    assert_eq!(value(&text, "runmend_llm_budget_spent"), 0.0);
    assert_eq!(value(&text, "runmend_llm_opinions_total{result=\"asked\"}"), 1.0);
    assert_eq!(value(&text, "runmend_llm_opinions_total{result=\"cached\"}"), 1.0);
    assert_eq!(value(&text, "runmend_llm_opinions_total{result=\"none\"}"), 0.0);
    assert_eq!(value(&text, "runmend_failures_detected_total"), 2.0);
    let open: f64 = text
        .lines()
        .filter(|line| line.starts_with("runmend_open_incidents{"))
        .map(|line| line.rsplit_once(' ').unwrap().1.parse::<f64>().unwrap())
        .sum();
    assert_eq!(open, 2.0, "{text}");
    for secret in [sim.token.as_str(), "orders", "heap space"] {
        assert!(!text.contains(secret), "{secret} in:\n{text}");
    }

    for (method, path, status) in [
        (Method::HEAD, "/metrics", StatusCode::OK),
        (Method::POST, "/metrics", StatusCode::METHOD_NOT_ALLOWED),
        (Method::GET, "/", StatusCode::NOT_FOUND),
        (Method::GET, "/metrics/x", StatusCode::NOT_FOUND),
    ] {
        let answer = http.request(method.clone(), url.replace("/metrics", path)).send().await.unwrap();
        assert_eq!(answer.status(), status, "{method} {path}");
        if status == StatusCode::NOT_FOUND {
            assert_eq!(answer.headers()["content-type"], "text/plain; charset=utf-8", "{path}");
        }
    }

    // The scraper's connections are still open: they hinder no end.
    let (said, code) = agent.stop().await;
    assert_eq!((said.last().map(|event| event["event"].clone()), code), (Some(json!("stopped")), Some(0)));
}

#[tokio::test]
async fn a_port_that_is_taken_is_said_before_anything_begins() {
    let home = TempDir::new().unwrap();
    let sim = Sim::start(home.path());
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut command = runmend(home.path());
    command.env("DATABRICKS_HOST", &sim.url).env("DATABRICKS_TOKEN", &sim.token);
    command.args(["--auto", "--for", "20s", "--set", &format!("metrics.listen={address}")]);
    let (_, stderr, code) = output(&mut command);
    assert_eq!(code, Some(2), "{stderr}");
    for word in ["error: ", &address, "where: metrics.listen", "do: "] {
        assert!(stderr.contains(word), "no `{word}` in:\n{stderr}");
    }
    assert!(sim.calls().await.is_empty(), "the workspace was called");
}
