//! Each provider before a real HTTP server that answers with recorded exchanges.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Response, Uri};
use futures_util::stream::{self, StreamExt};
use serde_json::{Value, json};
use url::Url;

use super::support::{self, HIT};
use crate::domain::classification::Tokens;
use crate::domain::job::JobFacts;
use crate::domain::secret::Secret;
use crate::llm::model::{Message, Role};
use crate::llm::prompt::Alike;
use crate::llm::{
    Answer, Connection, Credential, Delivery, Desk, Model, ModelError, Occasion, Options, PriceTable, Provider, Question, Request, connect,
    schema,
};

/// One recorded answer.
#[derive(Clone)]
struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    pieces: Vec<Vec<u8>>,
    end: End,
}

#[derive(Clone, Copy, PartialEq)]
enum End {
    Clean,
    /// The connection breaks.
    Cut,
    /// Nothing more comes, and it stays open.
    Stall,
}

struct Seen {
    uri: String,
    headers: HeaderMap,
    body: Value,
}

impl Seen {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

#[derive(Clone, Default)]
struct Server {
    replies: Arc<Mutex<VecDeque<Reply>>>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

fn json_reply(status: u16, body: impl ToString) -> Reply {
    Reply {
        status,
        headers: vec![("content-type", "application/json".to_owned())],
        pieces: vec![body.to_string().into_bytes()],
        end: End::Clean,
    }
}

/// Each event in a piece of its own, cut in the middle.
fn events(events: &[Value]) -> Reply {
    let mut bytes = Vec::new();
    for event in events {
        let event = event.as_str().map_or_else(|| event.to_string(), str::to_owned);
        bytes.extend(if event.starts_with(':') { format!("{event}\n\n") } else { format!("data: {event}\n\n") }.into_bytes());
    }
    let pieces = bytes.chunks(17).map(<[u8]>::to_vec).collect();
    Reply { status: 200, headers: vec![("content-type", "text/event-stream; charset=utf-8".to_owned())], pieces, end: End::Clean }
}

fn delta(text: &str) -> Value {
    json!({"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": null}], "model": "gpt-4o-2024-08-06", "usage": null})
}

