//! One POST to a model's server, with every limit set. Knows neither chats nor verdicts.

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap};
use serde::Serialize;
use url::{Host, Url};

use crate::domain::Timestamp;

use super::credential::{Credential, Shown};
use super::failure::{self, Refusal};
use super::model::ModelError;
use super::pace::{self, Pace};
use super::provider::SetupError;

/// Time to make a connection, TLS included.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(5);
/// Silence within an answer after which it counts as lost. A model that thinks before it writes is silent for long; the desk's own
/// limit is usually shorter.
const READ_TIME_MAX: Duration = Duration::from_secs(180);
/// Whole time of one call: keep-alive comments can keep a dead stream open for ever.
const CALL_TIME_MAX: Duration = Duration::from_secs(600);
/// Longest answer that is read, bytes: some thousand streamed tokens at a few hundred bytes each.
const ANSWER_BYTES_MAX: usize = 4 << 20;

pub struct Http {
    client: reqwest::Client,
    credential: Credential,
}

/// Why there is no 2xx.
#[derive(Debug)]
pub enum Failure {
    Answered(Box<Refusal>),
    Unanswered(ModelError),
}

impl From<ModelError> for Failure {
    fn from(error: ModelError) -> Self {
        Self::Unanswered(error)
    }
}

impl From<Failure> for ModelError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Answered(refusal) => Self::from(*refusal),
            Failure::Unanswered(error) => error,
        }
    }
}

/// A 2xx whose body is still to be read.
pub struct Response {
    inner: reqwest::Response,
    bytes_left: usize,
    pub pace: Pace,
    /// By its content type: a server that does not stream answers with one document.
    pub streams: bool,
}

impl Http {
    pub fn new(url: &Url, credential: Credential) -> Result<Self, SetupError> {
        // The process has one TLS provider; whoever came first has installed the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = reqwest::Client::builder()
            .user_agent(concat!("runmend/", env!("CARGO_PKG_VERSION")))
            // A redirect would carry `api-key` to wherever it points.
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_TIME_MAX)
            .read_timeout(READ_TIME_MAX)
            .timeout(CALL_TIME_MAX);
        // A proxy of the company does not reach a model on this machine.
        let builder = if is_loopback(url) { builder.no_proxy() } else { builder };
        let client = builder.build().map_err(|error| SetupError::Client(causes(&error)))?;
        Ok(Self { client, credential })
    }

    pub async fn post(&self, url: &Url, body: &impl Serialize) -> Result<Response, Failure> {
        let shown = self.credential.show().await?;
        let answered = self.post_showing(url, body, &shown).await;
        let (Credential::Tokens(source), Some(token)) = (&self.credential, &shown.secret) else { return answered };
        match &answered {
            Err(Failure::Answered(refusal)) if refusal.status == 401 => source.refused(token).await,
            _ => return answered,
        }
        let renewed = self.credential.show().await?;
        // The same one again would be refused again.
        if renewed.secret.as_ref() == Some(token) { answered } else { self.post_showing(url, body, &renewed).await }
    }

    async fn post_showing(&self, url: &Url, body: &impl Serialize, shown: &Shown) -> Result<Response, Failure> {
        let sent = self.client.post(url.clone()).headers(shown.headers.clone()).json(body).send().await;
        let inner = sent.map_err(|error| unanswered(error, url))?;
        let status = inner.status();
        let pace = Pace::read(|name| relayed(inner.headers(), name));
        let retry_after = pace::retry_after(|name| relayed(inner.headers(), name), Timestamp::now());
        let should_retry = header(inner.headers(), "x-should-retry").and_then(|word| word.trim().parse().ok());
        let kind = header(inner.headers(), CONTENT_TYPE.as_str()).unwrap_or_default().to_owned();
        let location = header(inner.headers(), "location").map(failure::short);
        let streams = kind.starts_with("text/event-stream") || kind.starts_with("application/x-ndjson");
        let mut response = Response { inner, bytes_left: ANSWER_BYTES_MAX, pace, streams };
        if status.is_success() {
            return Ok(response);
        }
        if let Some(location) = location.filter(|_| status.is_redirection()) {
            let message = format!("it points elsewhere ({location}); set llm.base_url to that place if it is right");
            return Err(ModelError::Refused { status: status.as_u16(), message }.into());
        }
        let body = response.whole().await?;
        let body = without_secret(&String::from_utf8_lossy(&body), shown);
        let mut refusal = failure::read(status.as_u16(), &body, retry_after);
        refusal.should_retry = should_retry;
        Err(Failure::Answered(Box::new(refusal)))
    }
}

/// A server may echo the key in its error.
fn without_secret(text: &str, shown: &Shown) -> String {
    match shown.secret.as_ref().map(|secret| secret.expose()).filter(|secret| !secret.is_empty()) {
        Some(secret) => text.replace(secret, crate::domain::secret::REDACTED),
        None => text.to_owned(),
    }
}

impl Response {
    /// The next bytes; `None` at the end.
    pub async fn chunk(&mut self) -> Result<Option<Vec<u8>>, ModelError> {
        let chunk = self.inner.chunk().await.map_err(|error| ModelError::Lost { message: causes(&error.without_url()) })?;
        let Some(chunk) = chunk else { return Ok(None) };
        self.bytes_left = self
            .bytes_left
            .checked_sub(chunk.len())
            .ok_or_else(|| ModelError::Malformed { message: format!("longer than {ANSWER_BYTES_MAX} bytes") })?;
        Ok(Some(chunk.to_vec()))
    }

    pub async fn whole(&mut self) -> Result<Vec<u8>, ModelError> {
        let mut body = Vec::new();
        while let Some(chunk) = self.chunk().await? {
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// A header of the server's, or, where a LiteLLM gateway stands before it, what that one passes on of its provider's.
fn relayed<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    header(headers, name).or_else(|| header(headers, &format!("llm_provider-{name}")))
}

fn unanswered(error: reqwest::Error, url: &Url) -> ModelError {
    let message = format!("{}: {}", url.host_str().unwrap_or_default(), causes(&error));
    if error.is_builder() || error.is_connect() { ModelError::Unreachable { message } } else { ModelError::Lost { message } }
}

/// An error with its causes, in one line: the outermost alone says only "error sending request".
fn causes(error: &dyn std::error::Error) -> String {
    let mut words = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        words.push(cause.to_string());
        next = cause.source();
    }
    failure::short(&if words.is_empty() { error.to_string() } else { words.join(": ") })
}

pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(domain)) => domain == "localhost" || domain.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}
