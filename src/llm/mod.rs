//! The second opinion: asks a language model about a failure, and believes nothing it says unchecked. The only room that talks to models.
//! May import: `domain`, `redact`. Must not: decide, act, or know the workspace's Jobs API, the ledger or a screen.
//!
//! Start at [`Desk`]: the one object that the agent calls. Then `prompt` (what is sent), `verdict` and `grounding` (what is taken from
//! an answer), [`Model`] (what a provider is; one file each: `azure`, `openai`, `databricks`, `ollama`), and the pure keepers of money
//! and load: `budget`, `cache`, `breaker`, `pace`, `ask`.

pub mod ask;
pub mod azure;
pub mod breaker;
pub mod budget;
pub mod cache;
mod call;
mod chat;
pub mod credential;
pub mod databricks;
pub mod desk;
pub mod entra;
mod excerpt;
mod facts;
mod failure;
mod grounding;
mod http;
pub mod model;
pub mod ollama;
pub mod openai;
pub mod pace;
pub mod price;
pub mod prompt;
pub mod provider;
pub mod reason;
pub mod schema;
mod sse;
mod verdict;

pub use ask::{Ask, Occasion};
pub use credential::{Credential, TokenSource};
pub use desk::{Desk, Health, Options};
pub use model::{Answer, Delivery, Model, ModelError, Progress, Request};
pub use price::PriceTable;
pub use prompt::{Alike, Prompt, Question};
pub use provider::{Connection, Provider, SetupError, connect};
pub use reason::NoOpinion;

#[cfg(test)]
mod tests;
