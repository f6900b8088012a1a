//! Why a run failed: six causes of the product's brief, six more that the field needs, and `unknown`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The root cause that the evidence shows. Each is defined by example in `assets/rules/README.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    Timeout,
    Resource,
    Permission,
    Syntax,
    Network,
    Data,
    Platform,
    Quota,
    Dependency,
    Concurrency,
    Code,
    Canceled,
    Unknown,
}

impl Cause {
    pub const ALL: [Self; 13] = [
        Self::Timeout,
        Self::Resource,
        Self::Permission,
        Self::Syntax,
        Self::Network,
        Self::Data,
        Self::Platform,
        Self::Quota,
        Self::Dependency,
        Self::Concurrency,
        Self::Code,
        Self::Canceled,
        Self::Unknown,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Resource => "resource",
            Self::Permission => "permission",
            Self::Syntax => "syntax",
            Self::Network => "network",
            Self::Data => "data",
            Self::Platform => "platform",
            Self::Quota => "quota",
            Self::Dependency => "dependency",
            Self::Concurrency => "concurrency",
            Self::Code => "code",
            Self::Canceled => "canceled",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The word is none of [`Cause::ALL`].
#[derive(Debug, thiserror::Error)]
#[error(
    "`{0}` is no cause; use one of timeout, resource, permission, syntax, network, data, platform, quota, dependency, concurrency, code, canceled, unknown"
)]
pub struct UnknownCause(String);

impl FromStr for Cause {
    type Err = UnknownCause;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|cause| cause.as_str() == word).ok_or_else(|| UnknownCause(word.to_owned()))
    }
}
