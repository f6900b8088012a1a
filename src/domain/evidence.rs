//! What was collected about a failure. Texts in here have passed the door: no control sequences, bounded in size.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ids::{RunId, TaskKey};

/// The texts of one failure, as `runmend analyze` reads them and the classifier judges them. An absent field is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FailureText {
    /// The short message (runs/get-output `error`).
    pub error: Option<String>,
    /// The stack trace (runs/get-output `error_trace`).
    pub error_trace: Option<String>,
    /// The state or termination message (runs/get).
    pub state_message: Option<String>,
    /// `status.termination_details.code`, or a cluster's termination reason code.
    pub termination_code: Option<String>,
    /// notebook, python, jar, sql, dbt, pipeline, …
    pub task_type: Option<String>,
    /// The log's tail.
    pub logs: Option<String>,
}

/// A field of [`FailureText`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    Error,
    ErrorTrace,
    StateMessage,
    TerminationCode,
    TaskType,
    Logs,
}

impl Field {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::ErrorTrace => "error_trace",
            Self::StateMessage => "state_message",
            Self::TerminationCode => "termination_code",
            Self::TaskType => "task_type",
            Self::Logs => "logs",
        }
    }
}

impl FailureText {
    pub fn field(&self, field: Field) -> Option<&str> {
        match field {
            Field::Error => self.error.as_deref(),
            Field::ErrorTrace => self.error_trace.as_deref(),
            Field::StateMessage => self.state_message.as_deref(),
            Field::TerminationCode => self.termination_code.as_deref(),
            Field::TaskType => self.task_type.as_deref(),
            Field::Logs => self.logs.as_deref(),
        }
    }
}

/// One root failing task: the latest attempt of its key, not a task that only waited for another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskEvidence {
    pub task_key: TaskKey,
    /// The task run's id (not the job run's).
    pub task_run: RunId,
    /// The platform's attempt number, from 0.
    pub attempt_number: u32,
    pub text: FailureText,
    /// TIMEDOUT, FAILED, …
    pub result_state: Option<String>,
    /// CLIENT_ERROR, INTERNAL_ERROR, CLOUD_FAILURE: who the platform blames.
    pub termination_type: Option<String>,
    /// The platform kept only the log's tail.
    pub logs_truncated: bool,
    /// Settings that matter to a verdict (compute kind, timeout, retries), as `name`, `value`.
    pub settings: Vec<(String, String)>,
}

/// How an earlier run of the same job ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastRun {
    pub run: RunId,
    pub started_at: Option<Timestamp>,
    /// SUCCESS, FAILED, …; `None` while it runs.
    pub result_state: Option<String>,
    /// Wall time in seconds.
    pub duration_s: Option<i64>,
}

/// A part of the evidence that could not be had, and why. Shown to people; it lowers the authority of a decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    pub part: String,
    pub reason: String,
}

/// All evidence of one attempt of an incident.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    pub tasks: Vec<TaskEvidence>,
    /// Tasks that failed only because another one did.
    pub consequences: Vec<TaskKey>,
    /// The run's own message and code, for runs that failed before a task began.
    pub run: FailureText,
    pub history: Vec<PastRun>,
    pub gaps: Vec<Gap>,
}
