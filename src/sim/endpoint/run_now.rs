//! POST jobs/run-now and jobs/runs/submit: a token given again answers with the run that it started first, however that ended.

use serde_json::{Map, Value, json};

use super::jobs::job_missing;
use super::{Answer, Call, Refusal, World};
use crate::domain::ids::{JobId, RunId};

const TOKEN_CHARS_MAX: usize = 64;
/// Largest `*_params` of one kind, bytes of JSON.
const PARAMS_BYTES_MAX: usize = 10_000;
const OLDER_PARAMETERS: [&str; 8] = [
    "dbt_commands",
    "jar_params",
    "notebook_params",
    "pipeline_params",
    "python_named_params",
    "python_params",
    "spark_submit_params",
    "sql_params",
];

fn token(call: &Call) -> Result<Option<String>, Refusal> {
    let token = call.text("idempotency_token")?.filter(|token| !token.is_empty());
    match token {
        Some(token) if token.chars().count() > TOKEN_CHARS_MAX => Err(Refusal::invalid(format!(
            "The idempotency token is too long: {} characters, at most {TOKEN_CHARS_MAX}.",
            token.chars().count()
        ))),
        other => Ok(other),
    }
}

/// The older per-type parameters of a run-now or a repair.
pub fn older_parameters(call: &Call) -> Result<Map<String, Value>, Refusal> {
    let mut given = Map::new();
    for name in OLDER_PARAMETERS {
        if let Some(value) = call.body.get(name).filter(|value| !value.is_null()) {
            if value.to_string().len() > PARAMS_BYTES_MAX {
                return Err(Refusal::invalid(format!("{name} is longer than {PARAMS_BYTES_MAX} bytes.")));
            }
            given.insert(name.to_owned(), value.clone());
        }
    }
    if given.contains_key("notebook_params") && given.contains_key("jar_params") {
        return Err(Refusal::invalid("notebook_params and jar_params cannot be given together."));
    }
    Ok(given)
}

fn started(run: RunId) -> Value {
    json!({"run_id": run.0, "number_in_job": run.0})
}

pub fn run_now(world: &mut World, call: &Call) -> Answer {
    let id = call.required("job_id")?;
    let job = JobId(id);
    if !world.jobs.contains_key(&job) {
        return Err(job_missing(id));
    }
    let token = token(call)?;
    let job_parameters = call.object("job_parameters")?;
    let older = older_parameters(call)?;
    if let Some(run) = token.as_ref().and_then(|token| world.tokens.get(&(Some(job), token.clone()))) {
        return Ok(started(*run));
    }
    let run = world.run_now(job, job_parameters, older, call.now);
    if let Some(token) = token {
        world.tokens.insert((Some(job), token), run);
    }
    Ok(started(run))
}

pub fn submit(world: &mut World, call: &Call) -> Answer {
    let token = token(call)?;
    if call.body.get("tasks").and_then(Value::as_array).is_none_or(Vec::is_empty) {
        return Err(Refusal::invalid("Missing required field: tasks"));
    }
    if let Some(run) = token.as_ref().and_then(|token| world.tokens.get(&(None, token.clone()))) {
        return Ok(json!({"run_id": run.0}));
    }
    let name = call.text("run_name")?.unwrap_or_else(|| "Untitled".to_owned());
    let run = world.submit(name, &call.body, call.now);
    if let Some(token) = token {
        world.tokens.insert((None, token), run);
    }
    Ok(json!({"run_id": run.0}))
}
