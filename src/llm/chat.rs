//! The OpenAI chat form, which Azure, Databricks and most servers of one's own speak, each with its own gaps. What a server refuses of
//! a question is left away, once, and remembered while the process lives.

mod answer;

use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use url::Url;

use super::failure::Refusal;
use super::http::{Failure, Http};
use super::model::{Answer, Delivery, ModelError, Progress, Request};
use super::schema::Node;
use answer::{End, collect};

/// Room for hidden reasoning, in tokens, where a model turns out to reason: under 2,000 it often says nothing at all.
const REASONING_TOKENS: u32 = 4000;
/// Fields that one question may lose: each is lost at most once.
const STEPS_MAX: usize = 6;

/// How the answer's form is asked for, strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Structure {
    Schema,
    Json,
    /// Only by the prompt's words.
    Words,
}

/// The name of the answer's cap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cap {
    MaxTokens,
    MaxCompletionTokens,
}

/// What a server takes, as far as we know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dialect {
    pub structure: Structure,
    pub cap: Cap,
    pub cap_swapped: bool,
    pub temperature: bool,
    pub stream_usage: bool,
    pub stream: bool,
    pub reasons: bool,
}

impl Dialect {
    /// Everything, as OpenAI and Azure document it. `max_tokens` is what the most servers know.
    pub const FULL: Self = Self {
        structure: Structure::Schema,
        cap: Cap::MaxTokens,
        cap_swapped: false,
        temperature: true,
        stream_usage: true,
        stream: true,
        reasons: false,
    };

    /// Leaves away what the refusal names. `false`: it names nothing that can be left away.
    pub fn learn(&mut self, refusal: &Refusal) -> bool {
        if !matches!(refusal.status, 400 | 422 | 501) {
            return false;
        }
        let names = |field: &str| refusal.names(field);
        if self.stream_usage && names("stream_options") {
            self.stream_usage = false;
        } else if self.structure != Structure::Words && ["response_format", "json_schema", "text.format"].iter().any(|field| names(field)) {
            self.structure = if self.structure == Structure::Schema { Structure::Json } else { Structure::Words };
        } else if self.temperature && names("temperature") {
            self.temperature = false;
        } else if !self.cap_swapped && self.cap == Cap::MaxTokens && names("max_tokens") {
            (self.cap, self.cap_swapped) = (Cap::MaxCompletionTokens, true);
        } else if !self.cap_swapped && self.cap == Cap::MaxCompletionTokens && names("max_completion_tokens") {
            (self.cap, self.cap_swapped) = (Cap::MaxTokens, true);
        } else if self.stream && refusal.param == "stream" {
            self.stream = false;
        } else {
            return false;
        }
        true
    }
}

/// One chat endpoint.
pub struct Chat {
    http: Http,
    url: Url,
    /// Sent as `model`, where the address does not name it.
    model: Option<String>,
    dialect: Mutex<Dialect>,
}

#[derive(Serialize)]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<&'a str>,
    messages: Vec<Turn<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_format: Option<Format<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_options: Option<StreamOptions>,
}

#[derive(Serialize)]
struct Turn<'a> {
    role: &'a str,
    content: &'a str,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Format<'a> {
    JsonSchema { json_schema: Named<'a> },
    JsonObject,
}

#[derive(Serialize)]
struct Named<'a> {
    name: &'a str,
    strict: bool,
    schema: &'a Node,
}

#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
}

impl Chat {
    pub fn new(http: Http, url: Url, model: Option<String>, dialect: Dialect) -> Self {
        Self { http, url, model, dialect: Mutex::new(dialect) }
    }

