//! What a model's second opinion may do to a decision: take away, never give.
//!
//! An opinion counts where it is grounded (each line it quotes was in the evidence) and at least [`SURE_MIN`] sure. `c` is the rules'
//! confidence, `o` the opinion's.
//!
//! | the opinion | confidence shown | a re-run, or an ignore | a mail or a page |
//! |---|---|---|---|
//! | none, not grounded, or under [`SURE_MIN`] | `c` | as without it | as without it |
//! | the same cause | `c + (1 - c) * AGREES * o` | as without it | as without it |
//! | the same cause, but no re-run | `c + (1 - c) * AGREES * o` | a person decides | as without it |
//! | a cause that the rules list as an alternative | `c * (1 - DIFFERS_KNOWN * o)` | a person decides | as without it |
//! | another cause | `c * (1 - DIFFERS * o)` | a person decides; in mode auto, under [`PAGED_BELOW`], the on-call is paged | as without it |
//! | a cause, where the rules know none | `c` | there is none | as without it |
//!
//! So a model that repeats whatever a log tells it can cost a person's look, and nothing else: the confidence that it raises is shown,
//! while every threshold is held against the rules' own; its action, parameters and words enter no decision.

use crate::decide::draft::Draft;
use crate::decide::{Case, Policy};
use crate::domain::action::Action;
use crate::domain::cause::Cause;
use crate::domain::classification::{Classification, Opinion};
use crate::domain::decision::{Authority, Mode};
use crate::domain::ids::Probability;

pub const ID: &str = "second_opinion";

/// A model that is less sure than a coin says nothing.
pub const SURE_MIN: f64 = 0.5;
/// How much of the rules' doubt a fully sure agreement takes away.
pub const AGREES: f64 = 0.25;
/// How much of the rules' confidence a fully sure other cause takes away.
pub const DIFFERS: f64 = 0.5;
/// The same, where the rules had that cause in mind themselves.
pub const DIFFERS_KNOWN: f64 = 0.25;
/// Where two readings leave less confidence than this in a re-run, nobody's approval is waited for: somebody is woken.
pub const PAGED_BELOW: f64 = 0.6;

pub fn apply(draft: Draft, case: &Case, _: &Policy) -> Draft {
    let Some(opinion) = &case.opinion else { return draft };
    let rules = &case.classification;
    if !opinion.grounded {
        return draft.because("the model quotes lines that are not in the evidence: its opinion does not count".to_owned());
    }
    if opinion.confidence.get() < SURE_MIN {
        return draft.because(format!("the model is not sure ({} {}): its opinion does not count", opinion.cause, opinion.confidence));
    }
    if rules.cause == Cause::Unknown {
        return draft.because(format!("the model reads it as {} ({}): for a person to judge", opinion.cause, opinion.confidence));
    }
    if opinion.cause == rules.cause {
        let draft = draft.believe(agreed(rules.confidence, opinion.confidence));
        let draft = draft.because(format!("the model agrees: {} ({})", opinion.cause, opinion.confidence));
        return if draft.action.reruns() && !opinion.action.reruns() {
            draft.lower(ID, Authority::Approval, format!("the model would not re-run it but {}: a person decides", opinion.action.words()))
        } else {
            draft
        };
    }
    differs(draft, case, opinion)
}

fn differs(draft: Draft, case: &Case, opinion: &Opinion) -> Draft {
    let rules = &case.classification;
    let confidence = doubted(rules, opinion);
    let words =
        format!("the model reads it as {} ({}), the rules as {} ({})", opinion.cause, opinion.confidence, rules.cause, rules.confidence);
    let draft = draft.believe(confidence);
    match draft.action {
        // People hear of it in any case.
        Action::Notify | Action::Escalate => draft.because(words),
        Action::Retry | Action::RetryWithNewParams if case.mode == Mode::Auto && confidence.get() < PAGED_BELOW => {
            draft.change(ID, Action::Escalate, format!("{words}, which leaves {confidence}: a person must look"))
        }
        Action::Retry | Action::RetryWithNewParams | Action::Ignore => {
            draft.lower(ID, Authority::Approval, format!("{words}: a person decides"))
        }
    }
}

fn agreed(rules: Probability, opinion: Probability) -> Probability {
    Probability::new(rules.get() + (1.0 - rules.get()) * AGREES * opinion.get())
}

fn doubted(rules: &Classification, opinion: &Opinion) -> Probability {
    let known = rules.alternatives.iter().any(|alternative| alternative.cause == opinion.cause);
    let share = if known { DIFFERS_KNOWN } else { DIFFERS };
    Probability::new(rules.confidence.get() * (1.0 - share * opinion.confidence.get()))
}
