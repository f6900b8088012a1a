//! How people hear: mail now, other channels later, behind one trait; templates in `assets/templates/`.
//! May import: `domain`, `redact`. Must not: decide whom to tell. Start at [`Channel`].

pub mod way;

use async_trait::async_trait;

use crate::domain::mail::Mail;

/// Why a message did not go out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChannelError {
    /// Try again later: the server is down, busy, or refused for now (4xx).
    #[error("{0}")]
    Later(String),
    /// It will never go out like this: a bad address, refused for good (5xx).
    #[error("{0}")]
    Never(String),
}

/// A way to people. Sending the same `dedup_key` twice must look like one message wherever the medium allows it.
#[async_trait]
pub trait Channel: Send + Sync {
    /// `smtp` or `outbox`: the contract's `channel`.
    fn name(&self) -> &'static str;
    async fn send(&self, mail: &Mail) -> Result<(), ChannelError>;
}