    fn dialect(&self) -> Dialect {
        *self.dialect.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub async fn ask(&self, request: &Request, progress: &mut Progress<'_>) -> Result<Answer, ModelError> {
        let mut steps = 0;
        loop {
            let dialect = self.dialect();
            let response = match self.http.post(&self.url, &self.body(request, &dialect)).await {
                Ok(response) => response,
                Err(Failure::Answered(refusal)) if steps < STEPS_MAX => {
                    // What means something else (filtered, too long, denied) is no matter of the dialect.
                    let known = ModelError::from((*refusal).clone());
                    if !matches!(known, ModelError::Refused { .. } | ModelError::Failed { status: 501, .. }) || !self.learn(&refusal) {
                        return Err(known);
                    }
                    steps += 1;
                    continue;
                }
                Err(failure) => return Err(failure.into()),
            };
            match collect(response, progress).await?.end(self.cap(request, &dialect)) {
                // A model that spent its whole room on thinking: give it more, and remember.
                End::Thought if !dialect.reasons && steps < STEPS_MAX => {
                    self.dialect.lock().unwrap_or_else(PoisonError::into_inner).reasons = true;
                    steps += 1;
                }
                End::Thought => return Err(ModelError::Truncated { cap: self.cap(request, &dialect) }),
                End::Answer(answer) => return Ok(*answer),
                End::Error(error) => return Err(error),
            }
        }
    }

    fn learn(&self, refusal: &Refusal) -> bool {
        let mut dialect = self.dialect.lock().unwrap_or_else(PoisonError::into_inner);
        let before = *dialect;
        let learnt = dialect.learn(refusal);
        if learnt {
            tracing::debug!(url = %self.url, message = %refusal.message, ?before, now = ?*dialect, "the model's server does not take all of the question");
        }
        learnt
    }

    fn cap(&self, request: &Request, dialect: &Dialect) -> u32 {
        request.answer_tokens_max + if dialect.reasons { REASONING_TOKENS } else { 0 }
    }

    fn body<'a>(&'a self, request: &'a Request, dialect: &Dialect) -> Body<'a> {
        let cap = self.cap(request, dialect);
        let stream = dialect.stream && request.delivery == Delivery::Streamed;
        let response_format = match dialect.structure {
            Structure::Schema => {
                let json_schema = Named { name: request.schema.name, strict: true, schema: &request.schema.root };
                Some(Format::JsonSchema { json_schema })
            }
            Structure::Json => Some(Format::JsonObject),
            Structure::Words => None,
        };
        Body {
            model: self.model.as_deref(),
            messages: request.messages.iter().map(|message| Turn { role: message.role.as_str(), content: &message.text }).collect(),
            max_tokens: (dialect.cap == Cap::MaxTokens).then_some(cap),
            max_completion_tokens: (dialect.cap == Cap::MaxCompletionTokens).then_some(cap),
            temperature: dialect.temperature.then_some(0.0),
            response_format,
            stream: stream.then_some(true),
            stream_options: (stream && dialect.stream_usage).then_some(StreamOptions { include_usage: true }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::llm::failure;

    /// The refusals, in order, must leave this dialect; the last must teach nothing.
    fn check(refusals: &[&str], want: impl FnOnce(&mut Dialect)) {
        let mut wanted = Dialect::FULL;
        want(&mut wanted);
        let mut dialect = Dialect::FULL;
        for body in refusals {
            assert!(dialect.learn(&failure::read(400, body, None)), "{body}");
        }
        assert_eq!(dialect, wanted);
        if let Some(last) = refusals.last().filter(|last| !last.contains("response_format")) {
            assert!(!dialect.learn(&failure::read(400, last, None)), "twice: {last}");
        }
    }

    #[test]
    fn what_a_server_refuses_is_left_away_once() {
        let schema = r#"{"error":{"message":"Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model.","param":null}}"#;
        check(&[schema], |dialect| dialect.structure = Structure::Json);
        check(&[schema, schema], |dialect| dialect.structure = Structure::Words);
        check(
            &[
                r#"{"error":{"message":"Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.","param":"max_tokens","code":"unsupported_parameter"}}"#,
            ],
            |dialect| (dialect.cap, dialect.cap_swapped) = (Cap::MaxCompletionTokens, true),
        );
        check(&[r#"{"error":{"message":"'temperature' is not supported with this model.","param":null,"code":null}}"#], |dialect| {
            dialect.temperature = false
        });
        check(&[r#"{"error_code":"BAD_REQUEST","message":"Bad request: json: unknown field \"stream_options\""}"#], |dialect| {
            dialect.stream_usage = false;
        });
    }

    #[test]
    fn what_names_nothing_of_ours_teaches_nothing() {
        let mut dialect = Dialect::FULL;
        for (status, body) in [
            (400, r#"{"error":{"message":"bad","param":"messages"}}"#),
            (401, r#"{"error":{"message":"temperature"}}"#),
            (400, "nothing to read"),
        ] {
            assert!(!dialect.learn(&failure::read(status, body, None)), "{body}");
        }
        assert_eq!(dialect, Dialect::FULL);
    }
}
