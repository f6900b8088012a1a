//! The control: commands in JSON that make things happen in the workspace. [`HELP`] documents them; tests and scripts use them.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::desk::Desk;
use super::faults::Fault;
use super::plan::Actor;
use super::scenario::{COUNT_MAX, JobSpec, RunSpec};
use super::span::Span;
use crate::domain::ids::RunId;

/// For `runmend sim --help`.
pub const HELP: &str = r#"GET book_url gives {"calls": [...], "runs": [...]}: every call received (at, method, path, query, body, status, answered,
took_effect) and the truth behind every failed run (run_id, job_id, job_name, cause, recording, truth, fails, reruns, repairs, passed, ...).

POST control_url takes one command in JSON, or a list of them. Times are "2s", "500ms", "30h" or milliseconds; --speed divides durations.

  {"do": "fail", "job": "orders"}      a run of the job starts and fails. The job is made if there is none of that name.
      "count": 50                      so many runs; with {n} in the job's name as many jobs: "job": "load_{n}"
      "recording": "r061"              what the failure shows (assets/scenarios/recordings.jsonl); or said here:
      "error", "error_trace", "logs", "logs_truncated", "state_message", "termination_code", "termination_type",
      "termination_message"
      "result_state": "FAILED"         or TIMEDOUT, INTERNAL_ERROR, CANCELED (by a person), SKIPPED, or any other word
      "truth": "never"                 or {"passes_after": 2}, {"transient": 0.8}, {"cured_by": "memory"}, "canceled"
      "cause": "network"               for the book, where no recording tells it
      "task": "load"                   the task that fails, or a list; the last one by default
      "attempts": 3                    attempts that the platform makes by itself
      "started_ago": "30h"             the run started so long ago (and fails now, unless duration or ends_in say otherwise)
      "duration_ms": 0                 how long the run takes; 3 s by default
      "ends_in": "10m"                 when it ends, from now
      "parameters": {"day": "..."}     job parameters of the run; also "notebook_params", "python_params"
      "tasks": 150, "owner", "tags"    for a job that is not there yet
      "fixed_after": "40s"             the owner mends the job so long after the failure
      "person_repairs_after": "8s"     a person repairs the run; "person_cancels_after": a person cancels it
  {"do": "succeed", "job": "orders"}   a run that goes well; count, started_ago, duration_ms, ends_in, tasks, parameters as above
  {"do": "job", "name": "orders", "task": [{"key": "a"}, {"key": "b", "depends_on": ["a"]}], ...}
                                       makes or replaces a job, with the keys that [[job]] of a scenario has
  {"do": "history", "count": 5000, "job": "orders", "every": "10m"}
                                       earlier runs that went well
  {"do": "person_repairs", "run_id": N, "mended": true}
                                       a person repairs the run's failed tasks, having put right what was wrong
  {"do": "cancel", "run_id": N}        a person cancels the run
  {"do": "fix", "job": "orders"}       the owner has mended the job: what failed passes from now on
  {"do": "fault", "path": "/runs/get-output", "status": 503}
                                       calls whose path ends so are answered so. "times": N (else until cleared), "method",
      "id": N (calls about this run or job only), "retry_after": seconds, "body": "html" or any JSON, "delay_ms": N,
      "drop_answer": true              the call takes effect and the connection is closed without an answer
      "takes_effect": true|false       whether the call takes effect although the answer says no, or is dropped
  {"do": "no_repair"}                  the workspace has no runs/repair: it answers 501; "on": false ends that
  {"do": "clear_faults"}               ends all faults
  {"do": "finish"}                     what is active ends now, as it would have ended
  {"do": "forget_calls"}               empties the book's list of calls

Answers: {"ok": true, ...} with "runs": [{"run_id", "job_id"}] where runs were started, or 400 {"ok": false, "error": "..."}."#;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct History {
    count: u32,
    #[serde(default = "History::job")]
    job: String,
    #[serde(default = "History::every")]
    every: Span,
}

impl History {
    fn job() -> String {
        "history".to_owned()
    }

