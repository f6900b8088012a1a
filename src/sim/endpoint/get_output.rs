//! GET jobs/runs/get-output: of a TASK run only; the id of a job run is refused, even when it has a single task.

use serde_json::{Map, Value, json};

use super::runs_get::run_missing;
use super::{Answer, Call, Refusal, World};
use crate::domain::ids::RunId;
use crate::sim::job_spec::TaskKind;
use crate::sim::plan::{Phase, Verdict};
use crate::sim::view;

/// Bytes of logs that an answer carries: the last ones.
const LOGS_BYTES_MAX: usize = 5 << 20;
const OF_SEVERAL_TASKS: &str =
    "Retrieving the output of runs with multiple tasks is not supported. Please retrieve the output of each individual task run instead.";

pub fn get_output(world: &mut World, call: &Call) -> Answer {
    let id = call.required("run_id")?;
    if world.run(RunId(id)).is_some() {
        return Err(Refusal::invalid(OF_SEVERAL_TASKS));
    }
    let run = world.parent(RunId(id)).ok_or_else(|| run_missing(id))?;
    let attempts = run.rounds.iter().flat_map(|round| &round.attempts);
    let attempt = attempts.into_iter().find(|attempt| attempt.run_id.0 == id).ok_or_else(|| run_missing(id))?;
    let settings = view::task_settings(run, &attempt.key);
    let mut answer = Map::new();
    let mut put = |name: &str, value: Value| {
        answer.insert(name.to_owned(), value);
    };
    put("metadata", view::task_run(world, run, attempt, call.now));
    if attempt.phase(call.now) == Phase::Ended {
        let (logs, truncated) = match &attempt.verdict {
            Verdict::Failed(failure) => {
                if let Some(error) = &failure.error {
                    put("error", json!(error));
                }
                if let Some(trace) = &failure.error_trace {
                    put("error_trace", json!(trace));
                }
                (failure.logs.clone(), failure.logs_truncated)
            }
            Verdict::Success => (Some(format!("{}: done\n", attempt.key)), false),
            Verdict::UpstreamFailed | Verdict::Canceled | Verdict::UpstreamCanceled => (None, false),
        };
        if let Some(logs) = logs.filter(|_| TaskKind::has_logs(&settings)) {
            let (tail, cut) = tail(&logs);
            put("logs", json!(tail));
            put("logs_truncated", json!(truncated || cut));
        }
    }
    if settings.get("notebook_task").is_some() {
        // Present, and empty when the notebook never called exit.
        put("notebook_output", json!({}));
    }
    put("x_render_hint", json!("text/plain"));
    Ok(Value::Object(answer))
}

fn tail(logs: &str) -> (&str, bool) {
    let from = logs.ceil_char_boundary(logs.len().saturating_sub(LOGS_BYTES_MAX));
    (logs.get(from..).unwrap_or(logs), from > 0)
}
