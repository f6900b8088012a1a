//! Our Azure client against LiteLLM, a gateway of other people that takes Azure OpenAI's addresses and key header, with `llmock` behind it.
//! The dated form it reads and writes anew, errors included; `/openai/v1/` it passes on. Heavy (740 MB from PyPI once), so on request:
//!
//! `cargo test --test llm -- --ignored --nocapture gateway`
//!
//! `tests/peers/litellm.sh` starts it, in `target/litellm`.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use runmend::classify::Classifier;
use runmend::domain::Timestamp;
use runmend::domain::classification::{Counted, Opinion, Tokens};
use runmend::domain::evidence::FailureText;
use runmend::domain::secret::Secret;
use runmend::llm::{Connection, Delivery, NoOpinion, Options, PriceTable, Provider, connect};
use serde_json::{Value, json};
use url::Url;

use super::llmock;
use super::support::{self, Failed};

const DEPLOYMENT: &str = "gpt-4o-mini";
/// As `tests/peers/litellm.sh` has it.
const KEY: &str = "sk-litellm-of-the-tests";
const FORMS: [Option<&str>; 2] = [Some("2024-10-21"), None];
/// Its first start fetches it.
const START_TIME_MAX: Duration = Duration::from_secs(900);
const TIME_MAX: Duration = Duration::from_secs(6);

struct Gateway {
    child: Child,
    base: Url,
    behind: llmock::Server,
    failed: Failed,
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A question to it.
#[derive(Clone, Copy, Debug)]
struct Asked<'a> {
    version: Option<&'a str>,
    deployment: &'a str,
    key: &'a str,
    delivery: Delivery,
}

impl Asked<'_> {
    fn well(version: Option<&str>) -> Asked<'_> {
        Asked { version, deployment: DEPLOYMENT, key: KEY, delivery: Delivery::Streamed }
    }
}

