//! An answer in the OpenAI chat form, whole or in pieces -> its text, once it has really ended.

use serde::Deserialize;
use serde_json::Value;

use crate::domain::classification::{Counted, Tokens};

use crate::llm::failure;
use crate::llm::http::Response;
use crate::llm::model::{Answer, ModelError, Progress};
use crate::llm::pace::Pace;
use crate::llm::sse::Events;

/// Longest answer text, bytes: a verdict is about one kilobyte.
const TEXT_BYTES_MAX: usize = 64 << 10;

/// One document, or one piece of a stream. Everything may be absent, and more may be there.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Chunk {
    model: Option<String>,
    choices: Vec<Choice>,
    usage: Option<Usage>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Choice {
    message: Option<Part>,
    delta: Option<Part>,
    finish_reason: Option<String>,
    content_filter_results: Option<Value>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Part {
    content: Option<Value>,
    refusal: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Usage {
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
    prompt_tokens_details: Option<Details>,
    completion_tokens_details: Option<Details>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Details {
    cached_tokens: Option<u64>,
    reasoning_tokens: Option<u64>,
}

/// What has come of an answer so far.
#[derive(Default)]
pub struct Collected {
    text: String,
    refusal: String,
    finish: Option<String>,
    filtered: Vec<String>,
    usage: Option<Usage>,
    model: Option<String>,
    pace: Pace,
}

pub enum End {
    Answer(Box<Answer>),
    /// The cap was reached before the answer began.
    Thought,
    Error(ModelError),
}

pub async fn collect(mut response: Response, progress: &mut Progress<'_>) -> Result<Collected, ModelError> {
    let mut collected = Collected { pace: response.pace, ..Collected::default() };
    if !response.streams {
        let body = response.whole().await?;
        collected.take(&String::from_utf8_lossy(&body), progress)?;
        return Ok(collected);
    }
    let mut events = Events::default();
    while let Some(bytes) = response.chunk().await? {
        for event in events.feed(&bytes).map_err(|_| ModelError::Malformed { message: "an endless line".to_owned() })? {
            if event.trim() == "[DONE]" {
                return Ok(collected);
            }
            collected.take(&event, progress)?;
        }
    }
    if let Some(event) = events.rest().filter(|event| event.trim() != "[DONE]") {
        collected.take(&event, progress)?;
    }
    Ok(collected)
}

impl Collected {
    fn take(&mut self, json: &str, progress: &mut Progress<'_>) -> Result<(), ModelError> {
        let value: Value =
            serde_json::from_str(json).map_err(|error| ModelError::Malformed { message: format!("not whole JSON: {error}") })?;
        if let Some(refusal) = failure::in_stream(&value) {
            let error = ModelError::from(refusal);
            return Err(match error {
                // It had begun to write, and what it wrote may be billed.
                ModelError::Failed { message, .. } if !self.text.is_empty() => ModelError::Lost { message },
                error => error,
            });
        }
        let chunk: Chunk =
            serde_json::from_value(value).map_err(|error| ModelError::Malformed { message: failure::short(&error.to_string()) })?;
        if let Some(model) = chunk.model.filter(|model| !model.is_empty()) {
            self.model = Some(failure::short(&model));
        }
        if let Some(usage) = chunk.usage {
            self.usage = Some(usage);
        }
        let Some(choice) = chunk.choices.into_iter().next() else { return Ok(()) };
        self.filtered.extend(failure::fired(choice.content_filter_results.as_ref()));
        if let Some(finish) = choice.finish_reason {
            // A late filter result revokes what an earlier "stop" let pass; nothing revokes a filter result.
            if self.finish.as_deref() != Some("content_filter") {
                self.finish = Some(finish);
            }
        }
        let Some(part) = choice.delta.or(choice.message) else { return Ok(()) };
        self.refusal.push_str(part.refusal.as_deref().unwrap_or_default());
        let text = text_of(part.content.as_ref());
        if self.text.len() + text.len() > TEXT_BYTES_MAX {
            return Err(ModelError::Malformed { message: format!("an answer longer than {TEXT_BYTES_MAX} bytes") });
        }
        if !text.is_empty() {
            progress(&text);
            self.text.push_str(&text);
        }
        Ok(())
    }

    pub fn end(self, cap: u32) -> End {
        let tokens = self.usage.as_ref().map(tokens);
        let thinking = self.usage.as_ref().and_then(|usage| usage.completion_tokens_details.as_ref()?.reasoning_tokens).unwrap_or(0);
        match self.finish.as_deref() {
            Some("content_filter") => {
                let category = if self.filtered.is_empty() { "the answer".to_owned() } else { self.filtered.join(", ") };
                End::Error(ModelError::Filtered { category })
            }
            _ if !self.refusal.is_empty() => End::Error(ModelError::Declined { message: failure::short(&self.refusal) }),
            None => End::Error(ModelError::Lost { message: "the stream ended before the answer did".to_owned() }),
            Some("length") if self.text.trim().is_empty() || thinking > 0 => End::Thought,
            Some("length") => End::Error(ModelError::Truncated { cap }),
            Some(_) if self.text.trim().is_empty() => End::Error(ModelError::Malformed { message: "an empty answer".to_owned() }),
            Some(_) => End::Answer(Box::new(Answer { text: self.text, tokens, model: self.model, pace: self.pace })),
        }
    }
}

/// A string, or the text blocks of a list: reasoning blocks are neither shown nor read.
fn text_of(content: Option<&Value>) -> String {
    match content {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(blocks)) => blocks
            .iter()
            .filter(|block| block.get("type").and_then(Value::as_str).is_none_or(|kind| kind == "text" || kind == "output_text"))
            .filter_map(|block| block.get("text").and_then(Value::as_str))
            .collect(),
        _ => String::new(),
    }
}

fn tokens(usage: &Usage) -> Tokens {
    let cached = usage.prompt_tokens_details.as_ref().and_then(|details| details.cached_tokens).unwrap_or(0);
    Tokens { input: usage.prompt_tokens.unwrap_or(0), cached, output: usage.completion_tokens.unwrap_or(0), counted: Counted::ByProvider }
}
