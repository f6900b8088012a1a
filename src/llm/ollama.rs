//! Ollama by its own API: the OpenAI form there can't set the context's size, and a prompt that does not fit is cut without a word.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use crate::domain::classification::{Counted, Tokens};

use super::credential::Credential;
use super::failure;
use super::http::{Http, Response};
use super::model::{Answer, Billing, Delivery, Model, ModelError, Progress, Request};
use super::prompt;
use super::provider::SetupError;
use super::schema::Node;
use super::sse::Lines;

/// The context is asked for in steps of so many tokens: another size loads the model anew.
const CONTEXT_STEP: u64 = 4096;
/// The model stays loaded so long after an answer: the next incident of a bad hour does not wait for it.
const KEEP_ALIVE: &str = "10m";
/// Longest answer text, bytes.
const TEXT_BYTES_MAX: usize = 64 << 10;

pub struct Ollama {
    model: String,
    url: Url,
    http: Http,
}

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    messages: Vec<Turn<'a>>,
    stream: bool,
    format: &'a Node,
    keep_alive: &'a str,
    options: Settings,
}

#[derive(Serialize)]
struct Turn<'a> {
    role: &'a str,
    content: &'a str,
}

#[derive(Serialize)]
struct Settings {
    temperature: f64,
    seed: u32,
    num_ctx: u64,
    num_predict: u32,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Chunk {
    model: Option<String>,
    message: Option<Said>,
    done: bool,
    done_reason: Option<String>,
    prompt_eval_count: Option<u64>,
    eval_count: Option<u64>,
    error: Option<Value>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Said {
    content: String,
}

impl Ollama {
    /// `base` is the server, with or without the `/v1` or `/api` that other tools want.
    pub fn new(base: &Url, model: Option<&str>, credential: Credential) -> Result<Self, SetupError> {
        let model = model.map(str::trim).filter(|name| !name.is_empty());
        let model = model.ok_or(SetupError::Missing { setting: "llm.model", why: "the model's name, as `ollama list` shows it" })?;
        let mut url = base.clone();
        let path = base.path().trim_end_matches('/');
        let path = path.strip_suffix("/chat").unwrap_or(path);
        let path = path.strip_suffix("/v1").or_else(|| path.strip_suffix("/api")).unwrap_or(path);
        url.set_path(&format!("{path}/api/chat"));
        let http = Http::new(&url, credential)?;
        Ok(Self { model: model.to_owned(), url, http })
    }
}

#[async_trait]
impl Model for Ollama {
    fn name(&self) -> &str {
        &self.model
    }

    fn billing(&self) -> Billing {
        Billing::Free
    }

    async fn ask(&self, request: &Request, progress: &mut Progress<'_>) -> Result<Answer, ModelError> {
        let prompt: u64 = request.messages.iter().map(|message| prompt::tokens(&message.text)).sum();
        // A fifth more than estimated: what does not fit is cut from the front, where our rules stand.
        let need = prompt + prompt / 5 + u64::from(request.answer_tokens_max);
        let num_ctx = need.div_ceil(CONTEXT_STEP) * CONTEXT_STEP;
        let body = Body {
            model: &self.model,
            messages: request.messages.iter().map(|message| Turn { role: message.role.as_str(), content: &message.text }).collect(),
            stream: request.delivery == Delivery::Streamed,
            format: &request.schema.root,
            keep_alive: KEEP_ALIVE,
            options: Settings { temperature: 0.0, seed: 1, num_ctx, num_predict: request.answer_tokens_max },
        };
        let response = self.http.post(&self.url, &body).await?;
        let collected = collect(response, progress).await?;
        collected.end(num_ctx, request.answer_tokens_max)
    }
}

#[derive(Default)]
struct Collected {
    text: String,
    last: Chunk,
}

/// One JSON document a line; the last one is `done`. Without streaming there is only that one.
async fn collect(mut response: Response, progress: &mut Progress<'_>) -> Result<Collected, ModelError> {
    let mut collected = Collected::default();
    let mut lines = Lines::default();
    while let Some(bytes) = response.chunk().await? {
        for line in lines.feed(&bytes).map_err(|_| ModelError::Malformed { message: "an endless line".to_owned() })? {
            collected.take(&line, progress)?;
        }
    }
    collected.take(&lines.rest(), progress)?;
    Ok(collected)
}

impl Collected {
    fn take(&mut self, line: &str, progress: &mut Progress<'_>) -> Result<(), ModelError> {
        if line.trim().is_empty() {
            return Ok(());
        }
        let chunk: Chunk =
            serde_json::from_str(line).map_err(|error| ModelError::Malformed { message: format!("not whole JSON: {error}") })?;
        if let Some(error) = &chunk.error {
            let message = error.as_str().map_or_else(|| error.to_string(), str::to_owned);
            return Err(ModelError::Failed { status: 500, message: failure::short(&message) });
        }
        if let Some(said) = chunk.message.as_ref().filter(|said| !said.content.is_empty()) {
            if self.text.len() + said.content.len() > TEXT_BYTES_MAX {
                return Err(ModelError::Malformed { message: format!("an answer longer than {TEXT_BYTES_MAX} bytes") });
            }
            progress(&said.content);
            self.text.push_str(&said.content);
        }
        self.last = chunk;
        Ok(())
    }

    fn end(self, num_ctx: u64, cap: u32) -> Result<Answer, ModelError> {
        let Chunk { model, done, done_reason, prompt_eval_count, eval_count, .. } = self.last;
        if !done {
            return Err(ModelError::Lost { message: "the stream ended before the answer did".to_owned() });
        }
        if done_reason.as_deref() == Some("length") {
            return Err(ModelError::Truncated { cap });
        }
        // Only a full window tells that the prompt was cut: a small count may be a prompt that was cached.
        if prompt_eval_count.is_some_and(|count| count >= num_ctx) {
            return Err(ModelError::TooLong { message: format!("it fills the whole context of {num_ctx} tokens"), fits: Some(0.5) });
        }
        if self.text.trim().is_empty() {
            return Err(ModelError::Malformed { message: "an empty answer".to_owned() });
        }
        let tokens =
            prompt_eval_count.zip(eval_count).map(|(input, output)| Tokens { input, cached: 0, output, counted: Counted::ByProvider });
        Ok(Answer { text: self.text, tokens, model: model.map(|model| failure::short(&model)), pace: super::pace::Pace::default() })
    }
}
