//! Only what was canceled on purpose may be ignored without a person.

use crate::decide::draft::Draft;
use crate::decide::{Case, Policy};
use crate::domain::action::Action;
use crate::domain::cause::Cause;
use crate::domain::decision::Authority;

pub const ID: &str = "ignorable";

pub fn apply(draft: Draft, case: &Case, _: &Policy) -> Draft {
    if draft.action == Action::Ignore && case.classification.cause != Cause::Canceled {
        return draft.lower(ID, Authority::Approval, "it was not canceled on purpose: a person decides whether to ignore it".to_owned());
    }
    draft
}
