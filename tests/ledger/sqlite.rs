//! What only a file can show: several that open it, files that are no ledger, and work that stops in the middle.

use std::collections::BTreeSet;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use futures_util::future::join_all;
use runmend::domain::incident::State;
use runmend::ledger::{Ledger, LedgerError, SqliteLedger};
use tempfile::TempDir;

use crate::tampering::{behind_its_back, closed_ledger, raw};
use crate::world::*;

/// A ledger's file of its own, opened `n` times as `n` processes would.
async fn opened(n: usize) -> (TempDir, Vec<Arc<SqliteLedger>>) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("deep/er/ledger.db");
    let all = join_all((0..n).map(|_| SqliteLedger::open(&path))).await;
    (dir, all.into_iter().map(|ledger| Arc::new(ledger.unwrap())).collect())
}

#[tokio::test]
async fn a_ledger_opened_again_holds_what_was_committed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a/b/ledger.db");
    for round in 0..2 {
        let ledger = SqliteLedger::open(&path).await.unwrap();
        let incident = incident_in(&ledger, round, State::Collecting).await;
        drop(ledger);
        let ledger = SqliteLedger::open(&path).await.unwrap();
        assert_eq!(reread(&ledger, &incident).await, incident);
        assert_eq!(ledger.verify_audit().await.unwrap(), 1 + round.unsigned_abs());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_that_make_one_ledger_at_once_make_one() {
    let (_dir, ledgers) = opened(6).await;
    admitted(&*ledgers[0], 1, 0).await;
    for ledger in &ledgers {
        assert_eq!(ledger.incidents(1).await.unwrap().len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_lose_no_update() {
    let (_dir, ledgers) = opened(2).await;
    let incident = admitted(&*ledgers[0], 1, 0).await;
    let writers = ledgers.iter().map(|ledger| {
        let (ledger, incident) = (Arc::clone(ledger), incident.clone());
        tokio::spawn(async move {
            let mut conflicts = 0;
            for _ in 0..20 {
                loop {
                    let read = reread(&*ledger, &incident).await;
                    let mut next = nudge(&read, "one more", 1);
                    next.incident.failed_tasks.push("done".to_owned());
                    match ledger.commit(next, None).await {
                        Ok(_) => break,
                        Err(LedgerError::Conflict { .. }) => conflicts += 1,
                        Err(error) => panic!("{error}"),
                    }
                }
            }
            conflicts
        })
    });
    for writer in join_all(writers).await {
        writer.unwrap();
    }
    let after = reread(&*ledgers[0], &incident).await;
    assert_eq!((after.version, after.failed_tasks.len()), (40, 40));
    assert_eq!(ledgers[1].verify_audit().await.unwrap(), 41);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_lose_no_word_in_what_they_keep_together() {
    let (_dir, ledgers) = opened(2).await;
    let writers = ledgers.iter().map(|ledger| {
        let ledger = Arc::clone(ledger);
        tokio::spawn(async move {
            for _ in 0..20 {
                let count = |kept: Option<serde_json::Value>| (kept.and_then(|kept| kept.as_i64()).unwrap_or_default() + 1).into();
                ledger.update_keepsake("counter", &count).await.unwrap();
            }
        })
    });
    for writer in join_all(writers).await {
        writer.unwrap();
    }
    assert_eq!(ledgers[0].keepsake("counter").await.unwrap(), Some(40.into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_claim_nothing_twice() {
    let (_dir, ledgers) = opened(2).await;
    for run in 0..24 {
        admitted(&*ledgers[0], run, 0).await;
    }
    let workers = ledgers.iter().map(|ledger| {
        let ledger = Arc::clone(ledger);
        tokio::spawn(async move {
            let mut runs = Vec::new();
            for _ in 0..16 {
                runs.extend(claim(&*ledger, 0, 2).await.into_iter().map(|claim| claim.incident.run.0));
            }
            runs
        })
    });
    let all: Vec<i64> = join_all(workers).await.into_iter().flat_map(|worker| worker.unwrap()).collect();
    assert_eq!((all.len(), all.iter().collect::<BTreeSet<_>>().len()), (24, 24));
}

#[tokio::test]
async fn one_leads_at_a_time() {
    let (_dir, ledgers) = opened(2).await;
    assert!(ledgers[0].try_lead(&workspace()).await.unwrap());
    assert!(!ledgers[1].try_lead(&workspace()).await.unwrap());
    assert!(ledgers[1].try_lead(&"acme-dev".into()).await.unwrap(), "another workspace is another lead");
    ledgers[0].yield_lead(&workspace()).await;
    assert!(ledgers[1].try_lead(&workspace()).await.unwrap());
    assert!(!ledgers[0].try_lead(&workspace()).await.unwrap());
}

#[cfg(unix)]
#[tokio::test]
async fn a_ledger_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let (dir, ledgers) = opened(1).await;
    admitted(&*ledgers[0], 1, 0).await;
    let folder = dir.path().join("deep");
    for (path, mode) in [("", 0o700), ("er", 0o700), ("er/ledger.db", 0o600), ("er/ledger.db-wal", 0o600), ("er/ledger.db.lock", 0o600)] {
        assert_eq!(folder.join(path).metadata().unwrap().permissions().mode() & 0o777, mode, "{path}");
    }
}

/// Opens what is no ledger: the answer, after a look that nothing has changed.
async fn refused(path: &Path) -> LedgerError {
    let before = path.is_file().then(|| std::fs::read(path).unwrap());
    let error = SqliteLedger::open(path).await.expect_err("it is no ledger");
    assert_eq!(path.is_file().then(|| std::fs::read(path).unwrap()), before, "the bytes are as they were");
    assert!(error.to_string().contains(&path.display().to_string()), "the path is told: {error}");
    error
}

fn is_corrupt(error: &LedgerError) -> bool {
    matches!(error, LedgerError::Corrupt { .. }) && !error.is_transient()
}

#[tokio::test]
async fn a_file_that_is_no_ledger_is_told_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let noise: Vec<u8> = (0_u64..20_000).map(|n| (n.wrapping_mul(6_364_136_223_846_793_005).rotate_left(17) >> 3) as u8).collect();
    for (name, bytes) in [
        ("noise", noise.as_slice()),
        ("text", b"hello\n".as_slice()),
        ("zeros", &[0; 8192]),
        ("head of a database and no more", b"SQLite format 3\0".as_slice()),
    ] {
        let path = dir.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let error = refused(&path).await;
        assert!(is_corrupt(&error), "{name}: {error}");
    }
    let folder = dir.path().join("folder");
    std::fs::create_dir(&folder).unwrap();
    assert!(is_corrupt(&refused(&folder).await));
    for journal in ["PRAGMA journal_mode = DELETE", "PRAGMA journal_mode = WAL"] {
        let other = dir.path().join("other.db");
        behind_its_back(&other, &[journal, "CREATE TABLE cookies (id)", "INSERT INTO cookies VALUES (1)"]).await.unwrap();
        let error = refused(&other).await;
        assert!(is_corrupt(&error) && error.to_string().contains("another program's"), "{journal}: {error}");
        std::fs::remove_file(&other).unwrap();
    }
}

/// The ledger's file with its bytes changed.
fn damaged(original: &Path, name: &str, change: impl FnOnce(&mut Vec<u8>)) -> PathBuf {
    let path = original.with_file_name(name);
    let mut bytes = std::fs::read(original).unwrap();
    change(&mut bytes);
    std::fs::write(&path, bytes).unwrap();
    path
}

#[tokio::test]
async fn a_damaged_ledger_is_told_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let original = closed_ledger(dir.path()).await;
    let length = std::fs::metadata(&original).unwrap().len() as usize;
    for kept in [1, 99, 100, 4_000, 4_096, 5_000, length / 2, length - 4_096, length - 1] {
        let path = damaged(&original, &format!("cut{kept}.db"), |bytes| bytes.truncate(kept));
        let error = refused(&path).await;
        assert!(is_corrupt(&error), "cut off after {kept} of {length} bytes: {error}");
    }
    let noise = |bytes: &mut [u8]| bytes.iter_mut().enumerate().for_each(|(at, byte)| *byte = (at * 131 % 251) as u8);
    for (what, from, to) in [("the head", 16, 100), ("the schema", 100, 4_096), ("the pages behind it", 4_096, length)] {
        let path = damaged(&original, &format!("{what}.db"), |bytes| noise(&mut bytes[from..to]));
        let error = refused(&path).await;
        assert!(is_corrupt(&error), "{what}: {error}");
    }
}

#[tokio::test]
async fn a_ledger_with_a_part_missing_or_unreadable_says_which() {
    let dir = tempfile::tempdir().unwrap();
    let original = closed_ledger(dir.path()).await;
    for (what, statement) in [
        ("no record of its schema", "DROP TABLE _sqlx_migrations"),
        ("an emptied record of its schema", "DELETE FROM _sqlx_migrations"),
        ("no mails", "DROP TABLE mails"),
        ("an unreadable incident", "UPDATE incidents SET doc = '{' WHERE run_id = 1"),
        ("an unknown state", "UPDATE incidents SET doc = replace(doc, 'detected', 'asleep') WHERE run_id = 1"),
    ] {
        let path = damaged(&original, "part.db", |_| {});
        behind_its_back(&path, &[statement]).await.unwrap();
        let error = match SqliteLedger::open(&path).await {
            Err(error) => Some(error),
            Ok(ledger) => match (ledger.incidents(9).await, ledger.mails_waiting().await) {
                (Err(error), _) | (Ok(_), Err(error)) => Some(error),
                (Ok(_), Ok(_)) => None,
            },
        };
        let error = error.unwrap_or_else(|| panic!("{what} goes unnoticed"));
        assert!(is_corrupt(&error), "{what}: {error}");
        std::fs::remove_file(&path).unwrap();
    }
}

#[tokio::test]
async fn an_unreadable_incident_costs_itself_when_others_are_claimed() {
    let dir = tempfile::tempdir().unwrap();
    let path = closed_ledger(dir.path()).await;
    behind_its_back(&path, &["UPDATE incidents SET doc = '{' WHERE run_id = 1"]).await.unwrap();
    let ledger = SqliteLedger::open(&path).await.unwrap();
    let answer = ledger.claim("w", &workspace(), at(0), 60, 10).await;
    assert!(answer.is_err_and(|error| is_corrupt(&error)));
    // Nothing was claimed by a call that failed.
    behind_its_back(&path, &["DELETE FROM failures WHERE run_id = 1; DELETE FROM incidents WHERE run_id = 1"]).await.unwrap();
    assert_eq!(claim(&ledger, 0, 10).await.len(), 1);
}

#[tokio::test]
async fn a_ledger_of_a_later_runmend_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = closed_ledger(dir.path()).await;
    let later =
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (2026, 'later', 1, x'00', 0)";
    behind_its_back(&path, &[later, "ALTER TABLE incidents ADD COLUMN mood TEXT"]).await.unwrap();
    let error = refused(&path).await;
    assert!(matches!(error, LedgerError::TooNew { found: 2026, .. }) && !error.is_transient(), "{error}");
}

#[tokio::test]
async fn a_place_that_cannot_be_written_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, b"").unwrap();
    // No folder can be made under a file; and a name may be too long for any file system.
    for path in [file.join("ledger.db"), file.join("a/b/ledger.db"), dir.path().join("n".repeat(300))] {
        let error = SqliteLedger::open(&path).await.unwrap_err();
        assert!(matches!(error, LedgerError::Unwritable { .. }), "{error}");
    }
    let locked = dir.path().join("locked.db");
    std::fs::create_dir(dir.path().join("locked.db.lock")).unwrap();
    assert!(matches!(SqliteLedger::open(&locked).await, Err(LedgerError::Unwritable { .. })));
}

#[tokio::test]
async fn an_empty_file_becomes_a_ledger() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ledger.db");
    std::fs::write(&path, b"").unwrap();
    admitted(&SqliteLedger::open(&path).await.unwrap(), 1, 0).await;
    assert_eq!(SqliteLedger::open(&path).await.unwrap().verify_audit().await.unwrap(), 1);
}

#[tokio::test]
async fn reading_waits_for_no_writer() {
    let dir = tempfile::tempdir().unwrap();
    let path = closed_ledger(dir.path()).await;
    let ledger = SqliteLedger::open(&path).await.unwrap();
    let mut other = raw(&path).await;
    sqlx::raw_sql("BEGIN IMMEDIATE; UPDATE head SET change_seq = change_seq + 100").execute(&mut other).await.unwrap();
    let seq = ledger.change_seq().await.unwrap();
    assert_eq!(ledger.incidents(9).await.unwrap().len(), 2);
    assert_eq!(ledger.admit(failure(1, None), at(9)).await.unwrap(), runmend::ledger::Admission::Known(id(1)));
    sqlx::raw_sql("COMMIT").execute(&mut other).await.unwrap();
    assert_eq!(ledger.change_seq().await.unwrap(), seq + 100);
}

/// Lets the future go on `wakes` times, then drops it. Whether it came to its end.
async fn dropped_after<T>(wakes: usize, future: impl Future<Output = T>) -> bool {
    let mut future = pin!(future);
    let mut left = wakes;
    std::future::poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(false);
        }
        left -= 1;
        future.as_mut().poll(context).map(|_| true)
    })
    .await
}

