//! Opening a ledger: look first and touch nothing, then make or migrate it.

use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqlSafeStr, SqliteConnection};

use super::commit::BEGIN;
use super::door::Door;
use super::error::{self, At};
use crate::ledger::LedgerError;

/// `RNMD`: says whose database it is (sqlite.org/pragma.html, application_id).
const APPLICATION_ID: i64 = 0x524E_4D44;
/// Each migration, in order: version, words, SQL. Never change one that was released; add one.
const MIGRATIONS: [(i64, &str, &str); 3] = [
    (1, "ledger", include_str!("../../../assets/migrations/sqlite/0001_ledger.sql")),
    (2, "precedents", include_str!("../../../assets/migrations/sqlite/0002_precedents.sql")),
    (3, "earlier precedents", include_str!("../../../assets/migrations/sqlite/0003_earlier_precedents.sql")),
];
/// How long a write waits for another process's write. One takes milliseconds; a minute means that something is stuck.
const BUSY: Duration = Duration::from_secs(20);
/// Reads that go on at once: a console's screen, an agent's step, a report.
const READERS: usize = 3;
/// A ledger up to this size is checked page by page at each start: some milliseconds. A bigger one is checked as it is read.
const CHECK_BYTES_MAX: u64 = 8 << 20;
/// A database's head. Source: sqlite.org/fileformat2.html, 1.3.
const HEAD_BYTES: u64 = 100;
/// What the write-ahead log is cut back to after a burst.
const WAL_BYTES_MAX: &str = "16777216";

pub struct Opened {
    pub writer: Door,
    pub readers: Vec<Door>,
}

pub async fn open(path: &Path) -> Result<Opened, LedgerError> {
    let at = At::new(path);
    let lock = prepare(path).await?;
    // Never open the database by any other door than SQLite's: closing that file would drop SQLite's own locks of this process
    // (sqlite.org/howtocorrupt.html, section 2.2).
    match path.metadata().map_or(0, |file| file.len()) {
        0 => create(path, &at)?,
        // SQLite takes a file of one byte for an empty one, and would write over it.
        1..HEAD_BYTES => return Err(at.corrupt("it is too short for a database")),
        HEAD_BYTES.. => look(path, &at).await?,
    }
    let mut writer = Door::open(writer_options(path)).await.map_err(|error| at.sql(error))?;
    if !is_current(&mut writer.conn, &at).await? {
        migrate(&mut writer.conn, &at).await?;
    }
    let mut readers = Vec::new();
    for _ in 0..READERS {
        readers.push(Door::open(reader_options(path)).await.map_err(|error| at.sql(error))?);
    }
    drop(lock);
    Ok(Opened { writer, readers })
}

pub async fn open_in_memory() -> Result<Opened, LedgerError> {
    let at = At::new(Path::new(":memory:"));
    let options = SqliteConnectOptions::new().in_memory(true).foreign_keys(true);
    let mut writer = Door::in_memory(options).await.map_err(|error| at.sql(error))?;
    migrate(&mut writer.conn, &at).await?;
    Ok(Opened { writer, readers: Vec::new() })
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new().filename(path).busy_timeout(BUSY).foreign_keys(true)
}

fn writer_options(path: &Path) -> SqliteConnectOptions {
    options(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        // macOS: without it a sync leaves the data in the drive's cache.
        .pragma("fullfsync", "1")
        .pragma("journal_size_limit", WAL_BYTES_MAX)
}

fn reader_options(path: &Path) -> SqliteConnectOptions {
    options(path).pragma("query_only", "1")
}

/// Makes the folders, and waits for others that are opening the same ledger: two that create or migrate it must take turns.
async fn prepare(path: &Path) -> Result<Option<File>, LedgerError> {
    let at = At::new(path);
    if path.is_dir() {
        return Err(at.corrupt("it is a folder, not a file"));
    }
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        make_folders(folder).map_err(|error| at.unwritable(format!("{}: {error}", folder.display())))?;
    }
    let lock = lock_file(path, &beside(path, ".lock"))?;
    let waited = tokio::task::spawn_blocking(move || match lock.lock() {
        Ok(()) => Ok(Some(lock)),
        // A file system without locks: the ledger's own locks must do.
        Err(error) if error.kind() == ErrorKind::Unsupported => Ok(None),
        Err(error) => Err(error),
    });
    match waited.await {
        Ok(Ok(lock)) => Ok(lock),
        Ok(Err(error)) => Err(LedgerError::Failed(format!("{}: {error}", path.display()))),
        Err(error) => Err(LedgerError::Failed(error.to_string())),
    }
}

