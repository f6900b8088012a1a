//! What a simulated workspace starts with: its jobs, the failures that come by script, the traffic behind them. Read from TOML; the
//! shipped one, `assets/scenarios/demo.toml`, explains each key.

use std::collections::BTreeSet;

use serde::Deserialize;
use toml::Spanned;

use super::job_spec::JobSpec;
use super::run_spec::RunSpec;
use super::span::Span;

const DEMO: &str = include_str!("../../assets/scenarios/demo.toml");

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
