//! The second opinion by the real binary: who it shows itself as, and what it says when it is not let in.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract;
use axum::http::{StatusCode, Uri};
use runmend::classify::Classifier;
use runmend::domain::Timestamp;
use runmend::domain::action::Action;
use runmend::domain::cause::Cause;
use runmend::domain::event::{Actor, Happening, Via};
use runmend::domain::evidence::{Evidence, FailureText};
use runmend::domain::ids::{IncidentId, RunId};
use runmend::domain::incident::{Failure, Instead, State};
use runmend::domain::job::JobFacts;
use runmend::ledger::{Admission, Ledger, SqliteLedger};
use serde_json::json;
use tempfile::TempDir;

use crate::older::in_first_schema;
use crate::support::{Agent, Sim, output, runmend};

/// What an authority saw: path and form of each request.
type Seen = Arc<Mutex<Vec<(String, String)>>>;

/// An authority that gives `token`, good for an hour, to the secret `s3cret`, and refuses any other.
async fn authority(token: &str) -> (String, Seen) {
    let seen = Seen::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let app = Router::new().fallback(answer).with_state((token.to_owned(), seen.clone()));
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    (url, seen)
}

async fn answer(extract::State((token, seen)): extract::State<(String, Seen)>, uri: Uri, form: String) -> (StatusCode, String) {
    let let_in = form.contains("client_secret=s3cret&");
    seen.lock().unwrap().push((uri.path().to_owned(), form));
    if let_in {
        return (StatusCode::OK, json!({"token_type": "Bearer", "expires_in": 3599, "access_token": token}).to_string());
    }
    let why = "AADSTS7000215: Invalid client secret provided.";
    (StatusCode::UNAUTHORIZED, json!({"error": "invalid_client", "error_description": why}).to_string())
}

const FAILURES: [(&str, &str); 2] =
    [("orders", "java.lang.OutOfMemoryError: Java heap space"), ("rates", "ModuleNotFoundError: No module named 'pandaz_core'")];

/// Two failures of different causes, asked about by an application's identity.
async fn opinions(secret: &str) -> (Vec<serde_json::Value>, Seen, Sim, TempDir) {
    let home = TempDir::new().unwrap();
    let sim = Sim::start(home.path());
    for (job, error) in FAILURES {
        sim.order(json!({"do": "fail", "job": job, "error": error, "truth": "never"})).await;
    }
    let (authority, seen) = authority(&sim.token).await;
    let settings = [
        "llm.provider=azure".to_owned(),
        "llm.ask=always".to_owned(),
        "llm.deployment=simulated-model".to_owned(),
        format!("llm.base_url={}", sim.url),
        format!("llm.authority={authority}"),
        "llm.tenant_id=acme.example".to_owned(),
        "llm.client_id=4b1c".to_owned(),
        format!("llm.client_secret={secret}"),
    ];
    let arguments: Vec<&str> = settings.iter().flat_map(|setting| ["--set", setting]).collect();
    let mut agent = Agent::auto(home.path(), &sim.url, &sim.token, &arguments);
    let mut said = Vec::new();
    for _ in FAILURES {
        said.push(agent.event("opinion").await);
    }
    agent.stop().await;
    (said, seen, sim, home)
}

#[tokio::test]
async fn an_application_of_entra_id_is_let_in_by_one_token() {
    let (said, seen, sim, _home) = opinions("s3cret").await;
    assert!(said.iter().all(|opinion| opinion["available"] == true), "{said:?}");
    assert_eq!(sim.calls_to("/chat/completions").await.len(), 2);
    let seen = seen.lock().unwrap();
    let form = "grant_type=client_credentials&client_id=4b1c&client_secret=s3cret&scope=https%3A%2F%2Fai.azure.com%2F.default";
    assert_eq!(*seen, [("/acme.example/oauth2/v2.0/token".to_owned(), form.to_owned())], "one token serves both questions");
}

#[tokio::test]
async fn an_application_that_is_not_let_in_leaves_the_rules_alone_and_says_why() {
    let (said, _, sim, home) = opinions("wrong-one").await;
    for opinion in &said {
        assert_eq!(opinion["available"], false);
        let why = opinion["reason"].as_str().unwrap();
        assert!(why.contains("Entra ID: AADSTS7000215: Invalid client secret provided."), "{why}");
    }
    assert!(sim.calls_to("/chat/completions").await.is_empty(), "nothing goes to a model without a token");
    let log = std::fs::read_to_string(home.path().join("stderr.txt")).unwrap();
    assert!(!log.contains("wrong-one"), "the secret is in the log:\n{log}");
}

const HEAP: &str = "java.lang.OutOfMemoryError: Java heap space";