fn finish(reason: &str) -> Value {
    json!({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
}

fn usage() -> Value {
    json!({"choices": [], "usage": {"prompt_tokens": 900, "completion_tokens": 120, "total_tokens": 1020, "prompt_tokens_details": {"cached_tokens": 256}, "completion_tokens_details": null}})
}

fn done() -> Value {
    "[DONE]".into()
}

fn whole(content: &str) -> Reply {
    json_reply(
        200,
        json!({"model": "m", "choices": [{"message": {"role": "assistant", "content": content}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 2}}),
    )
}

async fn answer(State(server): State<Server>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response<Body> {
    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    server.seen.lock().unwrap().push(Seen { uri: uri.to_string(), headers, body });
    let reply = server.replies.lock().unwrap().pop_front().unwrap_or_else(|| json_reply(599, "no reply is left"));
    let mut response = Response::builder().status(reply.status);
    for (name, value) in reply.headers {
        response = response.header(name, value);
    }
    let pieces = stream::iter(reply.pieces.into_iter().map(Ok::<_, std::io::Error>));
    let end = reply.end;
    let tail = stream::once(async move {
        match end {
            End::Stall => std::future::pending().await,
            End::Cut | End::Clean => Err(std::io::Error::other("cut")),
        }
    });
    let body = if end == End::Clean { Body::from_stream(pieces) } else { Body::from_stream(pieces.chain(tail)) };
    response.body(body).unwrap()
}

async fn serve(replies: impl IntoIterator<Item = Reply>) -> (Url, Server) {
    let server = Server { replies: Arc::new(Mutex::new(replies.into_iter().collect())), ..Server::default() };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let app = axum::Router::new().fallback(answer).with_state(server.clone());
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    (url, server)
}

fn connection(provider: Provider, base: &Url) -> Connection {
    Connection {
        provider,
        base_url: Some(base.clone()),
        deployment: None,
        model: Some("a-model".to_owned()),
        api_version: None,
        credential: crate::llm::provider::key(provider, Some(Secret::new("sk-not-a-key"))),
    }
}

fn request(delivery: Delivery) -> Request {
    let message = |role, text: &str| Message { role, text: text.to_owned() };
    let messages = vec![message(Role::System, "Answer in JSON."), message(Role::User, "What failed?")];
    Request { messages, schema: &schema::VERDICT, answer_tokens_max: 600, delivery }
}

async fn ask(model: &dyn Model, delivery: Delivery) -> (Result<Answer, ModelError>, String) {
    let mut shown = String::new();
    let answer = model.ask(&request(delivery), &mut |piece| shown.push_str(piece)).await;
    (answer, shown)
}

/// One answer of an OpenAI-compatible server, and what comes of it.
async fn check(reply: Reply, want: Result<&str, &str>) {
    let (url, _) = serve([reply]).await;
    let model = connect(&connection(Provider::OpenAi, &url)).unwrap();
    let (answer, _) = ask(model.as_ref(), Delivery::Streamed).await;
    let said = answer.map(|answer| answer.text).map_err(|error| error.to_string());
    match (&said, want) {
        (Ok(text), Ok(want)) => assert_eq!(text, want),
        (Err(error), Err(want)) => assert!(error.contains(want), "{error} does not say {want}"),
        _ => panic!("{said:?}, not {want:?}"),
    }
}

#[tokio::test]
async fn azure_streams_with_its_filters() {
    let (url, server) = serve([events(&[
        json!({"id": "", "model": "", "object": "", "created": 0, "choices": [], "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": {"hate": {"filtered": false, "severity": "safe"}}}]}),
        delta(""),
        delta("{\"a\": \"Zürich"),
        json!({"choices": [{"index": 0, "finish_reason": null, "content_filter_offsets": {"check_offset": 0}, "content_filter_results": {"hate": {"filtered": false}}}]}),
        delta(" 東京\"}"),
        finish("stop"),
        usage(),
        done(),
    ])])
    .await;
    let dated = Connection {
        deployment: Some("gpt4o-prod".to_owned()),
        api_version: Some("2024-10-21".to_owned()),
        ..connection(Provider::Azure, &url)
    };
    let (answer, shown) = ask(connect(&dated).unwrap().as_ref(), Delivery::Streamed).await;
    let answer = answer.unwrap();
    assert_eq!((answer.text.as_str(), shown.as_str()), ("{\"a\": \"Zürich 東京\"}", "{\"a\": \"Zürich 東京\"}"));
    assert_eq!(answer.tokens, Some(Tokens { input: 900, cached: 256, output: 120, ..Tokens::default() }));
    assert_eq!(answer.model.as_deref(), Some("gpt-4o-2024-08-06"));
    let seen = server.seen.lock().unwrap();
    assert_eq!(seen[0].uri, "/openai/deployments/gpt4o-prod/chat/completions?api-version=2024-10-21");
    assert_eq!((seen[0].header("api-key"), seen[0].header("authorization")), (Some("sk-not-a-key"), None));
    let body = &seen[0].body;
    assert_eq!((body.get("model"), &body["stream_options"]["include_usage"], &body["max_tokens"]), (None, &json!(true), &json!(600)));
    assert_eq!(body["response_format"]["json_schema"]["strict"], json!(true));
    assert_eq!(body["messages"][0], json!({"role": "system", "content": "Answer in JSON."}));
}

#[tokio::test]
async fn azure_v1_with_an_entra_token() {
    let (url, server) = serve([whole("{}")]).await;
    let v1 = Connection {
        deployment: Some("d".to_owned()),
        credential: Credential::Bearer(Secret::new("eyJ.token")),
        ..connection(Provider::Azure, &url)
    };
    ask(connect(&v1).unwrap().as_ref(), Delivery::Whole).await.0.unwrap();
    let seen = server.seen.lock().unwrap();
    assert_eq!((seen[0].uri.as_str(), &seen[0].body["model"]), ("/openai/v1/chat/completions", &json!("d")));
    assert_eq!((seen[0].header("authorization"), seen[0].header("api-key")), (Some("Bearer eyJ.token"), None));
    assert_eq!((seen[0].body.get("stream"), seen[0].body.get("stream_options")), (None, None));
}

#[tokio::test]
async fn an_entra_token_is_renewed_before_its_end_and_when_it_is_refused() {
    use crate::llm::entra::{Client, Entra};
    let token = |name: &str| json_reply(200, json!({"expires_in": "3600", "access_token": name}));
    let refused = || json_reply(401, r#"{"error":{"message":"the token is_not_valid eyJ.three"}}"#);
    let replies = [token("eyJ.one"), whole("{}"), whole("{}"), token("eyJ.two"), whole("{}")];
    let (url, server) = serve(replies.into_iter().chain([refused(), token("eyJ.three"), refused()])).await;
    let client = Client {
        tenant: "t".to_owned(),
        client_id: "c".to_owned(),
        client_secret: Secret::new("s"),
        scope: "https://ai.azure.com/.default".to_owned(),
    };
    let credential = Credential::Tokens(Arc::new(Entra::new(&url, client).unwrap()));
    let azure = Connection { deployment: Some("d".to_owned()), credential, ..connection(Provider::Azure, &url) };
    let model = connect(&azure).unwrap();
    let later = async |seconds| {
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(seconds)).await;
        tokio::time::resume();
    };
    ask(model.as_ref(), Delivery::Whole).await.0.unwrap();
    later(3200).await;
    ask(model.as_ref(), Delivery::Whole).await.0.unwrap();
    later(150).await;
    ask(model.as_ref(), Delivery::Whole).await.0.unwrap();
    let error = ask(model.as_ref(), Delivery::Whole).await.0.unwrap_err();
    assert_eq!(error.to_string(), "the model's server refused our credential (401): the token is_not_valid ‹redacted›");
    let seen = server.seen.lock().unwrap();
    let shown: Vec<&str> = seen.iter().map(|seen| seen.header("authorization").unwrap_or("(asks for one)")).collect();
    let asks = "(asks for one)";
    assert_eq!(
        shown,
        [asks, "Bearer eyJ.one", "Bearer eyJ.one", asks, "Bearer eyJ.two", "Bearer eyJ.two", asks, "Bearer eyJ.three"],
        "reused, renewed five minutes before its end, and once more when it was refused"
    );
}

#[test]
fn a_client_secret_does_not_go_in_the_clear() {
    let client = crate::llm::entra::Client {
        tenant: "t".to_owned(),
        client_id: "c".to_owned(),
        client_secret: Secret::new("s"),
        scope: String::new(),
    };
    let url = Url::parse("http://login.example.com").unwrap();
    let error = crate::llm::entra::Entra::new(&url, client).map(|_| ()).unwrap_err();
    assert_eq!(error.to_string(), "llm.authority is `http://login.example.com/`: a client secret goes over https only");
}

#[tokio::test]
async fn an_entra_token_is_fetched_once_and_renewed() {
    use crate::llm::credential::TokenSource;
    use crate::llm::entra::{Client, Entra};
    let token = |name: &str, lasts: u64| json_reply(200, json!({"token_type": "Bearer", "expires_in": lasts, "access_token": name}));
    let denied = json_reply(401, json!({"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret provided."}));
    let (url, server) = serve([token("long", 3599), token("short", 10), token("next", 10), denied]).await;
    let client = |id: &str| Client {
        tenant: "t".to_owned(),
        client_id: id.to_owned(),
        client_secret: Secret::new("s&cret="),
        scope: "https://ai.azure.com/.default".to_owned(),
    };
    let long = Entra::new(&url, client("a")).unwrap();
    assert_eq!((long.token().await.unwrap().expose(), long.token().await.unwrap().expose()), ("long", "long"));
    let short = Entra::new(&url, client("b")).unwrap();
    assert_eq!((short.token().await.unwrap().expose(), short.token().await.unwrap().expose()), ("short", "next"));
    let error = short.token().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the model's server refused our credential (401): Entra ID: AADSTS7000215: Invalid client secret provided."
    );
    assert_eq!(server.seen.lock().unwrap()[0].uri, "/t/oauth2/v2.0/token");
}

#[tokio::test]
async fn llama_cpp_pings_and_says_null_first() {
    let first =
        json!({"choices": [{"finish_reason": null, "index": 0, "delta": {"role": "assistant", "content": null}}], "model": "qwen05"});
    let last = json!({"choices": [], "model": "qwen05", "usage": {"completion_tokens": 89, "prompt_tokens": 167, "total_tokens": 256}, "timings": {"x": 1}});
    check(events(&[": ping".into(), first, delta("{"), ": ping".into(), delta("}"), finish("stop"), last, done()]), Ok("{}")).await;
}

#[tokio::test]
async fn databricks_gets_only_what_it_knows_and_answers_in_blocks() {
    let blocks = json!([{"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]}, {"type": "text", "text": "{\"a\""}]);
    let more = json!({"choices": [{"delta": {"content": [{"type": "text", "text": ":1}"}]}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 5, "completion_tokens": 3}});
    let (url, server) = serve([events(&[json!({"choices": [{"delta": {"content": blocks}}]}), more, done()])]).await;
    let (answer, _) = ask(connect(&connection(Provider::Databricks, &url)).unwrap().as_ref(), Delivery::Streamed).await;
    let answer = answer.unwrap();
    assert_eq!((answer.text.as_str(), answer.tokens.map(|tokens| tokens.input)), ("{\"a\":1}", Some(5)));
    let seen = server.seen.lock().unwrap();
    assert_eq!(seen[0].uri, "/serving-endpoints/a-model/invocations");
    let mut keys: Vec<_> = seen[0].body.as_object().unwrap().keys().cloned().collect();
    keys.sort();
    assert_eq!(keys, ["max_tokens", "messages", "response_format", "stream", "temperature"]);
}

#[tokio::test]
async fn ollama_speaks_lines_and_gets_its_context() {
    let lines = |end: Value| Reply {
        headers: vec![("content-type", "application/x-ndjson".to_owned())],
        pieces: format!(
            "{}\n{}\n{end}\n",
            json!({"message": {"role": "assistant", "content": "{\"a\""}, "done": false}),
            json!({"message": {"content": ":1}"}, "done": false})
        )
        .into_bytes()
        .chunks(7)
        .map(<[u8]>::to_vec)
        .collect(),
        ..json_reply(200, "")
    };
    let end = |reason: &str, count: u64| json!({"model": "m", "done": true, "done_reason": reason, "prompt_eval_count": count, "eval_count": 9, "message": {"content": ""}});
    let (url, server) = serve([
        lines(end("stop", 20)),
        lines(end("length", 20)),
        lines(end("stop", 4096)),
        lines(json!({"error": "model runner has unexpectedly stopped"})),
        lines(json!({})),
    ])
    .await;
    let model = connect(&connection(Provider::Ollama, &url)).unwrap();
    let mut said = Vec::new();
    for _ in 0..5 {
        said.push(
            ask(model.as_ref(), Delivery::Streamed)
                .await
                .0
                .map(|answer| (answer.text, answer.tokens.map(|tokens| tokens.input)))
                .map_err(|error| error.to_string()),
        );
    }
    assert_eq!(said[0], Ok(("{\"a\":1}".to_owned(), Some(20))));
    assert_eq!(
        said[1..4],
        [
            Err("the answer was cut at 600 tokens".to_owned()),
            Err("the prompt is too long: it fills the whole context of 4096 tokens".to_owned()),
            Err("the model's server failed (500): model runner has unexpectedly stopped".to_owned()),
        ]
    );
    assert!(said[4].as_ref().unwrap_err().contains("ended before"));
    let seen = server.seen.lock().unwrap();
    assert_eq!(
        (seen[0].uri.as_str(), &seen[0].body["options"]["num_ctx"], &seen[0].body["format"]["type"]),
        ("/api/chat", &json!(4096), &json!("object"))
    );
}

#[tokio::test]
async fn what_can_go_wrong_with_an_answer() {
    let good = [delta("{\"a\":"), delta("1}"), finish("stop"), usage(), done()];
    check(events(&good), Ok("{\"a\":1}")).await;
    check(events(&good[..4]), Ok("{\"a\":1}")).await;
    check(events(&good[..2]), Err("the answer broke off")).await;
    check(Reply { end: End::Cut, ..events(&good[..2]) }, Err("the answer broke off")).await;
    check(events(&[delta("{"), "{\"choices\": [{\"del".into(), delta("}"), finish("stop"), done()]), Err("not whole JSON")).await;
    check(events(&[delta("{"), finish("stop"), json!({"choices": [{"index": 0, "finish_reason": "content_filter", "content_filter_results": {"violence": {"filtered": true}}}]}), done()]), Err("content filter stopped it (violence)")).await;
    check(events(&[delta("{"), finish("length"), usage(), done()]), Err("cut at 600 tokens")).await;
    check(events(&[finish("stop"), done()]), Err("an empty answer")).await;
    check(events(&[delta("{"), json!({"error": {"message": "overloaded", "code": 503}})]), Err("busy (503): overloaded")).await;
    check(
        events(&[json!({"choices": [{"delta": {"refusal": "I can't help with that."}, "finish_reason": "stop"}]}), done()]),
        Err("the model declined: I can't help"),
    )
    .await;
    check(events(&[delta(&"x".repeat(70_000)), finish("stop"), done()]), Err("longer than 65536 bytes")).await;
    check(whole("{\"a\": 1}"), Ok("{\"a\": 1}")).await;
    check(json_reply(200, "<html>sign in</html>"), Err("not whole JSON")).await;
    check(json_reply(200, json!({"error": "model not loaded"})), Err("model not loaded")).await;
    check(
        json_reply(500, json!({"error": {"message": "Internal server error.", "type": "server_error"}})),
        Err("failed (500): Internal server error."),
    )
    .await;
    check(json_reply(401, json!({"error": {"message": "Incorrect API key provided: sk-not-a-key."}})), Err("provided: ‹redacted›.")).await;
    let prompt = json!({"error": {"code": "content_filter", "param": "prompt", "innererror": {"content_filter_result": {"jailbreak": {"filtered": true, "detected": true}}}}});
    check(json_reply(400, prompt), Err("content filter stopped it (jailbreak)")).await;
    let big = Reply { pieces: vec![vec![b' '; 5 << 20]], ..json_reply(200, "") };
    check(big, Err("longer than 4194304 bytes")).await;
    let elsewhere = Reply { headers: vec![("location", "https://elsewhere.example.net/".to_owned())], ..json_reply(302, "") };
    check(elsewhere, Err("it points elsewhere (https://elsewhere.example.net/)")).await;
}

#[tokio::test]
async fn a_limit_says_when_to_come_back() {
    let limited = |headers: Vec<(&'static str, String)>| Reply {
        headers,
        ..json_reply(429, json!({"error": {"message": "slow", "code": "rate_limit_exceeded"}}))
    };
    let behind_litellm = vec![("llm_provider-retry-after", "7".to_owned())];
    let both = vec![("retry-after-ms", "1500".to_owned()), ("retry-after", "2".to_owned())];
    let (url, _) = serve([limited(both), limited(behind_litellm), limited(vec![])]).await;
    let model = connect(&connection(Provider::OpenAi, &url)).unwrap();
    for want in [Some(Duration::from_millis(1500)), Some(Duration::from_secs(7)), None] {
        let error = ask(model.as_ref(), Delivery::Whole).await.0.unwrap_err();
        assert!(matches!(error, ModelError::Busy { retry_after, .. } if retry_after == want), "{error:?}");
    }
    let paced = Reply {
        headers: vec![("x-ratelimit-remaining-requests", "0".to_owned()), ("x-ratelimit-reset-requests", "6m0s".to_owned())],
        ..whole("{}")
    };
    let (url, _) = serve([paced]).await;
    let model = connect(&connection(Provider::OpenAi, &url)).unwrap();
    let answer = ask(model.as_ref(), Delivery::Whole).await.0.unwrap();
    assert_eq!((answer.pace.remaining_requests, answer.pace.reset_requests), (Some(0), Some(Duration::from_secs(360))));
}

#[tokio::test]
async fn what_a_server_refuses_is_not_sent_again() {
    let refuses = |field: &str| {
        json_reply(
            400,
            json!({"error": {"message": format!("Unsupported parameter: '{field}' is not supported with this model."), "param": field, "code": "unsupported_parameter"}}),
        )
    };
    let (url, server) = serve([refuses("max_tokens"), refuses("temperature"), refuses("response_format"), whole("{}"), whole("{}")]).await;
    let model = connect(&connection(Provider::OpenAi, &url)).unwrap();
    for _ in 0..2 {
        ask(model.as_ref(), Delivery::Whole).await.0.unwrap();
    }
    let seen = server.seen.lock().unwrap();
    assert_eq!(seen.len(), 5, "the second question knows");
    for body in [&seen[3].body, &seen[4].body] {
        assert_eq!((body.get("max_tokens"), body.get("temperature")), (None, None));
        assert_eq!((&body["max_completion_tokens"], &body["response_format"]), (&json!(600), &json!({"type": "json_object"})));
    }
}

#[tokio::test]
async fn a_model_that_thought_its_room_away_gets_more() {
    let thought = json!({"choices": [{"message": {"content": ""}, "finish_reason": "length"}], "usage": {"prompt_tokens": 9, "completion_tokens": 600, "completion_tokens_details": {"reasoning_tokens": 600}}});
    let (url, server) = serve([json_reply(200, &thought), whole("{}"), json_reply(200, &thought)]).await;
    let model = connect(&connection(Provider::OpenAi, &url)).unwrap();
    assert!(ask(model.as_ref(), Delivery::Whole).await.0.is_ok());
    assert_eq!(ask(model.as_ref(), Delivery::Whole).await.0, Err(ModelError::Truncated { cap: 4600 }));
    let caps: Vec<_> = server.seen.lock().unwrap().iter().map(|seen| seen.body["max_tokens"].clone()).collect();
    assert_eq!(caps, [json!(600), json!(4600), json!(4600)]);
}

#[tokio::test]
async fn a_stall_ends_at_the_desks_limit_and_closes_the_connection() {
    let (url, server) = serve([Reply { end: End::Stall, ..events(&[delta("{")]) }]).await;
    let model = connect(&connection(Provider::OpenAi, &url)).unwrap();
    let options = Options { time_max: Duration::from_millis(300), ..Options::default() };
    let desk = Desk::new(Some(model), support::redactor(), options, PriceTable::shipped());
    let (evidence, job, alike, classification) = (support::evidence(), JobFacts::default(), Alike::default(), support::classification());
    let question = Question {
        evidence: &evidence,
        classification: &classification,
        job: &job,
        attempts: &[],
        alike: &alike,
        occasion: Occasion::Automatic,
    };
    let mut shown = String::new();
    let said = desk.opinion(&question, crate::domain::Timestamp::UNIX_EPOCH, &mut |piece| shown.push_str(piece)).await;
    assert_eq!((said.unwrap_err().to_string().as_str(), shown.as_str()), ("no answer within 0.3s", "{"));
    assert!(server.seen.lock().unwrap()[0].body["messages"][1]["content"].as_str().unwrap().contains(HIT));
}

#[tokio::test]
async fn nobody_there_is_said() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    drop(listener);
    let model = connect(&connection(Provider::OpenAi, &url)).unwrap();
    let error = ask(model.as_ref(), Delivery::Streamed).await.0.unwrap_err();
    assert!(matches!(error, ModelError::Unreachable { .. }) && error.to_string().contains("127.0.0.1"), "{error}");
}

#[test]
fn what_is_not_set_is_named() {
    let bare = |provider| Connection { base_url: None, model: None, ..connection(provider, &Url::parse("http://127.0.0.1:1").unwrap()) };
    for (provider, want) in [
        (Provider::Azure, "llm.base_url is not set: where the provider answers"),
        (Provider::Databricks, "llm.base_url is not set: where the provider answers"),
        (Provider::OpenAi, "llm.model is not set: the model's name, as its server lists it"),
        (Provider::Ollama, "llm.model is not set: the model's name, as `ollama list` shows it"),
    ] {
        assert_eq!(connect(&bare(provider)).map(|_| ()).unwrap_err().to_string(), want);
    }
}
