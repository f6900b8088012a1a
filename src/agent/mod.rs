//! The loops that move incidents through the state machine. No UI: the console and `--auto` run exactly this.
//! May import: everything below (`decide`, `classify`, `databricks`, `ledger`, `notify`, `intake`, …). Must not: `console`, `report`, `sim`.
//! Start at [`run::Agent`] (the loops), then [`step`] (one incident, one state a file).
//!
//! Guarantees: a side effect is an intent in the ledger before it is attempted; an intent whose answer is not known is asked of the
//! workspace before anything is sent again; one incident is never moved by two steps at once. Assumption: the ledger keeps what it
//! committed. Caveat: mail is sent at least once (SMTP cannot be asked), with a stable Message-ID.

pub mod run;
mod house;
mod step;
mod detected;
mod collecting;
mod analysed;
mod decided;
mod awaiting;
mod scheduled;
mod acting;
mod watching;
mod with_people;
mod world;
mod letters;
mod post;

pub use house::{Clock, House, Settings, SystemClock};
pub use run::Agent;
pub use step::StepError;
