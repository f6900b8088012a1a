//! The simulator as a process sees it: a listener on loopback, a token of its own, and the desk behind them.
//!
//! Flow: a request is read whole, the desk answers it under one lock, and only then the answer waits or is dropped if a fault says so.
//! Guarantees: what the book says took effect did so before any answer left.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, DefaultBodyLimit, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use futures_util::{StreamExt, stream};
use rand::TryRngCore;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::azure;
use super::book::Book;
use super::control;
use super::cut::{CutListener, Scissors};
use super::desk::{Arrived, Desk};
use super::endpoint::model;
use super::faults::Faults;
use super::plan::Millis;
use super::scenario::Scenario;
use super::world::World;

/// The Jobs API's own limit of a request's body.
const BODY_BYTES_MAX: usize = 10 << 20;
/// Between two pieces of a model's answer.
const PIECE_PAUSE: Duration = Duration::from_millis(25);
/// Time that open connections get to end when the simulator stops.
const STOP_TIME_MAX: Duration = Duration::from_millis(500);
const BOOK: &str = "/_sim/book";
const CONTROL: &str = "/_sim/control";

#[derive(Clone, Debug)]
pub struct Options {
    /// Loopback only; port 0 takes a free one.
    pub listen: SocketAddr,
    pub seed: u64,
    /// Failures of the background traffic an hour, before `speed`; the scenario's own rate when `None`.
    pub rate_per_hour: Option<f64>,
    /// Divides durations, and the gaps between failures.
    pub speed: f64,
    pub scenario: Scenario,
}

impl Default for Options {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 0)), seed: 1, rate_per_hour: None, speed: 1.0, scenario: Scenario::empty() }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum SimError {
    #[error("the simulator listens on this machine only, and {0} is not a loopback address; use 127.0.0.1 or [::1]")]
    NotLoopback(SocketAddr),
    #[error("the speed must be a number above 0, at most 100000, not {0}")]
    Speed(f64),
    #[error("the rate must be a number of failures an hour, 0 to 1000000, not {0}")]
    Rate(f64),
    #[error("cannot listen on {addr}: {error}")]
    Listen { addr: SocketAddr, error: std::io::Error },
    #[error("the machine gives no random numbers for a token: {0}")]
    Token(String),
}

/// Printed as one line when the simulator is ready.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ready {
    pub ready: bool,
    pub url: String,
    pub token: String,
    pub book_url: String,
    pub control_url: String,
}

/// A running simulated workspace. Dropped, it stops without waiting; [`Simulator::stop`] lets open calls end.
pub struct Simulator {
    ready: Ready,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<()>,
}

type Shared = Arc<Mutex<Desk>>;

impl Simulator {
    /// Binds and serves. Must be called within a tokio runtime.
    pub async fn start(options: Options) -> Result<Self, SimError> {
        if !options.listen.ip().is_loopback() {
            return Err(SimError::NotLoopback(options.listen));
        }
        if !(options.speed > 0.0 && options.speed <= 100_000.0) {
            return Err(SimError::Speed(options.speed));
        }
        if let Some(rate) = options.rate_per_hour.filter(|rate| !(0.0..=1_000_000.0).contains(rate)) {
            return Err(SimError::Rate(rate));
        }
        let listen = |error| SimError::Listen { addr: options.listen, error };
        let listener = TcpListener::bind(options.listen).await.map_err(listen)?;
        let url = format!("http://{}", listener.local_addr().map_err(listen)?);
        let ready = Ready {
            ready: true,
            token: token()?,
            book_url: format!("{url}{BOOK}"),
            control_url: format!("{url}{CONTROL}"),
            url: url.clone(),
        };
        let world = World::new(options.scenario, options.seed, options.rate_per_hour, options.speed, url, now());
        let desk = Desk { world, faults: Faults::default(), book: Book::default(), no_repair: false, token: ready.token.clone() };
        let routes = Router::new()
            .route(BOOK, get(book))
            .route(CONTROL, post(control))
            .fallback(api)
            .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
            .with_state(Arc::new(Mutex::new(desk)));
        let (stop, stopped) = oneshot::channel::<()>();
        let serve = axum::serve(CutListener(listener), routes.into_make_service_with_connect_info::<Scissors>());
        let serving = tokio::spawn(async move {
            // An end by itself would be an error of the listener, which axum does not let happen.
            let _ = serve.with_graceful_shutdown(async move { drop(stopped.await) }).await;
        });
        Ok(Self { ready, stop: Some(stop), serving })
    }

