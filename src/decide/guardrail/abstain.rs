//! An unsure verdict is for a person, not for a re-run.
//!
//! | confidence in the cause | a re-run |
//! |---|---|
//! | under [`NO_IDEA`] | is not proposed: the on-call is told |
//! | under `policy.min_confidence` | is proposed; a person approves it |
//! | from there on, by the statistical model without a rule | is proposed; a person approves it |
//! | from there on | goes on to the other guardrails |
//!
//! Both are measured: `runmend evaluate` prints what each threshold would have cost (`re-run from`). On 1,076 failures that were new to the
//! classifier, a wrong re-run counted as twenty withheld ones, 0.85 cost a quarter less than 0.6, and nothing above it was cheaper. Under
//! 0.4 fewer than half of the answers were right. Of the re-runs from 0.8 on, 3 of 139 that a rule asked for were wrong, and 1 of 8 that
//! rested on words alone.

use crate::decide::draft::Draft;
use crate::decide::{Case, Policy};
use crate::domain::action::Action;
use crate::domain::decision::Authority;

pub const ID: &str = "min_confidence";
/// Under it a verdict is a guess.
pub const NO_IDEA: f64 = 0.4;

pub fn apply(draft: Draft, case: &Case, policy: &Policy) -> Draft {
    let confidence = case.classification.confidence;
    if !draft.action.reruns() {
        return draft;
    }
    if confidence >= policy.min_confidence {
        return match case.classification.by_words_alone() {
            true => draft.lower(ID, Authority::Approval, "no rule knows this failure: a person decides".to_owned()),
            false => draft,
        };
    }
    if confidence.get() < NO_IDEA {
        let reason = format!("confidence {confidence} is under {NO_IDEA}: that is a guess, a person must look");
        return draft.change(ID, Action::Escalate, reason);
    }
    let reason = format!("confidence {confidence} is under policy.min_confidence {}: a person decides", policy.min_confidence);
    draft.lower(ID, Authority::Approval, reason)
}
