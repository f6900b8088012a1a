//! On a critical job a person approves whatever changes something. Mails and pages are never held back: a missed page costs a day.

use regex::Regex;

use crate::decide::draft::Draft;
use crate::decide::{Case, Policy};
use crate::domain::action::Action;
use crate::domain::decision::Authority;
use crate::domain::job::JobFacts;

pub const ID: &str = "critical";
pub const TAG: &str = "runmend.critical";

pub fn apply(draft: Draft, case: &Case, policy: &Policy) -> Draft {
    match draft.action {
        Action::Notify | Action::Escalate => draft,
        Action::Retry | Action::RetryWithNewParams | Action::Ignore => match why(&case.job, policy) {
            Some(why) => draft.lower(ID, Authority::Approval, format!("the job is critical ({why}): a person approves")),
            None => draft,
        },
    }
}

/// Why the job is critical, or `None`.
pub fn why(job: &JobFacts, policy: &Policy) -> Option<String> {
    if let Some(value) = job.tags.get(TAG) {
        // Anything but a clear no is a yes: a typo must not take the guard away.
        if !matches!(value.trim().to_ascii_lowercase().as_str(), "false" | "no" | "0") {
            return Some(format!("tag {TAG}"));
        }
    }
    policy.critical.iter().find(|pattern| matches(pattern, &job.name)).map(|pattern| format!("policy.critical {pattern}"))
}

/// `*` and `?` as in a shell, the whole name, upper and lower case alike.
pub fn matches(pattern: &str, name: &str) -> bool {
    let mut expression = String::from("(?is)^");
    for c in pattern.chars() {
        match c {
            '*' => expression.push_str(".*"),
            '?' => expression.push('.'),
            c => expression.push_str(&regex::escape(c.encode_utf8(&mut [0; 4]))),
        }
    }
    expression.push('$');
    // A pattern too long to compile guards everything rather than nothing.
    Regex::new(&expression).map_or(true, |expression| expression.is_match(name))
}
