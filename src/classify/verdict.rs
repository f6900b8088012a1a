//! Signals -> one cause, how sure, and what else it may be.

use crate::domain::action::{Action, Parameter};
use crate::domain::cause::Cause;

use super::signal::{Signal, Source};

/// Each further signal for the same cause adds this share of its strength, up to [`SUPPORT_MAX`].
const SUPPORT: f32 = 0.06;
const SUPPORT_MAX: f32 = 8.0;
/// A cause that the model is sure of gains so much.
const MODEL_LEAN: f32 = 12.0;
/// The action of a signal so close behind the strongest one of its cause still counts.
const ACTION_WITHIN: f32 = 14.0;

#[derive(Clone, Debug)]
pub struct Verdict {
    pub cause: Cause,
    /// 0..=100.
    pub score: f32,
    /// Distance to the next cause.
    pub lead: f32,
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

/// `likely`: what the statistical model gives each cause, where it was asked.
pub fn conclude(signals: &[Signal], likely: Option<&[f32]>) -> Verdict {
    let mut ranking: Vec<(Cause, f32)> = Vec::new();
    for (index, cause) in Cause::ALL.into_iter().enumerate() {
        let mut strengths: Vec<(f32, &Source)> =
            signals.iter().filter(|signal| signal.cause == cause).map(|signal| (signal.strength, &signal.source)).collect();
        strengths.sort_by(|a, b| b.0.total_cmp(&a.0));
        let Some((best, _)) = strengths.first().copied() else { continue };
        let support: f32 = strengths.iter().skip(1).map(|(strength, _)| strength * SUPPORT).sum();
        let lean = likely.and_then(|likely| likely.get(index)).map_or(0.0, |p| p * MODEL_LEAN);
        ranking.push((cause, best + support.min(SUPPORT_MAX) + lean));
    }
    ranking.sort_by(|a, b| b.1.total_cmp(&a.1));
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
    Verdict { cause, score, lead: score - second, action, set, ranking, because }
}
