//! What the rules and the statistical model say, and what an LLM says beside them.

use serde::{Deserialize, Serialize};

use super::action::{Action, Parameter};
use super::cause::Cause;
use super::evidence::Field;
use super::ids::{Fingerprint, Probability, TaskKey};
use super::money::Usd;

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

/// What stands among a verdict's rules where the statistical model spoke, and where only the name of an exception did.
pub const MODEL: &str = "model";
pub const OWN_EXCEPTION: &str = "own-exception";

impl Classification {
    /// No rule knows the text: the verdict rests on its words.
    pub fn by_words_alone(&self) -> bool {
        !self.rules.is_empty() && self.rules.iter().all(|id| id == MODEL || id == OWN_EXCEPTION)
    }
}

/// An LLM's reading of the same evidence. Never grants authority: see `decide::guardrail::opinion`.
///
/// The texts are a model's: bounded, one line each, without control characters and links, and still not to be believed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Opinion {
    pub cause: Cause,
    pub action: Action,
    /// The model's own word; not calibrated.
    pub confidence: Probability,
    /// The root cause in one sentence.
    pub summary: String,
    /// It quotes at least one line, and every quoted line occurs in what was sent.
    pub grounded: bool,
    /// The model that answered, by its own name for itself.
    pub model: String,
    /// Proposed settings within the catalogue. Shown to people; no decision takes them over.
    #[serde(default)]
    pub parameters: Vec<Parameter>,
    /// What the answer proposed and was not taken, each with the reason.
    #[serde(default)]
    pub dropped: Vec<String>,
    #[serde(default)]
    pub quotes: Vec<Quote>,
    /// For the owner, ready to be sent.
    #[serde(default)]
    pub message: String,
    #[serde(default)]
    pub tokens: Tokens,
    /// What this opinion cost, its retries with it. `None`: no price of the model is known. Zero when it came from the cache.
    #[serde(default)]
    pub cost_usd: Option<Usd>,
    /// From the question to the opinion, waits and retries included.
    #[serde(default)]
    pub latency_ms: u64,
    /// The prompt's name and the start of its template's hash: `opinion.v1 3fa9c17be004`.
    #[serde(default)]
    pub prompt: String,
    #[serde(default)]
    pub origin: OpinionOrigin,
}

/// A line that an opinion says it rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    pub text: String,
    /// The field in which it occurs; `None`: it occurs nowhere in what was sent.
    pub field: Option<Field>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OpinionOrigin {
    /// The model was asked for this incident.
    #[default]
    Asked,
    /// An incident with the same fingerprint had the same question not long ago.
    Cached,
}

impl OpinionOrigin {
    pub const ALL: [Self; 2] = [Self::Asked, Self::Cached];

    /// As events, the ledger and the metrics write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Cached => "cached",
        }
    }
}

/// Tokens of one opinion, its retries with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tokens {
    pub input: u64,
    /// The part of `input` that the provider had cached.
    pub cached: u64,
    pub output: u64,
    pub counted: Counted,
}

/// Who counted the tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counted {
    #[default]
    ByProvider,
    /// At least one answer broke off before its count came: estimated from the text's length.
    Estimated,
}

impl std::ops::AddAssign for Tokens {
    fn add_assign(&mut self, more: Self) {
        self.input = self.input.saturating_add(more.input);
        self.cached = self.cached.saturating_add(more.cached);
        self.output = self.output.saturating_add(more.output);
        if more.counted == Counted::Estimated {
            self.counted = Counted::Estimated;
        }
    }
}
