//! Who may move an incident right now.

use sqlx::{Connection, SqliteConnection};

use super::commit::BEGIN;
use super::error::At;
use super::row;
use crate::domain::Timestamp;
use crate::domain::ids::{IncidentId, WorkspaceName};
use crate::domain::incident::Incident;
use crate::ledger::{Claim, LedgerError};

pub struct Ask<'a> {
    pub worker: &'a str,
    pub workspace: &'a WorkspaceName,
    pub now: Timestamp,
    pub until: Timestamp,
    pub limit: u32,
}

pub async fn claim(conn: &mut SqliteConnection, at: &At, ask: &Ask<'_>) -> Result<Vec<Claim>, LedgerError> {
    let mut tx = conn.begin_with(BEGIN).await.map_err(|error| at.sql(error))?;
    let rows: Vec<(String, i64)> = sqlx::query_as(
        "UPDATE incidents SET lease_owner = ?, lease_until_ns = ?, fence = fence + 1
         WHERE id IN (
            SELECT id FROM incidents
            WHERE open = 1 AND workspace = ? AND next_due_ns <= ? AND (lease_until_ns IS NULL OR lease_until_ns <= ?)
            ORDER BY next_due_ns, id LIMIT ?
         )
         RETURNING doc, fence",
    )
    .bind(ask.worker)
    .bind(row::ns(ask.until))
    .bind(ask.workspace.as_str())
    .bind(row::ns(ask.now))
    .bind(row::ns(ask.now))
    .bind(ask.limit)
    .fetch_all(&mut *tx)
    .await
    .map_err(|error| at.sql(error))?;
    let mut claims = rows
        .into_iter()
        .map(|(doc, fence)| Ok(Claim { incident: row::parse::<Incident>(at, "an incident", &doc)?, fence }))
        .collect::<Result<Vec<_>, LedgerError>>()?;
    // RETURNING promises no order.
    claims.sort_by(|a, b| (a.incident.next_due, &a.incident.id).cmp(&(b.incident.next_due, &b.incident.id)));
    tx.commit().await.map_err(|error| at.sql(error))?;
    Ok(claims)
}

pub async fn release(conn: &mut SqliteConnection, at: &At, id: &IncidentId, fence: i64) -> Result<(), LedgerError> {
    sqlx::query("UPDATE incidents SET lease_owner = NULL, lease_until_ns = NULL WHERE id = ? AND fence = ?")
        .bind(id.as_str())
        .bind(fence)
        .execute(conn)
        .await
        .map_err(|error| at.sql(error))?;
    Ok(())
}

pub async fn take_over(conn: &mut SqliteConnection, at: &At, workspace: &WorkspaceName) -> Result<(), LedgerError> {
    sqlx::query(
        "UPDATE incidents SET lease_owner = NULL, lease_until_ns = NULL, fence = fence + 1
         WHERE workspace = ? AND (open = 1 OR lease_until_ns IS NOT NULL)",
    )
    .bind(workspace.as_str())
    .execute(conn)
    .await
    .map_err(|error| at.sql(error))?;
    Ok(())
}

pub async fn next_due(conn: &mut SqliteConnection, at: &At, workspace: &WorkspaceName) -> Result<Option<Timestamp>, LedgerError> {
    let due: Option<i64> = sqlx::query_scalar(
        "SELECT min(max(next_due_ns, ifnull(lease_until_ns, next_due_ns))) FROM incidents
         WHERE open = 1 AND workspace = ? AND next_due_ns IS NOT NULL",
    )
    .bind(workspace.as_str())
    .fetch_one(conn)
    .await
    .map_err(|error| at.sql(error))?;
    Ok(due.map(row::time))
}
