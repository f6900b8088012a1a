//! What the engine concluded, and everything a person needs to see why.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::action::{Action, Parameter};
use super::ids::Probability;

/// Who may carry a decision out. Ordered: a guardrail may only lower it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Authority {
    /// Recorded, never carried out.
    Observe,
    /// A person must approve it first.
    Approval,
    /// The agent carries it out.
    Auto,
}

impl Authority {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Observe => "observe",
            Self::Approval => "approval",
            Self::Auto => "auto",
        }
    }
}

/// What an automatic decision may do: the operator's setting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    Observe,
    #[default]
    Approve,
    Auto,
}

impl Mode {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Observe => "observe",
            Self::Approve => "approve",
            Self::Auto => "auto",
        }
    }

    /// The highest authority that a decision may have under this mode.
    pub fn ceiling(self) -> Authority {
        match self {
            Self::Observe => Authority::Observe,
            Self::Approve => Authority::Approval,
            Self::Auto => Authority::Auto,
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A check that changed a decision, and the sentence that says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guardrail {
    /// Stable name of the check, for scripts.
    pub id: String,
    pub reason: String,
}

/// How likely the action is to end in a mended run, with the counts it comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SuccessProbability {
    pub p: Probability,
    /// Attempts alike that mended their run.
    pub mended: u32,
    /// Attempts alike with a known outcome.
    pub tried: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    pub action: Action,
    pub parameters: Vec<Parameter>,
    pub authority: Authority,
    /// Not to be carried out before this time (backoff).
    pub not_before: Timestamp,
    /// Confidence in the cause after everything that was weighed.
    pub confidence: Probability,
    pub success: Option<SuccessProbability>,
    /// Why, in the order in which it was weighed.
    pub reasons: Vec<String>,
    /// The checks that changed the outcome, in the order applied.
    pub guardrails: Vec<Guardrail>,
}
