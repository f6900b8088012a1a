//! GET jobs/runs/get: a job run with all attempts of its tasks in pages, or a task run alone.

use serde_json::{Value, json};

use super::{Answer, Call, Refusal, World};
use crate::domain::ids::RunId;
use crate::sim::call::seal;
use crate::sim::endpoint::jobs::ELEMENTS_MAX;
use crate::sim::view;

pub fn run_missing(run: i64) -> Refusal {
    Refusal::invalid(format!("Run {run} does not exist."))
}

pub fn get(world: &mut World, call: &Call) -> Answer {
    let id = call.required("run_id")?;
    let with_history = call.flag("include_history")?;
    let resolved = call.flag("include_resolved_values")?;
    let of = format!("run:{id}");
    let at = call.page(&of)?;
    let Some(run) = world.run(RunId(id)) else {
        let parent = world.parent(RunId(id)).ok_or_else(|| run_missing(id))?;
        let attempt = parent.rounds.iter().flat_map(|round| &round.attempts).find(|attempt| attempt.run_id.0 == id);
        return Ok(view::task_run(world, parent, attempt.ok_or_else(|| run_missing(id))?, call.now));
    };
    let mut fields = view::base(world, run, call.now);
    let mut arrays = vec![("tasks", view::tasks(world, run, call.now, resolved))];
    let clusters = run.settings.get("job_clusters").and_then(Value::as_array).cloned();
    arrays.extend(clusters.map(|clusters| ("job_clusters", clusters)));
    if let Some(Value::Array(parameters)) = fields.remove("job_parameters") {
        arrays.push(("job_parameters", parameters));
    }
    if with_history {
        arrays.push(("repair_history", view::history(run, call.now)));
    }
    let mut more = false;
    for (name, items) in arrays {
        more |= items.len() > (at + 1) * ELEMENTS_MAX;
        // An array that is used up is there and empty on the pages of the others.
        fields.insert(name.to_owned(), items.into_iter().skip(at * ELEMENTS_MAX).take(ELEMENTS_MAX).collect());
    }
    if more {
        fields.insert("has_more".to_owned(), json!(true));
        fields.insert("next_page_token".to_owned(), json!(seal(&of, at + 1)));
    }
    Ok(Value::Object(fields))
}
