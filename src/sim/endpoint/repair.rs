//! POST jobs/runs/repair. It has no idempotency token: the id of the latest repair, which a second repair must name, takes its place.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::run_now::older_parameters;
use super::runs_get::run_missing;
use super::{Answer, Call, Refusal, World};
use crate::domain::ids::RunId;
use crate::sim::events::failed_keys;
use crate::sim::plan::{Actor, JobRun, RunType};
use crate::sim::settings::Task;
use crate::sim::world::Repair;

const LATEST_NEEDED: &str = "The latest repair ID needs to be provided in order to create a new repair";

pub fn repair(world: &mut World, call: &Call) -> Answer {
    let id = call.required("run_id")?;
    let Some(run) = world.run(RunId(id)) else {
        return Err(match world.parent(RunId(id)) {
            Some(_) => Refusal::invalid(format!("Run {id} is a task run. Only job runs can be repaired.")),
            None => run_missing(id),
        });
    };
    if run.run_type == RunType::Submit {
        return Err(Refusal::invalid(format!("Run {id} is a one-time run and cannot be repaired.")));
    }
    if run.is_active(call.now) {
        return Err(Refusal::state(format!("Run {id} is still active and cannot be repaired.")));
    }
    if call.number("latest_repair_id")? != run.latest_repair().map(|repair| repair.0) {
        return Err(Refusal::invalid(LATEST_NEEDED));
    }
    let keys = keys(world, run, call)?;
    let repair = Repair {
        keys,
        by: Actor::Token,
        job_parameters: call.object("job_parameters")?,
        overriding: older_parameters(call)?,
        mended: false,
    };
    let repair = world.repair(RunId(id), repair, call.now).ok_or_else(|| run_missing(id))?;
    Ok(json!({"repair_id": repair.0}))
}

fn keys(world: &World, run: &JobRun, call: &Call) -> Result<BTreeSet<String>, Refusal> {
    let tasks: &[Task] = world.jobs.get(&run.job).map_or(&run.tasks, |job| &job.tasks);
    let known = |key: &str| tasks.iter().any(|task| task.key == key);
    let all_failed = call.flag("rerun_all_failed_tasks")?;
    let named = match call.body.get("rerun_tasks") {
        None | Some(Value::Null) => Vec::new(),
        Some(value) => {
            let listed: Option<Vec<&str>> = value.as_array().and_then(|items| items.iter().map(Value::as_str).collect());
            listed.ok_or_else(|| Refusal::invalid("rerun_tasks must be a list of task keys."))?
        }
    };
    let mut keys: BTreeSet<String> = match (named.is_empty(), all_failed) {
        (true, false) => return Err(Refusal::invalid("One of rerun_tasks and rerun_all_failed_tasks must be provided.")),
        (false, true) => return Err(Refusal::invalid("Only one of rerun_tasks and rerun_all_failed_tasks can be provided.")),
        (true, true) => failed_keys(run).into_iter().filter(|key| known(key)).collect(),
        (false, false) => named.iter().map(|key| (*key).to_owned()).collect(),
    };
    if keys.len() < named.len() {
        return Err(Refusal::invalid("rerun_tasks cannot contain duplicate task keys."));
    }
    if let Some(unknown) = keys.iter().find(|key| !known(key)) {
        return Err(Refusal::invalid(format!("Task key '{unknown}' does not exist in job {}.", run.job)));
    }
    if keys.is_empty() {
        return Err(Refusal::invalid(format!("Run {} has no failed tasks to repair.", run.id)));
    }
    if call.flag("rerun_dependent_tasks")? {
        add_dependents(tasks, &mut keys);
    }
    Ok(keys)
}

/// Everything that waits for a task which runs again, at whatever distance, also what had succeeded.
fn add_dependents(tasks: &[Task], keys: &mut BTreeSet<String>) {
    loop {
        let further: Vec<&Task> =
            tasks.iter().filter(|task| !keys.contains(&task.key) && task.depends_on.iter().any(|key| keys.contains(key))).collect();
        if further.is_empty() {
            return;
        }
        keys.extend(further.into_iter().map(|task| task.key.clone()));
    }
}
