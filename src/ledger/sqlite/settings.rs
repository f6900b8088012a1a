//! Small things that console and agent leave for each other.

use sqlx::{Connection, SqliteConnection};

use super::commit::{BEGIN, bump};
use super::error::At;
use super::row;
use crate::domain::Timestamp;
use crate::domain::ids::WorkspaceName;
use crate::ledger::{AgentStatus, AutoApply, IntakeMemory, KeepsakeChange, LedgerError};

const AUTO_APPLY: &str = "auto_apply";
/// Before the part's name.
const KEEPSAKE: &str = "keepsake/";

pub async fn intake_memory(conn: &mut SqliteConnection, at: &At, workspace: &WorkspaceName) -> Result<IntakeMemory, LedgerError> {
    let doc: Option<String> = sqlx::query_scalar("SELECT doc FROM intake WHERE workspace = ?")
        .bind(workspace.as_str())
        .fetch_optional(conn)
        .await
        .map_err(|error| at.sql(error))?;
    doc.map_or_else(|| Ok(IntakeMemory::default()), |doc| row::parse(at, "the intake's memory", &doc))
}

pub async fn save_intake_memory(
    conn: &mut SqliteConnection,
    at: &At,
    workspace: &WorkspaceName,
    memory: &IntakeMemory,
) -> Result<(), LedgerError> {
    sqlx::query("INSERT INTO intake (workspace, doc) VALUES (?, ?) ON CONFLICT (workspace) DO UPDATE SET doc = excluded.doc")
        .bind(workspace.as_str())
        .bind(row::json(memory)?)
        .execute(conn)
        .await
        .map_err(|error| at.sql(error))?;
    Ok(())
}

/// Readers are not woken: a keepsake is its part's own.
pub async fn keepsake(conn: &mut SqliteConnection, at: &At, part: &str) -> Result<Option<serde_json::Value>, LedgerError> {
    let doc: Option<String> = sqlx::query_scalar("SELECT doc FROM settings WHERE key = ?")
        .bind(format!("{KEEPSAKE}{part}"))
        .fetch_optional(conn)
        .await
        .map_err(|error| at.sql(error))?;
    doc.map(|doc| row::parse(at, "a keepsake", &doc)).transpose()
}

pub async fn save_keepsake(conn: &mut SqliteConnection, at: &At, part: &str, kept: &serde_json::Value) -> Result<(), LedgerError> {
    sqlx::query("INSERT INTO settings (key, doc) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET doc = excluded.doc")
        .bind(format!("{KEEPSAKE}{part}"))
        .bind(row::json(kept)?)
        .execute(conn)
        .await
        .map_err(|error| at.sql(error))?;
    Ok(())
}

pub async fn update_keepsake(
    conn: &mut SqliteConnection,
    at: &At,
    part: &str,
    change: &KeepsakeChange<'_>,
) -> Result<serde_json::Value, LedgerError> {
    let mut tx = conn.begin_with(BEGIN).await.map_err(|error| at.sql(error))?;
    let kept = change(keepsake(&mut tx, at, part).await?);
    save_keepsake(&mut tx, at, part, &kept).await?;
    tx.commit().await.map_err(|error| at.sql(error))?;
    Ok(kept)
}

pub async fn set_auto_apply(conn: &mut SqliteConnection, at: &At, auto: Option<AutoApply>) -> Result<(), LedgerError> {
    let mut tx = conn.begin_with(BEGIN).await.map_err(|error| at.sql(error))?;
    let query = match auto {
        Some(auto) => sqlx::query("INSERT INTO settings (key, doc) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET doc = excluded.doc")
            .bind(AUTO_APPLY)
            .bind(row::json(&auto)?),
        None => sqlx::query("DELETE FROM settings WHERE key = ?").bind(AUTO_APPLY),
    };
    query.execute(&mut *tx).await.map_err(|error| at.sql(error))?;
    bump(&mut tx, at).await?;
    tx.commit().await.map_err(|error| at.sql(error))
}

pub async fn auto_apply(conn: &mut SqliteConnection, at: &At, now: Timestamp) -> Result<Option<AutoApply>, LedgerError> {
    let doc: Option<String> = sqlx::query_scalar("SELECT doc FROM settings WHERE key = ?")
        .bind(AUTO_APPLY)
        .fetch_optional(conn)
        .await
        .map_err(|error| at.sql(error))?;
    let auto: Option<AutoApply> = doc.map(|doc| row::parse(at, "auto-apply", &doc)).transpose()?;
    Ok(auto.filter(|auto| now < auto.until))
}

pub async fn set_agent_status(conn: &mut SqliteConnection, at: &At, status: &AgentStatus) -> Result<(), LedgerError> {
    let mut tx = conn.begin_with(BEGIN).await.map_err(|error| at.sql(error))?;
    sqlx::query(
        "INSERT INTO agents (worker, workspace, doc) VALUES (?, ?, ?) ON CONFLICT (worker, workspace) DO UPDATE SET doc = excluded.doc",
    )
    .bind(&status.worker)
    .bind(status.workspace.as_str())
    .bind(row::json(status)?)
    .execute(&mut *tx)
    .await
    .map_err(|error| at.sql(error))?;
    bump(&mut tx, at).await?;
    tx.commit().await.map_err(|error| at.sql(error))
}

pub async fn agent_statuses(conn: &mut SqliteConnection, at: &At) -> Result<Vec<AgentStatus>, LedgerError> {
    let docs: Vec<String> =
        sqlx::query_scalar("SELECT doc FROM agents ORDER BY worker, workspace").fetch_all(conn).await.map_err(|error| at.sql(error))?;
    docs.iter().map(|doc| row::parse(at, "an agent's status", doc)).collect()
}
