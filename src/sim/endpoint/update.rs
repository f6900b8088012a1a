//! POST jobs/update: top-level fields are replaced whole; arrays are merged by key, and a matched element is replaced whole. There is
//! no nested patch, and no word about who changed what in between.

use serde_json::{Map, Value, json};

use super::jobs::job_missing;
use super::{Answer, Call, Refusal, World};
use crate::domain::ids::JobId;

/// Arrays that are merged, and what tells their elements apart.
const KEYED: [(&str, &str); 4] =
    [("tasks", "task_key"), ("job_clusters", "job_cluster_key"), ("environments", "environment_key"), ("parameters", "name")];

pub fn update(world: &mut World, call: &Call) -> Answer {
    let id = call.required("job_id")?;
    let job = world.jobs.get(&JobId(id)).ok_or_else(|| job_missing(id))?;
    let mut settings = job.settings.as_object().cloned().unwrap_or_default();
    for (name, value) in call.object("new_settings")? {
        let merged = match KEYED.iter().find(|(array, _)| *array == name) {
            Some((_, key)) => merge(settings.get(&name), &value, key),
            None => value,
        };
        settings.insert(name, merged);
    }
    for field in call.body.get("fields_to_remove").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
        remove(&mut settings, field)?;
    }
    world.set_settings(JobId(id), Value::Object(settings));
    Ok(json!({}))
}

fn merge(old: Option<&Value>, new: &Value, key: &str) -> Value {
    let mut items: Vec<Value> = old.and_then(Value::as_array).cloned().unwrap_or_default();
    for element in new.as_array().into_iter().flatten() {
        match items.iter_mut().find(|item| item.get(key) == element.get(key)) {
            Some(item) => *item = element.clone(),
            None => items.push(element.clone()),
        }
    }
    Value::Array(items)
}

fn remove(settings: &mut Map<String, Value>, field: &str) -> Result<(), Refusal> {
    let Some((array, wanted)) = field.split_once('/') else {
        settings.remove(field);
        return Ok(());
    };
    let key = KEYED.iter().find(|(name, _)| *name == array).map(|(_, key)| *key);
    match (key, settings.get_mut(array)) {
        (Some(key), Some(Value::Array(items))) => {
            items.retain(|item| item.get(key).and_then(Value::as_str) != Some(wanted));
            Ok(())
        }
        _ => Err(Refusal::invalid(format!("Removing nested field '{field}' is not supported."))),
    }
}
