//! HTTP with a token: sends a call, repeats it where that is safe, and tells apart what was not sent, what was refused, and what got
//! no answer. Knows JSON, not what it means.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue, LOCATION, RETRY_AFTER};
use serde_json::Value;
use tokio::sync::Semaphore;
use url::{Host, Url};

use super::ClientError;
use super::error::ApiError;
use super::wire::failure::{self, Answer};
use super::wire::text;
use crate::domain::secret::Secret;

/// Time to make a connection, TLS included.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(10);
/// Silence within an answer after which it counts as lost: the SDKs' 60 s.
const READ_TIME_MAX: Duration = Duration::from_secs(60);
/// Whole time of one call: 5 MB of logs over a slow line pass; a server that drips bytes for ever does not.
const CALL_TIME_MAX: Duration = Duration::from_secs(180);
/// Longest answer that is held, bytes: get-output carries 5 MB of logs and 5 MB of notebook result, more once escaped as JSON.
const ANSWER_BYTES_MAX: usize = 32 << 20;
/// Calls in flight at once: below every published rate limit of the Jobs API, and kind to a small workspace.
const CALLS_IN_FLIGHT_MAX: usize = 8;
/// Tries of a call that the workspace was too busy for (429, 503), or that got no connection.
const BUSY_TRIES_MAX: u32 = 5;
/// Tries of a read after another 5xx or a lost answer. The vendor asks for 30 s between tries: beyond one quick second look they are
/// the caller's, who comes back after its interval.
const FAILURE_TRIES_MAX: u32 = 2;
/// First wait between tries; doubles each time.
const WAIT_FIRST: Duration = Duration::from_millis(500);
const WAIT_MAX: Duration = Duration::from_secs(10);
/// Waits within one call, summed. A Retry-After beyond what is left ends the tries, and the caller is told it.
const WAITS_TOTAL_MAX: Duration = Duration::from_secs(60);
/// Longest Retry-After that is believed.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(15 * 60);
/// Steps of the spread that keeps calls refused together from coming back together.
const SPREAD_STEPS: u64 = 8;
const SPREAD_STEP: Duration = Duration::from_millis(40);

pub enum Method<'a> {
    Get(&'a [(&'a str, String)]),
    Post(&'a Value),
}

/// When a call may be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// It changes nothing: after a busy answer, a failure, a lost answer.
    Safe,
    /// Its idempotency token makes a second one harmless: after a busy answer, or when nothing was sent.
    WithToken,
    /// Only after an answer that says it was not accepted (429).
    NotAccepted,
}

/// A try that failed, and when the workspace wants the next one.
struct Failed {
    error: ApiError,
    retry_after: Option<Duration>,
}

impl From<ApiError> for Failed {
    fn from(error: ApiError) -> Self {
        Self { error, retry_after: None }
    }
}

/// Waits; a test's returns at once.
pub type Sleep = Arc<dyn Fn(Duration) -> BoxFuture<'static, ()> + Send + Sync>;

pub struct Transport {
    http: reqwest::Client,
    host: Url,
    token: Secret,
    in_flight: Semaphore,
    sleep: Sleep,
    answer_bytes_max: usize,
    waits: AtomicU64,
}

