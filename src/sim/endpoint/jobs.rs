//! GET jobs/list and jobs/get.

use serde_json::{Map, Value, json};

use super::{Answer, Call, Refusal, Version, World};
use crate::domain::ids::JobId;
use crate::sim::call::seal;
use crate::sim::world::Job;

const PAGE_DEFAULT: i64 = 20;
const PAGE_MAX: i64 = 100;
/// Elements of one array in one answer.
pub const ELEMENTS_MAX: usize = 100;
/// Arrays of a job's settings that are given in pages.
const PAGED: [&str; 4] = ["tasks", "job_clusters", "environments", "parameters"];

pub fn job_missing(job: i64) -> Refusal {
    Refusal::invalid(format!("Job {job} does not exist."))
}

pub fn list(world: &mut World, call: &Call) -> Answer {
    let limit = call.number("limit")?.unwrap_or(PAGE_DEFAULT);
    if !(1..=PAGE_MAX).contains(&limit) {
        return Err(Refusal::invalid(format!("limit must be between 1 and {PAGE_MAX}, got {limit}.")));
    }
    let limit = usize::try_from(limit).unwrap_or_default();
    let name = call.text("name")?.map(|name| name.to_lowercase());
    let expand = call.flag("expand_tasks")?;
    let of = format!("jobs:{}", name.as_deref().unwrap_or_default());
    let at = call.page(&of)?;
    // Newest first; ids are given in order.
    let named = world.jobs.iter().rev().filter(|(_, job)| name.as_ref().is_none_or(|name| job.spec.name.to_lowercase() == *name));
    let mut found: Vec<Value> = named.skip(at).take(limit + 1).map(|(id, job)| listed(*id, job, expand)).collect();
    let more = found.len() > limit;
    found.truncate(limit);
    let mut answer = Map::new();
    if !found.is_empty() {
        answer.insert("jobs".to_owned(), Value::Array(found));
    }
    if more {
        answer.insert("next_page_token".to_owned(), json!(seal(&of, at + limit)));
    }
    if call.version == Version::V21 {
        answer.insert("has_more".to_owned(), json!(more));
    }
    Ok(Value::Object(answer))
}

fn listed(id: JobId, job: &Job, expand: bool) -> Value {
    let mut settings = job.settings.as_object().cloned().unwrap_or_default();
    let mut has_more = false;
    if expand {
        has_more = page(&mut settings, 0);
    } else {
        for array in ["tasks", "job_clusters"] {
            settings.remove(array);
        }
    }
    json!({"job_id": id.0, "created_time": job.created, "creator_user_name": job.spec.owner, "settings": settings, "has_more": has_more})
}

/// Keeps the elements of page `at` of each array; true when there are further ones.
fn page(settings: &mut Map<String, Value>, at: usize) -> bool {
    let mut more = false;
    for name in PAGED {
        if let Some(Value::Array(items)) = settings.get_mut(name) {
            more |= items.len() > (at + 1) * ELEMENTS_MAX;
            *items = items.iter().skip(at * ELEMENTS_MAX).take(ELEMENTS_MAX).cloned().collect();
        }
    }
    more
}

pub fn get(world: &mut World, call: &Call) -> Answer {
    let id = call.required("job_id")?;
    let job = world.jobs.get(&JobId(id)).ok_or_else(|| job_missing(id))?;
    let of = format!("job:{id}");
    let at = call.page(&of)?;
    let mut settings = job.settings.as_object().cloned().unwrap_or_default();
    let more = page(&mut settings, at);
    let mut answer = json!({
        "job_id": id,
        "created_time": job.created,
        "creator_user_name": job.spec.owner,
        "run_as_user_name": job.spec.run_as.as_ref().unwrap_or(&job.spec.owner),
        "run_as_owner": job.spec.run_as.is_none(),
        "settings": settings,
    });
    if let Some(fields) = answer.as_object_mut().filter(|_| more) {
        fields.insert("has_more".to_owned(), json!(true));
        fields.insert("next_page_token".to_owned(), json!(seal(&of, at + 1)));
    }
    Ok(answer)
}
