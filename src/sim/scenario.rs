//! What a simulated workspace starts with: its jobs, the failures that come by script, the traffic behind them. Read from TOML; the
//! shipped one, `assets/scenarios/demo.toml`, explains each key.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Map, Value, json};
use toml::Spanned;

use super::recordings;
use super::span::Span;
use super::truth::{self, Truth};

const DEMO: &str = include_str!("../../assets/scenarios/demo.toml");

/// Tasks of a job: the platform's own limit.
pub const TASKS_MAX: usize = 1000;
/// Runs that one entry asks for: more than a test needs, and less than memory minds.
pub const COUNT_MAX: u32 = 100_000;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    #[serde(default)]
    pub workspace: WorkspaceSpec,
    pub traffic: Option<TrafficSpec>,
    #[serde(default)]
    job: Vec<Spanned<JobSpec>>,
    #[serde(default)]
    run: Vec<Spanned<RunSpec>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WorkspaceSpec {
    /// The user that the token belongs to.
    pub user: String,
    pub org_id: i64,
    /// How long a run still shows its old end after a repair was accepted.
    pub repair_shows_after: Span,
}

impl Default for WorkspaceSpec {
    fn default() -> Self {
        Self { user: "runmend@acme.example".to_owned(), org_id: 7_405_610_928_374_655, repair_shows_after: Span::ms(200) }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrafficSpec {
    /// Mean number of failures an hour, at speed 1.
    pub failures_per_hour: f64,
    #[serde(default)]
    pub starts_after: Span,
}

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

/// One or several runs of a job that go wrong: `[[run]]` of a scenario, and `{"do": "fail"}` of the control.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RunSpec {
    pub job: String,
    /// Scenario: when the run starts, from the start of the simulator.
    pub at: Span,
    /// So many runs alike; `#` in the job's name makes as many jobs, numbered from 1.
    pub count: Option<u32>,
    /// The run started so long ago. Without `duration` or `ends_in` it fails now.
    pub started_ago: Option<Span>,
    #[serde(alias = "duration_ms")]
    pub duration: Option<Span>,
    /// The run ends so long from now, whenever it started.
    pub ends_in: Option<Span>,
    /// For a job that is not there yet: how many tasks it has.
    pub tasks: Option<usize>,
    /// For a job that is not there yet.
    pub owner: Option<String>,
    /// For a job that is not there yet.
    pub tags: Option<BTreeMap<String, String>>,
    /// Job parameters that the run is started with.
    pub parameters: Map<String, Value>,
    /// Older per-type parameters that the run is started with.
    pub notebook_params: Option<Map<String, Value>>,
    pub python_params: Option<Vec<String>>,
    /// The tasks that fail; the last one when not given.
    #[serde(alias = "task", deserialize_with = "one_or_more")]
    pub fails: Vec<String>,
    /// Attempts that the platform itself makes before it gives up.
    pub attempts: Option<u32>,
    /// Which recording the failure shows.
    pub recording: Option<String>,
    pub error: Option<String>,
    pub error_trace: Option<String>,
    pub logs: Option<String>,
    pub logs_truncated: bool,
    /// FAILED, TIMEDOUT, INTERNAL_ERROR, CANCELED (by a person), SKIPPED (no task runs), or any other word, as it is.
    pub result_state: Option<String>,
    pub state_message: Option<String>,
    pub termination_code: Option<String>,
    pub termination_type: Option<String>,
    pub termination_message: Option<String>,
    /// For the book, where no recording tells it.
    pub cause: Option<String>,
    pub truth: Option<Truth>,
    /// The job's owner mends the job so long after the failure: from then on it passes.
    pub fixed_after: Option<Span>,
    /// A person repairs the run so long after its failure, unless somebody has by then.
    pub person_repairs_after: Option<Span>,
    /// A person cancels the run so long after its start.
    pub person_cancels_after: Option<Span>,
}

fn one_or_more<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Keys {
        One(String),
        More(Vec<String>),
    }
    Ok(match Keys::deserialize(deserializer)? {
        Keys::One(key) => vec![key],
        Keys::More(keys) => keys,
    })
}

impl RunSpec {
    pub fn count(&self) -> u32 {
        self.count.unwrap_or(1)
    }

    /// What is wrong, and what to do.
    pub fn check(&self) -> Result<(), String> {
        if self.job.is_empty() {
            return Err("`job` is missing; name the job whose run fails".to_owned());
        }
        if self.count() > COUNT_MAX {
            return Err(format!("`count` is at most {COUNT_MAX}"));
        }
        if self.tasks.is_some_and(|tasks| tasks > TASKS_MAX) {
            return Err(format!("`tasks` is at most {TASKS_MAX}"));
        }
        if self.duration.is_some() && self.ends_in.is_some() {
            return Err("`duration` and `ends_in` both say when the run ends; keep one".to_owned());
        }
        if let Some(id) = self.recording.as_deref().filter(|id| recordings::find(id).is_none()) {
            return Err(format!("no recording `{id}`; see assets/scenarios/recordings.jsonl for the ids"));
        }
        match &self.truth {
            Some(Truth::Transient(p)) if !(0.0..=1.0).contains(p) => Err("`transient` is a probability, 0 to 1".to_owned()),
            Some(Truth::CuredBy(limit)) if !truth::is_limit(limit) => {
                Err(format!("nothing is cured by `{limit}`; it is one of {}", truth::limits()))
            }
            Some(Truth::Transient(_) | Truth::PassesAfter(_) | Truth::CuredBy(_) | Truth::Never | Truth::Canceled) | None => Ok(()),
        }
    }
}

