//! Decides what to do about an incident. Pure: no IO, no clock, no randomness (jitter comes seeded in [`Case`]).
//! May import: `domain`. Must not: anything that waits, or knows Databricks, an LLM or a screen. Start at [`decide`]; then `guardrail`.

mod backoff;
mod draft;
pub mod guardrail;
pub mod policy;
mod success;

pub use policy::{Policy, Retry};

use crate::domain::Timestamp;
use crate::domain::classification::{Classification, Opinion};
use crate::domain::decision::{Decision, Mode};
use crate::domain::incident::Attempt;
use crate::domain::job::JobFacts;

use draft::Draft;

/// Everything a decision depends on. Two equal cases under equal policies give equal decisions.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    pub classification: Classification,
    /// An LLM's reading, where one is configured. What it may do: [`guardrail::opinion`].
    pub opinion: Option<Opinion>,
    pub job: JobFacts,
    /// Attempts carried out on this run, oldest first.
    pub attempts: Vec<Attempt>,
    /// Re-runs alike (same fingerprint) and how many mended their run.
    pub mended_alike: u32,
    pub tried_alike: u32,
    /// Parts of the evidence that could not be had.
    pub gaps: Vec<String>,
    /// The run can be re-run at all: it belongs to a job, and the job still has the failed tasks. Else: why not.
    pub rerun_refused: Option<String>,
    /// The mode in force: the operator's, or `Auto` while auto-apply is on at a console.
    pub mode: Mode,
    /// For jitter: derived from incident and attempt, so that a replay gives the same times.
    pub seed: u64,
    pub now: Timestamp,
}

impl Case {
    /// Re-runs carried out so far.
    pub fn reruns(&self) -> u32 {
        self.attempts.iter().filter(|attempt| attempt.action.reruns()).count() as u32
    }
}

/// What the evidence asks for, then each guardrail in the order of [`guardrail::ALL`].
pub fn decide(case: &Case, policy: &Policy) -> Decision {
    guardrail::ALL
        .iter()
        .fold(Draft::from_cause(case), |draft, rail| {
            let authority = draft.authority;
            let next = rail.apply(draft, case, policy);
            debug_assert!(next.authority <= authority, "{} raised the authority", rail.id);
            next
        })
        .finish(case, policy)
}

#[cfg(test)]
mod tests;
