//! What happens in the workspace by itself: scripted and background failures, the schedules of the jobs, people.

use std::collections::BTreeSet;
use std::sync::Arc;

use rand::Rng;
use rand::seq::IndexedRandom;
use serde_json::{Value, json};

use super::job_spec::JobSpec;
use super::plan::{Actor, Failure, JobRun, Millis, RunType, TroubleId, latest};
use super::recordings;
use super::run_spec::RunSpec;
use super::settings::{self};
use super::span::Span;
use super::trouble::{self, Trouble};
use super::truth::Truth;
use super::world::{Due, Repair, Start, World};
use crate::domain::ids::{JobId, RunId};

/// How often each cause comes in the background traffic, in parts of all: about what teams report.
const TRAFFIC: [(&str, u32); 13] = [
    ("network", 18),
    ("data", 16),
    ("resource", 14),
    ("code", 10),
    ("platform", 8),
    ("quota", 7),
    ("timeout", 7),
    ("dependency", 6),
    ("permission", 5),
    ("concurrency", 4),
    ("syntax", 3),
    ("canceled", 1),
    ("unknown", 1),
];
/// Probability that a transient failure of the traffic passes on a re-run.
const TRAFFIC_PASSES: f64 = 0.75;
/// Time that an owner takes to mend a job of the traffic.
const TRAFFIC_FIXED_AFTER: Span = Span::ms(180_000);
/// Stands for the number of the run in a job's name.
const COUNTER: &str = "#";
/// The job of the traffic in a workspace that has none.
const TRAFFIC_JOB: &str = "nightly_load";

impl World {
    pub fn happen(&mut self, at: Millis, due: Due) {
        match due {
            Due::Scripted(number) => {
                let spec = self.scenario.runs().nth(number).cloned();
                if let Some(spec) = spec {
                    self.fail(&spec, at);
                }
            }
            Due::Traffic(number) => {
                let spec = self.traffic(number, at);
                self.fail(&spec, at);
                self.plan_traffic(number + 1, at);
            }
            Due::Scheduled(job) => self.scheduled(job, at),
            Due::PersonRepairs(run) => {
                self.person_repairs(run, true, at);
            }
            Due::PersonCancels(run) => {
                self.cancel(run, Actor::Person, at);
            }
        }
    }

    /// The next failure of the traffic: gaps are exponential, as of events that know nothing of each other.
    pub fn plan_traffic(&mut self, number: u64, after: Millis) {
        if self.rate_per_hour > 0.0 {
            let uniform: f64 = self.chance.about("gap", number).random();
            let gap_ms = -(1.0 - uniform).ln() * 3_600_000.0 / self.rate_per_hour;
            #[expect(clippy::cast_possible_truncation, reason = "the cast saturates, and a span has a limit")]
            let gap = Span::ms(gap_ms as i64).at_speed(self.speed);
            self.plan(after + gap.max(1), Due::Traffic(number));
        }
    }

    fn traffic(&mut self, number: u64, at: Millis) -> RunSpec {
        if self.jobs.is_empty() {
            self.add_job(JobSpec::named(TRAFFIC_JOB), at);
        }
        let mut chance = self.chance.about("traffic", number);
        let jobs: Vec<&JobSpec> = self.jobs.values().map(|job| &job.spec).collect();
        let (job, fails) = jobs.choose(&mut chance).map_or((String::new(), Vec::new()), |job| {
            let tasks = job.task_specs();
            (job.name.clone(), tasks.choose(&mut chance).map(|task| task.key.clone()).into_iter().collect())
        });
        let cause = TRAFFIC.choose_weighted(&mut chance, |(_, parts)| *parts).map_or("network", |(cause, _)| cause);
        let alike: Vec<_> = recordings::all().iter().filter(|recording| recording.cause == cause).collect();
        let recording = alike.choose(&mut chance);
        let truth = recording.map(|recording| match recording.truth() {
            Truth::PassesAfter(_) => Truth::Transient(TRAFFIC_PASSES),
            other @ (Truth::Transient(_) | Truth::CuredBy(_) | Truth::Never | Truth::Canceled) => other,
        });
        let canceled = cause == "canceled";
        RunSpec {
            job,
            fails,
            recording: recording.map(|recording| recording.id.clone()),
            truth: if canceled { Some(Truth::Canceled) } else { truth },
            result_state: canceled.then(|| "CANCELED".to_owned()),
            fixed_after: Some(TRAFFIC_FIXED_AFTER),
            ..RunSpec::default()
        }
    }

    fn scheduled(&mut self, job: JobId, at: Millis) {
        let Some((every, settings)) = self.jobs.get(&job).map(|job| (job.spec.every, Arc::clone(&job.settings))) else { return };
        if let Some(every) = every {
            self.plan(at + every.at_speed(self.speed).max(1), Due::Scheduled(job));
        }
        let takes_ms = self.varied(self.takes_ms(job), at);
        let start = Start { takes_ms, ..Start::scheduled(job, at) };
        // A job that is broken fails on its next schedule too, until somebody mends it.
        let broken = self.troubles.iter().rev().find(|trouble| trouble.job == job && trouble.breaks_the_job(at, &settings)).cloned();
        match broken {
            Some(trouble) => {
                let began = at + start.takes_ms;
                self.troubles.push(Trouble { began, reruns: 0, run_nows: 0, passes_at: None, ..trouble });
                let trouble = Some(TroubleId(self.troubles.len() - 1));
                self.start(Start { trouble, passes: false, ..start });
            }
            None => {
                self.start(start);
            }
        }
    }

