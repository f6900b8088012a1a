//! After `retry.max_attempts` re-runs of one run the on-call engineer is paged.

use crate::decide::draft::Draft;
use crate::decide::{Case, Policy};
use crate::domain::action::Action;

pub const ID: &str = "max_attempts";
pub const TAG: &str = "runmend.max_retries";

/// The limit in force: the policy's, lowered by the job's tag (raised too, where policy trusts tags).
pub fn of(case: &Case, policy: &Policy) -> u32 {
    let limit = policy.retry.max_attempts;
    match case.job.tags.get(TAG).map(|text| text.trim().parse::<u32>()) {
        Some(Ok(tag)) if tag < limit || policy.trust_tags => tag,
        _ => limit,
    }
}

pub fn apply(draft: Draft, case: &Case, policy: &Policy) -> Draft {
    let (done, limit) = (case.reruns(), of(case, policy));
    if draft.action.reruns() && done >= limit {
        let reason = match (limit, done) {
            (0, _) => "re-runs are switched off for this job (limit 0): a person must look".to_owned(),
            (_, 1) => "failed again after 1 re-run, the limit: a person must look".to_owned(),
            _ => format!("failed again after {done} re-runs, the limit is {limit}: a person must look"),
        };
        return draft.change(ID, Action::Escalate, reason);
    }
    draft
}
