//! Lays a round's attempts out in time: each task after those it waits for, those behind a failed one not at all.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::ids::Ids;
use super::plan::{Attempt, Failure, Millis, Verdict};
use super::settings::{RunIf, Task};

/// How an earlier attempt of a task ended.
#[derive(Clone, Copy, Debug)]
pub struct Before {
    pub number: u32,
    pub success: bool,
}

pub struct Failing<'a> {
    pub keys: &'a [String],
    pub failure: &'a Arc<Failure>,
    /// Attempts that the platform makes before it gives up.
    pub attempts: u32,
}

pub struct Layout<'a> {
    pub tasks: &'a [Task],
    /// The tasks that run in this round; `None` for all.
    pub only: Option<&'a BTreeSet<String>>,
    pub before: BTreeMap<String, Before>,
    pub failing: Option<Failing<'a>>,
    pub start: Millis,
    pub takes_ms: i64,
}

/// Of a task's time, the shares of setup and cleanup.
const SETUP_SHARE: i64 = 4;
const CLEANUP_SHARE: i64 = 10;
/// And the most that they take, ms.
const SETUP_MS_MAX: i64 = 300_000;
const CLEANUP_MS_MAX: i64 = 10_000;

impl Layout<'_> {
    pub fn attempts(&self, ids: &mut Ids) -> Vec<Attempt> {
        let tasks: Vec<&Task> = self.tasks.iter().filter(|task| self.only.is_none_or(|only| only.contains(&task.key))).collect();
        let ordered = in_order(&tasks);
        let blocked = self.blocked(&ordered);
        let levels = levels(&ordered, &blocked);
        let depth = levels.values().max().copied().unwrap_or(1).max(1);
        let share = self.takes_ms / i64::from(depth);
        let mut ends: BTreeMap<&str, Millis> = BTreeMap::new();
        let mut attempts = Vec::new();
        for task in ordered {
            let start = task.depends_on.iter().filter_map(|key| ends.get(key.as_str())).max().copied().unwrap_or(self.start);
            // The last level takes what division left over, so that a run ends when it was asked to.
            let last = levels.get(task.key.as_str()) == Some(&depth);
            let takes = if last { (self.start + self.takes_ms - start).max(0) } else { share };
            let first = self.before.get(&task.key).map_or(0, |before| before.number + 1);
            let placed = if blocked.contains(task.key.as_str()) {
                vec![skipped(ids, task, first, start)]
            } else {
                self.place(ids, task, first, start, takes)
            };
            ends.extend(placed.last().map(|last| (task.key.as_str(), last.end)));
            attempts.extend(placed);
        }
        attempts
    }

    /// The tasks that do not run because one that they wait for did not succeed.
    fn blocked<'a>(&self, ordered: &[&'a Task]) -> BTreeSet<&'a str> {
        let mut success: BTreeMap<&str, bool> = BTreeMap::new();
        let mut blocked = BTreeSet::new();
        for task in ordered {
            // A task that neither runs now nor ran before is no obstacle.
            let before = |key: &str| self.before.get(key).is_none_or(|before| before.success);
            let upstream_failed = task.depends_on.iter().any(|key| !success.get(key.as_str()).copied().unwrap_or_else(|| before(key)));
            let is_blocked = upstream_failed && task.run_if == RunIf::AllSuccess;
            if is_blocked {
                blocked.insert(task.key.as_str());
            }
            let fails = self.failing.as_ref().is_some_and(|failing| failing.keys.contains(&task.key));
            success.insert(&task.key, !is_blocked && !fails);
        }
        blocked
    }

    fn place(&self, ids: &mut Ids, task: &Task, first: u32, start: Millis, takes: i64) -> Vec<Attempt> {
        let failing = self.failing.as_ref().filter(|failing| failing.keys.contains(&task.key));
        let Some(failing) = failing else { return vec![attempt(ids, task, first, start, takes, Verdict::Success)] };
        let tries = failing.attempts.max(1);
        let each = takes / i64::from(tries);
        (0..tries)
            .map(|n| {
                let begin = start + each * i64::from(n);
                let takes = if n + 1 == tries { start + takes - begin } else { each };
                attempt(ids, task, first + n, begin, takes, Verdict::Failed(Arc::clone(failing.failure)))
            })
            .collect()
    }
}

fn attempt(ids: &mut Ids, task: &Task, number: u32, start: Millis, takes: i64, verdict: Verdict) -> Attempt {
    let end = start + takes;
    let in_setup = matches!(&verdict, Verdict::Failed(failure) if failure.in_setup);
    let (setup_until, work_until) = if in_setup {
        (end, end)
    } else {
        (start + (takes / SETUP_SHARE).min(SETUP_MS_MAX), end - (takes / CLEANUP_SHARE).min(CLEANUP_MS_MAX))
    };
    Attempt { run_id: ids.run(), key: task.key.clone(), number, start, setup_until, work_until, end, verdict }
}

