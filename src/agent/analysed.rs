//! Analysed: put the case before the engine and write down what it concluded, with the call that this would be.

use std::pin::pin;
use std::sync::Mutex;
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::databricks::Run;
use crate::decide::{self, decide};
use crate::domain::Timestamp;
use crate::domain::classification::{Classification, Opinion, OpinionOrigin};
use crate::domain::decision::{Decision, Mode};
use crate::domain::event::{Actor, Happening};
use crate::domain::evidence::Evidence;
use crate::domain::incident::{Incident, PlannedCall, State};
use crate::domain::intent::Effect;

use crate::ledger::{Ledger, LedgerError};
use crate::llm::prompt::PRECEDENTS_MAX;
use crate::llm::{Alike, Desk, Health, NoOpinion, Occasion, Question};

use super::house::{House, lock};
use super::letters;
use super::step::{Case, StepError};

pub async fn step(case: &mut Case<'_>) -> Result<(), StepError> {
    let now = case.now();
    // Collected and classified are one transaction, so an analysed incident has its verdict; without one nothing is known.
    let classification =
        case.incident.classification.clone().unwrap_or_else(|| case.house.classifier.classify_evidence(&Evidence::default()));
    let opinion = second_opinion(case, &classification).await?;
    case.incident.no_opinion = opinion.as_ref().err().cloned();
    case.incident.opinion = opinion.ok();
    // The time it took is past: what follows is decided now.
    let now = case.now().max(now);
    let mode = case.house.mode().await?;
    let decision = conclude(case.house, &case.incident, classification, mode).await?;
    let planned = plan(case.house, &case.incident, &decision).await?;
    let mut next = case.incident.become_state(State::Decided)?.due(Some(now));
    next.incident.decision = Some(decision.clone());
    next.incident.planned = Some(planned);
    let heard = match (&next.incident.opinion, &next.incident.no_opinion) {
        (Some(opinion), _) => Happening::opinion(opinion),
        (None, reason) => Happening::no_opinion(reason.as_deref().unwrap_or_default()),
    };
    let next = next.happening(now, Actor::Agent, heard).happening(now, Actor::Agent, Happening::decided(&decision));
    case.commit(next).await
}

/// How often a model's words so far are written down for those who read along.
const READ_ALONG: Duration = Duration::from_millis(250);

/// What a model says of it, or why there is no such opinion. Never an error: the rules decide alone then.
async fn second_opinion(case: &mut Case<'_>, classification: &Classification) -> Result<Result<Opinion, String>, StepError> {
    let house = case.house;
    let evidence = house.ledger.evidence(&case.incident.id, Some(case.incident.attempt)).await?.unwrap_or_default();
    let tally = house.ledger.tally(&classification.fingerprint).await?;
    let of_job = case.incident.job.job_id.map(|job| (&case.incident.workspace, job));
    let before = house.ledger.precedents(&classification.fingerprint, of_job, PRECEDENTS_MAX as u32).await?;
    let alike = Alike { mended: tally.mended, failed_again: tally.failed_again, people: before.alike, of_job: before.of_job };
    let (job, attempts) = (case.incident.job.clone(), case.incident.attempts.clone());
    let now = case.now();
    let spent = house.desk.spent_today(now);
    let question =
        Question { evidence: &evidence, classification, job: &job, attempts: &attempts, alike: &alike, occasion: Occasion::Automatic };
    let said = listen(case, &question, now).await?;
    case.incident.draft = None;
    match (&said, house.desk.health(house.now())) {
        (_, Health::Down { reason, .. }) => house.degrade("llm", &reason).await,
        (Err(reason @ NoOpinion::BudgetSpent { .. }), _) => house.degrade("llm", &reason.to_string()).await,
        (_, Health::Ok { .. }) => house.recover("llm").await,
        (_, Health::NotConfigured | Health::Limited { .. } | Health::Spent { .. }) => {}
    }
    // What failed may have cost too.
    let asked = matches!(&said, Ok(opinion) if opinion.origin == OpinionOrigin::Asked);
    if asked || house.desk.spent_today(house.now()) != spent {
        remember(house).await?;
    }
    Ok(said.map_err(|reason| reason.to_string()))
}

/// Asks, and lets people read along: what has arrived is in the ledger a few times a second. A person who closes the incident meanwhile
/// ends the call.
async fn listen(case: &mut Case<'_>, question: &Question<'_>, now: Timestamp) -> Result<Result<Opinion, NoOpinion>, StepError> {
    let heard = Mutex::new(String::new());
    let mut progress = |piece: &str| {
        let mut heard = lock(&heard);
        // An empty piece: another try begins.
        if piece.is_empty() { heard.clear() } else { heard.push_str(piece) }
    };
    let house = case.house;
    let mut asked = pin!(house.desk.opinion(question, now, &mut progress));
    case.step_aside();
    let said = loop {
        tokio::select! {
            said = &mut asked => break said,
            () = tokio::time::sleep(READ_ALONG) => {
                let so_far = lock(&heard).clone();
                if !so_far.is_empty() && case.incident.draft.as_ref() != Some(&so_far) {
                    let mut stay = case.incident.stay();
                    stay.incident.draft = Some(so_far);
                    case.commit(stay).await?;
                }
            }
        }
    };
    case.come_back().await;
    Ok(said)
}

/// The name of the desk's memory in the ledger.
const DESK: &str = "llm";

/// What was spent, and what was said: a restart must not give the day's money again, nor ask the same once more.
async fn remember(house: &House) -> Result<(), StepError> {
    match serde_json::to_value(house.desk.memory()) {
        Ok(memory) => house.ledger.save_keepsake(DESK, &memory).await?,
        Err(error) => tracing::warn!(%error, "the desk's memory cannot be written"),
    }
    Ok(())
}

/// Gives the desk its memory of the last start back. One that cannot be read is a desk that begins anew.
pub async fn recall(ledger: &dyn Ledger, desk: &Desk) -> Result<(), LedgerError> {
    if let Some(kept) = ledger.keepsake(DESK).await? {
        match serde_json::from_value(kept) {
            Ok(memory) => desk.recall(memory),
            Err(error) => tracing::warn!(%error, "the desk's memory cannot be read: it begins anew"),
        }
    }
    Ok(())
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
