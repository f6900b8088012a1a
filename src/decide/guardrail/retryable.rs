//! A cause that the same input would meet again is never re-run by itself, whatever a rule or an opinion proposes.

use crate::decide::draft::Draft;
use crate::decide::{Case, Policy};
use crate::domain::action::Action;
use crate::domain::cause::Cause;

pub const ID: &str = "retryable";

pub fn apply(draft: Draft, case: &Case, _: &Policy) -> Draft {
    if !draft.action.reruns() {
        return draft;
    }
    let cause = case.classification.cause;
    match cause {
        // A rule may know a data or dependency failure that passes by itself (files replaced under a running read, a mirror that is down).
        Cause::Timeout
        | Cause::Resource
        | Cause::Network
        | Cause::Platform
        | Cause::Quota
        | Cause::Concurrency
        | Cause::Data
        | Cause::Dependency => draft,
        Cause::Permission | Cause::Syntax | Cause::Code => {
            draft.change(ID, Action::Notify, format!("a {cause} failure fails again unchanged: its owner must mend it"))
        }
        Cause::Canceled => draft.change(ID, Action::Ignore, "it was stopped on purpose: not to be started again".to_owned()),
        Cause::Unknown => {
            draft.change(ID, Action::Escalate, "the cause is unknown: a person must look before anything runs again".to_owned())
        }
    }
}
