//! Signals -> one cause, how sure, and what else it may be.

use crate::domain::action::{Action, Parameter};
use crate::domain::cause::Cause;

use super::signal::{Signal, Source};

/// Each further signal for the same cause adds this share of its strength, up to [`SUPPORT_MAX`].
const SUPPORT: f32 = 0.06;
const SUPPORT_MAX: f32 = 8.0;
/// The action of a signal so close behind the strongest one of its cause still counts.
const ACTION_WITHIN: f32 = 14.0;

#[derive(Clone, Debug)]
pub struct Verdict {
    pub cause: Cause,
    /// 0..=100.
    pub score: f32,
    /// Distance to the next cause.
    pub lead: f32,
    /// How likely the cause is where rules and model were weighed together.
    pub likely: Option<f32>,
    pub action: Action,
    pub set: Vec<Parameter>,
    /// Causes with their score, best first; the winner included.
    pub ranking: Vec<(Cause, f32)>,
    /// Indices of the signals that speak for the winner, strongest first.
    pub because: Vec<usize>,
}

/// What a cause asks for where no rule knows better.
pub fn usual(cause: Cause) -> Action {
    match cause {
        Cause::Timeout | Cause::Network | Cause::Platform | Cause::Quota | Cause::Concurrency => Action::Retry,
        Cause::Resource => Action::RetryWithNewParams,
        Cause::Permission | Cause::Syntax | Cause::Data | Cause::Dependency | Cause::Code => Action::Notify,
        Cause::Canceled => Action::Ignore,
        Cause::Unknown => Action::Escalate,
    }
}

/// What the rules alone say.
pub fn by_rules(signals: &[Signal]) -> Verdict {
    let scores = scores(signals);
    let mut ranking: Vec<(Cause, f32)> =
        Cause::ALL.into_iter().zip(scores).filter_map(|(cause, score)| score.map(|score| (cause, score))).collect();
    ranking.sort_by(|a, b| b.1.total_cmp(&a.1));
    conclude(signals, ranking, None)
}

/// How rules and statistical model count together: log-linear, fitted by maximum likelihood on 632 failures that neither had seen and of
/// which the rules alone were not sure (ten-fold cross-validation: 88 of 100 right, the rules alone 71).
mod weights {
    /// Of a cause's score by the rules, 0..=1.
    pub const RULES: f32 = 2.9;
    /// Of the model's log-probability.
    pub const MODEL: f32 = 0.88;
    /// Of each cause, in the order of `Cause::ALL`: how far rules and model together underrate it.
    pub const CAUSE: [f32; 13] = [0.08, -0.22, -0.05, 0.11, 0.12, -0.26, 0.03, 0.02, -0.17, -0.22, -0.01, 0.05, 0.0];
    /// The model never rules a cause out.
    pub const LIKELY_MIN: f32 = 1e-4;
}

/// What rules and model say together. `likely`: what the model gives each cause.
pub fn weighed(signals: &[Signal], likely: &[f32]) -> Verdict {
    let scores = scores(signals).map(|score| score.unwrap_or(0.0) / 100.0);
    let logits: Vec<f32> = scores
        .iter()
        .zip(likely)
        .zip(weights::CAUSE)
        .map(|((score, p), cause)| weights::RULES * score + weights::MODEL * p.max(weights::LIKELY_MIN).ln() + cause)
        .collect();
    let top = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let total: f32 = logits.iter().map(|logit| (logit - top).exp()).sum();
    let mut ranking: Vec<(Cause, f32)> =
        Cause::ALL.into_iter().zip(&logits).map(|(cause, logit)| (cause, 100.0 * (logit - top).exp() / total)).collect();
    ranking.sort_by(|a, b| b.1.total_cmp(&a.1));
    let likely = ranking.first().map(|(_, share)| share / 100.0);
    conclude(signals, ranking, likely)
}

/// The strength of the strongest signal of each cause, with a little for each further one.
fn scores(signals: &[Signal]) -> [Option<f32>; Cause::ALL.len()] {
    Cause::ALL.map(|cause| {
        let of_cause = || signals.iter().filter(move |signal| signal.cause == cause && signal.source != Source::Model);
        let best = of_cause().map(|signal| signal.strength).max_by(f32::total_cmp)?;
        let support = (of_cause().map(|signal| signal.strength).sum::<f32>() - best) * SUPPORT;
        Some(best + support.min(SUPPORT_MAX))
    })
}

fn conclude(signals: &[Signal], ranking: Vec<(Cause, f32)>, likely: Option<f32>) -> Verdict {
    let (cause, score) = ranking.first().copied().unwrap_or((Cause::Unknown, 0.0));
    let second = ranking.get(1).map_or(0.0, |(_, score)| *score);
    let mut because: Vec<usize> = (0..signals.len()).filter(|i| signals[*i].cause == cause).collect();
    because.sort_by(|a, b| signals[*b].strength.total_cmp(&signals[*a].strength));
    let top = because.first().map_or(0.0, |i| signals[*i].strength);
    let word = because
        .iter()
        .map(|i| &signals[*i])
        .take_while(|signal| signal.strength >= top - ACTION_WITHIN)
        .find(|signal| signal.action.is_some() || !signal.set.is_empty());
    let action = word.and_then(|signal| signal.action).unwrap_or_else(|| usual(cause));
    let set = match action {
        Action::RetryWithNewParams => word.map(|signal| signal.set.clone()).unwrap_or_default(),
        Action::Retry | Action::Notify | Action::Escalate | Action::Ignore => Vec::new(),
    };
    Verdict { cause, score, lead: score - second, likely, action, set, ranking, because }
}
