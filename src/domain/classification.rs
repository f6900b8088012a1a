//! What the rules and the statistical model say, and what an LLM says beside them.

use serde::{Deserialize, Serialize};

use super::action::{Action, Parameter};
use super::cause::Cause;
use super::evidence::Field;
use super::ids::{Fingerprint, Probability, TaskKey};

/// The text on which a verdict rests. `start` and `end` are byte offsets into the named field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    pub field: Field,
    pub text: String,
    pub start: usize,
    pub end: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alternative {
    pub cause: Cause,
    pub confidence: Probability,
}

/// The verdict of the rules and the statistical model on one failure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Classification {
    pub cause: Cause,
    pub confidence: Probability,
    /// Other causes that the evidence allows, likeliest first.
    pub alternatives: Vec<Alternative>,
    /// What this failure asks for, before policy and guardrails: a rule may know better than its cause.
    pub action: Action,
    pub parameters: Vec<Parameter>,
    /// The rules that decided, strongest first.
    pub rules: Vec<String>,
    pub evidence: Option<Span>,
    /// The task whose failure decided, where a run has several. `None` for offline texts and for the run's own message.
    pub task: Option<TaskKey>,
    pub fingerprint: Fingerprint,
    /// Why the evidence means this cause: shown to people.
    pub explanation: String,
    /// What the owner may do about it.
    pub advice: String,
}

/// An LLM's reading of the same evidence. Never grants authority: see `decide`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Opinion {
    pub cause: Cause,
    pub action: Action,
    pub confidence: Probability,
    pub summary: String,
    /// Every quoted line occurs in what was sent.
    pub grounded: bool,
    pub model: String,
}
