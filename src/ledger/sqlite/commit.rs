//! The one way in which an incident changes.

use sqlx::{Connection, SqliteConnection};

use super::error::At;
use super::{audit, learn, mails, row};
use crate::domain::Timestamp;
use crate::domain::evidence::Evidence;
use crate::domain::ids::IncidentId;
use crate::domain::incident::{Incident, State, Transition};
use crate::domain::intent::{Intent, Settlement};
use crate::domain::precedent::Precedent;
use crate::ledger::LedgerError;
use crate::ledger::rules::{self, Held, IntentWrite};

/// Takes the write lock at the start: what is read after it cannot change before the commit.
pub const BEGIN: &str = "BEGIN IMMEDIATE";

pub async fn commit(conn: &mut SqliteConnection, at: &At, transition: Transition, fence: Option<i64>) -> Result<Incident, LedgerError> {
    let mut tx = conn.begin_with(BEGIN).await.map_err(|error| at.sql(error))?;
    let held = held(&mut tx, at, &transition.incident.id).await?;
    let Some(held) = held else {
        return Err(LedgerError::Conflict { incident: transition.incident.id });
    };
    rules::may_commit(&transition, &held, fence)?;
    let Transition { mut incident, from, events, intent, mail } = transition;
    incident.version += 1;
    let seq = bump(&mut tx, at).await?;
    let lease = if rules::ends_claim(fence, from) { Lease::End } else { Lease::Keep };
    let doc = update(&mut tx, at, &incident, seq, lease).await?;
    know(&mut tx, at, &incident).await?;
    for event in &events {
        audit::append(&mut tx, at, event).await?;
    }
    // One decision is one word, though its end may be an event of its own: an override that closes the incident.
    if let Some(precedent) = events.iter().find_map(|event| Precedent::of(&incident, event)) {
        learn::remember(&mut tx, at, &incident, &precedent).await?;
    }
    if let Some(intent) = intent {
        write_intent(&mut tx, at, &incident.id, intent).await?;
    }
    if let Some(mail) = mail {
        // A mail carries no time of its own; it is due with the event that asked for it.
        let due = events.last().map_or(Timestamp::UNIX_EPOCH, |event| event.ts);
        mails::queue(&mut tx, at, &mail, due).await?;
    }
    // What is given back is what a reader gets: a document may round what it stores.
    let incident = row::parse(at, "an incident", &doc)?;
    tx.commit().await.map_err(|error| at.sql(error))?;
    Ok(incident)
}

/// Beside the version, so that whoever decides meanwhile is not refused for it.
pub async fn save_draft(conn: &mut SqliteConnection, at: &At, incident: &Incident, fence: i64, draft: &str) -> Result<(), LedgerError> {
    let mut tx = conn.begin_with(BEGIN).await.map_err(|error| at.sql(error))?;
    let seq = bump(&mut tx, at).await?;
    let written =
        sqlx::query("UPDATE incidents SET doc = json_set(doc, '$.draft', ?), change_seq = ? WHERE id = ? AND version = ? AND fence = ?")
            .bind(draft)
            .bind(seq)
            .bind(incident.id.as_str())
            .bind(incident.version)
            .bind(fence)
            .execute(&mut *tx)
            .await
            .map_err(|error| at.sql(error))?
            .rows_affected();
    if written == 0 {
        return Err(LedgerError::Conflict { incident: incident.id.clone() });
    }
    tx.commit().await.map_err(|error| at.sql(error))
}

async fn held(conn: &mut SqliteConnection, at: &At, id: &IncidentId) -> Result<Option<Held>, LedgerError> {
    let row: Option<(i64, i64, String)> = sqlx::query_as("SELECT version, fence, doc FROM incidents WHERE id = ?")
        .bind(id.as_str())
        .fetch_optional(conn)
        .await
        .map_err(|error| at.sql(error))?;
    let Some((version, fence, doc)) = row else { return Ok(None) };
    #[derive(serde::Deserialize)]
    struct Standing {
        #[serde(flatten)]
        state: State,
    }
    let standing: Standing = row::parse(at, "an incident", &doc)?;
    Ok(Some(Held { version, state: standing.state, fence }))
}

/// The next change's number: readers see that something is new.
pub async fn bump(conn: &mut SqliteConnection, at: &At) -> Result<i64, LedgerError> {
    sqlx::query_scalar("UPDATE head SET change_seq = change_seq + 1 RETURNING change_seq")
        .fetch_one(conn)
        .await
        .map_err(|error| at.sql(error))
}

/// What a change does to a claim on the incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lease {
    Keep,
    End,
}

