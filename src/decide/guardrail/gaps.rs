//! A re-run on incomplete evidence needs a person: what could not be read may be what forbids it.

use crate::decide::draft::Draft;
use crate::decide::{Case, Policy};
use crate::domain::decision::Authority;

pub const ID: &str = "evidence_gap";

pub fn apply(draft: Draft, case: &Case, _: &Policy) -> Draft {
    if draft.action.reruns() && !case.gaps.is_empty() {
        return draft.lower(
            ID,
            Authority::Approval,
            format!("evidence is missing ({}): a person decides on a re-run", case.gaps.join("; ")),
        );
    }
    draft
}
