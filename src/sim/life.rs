//! How an attempt, a round and a run stand at a moment, in the platform's words: the older `state` and the newer `status`.

use serde_json::{Map, Value, json};

use super::plan::{Attempt, JobRun, Millis, Phase, Round, Verdict, latest};
use super::settings::Task;

/// Right after a start the newer half of the state is not there yet.
const STATUS_MISSING_MS: i64 = 40;

#[derive(Clone, Debug, PartialEq)]
pub struct Details {
    pub code: String,
    pub kind: String,
    pub message: String,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    pub life_cycle: String,
    pub result: Option<String>,
    pub message: String,
    /// `None` right after a start.
    pub status: Option<&'static str>,
    pub details: Option<Details>,
    pub canceled_or_timed_out: bool,
}

impl Standing {
    fn active(word: &'static str) -> Self {
        Self {
            life_cycle: word.to_owned(),
            result: None,
            message: String::new(),
            status: Some(word),
            details: None,
            canceled_or_timed_out: false,
        }
    }

    fn ended(life_cycle: &str, result: Option<&str>, message: &str, code: &str, kind: &str) -> Self {
        Self {
            life_cycle: life_cycle.to_owned(),
            result: result.map(str::to_owned),
            message: message.to_owned(),
            status: Some("TERMINATED"),
            details: Some(Details { code: code.to_owned(), kind: kind.to_owned(), message: message.to_owned() }),
            canceled_or_timed_out: matches!(result, Some("CANCELED" | "TIMEDOUT")),
        }
    }

    pub fn is_success(&self) -> bool {
        matches!(self.result.as_deref(), Some("SUCCESS" | "SUCCESS_WITH_FAILURES"))
    }

    /// The two fields of an answer.
    pub fn put(&self, into: &mut Map<String, Value>) {
        let mut state = Map::new();
        state.insert("life_cycle_state".to_owned(), json!(self.life_cycle));
        if let Some(result) = &self.result {
            state.insert("result_state".to_owned(), json!(result));
        }
        state.insert("state_message".to_owned(), json!(self.message));
        state.insert("user_cancelled_or_timedout".to_owned(), json!(self.canceled_or_timed_out));
        into.insert("state".to_owned(), Value::Object(state));
        let Some(word) = self.status else { return };
        let mut status = Map::new();
        status.insert("state".to_owned(), json!(word));
        if let Some(details) = &self.details {
            status
                .insert("termination_details".to_owned(), json!({"code": details.code, "type": details.kind, "message": details.message}));
        }
        into.insert("status".to_owned(), Value::Object(status));
    }
}

pub fn of_attempt(attempt: &Attempt, now: Millis) -> Standing {
    match attempt.phase(now) {
        Phase::Blocked => Standing::active("BLOCKED"),
        Phase::Pending => {
            let status = Some("PENDING").filter(|_| now - attempt.start >= STATUS_MISSING_MS);
            Standing { status, ..Standing::active("PENDING") }
        }
        Phase::Running => Standing::active("RUNNING"),
        // The outcome is told already, and does not count yet.
        Phase::Terminating => {
            Standing { life_cycle: "TERMINATING".to_owned(), status: Some("TERMINATING"), ..of_verdict(&attempt.verdict) }
        }
        Phase::Ended => of_verdict(&attempt.verdict),
    }
}

fn of_verdict(verdict: &Verdict) -> Standing {
    match verdict {
        Verdict::Success => Standing::ended("TERMINATED", Some("SUCCESS"), "", "SUCCESS", "SUCCESS"),
        Verdict::Failed(failure) => {
            let mut standing =
                Standing::ended(&failure.life_cycle, failure.result.as_deref(), &failure.state_message, &failure.code, &failure.kind);
            if let Some(details) = &mut standing.details {
                details.message.clone_from(&failure.message);
            }
            standing
        }
        Verdict::UpstreamFailed => {
            Standing::ended("TERMINATED", Some("UPSTREAM_FAILED"), "An upstream task failed.", "SKIPPED", "CLIENT_ERROR")
        }
        Verdict::Canceled => Standing::ended("TERMINATED", Some("CANCELED"), "Run cancelled.", "USER_CANCELED", "CLIENT_ERROR"),
        Verdict::UpstreamCanceled => {
            Standing::ended("TERMINATED", Some("UPSTREAM_CANCELED"), "An upstream task was cancelled.", "SKIPPED", "CLIENT_ERROR")
        }
    }
}

pub fn of_run(run: &JobRun, now: Millis) -> Standing {
    let rounds: Vec<&Round> = run.shown(now).collect();
    of_rounds(run, &rounds, now)
}

/// How the run stands, or stood, after the last of `rounds`.
pub fn of_rounds(run: &JobRun, rounds: &[&Round], now: Millis) -> Standing {
    let Some(last) = rounds.last() else { return Standing::active("PENDING") };
    if now < last.end() {
        return of_active(last, now);
    }
    if let Some(failure) = &run.without_tasks {
        return of_verdict(&Verdict::Failed(failure.clone()));
    }
    if last.canceled_by.is_some() {
        return of_verdict(&Verdict::Canceled);
    }
    of_ended(&run.tasks, &latest(&run.tasks, rounds.iter().copied()))
}

fn of_active(round: &Round, now: Millis) -> Standing {
    let phases: Vec<Phase> = round.attempts.iter().map(|attempt| attempt.phase(now)).collect();
    if phases.iter().all(|phase| matches!(phase, Phase::Pending | Phase::Blocked)) {
        let status = Some("PENDING").filter(|_| now - round.start >= STATUS_MISSING_MS);
        return Standing { status, ..Standing::active("PENDING") };
    }
    if phases.iter().all(|phase| matches!(phase, Phase::Terminating | Phase::Ended)) {
        return Standing::active("TERMINATING");
    }
    Standing::active("RUNNING")
}

fn of_ended(tasks: &[Task], attempts: &[&Attempt]) -> Standing {
    let is_leaf = |key: &str| tasks.iter().all(|task| task.depends_on.iter().all(|upstream| upstream != key));
    let unsuccessful: Vec<&&Attempt> = attempts.iter().filter(|attempt| !attempt.verdict.is_success()).collect();
    if unsuccessful.is_empty() {
        return of_verdict(&Verdict::Success);
    }
    if unsuccessful.iter().all(|attempt| !is_leaf(&attempt.key)) {
        return Standing::ended("TERMINATED", Some("SUCCESS_WITH_FAILURES"), "", "SUCCESS_WITH_FAILURES", "SUCCESS");
    }
    let failed = attempts.iter().find_map(|attempt| match &attempt.verdict {
        Verdict::Failed(failure) => Some((&attempt.key, failure)),
        Verdict::Success | Verdict::UpstreamFailed | Verdict::Canceled | Verdict::UpstreamCanceled => None,
    });
    let Some((key, failure)) = failed else {
        return of_verdict(if unsuccessful.iter().any(|attempt| attempt.verdict == Verdict::Canceled) {
            &Verdict::Canceled
        } else {
            &Verdict::UpstreamFailed
        });
    };
    let message = format!("Task {key} failed with message: {}.", failure.state_message.trim_end_matches('.'));
    // The platform's own habit: a run with a task that FAILED is an INTERNAL_ERROR in the older words.
    let life_cycle = if failure.result.as_deref() == Some("FAILED") { "INTERNAL_ERROR" } else { failure.life_cycle.as_str() };
    Standing::ended(life_cycle, failure.result.as_deref(), &message, &failure.code, &failure.kind)
}