impl Gateway {
    async fn start(behind: llmock::Server) -> Self {
        let package = Path::new(env!("CARGO_MANIFEST_DIR"));
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
        let mut command = Command::new("bash");
        command.arg(package.join("tests/peers/litellm.sh")).arg(package.join("target/litellm")).args([&port, &behind.base]);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let base = Url::parse(&format!("http://127.0.0.1:{port}")).unwrap();
        let text = FailureText { error: Some("java.lang.OutOfMemoryError: Java heap space".to_owned()), ..FailureText::default() };
        let failed = support::failed(&Classifier::shipped(), &text);
        let mut gateway = Self { child, base, behind, failed };
        let alive = gateway.base.join("health/liveliness").unwrap();
        let give_up = Instant::now() + START_TIME_MAX;
        while gateway.behind.http.get(alive.clone()).send().await.is_err() {
            assert_eq!(gateway.child.try_wait().unwrap(), None, "it ended; `bash tests/peers/litellm.sh` says why");
            assert!(Instant::now() < give_up, "LiteLLM did not start");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        gateway
    }

    async fn ask(&self, asked: Asked<'_>) -> (Result<Opinion, NoOpinion>, String, Duration) {
        let connection = Connection {
            provider: Provider::Azure,
            base_url: Some(self.base.clone()),
            deployment: Some(asked.deployment.to_owned()),
            model: None,
            api_version: asked.version.map(str::to_owned),
            credential: runmend::llm::provider::key(Provider::Azure, Some(Secret::new(asked.key))),
        };
        let options = Options { time_max: TIME_MAX, delivery: asked.delivery, ..Options::default() };
        let desk = support::desk(connect(&connection).unwrap(), options);
        let (started, mut shown) = (Instant::now(), String::new());
        let said = support::opinion(&desk, &self.failed, Timestamp::UNIX_EPOCH, &mut shown).await;
        (said, shown, started.elapsed())
    }

    /// An opinion, what it used and what it cost.
    async fn answers(&self, asked: Asked<'_>) -> (Counted, Duration) {
        let (said, shown, took) = self.ask(asked).await;
        let opinion = said.unwrap_or_else(|reason| panic!("{asked:?}: {reason}"));
        assert_eq!(opinion.model, DEPLOYMENT, "{asked:?}");
        assert!(opinion.tokens.input > 300 && opinion.tokens.output > 10, "{asked:?}: {:?}", opinion.tokens);
        let (cost, want) = (opinion.cost_usd.unwrap().get(), PriceTable::shipped().get(DEPLOYMENT).unwrap().of(&opinion.tokens).get());
        assert!((cost - want).abs() < 1e-9, "{asked:?}: {cost}, not {want}");
        assert!(!shown.is_empty(), "{asked:?}");
        (opinion.tokens.counted, took)
    }

    /// No opinion, and these words of its reason; never the key.
    async fn refuses(&self, asked: Asked<'_>, words: &str) -> Duration {
        let (said, _, took) = self.ask(asked).await;
        let reason = said.unwrap_err().to_string();
        println!("{asked:?} after {took:?}: {reason}");
        assert!(reason.contains(words), "{asked:?}: {reason}");
        assert!(!reason.contains(asked.key), "{asked:?}: {reason}");
        assert!(took < TIME_MAX + Duration::from_secs(2), "{asked:?}: {took:?}");
        took
    }

    async fn behaves(&self, behaviors: Value) {
        self.behind.post("reset", &json!({})).await;
        self.behind.post("scenario", &json!({"behaviors": behaviors})).await;
    }
}

#[tokio::test]
#[ignore = "fetches a gateway of 740 MB; see the top of this file"]
async fn gateway() {
    let program = llmock::program().expect("llmock in the Python that RUNMEND_TEST_PYTHON names");
    let started = Instant::now();
    let mut gateway = Gateway::start(llmock::Server::start(&program).await).await;
    println!("LiteLLM is there after {:?}", started.elapsed());
    for version in FORMS {
        let well = Asked::well(version);
        assert_eq!(gateway.answers(well).await.0, Counted::ByProvider);
        assert_eq!(gateway.answers(Asked { delivery: Delivery::Whole, ..well }).await.0, Counted::ByProvider);
        let wrong = Asked { key: "sk-00000000000000000000000000000000", ..well };
        gateway.refuses(wrong, "refused our credential (401): Authentication Error, Invalid proxy server token").await;

        gateway.behaves(json!([{"type": "fail", "status": 429, "retry_after": 4, "times": 1}])).await;
        let (_, took) = gateway.answers(well).await;
        assert!(took >= Duration::from_secs(4), "{version:?}: the wait that the server asked for was {took:?}");
        for (status, words) in [(429, "rate limit is reached until"), (401, "refused our credential (401)"), (500, "server failed (500)")] {
            gateway.behaves(json!([{"type": "fail", "status": status, "retry_after": 60, "times": null}])).await;
            let took = gateway.refuses(well, words).await;
            assert!(status == 500 || took < Duration::from_secs(1), "{version:?} {status}: it was asked once more, {took:?}");
        }
        let filtered = "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.";
        gateway.behaves(json!([{"type": "fail", "status": 400, "code": "content_filter", "message": filtered, "times": null}])).await;
        gateway.refuses(well, "content filter").await;
        for kind in ["disconnect", "truncate", "malformed"] {
            gateway.behaves(json!([{"type": "stream_fault", "kind": kind, "after_chunks": 2, "times": 1}])).await;
            gateway.answers(well).await;
        }
        gateway.behaves(json!([{"type": "stream_fault", "kind": "stall", "after_chunks": 2, "stall_seconds": 60, "times": 1}])).await;
        gateway.refuses(well, "no answer within 6s").await;
        gateway.behind.post("reset", &json!({})).await;
    }
    let unknown = Asked { deployment: "gpt-nowhere", ..Asked::well(FORMS[0]) };
    gateway.refuses(unknown, "there is no such model, deployment or API version: ").await;
    gateway.reckons_as_we_do().await;

    gateway.behind.stop();
    for version in FORMS {
        gateway.refuses(Asked::well(version), "server failed (500)").await;
    }
    gateway.child.kill().unwrap();
    gateway.child.wait().unwrap();
    for version in FORMS {
        gateway.refuses(Asked::well(version), "cannot be reached").await;
    }
}

impl Gateway {
    /// LiteLLM has a price table of its own.
    async fn reckons_as_we_do(&self) {
        let url = self.base.join(&format!("openai/deployments/{DEPLOYMENT}/chat/completions?api-version=2024-10-21")).unwrap();
        let question = json!({"messages": [{"role": "user", "content": "the same words again ".repeat(500)}]});
        let answer = self.behind.http.post(url).header("api-key", KEY).json(&question).send().await.unwrap();
        let theirs: f64 = answer.headers()["x-litellm-response-cost"].to_str().unwrap().parse().unwrap();
        let answer: Value = answer.json().await.unwrap();
        let count = |name: &str| answer["usage"][name].as_u64().unwrap();
        let tokens = Tokens { input: count("prompt_tokens"), output: count("completion_tokens"), ..Tokens::default() };
        let ours = PriceTable::shipped().get(DEPLOYMENT).unwrap().of(&tokens);
        assert!((ours.get() - theirs).abs() < 1e-6 && theirs > 0.0001, "{ours} here, {theirs} there for {tokens:?}");
    }
}