impl Transport {
    pub fn new(host: &Url, token: &Secret) -> Result<Self, ClientError> {
        // The process has one TLS provider; whoever came first has installed the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut bearer = HeaderValue::from_str(&format!("Bearer {}", token.expose())).map_err(|_| ClientError::Token)?;
        bearer.set_sensitive(true);
        let builder = reqwest::Client::builder()
            .user_agent(concat!("runmend/", env!("CARGO_PKG_VERSION")))
            .default_headers(HeaderMap::from_iter([(AUTHORIZATION, bearer)]))
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_TIME_MAX)
            .read_timeout(READ_TIME_MAX)
            .timeout(CALL_TIME_MAX);
        // A proxy of the company does not reach a simulator on this machine.
        let builder = if is_loopback(host) { builder.no_proxy() } else { builder };
        let http = builder.build().map_err(|error| ClientError::Build(causes(&error)))?;
        Ok(Self {
            http,
            host: host.clone(),
            token: token.clone(),
            in_flight: Semaphore::new(CALLS_IN_FLIGHT_MAX),
            sleep: Arc::new(|time| Box::pin(tokio::time::sleep(time))),
            answer_bytes_max: ANSWER_BYTES_MAX,
            waits: AtomicU64::new(0),
        })
    }

    #[cfg(test)]
    pub fn for_test(host: &Url, sleep: Sleep, answer_bytes_max: usize) -> Self {
        let made = Self::new(host, &Secret::new("dapi-secret")).unwrap();
        Self { sleep, answer_bytes_max, ..made }
    }

    /// Sends until there is an answer or no further try is allowed. `Ok` is a 2xx with JSON.
    pub async fn call(&self, method: Method<'_>, path: &str, repeat: Repeat) -> Result<Value, ApiError> {
        let mut waited = Duration::ZERO;
        let mut tries = 1;
        loop {
            let Failed { error, retry_after } = match self.once(&method, path).await {
                Ok(answer) => return Ok(answer),
                Err(failed) => failed,
            };
            if tries >= tries_max(&error, repeat) {
                return Err(error);
            }
            let wait = self.wait_before(tries, retry_after);
            if waited + wait > WAITS_TOTAL_MAX {
                return Err(error);
            }
            tracing::debug!(call = error.call(), %error, ?wait, "trying again");
            (self.sleep)(wait).await;
            waited += wait;
            tries += 1;
        }
    }

    /// What the workspace asks for, else twice the wait before.
    fn wait_before(&self, tries: u32, asked: Option<Duration>) -> Duration {
        let own = WAIT_FIRST.saturating_mul(1 << (tries - 1).min(10)).min(WAIT_MAX);
        let spread = SPREAD_STEP * u32::try_from(self.waits.fetch_add(1, Ordering::Relaxed) % SPREAD_STEPS).unwrap_or_default();
        asked.unwrap_or(own) + spread
    }

    async fn once(&self, method: &Method<'_>, path: &str) -> Result<Value, Failed> {
        let (request, call) = match method {
            Method::Get(query) => (self.http.get(self.url(path)).query(query), format!("GET {path}")),
            Method::Post(body) => (self.http.post(self.url(path)).json(body), format!("POST {path}")),
        };
        // A closed semaphore is not possible: it is ours and never closed.
        let _permit = self.in_flight.acquire().await;
        let response = request.send().await.map_err(|error| self.unanswered(&call, &error))?;
        let status = response.status();
        let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let (retry_after, location) = (header(RETRY_AFTER).and_then(|value| seconds(&value)), header(LOCATION));
        let body = self.body(&call, response).await?;
        if !status.is_success() {
            let body = self.without_token(&String::from_utf8_lossy(&body));
            let answer = Answer { status: status.as_u16(), body: &body, location: location.as_deref(), retry_after };
            return Err(Failed { error: failure::read(&call, &answer), retry_after });
        }
        Ok(serde_json::from_slice(&body).map_err(|error| {
            let start = String::from_utf8_lossy(body.get(..200).unwrap_or(&body)).into_owned();
            if failure::is_page(&start) {
                ApiError::NotDatabricks { call, message: "an HTML page (a login screen, or another product)".to_owned() }
            } else if start.starts_with(['{', '[']) || body.is_empty() {
                ApiError::Malformed { call, message: format!("not whole JSON: {error}") }
            } else {
                ApiError::NotDatabricks { call, message: format!("no JSON: {}", text::word(&start).unwrap_or_default()) }
            }
        })?)
    }

    /// A server may echo the token in its error.
    fn without_token(&self, text: &str) -> String {
        let token = self.token.expose();
        if token.is_empty() { text.to_owned() } else { text.replace(token, "***") }
    }

    /// Reads piece by piece and stops at the limit, so that no answer can fill the memory.
    async fn body(&self, call: &str, mut response: reqwest::Response) -> Result<Vec<u8>, ApiError> {
        let mut body = Vec::new();
        while let Some(piece) =
            response.chunk().await.map_err(|error| ApiError::AnswerLost { call: call.to_owned(), message: causes(&error.without_url()) })?
        {
            if body.len() + piece.len() > self.answer_bytes_max {
                let message = format!("longer than {} bytes", self.answer_bytes_max);
                return Err(ApiError::Malformed { call: call.to_owned(), message });
            }
            body.extend_from_slice(&piece);
        }
        Ok(body)
    }

    fn unanswered(&self, call: &str, error: &reqwest::Error) -> ApiError {
        let call = call.to_owned();
        let host = self.host.host_str().unwrap_or_default();
        let message = format!("{host}: {}", causes(error));
        if error.is_builder() || error.is_connect() {
            ApiError::Unreachable { call, message }
        } else {
            ApiError::AnswerLost { call, message }
        }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.host.as_str().trim_end_matches('/'))
    }
}

/// How often a call may be tried when it ends so.
fn tries_max(error: &ApiError, repeat: Repeat) -> u32 {
    match (error, repeat) {
        (ApiError::RateLimited { .. }, Repeat::Safe | Repeat::WithToken | Repeat::NotAccepted) => BUSY_TRIES_MAX,
        (ApiError::Unavailable { status: 503, .. } | ApiError::Unreachable { .. }, Repeat::Safe | Repeat::WithToken) => BUSY_TRIES_MAX,
        (ApiError::Unavailable { .. } | ApiError::AnswerLost { .. }, Repeat::Safe) => FAILURE_TRIES_MAX,
        (ApiError::Unavailable { .. } | ApiError::AnswerLost { .. }, Repeat::WithToken | Repeat::NotAccepted) => 1,
        (ApiError::Unreachable { .. }, Repeat::NotAccepted) => 1,
        (
            ApiError::Unauthenticated { .. }
            | ApiError::Forbidden { .. }
            | ApiError::NotFound { .. }
            | ApiError::NotOffered { .. }
            | ApiError::Refused { .. }
            | ApiError::NotDatabricks { .. }
            | ApiError::Malformed { .. },
            _,
        ) => 1,
    }
}

/// `Retry-After` in seconds. Its other form, a date, is not used by the platform.
fn seconds(value: &str) -> Option<Duration> {
    value.trim().parse().ok().map(|seconds| Duration::from_secs(seconds).min(RETRY_AFTER_MAX))
}

/// An error with its causes, in one line: the outermost alone says only "error sending request".
fn causes(error: &dyn std::error::Error) -> String {
    let mut words = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        words.push(cause.to_string());
        next = cause.source();
    }
    if words.is_empty() { error.to_string() } else { words.join(": ") }
}

fn is_loopback(host: &Url) -> bool {
    match host.host() {
        Some(Host::Domain(domain)) => domain == "localhost" || domain.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}