fn make_folders(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// `ledger.db` and `.lock` -> `ledger.db.lock`.
pub fn beside(ledger: &Path, suffix: &str) -> PathBuf {
    let mut name = ledger.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

/// A file that is only ever locked.
pub fn lock_file(ledger: &Path, path: &Path) -> Result<File, LedgerError> {
    private(OpenOptions::new().create(true).truncate(false).write(true))
        .open(path)
        .map_err(|error| At::new(ledger).unwritable(format!("{}: {error}", path.display())))
}

/// An empty file of the owner's alone; SQLite gives its companions the same rights.
fn create(path: &Path, at: &At) -> Result<(), LedgerError> {
    match private(OpenOptions::new().create_new(true).write(true)).open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(at.unwritable(error.to_string())),
    }
}

/// Is it a ledger, whole, and not newer than this runmend? Reads only, so that a damaged file stays as it is for whoever saves it.
async fn look(path: &Path, at: &At) -> Result<(), LedgerError> {
    let mut conn = options(path).read_only(true).connect().await.map_err(|error| at.sql(error))?;
    let seen = examine(&mut conn, path, at).await;
    let _ = conn.close().await;
    seen
}

async fn examine(conn: &mut SqliteConnection, path: &Path, at: &At) -> Result<(), LedgerError> {
    let tables: i64 = match sqlx::query_scalar("SELECT count(*) FROM sqlite_schema").fetch_one(&mut *conn).await {
        Ok(tables) => tables,
        // Died while it was made: SQLite puts that right when it is opened to be written.
        Err(failed) if error::code(&failed).is_some_and(error::needs_recovery) => return Ok(()),
        Err(failed) => return Err(at.sql(failed)),
    };
    if tables == 0 {
        return Ok(());
    }
    let application: i64 = sqlx::query_scalar("PRAGMA application_id").fetch_one(&mut *conn).await.map_err(|error| at.sql(error))?;
    if application != APPLICATION_ID {
        return Err(at.corrupt("it is another program's database"));
    }
    let found: i64 = sqlx::query_scalar("SELECT ifnull(max(version), 0) FROM _sqlx_migrations")
        .fetch_one(&mut *conn)
        .await
        .map_err(|error| at.sql(error))?;
    let known = newest();
    if found == 0 {
        return Err(at.corrupt("the record of its schema is empty"));
    }
    if found > known {
        return Err(LedgerError::TooNew { path: at.path.clone(), found, known });
    }
    let page: i64 = sqlx::query_scalar("PRAGMA page_size").fetch_one(&mut *conn).await.map_err(|error| at.sql(error))?;
    if !is_whole(path, page.unsigned_abs()) {
        return Err(at.corrupt("it is cut off in the middle of a page"));
    }
    if path.metadata().is_ok_and(|file| file.len() <= CHECK_BYTES_MAX) {
        let verdict: String = sqlx::query_scalar("PRAGMA quick_check(1)").fetch_one(&mut *conn).await.map_err(|error| at.sql(error))?;
        if verdict != "ok" {
            return Err(at.corrupt(verdict));
        }
    }
    Ok(())
}

/// SQLite reads a page that is cut off as if zeros followed. After a crash its log or journal may hold that page, and puts it right.
fn is_whole(path: &Path, page: u64) -> bool {
    let bytes = |path: &Path| path.metadata().map_or(0, |file| file.len());
    bytes(path).checked_rem(page) == Some(0) || ["-wal", "-journal"].iter().any(|suffix| bytes(&beside(path, suffix)) > 0)
}

fn newest() -> i64 {
    MIGRATIONS.iter().map(|(version, _, _)| *version).max().unwrap_or_default()
}

fn migrations() -> Migrator {
    let step = |(version, words, sql): (i64, &'static str, &'static str)| {
        Migration::new(version, words.into(), MigrationType::Simple, sql.into_sql_str(), false)
    };
    Migrator::with_migrations(MIGRATIONS.into_iter().map(step).collect())
}

/// The usual start: nothing to write, so nothing to wait for.
async fn is_current(conn: &mut SqliteConnection, at: &At) -> Result<bool, LedgerError> {
    let made: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema WHERE name = '_sqlx_migrations'")
        .fetch_one(&mut *conn)
        .await
        .map_err(|error| at.sql(error))?;
    if made == 0 {
        return Ok(false);
    }
    let found: i64 =
        sqlx::query_scalar("SELECT ifnull(max(version), 0) FROM _sqlx_migrations").fetch_one(conn).await.map_err(|error| at.sql(error))?;
    Ok(found == newest())
}

/// All steps in one transaction: a ledger is never half migrated.
async fn migrate(conn: &mut SqliteConnection, at: &At) -> Result<(), LedgerError> {
    let mut tx = conn.begin_with(BEGIN).await.map_err(|error| at.sql(error))?;
    // 0x524E4D44, as a literal: a pragma takes no parameter.
    sqlx::query("PRAGMA application_id = 1380863300").execute(&mut *tx).await.map_err(|error| at.sql(error))?;
    let migrator = migrations();
    let inner: &mut SqliteConnection = &mut tx;
    migrator.run_direct(None, inner, false).await.map_err(|error| match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => at.sql(error),
        MigrateError::VersionMissing(found) => LedgerError::TooNew { path: at.path.clone(), found, known: newest() },
        other => at.corrupt(other.to_string()),
    })?;
    tx.commit().await.map_err(|error| at.sql(error))
}
