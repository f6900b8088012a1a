//! What goes wrong in a job: what it shows, and, hidden, what would cure it.

use std::sync::Arc;

use serde_json::Value;

use super::chance::Chance;
use super::plan::{Failure, Millis};
use super::recordings;
use super::run_spec::RunSpec;
use super::truth::{self, Truth};
use crate::domain::ids::JobId;

/// What the platform says of every failing program.
const WORKLOAD_FAILED: &str = "Workload failed, see run output for details";

/// Codes of a task that failed before its program ran.
const IN_SETUP: [&str; 14] = [
    "CLOUD_FAILURE",
    "CLUSTER_ERROR",
    "CLUSTER_REQUEST_LIMIT_EXCEEDED",
    "FEATURE_DISABLED",
    "INVALID_CLUSTER_REQUEST",
    "INVALID_RUN_CONFIGURATION",
    "LIBRARY_INSTALLATION_ERROR",
    "MAX_CONCURRENT_RUNS_EXCEEDED",
    "MAX_SPARK_CONTEXTS_EXCEEDED",
    "REPOSITORY_CHECKOUT_FAILED",
    "RESOURCE_NOT_FOUND",
    "STORAGE_ACCESS_ERROR",
    "UNAUTHORIZED_ERROR",
    "WORKSPACE_RUN_LIMIT_EXCEEDED",
];

#[derive(Clone, Debug)]
pub struct Trouble {
    pub job: JobId,
    pub cause: String,
    pub recording: Option<String>,
    pub truth: Truth,
    pub failure: Arc<Failure>,
    /// The tasks that fail by themselves.
    pub fails: Vec<String>,
    /// Attempts that the platform makes by itself in each round.
    pub attempts: u32,
    pub began: Millis,
    /// From then on its owner has mended it.
    pub fixed_at: Option<Millis>,
    /// The job's settings when it began.
    pub settings: Arc<Value>,
    pub reruns: u32,
    /// Of those, new runs started by jobs/run-now.
    pub run_nows: u32,
    /// The first re-run that passes, once it is decided.
    pub passes_at: Option<Millis>,
}

impl Trouble {
    /// Does a re-run that starts at `at` pass? Counts it.
    pub fn rerun(&mut self, number: usize, at: Millis, settings: &Value, chance: Chance) -> bool {
        self.reruns += 1;
        let passes = self.is_over(at, settings)
            || match &self.truth {
                // A question for each re-run: the answer does not depend on other troubles.
                Truth::Transient(p) => chance.happens("rerun", (number as u64) << 20 | u64::from(self.reruns), *p),
                Truth::PassesAfter(reruns) => self.reruns >= *reruns,
                Truth::Canceled => true,
                Truth::CuredBy(_) | Truth::Never => false,
            };
        if passes {
            self.passes_at.get_or_insert(at);
        }
        passes
    }

    /// Has what was wrong been put right, by whoever?
    pub fn is_over(&self, at: Millis, settings: &Value) -> bool {
        self.fixed_at.is_some_and(|fixed| fixed <= at)
            || match &self.truth {
                Truth::CuredBy(limit) => truth::raised(limit, &self.settings, settings),
                Truth::Transient(_) | Truth::PassesAfter(_) | Truth::Never | Truth::Canceled => false,
            }
    }

    /// Would any run of the job fail of it, not only this one?
    pub fn breaks_the_job(&self, at: Millis, settings: &Value) -> bool {
        match self.truth {
            Truth::Never | Truth::CuredBy(_) => self.began <= at && self.passes_at.is_none() && !self.is_over(at, settings),
            Truth::Transient(_) | Truth::PassesAfter(_) | Truth::Canceled => false,
        }
    }
}

/// The cause, for the book.
pub fn cause(spec: &RunSpec) -> String {
    let canceled = spec.person_cancels_after.is_some() || spec.result_state.as_deref() == Some("CANCELED");
    let recorded = spec.recording.as_deref().and_then(recordings::find).map(|recording| recording.cause.clone());
    spec.cause.clone().or(recorded).unwrap_or_else(|| if canceled { "canceled" } else { "unknown" }.to_owned())
}

pub fn truth(spec: &RunSpec) -> Truth {
    if let Some(truth) = &spec.truth {
        return truth.clone();
    }
    if spec.person_cancels_after.is_some() || spec.result_state.as_deref() == Some("CANCELED") {
        return Truth::Canceled;
    }
    spec.recording.as_deref().and_then(recordings::find).map_or(Truth::Never, recordings::Recording::truth)
}

