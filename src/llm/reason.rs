//! Why there is no opinion, in words for the screen and the audit trail.

use std::time::Duration;

use crate::domain::Timestamp;
use crate::domain::ids::Probability;
use crate::domain::money::Usd;

use super::model::ModelError;

/// The rules decide alone. Shown as it stands.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum NoOpinion {
    #[error("no model is configured (llm.provider = none)")]
    NotConfigured,
    #[error("not asked: llm.ask = never")]
    Never,
    #[error("not asked: the rules are sure of {cause} ({confidence}) and llm.ask = unsure")]
    RulesAreSure { cause: crate::domain::cause::Cause, confidence: Probability },
    #[error("not asked: the {window} budget of {limit} is spent until {}", clock(.until))]
    BudgetSpent { window: &'static str, limit: Usd, until: Timestamp },
    #[error("not asked: the model's rate limit is reached until {}", clock(.until))]
    RateLimited { until: Timestamp },
    #[error("not asked: the model keeps failing ({reason}); next try at {}", clock(.until))]
    Down { reason: String, until: Timestamp },
    #[error("no answer within {}", seconds(.limit))]
    TooSlow { limit: Duration },
    #[error("two answers were no verdict; the last: {fault}")]
    Invalid { fault: String },
    #[error("{0}")]
    Model(#[from] ModelError),
}

impl NoOpinion {
    /// Would the same question fail the same way for a while?
    pub fn is_of_the_question(&self) -> bool {
        match self {
            Self::Invalid { .. } => true,
            Self::Model(error) => match error {
                ModelError::Filtered { .. }
                | ModelError::Declined { .. }
                | ModelError::TooLong { .. }
                | ModelError::Truncated { .. }
                | ModelError::Refused { .. } => true,
                ModelError::Unreachable { .. }
                | ModelError::Lost { .. }
                | ModelError::Busy { .. }
                | ModelError::Failed { .. }
                | ModelError::Exhausted { .. }
                | ModelError::Denied { .. }
                | ModelError::Missing { .. }
                | ModelError::Malformed { .. } => false,
            },
            Self::NotConfigured
            | Self::Never
            | Self::RulesAreSure { .. }
            | Self::BudgetSpent { .. }
            | Self::RateLimited { .. }
            | Self::Down { .. }
            | Self::TooSlow { .. } => false,
        }
    }
}

fn clock(at: &Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

fn seconds(limit: &Duration) -> String {
    if limit.subsec_millis() == 0 { format!("{}s", limit.as_secs()) } else { format!("{:.1}s", limit.as_secs_f64()) }
}
