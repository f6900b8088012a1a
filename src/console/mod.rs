//! The operator console: what the ledger holds, on a terminal; what a person decides becomes a ledger transition.
//! May import: `domain`, `decide` (to show what policy says), `redact`, `ledger`, `config`. Must not: call the agent, an intake or a
//! workspace: console and agent meet in the ledger only. Start at [`run`]; then `update` (what a message changes) and `view` (how it looks).
//!
//! Guarantees: keys only enqueue, so that the screen never waits for the ledger; whatever a key does to the workspace is said before it is
//! done; the terminal is given back on return, error and panic.

mod act;
mod doc;
mod dossier;
pub mod key;
mod layout;
mod list;
mod model;
mod notice;
mod options;
mod pane;
mod partial;
pub mod picture;
mod reader;
mod snapshot;
mod theme;
mod update;
mod view;
mod wall;
mod will;
mod words;

mod feed;
mod office;
mod run;
mod terminal;

pub use options::{Llm, Options};
pub use run::{ConsoleError, Seat, run};
pub use theme::{ColorChoice, ThemeChoice, ThemeError};

#[cfg(test)]
mod tests;
