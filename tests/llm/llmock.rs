//! Against `llmock`, a server of other people that breaks on request and judges its client. Needs an interpreter with it in
//! RUNMEND_TEST_PYTHON, as `.ci/run` sets it up.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use runmend::classify::Classifier;
use runmend::domain::Timestamp;
use runmend::domain::evidence::FailureText;
use runmend::llm::{Connection, Credential, Options, Provider, connect};
use serde_json::{Value, json};
use url::Url;

use super::support::{self, Failed};

pub struct Server {
    child: Child,
    pub base: String,
    pub http: reqwest::Client,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `None`, with its reason, where there is no interpreter; in CI that is a failure.
pub fn program() -> Option<PathBuf> {
    let python = std::env::var_os("RUNMEND_TEST_PYTHON").map(PathBuf::from);
    let program = python.as_deref().and_then(Path::parent).map(|folder| folder.join("llmock")).filter(|path| path.exists());
    if program.is_none() {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "llmock: RUNMEND_TEST_PYTHON names no Python that has it");
        eprintln!("SKIPPED llmock: RUNMEND_TEST_PYTHON names no Python that has it (.ci/run makes one)");
    }
    program
}

impl Server {
    pub async fn start(program: &Path) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
        let mut command = Command::new(program);
        let child =
            command.args(["serve", "--log-level", "error", "--port", &port]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let server = Self { child, base: format!("http://127.0.0.1:{port}"), http };
        let give_up = Instant::now() + Duration::from_secs(60);
        while server.http.get(format!("{}/v1/models", server.base)).send().await.is_err() {
            assert!(Instant::now() < give_up, "llmock did not start");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        server
    }

    pub async fn post(&self, path: &str, body: &Value) {
        let answer = self.http.post(format!("{}/_llmock/{path}", self.base)).json(body).send().await.unwrap();
        assert!(answer.status().is_success(), "{path} {body}: {}", answer.text().await.unwrap());
    }

    pub fn stop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// The behaviours, then what the agent hears: an opinion or words of the reason. What llmock finds wrong with us is a failure.
    async fn check(&self, failed: &Failed, behaviors: Value, want: Result<(), &str>) {
        self.post("reset", &json!({})).await;
        if behaviors != json!([]) {
            self.post("scenario", &json!({"behaviors": behaviors})).await;
        }
        let connection = Connection {
            provider: Provider::OpenAi,
            base_url: Some(Url::parse(&self.base).unwrap()),
            deployment: None,
            model: Some("gpt-4o".to_owned()),
            api_version: None,
            credential: Credential::None,
        };
        let options = Options { time_max: Duration::from_secs(3), ..Options::default() };
        let desk = support::desk(connect(&connection).unwrap(), options);
        let (started, mut shown) = (Instant::now(), String::new());
        let said = support::opinion(&desk, failed, Timestamp::UNIX_EPOCH, &mut shown).await;
        assert!(started.elapsed() < Duration::from_secs(4), "{behaviors}: {:?}", started.elapsed());
        match (&said, want) {
            (Ok(opinion), Ok(())) => assert!(!opinion.grounded && opinion.tokens.output > 0, "{behaviors}: {opinion:#?}"),
            (Err(reason), Err(words)) => assert!(reason.to_string().contains(words), "{behaviors}: {reason}"),
            _ => panic!("{behaviors}: {said:#?}, not {want:?}"),
        }
        let verdict: Value = self.http.get(format!("{}/_llmock/verdict", self.base)).send().await.unwrap().json().await.unwrap();
        // A broken stream is asked for anew as one document, which llmock takes for another call, and the first one for accepted.
        let wrong = |finding: &&Value| finding["severity"] == "error" && finding["code"] != "truncated_stream_accepted";
        let findings = verdict["findings"].as_array().unwrap();
        assert_eq!(findings.iter().filter(wrong).count(), 0, "{behaviors}: {verdict:#}");
    }
}

#[tokio::test]
async fn whatever_breaks_there_ends_in_words_and_in_time() {
    let Some(program) = program() else { return };
    let server = Server::start(&program).await;
    let text = FailureText { error: Some("java.lang.OutOfMemoryError: Java heap space".to_owned()), ..FailureText::default() };
    let failed = support::failed(&Classifier::shipped(), &text);
    let fault = |kind: &str| json!([{"type": "stream_fault", "kind": kind, "after_chunks": 2, "stall_seconds": 60, "times": 1}]);
    let verdict = "{\"quotes\": [], \"summary\": \"s\", \"cause\": \"oom\"";
    for (behaviors, want) in [
        (json!([]), Ok(())),
        (json!([{"type": "fail", "status": 429, "retry_after": 1, "times": 1}]), Ok(())),
        (json!([{"type": "fail", "status": 429, "retry_after": 60, "times": null}]), Err("rate limit is reached until")),
        (json!([{"type": "fail", "status": 500, "times": 1}]), Ok(())),
        (json!([{"type": "fail", "status": 500, "times": null}]), Err("server failed (500)")),
        (json!([{"type": "fail", "status": 401, "times": null}]), Err("refused our credential (401)")),
        (json!([{"type": "fail", "status": 400, "code": "content_filter", "times": null}]), Err("content filter")),
        (fault("stall"), Err("no answer within 3s")),
        (fault("disconnect"), Ok(())),
        (fault("truncate"), Ok(())),
        (fault("malformed"), Ok(())),
        (json!([{"type": "reply", "text": verdict, "times": 1}]), Ok(())),
        (json!([{"type": "reply", "text": "I would retry it.", "times": null}]), Err("two answers were no verdict")),
        (json!([{"type": "reply", "text": verdict, "finish_reason": "length", "times": null}]), Err("cut at")),
    ] {
        server.check(&failed, behaviors, want).await;
    }
}
