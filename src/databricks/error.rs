//! What can go wrong between us and a workspace, and whether asking again is worth it.

use std::time::Duration;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// 401, or a 403 that refuses the token itself.
    #[error("the workspace refused our token ({message})")]
    Unauthenticated { call: String, message: String },
    #[error("the workspace forbids this ({message})")]
    Forbidden { call: String, message: String },
    /// 404, or a 400 whose text says "does not exist".
    #[error("not found: {message}")]
    NotFound { call: String, message: String },
    /// 501, or a 404 ENDPOINT_NOT_FOUND: this workspace has no such endpoint.
    #[error("this workspace does not offer {call} ({message})")]
    NotOffered { call: String, message: String },
    /// Another 4xx: the workspace understood and said no. Nothing happened there.
    #[error("the workspace refused the call: {error_code}: {message}")]
    Refused { call: String, status: u16, error_code: String, message: String },
    /// 429 after the tries allowed.
    #[error("the workspace limits our rate ({message})")]
    RateLimited { call: String, message: String, retry_after: Option<Duration> },
    /// 5xx after the tries allowed.
    #[error("the workspace failed to answer: HTTP {status} {message}")]
    Unavailable { call: String, status: u16, message: String },
    /// The connection was not made: nothing was sent.
    #[error("cannot reach the workspace: {message}")]
    Unreachable { call: String, message: String },
    /// The request may have arrived, but no answer came.
    #[error("no answer to {call}: {message}")]
    AnswerLost { call: String, message: String },
    /// The answer is no Databricks JSON (an HTML page, another product).
    #[error("the answer is not from a Databricks API: {message}")]
    NotDatabricks { call: String, message: String },
    /// JSON that lacks what we need.
    #[error("cannot read the answer of {call}: {message}")]
    Malformed { call: String, message: String },
}

/// Why no client could be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    #[error("the token has a character that no header can carry (a line break, or a letter beyond ASCII)")]
    Token,
    /// The system's trusted certificates cannot be read, as a rule.
    #[error("cannot set up TLS: {0}")]
    Build(String),
}

impl ApiError {
    /// Would the same call, a little later, have a chance?
    pub fn is_transient(&self) -> bool {
        match self {
            Self::RateLimited { .. } | Self::Unavailable { .. } | Self::Unreachable { .. } | Self::AnswerLost { .. } => true,
            Self::Unauthenticated { .. }
            | Self::Forbidden { .. }
            | Self::NotFound { .. }
            | Self::NotOffered { .. }
            | Self::Refused { .. }
            | Self::NotDatabricks { .. }
            | Self::Malformed { .. } => false,
        }
    }

    /// Can a write that ended so have taken effect all the same? Then the workspace must be asked before it is repeated.
    pub fn may_have_happened(&self) -> bool {
        match self {
            Self::AnswerLost { .. } | Self::Unavailable { .. } | Self::NotDatabricks { .. } | Self::Malformed { .. } => true,
            Self::Unauthenticated { .. }
            | Self::Forbidden { .. }
            | Self::NotFound { .. }
            | Self::NotOffered { .. }
            | Self::Refused { .. }
            | Self::RateLimited { .. }
            | Self::Unreachable { .. } => false,
        }
    }

    /// The call that failed, as METHOD path.
    pub fn call(&self) -> &str {
        match self {
            Self::Unauthenticated { call, .. }
            | Self::Forbidden { call, .. }
            | Self::NotFound { call, .. }
            | Self::NotOffered { call, .. }
            | Self::Refused { call, .. }
            | Self::RateLimited { call, .. }
            | Self::Unavailable { call, .. }
            | Self::Unreachable { call, .. }
            | Self::AnswerLost { call, .. }
            | Self::NotDatabricks { call, .. }
            | Self::Malformed { call, .. } => call,
        }
    }
}
