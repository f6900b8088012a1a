//! The workspace's state: jobs, runs, what goes wrong in them, and what is due. Everything here is told the time; nothing waits.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use rand::Rng;
use serde_json::{Map, Value, json};

use super::chance::Chance;
use super::ids::Ids;
use super::job_spec::JobSpec;
use super::layout::{Before, Failing, Layout};
use super::plan::{Actor, JobRun, Millis, Round, RunType, TroubleId, latest};
use super::scenario::{Scenario, WorkspaceSpec};
use super::settings::{self, Task};
use super::span::Span;
use super::trouble::Trouble;
use crate::domain::ids::{JobId, RepairId, RunId};

/// Runs kept; beyond, the oldest are forgotten, as a workspace forgets after 60 days. A few hundred MB at most.
const RUNS_MAX: usize = 200_000;
/// Time from a cancellation to the end of the run.
const CANCEL_TAKES: Span = Span::ms(300);

#[derive(Debug)]
pub struct Job {
    pub spec: JobSpec,
    /// As the workspace shows them; a person or a caller may have changed them since.
    pub settings: Arc<Value>,
    pub tasks: Arc<Vec<Task>>,
    pub created: Millis,
}

/// What happens by itself.
#[derive(Clone, Debug)]
pub enum Due {
    /// The scenario's run of this number starts.
    Scripted(usize),
    /// The background failure of this number.
    Traffic(u64),
    Scheduled(JobId),
    PersonRepairs(RunId),
    PersonCancels(RunId),
}

pub struct World {
    pub workspace: WorkspaceSpec,
    /// `http://127.0.0.1:PORT`, for the pages that runs point to.
    pub url: String,
    pub chance: Chance,
    pub speed: f64,
    pub scenario: Scenario,
    /// Failures of the background traffic an hour, at speed 1.
    pub rate_per_hour: f64,
    pub ids: Ids,
    pub jobs: BTreeMap<JobId, Job>,
    names: HashMap<String, JobId>,
    runs: HashMap<RunId, JobRun>,
    /// Job runs by start, for the lists.
    pub order: BTreeSet<(Millis, RunId)>,
    task_runs: HashMap<RunId, RunId>,
    pub troubles: Vec<Trouble>,
    /// Idempotency tokens of run-now (with their job) and submit (without).
    pub tokens: HashMap<(Option<JobId>, String), RunId>,
    due: BTreeMap<(Millis, u64), Due>,
    dues: u64,
    now: Millis,
}

/// A run to be started.
pub struct Start {
    pub job: JobId,
    pub at: Millis,
    pub takes_ms: i64,
    pub trigger: &'static str,
    pub by: Actor,
    pub job_parameters: Map<String, Value>,
    pub overriding: Map<String, Value>,
    pub trouble: Option<TroubleId>,
    /// The trouble does not show this time.
    pub passes: bool,
}

/// A repair that has been found in order.
pub struct Repair {
    pub keys: BTreeSet<String>,
    pub by: Actor,
    pub job_parameters: Map<String, Value>,
    pub overriding: Map<String, Value>,
    /// A person has put right what was wrong before repairing.
    pub mended: bool,
}

impl World {
    pub fn new(scenario: Scenario, seed: u64, rate_per_hour: Option<f64>, speed: f64, url: String, now: Millis) -> Self {
        let traffic = scenario.traffic.as_ref().map_or(0.0, |traffic| traffic.failures_per_hour);
        let mut world = Self {
            workspace: scenario.workspace.clone(),
            url,
            chance: Chance::new(seed),
            speed,
            rate_per_hour: rate_per_hour.unwrap_or(traffic),
            scenario,
            ids: Ids::new(),
            jobs: BTreeMap::new(),
            names: HashMap::new(),
            runs: HashMap::new(),
            order: BTreeSet::new(),
            task_runs: HashMap::new(),
            troubles: Vec::new(),
            tokens: HashMap::new(),
            due: BTreeMap::new(),
            dues: 0,
            now,
        };
        let specs: Vec<JobSpec> = world.scenario.jobs().cloned().collect();
        for spec in specs {
            world.add_job(spec, now);
        }
        let scripted: Vec<i64> = world.scenario.runs().map(|run| run.at.at_speed(speed)).collect();
        for (n, at) in scripted.into_iter().enumerate() {
            world.plan(now + at, Due::Scripted(n));
        }
        world.plan_traffic(0, now + world.scenario.traffic.as_ref().map_or(0, |traffic| traffic.starts_after.at_speed(speed)));
        world
    }

    /// The time of the last call; it never goes back, whatever the machine's clock does.
    pub fn now(&self) -> Millis {
        self.now
    }

    pub fn plan(&mut self, at: Millis, due: Due) {
        self.dues += 1;
        self.due.insert((at, self.dues), due);
    }

