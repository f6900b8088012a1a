//! The control: commands in JSON that make things happen in the workspace. [`HELP`] documents them; tests and scripts use them.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::desk::Desk;
use super::faults::Fault;
use super::job_spec::JobSpec;
use super::plan::Actor;
use super::run_spec::{COUNT_MAX, RunSpec};
use super::span::Span;
use crate::domain::ids::RunId;

/// For `runmend sim --help`: no line is longer than help is wide, 96 columns, and no `{n}` in it, which clap takes for a line break.
pub const HELP: &str = r#"GET book_url answers {"calls": [...], "runs": [...]}:
  every call received, with at, method, path, query, body, status, answered, took_effect;
  the truth behind every failed run, with run_id, job_id, job_name, cause, recording, truth,
  fails, reruns, repairs, run_nows, canceled_by, active, result_state, passed.

POST control_url takes one command in JSON, or a list of them. Times are "2s", "500ms", "30h",
or milliseconds; --speed divides durations.

{"do": "fail", "job": "orders"}    a run of the job fails; a job of no such name is made
  "count": 50                      so many runs; "job": "load_#" makes as many jobs, numbered
  "recording": "r061"              what it shows, of assets/scenarios/recordings.jsonl, or:
  "error", "error_trace", "logs", "logs_truncated", "state_message", "termination_code",
  "termination_type", "termination_message"
  "result_state": "FAILED"         TIMEDOUT, INTERNAL_ERROR, CANCELED, SKIPPED, ...
  "truth": "never"                 {"passes_after": 2}, {"transient": 0.8}, {"cured_by": "disk"}
  "cause": "network"               for the book, where no recording tells it
  "task": "load"                   the task that fails, or a list; by default the last one
  "attempts": 3                    attempts that the platform makes by itself
  "started_ago": "30h"             when it started; it fails now, unless one of these is given:
  "duration_ms": 0                 how long it takes; 3 s by default
  "ends_in": "10m"                 when it ends, from now
  "parameters": {"day": "..."}     job parameters; also "notebook_params", "python_params"
  "tasks": 150, "owner", "tags"    for a job that is not there yet
  "fixed_after": "40s"             the owner mends the job so long after the failure
  "person_repairs_after": "8s"     a person repairs the run so long after the failure
  "person_cancels_after": "2s"     a person cancels the run so long after its start
{"do": "succeed", "job": "orders"} a run that goes well; count, started_ago, duration_ms,
                                   ends_in, tasks, parameters as above
{"do": "job", "name": "orders", "task": [{"key": "a"}, {"key": "b", "depends_on": ["a"]}]}
                                   makes or replaces a job; keys as in [[job]] of a scenario
{"do": "history", "count": 5000, "job": "orders", "every": "10m"}
                                   earlier runs that went well
{"do": "person_repairs", "run_id": N, "mended": true}
                                   a person repairs it, having put right what was wrong
{"do": "cancel", "run_id": N}      a person cancels the run
{"do": "fix", "job": "orders"}     the owner has mended the job: what failed passes from now on
{"do": "fault", "path": "/runs/get-output", "status": 503}
                                   calls whose path ends so are answered so, until cleared
  "times": 3                       only so many
  "method": "GET", "id": N         only these; only about this run, task run or job
  "retry_after": 2                 seconds
  "body": "html"                   or any JSON; "content_filter": a model's filter refused it
  "delay_ms": 500                  the answer comes late
  "drop_answer": true              the call takes effect; the connection closes without answer
  "takes_effect": false            whether it takes effect although it is refused or dropped
  "cut_after": 3                   a model's streamed answer breaks off after so many pieces
{"do": "no_repair"}                runs/repair answers 501, as where it is unknown; "on": false
{"do": "clear_faults"}             ends all faults
{"do": "finish"}                   what is active ends now, as it would have ended
{"do": "forget_calls"}             empties the book's list of calls

