//! Runs, task runs and jobs as runmend reads them: parsed once at the wall, unknown words kept and never acted on.

use std::collections::BTreeMap;

use crate::domain::Timestamp;
use crate::domain::ids::{JobId, RepairId, RunId, TaskKey};
use crate::domain::intent::RunParameters;

/// Where a run is in its life. Source: `state.life_cycle_state`, or `status.state` where only that is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LifeCycle {
    Queued,
    Pending,
    Running,
    Terminating,
    Blocked,
    WaitingForRetry,
    Terminated,
    Skipped,
    InternalError,
    Other(String),
}

/// `state.result_state`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResultState {
    Success,
    SuccessWithFailures,
    Failed,
    TimedOut,
    Canceled,
    MaximumConcurrentRunsReached,
    Excluded,
    UpstreamFailed,
    UpstreamCanceled,
    Disabled,
    Other(String),
}

/// How a run stands, for those who only need to know whether it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Active,
    Succeeded,
    Failed,
    Canceled,
    Skipped,
}

/// `status.termination_details`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Termination {
    pub code: Option<String>,
    /// SUCCESS, CLIENT_ERROR, INTERNAL_ERROR, CLOUD_FAILURE.
    pub kind: Option<String>,
    pub message: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunState {
    pub life_cycle: LifeCycle,
    pub result: Option<ResultState>,
    pub message: Option<String>,
    pub termination: Termination,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskRun {
    pub task_key: TaskKey,
    /// The TASK run's id; `None` where a workspace gives none (a task that never started).
    pub run_id: Option<RunId>,
    pub attempt_number: u32,
    pub state: RunState,
    pub started_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    pub depends_on: Vec<TaskKey>,
    /// notebook, python, wheel, jar, spark_submit, sql, dbt, pipeline, run_job, condition, for_each, …
    pub task_type: String,
    pub cluster_id: Option<String>,
    /// Settings that matter to a verdict, as `name`, `value`.
    pub settings: Vec<(String, String)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepairItem {
    /// `None` for the original run.
    pub id: Option<RepairId>,
    pub started_at: Option<Timestamp>,
    /// `None` while it runs.
    pub ended_at: Option<Timestamp>,
    pub state: RunState,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    pub run_id: RunId,
    pub job_id: Option<JobId>,
    pub run_name: String,
    pub run_page_url: Option<String>,
    /// JOB_RUN, SUBMIT_RUN, WORKFLOW_RUN.
    pub run_type: Option<String>,
    pub trigger: Option<String>,
    pub creator: Option<String>,
    pub state: RunState,
    /// Epoch milliseconds on the wire; 0 means not yet.
    pub started_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    /// One entry per attempt, unordered, as the API gives them: use [`Run::latest_attempts`].
    pub tasks: Vec<TaskRun>,
    pub parameters: RunParameters,
    pub repair_history: Vec<RepairItem>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunQuery {
    pub job_id: Option<JobId>,
    pub filter: RunFilter,
    /// Runs that STARTED at or after this time: the API has no filter on the end.
    pub started_from: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RunFilter {
    #[default]
    All,
    ActiveOnly,
    CompletedOnly,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunPage {
    /// Runs as listed: `tasks`, `repair_history` and `parameters` are empty here.
    pub runs: Vec<Run>,
    pub next_page_token: Option<String>,
    /// Runs of this page that could not be read, one sentence each: they cost themselves, not the page.
    pub malformed: Vec<String>,
}

/// runs/get-output of one task run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskOutput {
    pub error: Option<String>,
    pub error_trace: Option<String>,
    pub logs: Option<String>,
    pub logs_truncated: bool,
    /// The child's run, for a run-job task: the real cause is there.
    pub child_run: Option<RunId>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Job {
    pub job_id: Option<JobId>,
    pub name: String,
    pub creator: Option<String>,
    pub run_as: Option<String>,
    pub tags: BTreeMap<String, String>,
    pub tasks: Vec<TaskKey>,
    /// BUNDLE, SYSTEM_MANAGED.
    pub deployment: Option<String>,
}

impl LifeCycle {
    /// In place of a word, when a workspace gives no state at all (for a moment after a start).
    pub const NOT_GIVEN: &str = "NOT_GIVEN";

    /// The platform's word.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Queued => "QUEUED",
            Self::Pending => "PENDING",
            Self::Running => "RUNNING",
            Self::Terminating => "TERMINATING",
            Self::Blocked => "BLOCKED",
            Self::WaitingForRetry => "WAITING_FOR_RETRY",
            Self::Terminated => "TERMINATED",
            Self::Skipped => "SKIPPED",
            Self::InternalError => "INTERNAL_ERROR",
            Self::Other(word) => word,
        }
    }
}

impl ResultState {
    /// The platform's word.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Success => "SUCCESS",
            Self::SuccessWithFailures => "SUCCESS_WITH_FAILURES",
            Self::Failed => "FAILED",
            Self::TimedOut => "TIMEDOUT",
            Self::Canceled => "CANCELED",
            Self::MaximumConcurrentRunsReached => "MAXIMUM_CONCURRENT_RUNS_REACHED",
            Self::Excluded => "EXCLUDED",
            Self::UpstreamFailed => "UPSTREAM_FAILED",
            Self::UpstreamCanceled => "UPSTREAM_CANCELED",
            Self::Disabled => "DISABLED",
            Self::Other(word) => word,
        }
    }
}

impl RunState {
    /// The word for people: the result, or where the run is in its life while it has none.
    pub fn word(&self) -> &str {
        self.result.as_ref().map_or_else(|| self.life_cycle.as_str(), ResultState::as_str)
    }

    /// Terminal and not successful is failed, whatever the life-cycle word: INTERNAL_ERROR is what every run with a failed task shows.
    pub fn standing(&self) -> Standing {
        match (&self.life_cycle, &self.result) {
            (LifeCycle::Skipped, _) => Standing::Skipped,
            (LifeCycle::Terminated | LifeCycle::InternalError, result) => match result {
                Some(ResultState::Success | ResultState::SuccessWithFailures) => Standing::Succeeded,
                Some(ResultState::Canceled | ResultState::UpstreamCanceled) => Standing::Canceled,
                Some(ResultState::MaximumConcurrentRunsReached | ResultState::Excluded | ResultState::Disabled) => Standing::Skipped,
                Some(ResultState::Failed | ResultState::TimedOut | ResultState::UpstreamFailed | ResultState::Other(_)) => Standing::Failed,
                // A terminal run without a result: its code decides, and an unknown one is a failure that a person should see.
                None => match self.termination.code.as_deref() {
                    Some("SUCCESS" | "SUCCESS_WITH_FAILURES") => Standing::Succeeded,
                    Some("USER_CANCELED") => Standing::Canceled,
                    Some("SKIPPED" | "DISABLED" | "MAX_CONCURRENT_RUNS_EXCEEDED" | "MAX_JOB_QUEUE_SIZE_EXCEEDED") => Standing::Skipped,
                    _ => Standing::Failed,
                },
            },
            (
                LifeCycle::Queued
                | LifeCycle::Pending
                | LifeCycle::Running
                | LifeCycle::Terminating
                | LifeCycle::Blocked
                | LifeCycle::WaitingForRetry
                | LifeCycle::Other(_),
                _,
            ) => Standing::Active,
        }
    }
}

impl Run {
    /// The newest repair: what the next repair must name.
    pub fn latest_repair(&self) -> Option<RepairId> {
        self.repair_history.iter().rev().find_map(|item| item.id)
    }

    /// One task run a key: the one with the highest attempt number, then the latest start.
    pub fn latest_attempts(&self) -> Vec<&TaskRun> {
        let mut latest: BTreeMap<&TaskKey, &TaskRun> = BTreeMap::new();
        for task in &self.tasks {
            let newer = latest
                .get(&task.task_key)
                .is_none_or(|seen| (task.attempt_number, task.started_at) > (seen.attempt_number, seen.started_at));
            if newer {
                latest.insert(&task.task_key, task);
            }
        }
        latest.into_values().collect()
    }

    /// The tasks that failed by themselves (not because another one did), latest attempt each.
    pub fn root_failures(&self) -> Vec<&TaskRun> {
        self.latest_attempts().into_iter().filter(|task| task.failed_by_itself()).collect()
    }

    /// Tasks that did not run because another one failed.
    pub fn consequences(&self) -> Vec<&TaskRun> {
        self.latest_attempts().into_iter().filter(|task| task.is_consequence()).collect()
    }
}

impl TaskRun {
    pub fn is_consequence(&self) -> bool {
        matches!(self.state.result, Some(ResultState::UpstreamFailed | ResultState::UpstreamCanceled))
            || self.state.termination.code.as_deref() == Some("SKIPPED")
    }

    pub fn failed_by_itself(&self) -> bool {
        self.state.standing() == Standing::Failed && !self.is_consequence()
    }
}
