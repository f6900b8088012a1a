//! What runmend may do about a failed run, and the settings it may propose to change.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Repair the run's failed tasks with nothing changed.
    Retry,
    /// Change a run setting within its limits, then repair.
    RetryWithNewParams,
    /// Mail the owner with the analysis: only they can mend it.
    Notify,
    /// Page the on-call engineer: dangerous or unclear.
    Escalate,
    /// Nothing to do.
    Ignore,
}

impl Action {
    pub const ALL: [Self; 5] = [Self::Retry, Self::RetryWithNewParams, Self::Notify, Self::Escalate, Self::Ignore];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::RetryWithNewParams => "retry_with_new_params",
            Self::Notify => "notify",
            Self::Escalate => "escalate",
            Self::Ignore => "ignore",
        }
    }

    /// The action as a table cell or a sentence names it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::RetryWithNewParams => "retry, new params",
            Self::Notify => "notify owner",
            Self::Escalate => "escalate",
            Self::Ignore => "ignore",
        }
    }

    /// Does it start a run in the workspace?
    pub fn reruns(self) -> bool {
        match self {
            Self::Retry | Self::RetryWithNewParams => true,
            Self::Notify | Self::Escalate | Self::Ignore => false,
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The word is none of [`Action::ALL`].
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no action; use one of retry, retry_with_new_params, notify, escalate, ignore")]
pub struct UnknownAction(String);

impl FromStr for Action {
    type Err = UnknownAction;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|action| action.as_str() == word).ok_or_else(|| UnknownAction(word.to_owned()))
    }
}

/// A run setting that a retry may change.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Setting {
    DriverMemory,
    NodeMemory,
    Workers,
    Disk,
    TaskTimeout,
    Availability,
    SparkConf(String),
}

/// Spark settings that a proposal may name: limits and timeouts of the job's own compute. Nothing here runs code, moves data, opens a
/// connection or carries a credential.
pub const SPARK_CONFS: [&str; 18] = [
    "spark.driver.maxResultSize",
    "spark.driver.memoryOverhead",
    "spark.executor.heartbeatInterval",
    "spark.executor.memoryOverhead",
    "spark.kryoserializer.buffer.max",
    "spark.memory.fraction",
    "spark.memory.storageFraction",
    "spark.network.timeout",
    "spark.rpc.askTimeout",
    "spark.rpc.message.maxSize",
    "spark.sql.adaptive.enabled",
    "spark.sql.adaptive.skewJoin.enabled",
    "spark.sql.autoBroadcastJoinThreshold",
    "spark.sql.broadcastTimeout",
    "spark.sql.execution.arrow.maxRecordsPerBatch",
    "spark.sql.files.maxPartitionBytes",
    "spark.sql.shuffle.partitions",
    "spark.task.maxFailures",
];

impl Setting {
    /// The settings that are not Spark's, with their names in files and answers.
    pub const NAMED: [(&'static str, Self); 6] = [
        ("driver_memory", Self::DriverMemory),
        ("node_memory", Self::NodeMemory),
        ("workers", Self::Workers),
        ("disk", Self::Disk),
        ("task_timeout", Self::TaskTimeout),
        ("availability", Self::Availability),
    ];

    /// The setting of this name, if a proposal may name it: one of [`Setting::NAMED`] or of [`SPARK_CONFS`].
    pub fn proposed(name: &str) -> Option<Self> {
        let named = Self::NAMED.into_iter().find(|(known, _)| *known == name).map(|(_, setting)| setting);
        named.or_else(|| SPARK_CONFS.contains(&name).then(|| Self::SparkConf(name.to_owned())))
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DriverMemory => f.write_str("driver memory"),
            Self::NodeMemory => f.write_str("node memory"),
            Self::Workers => f.write_str("workers"),
            Self::Disk => f.write_str("disk"),
            Self::TaskTimeout => f.write_str("task timeout"),
            Self::Availability => f.write_str("availability"),
            Self::SparkConf(key) => f.write_str(key),
        }
    }
}

/// How a setting is to change: by a factor of what it is now, or to a value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    Scale(f64),
    Set(String),
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scale(factor) => write!(f, "× {factor}"),
            Self::Set(value) => write!(f, "→ {value}"),
        }
    }
}

/// One proposed change of a run setting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Parameter {
    pub setting: Setting,
    pub change: Change,
}

impl fmt::Display for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.setting, self.change)
    }
}
