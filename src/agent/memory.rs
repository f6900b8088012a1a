//! What the second opinion keeps in the ledger: its memory over a restart, and the account of what all processes on the ledger spent.

use crate::domain::Timestamp;
use crate::ledger::{Ledger, LedgerError};
use crate::llm::Desk;
use crate::llm::budget::Budget;
use crate::llm::desk::Memory;

/// The name of the desk's memory in the ledger.
const DESK: &str = "llm";
/// And of the account. It is small: it is read before each question.
const ACCOUNT: &str = "llm/account";

/// What was said, and how the model's server stands: a restart must not ask the same once more.
pub async fn remember(ledger: &dyn Ledger, desk: &Desk) -> Result<(), LedgerError> {
    match serde_json::to_value(desk.memory()) {
        Ok(memory) => ledger.save_keepsake(DESK, &memory).await?,
        Err(error) => tracing::warn!(%error, "the desk's memory cannot be written"),
    }
    Ok(())
}

/// Gives the desk its memory of the last start back, and what was spent by whomever. A memory that cannot be read is a desk that begins
/// anew.
pub async fn recall(ledger: &dyn Ledger, desk: &Desk) -> Result<(), LedgerError> {
    let account = ledger.keepsake(ACCOUNT).await?;
    if let Some(kept) = ledger.keepsake(DESK).await? {
        match serde_json::from_value::<Memory>(kept) {
            Ok(mut memory) => {
                // The memory is of whoever wrote it last; only before there was an account, it was all that was known.
                if account.is_some() {
                    memory.budget = Budget::default();
                }
                desk.recall(memory);
            }
            Err(error) => tracing::warn!(%error, "the desk's memory cannot be read: it begins anew"),
        }
    }
    desk.hear_account(&desk.budget(), &budget(account));
    Ok(())
}

/// Tells the account what this desk spent, and the desk what the others did: neither a restart nor a second process gives the day's money
/// again.
pub async fn share(ledger: &dyn Ledger, desk: &Desk, now: Timestamp) -> Result<(), LedgerError> {
    let _turn = desk.accounting().await;
    let before = desk.budget();
    let account = if before.has_news() {
        let told = |kept| serde_json::to_value(before.told_to(&budget(kept), now)).unwrap_or_default();
        Some(ledger.update_keepsake(ACCOUNT, &told).await?)
    } else {
        ledger.keepsake(ACCOUNT).await?
    };
    desk.hear_account(&before, &budget(account));
    Ok(())
}

