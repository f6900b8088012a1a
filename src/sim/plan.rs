//! A run as a plan: what each attempt of each task will do and when, fixed at its start. How the run stands at any moment is read off
//! the plan, so nothing has to tick, and a repair, a cancellation or the end of the world only writes the plan anew.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::settings::Task;
use crate::domain::ids::{JobId, RepairId, RunId};

/// Epoch milliseconds, as on the wire.
pub type Millis = i64;

/// What a task that fails by itself says.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// `state.life_cycle_state` of the task: TERMINATED, or INTERNAL_ERROR where the platform itself failed.
    pub life_cycle: String,
    /// `state.result_state`: FAILED, TIMEDOUT, or whatever a test asks for.
    pub result: Option<String>,
    pub state_message: String,
    /// `status.termination_details`.
    pub code: String,
    pub kind: String,
    pub message: String,
    /// What runs/get-output tells.
    pub error: Option<String>,
    pub error_trace: Option<String>,
    pub logs: Option<String>,
    pub logs_truncated: bool,
    /// It failed before its program ran (a library, a cluster): no execution, only a setup.
    pub in_setup: bool,
}

/// How an attempt ends.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    Success,
    Failed(Arc<Failure>),
    UpstreamFailed,
    Canceled,
    UpstreamCanceled,
}

impl Verdict {
    pub fn is_success(&self) -> bool {
        match self {
            Self::Success => true,
            Self::Failed(_) | Self::UpstreamFailed | Self::Canceled | Self::UpstreamCanceled => false,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    Blocked,
    Pending,
    Running,
    Terminating,
    Ended,
}

/// One attempt of one task. Times never decrease in the order written.
#[derive(Clone, Debug)]
pub struct Attempt {
    pub run_id: RunId,
    pub key: String,
    /// 0 for the first; goes on across the platform's retries and repairs.
    pub number: u32,
    pub start: Millis,
    pub setup_until: Millis,
    pub work_until: Millis,
    pub end: Millis,
    pub verdict: Verdict,
}

impl Attempt {
    pub fn phase(&self, now: Millis) -> Phase {
        if now >= self.end {
            Phase::Ended
        } else if now < self.start {
            Phase::Blocked
        } else if now < self.setup_until {
            Phase::Pending
        } else if now < self.work_until {
            Phase::Running
        } else {
            Phase::Terminating
        }
    }

    /// Nothing later than `now` is left of the plan.
    fn cut_at(&mut self, now: Millis) {
        for time in [&mut self.start, &mut self.setup_until, &mut self.work_until, &mut self.end] {
            *time = (*time).min(now);
        }
    }

    fn cancel_at(&mut self, now: Millis, cleanup_ms: i64) {
        let end = self.end.min(now + cleanup_ms);
        self.verdict = if now < self.start { Verdict::UpstreamCanceled } else { Verdict::Canceled };
        self.cut_at(now);
        if self.verdict == Verdict::Canceled {
            self.end = end;
        }
    }
}

/// Who did something to a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// The schedule or trigger of the job.
    Job,
    /// Whoever holds the token.
    Token,
    Person,
}

impl Actor {
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Job => "job",
            Self::Token => "token",
            Self::Person => "person",
        }
    }
}

/// The original run, or one repair of it.
#[derive(Clone, Debug)]
pub struct Round {
    pub repair: Option<RepairId>,
    pub by: Actor,
    pub start: Millis,
    /// A repair is not seen at once: until then the run still shows its old end.
    pub shown_from: Millis,
    pub attempts: Vec<Attempt>,
    /// The job's parameters given in this round's call; those not given have their defaults.
    pub job_parameters: Map<String, Value>,
    /// The older per-type parameters given in this round's call.
    pub overriding: Map<String, Value>,
    /// A run that was given parameters was repaired without passing them again.
    pub parameters_lost: bool,
    pub canceled_by: Option<Actor>,
}

impl Round {
    pub fn end(&self) -> Millis {
        self.attempts.iter().map(|attempt| attempt.end).max().unwrap_or(self.start)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunType {
    Job,
    Submit,
}

impl RunType {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Job => "JOB_RUN",
            Self::Submit => "SUBMIT_RUN",
        }
    }
}

/// The number of a trouble in the world's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TroubleId(pub usize);

#[derive(Debug)]
pub struct JobRun {
    pub id: RunId,
    pub job: JobId,
    pub name: String,
    pub run_type: RunType,
    pub trigger: String,
    pub creator: String,
    /// The job's settings as this run uses them; a repair takes the job's current ones.
    pub settings: Arc<Value>,
    pub tasks: Arc<Vec<Task>>,
    /// The first is the original; never empty.
    pub rounds: Vec<Round>,
    /// What goes wrong in it.
    pub trouble: Option<TroubleId>,
    /// A run that never came to have tasks ends with this.
    pub without_tasks: Option<Arc<Failure>>,
}

impl JobRun {
    pub fn start(&self) -> Millis {
        self.rounds.first().map_or(0, |round| round.start)
    }

    /// The rounds that a caller sees at `now`, oldest first.
    pub fn shown(&self, now: Millis) -> impl DoubleEndedIterator<Item = &Round> {
        self.rounds.iter().filter(move |round| round.repair.is_none() || now >= round.shown_from)
    }

    /// Is it still running, whatever is shown?
    pub fn is_active(&self, now: Millis) -> bool {
        self.rounds.last().is_some_and(|round| now < round.end())
    }

    pub fn latest_repair(&self) -> Option<RepairId> {
        self.rounds.last().and_then(|round| round.repair)
    }

    pub fn cancel_at(&mut self, now: Millis, cleanup_ms: i64, by: Actor) -> bool {
        let Some(round) = self.rounds.last_mut().filter(|round| now < round.end()) else { return false };
        round.attempts.iter_mut().filter(|attempt| attempt.end > now).for_each(|attempt| attempt.cancel_at(now, cleanup_ms));
        round.canceled_by = Some(by);
        true
    }

    /// What was to come has come, and is seen.
    pub fn finish_at(&mut self, now: Millis) -> bool {
        let Some(round) = self.rounds.last_mut() else { return false };
        round.shown_from = round.shown_from.min(now);
        let active = now < round.end();
        round.attempts.iter_mut().for_each(|attempt| attempt.cut_at(now));
        active
    }
}

/// The newest attempt of each key among some rounds, in the order of the tasks.
pub fn latest<'a>(tasks: &[Task], rounds: impl Iterator<Item = &'a Round>) -> Vec<&'a Attempt> {
    let mut newest: std::collections::BTreeMap<&str, &Attempt> = std::collections::BTreeMap::new();
    for attempt in rounds.flat_map(|round| &round.attempts) {
        let seen = newest.entry(attempt.key.as_str()).or_insert(attempt);
        if attempt.number > seen.number {
            *seen = attempt;
        }
    }
    let mut ordered: Vec<&Attempt> = tasks.iter().filter_map(|task| newest.remove(task.key.as_str())).collect();
    // Tasks that the job no longer has, but that this run had.
    ordered.extend(newest.into_values());
    ordered
}
