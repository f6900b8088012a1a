//! Analysed: put the case before the engine and write down what it concluded, with the call that this would be.

use sha2::{Digest, Sha256};

use crate::databricks::Run;
use crate::decide::{self, decide};
use crate::domain::classification::Classification;
use crate::domain::decision::{Decision, Mode};
use crate::domain::event::{Actor, Happening};
use crate::domain::evidence::Evidence;
use crate::domain::incident::{Incident, PlannedCall, State};
use crate::domain::intent::Effect;

use super::house::House;
use super::step::{Case, StepError};
use super::{letters, opinion};

pub async fn step(case: &mut Case<'_>) -> Result<(), StepError> {
    let now = case.now();
    // Collected and classified are one transaction, so an analysed incident has its verdict; without one nothing is known.
    let classification =
        case.incident.classification.clone().unwrap_or_else(|| case.house.classifier.classify_evidence(&Evidence::default()));
    let news = opinion::before_deciding(case, &classification).await?;
    // The time it took is past: what follows is decided now.
    let now = case.now().max(now);
    let mode = case.house.mode().await?;
    let decision = conclude(case.house, &case.incident, classification, mode).await?;
    let planned = plan(case.house, &case.incident, &decision).await?;
    let mut next = case.incident.become_state(State::Decided)?.due(Some(now));
    next.incident.decision = Some(decision.clone());
    next.incident.planned = Some(planned);
    if let Some(news) = news {
        next = next.happening(now, Actor::Agent, news);
    }
    let next = next.happening(now, Actor::Agent, Happening::decided(&decision));
    case.commit(next).await
}

/// The engine's word on the incident as the ledger has it now.
pub async fn conclude(house: &House, incident: &Incident, classification: Classification, mode: Mode) -> Result<Decision, StepError> {
    let evidence = house.ledger.evidence(&incident.id, Some(incident.attempt)).await?.unwrap_or_default();
    let tally = house.ledger.tally(&classification.fingerprint).await?;
    let case = decide::Case {
        classification,
        opinion: incident.opinion.clone(),
        job: incident.job.clone(),
        attempts: incident.attempts.clone(),
        mended_alike: tally.mended,
        tried_alike: tally.mended + tally.failed_again,
        gaps: evidence.gaps.iter().map(|gap| format!("{}: {}", gap.part, gap.reason)).collect(),
        rerun_refused: rerun_refused(incident, &evidence),
        mode,
        seed: seed(incident),
        now: house.now(),
    };
    Ok(decide(&case, &house.settings.policy))
}

fn rerun_refused(incident: &Incident, evidence: &Evidence) -> Option<String> {
    if incident.job.job_id.is_none() {
        return Some("it is a one-time run, which belongs to no job".to_owned());
    }
    let known = &incident.job.tasks;
    let gone = evidence.tasks.iter().find(|task| !known.is_empty() && !known.contains(&task.task_key));
    gone.map(|task| format!("task {} is no longer in the job", task.task_key))
}

/// Jitter of this incident's attempt: the same at every replay, different between incidents of a storm.
fn seed(incident: &Incident) -> u64 {
    let digest = Sha256::digest(format!("{}#{}", incident.id, incident.attempt));
    digest.iter().take(8).fold(0, |seed, byte| (seed << 8) | u64::from(*byte))
}

/// The exact call, from the run as it is now. It is made anew from the workspace right before it is sent.
pub async fn plan(house: &House, incident: &Incident, decision: &Decision) -> Result<PlannedCall, StepError> {
    if decision.action.reruns() {
        let run = house.workspace.run(incident.run).await?;
        return Ok(match effect(house, incident, &run) {
            Some(effect) => house.workspace.preview(&effect),
            None => nothing("the run belongs to no job"),
        });
    }
    Ok(letters::preview(house, incident, decision).unwrap_or_else(|| nothing("no call: the incident is closed")))
}

fn nothing(why: &str) -> PlannedCall {
    PlannedCall { method: "NONE".to_owned(), path: String::new(), body: why.to_owned() }
}

/// Repair of the failed tasks, and of those that only waited for them; or a new run where the workspace knows no repair.
pub fn effect(house: &House, incident: &Incident, run: &Run) -> Option<Effect> {
    if house.offers_repair() {
        let mut tasks: Vec<_> = run.root_failures().iter().chain(run.consequences().iter()).map(|task| task.task_key.clone()).collect();
        tasks.sort();
        tasks.dedup();
        return Some(Effect::Repair { run: run.run_id, tasks, after: run.latest_repair(), parameters: run.parameters.clone() });
    }
    let job = incident.job.job_id.or(run.job_id)?;
    Some(Effect::RunNow { job, token: token(incident), parameters: run.parameters.clone() })
}

/// At most 64 characters; the same for the same incident and attempt, so that a second call answers with the first one's run.
pub fn token(incident: &Incident) -> String {
    let digest = Sha256::digest(format!("{}#{}/run_now", incident.id, incident.attempt));
    let hex: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("runmend-{hex}")
}
