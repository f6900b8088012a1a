//! What every ledger must keep, asked through the trait alone: a second store runs the same suite by giving `each_store!` another way
//! to open one.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::Arc;

use runmend::domain::Timestamp;
use runmend::domain::event::{Actor, Happening, Via};
use runmend::domain::ids::{JobId, RepairId, RunId, WorkspaceName};
use runmend::domain::incident::{Failure, Incident, State};
use runmend::domain::job::JobFacts;
use runmend::ledger::{Admission, Ledger, LedgerError, SqliteLedger};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn workspace() -> WorkspaceName {
    WorkspaceName::from("acme-prod")
}

fn failure(run: i64, after_repair: Option<i64>) -> Failure {
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

async fn admitted(ledger: &dyn Ledger, run: i64, now: i64) -> Incident {
    match ledger.admit(failure(run, None), at(now)).await.unwrap() {
        Admission::Admitted(incident, _) => *incident,
        other => panic!("run {run}: {other:?}"),
    }
}

#[tokio::test]
async fn a_ledger_opened_again_holds_what_was_committed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a/b/ledger.db");
    for round in 0..2 {
        let ledger: Arc<dyn Ledger> = Arc::new(SqliteLedger::open(&path).await.unwrap());
        let incident = admitted(&*ledger, 1 + round, 0).await;
        assert_eq!(ledger.incident(&incident.id).await.unwrap().unwrap(), incident);
        let claims = ledger.claim("w", &workspace(), at(0), 60, 10).await.unwrap();
        assert_eq!(claims.len(), 1);
        let step = claims[0].incident.become_state(State::Collecting).unwrap();
        let step = step.happening(at(1), Actor::Agent, Happening::Collected { tasks: vec![], gaps: vec![] });
        let next = ledger.commit(step.clone(), Some(claims[0].fence)).await.unwrap();
        assert_eq!(next.version, 1);
        assert!(matches!(ledger.commit(step, Some(claims[0].fence)).await, Err(LedgerError::Conflict { .. })));
        assert_eq!(ledger.verify_audit().await.unwrap(), 2 * (round as u64 + 1));
    }
}
