//! What only the inside can bring about: a file system that says it is full.

use super::*;
use crate::domain::event::Via;
use crate::domain::ids::RunId;
use crate::domain::job::JobFacts;

fn failure(run: i64) -> Failure {
    Failure {
        workspace: "acme-prod".into(),
        run: RunId(run),
        after_repair: None,
        job: JobFacts { name: "orders ".repeat(400), ..JobFacts::default() },
        run_url: None,
        via: Via::Poll,
        result_state: None,
        termination_code: None,
        ended_at: None,
    }
}

#[tokio::test]
async fn a_full_ledger_says_so_loses_nothing_and_goes_on_when_there_is_space() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = SqliteLedger::open(&dir.path().join("ledger.db")).await.unwrap();
    // SQLITE_FULL, as a disk without space gives it (sqlite.org/pragma.html, max_page_count); it lasts as long as the connection.
    sqlx::raw_sql("PRAGMA max_page_count = 60").execute(&mut ledger.writer.lock().await.conn).await.unwrap();
    let mut admitted = 0;
    let refused = loop {
        match ledger.admit(failure(admitted + 1), Timestamp::UNIX_EPOCH).await {
            Ok(_) => admitted += 1,
            Err(error) => break error,
        }
        assert!(admitted < 1_000, "it is never full");
    };
    assert!(matches!(refused, LedgerError::Unwritable { .. }) && refused.is_transient(), "{refused}");
    assert!(admitted > 0 && ledger.incidents(0).await.unwrap().len() as i64 == admitted);
    assert_eq!(ledger.verify_audit().await.unwrap(), admitted.unsigned_abs());
    ledger.admit(failure(admitted + 1), Timestamp::UNIX_EPOCH).await.expect("the transaction that could not end stops nobody");
    assert_eq!(ledger.verify_audit().await.unwrap(), admitted.unsigned_abs() + 1);
}
