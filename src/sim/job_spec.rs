//! A job as a scenario, or the control, describes it: `[[job]]`.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Value, json};

use super::run_spec::COUNT_MAX;
use super::span::Span;

/// Tasks of a job: the platform's own limit.
pub const TASKS_MAX: usize = 1000;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskKind {
    #[default]
    Python,
    Notebook,
    Wheel,
    Jar,
    Sql,
}

impl TaskKind {
    /// The field of the task's body, and the body.
    pub fn body(self, job: &str, key: &str) -> (&'static str, Value) {
        match self {
            Self::Python => {
                ("spark_python_task", json!({"python_file": format!("/Workspace/pipelines/{job}/{key}.py"), "source": "WORKSPACE"}))
            }
            Self::Notebook => {
                ("notebook_task", json!({"notebook_path": format!("/Workspace/pipelines/{job}/{key}"), "source": "WORKSPACE"}))
            }
            Self::Wheel => ("python_wheel_task", json!({"package_name": job, "entry_point": key})),
            Self::Jar => ("spark_jar_task", json!({"main_class_name": format!("com.acme.{key}.Main")})),
            Self::Sql => {
                ("sql_task", json!({"warehouse_id": "4fe75792cd0d304c", "query": {"query_id": "12345678-1234-1234-1234-123456789012"}}))
            }
        }
    }

    /// Does runs/get-output carry the log of such a task? Not for notebooks and SQL.
    pub fn has_logs(settings: &Value) -> bool {
        ["spark_python_task", "python_wheel_task", "spark_jar_task"].iter().any(|field| settings.get(field).is_some())
    }
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobSpec {
    pub name: String,
    #[serde(default = "JobSpec::owner")]
    pub owner: String,
    pub run_as: Option<String>,
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// Job parameters with their defaults.
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
    #[serde(default)]
    pub kind: TaskKind,
    /// Tasks by name; or only how many.
    #[serde(default)]
    task: Vec<TaskSpec>,
    tasks: Option<usize>,
    /// Each so long a scheduled run starts; without it none does.
    pub every: Option<Span>,
    /// Time to the first scheduled run; `every` when not given.
    pub first_after: Option<Span>,
    /// How long a run takes.
    #[serde(default = "JobSpec::takes")]
    pub takes: Span,
    /// Earlier runs that are there at the start, one each `history_every`.
    #[serde(default)]
    pub history: u32,
    #[serde(default = "JobSpec::history_every")]
    pub history_every: Span,
    #[serde(default)]
    pub timeout_seconds: u32,
    #[serde(default = "JobSpec::max_concurrent_runs")]
    pub max_concurrent_runs: u32,
    #[serde(default = "JobSpec::node_type")]
    pub node_type: String,
    #[serde(default = "JobSpec::workers")]
    pub workers: u32,
    #[serde(default)]
    pub spark_conf: BTreeMap<String, String>,
    /// Deployed by a bundle: its settings belong to a repository.
    #[serde(default)]
    pub bundle: bool,
}

impl JobSpec {
    /// A job of which only the name is known.
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            owner: Self::owner(),
            run_as: None,
            tags: BTreeMap::new(),
            parameters: BTreeMap::new(),
            kind: TaskKind::default(),
            task: Vec::new(),
            tasks: None,
            every: None,
            first_after: None,
            takes: Self::takes(),
            history: 0,
            history_every: Self::history_every(),
            timeout_seconds: 0,
            max_concurrent_runs: Self::max_concurrent_runs(),
            node_type: Self::node_type(),
            workers: Self::workers(),
            spark_conf: BTreeMap::new(),
            bundle: false,
        }
    }

    pub fn with_tasks(self, tasks: usize) -> Self {
        Self { tasks: Some(tasks), ..self }
    }

    fn owner() -> String {
        "data-eng@acme.example".to_owned()
    }

    fn takes() -> Span {
        Span::ms(3000)
    }

    fn history_every() -> Span {
        Span::ms(3_600_000)
    }

    fn max_concurrent_runs() -> u32 {
        10
    }

    fn node_type() -> String {
        "Standard_D4ds_v5".to_owned()
    }

    fn workers() -> u32 {
        2
    }

    pub fn task_specs(&self) -> Vec<TaskSpec> {
        if !self.task.is_empty() {
            return self.task.clone();
        }
        match self.tasks.unwrap_or(1) {
            0 | 1 => vec![TaskSpec::named("main")],
            many => (1..=many).map(|n| TaskSpec::named(&format!("t{n:03}"))).collect(),
        }
    }

    /// What is wrong, and what to do.
    pub fn check(&self) -> Result<(), String> {
        if self.name.is_empty() || self.name.len() > 4096 {
            return Err("a job's name has 1 to 4096 bytes".to_owned());
        }
        if !self.task.is_empty() && self.tasks.is_some() {
            return Err(format!("job `{}` names its tasks and also counts them; keep [[job.task]] or `tasks`", self.name));
        }
        let tasks = self.tasks.unwrap_or_default().max(self.task.len());
        if tasks > TASKS_MAX {
            return Err(format!("job `{}` has {tasks} tasks; at most {TASKS_MAX} are possible", self.name));
        }
        if self.every.is_some_and(|every| every.as_ms() == 0) || self.history_every.as_ms() == 0 {
            return Err(format!("job `{}`: `every` and `history_every` are longer than 0", self.name));
        }
        if self.history > COUNT_MAX {
            return Err(format!("job `{}`: `history` is at most {COUNT_MAX}", self.name));
        }
        let mut before = BTreeSet::new();
        for task in &self.task {
            // Each task after those it waits for: what is so written cannot run in a circle.
            if let Some(unknown) = task.depends_on.iter().find(|key| !before.contains(key.as_str())) {
                return Err(format!("job `{}`: task `{}` waits for `{unknown}`; write that task above it", self.name, task.key));
            }
            if !before.insert(task.key.as_str()) {
                return Err(format!("job `{}` has two tasks `{}`; give each its own key", self.name, task.key));
            }
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskSpec {
    pub key: String,
    #[serde(default)]
    pub depends_on: Vec<String>,
    /// Runs also when what it waits for has failed.
    #[serde(default)]
    pub run_if_done: bool,
    pub kind: Option<TaskKind>,
    pub timeout_seconds: Option<u32>,
    #[serde(default)]
    pub max_retries: u32,
}

impl TaskSpec {
    fn named(key: &str) -> Self {
        Self { key: key.to_owned(), depends_on: Vec::new(), run_if_done: false, kind: None, timeout_seconds: None, max_retries: 0 }
    }
}