Answers: {"ok": true}, with "runs": [{"run_id", "job_id"}] where runs were started; or
400 {"ok": false, "error": "..."}."#;

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
    match word.as_str() {
        "fail" => fail(desk, read(fields)?),
        "succeed" => succeed(desk, read(fields)?),
        "job" => job(desk, read(fields)?),
        "history" => history(desk, read(fields)?),
        "person_repairs" => person_repairs(desk, read(fields)?),
        "cancel" => cancel(desk, read(fields)?),
        "fix" => fix(desk, read(fields)?),
        "fault" => fault(desk, read(fields)?),
        "no_repair" => read(fields).map(|Switch { on }| desk.no_repair = on).map(done),
        "clear_faults" => read(fields).map(|Nothing {}| clear_faults(desk)).map(done),
        "finish" => read(fields).map(|Nothing {}| json!({"ok": true, "finished": desk.world.finish()})),
        "forget_calls" => read(fields).map(|Nothing {}| desk.book.forget_calls()).map(done),
        other => Err(format!("`{other}` is no command; see runmend sim --help")),
    }
}

fn done((): ()) -> Value {
    json!({"ok": true})
}

fn fail(desk: &mut Desk, spec: RunSpec) -> Result<Value, String> {
    spec.check()?;
    desk.world.check_tasks(&spec)?;
    let now = desk.world.now();
    let runs = desk.world.fail(&spec, now);
    // A run in the past may have been met by people since.
    desk.world.advance(now);
    Ok(started(desk, &runs))
}

fn succeed(desk: &mut Desk, spec: RunSpec) -> Result<Value, String> {
    spec.check()?;
    let runs = desk.world.succeed(&spec, desk.world.now());
    Ok(started(desk, &runs))
}

fn job(desk: &mut Desk, spec: JobSpec) -> Result<Value, String> {
    spec.check()?;
    let job = desk.world.add_job(spec, desk.world.now());
    Ok(json!({"ok": true, "job_id": job.0}))
}

fn history(desk: &mut Desk, history: History) -> Result<Value, String> {
    if history.count > COUNT_MAX || history.every.as_ms() == 0 {
        return Err(format!("`count` is at most {COUNT_MAX}, and `every` longer than 0"));
    }
    let world = &mut desk.world;
    let now = world.now();
    let job = world.job_named(&history.job).unwrap_or_else(|| world.add_job(JobSpec::named(&history.job), now));
    world.add_history(job, history.count, history.every, now);
    Ok(json!({"ok": true, "job_id": job.0}))
}

fn person_repairs(desk: &mut Desk, OneRun { run_id, mended }: OneRun) -> Result<Value, String> {
    let now = desk.world.now();
    if desk.world.person_repairs(RunId(run_id), mended, now) {
        Ok(json!({"ok": true, "repair_id": desk.world.run(RunId(run_id)).and_then(|run| run.latest_repair()).map(|id| id.0)}))
    } else {
        Err(format!("run {run_id} is not there, is active, or has nothing to repair"))
    }
}

fn cancel(desk: &mut Desk, OneRun { run_id, .. }: OneRun) -> Result<Value, String> {
    let now = desk.world.now();
    if desk.world.cancel(RunId(run_id), Actor::Person, now) {
        Ok(done(()))
    } else {
        Err(format!("run {run_id} is not there or not active"))
    }
}

fn fix(desk: &mut Desk, OneJob { job }: OneJob) -> Result<Value, String> {
    let world = &mut desk.world;
    let now = world.now();
    let id = world.job_named(&job).ok_or_else(|| format!("no job `{job}`"))?;
    world.troubles.iter_mut().filter(|trouble| trouble.job == id).for_each(|trouble| trouble.fixed_at = Some(now));
    Ok(done(()))
}

fn fault(desk: &mut Desk, fault: Fault) -> Result<Value, String> {
    fault.check()?;
    desk.faults.add(fault);
    Ok(done(()))
}

fn clear_faults(desk: &mut Desk) {
    desk.faults.clear();
    desk.no_repair = false;
}

fn read<T: DeserializeOwned>(fields: Map<String, Value>) -> Result<T, String> {
    serde_json::from_value(Value::Object(fields)).map_err(|error| error.to_string())
}

fn started(desk: &Desk, runs: &[RunId]) -> Value {
    let listed: Vec<Value> = runs.iter().map(|id| json!({"run_id": id.0, "job_id": desk.world.run(*id).map(|run| run.job.0)})).collect();
    json!({"ok": true, "runs": listed})
}