    /// Are there the tasks that are to fail? Says what is wrong, and what to do.
    pub fn check_tasks(&self, spec: &RunSpec) -> Result<(), String> {
        let known: Vec<String> = match self.job_named(&spec.job).and_then(|job| self.jobs.get(&job)) {
            Some(job) => job.tasks.iter().map(|task| task.key.clone()).collect(),
            None => JobSpec::named(&spec.job).with_tasks(spec.tasks.unwrap_or(1)).task_specs().into_iter().map(|task| task.key).collect(),
        };
        match spec.fails.iter().find(|key| !known.contains(key)) {
            Some(key) => Err(format!("job `{}` has no task `{key}`; make it with {{\"do\": \"job\"}} first", spec.job)),
            None => Ok(()),
        }
    }

    /// The job of that name; one that is not there is made as the run's spec says.
    fn job_for(&mut self, spec: &RunSpec, name: &str) -> JobId {
        if let Some(job) = self.job_named(name) {
            return job;
        }
        let mut job = JobSpec::named(name).with_tasks(spec.tasks.unwrap_or(1));
        if let Some(owner) = &spec.owner {
            job.owner.clone_from(owner);
        }
        job.tags = spec.tags.clone().unwrap_or_default();
        self.add_job(job, self.now())
    }

    /// Starts the failing runs that `spec` asks for, at `at` or as long before as it says.
    pub fn fail(&mut self, spec: &RunSpec, at: Millis) -> Vec<RunId> {
        let failure = Arc::new(trouble::failure(spec));
        (0..spec.count()).map(|n| self.fail_once(spec, &failure, &spec.job.replace(COUNTER, &(n + 1).to_string()), at)).collect()
    }

    fn fail_once(&mut self, spec: &RunSpec, failure: &Arc<Failure>, name: &str, at: Millis) -> RunId {
        let job = self.job_for(spec, name);
        let start_at = at - spec.started_ago.unwrap_or_default().as_ms();
        let takes_ms = match (spec.duration, spec.ends_in, spec.started_ago) {
            (Some(duration), _, _) => duration.at_speed(self.speed),
            (None, Some(ends_in), _) => at + ends_in.at_speed(self.speed) - start_at,
            (None, None, Some(_)) => at - start_at,
            (None, None, None) => self.takes_ms(job),
        };
        let canceled = spec.result_state.as_deref() == Some("CANCELED");
        // Somebody must have had the time to cancel it.
        let takes_ms = if canceled { takes_ms.max(2) } else { takes_ms };
        let mut start = Start {
            takes_ms,
            // Now and then a trigger that published lists of triggers do not have.
            trigger: if self.troubles.len() % 5 == 4 { "JOB_COMPLETION" } else { "PERIODIC" },
            job_parameters: spec.parameters.clone(),
            ..Start::scheduled(job, start_at)
        };
        let older = [
            ("notebook_params", spec.notebook_params.as_ref().map(|given| json!(given))),
            ("python_params", spec.python_params.as_ref().map(|given| json!(given))),
        ];
        start.overriding = older.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
        if spec.result_state.as_deref() == Some("SKIPPED") {
            return self.skip(job, start);
        }
        let fails_at = start_at + takes_ms;
        let (settings, last) =
            self.jobs.get(&job).map(|job| (Arc::clone(&job.settings), job.tasks.last().map(|task| task.key.clone()))).unwrap_or_default();
        self.troubles.push(Trouble {
            job,
            cause: trouble::cause(spec),
            recording: spec.recording.clone(),
            truth: trouble::truth(spec),
            failure: Arc::clone(failure),
            fails: if spec.fails.is_empty() { last.into_iter().collect() } else { spec.fails.clone() },
            attempts: spec.attempts.unwrap_or(1),
            began: fails_at,
            fixed_at: spec.fixed_after.map(|after| fails_at + after.at_speed(self.speed)),
            settings,
            reruns: 0,
            run_nows: 0,
            passes_at: None,
        });
        let trouble = Some(TroubleId(self.troubles.len() - 1));
        let run = self.start(Start { trouble, passes: false, ..start });
        if let Some(after) = spec.person_repairs_after {
            self.plan(fails_at + after.at_speed(self.speed), Due::PersonRepairs(run));
        }
        let half = canceled.then_some(takes_ms / 2);
        if let Some(after) = spec.person_cancels_after.map(|after| after.at_speed(self.speed)).or(half) {
            self.plan(start_at + after, Due::PersonCancels(run));
        }
        run
    }