    pub fn ready(&self) -> &Ready {
        &self.ready
    }

    pub async fn stop(mut self) {
        drop(self.stop.take());
        if tokio::time::timeout(STOP_TIME_MAX, &mut self.serving).await.is_err() {
            self.serving.abort();
        }
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Epoch milliseconds by the machine's clock.
fn now() -> Millis {
    jiff::Timestamp::now().as_millisecond()
}

/// `dapi` and 32 hex digits, as personal access tokens are; another one each start.
fn token() -> Result<String, SimError> {
    let mut bytes = [0_u8; 16];
    rand::rngs::OsRng.try_fill_bytes(&mut bytes).map_err(|error| SimError::Token(error.to_string()))?;
    Ok(bytes.iter().fold("dapi".to_owned(), |token, byte| format!("{token}{byte:02x}")))
}

/// A panic under the lock would leave whole entries behind, never half ones: the state stays usable.
fn lock(shared: &Shared) -> MutexGuard<'_, Desk> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn api(
    State(shared): State<Shared>,
    ConnectInfo(scissors): ConnectInfo<Scissors>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    // Azure OpenAI takes a key in a header of its own.
    let key = headers.get("api-key").and_then(|value| value.to_str().ok()).map(|key| format!("Bearer {key}"));
    let (reply, org_id) = {
        let mut desk = lock(&shared);
        let arrived = Arrived {
            method: method.as_str(),
            path: uri.path(),
            query: uri.query().unwrap_or_default(),
            authorization: headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).or(key.as_deref()),
            body: &body,
        };
        (desk.receive(arrived, now()), desk.world.workspace.org_id)
    };
    if reply.delay_ms > 0 {
        tokio::time::sleep(Duration::from_millis(reply.delay_ms)).await;
    }
    if reply.dropped {
        scissors.cut();
    }
    if reply.answer.status == 200 && uri.path().ends_with("/chat/completions") && wants(&body, "/stream") {
        return streamed(&reply.answer.body, wants(&body, "/stream_options/include_usage"), reply.cut_after);
    }
    let status = StatusCode::from_u16(reply.answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, [(CONTENT_TYPE, reply.answer.content_type)], reply.answer.body).into_response();
    if !azure::speaks(uri.path()) {
        response.headers_mut().insert("x-databricks-org-id", org_id.into());
    }
    if let Some(seconds) = reply.answer.retry_after {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    response
}

fn wants(body: &Bytes, pointer: &str) -> bool {
    serde_json::from_slice::<Value>(body).ok().and_then(|body| body.pointer(pointer).and_then(Value::as_bool)).unwrap_or(false)
}

/// A completion as server-sent events, at the pace at which models write.
fn streamed(completion: &str, usage: bool, cut_after: Option<usize>) -> Response {
    let completion: Value = serde_json::from_str(completion).unwrap_or_default();
    let whole = model::pieces(&completion, usage).into_iter().map(Ok);
    // An error in a body closes its connection.
    let cut = cut_after.map(|_| Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset)));
    let pieces = stream::iter(whole.take(cut_after.unwrap_or(usize::MAX)).chain(cut)).then(|piece| async move {
        tokio::time::sleep(PIECE_PAUSE).await;
        piece
    });
    (StatusCode::OK, [(CONTENT_TYPE, "text/event-stream")], Body::from_stream(pieces)).into_response()
}

async fn book(State(shared): State<Shared>) -> Response {
    let mut desk = lock(&shared);
    desk.world.advance(now());
    let book = desk.book.read(&desk.world);
    drop(desk);
    json_response(StatusCode::OK, &book)
}

async fn control(State(shared): State<Shared>, body: Bytes) -> Response {
    let command = match serde_json::from_slice::<Value>(&body) {
        Ok(command) => command,
        Err(error) => return refused(&format!("a command is JSON: {error}")),
    };
    let mut desk = lock(&shared);
    desk.world.advance(now());
    let answer = control::command(&mut desk, command);
    drop(desk);
    match answer {
        Ok(answer) => json_response(StatusCode::OK, &answer),
        Err(error) => refused(&error),
    }
}

fn refused(error: &str) -> Response {
    json_response(StatusCode::BAD_REQUEST, &json!({"ok": false, "error": error}))
}

fn json_response(status: StatusCode, body: &Value) -> Response {
    (status, [(CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}
