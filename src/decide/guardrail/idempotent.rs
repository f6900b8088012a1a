//! A job tagged `runmend.idempotent=false` is re-run only by a person's word: a second run could write its data twice.

use crate::decide::draft::Draft;
use crate::decide::{Case, Policy};
use crate::domain::decision::Authority;

pub const ID: &str = "idempotent";
pub const TAG: &str = "runmend.idempotent";

pub fn apply(draft: Draft, case: &Case, _: &Policy) -> Draft {
    match case.job.tags.get(TAG).map(|value| value.trim().to_ascii_lowercase()).as_deref() {
        None | Some("true" | "yes" | "1") => draft,
        // A word that we do not know is read the safe way.
        Some(_) if draft.action.reruns() => {
            draft.lower(ID, Authority::Approval, "the job is tagged as not idempotent: a re-run may write its data twice".to_owned())
        }
        Some(_) => draft,
    }
}
