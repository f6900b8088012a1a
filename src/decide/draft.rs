//! A decision on its way through the guardrails.

use crate::domain::action::{Action, Parameter};
use crate::domain::decision::{Authority, Decision, Guardrail};
use crate::domain::ids::Probability;

use super::{Case, Policy, backoff, success};

/// Starts with what the cause alone asks for and full authority; guardrails only take away.
#[derive(Clone, Debug)]
pub struct Draft {
    pub action: Action,
    pub parameters: Vec<Parameter>,
    pub authority: Authority,
    /// Confidence in the cause as it will be shown. Thresholds are held against the rules' own.
    confidence: Probability,
    reasons: Vec<String>,
    guardrails: Vec<Guardrail>,
}

impl Draft {
    pub fn from_cause(case: &Case) -> Self {
        let verdict = &case.classification;
        let by = match verdict.rules.first() {
            Some(rule) => format!("rule {rule}"),
            None => "no rule".to_owned(),
        };
        let mut reasons = vec![format!("cause {} at {} ({by})", verdict.cause, verdict.confidence)];
        if !verdict.explanation.is_empty() {
            reasons.push(verdict.explanation.clone());
        }
        reasons.push(format!("this failure asks for: {}", verdict.action.words()));
        Self {
            action: verdict.action,
            parameters: verdict.parameters.clone(),
            authority: Authority::Auto,
            confidence: verdict.confidence,
            reasons,
            guardrails: Vec::new(),
        }
    }

    /// Lowers the authority to at most `ceiling`, with the reason. Says nothing where it was that low already.
    pub fn lower(mut self, id: &str, ceiling: Authority, reason: String) -> Self {
        if self.authority > ceiling {
            self.authority = ceiling;
            self.note(id, reason);
        }
        self
    }

    /// Another action instead, with the reason.
    pub fn change(mut self, id: &str, action: Action, reason: String) -> Self {
        if self.action != action {
            self.action = action;
            self.parameters.clear();
            self.note(id, reason);
        }
        self
    }

    /// A reason that changes nothing by itself.
    pub fn because(mut self, reason: String) -> Self {
        self.reasons.push(reason);
        self
    }

    /// Another confidence in the cause, for people.
    pub fn believe(mut self, confidence: Probability) -> Self {
        self.confidence = confidence;
        self
    }

    fn note(&mut self, id: &str, reason: String) {
        self.reasons.push(reason.clone());
        self.guardrails.push(Guardrail { id: id.to_owned(), reason });
    }

    pub fn finish(mut self, case: &Case, policy: &Policy) -> Decision {
        let mut not_before = case.now;
        let mut probability = None;
        if self.action.reruns() {
            let number = case.reruns() + 1;
            let delay = backoff::delay(&policy.retry, case.reruns(), case.seed);
            not_before = case.now.checked_add(delay).unwrap_or(case.now);
            self.reasons.push(format!(
                "re-run {number} of at most {}, after {}",
                super::guardrail::limit::of(case, policy),
                backoff::words(delay)
            ));
            let estimate = success::estimate(case, self.action);
            self.reasons.push(match estimate.tried {
                0 => format!("p(success) {}: no re-run alike is known yet, so this is the cause's usual rate", estimate.p),
                tried => format!("p(success) {}: {} of {tried} re-runs alike mended their run", estimate.p, estimate.mended),
            });
            probability = Some(estimate);
        }
        Decision {
            action: self.action,
            parameters: self.parameters,
            authority: self.authority,
            not_before,
            confidence: self.confidence,
            success: probability,
            reasons: self.reasons,
            guardrails: self.guardrails,
        }
    }
}
