//! How a failure gets in: once.

use sqlx::{Connection, SqliteConnection};

use super::commit::{BEGIN, Lease, bump, know, update};
use super::error::At;
use super::{audit, row};
use crate::domain::Timestamp;
use crate::domain::ids::IncidentId;
use crate::domain::incident::{Failure, Incident};
use crate::ledger::{Admission, LedgerError, rules};

pub async fn admit(conn: &mut SqliteConnection, at: &At, failure: Failure, now: Timestamp) -> Result<Admission, LedgerError> {
    let mut tx = conn.begin_with(BEGIN).await.map_err(|error| at.sql(error))?;
    if let Some(known) = known(&mut tx, at, &failure).await? {
        return Ok(Admission::Known(known));
    }
    let (doc, event) = match incident_of(&mut tx, at, &failure).await? {
        None => {
            let (incident, event) = Incident::detected(failure, now);
            let seq = bump(&mut tx, at).await?;
            let doc = insert(&mut tx, at, &incident, seq).await?;
            know(&mut tx, at, &incident).await?;
            (doc, event)
        }
        Some(doc) => {
            let incident: Incident = row::parse(at, "an incident", &doc)?;
            let Some((mut next, event)) = rules::fails_anew(&incident, failure, now) else {
                return Ok(Admission::InHand(incident.id));
            };
            next.version += 1;
            let seq = bump(&mut tx, at).await?;
            let doc = update(&mut tx, at, &next, seq, Lease::End).await?;
            know(&mut tx, at, &next).await?;
            (doc, event)
        }
    };
    audit::append(&mut tx, at, &event).await?;
    let incident: Incident = row::parse(at, "an incident", &doc)?;
    tx.commit().await.map_err(|error| at.sql(error))?;
    Ok(Admission::Admitted(Box::new(incident), Box::new(event)))
}

/// The incident that has this failure, if it was ever taken up.
pub async fn known(conn: &mut SqliteConnection, at: &At, failure: &Failure) -> Result<Option<IncidentId>, LedgerError> {
    let known: Option<String> = sqlx::query_scalar("SELECT incident FROM failures WHERE workspace = ? AND run_id = ? AND after_repair = ?")
        .bind(failure.workspace.as_str())
        .bind(failure.run.0)
        .bind(failure.after_repair.map_or(0, |repair| repair.0))
        .fetch_optional(conn)
        .await
        .map_err(|error| at.sql(error))?;
    Ok(known.map(IncidentId))
}

/// The incident of the failure's run: its own, or the one that started it in place of a repair.
async fn incident_of(conn: &mut SqliteConnection, at: &At, failure: &Failure) -> Result<Option<String>, LedgerError> {
    sqlx::query_scalar(
        "SELECT doc FROM incidents WHERE workspace = ?1 AND run_id = ?2
         UNION ALL
         SELECT doc FROM incidents WHERE id IN (SELECT incident FROM failures WHERE workspace = ?1 AND run_id = ?2)
         LIMIT 1",
    )
    .bind(failure.workspace.as_str())
    .bind(failure.run.0)
    .fetch_optional(conn)
    .await
    .map_err(|error| at.sql(error))
}

async fn insert(conn: &mut SqliteConnection, at: &At, incident: &Incident, seq: i64) -> Result<String, LedgerError> {
    let doc = row::json(incident)?;
    let (state, ending) = row::state_columns(incident.state);
    sqlx::query(
        "INSERT INTO incidents (id, workspace, run_id, job_id, state, ending, open, next_due_ns, closed_at_ns, version, change_seq, doc)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(incident.id.as_str())
    .bind(incident.workspace.as_str())
    .bind(incident.run.0)
    .bind(incident.job.job_id.map(|job| job.0))
    .bind(state)
    .bind(ending)
    .bind(incident.state.is_open())
    .bind(incident.next_due.map(row::ns))
    .bind(incident.closed_at.map(row::ns))
    .bind(incident.version)
    .bind(seq)
    .bind(&doc)
    .execute(conn)
    .await
    .map_err(|error| at.sql(error))?;
    Ok(doc)
}
