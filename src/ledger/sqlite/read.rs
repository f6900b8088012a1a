//! What readers ask for. None of it writes.

use sqlx::{Connection, SqliteConnection};

use super::error::At;
use super::row;
use crate::domain::Timestamp;
use crate::domain::evidence::Evidence;
use crate::domain::ids::{IncidentId, JobId, WorkspaceName};
use crate::domain::incident::Incident;
use crate::domain::intent::Intent;
use crate::ledger::{Counts, LedgerError};

/// One view of the ledger for several reads.
pub const SNAPSHOT: &str = "BEGIN";

pub async fn incident(conn: &mut SqliteConnection, at: &At, id: &IncidentId) -> Result<Option<Incident>, LedgerError> {
    let doc: Option<String> = sqlx::query_scalar("SELECT doc FROM incidents WHERE id = ?")
        .bind(id.as_str())
        .fetch_optional(conn)
        .await
        .map_err(|error| at.sql(error))?;
    doc.map(|doc| row::parse(at, "an incident", &doc)).transpose()
}

pub async fn incidents(conn: &mut SqliteConnection, at: &At, closed_limit: u32) -> Result<Vec<Incident>, LedgerError> {
    // One statement, so one snapshot: an incident that closes meanwhile is neither missing nor twice in the answer.
    let docs = sqlx::query_scalar(
        "SELECT doc FROM incidents WHERE open = 1
         UNION ALL
         SELECT doc FROM (SELECT doc FROM incidents WHERE open = 0 ORDER BY closed_at_ns DESC LIMIT ?)",
    )
    .bind(closed_limit)
    .fetch_all(conn)
    .await
    .map_err(|error| at.sql(error))?;
    row::incidents(at, docs)
}

pub async fn open_of_job(
    conn: &mut SqliteConnection,
    at: &At,
    workspace: &WorkspaceName,
    job: JobId,
) -> Result<Vec<Incident>, LedgerError> {
    let docs = sqlx::query_scalar("SELECT doc FROM incidents WHERE open = 1 AND workspace = ? AND job_id = ? ORDER BY run_id")
        .bind(workspace.as_str())
        .bind(job.0)
        .fetch_all(conn)
        .await
        .map_err(|error| at.sql(error))?;
    row::incidents(at, docs)
}

pub async fn evidence(
    conn: &mut SqliteConnection,
    at: &At,
    id: &IncidentId,
    attempt: Option<u32>,
) -> Result<Option<Evidence>, LedgerError> {
    let doc: Option<String> =
        sqlx::query_scalar("SELECT doc FROM evidence WHERE incident = ?1 AND (?2 IS NULL OR attempt = ?2) ORDER BY attempt DESC LIMIT 1")
            .bind(id.as_str())
            .bind(attempt)
            .fetch_optional(conn)
            .await
            .map_err(|error| at.sql(error))?;
    doc.map(|doc| row::parse(at, "evidence", &doc)).transpose()
}

pub async fn intents(conn: &mut SqliteConnection, at: &At, id: &IncidentId) -> Result<Vec<Intent>, LedgerError> {
    let docs: Vec<String> = sqlx::query_scalar("SELECT doc FROM intents WHERE incident = ? ORDER BY seq")
        .bind(id.as_str())
        .fetch_all(conn)
        .await
        .map_err(|error| at.sql(error))?;
    docs.iter().map(|doc| row::parse(at, "an intent", doc)).collect()
}

pub async fn change_seq(conn: &mut SqliteConnection, at: &At) -> Result<i64, LedgerError> {
    sqlx::query_scalar("SELECT change_seq FROM head").fetch_one(conn).await.map_err(|error| at.sql(error))
}

pub async fn changed_since(conn: &mut SqliteConnection, at: &At, seq: i64) -> Result<(Vec<Incident>, i64), LedgerError> {
    // One snapshot for both: a change between two reads would be skipped for ever.
    let mut tx = conn.begin_with(SNAPSHOT).await.map_err(|error| at.sql(error))?;
    let newest = change_seq(&mut tx, at).await?;
    let docs = if newest == seq {
        Vec::new()
    } else {
        sqlx::query_scalar("SELECT doc FROM incidents WHERE change_seq > ? ORDER BY change_seq")
            .bind(seq)
            .fetch_all(&mut *tx)
            .await
            .map_err(|error| at.sql(error))?
    };
    tx.rollback().await.map_err(|error| at.sql(error))?;
    Ok((row::incidents(at, docs)?, newest))
}

pub async fn counts(conn: &mut SqliteConnection, at: &At, midnight: Timestamp) -> Result<Counts, LedgerError> {
    let mut tx = conn.begin_with(SNAPSHOT).await.map_err(|error| at.sql(error))?;
    let by_state: Vec<(String, i64)> = sqlx::query_as("SELECT state, count(*) FROM incidents WHERE open = 1 GROUP BY state")
        .fetch_all(&mut *tx)
        .await
        .map_err(|error| at.sql(error))?;
    let mended: i64 = sqlx::query_scalar("SELECT count(*) FROM incidents WHERE open = 0 AND closed_at_ns >= ? AND ending = 'mended'")
        .bind(row::ns(midnight))
        .fetch_one(&mut *tx)
        .await
        .map_err(|error| at.sql(error))?;
    // From the audit trail, because an incident may fail again more than once a day, and is open afterwards.
    let failed_again: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM audit WHERE event = 'outcome' AND ts_ns >= ? AND json_extract(line, '$.event.result') = 'failed_again'",
    )
    .bind(row::ns(midnight))
    .fetch_one(&mut *tx)
    .await
    .map_err(|error| at.sql(error))?;
    tx.rollback().await.map_err(|error| at.sql(error))?;
    let mut counts = Counts { mended_today: mended.unsigned_abs(), failed_again_today: failed_again.unsigned_abs(), ..Counts::default() };
    for (state, count) in by_state {
        let count = count.unsigned_abs();
        match state.as_str() {
            "awaiting_approval" => counts.awaiting += count,
            "scheduled" => counts.scheduled += count,
            "acting" => counts.acting += count,
            "watching" => counts.watching += count,
            "with_people" => counts.with_people += count,
            "decided" => counts.observed += count,
            "detected" | "collecting" | "analysed" => counts.in_analysis += count,
            other => return Err(at.corrupt(format!("`{other}` is no state"))),
        }
    }
    Ok(counts)
}
