//! How likely a re-run is to mend the run: what came of re-runs alike, drawn towards the cause's usual rate while there are few.

use crate::domain::action::Action;
use crate::domain::cause::Cause;
use crate::domain::decision::SuccessProbability;
use crate::domain::ids::Probability;

use super::Case;

/// The usual rate counts as so many observed re-runs.
const PRIOR_WEIGHT: f64 = 4.0;

pub fn estimate(case: &Case, action: Action) -> SuccessProbability {
    let tried = f64::from(case.tried_alike);
    let mended = f64::from(case.mended_alike);
    let p = (mended + PRIOR_WEIGHT * usual(case.classification.cause, action)) / (tried + PRIOR_WEIGHT);
    SuccessProbability { p: Probability::new(p), mended: case.mended_alike, tried: case.tried_alike }
}

/// The share of failures of this cause that a re-run mends, by experience of the field; outcomes of the team's own runs soon outweigh it.
fn usual(cause: Cause, action: Action) -> f64 {
    let unchanged = match cause {
        Cause::Concurrency => 0.85,
        Cause::Platform => 0.8,
        Cause::Network => 0.75,
        Cause::Quota => 0.7,
        Cause::Timeout => 0.5,
        Cause::Data => 0.4,
        Cause::Resource | Cause::Dependency => 0.2,
        Cause::Permission | Cause::Syntax | Cause::Code | Cause::Canceled | Cause::Unknown => 0.1,
    };
    match action {
        Action::RetryWithNewParams => f64::max(unchanged, 0.65),
        Action::Retry | Action::Notify | Action::Escalate | Action::Ignore => unchanged,
    }
}