/// Writes the incident as it is given, version included. Returns the document.
pub async fn update(conn: &mut SqliteConnection, at: &At, incident: &Incident, seq: i64, lease: Lease) -> Result<String, LedgerError> {
    let doc = row::json(incident)?;
    let (state, ending) = row::state_columns(incident.state);
    sqlx::query(
        "UPDATE incidents SET job_id = ?, state = ?, ending = ?, open = ?, next_due_ns = ?, closed_at_ns = ?, version = ?, change_seq = ?,
            lease_owner = CASE WHEN ? THEN NULL ELSE lease_owner END,
            lease_until_ns = CASE WHEN ? THEN NULL ELSE lease_until_ns END,
            doc = ?
         WHERE id = ?",
    )
    .bind(incident.job.job_id.map(|job| job.0))
    .bind(state)
    .bind(ending)
    .bind(incident.state.is_open())
    .bind(incident.next_due.map(row::ns))
    .bind(incident.closed_at.map(row::ns))
    .bind(incident.version)
    .bind(seq)
    .bind(lease == Lease::End)
    .bind(lease == Lease::End)
    .bind(&doc)
    .bind(incident.id.as_str())
    .execute(conn)
    .await
    .map_err(|error| at.sql(error))?;
    Ok(doc)
}

/// Remembers the incident's failure for ever: a later poll that reports it again learns that it is known. A run that was started in
/// place of a repair is this incident's too: when it fails, that is this incident's next attempt and no new one.
pub async fn know(conn: &mut SqliteConnection, at: &At, incident: &Incident) -> Result<(), LedgerError> {
    let started = incident.attempts.iter().filter_map(|attempt| attempt.new_run).map(|run| (run, None));
    for (run, after) in std::iter::once((incident.failure.run, incident.failure.after_repair)).chain(started) {
        sqlx::query("INSERT INTO failures (workspace, run_id, after_repair, incident) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING")
            .bind(incident.workspace.as_str())
            .bind(run.0)
            .bind(after.map_or(0, |repair: crate::domain::ids::RepairId| repair.0))
            .bind(incident.id.as_str())
            .execute(&mut *conn)
            .await
            .map_err(|error| at.sql(error))?;
    }
    Ok(())
}

async fn write_intent(conn: &mut SqliteConnection, at: &At, incident: &IncidentId, intent: Intent) -> Result<(), LedgerError> {
    let stored: Option<String> = sqlx::query_scalar("SELECT doc FROM intents WHERE id = ?")
        .bind(intent.id.as_str())
        .fetch_optional(&mut *conn)
        .await
        .map_err(|error| at.sql(error))?;
    let stored = stored.map(|doc| row::parse(at, "an intent", &doc)).transpose()?;
    let (sql, intent) = match rules::intent_write(intent, incident, stored)? {
        IntentWrite::Open(intent) => ("INSERT INTO intents (incident, open, doc, id) VALUES (?, ?, ?, ?)", intent),
        IntentWrite::Settle(intent) => ("UPDATE intents SET incident = ?, open = ?, doc = ? WHERE id = ?", intent),
    };
    sqlx::query(sql)
        .bind(incident.as_str())
        .bind(intent.settlement == Settlement::Open)
        .bind(row::json(&intent)?)
        .bind(intent.id.as_str())
        .execute(conn)
        .await
        .map_err(|error| at.sql(error))?;
    Ok(())
}

pub async fn save_evidence(
    conn: &mut SqliteConnection,
    at: &At,
    id: &IncidentId,
    attempt: u32,
    evidence: &Evidence,
) -> Result<(), LedgerError> {
    let doc = row::json(evidence)?;
    let mut tx = conn.begin_with(BEGIN).await.map_err(|error| at.sql(error))?;
    sqlx::query(
        "INSERT INTO evidence (incident, attempt, doc) VALUES (?, ?, ?) ON CONFLICT (incident, attempt) DO UPDATE SET doc = excluded.doc",
    )
    .bind(id.as_str())
    .bind(attempt)
    .bind(doc)
    .execute(&mut *tx)
    .await
    .map_err(|error| at.sql(error))?;
    touch(&mut tx, at, id).await?;
    tx.commit().await.map_err(|error| at.sql(error))
}

/// Something beside the incident's own document changed: readers look again.
pub async fn touch(conn: &mut SqliteConnection, at: &At, id: &IncidentId) -> Result<(), LedgerError> {
    let seq = bump(conn, at).await?;
    sqlx::query("UPDATE incidents SET change_seq = ? WHERE id = ?")
        .bind(seq)
        .bind(id.as_str())
        .execute(conn)
        .await
        .map_err(|error| at.sql(error))?;
    Ok(())
}
