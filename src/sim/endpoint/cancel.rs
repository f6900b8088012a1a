//! POST jobs/runs/cancel: asynchronous, and harmless when the run has ended.

use serde_json::json;

use super::runs_get::run_missing;
use super::{Answer, Call, World};
use crate::domain::ids::RunId;
use crate::sim::plan::Actor;

pub fn cancel(world: &mut World, call: &Call) -> Answer {
    let id = call.required("run_id")?;
    let job_run = world.run(RunId(id)).or_else(|| world.parent(RunId(id))).ok_or_else(|| run_missing(id))?.id;
    // A task run's id cancels the whole run here: nothing of ours cancels one task of several.
    world.cancel(job_run, Actor::Token, call.now);
    Ok(json!({}))
}