    fn every() -> Span {
        Span::ms(600_000)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OneRun {
    run_id: i64,
    #[serde(default = "OneRun::mended")]
    mended: bool,
}

impl OneRun {
    fn mended() -> bool {
        true
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OneJob {
    job: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Switch {
    #[serde(default = "OneRun::mended")]
    on: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// Does what is asked; `Err` says what is wrong with the command. Of a list, those before the wrong one are done.
pub fn command(desk: &mut Desk, command: Value) -> Result<Value, String> {
    match command {
        Value::Array(commands) => {
            let answers: Result<Vec<Value>, String> = commands.into_iter().map(|command| one(desk, command)).collect();
            Ok(json!({"ok": true, "answers": answers?}))
        }
        command => one(desk, command),
    }
}

fn one(desk: &mut Desk, command: Value) -> Result<Value, String> {
    let Value::Object(mut fields) = command else { return Err("a command is an object with `do`; see runmend sim --help".to_owned()) };
    let Some(Value::String(word)) = fields.remove("do") else { return Err("`do` is missing; see runmend sim --help".to_owned()) };
    let world = &mut desk.world;
    let now = world.now();
    match word.as_str() {
        "fail" => {
            let spec: RunSpec = read(fields)?;
            spec.check()?;
            world.check_tasks(&spec)?;
            let runs = world.fail(&spec, now);
            // A run in the past may have been met by people since.
            world.advance(now);
            Ok(started(desk, &runs))
        }
        "succeed" => {
            let spec: RunSpec = read(fields)?;
            spec.check()?;
            let runs = world.succeed(&spec, now);
            Ok(started(desk, &runs))
        }
        "job" => {
            let spec: JobSpec = read(fields)?;
            spec.check()?;
            let job = world.add_job(spec, now);
            Ok(json!({"ok": true, "job_id": job.0}))
        }
        "history" => {
            let history: History = read(fields)?;
            if history.count > COUNT_MAX || history.every.as_ms() == 0 {
                return Err(format!("`count` is at most {COUNT_MAX}, and `every` longer than 0"));
            }
            let job = world.job_named(&history.job).unwrap_or_else(|| world.add_job(JobSpec::named(&history.job), now));
            world.add_history(job, history.count, history.every, now);
            Ok(json!({"ok": true, "job_id": job.0}))
        }
        "person_repairs" => {
            let run: OneRun = read(fields)?;
            if world.person_repairs(RunId(run.run_id), run.mended, now) {
                Ok(json!({"ok": true, "repair_id": world.run(RunId(run.run_id)).and_then(|run| run.latest_repair()).map(|id| id.0)}))
            } else {
                Err(format!("run {} is not there, is active, or has nothing to repair", run.run_id))
            }
        }
        "cancel" => {
            let run: OneRun = read(fields)?;
            if world.cancel(RunId(run.run_id), Actor::Person, now) {
                Ok(json!({"ok": true}))
            } else {
                Err(format!("run {} is not there or not active", run.run_id))
            }
        }
        "fix" => {
            let job: OneJob = read(fields)?;
            let id = world.job_named(&job.job).ok_or_else(|| format!("no job `{}`", job.job))?;
            world.troubles.iter_mut().filter(|trouble| trouble.job == id).for_each(|trouble| trouble.fixed_at = Some(now));
            Ok(json!({"ok": true}))
        }
        "fault" => {
            let fault: Fault = read(fields)?;
            fault.check()?;
            desk.faults.add(fault);
            Ok(json!({"ok": true}))
        }
        "no_repair" => {
            let switch: Switch = read(fields)?;
            desk.no_repair = switch.on;
            Ok(json!({"ok": true}))
        }
        "clear_faults" => {
            let Nothing {} = read(fields)?;
            desk.faults.clear();
            desk.no_repair = false;
            Ok(json!({"ok": true}))
        }
        "finish" => {
            let Nothing {} = read(fields)?;
            Ok(json!({"ok": true, "finished": world.finish()}))
        }
        "forget_calls" => {
            let Nothing {} = read(fields)?;
            desk.book.forget_calls();
            Ok(json!({"ok": true}))
        }
        other => Err(format!("`{other}` is no command; see runmend sim --help")),
    }
}

fn read<T: DeserializeOwned>(fields: Map<String, Value>) -> Result<T, String> {
    serde_json::from_value(Value::Object(fields)).map_err(|error| error.to_string())
}

fn started(desk: &Desk, runs: &[RunId]) -> Value {
    let listed: Vec<Value> = runs.iter().map(|id| json!({"run_id": id.0, "job_id": desk.world.run(*id).map(|run| run.job.0)})).collect();
    json!({"ok": true, "runs": listed})
}
