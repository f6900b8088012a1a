//! What the operator allows.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::ids::Probability;

/// Automatic re-runs of a failed run. Source of the defaults: contract.md.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Retry {
    /// At most so many re-runs of one failed run.
    pub max_attempts: u32,
    pub base_delay: Duration,
    pub factor: f64,
    pub max_delay: Duration,
    /// Share of the delay by which it may differ to either side, 0..=1.
    pub jitter: f64,
}

impl Default for Retry {
    fn default() -> Self {
        Self { max_attempts: 3, base_delay: Duration::from_secs(30), factor: 2.0, max_delay: Duration::from_secs(15 * 60), jitter: 0.2 }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    pub retry: Retry,
    /// Below this confidence in the cause nothing is re-run without a person.
    pub min_confidence: Probability,
    /// Job name patterns (`*` and `?`) of critical jobs: a person approves each action.
    pub critical: Vec<String>,
    /// A job's tag may raise its mode to `auto`. Off: a tag may only lower it.
    pub trust_tags: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self { retry: Retry::default(), min_confidence: Probability::new(0.85), critical: Vec::new(), trust_tags: false }
    }
}
