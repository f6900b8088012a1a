//! What a model's second opinion may do to a decision: take away, never give.
//!
//! An opinion counts where it is grounded (each line it quotes was in the evidence) and at least [`SURE_MIN`] sure. `c` is the rules'
//! confidence; `c + x` moves it by x in the logarithm of its odds.
//!
//! | the opinion | confidence shown | a re-run, or an ignore | a mail or a page |
//! |---|---|---|---|
//! | none, not grounded, or under [`SURE_MIN`] | `c` | as without it | as without it |
//! | the same cause | `c + AGREES` | as without it | as without it |
//! | the same cause, but no re-run | `c + AGREES` | a person decides | as without it |
//! | another cause | `c - DIFFERS` | a person decides; in mode auto, under [`PAGED_BELOW`], the on-call is paged | as without it |
//! | a cause, where the rules know none | `c` | there is none | as without it |
//!
//! The two shifts are fitted: `tests/cases/first_sight.jsonl` holds what a large model said of 169 failures, and what the rules had said
//! of them before they knew them; `cargo test --test accuracy opinions -- --nocapture` fits them anew. Where both agreed, the rules were right 117 times of 117;
//! where they differed, 30 times of 52, and the model 47 times. How sure the model says it is told nothing more, so it enters nothing but
//! [`SURE_MIN`]. Whether the rules had named the other cause as an alternative told nothing either (right 9 times of 13, and 21 of 39).
//!
//! They hold for a model that reads well. One of half a billion parameters, asked the same, was right 32 times of 164, and its word told
//! nothing: the rules were right 16 times of 19 where it agreed, and 126 times of 145 where it did not. With such a one, ask only by hand.
//!
//! So a model that repeats whatever a log tells it can cost a person's look, and nothing else: the confidence that it raises is shown,
//! while every threshold is held against the rules' own; its action, parameters and words enter no decision.

use crate::decide::draft::Draft;
use crate::decide::{Case, Policy};
use crate::domain::action::Action;
use crate::domain::cause::Cause;
use crate::domain::classification::Opinion;
use crate::domain::decision::{Authority, Mode};
use crate::domain::ids::Probability;

pub const ID: &str = "second_opinion";

/// A model that is less sure than a coin says nothing: where such a one differed, the rules were right 6 times of 9.
pub const SURE_MIN: f64 = 0.5;
/// What agreement adds to the logarithm of the odds that the rules are right. The best fit is higher; this is what remains of it if the
/// next agreement were the first to be wrong.
pub const AGREES: f64 = 2.0;
/// What another cause takes from it.
pub const DIFFERS: f64 = 1.5;
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
        let draft = draft.believe(shifted(rules.confidence, AGREES));
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
    let confidence = shifted(rules.confidence, -DIFFERS);
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

/// The confidence after its logarithmic odds have moved. None is certain either way.
fn shifted(confidence: Probability, by: f64) -> Probability {
    const EDGE: f64 = 0.001;
    let confidence = confidence.get().clamp(EDGE, 1.0 - EDGE);
    let odds = (confidence / (1.0 - confidence)).ln() + by;
    Probability::new(1.0 / (1.0 + (-odds).exp()))
}