    /// Lets everything happen that is due by `now`, each at its own time.
    pub fn advance(&mut self, now: Millis) {
        self.now = self.now.max(now);
        while let Some(entry) = self.due.first_entry().filter(|entry| entry.key().0 <= self.now) {
            let (at, _) = *entry.key();
            let due = entry.remove();
            self.happen(at, due);
        }
        while self.runs.len() > RUNS_MAX {
            let Some((_, oldest)) = self.order.pop_first() else { break };
            self.forget(oldest);
        }
    }

    fn forget(&mut self, run: RunId) {
        if let Some(run) = self.runs.remove(&run) {
            for attempt in run.rounds.iter().flat_map(|round| &round.attempts) {
                self.task_runs.remove(&attempt.run_id);
            }
        }
    }

    pub fn add_job(&mut self, spec: JobSpec, now: Millis) -> JobId {
        let settings = settings::of(&spec);
        let tasks = Arc::new(settings::tasks(&settings));
        let id = self.names.get(&spec.name).copied().unwrap_or_else(|| self.ids.job());
        self.names.insert(spec.name.clone(), id);
        let (every, first_after) = (spec.every, spec.first_after);
        let (history, gap) = (spec.history, spec.history_every);
        let created = now - 86_400_000 * 30;
        let is_new = self.jobs.insert(id, Job { spec, settings: Arc::new(settings), tasks, created }).is_none();
        self.add_history(id, history, gap, now);
        if let Some(first) = first_after.or(every).filter(|_| is_new) {
            self.plan(now + first.at_speed(self.speed), Due::Scheduled(id));
        }
        id
    }

    /// Earlier runs that ended well, the newest one `gap` before `now`. History is as it was: `speed` does not press it together.
    pub fn add_history(&mut self, job: JobId, count: u32, gap: Span, now: Millis) {
        let takes_ms = self.jobs.get(&job).map_or(0, |job| job.spec.takes.as_ms());
        for n in (1..=i64::from(count)).rev() {
            let at = now - gap.as_ms() * n;
            let takes_ms = self.varied(takes_ms.min(gap.as_ms()), at);
            self.start(Start { takes_ms, ..Start::scheduled(job, at) });
        }
    }

    pub fn job_named(&self, name: &str) -> Option<JobId> {
        self.names.get(name).copied()
    }

    pub fn run(&self, id: RunId) -> Option<&JobRun> {
        self.runs.get(&id)
    }

    pub fn run_mut(&mut self, id: RunId) -> Option<&mut JobRun> {
        self.runs.get_mut(&id)
    }

    /// All job runs, oldest start first.
    pub fn runs(&self) -> impl DoubleEndedIterator<Item = &JobRun> {
        self.order.iter().filter_map(|(_, id)| self.runs.get(id))
    }

    /// The job run that a task run belongs to.
    pub fn parent(&self, task_run: RunId) -> Option<&JobRun> {
        self.task_runs.get(&task_run).and_then(|id| self.runs.get(id))
    }

    /// No two runs take the same time: a little more or less, the same for the same start.
    pub fn varied(&self, takes_ms: i64, at: Millis) -> i64 {
        let share: f64 = self.chance.about("takes", at.cast_unsigned()).random_range(0.85..1.15);
        Span::ms(takes_ms).at_speed(share)
    }

    /// How long a run of the job takes, as a rule.
    pub fn takes_ms(&self, job: JobId) -> i64 {
        let takes = self.jobs.get(&job).map_or(Span::ms(1000), |job| job.spec.takes);
        takes.at_speed(self.speed)
    }

    pub fn start(&mut self, start: Start) -> RunId {
        let Some(job) = self.jobs.get(&start.job) else { return RunId(0) };
        let (settings, tasks, name) = (Arc::clone(&job.settings), Arc::clone(&job.tasks), job.spec.name.clone());
        let creator = if start.by == Actor::Token { self.workspace.user.clone() } else { job.spec.owner.clone() };
        let id = self.ids.run();
        let run = JobRun {
            id,
            job: start.job,
            name,
            run_type: RunType::Job,
            trigger: start.trigger.to_owned(),
            creator,
            settings,
            tasks,
            rounds: Vec::new(),
            trouble: start.trouble,
            without_tasks: None,
        };
        self.admit(run, start)
    }

    /// Lays out the first round and takes the run in.
    pub fn admit(&mut self, mut run: JobRun, start: Start) -> RunId {
        let trouble = start.trouble.filter(|_| !start.passes).and_then(|TroubleId(number)| self.troubles.get(number));
        let layout = Layout {
            tasks: &run.tasks,
            only: None,
            before: BTreeMap::new(),
            failing: trouble.map(|trouble| Failing { keys: &trouble.fails, failure: &trouble.failure, attempts: trouble.attempts }),
            start: start.at,
            takes_ms: start.takes_ms,
        };
        let attempts = layout.attempts(&mut self.ids);
        run.rounds.push(Round {
            repair: None,
            by: start.by,
            start: start.at,
            shown_from: start.at,
            attempts,
            job_parameters: start.job_parameters,
            overriding: start.overriding,
            parameters_lost: false,
            canceled_by: None,
        });
        let id = run.id;
        self.keep(run);
        self.order.insert((start.at, id));
        id
    }

