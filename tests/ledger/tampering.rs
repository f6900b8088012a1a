//! Somebody writes into the ledger's file with other tools: the audit trail says where it no longer fits.

use std::path::Path;

use runmend::domain::incident::State;
use runmend::ledger::{Ledger, LedgerError, SqliteLedger};
use sha2::{Digest, Sha256};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqliteConnection};

use crate::world::*;

pub async fn raw(path: &Path) -> SqliteConnection {
    SqliteConnectOptions::new().filename(path).create_if_missing(true).connect().await.unwrap()
}

/// Runs statements on the file behind the ledger's back, the guards against that taken down first.
pub async fn behind_its_back(path: &Path, statements: &[&'static str]) -> Result<(), sqlx::Error> {
    let mut conn = raw(path).await;
    for statement in statements {
        sqlx::raw_sql(*statement).execute(&mut conn).await?;
    }
    // All of it into the one file.
    sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut conn).await?;
    conn.close().await
}

/// A ledger of eight audit lines in one file, closed.
pub async fn closed_ledger(folder: &Path) -> std::path::PathBuf {
    let path = folder.join("ledger.db");
    let ledger = SqliteLedger::open(&path).await.unwrap();
    admitted(&ledger, 1, 0).await;
    let incident = incident_in(&ledger, 2, State::Analysed).await;
    let mut incident = ledger.commit(nudge(&incident, "first", 1), None).await.unwrap();
    for words in ["second", "third", "fourth", "fifth", "sixth"] {
        incident = ledger.commit(nudge(&incident, words, 1), None).await.unwrap();
    }
    assert_eq!(ledger.verify_audit().await.unwrap(), 8);
    drop(ledger);
    behind_its_back(&path, &[]).await.unwrap();
    path
}

#[tokio::test]
async fn a_line_that_was_changed_removed_or_put_in_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let original = closed_ledger(dir.path()).await;
    for (what, statement, first_wrong) in [
        ("nothing", "SELECT 1", None),
        ("a changed text", "UPDATE audit SET line = replace(line, 'second', 'none') WHERE seq = 4", Some(4)),
        ("one changed byte", "UPDATE audit SET line = line || ' ' WHERE seq = 1", Some(1)),
        ("a changed hash", "UPDATE audit SET hash = upper(hash) WHERE seq = 5", Some(5)),
        ("a changed link", "UPDATE audit SET prev_hash = '' WHERE seq = 5", Some(5)),
        ("another incident's line", "UPDATE audit SET incident = 'acme-prod/1' WHERE seq = 6", Some(6)),
        ("nobody's line", "UPDATE audit SET incident = NULL WHERE seq = 6", Some(6)),
        ("a removed line", "DELETE FROM audit WHERE seq = 3", Some(3)),
        ("a removed first line", "DELETE FROM audit WHERE seq = 1", Some(1)),
        ("a removed last line", "DELETE FROM audit WHERE seq = 8", Some(8)),
        ("all removed", "DELETE FROM audit", Some(1)),
        ("a removed line, the rest moved up", "DELETE FROM audit WHERE seq = 3; UPDATE audit SET seq = seq - 1 WHERE seq > 3", Some(3)),
        ("an inserted line", "INSERT INTO audit SELECT 9, ts_ns, incident, event, line, hash, hash FROM audit WHERE seq = 8", Some(9)),
        ("a line before the first", "INSERT INTO audit SELECT 0, ts_ns, incident, event, line, '', hash FROM audit WHERE seq = 1", Some(1)),
        (
            "two lines exchanged",
            "UPDATE audit SET seq = 100 WHERE seq = 4; UPDATE audit SET seq = 4 WHERE seq = 5; UPDATE audit SET seq = 5 WHERE seq = 100",
            Some(4),
        ),
        ("no JSON", "UPDATE audit SET line = 'hello' WHERE seq = 7", Some(7)),
        ("the remembered end moved back", "UPDATE head SET audit_seq = 6", Some(8)),
    ] {
        let copy = dir.path().join("copy.db");
        std::fs::copy(&original, &copy).unwrap();
        behind_its_back(&copy, &["DROP TRIGGER audit_no_update; DROP TRIGGER audit_no_delete", statement]).await.unwrap();
        let ledger = SqliteLedger::open(&copy).await.unwrap();
        match (ledger.verify_audit().await, first_wrong) {
            (Ok(8), None) => {}
            (Err(LedgerError::AuditBroken { seq, .. }), Some(wrong)) => assert_eq!(seq, wrong, "{what}"),
            (answer, _) => panic!("{what}: {answer:?}"),
        }
        drop(ledger);
        for file in ["copy.db", "copy.db-wal", "copy.db-shm", "copy.db.lock"] {
            let _ = std::fs::remove_file(dir.path().join(file));
        }
    }
}

#[tokio::test]
async fn a_line_with_a_hash_of_its_own_does_not_fit_its_neighbours() {
    let dir = tempfile::tempdir().unwrap();
    let original = closed_ledger(dir.path()).await;
    // Line 5 as somebody would write it who knows how hashes are made: on its own, and on the true line before it.
    for (own_start, first_wrong) in [(true, 5), (false, 6)] {
        let copy = dir.path().join(format!("{own_start}.db"));
        std::fs::copy(&original, &copy).unwrap();
        let mut conn = raw(&copy).await;
        sqlx::raw_sql("DROP TRIGGER audit_no_update").execute(&mut conn).await.unwrap();
        let (line, before): (String, String) =
            sqlx::query_as("SELECT line, prev_hash FROM audit WHERE seq = 5").fetch_one(&mut conn).await.unwrap();
        let (line, before) = (line.replace("third", "forged"), if own_start { String::new() } else { before });
        let hash: String = Sha256::digest(format!("{before}{line}")).iter().map(|byte| format!("{byte:02x}")).collect();
        sqlx::query("UPDATE audit SET line = ?, prev_hash = ?, hash = ? WHERE seq = 5")
            .bind(line)
            .bind(before)
            .bind(hash)
            .execute(&mut conn)
            .await
            .unwrap();
        conn.close().await.unwrap();
        let answer = SqliteLedger::open(&copy).await.unwrap().verify_audit().await;
        assert!(matches!(answer, Err(LedgerError::AuditBroken { seq, .. }) if seq == first_wrong), "{answer:?}");
    }
}

#[tokio::test]
async fn the_audit_trail_takes_no_change_by_mistake() {
    let dir = tempfile::tempdir().unwrap();
    let path = closed_ledger(dir.path()).await;
    for statement in ["UPDATE audit SET line = '' WHERE seq = 1", "DELETE FROM audit WHERE seq = 1"] {
        let refused = behind_its_back(&path, &[statement]).await;
        assert!(refused.is_err_and(|error| error.to_string().contains("append-only")), "{statement}");
    }
    assert_eq!(SqliteLedger::open(&path).await.unwrap().verify_audit().await.unwrap(), 8);
}
