//! The checks that a decision passes, in order. Each may lower the authority or change the action; none raises authority, and each
//! that changes anything leaves its reason. The list below is the order and the documentation.

pub mod abstain;
pub mod critical;
pub mod gaps;
pub mod idempotent;
pub mod ignorable;
pub mod limit;
pub mod mode;
pub mod opinion;
pub mod rerunnable;
pub mod retryable;
pub mod settings;

use super::draft::Draft;
use super::{Case, Policy};

/// One check. `says` is its documentation, shown by the README and by a person asking why.
pub struct Rail {
    pub id: &'static str,
    pub says: &'static str,
    apply: fn(Draft, &Case, &Policy) -> Draft,
}

impl Rail {
    pub(super) fn apply(&self, draft: Draft, case: &Case, policy: &Policy) -> Draft {
        (self.apply)(draft, case, policy)
    }
}

pub const ALL: [Rail; 12] = [
    Rail { id: retryable::ID, says: "a cause that the same input would meet again is never re-run by itself", apply: retryable::apply },
    Rail { id: abstain::ID, says: "an unsure verdict is for a person, not for a re-run", apply: abstain::apply },
    Rail { id: ignorable::ID, says: "only what was canceled on purpose may be ignored without a person", apply: ignorable::apply },
    Rail {
        id: rerunnable::ID,
        says: "what cannot be re-run (a one-time run, a job that is gone) goes to its owner",
        apply: rerunnable::apply,
    },
    Rail { id: limit::ID, says: "after retry.max_attempts re-runs the on-call engineer is paged", apply: limit::apply },
    // After what ends in a mail or a page by itself: an opinion must not turn the owner's mail into somebody else's.
    Rail { id: opinion::ID, says: "a model's second opinion may take authority away, never give it", apply: opinion::apply },
    Rail {
        id: settings::ID,
        says: "new settings are proposed; a person makes the change, then approves the repair",
        apply: settings::apply,
    },
    Rail { id: idempotent::ID, says: "a job tagged runmend.idempotent=false is re-run only by a person's word", apply: idempotent::apply },
    Rail { id: gaps::ID, says: "a re-run on incomplete evidence needs a person", apply: gaps::apply },
    Rail { id: critical::ID, says: "on a critical job a person approves whatever changes something", apply: critical::apply },
    Rail { id: mode::TAG_ID, says: "the job's tag runmend.mode may lower the mode", apply: mode::apply_tag },
    Rail { id: mode::ID, says: "the operator's mode is the ceiling", apply: mode::apply },
];