#[tokio::test]
async fn a_commit_dropped_anywhere_is_all_or_nothing_and_stops_nobody() {
    let (_dir, ledgers) = opened(1).await;
    let ledger = &*ledgers[0];
    let mut outcomes = BTreeSet::new();
    // How far a commit gets between two wakes is the machine's choice: some rounds more than it has steps.
    for run in 1..=24 {
        let wakes = 1 + run as usize % 12;
        let before = incident_in(ledger, run, State::Scheduled).await;
        let lines = ledger.verify_audit().await.unwrap();
        let mut act = before.become_state(State::Acting).unwrap();
        act = act.happening(at(1), runmend::domain::event::Actor::Agent, collected(&["x"]));
        act.intent = Some(intent(&before, "repair"));
        act.mail = Some(mail(&before, &format!("k{run}")));
        let ended = dropped_after(wakes, ledger.commit(act, None)).await;
        // The next word on the ledger comes after whatever is still on its way there.
        ledger.set_auto_apply(None).await.unwrap();
        let after = reread(ledger, &before).await;
        let written = after.state == State::Acting;
        let parts = (ledger.intents(&after.id).await.unwrap().len(), ledger.mails_of(&after.id).await.unwrap().len());
        assert_eq!(parts, if written { (1, 1) } else { (0, 0) }, "dropped after {wakes} wakes");
        assert_eq!(ledger.verify_audit().await.unwrap(), lines + u64::from(written));
        assert!(written || (after == before && !ended));
        outcomes.insert(written);
    }
    assert_eq!(outcomes.len(), 2, "both happened");
}