fn skipped(ids: &mut Ids, task: &Task, number: u32, at: Millis) -> Attempt {
    Attempt {
        run_id: ids.run(),
        key: task.key.clone(),
        number,
        start: at,
        setup_until: at,
        work_until: at,
        end: at,
        verdict: Verdict::UpstreamFailed,
    }
}

/// Each task after those it waits for. Tasks that wait for each other in a circle come last, in their own order.
fn in_order<'a>(tasks: &[&'a Task]) -> Vec<&'a Task> {
    let mut placed: BTreeSet<&str> = BTreeSet::new();
    let known: BTreeSet<&str> = tasks.iter().map(|task| task.key.as_str()).collect();
    let mut waiting: Vec<&Task> = tasks.to_vec();
    let mut ordered = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let (ready, later): (Vec<&Task>, Vec<&Task>) = waiting
            .into_iter()
            .partition(|task| task.depends_on.iter().all(|key| placed.contains(key.as_str()) || !known.contains(key.as_str())));
        if ready.is_empty() {
            ordered.extend(later);
            break;
        }
        placed.extend(ready.iter().map(|task| task.key.as_str()));
        ordered.extend(ready);
        waiting = later;
    }
    ordered
}

/// How many tasks run one after the other until the end of each. Only what runs takes time: a run whose first task fails is over when
/// that one is.
fn levels<'a>(ordered: &[&'a Task], blocked: &BTreeSet<&str>) -> BTreeMap<&'a str, u32> {
    let mut levels: BTreeMap<&str, u32> = BTreeMap::new();
    for task in ordered {
        let above = task.depends_on.iter().filter_map(|key| levels.get(key.as_str())).max().copied().unwrap_or(0);
        levels.insert(&task.key, above + u32::from(!blocked.contains(task.key.as_str())));
    }
    levels
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sim::run_spec::RunSpec;
    use crate::sim::trouble;

    /// Tasks `0..n`, each waiting for some of those before it.
    fn any_tasks() -> impl Strategy<Value = Vec<Task>> {
        prop::collection::vec((prop::collection::vec(any::<prop::sample::Index>(), 0..3), any::<bool>()), 1..12).prop_map(|drawn| {
            let task = |(n, (upstream, done)): (usize, (Vec<prop::sample::Index>, bool))| Task {
                key: n.to_string(),
                depends_on: if n == 0 { Vec::new() } else { upstream.iter().map(|at| at.index(n).to_string()).collect() },
                run_if: if done { RunIf::AllDone } else { RunIf::AllSuccess },
            };
            drawn.into_iter().enumerate().map(task).collect()
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn every_task_ends_in_its_order_and_time_and_none_runs_behind_a_failed_one(
            mut tasks in any_tasks(), fails in any::<prop::sample::Index>(), attempts in 1_u32..4, takes_ms in 0_i64..100_000, reversed: bool,
        ) {
            let keys = [fails.index(tasks.len()).to_string()];
            if reversed {
                tasks.reverse();
            }
            let failure = Arc::new(trouble::failure(&RunSpec::default()));
            let failing = Some(Failing { keys: &keys, failure: &failure, attempts });
            let layout = Layout { tasks: &tasks, only: None, before: BTreeMap::new(), failing, start: 1000, takes_ms };
            let placed = layout.attempts(&mut Ids::new());
            let last: BTreeMap<&str, &Attempt> = placed.iter().map(|attempt| (attempt.key.as_str(), attempt)).collect();
            prop_assert_eq!(last.len(), tasks.len());
            prop_assert_eq!(placed.iter().map(|attempt| attempt.end).max(), Some(1000 + takes_ms));
            for attempt in &placed {
                let times = [1000, attempt.start, attempt.setup_until, attempt.work_until, attempt.end];
                prop_assert!(times.is_sorted(), "{:?}", attempt);
            }
            for task in &tasks {
                let own = last[task.key.as_str()];
                let upstream: Vec<_> = task.depends_on.iter().map(|key| last[key.as_str()]).collect();
                prop_assert!(upstream.iter().all(|above| above.end <= own.start));
                let blocked = task.run_if == RunIf::AllSuccess && upstream.iter().any(|above| !above.verdict.is_success());
                prop_assert_eq!(own.verdict == Verdict::UpstreamFailed, blocked);
            }
        }
    }
}
