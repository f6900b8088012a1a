//! The audit trail in SQLite: append, read, verify.

use futures_util::TryStreamExt;
use sqlx::sqlite::SqliteRow;
use sqlx::{Connection, FromRow, Row, SqliteConnection};

use super::commit::{BEGIN, bump};
use super::error::At;
use super::read::SNAPSHOT;
use super::row;
use crate::domain::event::Event;
use crate::domain::ids::IncidentId;
use crate::ledger::chain::{self, Stored, Walk};
use crate::ledger::{AuditLine, LedgerError};

impl FromRow<'_, SqliteRow> for Stored {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            seq: row.try_get("seq")?,
            incident: row.try_get("incident")?,
            line: row.try_get("line")?,
            prev_hash: row.try_get("prev_hash")?,
            hash: row.try_get("hash")?,
        })
    }
}

/// Adds one line to the chain; call it within the transaction that the event belongs to.
pub async fn append(conn: &mut SqliteConnection, at: &At, event: &Event) -> Result<(), LedgerError> {
    let (last, prev_hash): (i64, String) =
        sqlx::query_as("SELECT audit_seq, audit_hash FROM head").fetch_one(&mut *conn).await.map_err(|error| at.sql(error))?;
    let seq = last + 1;
    let line = chain::line(seq, event)?;
    let hash = chain::hash(&prev_hash, &line);
    sqlx::query("INSERT INTO audit (seq, ts_ns, incident, event, line, prev_hash, hash) VALUES (?, ?, ?, ?, ?, ?, ?)")
        .bind(seq)
        .bind(row::ns(event.ts))
        .bind(event.incident.as_ref().map(|id| id.as_str()))
        .bind(event.what.name())
        .bind(&line)
        .bind(&prev_hash)
        .bind(&hash)
        .execute(&mut *conn)
        .await
        .map_err(|error| at.sql(error))?;
    sqlx::query("UPDATE head SET audit_seq = ?, audit_hash = ?")
        .bind(seq)
        .bind(&hash)
        .execute(conn)
        .await
        .map_err(|error| at.sql(error))?;
    Ok(())
}

pub async fn record(conn: &mut SqliteConnection, at: &At, event: Event) -> Result<(), LedgerError> {
    let mut tx = conn.begin_with(BEGIN).await.map_err(|error| at.sql(error))?;
    bump(&mut tx, at).await?;
    append(&mut tx, at, &event).await?;
    tx.commit().await.map_err(|error| at.sql(error))
}

pub async fn of_incident(conn: &mut SqliteConnection, at: &At, id: &IncidentId) -> Result<Vec<AuditLine>, LedgerError> {
    let rows: Vec<Stored> = sqlx::query_as("SELECT seq, incident, line, prev_hash, hash FROM audit WHERE incident = ? ORDER BY seq")
        .bind(id.as_str())
        .fetch_all(conn)
        .await
        .map_err(|error| at.sql(error))?;
    rows.into_iter().map(Stored::into_line).collect()
}

/// Reads line by line: a trail of years does not have to fit into memory.
pub async fn verify(conn: &mut SqliteConnection, at: &At) -> Result<u64, LedgerError> {
    // One snapshot: a line that is appended meanwhile is not taken for a wrong end.
    let mut tx = conn.begin_with(SNAPSHOT).await.map_err(|error| at.sql(error))?;
    let (head_seq, head_hash): (i64, String) =
        sqlx::query_as("SELECT audit_seq, audit_hash FROM head").fetch_one(&mut *tx).await.map_err(|error| at.sql(error))?;
    let mut walk = Walk::default();
    {
        let mut lines = sqlx::query_as::<_, Stored>("SELECT seq, incident, line, prev_hash, hash FROM audit ORDER BY seq").fetch(&mut *tx);
        while let Some(stored) = lines.try_next().await.map_err(|error| at.sql(error))? {
            walk.step(&stored)?;
        }
    }
    tx.rollback().await.map_err(|error| at.sql(error))?;
    walk.end(head_seq, &head_hash)
}
