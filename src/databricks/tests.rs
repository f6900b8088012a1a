//! The client against small servers on loopback that behave as a workspace, a gateway or a broken line may.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

use super::transport::Transport;
use super::*;
use crate::domain::ids::TaskKey;
use crate::domain::intent::RunParameters;
use crate::domain::secret::Secret;
use crate::redact::control::strip_control;

/// Longest answer that the test's client takes, bytes.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// What the server does with one request.
#[derive(Clone)]
enum Reply {
    Http {
        status: u16,
        headers: String,
        body: String,
    },
    /// Reads the request and closes: the answer is lost.
    Lost,
    /// Says more than it sends.
    Cut,
}

fn ok(body: Value) -> Reply {
    Reply::Http { status: 200, headers: String::new(), body: body.to_string() }
}

fn status(status: u16, body: &str) -> Reply {
    Reply::Http { status, headers: String::new(), body: body.to_owned() }
}

struct Server {
    client: Client,
    /// First line, body.
    asked: Arc<Mutex<Vec<(String, String)>>>,
    heads: Arc<Mutex<Vec<String>>>,
    waits: Arc<Mutex<Vec<Duration>>>,
}

impl Server {
    /// The replies in order; the last one stays.
    async fn new(replies: Vec<Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
        let (asked, heads) = (Arc::<Mutex<Vec<_>>>::default(), Arc::<Mutex<Vec<_>>>::default());
        let (book, head_book) = (Arc::clone(&asked), Arc::clone(&heads));
        tokio::spawn(async move {
            let mut at = 0;
            while let Ok((mut stream, _)) = listener.accept().await {
                let (head, body) = read_request(&mut stream).await;
                book.lock().unwrap().push((head.lines().next().unwrap_or_default().to_owned(), body));
                head_book.lock().unwrap().push(head);
                answer(&mut stream, &replies[at.min(replies.len() - 1)]).await;
                at += 1;
            }
        });
        let waits = Arc::<Mutex<Vec<Duration>>>::default();
        let slept = Arc::clone(&waits);
        let sleep = Arc::new(move |time| -> futures_util::future::BoxFuture<'static, ()> {
            slept.lock().unwrap().push(time);
            Box::pin(std::future::ready(()))
        });
        let transport = Transport::for_test(&host, sleep, ANSWER_BYTES_MAX);
        Self { client: Client::over(WorkspaceName::from("acme"), transport), asked, heads, waits }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().iter().map(|(line, _)| line.trim_end_matches(" HTTP/1.1").to_owned()).collect()
    }

    fn bodies(&self) -> Vec<Value> {
        self.asked.lock().unwrap().iter().map(|(_, body)| serde_json::from_str(body).unwrap_or_default()).collect()
    }

    fn waits(&self) -> Vec<u64> {
        self.waits.lock().unwrap().iter().map(Duration::as_secs).collect()
    }
}

async fn read_request(stream: &mut TcpStream) -> (String, String) {
    let (mut raw, mut piece) = (Vec::new(), [0u8; 4096]);
    loop {
        let count = stream.read(&mut piece).await.unwrap_or_default();
        raw.extend_from_slice(&piece[..count]);
        let text = String::from_utf8_lossy(&raw).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
            if body.len() >= length {
                return (head.to_owned(), body.to_owned());
            }
        }
        if count == 0 {
            return (text, String::new());
        }
    }
}

