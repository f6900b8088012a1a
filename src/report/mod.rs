//! What the judgement says of texts and labelled files, offline: `runmend analyze`, `runmend evaluate`, `runmend rules`; and how the
//! agents stand, for monitoring: the metrics endpoint. May import: `domain`, `decide`, `classify`, `redact`, `ledger`. Must not: open
//! files or exit; the caller hands over readers and writers. Start at [`analyze::analyze`] (`input` reads the lines of both), or at
//! [`metrics::Endpoint`].

pub mod analyze;
pub mod evaluate;
pub mod exposition;
pub mod input;
pub mod metrics;
pub mod rules;
#[cfg(test)]
mod tests;

use crate::decide::{Case, Policy, decide};
use crate::domain::Timestamp;
use crate::domain::classification::Classification;
use crate::domain::decision::{Decision, Mode};
use crate::domain::ids::JobId;
use crate::domain::job::JobFacts;

/// The decision on a first failure, as the agent would take it unattended: mode auto, nothing tried yet. Time and jitter do not matter
/// offline, so they are fixed.
fn decided(classification: Classification, job: JobFacts, policy: &Policy) -> Decision {
    let case = Case {
        classification,
        opinion: None,
        job: JobFacts { job_id: Some(job.job_id.unwrap_or(JobId(0))), ..job },
        attempts: Vec::new(),
        mended_alike: 0,
        tried_alike: 0,
        gaps: Vec::new(),
        rerun_refused: None,
        mode: Mode::Auto,
        seed: 0,
        now: Timestamp::UNIX_EPOCH,
    };
    decide(&case, policy)
}
