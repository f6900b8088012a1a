//! What cannot be re-run (a one-time run, a job that is gone) goes to its owner.

use crate::decide::draft::Draft;
use crate::decide::{Case, Policy};
use crate::domain::action::Action;

pub const ID: &str = "rerunnable";

pub fn apply(draft: Draft, case: &Case, _: &Policy) -> Draft {
    match &case.rerun_refused {
        Some(why) if draft.action.reruns() => draft.change(ID, Action::Notify, format!("cannot be re-run: {why}")),
        _ => draft,
    }
}
