//! Mails on their way out.

use sqlx::{Connection, SqliteConnection};

use super::commit::{BEGIN, touch};
use super::error::At;
use super::row;
use crate::domain::Timestamp;
use crate::domain::ids::{IncidentId, WorkspaceName};
use crate::domain::mail::{Delivery, Mail, QueuedMail};
use crate::ledger::LedgerError;

type MailRow = (String, String, i64, i64, Option<String>);

/// Within the transaction that asks for it. A mail whose key was queued before is the same mail, and not sent twice.
pub async fn queue(conn: &mut SqliteConnection, at: &At, mail: &Mail, due: Timestamp) -> Result<(), LedgerError> {
    sqlx::query(
        "INSERT INTO mails (dedup_key, incident, mail, queued, delivery, tries, next_try_ns) VALUES (?, ?, ?, 1, ?, 0, ?)
         ON CONFLICT (dedup_key) DO NOTHING",
    )
    .bind(&mail.dedup_key)
    .bind(mail.incident.as_str())
    .bind(row::json(mail)?)
    .bind(row::json(&Delivery::Queued)?)
    .bind(row::ns(due))
    .execute(conn)
    .await
    .map_err(|error| at.sql(error))?;
    Ok(())
}

fn read(at: &At, rows: Vec<MailRow>) -> Result<Vec<QueuedMail>, LedgerError> {
    rows.into_iter()
        .map(|(mail, delivery, tries, next_try, last_error)| {
            Ok(QueuedMail {
                mail: row::parse(at, "a mail", &mail)?,
                delivery: row::parse(at, "a mail's delivery", &delivery)?,
                tries: u32::try_from(tries).unwrap_or(u32::MAX),
                next_try: row::time(next_try),
                last_error,
            })
        })
        .collect()
}

pub async fn due(
    conn: &mut SqliteConnection,
    at: &At,
    workspace: &WorkspaceName,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<QueuedMail>, LedgerError> {
    let rows = sqlx::query_as(
        "SELECT mail, delivery, tries, next_try_ns, last_error FROM mails JOIN incidents ON incidents.id = mails.incident
         WHERE queued = 1 AND next_try_ns <= ? AND workspace = ? ORDER BY seq LIMIT ?",
    )
    .bind(row::ns(now))
    .bind(workspace.as_str())
    .bind(limit)
    .fetch_all(conn)
    .await
    .map_err(|error| at.sql(error))?;
    read(at, rows)
}

pub async fn of_incident(conn: &mut SqliteConnection, at: &At, id: &IncidentId) -> Result<Vec<QueuedMail>, LedgerError> {
    let rows = sqlx::query_as("SELECT mail, delivery, tries, next_try_ns, last_error FROM mails WHERE incident = ? ORDER BY seq")
        .bind(id.as_str())
        .fetch_all(conn)
        .await
        .map_err(|error| at.sql(error))?;
    read(at, rows)
}

pub async fn waiting(conn: &mut SqliteConnection, at: &At) -> Result<u64, LedgerError> {
    let waiting: i64 =
        sqlx::query_scalar("SELECT count(*) FROM mails WHERE queued = 1").fetch_one(conn).await.map_err(|error| at.sql(error))?;
    Ok(waiting.unsigned_abs())
}

pub async fn settle(
    conn: &mut SqliteConnection,
    at: &At,
    dedup_key: &str,
    delivery: &Delivery,
    next_try: Timestamp,
    error: Option<String>,
) -> Result<(), LedgerError> {
    let queued = match delivery {
        Delivery::Queued => true,
        Delivery::Sent { .. } | Delivery::Failed { .. } => false,
    };
    let mut tx = conn.begin_with(BEGIN).await.map_err(|error| at.sql(error))?;
    // Only a mail that waits: one that was sent stays sent, whoever else tried meanwhile.
    let incident: Option<String> = sqlx::query_scalar(
        "UPDATE mails SET queued = ?, delivery = ?, tries = tries + 1, next_try_ns = ?, last_error = ?
         WHERE dedup_key = ? AND queued = 1 RETURNING incident",
    )
    .bind(queued)
    .bind(row::json(delivery)?)
    .bind(row::ns(next_try))
    .bind(error)
    .bind(dedup_key)
    .fetch_optional(&mut *tx)
    .await
    .map_err(|error| at.sql(error))?;
    if let Some(incident) = incident {
        touch(&mut tx, at, &IncidentId(incident)).await?;
    }
    tx.commit().await.map_err(|error| at.sql(error))
}