    fn keep(&mut self, run: JobRun) {
        for attempt in run.rounds.iter().flat_map(|round| &round.attempts) {
            self.task_runs.insert(attempt.run_id, run.id);
        }
        self.runs.insert(run.id, run);
    }

    /// Adds a repair that has been found in order: the run exists and is at rest, the keys are tasks of the job now.
    pub fn repair(&mut self, run: RunId, repair: Repair, at: Millis) -> Option<RepairId> {
        let mut run = self.runs.remove(&run)?;
        let id = self.ids.repair();
        if let Some(job) = self.jobs.get(&run.job).filter(|_| run.run_type == RunType::Job) {
            // As the platform does it: with the job as it is now, not as it was when the run failed.
            run.settings = Arc::clone(&job.settings);
            run.tasks = Arc::clone(&job.tasks);
        }
        let before = latest(&run.tasks, run.rounds.iter())
            .into_iter()
            .map(|attempt| (attempt.key.clone(), Before { number: attempt.number, success: attempt.verdict.is_success() }))
            .collect();
        let takes_ms = self.takes_ms(run.job);
        let failing = self.fails_again(&run, &repair, at);
        let layout = Layout {
            tasks: &run.tasks,
            only: Some(&repair.keys),
            before,
            failing: failing.as_ref().map(|trouble| Failing {
                keys: &trouble.fails,
                failure: &trouble.failure,
                attempts: trouble.attempts,
            }),
            start: at,
            takes_ms,
        };
        let attempts = layout.attempts(&mut self.ids);
        let given = |round: &Round| !round.job_parameters.is_empty() || !round.overriding.is_empty();
        let parameters_lost = run.rounds.first().is_some_and(given) && repair.job_parameters.is_empty() && repair.overriding.is_empty();
        run.rounds.push(Round {
            repair: Some(id),
            by: repair.by,
            start: at,
            shown_from: at + self.workspace.repair_shows_after.at_speed(self.speed),
            attempts,
            job_parameters: repair.job_parameters,
            overriding: repair.overriding,
            parameters_lost,
            canceled_by: None,
        });
        self.keep(run);
        Some(id)
    }

    /// The run's trouble, if it shows again in this repair.
    fn fails_again(&mut self, run: &JobRun, repair: &Repair, at: Millis) -> Option<Trouble> {
        let TroubleId(number) = run.trouble?;
        let chance = self.chance;
        let trouble = self.troubles.get_mut(number)?;
        if trouble.fails.iter().all(|key| !repair.keys.contains(key)) {
            return None;
        }
        if repair.mended {
            trouble.fixed_at = Some(trouble.fixed_at.map_or(at, |fixed| fixed.min(at)));
        }
        let passes = trouble.rerun(number, at, &run.settings, chance);
        (!passes).then(|| trouble.clone())
    }

    pub fn cancel(&mut self, run: RunId, by: Actor, at: Millis) -> bool {
        let cleanup_ms = CANCEL_TAKES.at_speed(self.speed);
        self.runs.get_mut(&run).is_some_and(|run| run.cancel_at(at, cleanup_ms, by))
    }

    /// Every active run ends now as it would have ended. Gives how many.
    pub fn finish(&mut self) -> usize {
        let now = self.now;
        self.runs.values_mut().filter_map(|run| run.finish_at(now).then_some(())).count()
    }

    /// Replaces the settings of a job; runs that are under way keep theirs.
    pub fn set_settings(&mut self, job: JobId, settings: Value) {
        if let Some(job) = self.jobs.get_mut(&job) {
            job.tasks = Arc::new(settings::tasks(&settings));
            job.settings = Arc::new(settings);
        }
    }

    pub fn run_page_url(&self, job: JobId, run: RunId) -> String {
        format!("{}/?o={}#job/{job}/run/{run}", self.url, self.workspace.org_id)
    }

    /// The values that a round's job parameters had: those given, else the defaults.
    pub fn parameters(run: &JobRun, round: &Round) -> Vec<Value> {
        let mut listed: Vec<Value> = settings::defaults(&run.settings)
            .map(|(name, default)| json!({"name": name, "default": default, "value": round.job_parameters.get(name).unwrap_or(default)}))
            .collect();
        let known = |name: &String| settings::defaults(&run.settings).any(|(known, _)| known == name);
        listed.extend(
            round.job_parameters.iter().filter(|(name, _)| !known(name)).map(|(name, value)| json!({"name": name, "value": value})),
        );
        listed
    }
}

impl Start {
    /// A run that nothing is wrong with, by the job's schedule.
    pub fn scheduled(job: JobId, at: Millis) -> Self {
        Self {
            job,
            at,
            takes_ms: 0,
            trigger: "PERIODIC",
            by: Actor::Job,
            job_parameters: Map::new(),
            overriding: Map::new(),
            trouble: None,
            passes: true,
        }
    }
}
