//! Runs as answers show them. The JSON is written here by hand, field by field from the documentation, on purpose apart from the
//! types with which the client reads it: one checks the other.

use serde_json::{Map, Value, json};

use super::life;
use super::plan::{Attempt, JobRun, Millis, Phase, Round, latest};
use super::world::World;

/// Fields of every run, in lists and alone.
pub fn base(world: &World, run: &JobRun, now: Millis) -> Map<String, Value> {
    let mut fields = Map::new();
    let mut put = |name: &str, value: Value| {
        fields.insert(name.to_owned(), value);
    };
    let standing = life::of_run(run, now);
    let active = standing.status != Some("TERMINATED");
    let rounds: Vec<&Round> = run.shown(now).collect();
    let end = rounds.last().map_or(0, |round| round.end());
    put("job_id", json!(run.job.0));
    put("run_id", json!(run.id.0));
    put("number_in_job", json!(run.id.0));
    put("original_attempt_run_id", json!(run.id.0));
    put("attempt_number", json!(0));
    put("creator_user_name", json!(run.creator));
    put("run_name", json!(run.name));
    put("run_page_url", json!(world.run_page_url(run.job, run.id)));
    put("run_type", json!(run.run_type.as_str()));
    put("format", json!("MULTI_TASK"));
    put("trigger", json!(run.trigger));
    put("start_time", json!(run.start()));
    put("end_time", json!(if active { 0 } else { end }));
    // Of a job run these three are always 0; the time is in its tasks.
    put("setup_duration", json!(0));
    put("execution_duration", json!(0));
    put("cleanup_duration", json!(0));
    put("queue_duration", json!(0));
    if !active {
        put("run_duration", json!(rounds.iter().map(|round| round.end() - round.start).sum::<i64>()));
    }
    // Not in any published list of fields: callers must not mind.
    put("compute_hint", json!({"tier": "AUTO", "scores": [0.5, 0.25]}));
    standing.put(&mut fields);
    let parameters = rounds.last().map(|round| World::parameters(run, round)).unwrap_or_default();
    if !parameters.is_empty() {
        fields.insert("job_parameters".to_owned(), Value::Array(parameters));
    }
    if let Some(given) = rounds.last().map(|round| &round.overriding).filter(|given| !given.is_empty()) {
        fields.insert("overriding_parameters".to_owned(), json!(given));
    }
    fields
}

/// One entry per attempt, of all rounds; not sorted, as the API does not sort them.
pub fn tasks(world: &World, run: &JobRun, now: Millis, resolved: bool) -> Vec<Value> {
    let mut attempts: Vec<&Attempt> = run.shown(now).flat_map(|round| &round.attempts).filter(|attempt| is_listed(attempt, now)).collect();
    attempts.sort_by_key(|attempt| attempt.run_id.0.wrapping_mul(0x9E37_79B9_7F4A_7C15_u64.cast_signed()));
    attempts.into_iter().map(|attempt| task(world, run, attempt, now, resolved)).collect()
}

/// A further attempt of the platform is not there before it starts; what waits for other tasks is.
fn is_listed(attempt: &Attempt, now: Millis) -> bool {
    attempt.phase(now) != Phase::Blocked || attempt.number == 0 || attempt.verdict == super::plan::Verdict::UpstreamFailed
}

/// A task's own settings within those of its run.
fn settings_of<'a>(run: &'a JobRun, key: &str) -> Option<&'a Map<String, Value>> {
    let listed = run.settings.get("tasks").and_then(Value::as_array)?;
    listed.iter().find(|task| task.get("task_key").and_then(Value::as_str) == Some(key))?.as_object()
}

pub fn task_settings(run: &JobRun, key: &str) -> Value {
    settings_of(run, key).map_or(Value::Null, |fields| Value::Object(fields.clone()))
}