/// A ledger in which dana overrode the engine about [`HEAP`].
async fn overridden_ledger(path: &std::path::Path) {
    let now = Timestamp::from_second(1_764_000_000).unwrap();
    let ledger = SqliteLedger::open(path).await.unwrap();
    let failure = Failure {
        workspace: "acme-prod".into(),
        run: RunId(7),
        after_repair: None,
        job: JobFacts::default(),
        run_url: None,
        via: Via::Poll,
        result_state: None,
        termination_code: None,
        ended_at: None,
    };
    let Admission::Admitted(mut incident, _) = ledger.admit(failure, now).await.unwrap() else { panic!("it is new") };
    for state in [State::Collecting, State::Analysed, State::Decided, State::AwaitingApproval] {
        let mut next = incident.become_state(state).unwrap();
        let evidence = Evidence { run: FailureText { error: Some(HEAP.to_owned()), ..FailureText::default() }, ..Evidence::default() };
        let verdict = Classifier::shipped().classify_evidence(&evidence);
        next.incident.classification = Some(verdict.clone());
        if state == State::Analysed {
            next = next.happening(now, Actor::Agent, Happening::Classified(Box::new(verdict)));
        }
        *incident = ledger.commit(next, None).await.unwrap();
    }
    let instead = Instead { action: Action::Notify, cause: Some(Cause::Data), note: "the join needs a filter first".to_owned() };
    ledger.commit(incident.override_with(instead, "dana", now).unwrap(), None).await.unwrap();
}

#[tokio::test]
async fn the_prompt_has_what_people_decided_before() {
    let home = TempDir::new().unwrap();
    let path = home.path().join("ledger.db");
    overridden_ledger(&path).await;
    std::fs::write(home.path().join("error.txt"), HEAP).unwrap();
    let shown = |ledger: Option<&str>| {
        let mut command = runmend(home.path());
        command.args(["analyze", "--show-prompt", "error.txt"]);
        if let Some(ledger) = ledger {
            command.args(["--ledger", ledger]);
        }
        output(&mut command)
    };
    let said = "what people decided on this very error, newest first:\n- 2025-11-24 (cause by them: data) overrode the engine with notify; said: the join needs a filter first\n";
    let (prompt, _, code) = shown(path.to_str());
    assert!(prompt.contains(said) && code == Some(0), "{prompt}");
    assert!(!prompt.contains("dana"), "who it was is no business of a model");
    let older = in_first_schema(&path).await;
    assert_eq!(shown(older.to_str()).0, prompt, "a ledger of a runmend that kept it in the audit trail alone");
    let (without, _, _) = shown(None);
    assert_eq!(prompt.replace(said, "").lines().count(), without.lines().count());
    let (_, warning, code) = shown(Some("elsewhere.db"));
    assert!(warning.contains("no ledger there") && code == Some(0), "{warning}");
    assert!(!home.path().join("elsewhere.db").exists(), "a look makes no ledger");
}

/// As a person at a console does, as soon as the incident lets itself be moved.
async fn override_at_a_console(ledger: &SqliteLedger, id: &IncidentId) {
    let patience = tokio::time::timeout(std::time::Duration::from_secs(20), async {
        loop {
            let incident = ledger.incident(id).await.unwrap().unwrap();
            let instead = Instead { action: Action::Notify, cause: None, note: "the join needs a filter first".to_owned() };
            if let Ok(next) = incident.override_with(instead, "dana", Timestamp::now())
                && ledger.commit(next, None).await.is_ok()
            {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    });
    patience.await.unwrap();
}

#[tokio::test]
async fn an_override_is_asked_about_once() {
    let home = TempDir::new().unwrap();
    let sim = Sim::start(home.path());
    let settings = [
        "llm.provider=azure".to_owned(),
        "llm.ask=always".to_owned(),
        "llm.deployment=simulated-model".to_owned(),
        format!("llm.base_url={}", sim.url),
        format!("llm.api_key={}", sim.token),
    ];
    let arguments: Vec<&str> = settings.iter().flat_map(|setting| ["--set", setting]).collect();
    let mut agent = Agent::auto(home.path(), &sim.url, &sim.token, &arguments);
    let mut origins = Vec::new();
    for (job, overridden) in [("orders", false), ("invoices", true), ("returns", true), ("refunds", false)] {
        sim.order(json!({"do": "fail", "job": job, "error": HEAP, "duration_ms": 1, "truth": "never"})).await;
        let opinion = agent.event("opinion").await;
        agent.event("decided").await;
        origins.push(opinion["origin"].as_str().unwrap_or("none").to_owned());
        if overridden {
            let ledger = SqliteLedger::open(&home.path().join("data/ledger.db")).await.unwrap();
            override_at_a_console(&ledger, &opinion["incident"].as_str().unwrap().into()).await;
        }
    }
    agent.stop().await;
    assert_eq!(origins, ["asked", "cached", "asked", "cached"]);
    assert_eq!(sim.calls_to("/chat/completions").await.len(), 2);
}

#[test]
fn personal_data_leaves_when_a_setting_says_so() {
    let home = TempDir::new().unwrap();
    std::fs::write(home.path().join("error.txt"), "RuntimeError: refused for ana@example.com from 10.20.30.40, password=Winter77x")
        .unwrap();
    let shown = |settings: &[&str]| {
        let mut command = runmend(home.path());
        command.args(["analyze", "--show-prompt", "error.txt"]);
        settings.iter().for_each(|setting| {
            command.args(["--set", setting]);
        });
        output(&mut command).0
    };
    let usual = shown(&[]);
    assert!(usual.contains("refused for ana@example.com from 10.20.30.40, password=‹password-1›"), "{usual}");
    let strict = shown(&["redact.emails=true", "redact.ips=true"]);
    assert!(strict.contains("refused for ‹email-1› from ‹ip-1›, password=‹password-1›"), "{strict}");
}