/// A scenario that cannot be used: where, what, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct ScenarioError {
    pub line: usize,
    pub what: String,
}

impl Scenario {
    /// The one that ships: a minute in which most of what can go wrong does.
    pub fn embedded_demo() -> Self {
        // A test reads it; were it broken all the same, an empty workspace is better than none.
        Self::read(DEMO).unwrap_or_default()
    }

    /// Nothing but what the control asks for.
    pub fn empty() -> Self {
        Self::default()
    }

    /// Errors: the first fault, with its line.
    pub fn read(text: &str) -> Result<Self, ScenarioError> {
        let line = |at: usize| text.get(..at).unwrap_or(text).matches('\n').count() + 1;
        let scenario: Self = toml::from_str(text)
            .map_err(|error| ScenarioError { line: line(error.span().map_or(0, |span| span.start)), what: error.message().to_owned() })?;
        let fault = |at: usize, what: String| ScenarioError { line: line(at), what };
        let mut names = BTreeSet::new();
        for job in &scenario.job {
            let at = job.span().start;
            job.get_ref().check().map_err(|what| fault(at, what))?;
            if !names.insert(job.get_ref().name.as_str()) {
                return Err(fault(at, format!("a second job `{}`; give each its own name", job.get_ref().name)));
            }
        }
        for run in &scenario.run {
            let at = run.span().start;
            run.get_ref().check().map_err(|what| fault(at, what))?;
            scenario.check_job(run.get_ref()).map_err(|what| fault(at, what))?;
        }
        if scenario.traffic.as_ref().is_some_and(|traffic| !(0.0..=1e6).contains(&traffic.failures_per_hour)) {
            return Err(ScenarioError { line: 1, what: "`failures_per_hour` is 0 to 1000000".to_owned() });
        }
        Ok(scenario)
    }

    /// A scripted run is of a job that is written down, and so are the tasks that fail.
    fn check_job(&self, run: &RunSpec) -> Result<(), String> {
        let Some(job) = self.jobs().find(|job| job.name == run.job) else {
            return Err(format!("no job `{}`; add a [[job]] of that name", run.job));
        };
        let tasks = job.task_specs();
        match run.fails.iter().find(|key| tasks.iter().all(|task| task.key != **key)) {
            Some(key) => Err(format!("job `{}` has no task `{key}`; add a [[job.task]] or name another", job.name)),
            None => Ok(()),
        }
    }

    pub fn jobs(&self) -> impl Iterator<Item = &JobSpec> {
        self.job.iter().map(Spanned::get_ref)
    }

    pub fn runs(&self) -> impl Iterator<Item = &RunSpec> {
        self.run.iter().map(Spanned::get_ref)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, line: usize, says: &str) {
        let error = Scenario::read(text).unwrap_err();
        assert!(error.line == line && error.what.contains(says), "{error}");
    }

    #[test]
    fn a_fault_is_named_with_its_line() {
        check("[[job]]\nname = \"a\"\ntakse = \"3s\"\n", 3, "takse");
        check("[[job]]\nname = \"a\"\ntakes = \"soon\"\n", 3, "write 2s");
        check("\n[[job]]\nname = \"a\"\n[[job]]\nname = \"a\"\n", 4, "second job");
        check("[[job]]\nname = \"a\"\n\n[[run]]\njob = \"b\"\n", 4, "no job `b`");
        check("[[job]]\nname = \"a\"\n\n[[run]]\njob = \"a\"\ntask = \"x\"\n", 4, "no task `x`");
        check("[[job]]\nname = \"a\"\n[[run]]\njob = \"a\"\nrecording = \"nope\"\n", 3, "no recording");
        check("[[job]]\nname = \"a\"\n[[run]]\njob = \"a\"\ntruth = { cured_by = \"luck\" }\n", 3, "memory");
        check("[[job]]\nname = \"a\"\n[[job.task]]\nkey = \"x\"\ndepends_on = [\"y\"]\n", 1, "write that task above");
        check("name = 3", 1, "unknown field");
    }

    #[test]
    fn the_shipped_scenario_is_sound() {
        let demo = Scenario::read(DEMO).unwrap();
        assert!(demo.jobs().count() >= 10 && demo.runs().count() >= 12);
    }
}
