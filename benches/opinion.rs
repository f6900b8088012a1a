//! What the second opinion adds to a decision, the model's own time aside: what the ledger knows of failures alike, prompt, redaction,
//! the check of the answer, the desk's memory. Aim: under 5 ms. `cargo bench --bench opinion`

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};

use runmend::agent;
use runmend::classify::Classifier;
use runmend::domain::Timestamp;
use runmend::domain::classification::{Classification, Tokens};
use runmend::domain::event::Via;
use runmend::domain::evidence::{Evidence, FailureText};
use runmend::domain::ids::{IncidentId, JobId, RunId};
use runmend::domain::incident::Failure;
use runmend::domain::job::JobFacts;
use runmend::ledger::{Admission, Ledger, SqliteLedger};
use runmend::llm::model::Billing;
use runmend::llm::prompt::PRECEDENTS_MAX;
use runmend::llm::{Alike, Answer, Desk, Model, ModelError, Occasion, Options, PriceTable, Progress, Question, Request};
use runmend::redact::secrets::Redactor;

const ERROR: &str = "org.apache.spark.SparkException: Job aborted due to stage failure: java.lang.OutOfMemoryError: Java heap space";
const LINE: &str =
    "25/06/12 08:15:32 INFO TaskSetManager: Finished task 7.0 in stage 14.0 (TID 2210) in 412 ms on 10.100.84.229 (executor 3)\n";
/// A log as the platform keeps its tail.
const LOG_BYTES: usize = 100 << 10;

/// Answers at once.
struct Instant;

#[async_trait::async_trait]
impl Model for Instant {
    fn name(&self) -> &str {
        "gpt-4o-mini"
    }

    fn billing(&self) -> Billing {
        Billing::PerToken
    }

    async fn ask(&self, _: &Request, progress: &mut Progress<'_>) -> Result<Answer, ModelError> {
        let text = serde_json::json!({"quotes": [ERROR], "summary": "The driver ran out of heap.", "cause": "resource",
            "action": "retry_with_new_params", "parameters": [{"setting": "driver_memory", "value": "x2"}], "confidence": 0.8,
            "message": "The driver ran out of heap. Give it more memory."})
        .to_string();
        text.as_bytes().chunks(24).filter_map(|piece| std::str::from_utf8(piece).ok()).for_each(&mut *progress);
        let tokens = Some(Tokens { input: 900, output: 120, ..Tokens::default() });
        Ok(Answer { text, tokens, model: None, pace: Default::default() })
    }
}

struct World {
    ledger: SqliteLedger,
    desk: Desk,
    incident: IncidentId,
    classification: Classification,
    asked: u32,
}

async fn world(folder: &std::path::Path) -> World {
    let ledger = SqliteLedger::open(&folder.join("ledger.db")).await.unwrap();
    let failure = Failure {
        workspace: "acme-prod".into(),
        run: RunId(7),
        after_repair: None,
        job: JobFacts { job_id: Some(JobId(3)), name: "orders_daily_load".to_owned(), ..JobFacts::default() },
        run_url: None,
        via: Via::Poll,
        result_state: None,
        termination_code: None,
        ended_at: None,
    };
    let Admission::Admitted(incident, _) = ledger.admit(failure, Timestamp::UNIX_EPOCH).await.unwrap() else { panic!("it is new") };
    let logs = LINE.repeat(LOG_BYTES / LINE.len()) + ERROR;
    let run = FailureText { error: Some(ERROR.to_owned()), logs: Some(logs), ..FailureText::default() };
    let evidence = Evidence { run, ..Evidence::default() };
    ledger.save_evidence(&incident.id, 1, &evidence).await.unwrap();
    let classification = Classifier::shipped().classify_evidence(&evidence);
    let redact = Arc::new(Redactor::new(Default::default()));
    let desk = Desk::new(Some(Arc::new(Instant)), redact, Options::default(), PriceTable::shipped());
    World { ledger, desk, incident: incident.id, classification, asked: 0 }
}

impl World {
    /// All that the agent does for one opinion. Each is of a failure that nothing is remembered of.
    async fn opinion(&mut self) {
        self.asked += 1;
        self.classification.fingerprint = format!("{:012x}", self.asked).as_str().into();
        let fingerprint = &self.classification.fingerprint;
        let evidence = self.ledger.evidence(&self.incident, Some(1)).await.unwrap().unwrap();
        let tally = self.ledger.tally(fingerprint).await.unwrap();
        let job = Some((&"acme-prod".into(), JobId(3)));
        let before = self.ledger.precedents(fingerprint, job, PRECEDENTS_MAX as u32).await.unwrap();
        let alike = Alike { mended: tally.mended, failed_again: tally.failed_again, people: before.alike, of_job: before.of_job };
        let facts = JobFacts { name: "orders_daily_load".to_owned(), ..JobFacts::default() };
        let question = Question {
            evidence: &evidence,
            classification: &self.classification,
            job: &facts,
            attempts: &[],
            alike: &alike,
            occasion: Occasion::Demanded,
        };
        agent::share(&self.ledger, &self.desk, Timestamp::UNIX_EPOCH).await.unwrap();
        let opinion = self.desk.opinion(&question, Timestamp::UNIX_EPOCH, &mut |_| ()).await.unwrap();
        assert!(opinion.grounded);
        self.remember().await;
    }

    async fn remember(&self) {
        agent::share(&self.ledger, &self.desk, Timestamp::UNIX_EPOCH).await.unwrap();
        agent::remember(&self.ledger, &self.desk).await.unwrap();
    }

    async fn prompt(&self) {
        let evidence = self.ledger.evidence(&self.incident, Some(1)).await.unwrap().unwrap();
        let question = Question {
            evidence: &evidence,
            classification: &self.classification,
            job: &JobFacts::default(),
            attempts: &[],
            alike: &Alike::default(),
            occasion: Occasion::Automatic,
        };
        assert!(self.desk.prompt(&question).user.contains(ERROR));
    }
}

fn opinion(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut world = runtime.block_on(world(folder.path()));
    criterion.bench_function("an opinion, the model's time aside", |bencher| {
        bencher.iter(|| runtime.block_on(world.opinion()));
    });
    criterion.bench_function("of it, evidence and prompt", |bencher| bencher.iter(|| runtime.block_on(world.prompt())));
    criterion.bench_function("of it, the desk's memory", |bencher| bencher.iter(|| runtime.block_on(world.remember())));
}

criterion_group!(benches, opinion);
criterion_main!(benches);
