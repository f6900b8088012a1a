//! An unsure verdict is for a person, not for a re-run.

use crate::decide::draft::Draft;
use crate::decide::{Case, Policy};
use crate::domain::action::Action;

pub const ID: &str = "min_confidence";

pub fn apply(draft: Draft, case: &Case, policy: &Policy) -> Draft {
    let confidence = case.classification.confidence;
    if draft.action.reruns() && confidence < policy.min_confidence {
        return draft.change(
            ID,
            Action::Escalate,
            format!("confidence {confidence} is under policy.min_confidence {}: a person must look", policy.min_confidence),
        );
    }
    draft
}
