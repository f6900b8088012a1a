//! Domain values for tests.

use crate::domain::action::Action;
use crate::domain::cause::Cause;
use crate::domain::classification::{Classification, Opinion, OpinionOrigin, Quote, Span, Tokens};
use crate::domain::evidence::Field;
use crate::domain::ids::{Fingerprint, Probability};
use crate::domain::money::Usd;

pub fn redactor() -> std::sync::Arc<crate::redact::secrets::Redactor> {
    static REDACTOR: std::sync::LazyLock<std::sync::Arc<crate::redact::secrets::Redactor>> =
        std::sync::LazyLock::new(|| std::sync::Arc::new(crate::redact::secrets::Redactor::new(Default::default())));
    REDACTOR.clone()
}

pub const HIT: &str = "java.lang.OutOfMemoryError: Java heap space";

pub fn classification() -> Classification {
    Classification {
        cause: Cause::Resource,
        confidence: Probability::new(0.7),
        alternatives: Vec::new(),
        action: Action::RetryWithNewParams,
        parameters: Vec::new(),
        rules: vec!["spark-driver-oom".to_owned()],
        evidence: Some(Span { field: Field::Error, text: HIT.to_owned(), start: 0, end: HIT.len() }),
        task: None,
        fingerprint: Fingerprint::from("3fa9c17be004"),
        explanation: String::new(),
        advice: String::new(),
    }
}

pub fn opinion() -> Opinion {
    Opinion {
        cause: Cause::Resource,
        action: Action::RetryWithNewParams,
        confidence: Probability::new(0.8),
        summary: "The driver ran out of heap.".to_owned(),
        grounded: true,
        model: "m".to_owned(),
        parameters: Vec::new(),
        dropped: Vec::new(),
        quotes: vec![Quote { text: HIT.to_owned(), field: Some(Field::Error) }],
        message: "Give it more memory.".to_owned(),
        tokens: Tokens { input: 900, cached: 0, output: 120, ..Tokens::default() },
        cost_usd: Some(Usd::new(0.003)),
        latency_ms: 800,
        prompt: "opinion.v1 000000000000".to_owned(),
        origin: OpinionOrigin::Asked,
    }
}

/// A verdict that quotes [`HIT`].
pub fn verdict() -> serde_json::Value {
    serde_json::json!({
        "quotes": [HIT], "summary": "The driver ran out of heap.", "cause": "resource", "action": "retry_with_new_params",
        "parameters": [{"setting": "driver_memory", "value": "x2"}], "confidence": 0.8, "message": "Give the driver more memory."
    })
}

/// What the scripted model does next.
pub enum Turn {
    Say(String),
    Fail(crate::llm::ModelError),
    Stall,
    /// Takes its time first.
    Late(std::time::Duration, Box<Turn>),
}

/// A model that does what its script says, and remembers what it was sent.
pub struct Script {
    pub name: &'static str,
    pub billing: crate::llm::model::Billing,
    turns: std::sync::Mutex<std::collections::VecDeque<Turn>>,
    pub seen: std::sync::Mutex<Vec<crate::llm::Request>>,
    /// When each of them came.
    pub times: std::sync::Mutex<Vec<tokio::time::Instant>>,
}

impl Script {
    pub fn new(turns: impl IntoIterator<Item = Turn>) -> std::sync::Arc<Self> {
        Self::named("gpt-4o", turns)
    }

    pub fn named(name: &'static str, turns: impl IntoIterator<Item = Turn>) -> std::sync::Arc<Self> {
        let turns = std::sync::Mutex::new(turns.into_iter().collect());
        let billing = crate::llm::model::Billing::PerToken;
        std::sync::Arc::new(Self { name, billing, turns, seen: Default::default(), times: Default::default() })
    }

    pub fn calls(&self) -> usize {
        self.seen.lock().unwrap().len()
    }
}

#[async_trait::async_trait]
impl crate::llm::Model for Script {
    fn name(&self) -> &str {
        self.name
    }

    fn billing(&self) -> crate::llm::model::Billing {
        self.billing
    }

    async fn ask(
        &self,
        request: &crate::llm::Request,
        progress: &mut crate::llm::Progress<'_>,
    ) -> Result<crate::llm::Answer, crate::llm::ModelError> {
        self.seen.lock().unwrap().push(request.clone());
        self.times.lock().unwrap().push(tokio::time::Instant::now());
        let turn = self.turns.lock().unwrap().pop_front();
        let mut turn = turn.unwrap_or_else(|| Turn::Say(verdict().to_string()));
        while let Turn::Late(wait, then) = turn {
            tokio::time::sleep(wait).await;
            turn = *then;
        }
        match turn {
            Turn::Say(text) => {
                progress(&text);
                let tokens = Some(Tokens { input: 1000, cached: 0, output: 100, ..Tokens::default() });
                Ok(crate::llm::Answer { text, tokens, model: Some("gpt-4o-2024-08-06".to_owned()), pace: Default::default() })
            }
            Turn::Fail(error) => Err(error),
            Turn::Stall | Turn::Late(..) => std::future::pending().await,
        }
    }
}

/// Evidence of one task that failed with [`HIT`].
pub fn evidence() -> crate::domain::evidence::Evidence {
    evidence_of(crate::domain::evidence::FailureText {
        error: Some(HIT.to_owned()),
        task_type: Some("notebook".to_owned()),
        ..Default::default()
    })
}

pub fn evidence_of(text: crate::domain::evidence::FailureText) -> crate::domain::evidence::Evidence {
    crate::domain::evidence::Evidence { run: text, ..Default::default() }
}
