//! Identifiers and small numbers, one type each, so that a task run's id can never stand where a job run's id is meant.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident(i64)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
    ($(#[$doc:meta])* $name:ident(String)) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

id!(
    /// A job's id in its workspace.
    JobId(i64)
);
id!(
    /// A run's id. Job runs and task runs share one number space in Databricks; the field's name says which is meant.
    RunId(i64)
);
id!(
    /// The id of one repair of a run; the newest one is the compare-and-swap value of the next repair.
    RepairId(i64)
);
id!(
    /// A task's key within its job.
    TaskKey(String)
);
id!(
    /// The workspace as the operator calls it: the profile's name, or the host's first label.
    WorkspaceName(String)
);
id!(
    /// `<workspace>/<run id>`: one incident for a workspace and run.
    IncidentId(String)
);
id!(
    /// `<incident>#<attempt>/<kind>`: one intent for a decision. Also the root of idempotency keys.
    IntentId(String)
);
id!(
    /// A stable hash (12 hex digits) of an error's template.
    Fingerprint(String)
);

impl IncidentId {
    pub fn new(workspace: &WorkspaceName, run: RunId) -> Self {
        Self(format!("{workspace}/{run}"))
    }
}

/// A number in 0..=1. What is not a number becomes 0: nobody acts on a confidence that could not be computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(from = "f64", into = "f64")]
pub struct Probability(f64);

impl Probability {
    pub const ZERO: Self = Self(0.0);
    pub const ONE: Self = Self(1.0);

    pub fn new(value: f64) -> Self {
        Self(if value.is_nan() { 0.0 } else { value.clamp(0.0, 1.0) })
    }

    pub fn get(self) -> f64 {
        self.0
    }
}

impl From<f64> for Probability {
    fn from(value: f64) -> Self {
        Self::new(value)
    }
}

impl From<Probability> for f64 {
    /// Three decimals: more would claim a precision that no count of past runs gives.
    fn from(value: Probability) -> Self {
        (value.0 * 1000.0).round() / 1000.0
    }
}

impl fmt::Display for Probability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2}", self.0)
    }
}
