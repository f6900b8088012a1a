//! What is remembered for later decisions: outcomes of attempts, people's words, and the last success of each job.

use sqlx::{Connection, SqliteConnection};

use super::commit::{BEGIN, Lease, bump, update};
use super::error::At;
use super::row;
use crate::domain::Timestamp;
use crate::domain::cause::Cause;
use crate::domain::event::Outcome;
use crate::domain::ids::{Fingerprint, JobId, RunId, WorkspaceName};
use crate::domain::incident::Incident;
use crate::domain::precedent::Precedent;
use crate::ledger::{LedgerError, Precedents, Tally, rules};

fn outcome(at: &At, column: &str) -> Result<Outcome, LedgerError> {
    let found = Outcome::ALL.into_iter().find(|outcome| outcome.as_str() == column);
    found.ok_or_else(|| at.corrupt(format!("`{column}` is no outcome")))
}

pub async fn learn(
    conn: &mut SqliteConnection,
    at: &At,
    incident: &Incident,
    outcome: Outcome,
    when: Timestamp,
) -> Result<(), LedgerError> {
    let lesson = rules::lesson(incident, outcome);
    // The first word on an attempt stays: learning again after a crash counts once.
    sqlx::query(
        "INSERT INTO outcomes (incident, attempt, workspace, job_id, fingerprint, cause, rerun, outcome, at_ns)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (incident, attempt) DO NOTHING",
    )
    .bind(incident.id.as_str())
    .bind(lesson.attempt)
    .bind(incident.workspace.as_str())
    .bind(incident.job.job_id.map(|job| job.0))
    .bind(incident.classification.as_ref().map(|classification| classification.fingerprint.as_str()))
    .bind(incident.cause().map(Cause::as_str))
    .bind(lesson.rerun)
    .bind(outcome.as_str())
    .bind(row::ns(when))
    .execute(conn)
    .await
    .map_err(|error| at.sql(error))?;
    Ok(())
}

pub async fn tally(conn: &mut SqliteConnection, at: &At, fingerprint: &Fingerprint) -> Result<Tally, LedgerError> {
    let (mended, failed_again): (i64, i64) = sqlx::query_as(
        "SELECT count(*) FILTER (WHERE outcome = 'mended'), count(*) FILTER (WHERE outcome = 'failed_again')
         FROM outcomes WHERE rerun = 1 AND fingerprint = ?",
    )
    .bind(fingerprint.as_str())
    .fetch_one(conn)
    .await
    .map_err(|error| at.sql(error))?;
    let count = |n: i64| u32::try_from(n).unwrap_or(u32::MAX);
    Ok(Tally { mended: count(mended), failed_again: count(failed_again) })
}

/// A person's word. Within the transaction that it belongs to.
pub async fn remember(conn: &mut SqliteConnection, at: &At, incident: &Incident, precedent: &Precedent) -> Result<(), LedgerError> {
    sqlx::query("INSERT INTO precedents (incident, attempt, workspace, job_id, fingerprint, doc) VALUES (?, ?, ?, ?, ?, ?)")
        .bind(precedent.incident.as_str())
        .bind(precedent.attempt)
        .bind(incident.workspace.as_str())
        .bind(incident.job.job_id.map(|job| job.0))
        .bind(precedent.fingerprint.as_str())
        .bind(row::json(precedent)?)
        .execute(conn)
        .await
        .map_err(|error| at.sql(error))?;
    Ok(())
}

