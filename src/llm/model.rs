//! What a provider is: messages in, an answer's text out, as it arrives.

use std::time::Duration;

use async_trait::async_trait;

use crate::domain::classification::Tokens;

use super::pace::Pace;
use super::schema::Schema;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    System,
    User,
    Assistant,
}

impl Role {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub role: Role,
    pub text: String,
}

/// How the answer is to come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Delivery {
    /// Piece by piece, for the screen.
    #[default]
    Streamed,
    /// At once: one JSON document, fewer ways to break.
    Whole,
}

/// One question to a model.
#[derive(Clone, Debug)]
pub struct Request {
    pub messages: Vec<Message>,
    /// What the answer's JSON must look like. A provider asks for it in the strongest form that the server takes.
    pub schema: &'static Schema,
    /// The visible answer ends after so many tokens; a provider adds room for hidden reasoning where the model needs it.
    pub answer_tokens_max: u32,
    pub delivery: Delivery,
}

/// A whole answer: the server said that it had finished.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    pub text: String,
    /// `None` where the server counted nothing.
    pub tokens: Option<Tokens>,
    /// The model's own name for itself.
    pub model: Option<String>,
    /// What the server says about further calls.
    pub pace: Pace,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ModelError {
    /// Nothing was sent.
    #[error("the model cannot be reached: {message}")]
    Unreachable { message: String },
    /// The question went out, and no whole answer came back. It may have been billed.
    #[error("the answer broke off: {message}")]
    Lost { message: String },
    /// Too many calls, or the server has no room now.
    #[error("the model is busy ({status}): {message}")]
    Busy { status: u16, message: String, retry_after: Option<Duration> },
    /// The server failed by itself; it may pass.
    #[error("the model's server failed ({status}): {message}")]
    Failed { status: u16, message: String },
    /// The account's own limit is used up: waiting does not help.
    #[error("the account's quota is used up: {message}")]
    Exhausted { message: String },
    #[error("the model's server refused our credential ({status}): {message}")]
    Denied { status: u16, message: String },
    #[error("there is no such model, deployment or API version: {message}")]
    Missing { message: String },
    /// The provider's filter stopped the question or the answer. The same question is stopped again.
    #[error("the provider's content filter stopped it ({category})")]
    Filtered { category: String },
    /// The prompt does not fit. `fits` is the share of it that would, where the server says so.
    #[error("the prompt is too long: {message}")]
    TooLong { message: String, fits: Option<f64> },
    /// The answer ended at its cap: its JSON is cut.
    #[error("the answer was cut at {cap} tokens")]
    Truncated { cap: u32 },
    /// The model itself declined.
    #[error("the model declined: {message}")]
    Declined { message: String },
    #[error("the model's server refused the question ({status}): {message}")]
    Refused { status: u16, message: String },
    #[error("the answer is not the API's: {message}")]
    Malformed { message: String },
}

impl ModelError {
    /// May the same question be asked again at once, or after a wait?
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Lost { .. } | Self::Busy { .. } | Self::Failed { .. } | Self::Malformed { .. } => true,
            Self::Exhausted { .. }
            | Self::Denied { .. }
            | Self::Missing { .. }
            | Self::Filtered { .. }
            | Self::TooLong { .. }
            | Self::Truncated { .. }
            | Self::Declined { .. }
            | Self::Refused { .. } => false,
        }
    }

    /// Does it speak against the server, rather than against this one question?
    pub fn is_outage(&self) -> bool {
        match self {
            Self::Unreachable { .. }
            | Self::Lost { .. }
            | Self::Failed { .. }
            | Self::Exhausted { .. }
            | Self::Denied { .. }
            | Self::Missing { .. }
            | Self::Malformed { .. } => true,
            // Being busy is the pace's matter: it says by itself when to come back.
            Self::Busy { .. }
            | Self::Filtered { .. }
            | Self::TooLong { .. }
            | Self::Truncated { .. }
            | Self::Declined { .. }
            | Self::Refused { .. } => false,
        }
    }

    /// May the provider have billed the question, and up to so much of an answer?
    pub fn billed(&self) -> Billed {
        match self {
            Self::Filtered { .. } => Billed::Question,
            Self::Lost { .. } | Self::Truncated { .. } | Self::Declined { .. } | Self::Malformed { .. } => Billed::QuestionAndAnswer,
            Self::Unreachable { .. }
            | Self::Busy { .. }
            | Self::Failed { .. }
            | Self::Exhausted { .. }
            | Self::Denied { .. }
            | Self::Missing { .. }
            | Self::TooLong { .. }
            | Self::Refused { .. } => Billed::Nothing,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Billed {
    Nothing,
    Question,
    QuestionAndAnswer,
}

/// Does a call cost money?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Billing {
    PerToken,
    /// A model on a machine of one's own.
    Free,
}

/// Gets an answer's text as it arrives.
pub type Progress<'a> = dyn FnMut(&str) + Send + 'a;

/// A language model behind an API.
///
/// Guarantees: `ask` sends the question once (a server that refuses a *field* of it is asked again without that field, and remembered);
/// an `Ok` was finished by the server; the answer is bounded. Dropping the future closes the connection, which ends the generation.
/// Caveat: whatever the server promises, the text may not follow the schema.
#[async_trait]
pub trait Model: Send + Sync {
    /// The model or deployment as the operator named it.
    fn name(&self) -> &str;

    fn billing(&self) -> Billing;

    /// `progress` gets the text as it arrives, in order; it may stop anywhere. What it got from a try that failed is void.
    async fn ask(&self, request: &Request, progress: &mut Progress<'_>) -> Result<Answer, ModelError>;
}
