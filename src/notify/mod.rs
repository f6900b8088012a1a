//! How people hear: mail now, other channels later, behind one trait; templates in `assets/templates/`.
//! May import: `domain`, `redact`. Must not: decide whether to tell. Start at [`Channel`]; `letter` writes the text, [`addressee`] finds
//! whom it goes to, `mail` and `outbox` carry it.

mod addressee;
pub mod letter;
pub mod mail;
mod message;
pub mod outbox;
pub mod way;

use async_trait::async_trait;

use crate::domain::mail::Mail;

pub use addressee::{NoAddressee, addressee};

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

/// The channel of a configured way. `Err` is what a person must correct (an unreadable CA file, a wrong sender).
pub fn channel(way: &way::Way, from: &str) -> Result<Box<dyn Channel>, ChannelError> {
    Ok(match way {
        way::Way::Smtp(server) => Box::new(mail::SmtpChannel::new(server, from)?),
        way::Way::Outbox(folder) => Box::new(outbox::OutboxChannel::new(folder, from)?),
    })
}
