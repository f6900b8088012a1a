//! The output of one task run, as runs/get-output gives it, and the answers of the two writes.

use serde::Deserialize;

use super::lenient::{Flag, Number, Text};
use super::text;
use crate::databricks::run::TaskOutput;
use crate::domain::ids::RunId;

#[derive(Debug, Deserialize)]
pub struct OutputJson {
    error: Option<Text>,
    error_trace: Option<Text>,
    logs: Option<Text>,
    #[serde(default)]
    logs_truncated: Flag,
    run_job_output: Option<RunJobOutput>,
}

#[derive(Debug, Deserialize)]
struct RunJobOutput {
    run_id: Option<Number>,
}

#[derive(Debug, Deserialize)]
pub struct RepairedJson {
    pub repair_id: Number,
}

#[derive(Debug, Deserialize)]
pub struct StartedJson {
    pub run_id: Number,
}

impl OutputJson {
    pub fn into_output(self) -> TaskOutput {
        let (logs, cut) = self.logs.map(|raw| text::log_tail(&raw.0)).unwrap_or_default();
        TaskOutput {
            error: self.error.and_then(|raw| text::error(&raw.0)),
            error_trace: self.error_trace.and_then(|raw| text::trace(&raw.0)),
            logs,
            logs_truncated: self.logs_truncated.0 || cut,
            child_run: self.run_job_output.and_then(|output| output.run_id).map(|id| RunId(id.0)),
        }
    }
}