    /// A run that the platform never starts, because another one of the job is active.
    fn skip(&mut self, job: JobId, start: Start) -> RunId {
        let run = self.start(Start { takes_ms: 0, ..start });
        let failure = Failure {
            life_cycle: "SKIPPED".to_owned(),
            result: None,
            state_message: "The run was skipped because the job reached its maximum number of concurrent runs.".to_owned(),
            code: "MAX_CONCURRENT_RUNS_EXCEEDED".to_owned(),
            kind: "CLIENT_ERROR".to_owned(),
            message: format!("Job {job} reached its maximum number of concurrent runs."),
            error: None,
            error_trace: None,
            logs: None,
            logs_truncated: false,
            in_setup: true,
        };
        if let Some(run) = self.run_mut(run) {
            run.rounds.iter_mut().for_each(|round| round.attempts.clear());
            run.without_tasks = Some(Arc::new(failure));
        }
        run
    }

    /// Runs that go well, now or as long before as asked.
    pub fn succeed(&mut self, spec: &RunSpec, at: Millis) -> Vec<RunId> {
        (0..spec.count())
            .map(|n| {
                let job = self.job_for(spec, &spec.job.replace(COUNTER, &(n + 1).to_string()));
                let start_at = at - spec.started_ago.unwrap_or_default().as_ms();
                let takes_ms = match (spec.duration, spec.ends_in) {
                    (Some(duration), _) => duration.at_speed(self.speed),
                    (None, Some(ends_in)) => at + ends_in.at_speed(self.speed) - start_at,
                    (None, None) => self.takes_ms(job),
                };
                self.start(Start { takes_ms, job_parameters: spec.parameters.clone(), ..Start::scheduled(job, start_at) })
            })
            .collect()
    }

    /// A person repairs what has failed in a run. Nothing happens when it is active, or ended well.
    pub fn person_repairs(&mut self, id: RunId, mended: bool, at: Millis) -> bool {
        let Some(run) = self.run(id).filter(|run| !run.is_active(at)) else { return false };
        let keys: BTreeSet<String> = failed_keys(run);
        if keys.is_empty() {
            return false;
        }
        // A person uses the page, which keeps the parameters of the run.
        let (job_parameters, overriding) =
            run.rounds.first().map(|round| (round.job_parameters.clone(), round.overriding.clone())).unwrap_or_default();
        self.repair(id, Repair { keys, by: Actor::Person, job_parameters, overriding, mended }, at).is_some()
    }

    /// What a run started by jobs/run-now is about: the trouble of the job that has waited longest for a re-run.
    pub fn trouble_to_rerun(&self, job: JobId, at: Millis) -> Option<TroubleId> {
        let open = self.troubles.iter().enumerate().filter(|(_, trouble)| {
            trouble.job == job && trouble.began <= at && trouble.passes_at.is_none() && trouble.truth != Truth::Canceled
        });
        open.min_by_key(|(number, trouble)| (trouble.run_nows, *number)).map(|(number, _)| TroubleId(number))
    }

    /// A run as jobs/run-now starts it.
    pub fn run_now(
        &mut self,
        job: JobId,
        job_parameters: serde_json::Map<String, Value>,
        overriding: serde_json::Map<String, Value>,
        at: Millis,
    ) -> RunId {
        let trouble = self.trouble_to_rerun(job, at);
        let settings = self.jobs.get(&job).map(|job| Arc::clone(&job.settings)).unwrap_or_default();
        let chance = self.chance;
        let passes =
            trouble.and_then(|TroubleId(number)| Some((number, self.troubles.get_mut(number)?))).is_none_or(|(number, trouble)| {
                trouble.run_nows += 1;
                trouble.rerun(number, at, &settings, chance)
            });
        let takes_ms = self.takes_ms(job);
        let start = Start {
            takes_ms,
            trigger: "ONE_TIME",
            by: Actor::Token,
            job_parameters,
            overriding,
            trouble,
            passes,
            ..Start::scheduled(job, at)
        };
        self.start(start)
    }

    /// A one-time run without a job; it goes well.
    pub fn submit(&mut self, name: String, body: &Value, at: Millis) -> RunId {
        let run = JobRun {
            id: self.ids.run(),
            job: self.ids.job(),
            name,
            run_type: RunType::Submit,
            trigger: "ONE_TIME".to_owned(),
            creator: self.workspace.user.clone(),
            settings: Arc::new(body.clone()),
            tasks: Arc::new(settings::tasks(body)),
            rounds: Vec::new(),
            trouble: None,
            without_tasks: None,
        };
        let start = Start { takes_ms: Span::ms(2000).at_speed(self.speed), by: Actor::Token, ..Start::scheduled(run.job, at) };
        self.admit(run, start)
    }
}

/// Tasks whose newest attempt did not succeed.
pub fn failed_keys(run: &JobRun) -> BTreeSet<String> {
    latest(&run.tasks, run.rounds.iter())
        .into_iter()
        .filter(|attempt| !attempt.verdict.is_success())
        .map(|attempt| attempt.key.clone())
        .collect()
}
