//! How failures arrive: by polling the workspace. Each door ends in [`Ledger::admit`](crate::ledger::Ledger::admit), which makes one
//! incident of a failure however often it is reported.
//! May import: `domain`, `databricks`, `ledger`. Must not: judge a failure, act on a run, or know a screen. Start at [`Poller`].

mod facts;
mod harvest;
mod patience;
mod poll;
mod recheck;
mod scan;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use crate::databricks::ApiError;
use crate::domain::event::Event;
use crate::domain::ids::RunId;
use crate::domain::incident::Incident;
use crate::ledger::LedgerError;

pub use poll::Poller;

/// What one poll found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PollReport {
    /// Runs that the poll before had not seen.
    pub runs_seen: u64,
    /// Runs that are active now.
    pub active: BTreeSet<RunId>,
    /// Successful runs of jobs with open incidents that were told to the ledger.
    pub succeeded: u64,
    /// Failures admitted, oldest first, with what was written to the audit trail; those of an earlier poll that broke off come along.
    pub admitted: Vec<(Incident, Event)>,
    /// Calls made to the workspace.
    pub calls: u32,
    /// Parts that could not be read, one sentence each. What they stand for is asked again at the next poll where that can help.
    pub warnings: Vec<String>,
}

/// Why a poll did not get to its end. Nothing is lost: the next one looks at the same time again.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    #[error(transparent)]
    Workspace(#[from] ApiError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}
