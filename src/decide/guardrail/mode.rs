//! The operator's mode is the ceiling; the job's own tag may lower it (raise it only where policy trusts tags).

use crate::decide::draft::Draft;
use crate::decide::{Case, Policy};
use crate::domain::decision::Mode;

pub const ID: &str = "mode";
pub const TAG_ID: &str = "job_mode";
pub const TAG: &str = "runmend.mode";

pub fn apply_tag(draft: Draft, case: &Case, _: &Policy) -> Draft {
    match tagged(case) {
        Some(Ok(mode)) => draft.lower(TAG_ID, mode.ceiling(), format!("the job's tag {TAG} says {mode}")),
        // A word that we do not know is read the safe way.
        Some(Err(word)) => draft.lower(
            TAG_ID,
            Mode::Approve.ceiling(),
            format!("the job's tag {TAG} says `{word}`, which is no mode (observe, approve, auto): a person approves"),
        ),
        None => draft,
    }
}

pub fn apply(draft: Draft, case: &Case, policy: &Policy) -> Draft {
    let mode = match (case.mode, tagged(case)) {
        (Mode::Approve, Some(Ok(Mode::Auto))) if policy.trust_tags => Mode::Auto,
        (mode, _) => mode,
    };
    let reason = match mode {
        Mode::Observe => "mode observe: recorded, not carried out",
        Mode::Approve => "mode approve: a person approves each action",
        Mode::Auto => "mode auto",
    };
    draft.lower(ID, mode.ceiling(), reason.to_owned())
}

fn tagged(case: &Case) -> Option<Result<Mode, &str>> {
    case.job.tags.get(TAG).map(|word| match word.trim().to_ascii_lowercase().as_str() {
        "observe" => Ok(Mode::Observe),
        "approve" => Ok(Mode::Approve),
        "auto" => Ok(Mode::Auto),
        _ => Err(word.as_str()),
    })
}
