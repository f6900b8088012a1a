//! The second opinion on an incident: asked on the way to a decision or by a person's word, read along while it arrives, never waited for
//! longer than the desk allows. Nothing here is an error of the incident: without an opinion the rules decide alone.

use std::pin::pin;
use std::sync::Mutex;
use std::time::Duration;

use crate::domain::Timestamp;
use crate::domain::classification::{Classification, Opinion, OpinionOrigin};
use crate::domain::event::{Actor, Happening};
use crate::domain::incident::{Asking, CANCELLED, State};
use crate::ledger::LedgerError;
use crate::llm::prompt::PRECEDENTS_MAX;
use crate::llm::{Alike, Health, NoOpinion, Occasion, Question};

use super::decided;
use super::house::lock;
use super::memory;
use super::step::{Case, StepError, WAITING_CHECK, after};

/// How often a model's words so far are written down for those who read along, and a person's word meanwhile is seen.
const READ_ALONG: Duration = Duration::from_millis(250);
/// So much of an answer can be read along, bytes. A verdict is a tenth of it.
const DRAFT_BYTES_MAX: usize = 16 << 10;

/// Puts the opinion, or why there is none, on the incident. `None` where that is on record already.
pub async fn before_deciding(case: &mut Case<'_>, classification: &Classification) -> Result<Option<Happening>, StepError> {
    let occasion = match case.incident.asking {
        Asking::ByPolicy => Occasion::Automatic,
        Asking::Demanded => Occasion::Demanded,
        Asking::Cancelled => {
            // Whoever cancelled it wrote that down; a later attempt says it once more.
            let known = case.incident.no_opinion.replace(CANCELLED.to_owned()).is_some();
            return Ok((!known).then(|| Happening::no_opinion(CANCELLED)));
        }
    };
    hear(case, classification, occasion).await.map(Some)
}

/// Did a person ask for it? Then it is asked now, and where a person has still to decide, the decision is made anew with it. What was
/// mailed stays as it is: the opinion is only shown beside it.
pub async fn by_hand(case: &mut Case<'_>) -> Result<bool, StepError> {
    let Some(classification) = case.incident.classification.clone().filter(|_| case.incident.asking == Asking::Demanded) else {
        return Ok(false);
    };
    let news = hear(case, &classification, Occasion::Demanded).await?;
    let now = case.now();
    let next = case.incident.stay().due(after(now, WAITING_CHECK)).happening(now, Actor::Agent, news);
    case.commit(next).await?;
    match case.incident.state {
        State::AwaitingApproval | State::Decided if case.incident.opinion.is_some() => {
            let mode = case.house.mode().await?;
            decided::redecide(case, mode).await?;
        }
        _ => {}
    }
    Ok(true)
}

async fn hear(case: &mut Case<'_>, classification: &Classification, occasion: Occasion) -> Result<Happening, StepError> {
    let said = ask(case, classification, occasion).await?;
    case.incident.asking = Asking::ByPolicy;
    let news = match &said {
        Ok(opinion) => Happening::opinion(opinion),
        Err(reason) => Happening::no_opinion(reason),
    };
    (case.incident.opinion, case.incident.no_opinion) = match said {
        Ok(opinion) => (Some(opinion), None),
        Err(reason) => (None, Some(reason)),
    };
    Ok(news)
}

async fn ask(case: &mut Case<'_>, classification: &Classification, occasion: Occasion) -> Result<Result<Opinion, String>, StepError> {
    let house = case.house;
    let evidence = house.ledger.evidence(&case.incident.id, Some(case.incident.attempt)).await?.unwrap_or_default();
    let tally = house.ledger.tally(&classification.fingerprint).await?;
    let of_job = case.incident.job.job_id.map(|job| (&case.incident.workspace, job));
    let before = house.ledger.precedents(&classification.fingerprint, of_job, PRECEDENTS_MAX as u32).await?;
    let alike = Alike { mended: tally.mended, failed_again: tally.failed_again, people: before.alike, of_job: before.of_job };
    let (job, attempts) = (case.incident.job.clone(), case.incident.attempts.clone());
    let now = case.now();
    memory::share(&*house.ledger, &house.desk, now).await?;
    let spent = house.desk.spent_today(now);
    let question = Question { evidence: &evidence, classification, job: &job, attempts: &attempts, alike: &alike, occasion };
    let said = listen(case, &question, now).await;
    // Whatever came of it, a question that was given up included: it may have cost.
    memory::share(&*house.ledger, &house.desk, house.now()).await?;
    let said = said?;
    match (&said, house.desk.health(house.now())) {
        (_, Health::Down { reason, .. }) => house.degrade("llm", &reason).await,
        (Err(reason @ NoOpinion::BudgetSpent { .. }), _) => house.degrade("llm", &reason.to_string()).await,
        (_, Health::Ok { .. }) => house.recover("llm").await,
        (_, Health::NotConfigured | Health::Limited { .. } | Health::Spent { .. }) => {}
    }
    let asked = matches!(&said, Ok(opinion) if opinion.origin == OpinionOrigin::Asked);
    if asked || house.desk.spent_today(house.now()) != spent {
        memory::remember(&*house.ledger, &house.desk).await?;
    }
    Ok(said.map_err(|reason| reason.to_string()))
}

/// Asks, and lets people read along: what has arrived is in the ledger a few times a second. A person's word meanwhile ends the call.
async fn listen(case: &mut Case<'_>, question: &Question<'_>, now: Timestamp) -> Result<Result<Opinion, NoOpinion>, StepError> {
    let heard = Mutex::new(String::new());
    let mut progress = |piece: &str| {
        let mut heard = lock(&heard);
        // An empty piece: another try begins.
        if piece.is_empty() {
            heard.clear();
        } else if heard.len() < DRAFT_BYTES_MAX {
            heard.push_str(piece);
        }
    };
    let house = case.house;
    let mut asked = pin!(house.desk.opinion(question, now, &mut progress));
    case.step_aside();
    let mut written = String::new();
    let said = loop {
        tokio::select! {
            said = &mut asked => break said,
            () = tokio::time::sleep(READ_ALONG) => {
                let so_far = lock(&heard).clone();
                if so_far == written {
                    still_ours(case).await?;
                } else {
                    house.ledger.save_draft(&case.incident, case.fence, &so_far).await?;
                    written = so_far;
                }
            }
        }
    };
    case.come_back().await;
    Ok(said)
}

/// A model that is silent must not keep a person's word waiting: whoever changed the incident has ended this call.
async fn still_ours(case: &Case<'_>) -> Result<(), LedgerError> {
    let incident = &case.incident;
    match case.house.ledger.incident(&incident.id).await? {
        Some(now) if now.version == incident.version => Ok(()),
        Some(_) | None => Err(LedgerError::Conflict { incident: incident.id.clone() }),
    }
}