pub async fn precedents(
    conn: &mut SqliteConnection,
    at: &At,
    fingerprint: &Fingerprint,
    job: Option<(&WorkspaceName, JobId)>,
    limit: u32,
) -> Result<Precedents, LedgerError> {
    let alike: Vec<(String, Option<String>)> = sqlx::query_as(
        "SELECT doc, outcome FROM precedents LEFT JOIN outcomes USING (incident, attempt)
         WHERE precedents.fingerprint = ? ORDER BY precedents.seq DESC LIMIT ?",
    )
    .bind(fingerprint.as_str())
    .bind(limit)
    .fetch_all(&mut *conn)
    .await
    .map_err(|error| at.sql(error))?;
    let of_job: Vec<(String, Option<String>)> = match job {
        None => Vec::new(),
        Some((workspace, job)) => sqlx::query_as(
            "SELECT doc, outcome FROM precedents LEFT JOIN outcomes USING (incident, attempt)
             WHERE precedents.workspace = ? AND precedents.job_id = ? AND precedents.fingerprint <> ?
             ORDER BY precedents.seq DESC LIMIT ?",
        )
        .bind(workspace.as_str())
        .bind(job.0)
        .bind(fingerprint.as_str())
        .bind(limit)
        .fetch_all(conn)
        .await
        .map_err(|error| at.sql(error))?,
    };
    let read = |rows: Vec<(String, Option<String>)>| {
        rows.into_iter()
            .map(|(doc, ended)| {
                let precedent: Precedent = row::parse(at, "a precedent", &doc)?;
                Ok(Precedent { outcome: ended.map(|ended| outcome(at, &ended)).transpose()?, ..precedent })
            })
            .collect::<Result<Vec<_>, LedgerError>>()
    };
    Ok(Precedents { alike: read(alike)?, of_job: read(of_job)? })
}

pub async fn job_succeeded(
    conn: &mut SqliteConnection,
    at: &At,
    workspace: &WorkspaceName,
    job: JobId,
    (run, started_at): (RunId, Timestamp),
    now: Timestamp,
) -> Result<(), LedgerError> {
    let mut tx = conn.begin_with(BEGIN).await.map_err(|error| at.sql(error))?;
    let news = sqlx::query(
        "INSERT INTO job_success (workspace, job_id, run_id, started_at_ns) VALUES (?, ?, ?, ?)
         ON CONFLICT (workspace, job_id) DO UPDATE SET run_id = excluded.run_id, started_at_ns = excluded.started_at_ns
         WHERE excluded.started_at_ns > started_at_ns",
    )
    .bind(workspace.as_str())
    .bind(job.0)
    .bind(run.0)
    .bind(row::ns(started_at))
    .execute(&mut *tx)
    .await
    .map_err(|error| at.sql(error))?
    .rows_affected();
    // A success that is reported again, as each poll does, wakes nobody.
    if news == 0 {
        return Ok(());
    }
    let docs: Vec<String> = sqlx::query_scalar(
        "SELECT doc FROM incidents
         WHERE open = 1 AND workspace = ? AND job_id = ? AND state IN ('with_people', 'decided', 'awaiting_approval')
            AND (next_due_ns IS NULL OR next_due_ns > ?)",
    )
    .bind(workspace.as_str())
    .bind(job.0)
    .bind(row::ns(now))
    .fetch_all(&mut *tx)
    .await
    .map_err(|error| at.sql(error))?;
    for mut incident in row::incidents(at, docs)? {
        incident.next_due = Some(now);
        // A new version, so that an agent that looked before the success cannot overwrite the wake-up with its own due time.
        incident.version += 1;
        let seq = bump(&mut tx, at).await?;
        update(&mut tx, at, &incident, seq, Lease::End).await?;
    }
    tx.commit().await.map_err(|error| at.sql(error))
}

pub async fn last_success(
    conn: &mut SqliteConnection,
    at: &At,
    workspace: &WorkspaceName,
    job: JobId,
) -> Result<Option<(RunId, Timestamp)>, LedgerError> {
    let row: Option<(i64, i64)> = sqlx::query_as("SELECT run_id, started_at_ns FROM job_success WHERE workspace = ? AND job_id = ?")
        .bind(workspace.as_str())
        .bind(job.0)
        .fetch_optional(conn)
        .await
        .map_err(|error| at.sql(error))?;
    Ok(row.map(|(run, started_at)| (RunId(run), row::time(started_at))))
}