/// What the failing tasks show.
pub fn failure(spec: &RunSpec) -> Failure {
    let recording = spec.recording.as_deref().and_then(recordings::find);
    let word = spec.result_state.as_deref().unwrap_or("FAILED");
    let (life_cycle, result, code, state_message) = match word {
        "INTERNAL_ERROR" => ("INTERNAL_ERROR", "FAILED", "INTERNAL_ERROR", "An unexpected error occurred in the Jobs service"),
        "TIMEDOUT" => ("TERMINATED", "TIMEDOUT", "CANCELED", "Run exceeded its maximum duration (timeout_seconds)"),
        other => ("TERMINATED", other, "RUN_EXECUTION_ERROR", WORKLOAD_FAILED),
    };
    let given = |own: &Option<String>, recorded: Option<&String>| own.clone().or_else(|| recorded.cloned());
    let code =
        given(&spec.termination_code, recording.and_then(|recording| recording.termination_code.as_ref()).filter(|_| word == "FAILED"))
            .unwrap_or_else(|| code.to_owned());
    let state_message =
        given(&spec.state_message, recording.and_then(|recording| recording.state_message.as_ref()).filter(|_| word == "FAILED"))
            .or_else(|| spec.termination_message.clone())
            .unwrap_or_else(|| state_message.to_owned());
    Failure {
        life_cycle: life_cycle.to_owned(),
        result: Some(result.to_owned()),
        kind: spec.termination_type.clone().unwrap_or_else(|| kind(&code).to_owned()),
        message: spec.termination_message.clone().unwrap_or_else(|| state_message.clone()),
        in_setup: IN_SETUP.contains(&code.as_str()),
        code,
        state_message,
        error: given(&spec.error, recording.map(|recording| &recording.error)),
        error_trace: given(&spec.error_trace, recording.and_then(|recording| recording.error_trace.as_ref())),
        logs: given(&spec.logs, recording.and_then(|recording| recording.logs.as_ref())),
        logs_truncated: spec.logs_truncated,
    }
}

fn kind(code: &str) -> &'static str {
    match code {
        "INTERNAL_ERROR" => "INTERNAL_ERROR",
        "CLOUD_FAILURE" | "CLUSTER_ERROR" => "CLOUD_FAILURE",
        _ => "CLIENT_ERROR",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn trouble(truth: Truth) -> Trouble {
        Trouble {
            job: JobId(1),
            cause: "unknown".to_owned(),
            recording: None,
            truth,
            failure: Arc::new(failure(&RunSpec::default())),
            fails: vec!["main".to_owned()],
            attempts: 1,
            began: 0,
            fixed_at: None,
            settings: Arc::new(json!({"timeout_seconds": 60})),
            reruns: 0,
            run_nows: 0,
            passes_at: None,
        }
    }

    fn check(truth: Truth, settings: Value, want: [bool; 3]) {
        let mut trouble = trouble(truth.clone());
        let chance = Chance::new(7);
        assert_eq!([1, 2, 3].map(|at| trouble.rerun(0, at, &settings, chance)), want, "{truth:?}");
    }

    #[test]
    fn a_rerun_passes_when_its_truth_says_so() {
        let same = json!({"timeout_seconds": 60});
        check(Truth::Never, same.clone(), [false; 3]);
        check(Truth::PassesAfter(2), same.clone(), [false, true, true]);
        check(Truth::Transient(1.0), same.clone(), [true; 3]);
        check(Truth::Transient(0.0), same.clone(), [false; 3]);
        check(Truth::CuredBy("timeout".to_owned()), same, [false; 3]);
        check(Truth::CuredBy("timeout".to_owned()), json!({"timeout_seconds": 120}), [true; 3]);
    }

    #[test]
    fn chance_keeps_its_word() {
        let passed = (0..1000).filter(|number| trouble(Truth::Transient(0.7)).rerun(*number, 1, &json!({}), Chance::new(3))).count();
        assert!((650..750).contains(&passed), "{passed}");
    }

    #[test]
    fn the_owners_fix_ends_it() {
        let mut trouble = Trouble { fixed_at: Some(5), ..trouble(Truth::Never) };
        assert!(trouble.breaks_the_job(4, &json!({})) && !trouble.breaks_the_job(5, &json!({})));
        assert!(!trouble.rerun(0, 4, &json!({}), Chance::new(1)) && trouble.rerun(0, 5, &json!({}), Chance::new(1)));
    }
}
