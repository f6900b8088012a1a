//! A job's settings: kept as the JSON that the workspace shows, read where the simulator must understand them.

use serde_json::{Value, json};

use super::job_spec::{JobSpec, TaskSpec};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunIf {
    AllSuccess,
    AllDone,
}

/// What of a task decides when it runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    pub key: String,
    pub depends_on: Vec<String>,
    pub run_if: RunIf,
}

/// The tasks in a job's settings, in their order. An element without a key is not a task.
pub fn tasks(settings: &Value) -> Vec<Task> {
    let listed = settings.get("tasks").and_then(Value::as_array).into_iter().flatten();
    listed
        .filter_map(|task| {
            let named = |value: &Value| value.get("task_key").and_then(Value::as_str).map(str::to_owned);
            let upstream = task.get("depends_on").and_then(Value::as_array).into_iter().flatten();
            Some(Task {
                key: named(task)?,
                depends_on: upstream.filter_map(named).collect(),
                run_if: match task.get("run_if").and_then(Value::as_str) {
                    Some("ALL_DONE") => RunIf::AllDone,
                    _ => RunIf::AllSuccess,
                },
            })
        })
        .collect()
}

/// The job's parameters with their defaults.
pub fn defaults(settings: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let listed = settings.get("parameters").and_then(Value::as_array).into_iter().flatten();
    listed.filter_map(|parameter| Some((parameter.get("name")?.as_str()?, parameter.get("default")?)))
}

/// The settings that a job of the scenario has in the workspace.
pub fn of(job: &JobSpec) -> Value {
    let tags: serde_json::Map<String, Value> = job.tags.iter().map(|(key, value)| (key.clone(), json!(value))).collect();
    let mut settings = json!({
        "name": job.name,
        "tags": tags,
        "email_notifications": {"no_alert_for_skipped_runs": false},
        "webhook_notifications": {},
        "timeout_seconds": job.timeout_seconds,
        "max_concurrent_runs": job.max_concurrent_runs,
        "queue": {"enabled": true},
        "format": "MULTI_TASK",
        "tasks": job.task_specs().iter().map(|task| task_settings(job, task)).collect::<Vec<_>>(),
        "job_clusters": [{"job_cluster_key": "main", "new_cluster": new_cluster(job)}],
    });
    let mut add = |name: &str, value: Value| {
        if let Some(fields) = settings.as_object_mut() {
            fields.insert(name.to_owned(), value);
        }
    };
    if !job.parameters.is_empty() {
        add("parameters", job.parameters.iter().map(|(name, default)| json!({"name": name, "default": default})).collect());
    }
    if let Some(run_as) = &job.run_as {
        add("run_as", json!({"user_name": run_as}));
    }
    if job.bundle {
        add("deployment", json!({"kind": "BUNDLE", "metadata_file_path": format!("/Workspace/bundles/{}/state/metadata.json", job.name)}));
        add("edit_mode", json!("UI_LOCKED"));
    }
    if job.every.is_some() {
        add("schedule", json!({"quartz_cron_expression": "0 0 * * * ?", "timezone_id": "UTC", "pause_status": "UNPAUSED"}));
    }
    settings
}

fn new_cluster(job: &JobSpec) -> Value {
    json!({
        "spark_version": "15.4.x-scala2.12",
        "node_type_id": job.node_type,
        "num_workers": job.workers,
        "azure_attributes": {"first_on_demand": 1, "availability": "SPOT_WITH_FALLBACK_AZURE", "spot_bid_max_price": -1.0},
        "spark_conf": job.spark_conf,
        "enable_elastic_disk": false,
        "data_security_mode": "SINGLE_USER",
    })
}

fn task_settings(job: &JobSpec, task: &TaskSpec) -> Value {
    let upstream: Vec<Value> = task.depends_on.iter().map(|key| json!({"task_key": key})).collect();
    let mut settings = json!({
        "task_key": task.key,
        "run_if": if task.run_if_done { "ALL_DONE" } else { "ALL_SUCCESS" },
        "timeout_seconds": task.timeout_seconds.unwrap_or(job.timeout_seconds),
        "max_retries": task.max_retries,
        "job_cluster_key": "main",
        "email_notifications": {},
    });
    if let Some(fields) = settings.as_object_mut() {
        if !upstream.is_empty() {
            fields.insert("depends_on".to_owned(), Value::Array(upstream));
        }
        let (name, body) = task.kind.unwrap_or(job.kind).body(&job.name, &task.key);
        fields.insert(name.to_owned(), body);
    }
    settings
}
