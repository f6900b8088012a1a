//! When a model is asked at all.

use crate::domain::action::Action;
use crate::domain::cause::Cause;
use crate::domain::classification::Classification;
use crate::domain::ids::Probability;

use super::reason::NoOpinion;

/// `llm.ask`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ask {
    Always,
    /// Where it may add something: see [`wanted`].
    #[default]
    Unsure,
    Never,
}

/// Who wants to know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Occasion {
    /// The agent, on its way to a decision.
    #[default]
    Automatic,
    /// A person asked for it: the policy steps back, the budget does not.
    Demanded,
}

/// Under this confidence the rules count as unsure: where failures at first sight do not show, at 95 %, that at most one verdict in thirty
/// is wrong. `cargo test --test llm -- --nocapture sure` measures it anew; the README has the figures.
pub const UNSURE_BELOW: f64 = 0.96;

/// Is a model to be asked about this verdict?
///
/// Under [`Ask::Unsure`] it is where the cause is unknown, the confidence is under [`UNSURE_BELOW`], or the next step is a page
/// (a person will read it, and reads faster with a second opinion).
pub fn wanted(ask: Ask, occasion: Occasion, rules: &Classification) -> Result<(), NoOpinion> {
    match (ask, occasion) {
        (_, Occasion::Demanded) | (Ask::Always, Occasion::Automatic) => Ok(()),
        (Ask::Never, Occasion::Automatic) => Err(NoOpinion::Never),
        (Ask::Unsure, Occasion::Automatic) => {
            let unsure = rules.confidence < Probability::new(UNSURE_BELOW);
            if rules.cause == Cause::Unknown || unsure || rules.action == Action::Escalate {
                return Ok(());
            }
            Err(NoOpinion::RulesAreSure { cause: rules.cause, confidence: rules.confidence })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::llm::tests::support;

    #[test]
    fn the_policy_by_rows() {
        use Ask::*;
        use Occasion::*;
        for (ask, occasion, cause, confidence, action, want) in [
            (Always, Automatic, Cause::Network, 0.99, Action::Retry, true),
            (Unsure, Automatic, Cause::Network, 0.99, Action::Retry, false),
            (Unsure, Automatic, Cause::Network, 0.5, Action::Retry, true),
            (Unsure, Automatic, Cause::Data, 0.99, Action::Escalate, true),
            (Unsure, Automatic, Cause::Unknown, 0.99, Action::Notify, true),
            (Unsure, Demanded, Cause::Network, 0.99, Action::Retry, true),
            (Never, Automatic, Cause::Unknown, 0.1, Action::Escalate, false),
            (Never, Demanded, Cause::Unknown, 0.1, Action::Escalate, true),
        ] {
            let mut rules = support::classification();
            (rules.cause, rules.confidence, rules.action) = (cause, Probability::new(confidence), action);
            assert_eq!(wanted(ask, occasion, &rules).is_ok(), want, "{ask:?} {occasion:?} {cause} {confidence} {action}");
        }
    }
}
