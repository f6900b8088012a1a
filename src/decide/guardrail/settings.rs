//! New settings are proposed; a person makes the change, then approves the repair, which takes the job's settings as they are then.

use crate::decide::draft::Draft;
use crate::decide::{Case, Policy};
use crate::domain::action::Action;
use crate::domain::decision::Authority;

pub const ID: &str = "new_settings";

pub fn apply(draft: Draft, _: &Case, _: &Policy) -> Draft {
    if draft.action != Action::RetryWithNewParams {
        return draft;
    }
    let wanted: Vec<String> = draft.parameters.iter().map(ToString::to_string).collect();
    let what = if wanted.is_empty() { "the setting that ran out".to_owned() } else { wanted.join(", ") };
    draft.lower(ID, Authority::Approval, format!("runmend does not change settings itself yet: change {what} in the job, then approve; the repair uses the job's settings as they are then"))
}