fn budget(kept: Option<serde_json::Value>) -> Budget {
    kept.map_or_else(Budget::default, |kept| {
        serde_json::from_value(kept).unwrap_or_else(|error| {
            tracing::warn!(%error, "what was spent on opinions cannot be read: it is counted from here on");
            Budget::default()
        })
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::classify::Classifier;
    use crate::domain::classification::Tokens;
    use crate::domain::evidence::{Evidence, FailureText};
    use crate::domain::job::JobFacts;
    use crate::domain::money::Usd;
    use crate::ledger::SqliteLedger;
    use crate::llm::budget::Limits;
    use crate::llm::model::Billing;
    use crate::llm::{Alike, Answer, Model, ModelError, NoOpinion, Occasion, Options, PriceTable, Progress, Question, Request};
    use crate::redact::secrets::Redactor;

    const ERROR: &str = "java.lang.OutOfMemoryError: Java heap space";
    /// Of an answer of 1000 and 100 tokens.
    const PRICE: f64 = 0.0035;

    struct Ready;

    #[async_trait::async_trait]
    impl Model for Ready {
        fn name(&self) -> &str {
            "gpt-4o"
        }

        fn billing(&self) -> Billing {
            Billing::PerToken
        }

        async fn ask(&self, _: &Request, _: &mut Progress<'_>) -> Result<Answer, ModelError> {
            let text = serde_json::json!({"quotes": [ERROR], "summary": "The driver ran out of heap.", "cause": "resource",
                "action": "retry", "parameters": [], "confidence": 0.8, "message": "It ran out of heap."});
            let tokens = Some(Tokens { input: 1000, output: 100, ..Tokens::default() });
            Ok(Answer { text: text.to_string(), tokens, model: None, pace: Default::default() })
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_764_000_000 + second).unwrap()
    }

    /// A process that begins on the ledger.
    async fn started(ledger: &SqliteLedger, redact: &Arc<Redactor>) -> Desk {
        let options = Options { limits: Limits { daily: Some(Usd::new(0.03)), hourly: None }, ..Options::default() };
        let desk = Desk::new(Some(Arc::new(Ready)), redact.clone(), options, PriceTable::shipped());
        recall(ledger, &desk).await.unwrap();
        desk
    }

    /// As a step of the agent asks, each time about another failure.
    async fn ask(ledger: &SqliteLedger, desk: &Desk, number: i64) -> Result<(), NoOpinion> {
        let evidence = Evidence { run: FailureText { error: Some(ERROR.to_owned()), ..Default::default() }, ..Evidence::default() };
        let mut classification = Classifier::shipped().classify_evidence(&evidence);
        classification.fingerprint = format!("{number:012x}").as_str().into();
        let (job, alike, occasion) = (JobFacts::default(), Alike::default(), Occasion::Demanded);
        let question = Question { evidence: &evidence, classification: &classification, job: &job, attempts: &[], alike: &alike, occasion };
        share(ledger, desk, at(number)).await.unwrap();
        let said = desk.opinion(&question, at(number), &mut |_| ()).await;
        share(ledger, desk, at(number)).await.unwrap();
        remember(ledger, desk).await.unwrap();
        said.map(|_| ())
    }

    #[tokio::test]
    async fn processes_on_one_ledger_have_one_budget_and_a_restart_gives_none() {
        let (ledger, redact) = (SqliteLedger::open_in_memory().await.unwrap(), Arc::new(Redactor::new(Default::default())));
        let (first, second) = (started(&ledger, &redact).await, started(&ledger, &redact).await);
        let mut given = 0;
        for number in 0..20 {
            let desk = if number % 2 == 0 { &first } else { &second };
            given += u32::from(ask(&ledger, desk, number).await.is_ok());
        }
        let spent = Usd::new(f64::from(given) * PRICE);
        assert!((4..=8).contains(&given), "{given} were asked");
        // Whoever wrote its memory last, and whatever a process saw that stood by.
        for (number, desk) in [(20, started(&ledger, &redact).await), (21, first), (22, second)] {
            assert!(matches!(ask(&ledger, &desk, number).await, Err(NoOpinion::BudgetSpent { .. })), "{number}");
            assert_eq!(desk.spent_today(at(number)).to_string(), spent.to_string());
        }
        let tomorrow = started(&ledger, &redact).await;
        assert!(ask(&ledger, &tomorrow, 86_400).await.is_ok());
    }

    #[tokio::test]
    async fn what_an_older_process_wrote_down_is_counted_once() {
        let (ledger, redact) = (SqliteLedger::open_in_memory().await.unwrap(), Arc::new(Redactor::new(Default::default())));
        let desk = started(&ledger, &redact).await;
        let day = at(0).as_second() / 86_400;
        let mut older = serde_json::to_value(desk.memory()).unwrap();
        older["budget"]["day"] = serde_json::json!({"number": day, "spent": 0.02});
        ledger.save_keepsake("llm", &older).await.unwrap();
        for start in 1..=3 {
            let desk = started(&ledger, &redact).await;
            share(&ledger, &desk, at(start)).await.unwrap();
            assert_eq!(desk.spent_today(at(start)), Usd::new(0.02), "start {start}");
            remember(&ledger, &desk).await.unwrap();
        }
    }
}
