//! A task's attempt within a run, and the settings of it that matter to a verdict.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::lenient::{List, Millis, Number, Text};
use super::run::{State, Status, run_state};
use super::text;
use crate::databricks::run::TaskRun;
use crate::domain::ids::{RunId, TaskKey};

#[derive(Debug, Deserialize)]
pub struct Task {
    task_key: Text,
    run_id: Option<Number>,
    attempt_number: Option<Number>,
    state: Option<State>,
    status: Option<Status>,
    #[serde(default)]
    start_time: Millis,
    #[serde(default)]
    end_time: Millis,
    #[serde(default)]
    depends_on: List<Dependency>,
    cluster_instance: Option<ClusterInstance>,
    existing_cluster_id: Option<Text>,
    job_cluster_key: Option<Text>,
    environment_key: Option<Text>,
    new_cluster: Option<Map<String, Value>>,
    /// `notebook_task`, `spark_python_task`, … and the task's own settings.
    #[serde(flatten)]
    rest: Map<String, Value>,
}

#[derive(Debug, Deserialize)]
struct Dependency {
    task_key: Text,
}

#[derive(Debug, Deserialize)]
struct ClusterInstance {
    cluster_id: Option<Text>,
}

#[derive(Debug, Deserialize)]
pub struct JobCluster {
    job_cluster_key: Text,
    new_cluster: Option<Map<String, Value>>,
}

/// The platform's field for a task's body, and our word. Others are named for their field without `_task`.
const TASK_TYPES: [(&str, &str); 10] = [
    ("notebook_task", "notebook"),
    ("spark_python_task", "python"),
    ("python_wheel_task", "wheel"),
    ("spark_jar_task", "jar"),
    ("spark_submit_task", "spark_submit"),
    ("sql_task", "sql"),
    ("dbt_task", "dbt"),
    ("pipeline_task", "pipeline"),
    ("run_job_task", "run_job"),
    ("for_each_task", "for_each"),
];

/// A task whose kind no field tells.
const TASK_TYPE_UNKNOWN: &str = "unknown";

/// Settings of the task itself that are shown as they are.
const TASK_SETTINGS: [&str; 5] = ["timeout_seconds", "max_retries", "min_retry_interval_millis", "retry_on_timeout", "run_if"];
const CLUSTER_SETTINGS: [&str; 9] = [
    "spark_version",
    "node_type_id",
    "driver_node_type_id",
    "num_workers",
    "instance_pool_id",
    "driver_instance_pool_id",
    "policy_id",
    "data_security_mode",
    "runtime_engine",
];

impl Task {
    /// `None` for an entry without a key: nothing could name it.
    pub fn into_task_run(self, job_clusters: &[JobCluster], serverless: bool) -> Option<TaskRun> {
        let task_type = self.task_type();
        let settings = self.settings(job_clusters, serverless);
        let instance = self.cluster_instance.and_then(|instance| instance.cluster_id);
        Some(TaskRun {
            task_key: TaskKey(text::name(&self.task_key.0)?),
            run_id: self.run_id.filter(|id| id.0 != 0).map(|id| RunId(id.0)),
            attempt_number: self.attempt_number.and_then(|number| u32::try_from(number.0).ok()).unwrap_or_default(),
            state: run_state(self.state, self.status),
            started_at: self.start_time.0,
            ended_at: self.end_time.0,
            depends_on: self.depends_on.items.iter().filter_map(|on| text::name(&on.task_key.0)).map(TaskKey).collect(),
            task_type,
            cluster_id: instance.or(self.existing_cluster_id).and_then(|raw| text::word(&raw.0)),
            settings,
        })
    }

    fn task_type(&self) -> String {
        let given = |field: &str| self.rest.get(field).is_some_and(|body| !body.is_null());
        if let Some((_, word)) = TASK_TYPES.iter().find(|(field, _)| given(field)) {
            return (*word).to_owned();
        }
        let other = self.rest.keys().filter(|field| given(field)).find_map(|field| field.strip_suffix("_task"));
        other.and_then(text::word).unwrap_or_else(|| TASK_TYPE_UNKNOWN.to_owned())
    }

    fn settings(&self, job_clusters: &[JobCluster], serverless: bool) -> Vec<(String, String)> {
        let mut settings = Vec::new();
        let mut add = |name: &str, value: Option<String>| settings.extend(value.map(|value| (name.to_owned(), value)));
        let shared = self.job_cluster_key.as_ref().and_then(|key| job_clusters.iter().find(|cluster| cluster.job_cluster_key == *key));
        let cluster = self.new_cluster.as_ref().or_else(|| shared.and_then(|cluster| cluster.new_cluster.as_ref()));
        let warehouse = self.warehouse();
        // An existing cluster or a warehouse is named, because another team may share it. No compute at all and no sign of
        // serverless says nothing: some workspaces just do not tell.
        if self.job_cluster_key.is_some() || self.new_cluster.is_some() {
            add("compute", Some("job_cluster".to_owned()));
        } else if self.existing_cluster_id.is_some() {
            add("compute", Some("existing_cluster".to_owned()));
        } else if warehouse.is_some() {
            add("compute", Some("warehouse".to_owned()));
        } else if self.environment_key.is_some() || serverless {
            add("compute", Some("serverless".to_owned()));
        }
        add("job_cluster_key", self.job_cluster_key.as_ref().and_then(|raw| text::word(&raw.0)));
        add("existing_cluster_id", self.existing_cluster_id.as_ref().and_then(|raw| text::word(&raw.0)));
        add("warehouse_id", warehouse);
        for name in TASK_SETTINGS {
            // 0 seconds and 0 milliseconds mean "none".
            add(name, self.rest.get(name).and_then(plain).filter(|value| name == "max_retries" || value != "0"));
        }
        if let Some(cluster) = cluster {
            for name in CLUSTER_SETTINGS {
                add(name, cluster.get(name).and_then(plain));
            }
            add("autoscale", cluster.get("autoscale").and_then(autoscale));
            for cloud in ["azure_attributes", "aws_attributes", "gcp_attributes"] {
                let attribute = |name: &str| cluster.get(cloud).and_then(|attributes| attributes.get(name)).and_then(plain);
                add("availability", attribute("availability"));
                add("first_on_demand", attribute("first_on_demand"));
            }
        }
        settings
    }

    fn warehouse(&self) -> Option<String> {
        ["sql_task", "dbt_task", "notebook_task"]
            .iter()
            .filter_map(|field| self.rest.get(*field))
            .find_map(|body| body.get("warehouse_id"))
            .and_then(plain)
    }
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => text::word(text),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn autoscale(value: &Value) -> Option<String> {
    let bound = |name: &str| value.get(name).and_then(plain);
    Some(format!("{}..{}", bound("min_workers")?, bound("max_workers")?))
}
