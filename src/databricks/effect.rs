//! The body of a side effect's call: one function, so that what is shown before is what is sent.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::wire::run::OVERRIDING_PARAMETERS;
use crate::domain::ids::TaskKey;
use crate::domain::intent::{Effect, RunParameters};

/// Longest idempotency token that run-now takes, characters.
const TOKEN_CHARS_MAX: usize = 64;

/// The endpoint after `/api/2.x/jobs`, and the body.
pub fn request(effect: &Effect) -> (&'static str, Value) {
    match effect {
        Effect::Repair { run, tasks, after, parameters } => {
            let mut body = parameter_fields(parameters);
            body.insert("run_id".to_owned(), json!(run.0));
            if let Some(after) = after {
                body.insert("latest_repair_id".to_owned(), json!(after.0));
            }
            // The caller names the failed tasks and those that did not run because of them: a named list runs exactly these, leaves
            // out a failed task that the job no longer has, and is what a person has approved. Only a run that failed before any task
            // was known leaves the choice to the workspace. Both selectors at once are refused; so is a key named twice, which a
            // list of attempts easily has.
            if tasks.is_empty() {
                body.insert("rerun_all_failed_tasks".to_owned(), json!(true));
            } else {
                let mut keys: Vec<&str> = tasks.iter().map(TaskKey::as_str).collect();
                keys.sort_unstable();
                keys.dedup();
                body.insert("rerun_tasks".to_owned(), json!(keys));
            }
            // `rerun_dependent_tasks` stays away: it would repeat dependents that have succeeded.
            ("/runs/repair", Value::Object(body))
        }
        Effect::RunNow { job, token, parameters } => {
            let mut body = parameter_fields(parameters);
            body.insert("job_id".to_owned(), json!(job.0));
            body.insert("idempotency_token".to_owned(), json!(idempotency_token(token)));
            ("/run-now", Value::Object(body))
        }
    }
}

/// The platform forgets a run's parameters when it repairs it, so they go along each time.
fn parameter_fields(parameters: &RunParameters) -> Map<String, Value> {
    let known = parameters.overriding.iter().filter(|(name, _)| OVERRIDING_PARAMETERS.contains(&name.as_str()));
    let mut fields: Map<String, Value> = known.map(|(name, value)| (name.clone(), value.clone())).collect();
    if !parameters.job.is_empty() {
        fields.insert("job_parameters".to_owned(), json!(parameters.job));
    }
    fields
}

/// A token that is too long becomes its SHA-256: cutting it could make two alike.
fn idempotency_token(token: &str) -> String {
    if token.chars().count() <= TOKEN_CHARS_MAX {
        return token.to_owned();
    }
    Sha256::digest(token.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{JobId, RepairId, RunId};

    fn parameters() -> RunParameters {
        let overriding = json!({"notebook_params": {"day": "1"}, "run_id": 666, "rerun_all_failed_tasks": true});
        RunParameters {
            job: [("date".to_owned(), "2026-11-24".to_owned())].into(),
            overriding: overriding.as_object().cloned().unwrap_or_default(),
        }
    }

    fn check(effect: &Effect, path: &str, want: Value) {
        assert_eq!(request(effect), (path, want));
    }

    #[test]
    fn a_repair_names_each_task_once_and_carries_the_runs_own_parameters() {
        let tasks = ["b", "a", "b"].map(TaskKey::from).to_vec();
        check(
            &Effect::Repair { run: RunId(7), tasks, after: Some(RepairId(70)), parameters: parameters() },
            "/runs/repair",
            json!({"run_id": 7, "rerun_tasks": ["a", "b"], "latest_repair_id": 70, "job_parameters": {"date": "2026-11-24"},
                   "notebook_params": {"day": "1"}}),
        );
        check(
            &Effect::Repair { run: RunId(7), tasks: vec![], after: None, parameters: RunParameters::default() },
            "/runs/repair",
            json!({"run_id": 7, "rerun_all_failed_tasks": true}),
        );
    }

    #[test]
    fn a_new_run_has_a_token_of_at_most_64_characters() {
        let effect = |token: &str| Effect::RunNow { job: JobId(3), token: token.to_owned(), parameters: parameters() };
        check(
            &effect("acme/7#1"),
            "/run-now",
            json!({"job_id": 3, "idempotency_token": "acme/7#1", "job_parameters": {"date": "2026-11-24"}, "notebook_params": {"day": "1"}}),
        );
        let long = |end: &str| request(&effect(&format!("{}{end}", "x".repeat(70)))).1["idempotency_token"].clone();
        assert_eq!(long("a").as_str().map(str::len), Some(64));
        assert_ne!(long("a"), long("b"), "two long tokens stay two");
    }
}