async fn answer(stream: &mut TcpStream, reply: &Reply) {
    let text = match reply {
        Reply::Lost => return,
        Reply::Cut => "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\nconnection: close\r\n\r\n{\"runs\"".to_owned(),
        Reply::Http { status, headers, body } => {
            format!("HTTP/1.1 {status} X\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
        }
    };
    let _ = stream.write_all(text.as_bytes()).await;
    let _ = stream.shutdown().await;
}

fn repair() -> Effect {
    Effect::Repair { run: RunId(7), tasks: vec![TaskKey::from("a")], after: None, parameters: RunParameters::default() }
}

fn run_now() -> Effect {
    Effect::RunNow { job: JobId(3), token: "t".to_owned(), parameters: RunParameters::default() }
}

#[tokio::test]
async fn a_call_names_us_and_carries_the_token() {
    let server = Server::new(vec![ok(json!({}))]).await;
    let query =
        RunQuery { job_id: Some(JobId(3)), filter: run::RunFilter::CompletedOnly, started_from: "1970-01-01T00:00:01Z".parse().ok() };
    assert_eq!(server.client.list_runs(&query, Some("p=2")).await, Ok(RunPage::default()));
    assert_eq!(server.asked(), ["GET /api/2.2/jobs/runs/list?limit=25&completed_only=true&job_id=3&start_time_from=1000&page_token=p%3D2"]);
    let head = server.heads.lock().unwrap()[0].clone();
    assert!(head.contains("authorization: Bearer dapi-secret"), "{head}");
    assert!(head.contains(concat!("user-agent: runmend/", env!("CARGO_PKG_VERSION"))), "{head}");
}

#[tokio::test]
async fn answers_of_something_else_are_told_apart() {
    for (reply, want) in [
        (status(200, "<!DOCTYPE html><html>login</html>"), "an HTML page"),
        (status(200, "hello"), "no JSON: hello"),
        (ok(json!({"version": "7.1", "tagline": "You Know, for Search"})), "no list of runs"),
        (ok(json!([1])), "no list of runs"),
        (
            Reply::Http { status: 302, headers: "location: https://other.example/login.html?x=1\r\n".to_owned(), body: String::new() },
            "redirects to https://other.example/login.html;",
        ),
    ] {
        let server = Server::new(vec![reply]).await;
        let error = server.client.check().await.unwrap_err();
        assert!(matches!(error, ApiError::NotDatabricks { .. }), "{error:?}");
        assert!(error.to_string().contains(want), "{error}");
        assert_eq!(server.asked().len(), 1, "no redirect is followed, nothing is asked twice");
    }
}

#[tokio::test]
async fn a_busy_workspace_is_asked_again_after_the_time_it_names() {
    let busy = |status| Reply::Http { status, headers: "retry-after: 7\r\n".to_owned(), body: String::new() };
    let server = Server::new(vec![busy(429), busy(503), ok(json!({"runs": []}))]).await;
    assert_eq!(server.client.check().await, Ok(()));
    assert_eq!(server.waits(), [7, 7]);
}

#[tokio::test]
async fn tries_and_waits_end() {
    let server = Server::new(vec![status(429, "")]).await;
    assert!(matches!(server.client.check().await, Err(ApiError::RateLimited { .. })));
    assert_eq!(server.asked().len(), 5);

    let far = Reply::Http { status: 429, headers: "retry-after: 86400\r\n".to_owned(), body: String::new() };
    let server = Server::new(vec![far]).await;
    let Err(ApiError::RateLimited { retry_after, .. }) = server.client.check().await else { panic!("limited") };
    assert_eq!((server.asked().len(), retry_after), (1, Some(Duration::from_secs(15 * 60))), "a day is neither waited for nor believed");

    let server = Server::new(vec![status(500, "")]).await;
    assert!(matches!(server.client.check().await, Err(ApiError::Unavailable { status: 500, .. })));
    assert_eq!(server.asked().len(), 2);
}

#[tokio::test]
async fn a_repair_is_sent_again_only_when_it_was_surely_not_accepted() {
    for (first, tries, lost) in [
        (status(429, ""), 2, false),
        (status(503, ""), 1, true),
        (status(500, ""), 1, true),
        (status(400, r#"{"error_code":"INVALID_STATE","message":"run is active"}"#), 1, false),
        (status(200, "<html>"), 1, true),
        (Reply::Lost, 1, true),
        (Reply::Cut, 1, true),
    ] {
        let server = Server::new(vec![first, ok(json!({"repair_id": "9007199254740993"}))]).await;
        let answer = server.client.repair(&repair()).await;
        assert_eq!(server.asked().len(), tries, "{answer:?}");
        match answer {
            Ok(repair) => assert_eq!((repair, tries), (RepairId(9_007_199_254_740_993), 2)),
            Err(error) => assert_eq!(error.may_have_happened(), lost, "{error:?}"),
        }
    }
}

#[tokio::test]
async fn a_run_is_started_again_only_under_its_token() {
    for (first, tries) in [(status(429, ""), 2), (status(503, ""), 2), (status(500, ""), 1), (Reply::Lost, 1)] {
        let server = Server::new(vec![first, ok(json!({"run_id": 5}))]).await;
        let answer = server.client.run_now(&run_now()).await;
        assert_eq!(server.asked().len(), tries, "{answer:?}");
        assert!(server.bodies().iter().all(|body| body["idempotency_token"] == "t"));
    }
}

#[tokio::test]
async fn what_is_shown_is_what_is_sent() {
    let server = Server::new(vec![ok(json!({"repair_id": 1}))]).await;
    let planned = server.client.preview(&repair());
    server.client.repair(&repair()).await.unwrap();
    assert_eq!(server.asked(), [format!("{} {}", planned.method, planned.path)]);
    assert_eq!(server.bodies(), [serde_json::from_str::<Value>(&planned.body).unwrap()]);
    assert!(matches!(server.client.repair(&run_now()).await, Err(ApiError::Refused { .. })));
    assert_eq!(server.asked().len(), 1, "an effect of another kind is not sent");
}

#[tokio::test]
async fn nothing_sent_and_no_answer_are_two_things() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = Url::parse(&format!("http://{}/", closed.local_addr().unwrap())).unwrap();
    drop(closed);
    let sleep = Arc::new(|_| -> futures_util::future::BoxFuture<'static, ()> { Box::pin(std::future::ready(())) });
    let client = Client::over(WorkspaceName::from("acme"), Transport::for_test(&host, sleep, ANSWER_BYTES_MAX));
    let error = client.repair(&repair()).await.unwrap_err();
    assert!(matches!(error, ApiError::Unreachable { .. }) && !error.may_have_happened(), "{error:?}");

    let server = Server::new(vec![Reply::Lost]).await;
    let error = server.client.check().await.unwrap_err();
    assert!(matches!(error, ApiError::AnswerLost { .. }), "{error:?}");
    assert_eq!(server.asked().len(), 2, "a read may be asked again");
}

#[tokio::test]
async fn no_answer_is_longer_than_the_limit() {
    let server = Server::new(vec![ok(json!({"runs": [], "x": "y".repeat(2 * ANSWER_BYTES_MAX)}))]).await;
    let error = server.client.check().await.unwrap_err();
    assert!(error.to_string().contains("longer than 1048576 bytes"), "{error}");
}

#[tokio::test]
async fn an_older_workspace_is_spoken_to_in_its_version() {
    let missing = status(501, r#"{"error_code":"NOT_IMPLEMENTED","message":"no 2.2"}"#);
    let server = Server::new(vec![missing.clone(), ok(json!({"runs": []})), ok(json!({"repair_id": 1}))]).await;
    server.client.check().await.unwrap();
    server.client.repair(&repair()).await.unwrap();
    let lines = server.asked();
    assert_eq!(lines[1..], ["GET /api/2.1/jobs/runs/list?limit=1", "POST /api/2.1/jobs/runs/repair"]);

    // One endpoint that is missing is no older workspace.
    let server = Server::new(vec![missing, ok(json!({"run_id": 1}))]).await;
    assert!(matches!(server.client.repair(&repair()).await, Err(ApiError::NotOffered { .. })));
    server.client.run_now(&run_now()).await.unwrap();
    assert_eq!(server.asked()[1], "POST /api/2.2/jobs/run-now");
}

#[tokio::test]
async fn an_error_never_shows_the_token() {
    let server = Server::new(vec![status(400, r#"{"message":"bad header Bearer dapi-secret"}"#)]).await;
    let error = server.client.check().await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("dapi-secret"), "{error:?}");
    assert_eq!(Transport::new(&Url::parse("https://x/").unwrap(), &Secret::new("a\nb")).err(), Some(ClientError::Token));
}

#[tokio::test]
async fn a_run_of_many_tasks_is_joined_from_its_pages() {
    let page = |keys: &[(&str, i64, i64)], next: Option<&str>| {
        let tasks: Vec<Value> = keys
            .iter()
            .map(|(key, run_id, attempt)| {
                json!({"task_key": key, "run_id": run_id, "attempt_number": attempt, "job_cluster_key": "main",
                       "state": {"life_cycle_state": "TERMINATED", "result_state": "FAILED"}})
            })
            .collect();
        let clusters =
            if next.is_some() { json!([{"job_cluster_key": "main", "new_cluster": {"spark_version": "15.4"}}]) } else { json!([]) };
        ok(json!({"run_id": 900, "job_id": 11, "state": {"life_cycle_state": "INTERNAL_ERROR", "result_state": "FAILED"}, "end_time": 9000,
                  "tasks": tasks, "job_clusters": clusters, "next_page_token": next}))
    };
    let server = Server::new(vec![page(&[("a", 901, 0), ("a", 905, 1)], Some("2")), page(&[("b", 902, 0), ("a", 903, 0)], None)]).await;
    let run = server.client.run(RunId(900)).await.unwrap();
    let latest: Vec<_> = run.latest_attempts().iter().map(|task| (task.task_key.as_str(), task.run_id)).collect();
    assert_eq!(latest, [("a", Some(RunId(905))), ("b", Some(RunId(902)))], "the highest attempt of a key counts");
    assert!(run.tasks.iter().all(|task| task.settings.contains(&("spark_version".to_owned(), "15.4".to_owned()))));
    assert_eq!(run.state.standing(), run::Standing::Failed, "INTERNAL_ERROR is a failure");
    assert!(server.asked()[1].ends_with("&page_token=2"));

    let server = Server::new(vec![page(&[], Some("same"))]).await;
    assert!(matches!(server.client.run(RunId(900)).await, Err(ApiError::Malformed { .. })), "pages that never end do end");
}

#[tokio::test]
async fn the_output_is_stripped_bounded_and_asked_by_its_own_id() {
    let log = format!("{}\u{1b}[31mlast\u{1b}[0m", "line\n".repeat(100_000));
    let server = Server::new(vec![ok(
        json!({"error": "\u{1b}]0;owned\u{7}boom", "error_trace": null, "logs": log, "run_job_output": {"run_id": "12"}}),
    )])
    .await;
    let output = server.client.task_output(RunId(905)).await.unwrap();
    assert_eq!((output.error.as_deref(), output.error_trace, output.child_run), (Some("boom"), None, Some(RunId(12))));
    let logs = output.logs.unwrap();
    assert!(logs.ends_with("\nlast") && logs.len() <= 64 << 10 && output.logs_truncated);
    assert_eq!(strip_control(&logs), logs);
    assert_eq!(server.asked(), ["GET /api/2.2/jobs/runs/get-output?run_id=905"]);
}

#[tokio::test]
async fn a_bad_run_costs_itself_not_the_page() {
    let server =
        Server::new(vec![ok(json!({"runs": [{"run_id": 1}, {"run_id": {}}, {"run_id": 3, "state": {"life_cycle_state": "RUNNING"}}]}))])
            .await;
    let page = server.client.list_runs(&RunQuery::default(), None).await.unwrap();
    assert_eq!(page.runs.iter().map(|run| run.run_id.0).collect::<Vec<_>>(), [1, 3]);
    assert_eq!(page.malformed.len(), 1);
    assert_eq!(page.runs[0].state.standing(), run::Standing::Active, "no state at all, right after a start, is no end");
}
