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
        let running: Vec<&Task> = self.tasks.iter().filter(|task| self.only.is_none_or(|only| only.contains(&task.key))).collect();
        let ordered = in_order(&running);
        let levels = levels(&ordered);
        let depth = levels.values().max().copied().unwrap_or(1).max(1);
        let share = self.takes_ms / i64::from(depth);
        let mut ends: BTreeMap<&str, (Millis, bool)> = BTreeMap::new();
        let mut attempts = Vec::new();
        for task in ordered {
            let level = levels.get(task.key.as_str()).copied().unwrap_or(1);
            let upstream_end = task.depends_on.iter().filter_map(|key| ends.get(key.as_str())).map(|(end, _)| *end).max();
            let start = upstream_end.unwrap_or(self.start);
            // The last level takes what division left over, so that a run ends when it was asked to.
            let takes = if level == depth { (self.start + self.takes_ms - start).max(0) } else { share };
            let upstream_failed = task.depends_on.iter().any(|key| !self.succeeded(&ends, key));
            let first = self.before.get(&task.key).map_or(0, |before| before.number + 1);
            let placed = if upstream_failed && task.run_if == RunIf::AllSuccess {
                vec![skipped(ids, task, first, start)]
            } else {
                self.place(ids, task, first, start, takes)
            };
            if let Some(last) = placed.last() {
                ends.insert(&task.key, (last.end, last.verdict.is_success()));
            }
            attempts.extend(placed);
        }
        attempts
    }

    /// A task that neither runs now nor ran before is no obstacle.
    fn succeeded(&self, ends: &BTreeMap<&str, (Millis, bool)>, key: &str) -> bool {
        ends.get(key).map(|(_, success)| *success).or_else(|| self.before.get(key).map(|before| before.success)).unwrap_or(true)
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

/// 1 for a task that waits for none.
fn levels<'a>(ordered: &[&'a Task]) -> BTreeMap<&'a str, u32> {
    let mut levels: BTreeMap<&str, u32> = BTreeMap::new();
    for task in ordered {
        let above = task.depends_on.iter().filter_map(|key| levels.get(key.as_str())).max().copied().unwrap_or(0);
        levels.insert(&task.key, above + 1);
    }
    levels
}
