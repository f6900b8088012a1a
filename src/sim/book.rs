//! The book: every call that arrived, with its answer, and the hidden truth of every run that failed.

use serde_json::{Map, Value, json};

use super::life;
use super::plan::{Actor, JobRun, Millis, Round, TroubleId, latest};
use super::world::World;

/// Calls kept; of older ones only the number. An unattended night at full speed fits, and some 100 MB at most.
const CALLS_MAX: usize = 200_000;

#[derive(Debug)]
pub struct Entry {
    pub at: Millis,
    pub method: String,
    pub path: String,
    pub query: String,
    pub body: Value,
    /// What the workspace answered, or would have: an answer that a fault dropped has `answered` false.
    pub status: u16,
    pub answered: bool,
    pub took_effect: bool,
}

#[derive(Debug, Default)]
pub struct Book {
    calls: std::collections::VecDeque<Entry>,
    forgotten: u64,
}

/// RFC 3339, UTC.
pub fn time(at: Millis) -> Value {
    jiff::Timestamp::from_millisecond(at).map_or(Value::Null, |at| json!(at.to_string()))
}

impl Book {
    pub fn add(&mut self, entry: Entry) {
        if self.calls.len() >= CALLS_MAX {
            self.calls.pop_front();
            self.forgotten += 1;
        }
        self.calls.push_back(entry);
    }

    pub fn forget_calls(&mut self) {
        self.calls.clear();
        self.forgotten = 0;
    }

    pub fn read(&self, world: &World) -> Value {
        let calls: Vec<Value> = self.calls.iter().map(entry).collect();
        let runs: Vec<Value> = world.runs().filter_map(|run| truth(world, run)).collect();
        json!({"now": time(world.now()), "calls": calls, "calls_forgotten": self.forgotten, "runs": runs})
    }
}

fn entry(entry: &Entry) -> Value {
    json!({
        "at": time(entry.at),
        "method": entry.method,
        "path": entry.path,
        "query": entry.query,
        "body": entry.body,
        "status": entry.status,
        "answered": entry.answered,
        "took_effect": entry.took_effect,
    })
}

/// What is behind a run that has failed by now; `None` for the others.
fn truth(world: &World, run: &JobRun) -> Option<Value> {
    let now = world.now();
    let TroubleId(number) = run.trouble?;
    let trouble = world.troubles.get(number)?;
    let ended: Vec<(usize, &Round)> = run.rounds.iter().enumerate().filter(|(_, round)| round.end() <= now).collect();
    let standing_after = |n: usize| {
        let rounds: Vec<&Round> = run.rounds.iter().take(n + 1).collect();
        life::of_rounds(run, &rounds, now)
    };
    let failed: Vec<&(usize, &Round)> = ended.iter().filter(|(n, _)| !standing_after(*n).is_success()).collect();
    let (_, first) = failed.first()?;
    let repairs: Vec<Value> = run
        .rounds
        .iter()
        .enumerate()
        .filter(|(_, round)| round.repair.is_some())
        .map(|(n, round)| repair(round, now, &standing_after(n)))
        .collect();
    let standing = life::of_rounds(run, &run.rounds.iter().collect::<Vec<_>>(), now);
    let mut row = Map::new();
    let mut put = |name: &str, value: Value| {
        row.insert(name.to_owned(), value);
    };
    put("run_id", json!(run.id.0));
    put("job_id", json!(run.job.0));
    put("job_name", json!(run.name));
    put("cause", json!(trouble.cause));
    put("recording", json!(trouble.recording));
    put("truth", json!(trouble.truth));
    put("tasks", json!(trouble.fails));
    put("termination_code", json!(trouble.failure.code));
    put("started_at", time(run.start()));
    put("failed_at", time(first.end()));
    put("fails", json!(failed.len()));
    put("started_by", json!(run.rounds.first().map(|round| round.by.as_str())));
    put("reruns", json!(trouble.reruns));
    put("run_nows", json!(trouble.run_nows));
    put("repairs", Value::Array(repairs));
    put("canceled_by", json!(run.rounds.iter().rev().find_map(|round| round.canceled_by.as_ref()).map(Actor::as_str)));
    put("active", json!(run.is_active(now)));
    put("result_state", json!(standing.result));
    put("passed", json!(!run.is_active(now) && standing.is_success()));
    put("attempts", json!(latest(&run.tasks, run.rounds.iter()).iter().map(|attempt| attempt.number + 1).max()));
    Some(Value::Object(row))
}

fn repair(round: &Round, now: Millis, standing: &life::Standing) -> Value {
    let mut keys: Vec<&str> = round.attempts.iter().map(|attempt| attempt.key.as_str()).collect();
    keys.dedup();
    json!({
        "repair_id": round.repair.map(|id| id.0),
        "at": time(round.start),
        "by": round.by.as_str(),
        "tasks": keys,
        "job_parameters": round.job_parameters,
        "parameters_lost": round.parameters_lost,
        "passed": (now >= round.end()).then(|| standing.is_success()),
    })
}
