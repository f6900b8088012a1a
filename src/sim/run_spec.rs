//! A run that is to fail, as a scenario, or the control, describes it: `[[run]]`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::job_spec::TASKS_MAX;
use super::recordings;
use super::span::Span;
use super::truth::{self, Truth};

/// Runs that one entry asks for: more than a test needs, and less than memory minds.
pub const COUNT_MAX: u32 = 100_000;

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
