//! Ledgers as older runmends wrote them.

use std::path::{Path, PathBuf};

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, SqlSafeStr};

const FIRST: &str = include_str!("../../assets/migrations/sqlite/0001_ledger.sql");
const TABLES: [&str; 11] =
    ["incidents", "failures", "evidence", "intents", "audit", "mails", "outcomes", "intake", "job_success", "agents", "settings"];

/// A new file with all that the ledger at `path` had when there was the first schema alone: its incidents and its audit trail, for one.
pub async fn in_first_schema(path: &Path) -> PathBuf {
    let older = path.with_extension("first.db");
    let mut conn = SqliteConnectOptions::new().filename(&older).create_if_missing(true).connect().await.unwrap();
    sqlx::raw_sql("PRAGMA journal_mode = WAL; PRAGMA application_id = 1380863300").execute(&mut conn).await.unwrap();
    let first = Migration::new(1, "ledger".into(), MigrationType::Simple, FIRST.into_sql_str(), false);
    Migrator::with_migrations(vec![first]).run_direct(None, &mut conn, false).await.unwrap();
    let mut copy = format!("ATTACH '{}' AS newer;", path.display());
    for table in TABLES {
        copy += &format!("INSERT INTO {table} SELECT * FROM newer.{table};");
    }
    copy += "UPDATE head SET (change_seq, audit_seq, audit_hash) = (SELECT change_seq, audit_seq, audit_hash FROM newer.head);";
    sqlx::raw_sql(AssertSqlSafe(copy)).execute(&mut conn).await.unwrap();
    conn.close().await.unwrap();
    older
}
