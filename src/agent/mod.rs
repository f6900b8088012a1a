//! The loops that move incidents through the state machine. No UI: the console and `--auto` run exactly this.
//! May import: everything below (`decide`, `classify`, `databricks`, `ledger`, `notify`, `intake`, …). Must not: `console`, `report`, `sim`.
//! Start at [`run::Agent`] (the loops), then [`step`] (one incident, one state a file).
//!
//! Guarantees: a side effect is an intent in the ledger before it is attempted; an intent whose answer is not known is asked of the
//! workspace before anything is sent again; one incident is never moved by two steps at once. Assumption: the ledger keeps what it
//! committed. Caveat: mail is sent at least once (SMTP cannot be asked), with a stable Message-ID.

mod acting;
mod analysed;
mod awaiting;
mod collecting;
mod decided;
mod detected;
mod house;
mod letters;
mod memory;
mod opinion;
mod post;
pub mod run;
mod scheduled;
mod step;
mod watching;
mod with_people;
mod world;

pub use house::{Clock, House, Parts, Settings, SystemClock};
pub use memory::{recall, remember, share};
pub use run::Agent;
pub use step::StepError;
