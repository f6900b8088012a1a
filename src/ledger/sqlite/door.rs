//! A connection that heals.

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqliteConnection};

pub struct Door {
    pub conn: SqliteConnection,
    /// `None` for a ledger in memory: a new connection would be a new, empty ledger.
    again: Option<SqliteConnectOptions>,
}

impl Door {
    /// # Errors
    /// SQLite's, from opening the file.
    pub async fn open(options: SqliteConnectOptions) -> Result<Self, sqlx::Error> {
        Ok(Self { conn: options.connect().await?, again: Some(options) })
    }

    pub async fn in_memory(options: SqliteConnectOptions) -> Result<Self, sqlx::Error> {
        Ok(Self { conn: options.connect().await?, again: None })
    }

    /// SQLite itself rolls a transaction back when the disk is full or fails (sqlite.org/lang_transaction.html), and sqlx 0.9 still
    /// counts it as begun: every later one would be refused. So a connection that says it is in a transaction, when nobody is using it,
    /// is asked once (a rollback may still be on its way to it), and replaced if it says so again.
    ///
    /// # Errors
    /// SQLite's, from opening the file again.
    pub async fn sound(&mut self) -> Result<(), sqlx::Error> {
        if !self.conn.is_in_transaction() || (self.conn.ping().await.is_ok() && !self.conn.is_in_transaction()) {
            return Ok(());
        }
        if let Some(options) = &self.again {
            self.conn = options.connect().await?;
        }
        Ok(())
    }
}