pub fn task(world: &World, run: &JobRun, attempt: &Attempt, now: Millis, resolved: bool) -> Value {
    let mut fields = settings_of(run, &attempt.key).cloned().unwrap_or_default();
    let mut put = |name: &str, value: Value| {
        fields.insert(name.to_owned(), value);
    };
    let phase = attempt.phase(now);
    put("task_key", json!(attempt.key));
    put("run_id", json!(attempt.run_id.0));
    put("attempt_number", json!(attempt.number));
    put("run_page_url", json!(world.run_page_url(run.job, attempt.run_id)));
    put("start_time", json!(attempt.start.min(now)));
    let ended = phase == Phase::Ended;
    put("end_time", json!(if ended { attempt.end } else { 0 }));
    put("setup_duration", json!(if ended { attempt.setup_until - attempt.start } else { 0 }));
    put("execution_duration", json!(if ended { attempt.work_until - attempt.setup_until } else { 0 }));
    put("cleanup_duration", json!(if ended { attempt.end - attempt.work_until } else { 0 }));
    if !matches!(phase, Phase::Blocked | Phase::Pending) && attempt.end > attempt.start {
        // Each attempt has a cluster of its own, named for when and where it ran.
        let cluster = format!("1125-{:06}-{:08x}", attempt.start / 1000 % 1_000_000, attempt.run_id.0 & 0xffff_ffff);
        put("cluster_instance", json!({"cluster_id": cluster, "spark_context_id": (attempt.run_id.0 >> 3).to_string()}));
    }
    if resolved {
        put("resolved_values", json!({"job_run_id": run.id.0.to_string()}));
    }
    life::of_attempt(attempt, now).put(&mut fields);
    Value::Object(fields)
}

/// Oldest first; the first is the original run, without an id.
pub fn history(run: &JobRun, now: Millis) -> Vec<Value> {
    let rounds: Vec<&Round> = run.shown(now).collect();
    (0..rounds.len())
        .filter_map(|n| {
            let round = rounds.get(n)?;
            let standing = life::of_rounds(run, rounds.get(..=n)?, now);
            let ended = standing.status == Some("TERMINATED");
            let mut item = Map::new();
            item.insert("type".to_owned(), json!(if round.repair.is_some() { "REPAIR" } else { "ORIGINAL" }));
            if let Some(id) = round.repair {
                item.insert("id".to_owned(), json!(id.0));
            }
            item.insert("start_time".to_owned(), json!(round.start));
            item.insert("end_time".to_owned(), json!(if ended { round.end() } else { 0 }));
            item.insert("task_run_ids".to_owned(), round.attempts.iter().map(|attempt| json!(attempt.run_id.0)).collect());
            standing.put(&mut item);
            Some(Value::Object(item))
        })
        .collect()
}

/// A task run as a run of its own.
pub fn task_run(world: &World, run: &JobRun, attempt: &Attempt, now: Millis) -> Value {
    let mut fields = base(world, run, now);
    let Value::Object(own) = task(world, run, attempt, now, false) else { return Value::Object(fields) };
    let tasks = json!([own.clone()]);
    fields.extend(own);
    fields.insert("job_run_id".to_owned(), json!(run.id.0));
    fields.insert("number_in_job".to_owned(), json!(attempt.run_id.0));
    fields.insert("run_name".to_owned(), json!(attempt.key));
    let first = run.rounds.iter().flat_map(|round| &round.attempts).find(|first| first.key == attempt.key);
    fields.insert("original_attempt_run_id".to_owned(), json!(first.unwrap_or(attempt).run_id.0));
    fields.insert("run_duration".to_owned(), json!(if attempt.phase(now) == Phase::Ended { attempt.end - attempt.start } else { 0 }));
    fields.insert("tasks".to_owned(), tasks);
    Value::Object(fields)
}

/// The newest attempts, for the lists.
pub fn newest_tasks(world: &World, run: &JobRun, now: Millis) -> Vec<Value> {
    latest(&run.tasks, run.shown(now)).into_iter().map(|attempt| task(world, run, attempt, now, false)).collect()
}
