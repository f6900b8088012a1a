//! The workspace: authentication, client, wire types. The only place that knows the REST API.
//! May import: `domain`, `redact`. Must not: decide, store, or know a screen. Start at [`Workspace`]; `client` speaks HTTP, `wire` is
//! the JSON.

pub mod client;
pub mod error;
pub mod run;

mod effect;
#[cfg(test)]
mod tests;
mod transport;
mod wire;

use async_trait::async_trait;

use crate::domain::ids::{JobId, RepairId, RunId, WorkspaceName};
use crate::domain::incident::PlannedCall;
use crate::domain::intent::Effect;

pub use client::Client;
pub use error::{ApiError, ClientError};
pub use run::{Job, Run, RunPage, RunQuery, TaskOutput, TaskRun};

/// One workspace's Jobs API, as runmend needs it. Calls are safe to repeat except [`Workspace::repair`] and, on a workspace that
/// ignores idempotency tokens, [`Workspace::run_now`]: after a lost answer those two are never sent again inside; it is
/// [`ApiError::AnswerLost`], for which the caller must ask the workspace what happened.
#[async_trait]
pub trait Workspace: Send + Sync {
    fn name(&self) -> &WorkspaceName;

    /// Proves that the host is a Databricks API and takes our token: one cheap call.
    async fn check(&self) -> Result<(), ApiError>;

    /// One page of GET runs/list, newest start first. At most 25 runs a page.
    async fn list_runs(&self, query: &RunQuery, page_token: Option<&str>) -> Result<RunPage, ApiError>;

    /// GET runs/get with history, all pages joined. Takes a job run's id or a task run's id.
    async fn run(&self, run: RunId) -> Result<Run, ApiError>;

    /// GET runs/get-output. Takes a TASK run's id only.
    async fn task_output(&self, task_run: RunId) -> Result<TaskOutput, ApiError>;

    /// GET jobs/get, all pages joined.
    async fn job(&self, job: JobId) -> Result<Job, ApiError>;

    /// POST runs/repair. Sent again only on 429, which says that it was not accepted. `effect` must be [`Effect::Repair`].
    async fn repair(&self, effect: &Effect) -> Result<RepairId, ApiError>;

    /// POST jobs/run-now with its idempotency token: sent again only when it was not sent, or on 429 and 503, for which the token is
    /// there. `effect` must be [`Effect::RunNow`].
    async fn run_now(&self, effect: &Effect) -> Result<RunId, ApiError>;

    /// The call that `effect` would make, exactly as it would be sent.
    fn preview(&self, effect: &Effect) -> PlannedCall;
}
