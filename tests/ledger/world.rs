//! Incidents to keep, and ways to move them.

use runmend::domain::Timestamp;
use runmend::domain::action::Action;
use runmend::domain::cause::Cause;
use runmend::domain::classification::Classification;
use runmend::domain::event::{Actor, Happening, Via};
use runmend::domain::ids::{Fingerprint, IncidentId, JobId, Probability, RepairId, RunId, TaskKey, WorkspaceName};
use runmend::domain::incident::{Attempt, Ending, Failure, Incident, State, Transition};
use runmend::domain::intent::{Effect, Intent, RunParameters, Settlement};
use runmend::domain::job::JobFacts;
use runmend::domain::mail::{Mail, MailKind};
use runmend::ledger::{Admission, Claim, Ledger};

pub fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

pub fn workspace() -> WorkspaceName {
    WorkspaceName::from("acme-prod")
}

pub fn id(run: i64) -> IncidentId {
    IncidentId::new(&workspace(), RunId(run))
}

pub fn failure(run: i64, after_repair: Option<i64>) -> Failure {
    Failure {
        workspace: workspace(),
        run: RunId(run),
        after_repair: after_repair.map(RepairId),
        job: JobFacts { job_id: Some(JobId(7)), name: "orders_daily_load".to_owned(), ..JobFacts::default() },
        run_url: None,
        via: Via::Poll,
        result_state: Some("FAILED".to_owned()),
        termination_code: None,
        ended_at: Some(at(-5)),
    }
}

/// Due at `now`.
pub async fn admitted(ledger: &dyn Ledger, run: i64, now: i64) -> Incident {
    match ledger.admit(failure(run, None), at(now)).await.unwrap() {
        Admission::Admitted(incident, _) => *incident,
        other => panic!("run {run}: {other:?}"),
    }
}

pub async fn claim(ledger: &dyn Ledger, now: i64, limit: u32) -> Vec<Claim> {
    ledger.claim("w", &workspace(), at(now), 60, limit).await.unwrap()
}

pub async fn reread(ledger: &dyn Ledger, incident: &Incident) -> Incident {
    ledger.incident(&incident.id).await.unwrap().unwrap()
}

pub const STATES: [State; 13] = [
    State::Detected,
    State::Collecting,
    State::Analysed,
    State::Decided,
    State::Scheduled,
    State::AwaitingApproval,
    State::Acting,
    State::Watching,
    State::WithPeople,
    State::Closed(Ending::Mended),
    State::Closed(Ending::Handled),
    State::Closed(Ending::Ignored),
    State::Closed(Ending::Superseded),
];

fn way_to(state: State) -> &'static [State] {
    use State::*;
    match state {
        Detected => &[],
        Collecting => &[Collecting],
        Analysed => &[Collecting, Analysed],
        Decided => &[Collecting, Analysed, Decided],
        Scheduled => &[Collecting, Analysed, Decided, Scheduled],
        AwaitingApproval => &[Collecting, Analysed, Decided, AwaitingApproval],
        Acting => &[Collecting, Analysed, Decided, Scheduled, Acting],
        Watching => &[Collecting, Analysed, Decided, Scheduled, Acting, Watching],
        WithPeople => &[Collecting, Analysed, Decided, WithPeople],
        Closed(Ending::Mended) => &[Closed(Ending::Mended)],
        Closed(Ending::Handled) => &[Closed(Ending::Handled)],
        Closed(Ending::Ignored) => &[Closed(Ending::Ignored)],
        Closed(Ending::Superseded) => &[Closed(Ending::Superseded)],
    }
}

/// A run's incident, taken to a state; due at 0, or closed then.
pub async fn incident_in(ledger: &dyn Ledger, run: i64, state: State) -> Incident {
    let mut incident = admitted(ledger, run, 0).await;
    for next in way_to(state) {
        let mut step = incident.become_state(*next).unwrap().due(next.is_open().then(|| at(0)));
        step.incident.closed_at = (!next.is_open()).then(|| at(0));
        incident = ledger.commit(step, None).await.unwrap();
    }
    incident
}

pub fn collected(tasks: &[&str]) -> Happening {
    Happening::Collected { tasks: tasks.iter().map(|task| (*task).to_owned()).collect(), gaps: Vec::new() }
}

/// A change that keeps the state, told in one event.
pub fn nudge(incident: &Incident, words: &str, second: i64) -> Transition {
    let mut next = incident.stay().happening(at(second), Actor::Agent, collected(&[words]));
    next.incident.hold = Some(words.to_owned());
    next
}

pub fn repair(incident: &Incident) -> Effect {
    let tasks = vec![TaskKey::from("load")];
    Effect::Repair { run: incident.run, tasks, after: None, parameters: RunParameters::default() }
}

/// An open intent of the incident's attempt.
pub fn intent(incident: &Incident, word: &str) -> Intent {
    incident.intent(word, repair(incident), at(10))
}

pub fn settled(intent: &Intent) -> Intent {
    Intent { settlement: Settlement::Repaired { repair: RepairId(901) }, settled_at: Some(at(20)), ..intent.clone() }
}

pub fn mail(incident: &Incident, key: &str) -> Mail {
    Mail {
        dedup_key: key.to_owned(),
        incident: incident.id.clone(),
        kind: MailKind::OnCall,
        to: "oncall@acme.example".to_owned(),
        subject: format!("run {} failed", incident.run),
        body: "What happened.\n".to_owned(),
    }
}

pub fn classification(fingerprint: &str) -> Classification {
    Classification {
        cause: Cause::Network,
        confidence: Probability::new(0.912_345),
        alternatives: Vec::new(),
        action: Action::Retry,
        parameters: Vec::new(),
        rules: vec!["connection-refused".to_owned()],
        evidence: None,
        task: None,
        fingerprint: Fingerprint::from(fingerprint),
        explanation: "Nobody listened.".to_owned(),
        advice: "Start it.".to_owned(),
    }
}

pub fn attempt(number: u32, action: Action) -> Attempt {
    Attempt {
        number,
        action,
        acted_at: at(10),
        repair: action.reruns().then(|| RepairId(900 + i64::from(number))),
        new_run: None,
        automatic: true,
        outcome: None,
        ended_at: None,
    }
}
