//! SQLite's result codes -> what the operator can do about it. Codes: sqlite.org/rescode.html.

use std::path::{Path, PathBuf};

use sqlx::error::DatabaseError;

use crate::ledger::LedgerError;

const ERROR: i32 = 1;
const PERM: i32 = 3;
const READONLY: i32 = 8;
const CORRUPT: i32 = 11;
const FULL: i32 = 13;
const CANTOPEN: i32 = 14;
const NOTADB: i32 = 26;

/// SQLITE_IOERR_WRITE, _FSYNC, _DIR_FSYNC, _TRUNCATE, _SHMOPEN, _SHMSIZE: a quota, or a disk that takes no more.
const CANNOT_WRITE: [i32; 6] = [778, 1034, 1290, 1546, 4618, 4874];

/// Which ledger an error is about.
#[derive(Clone, Debug)]
pub struct At {
    pub path: PathBuf,
}

impl At {
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    pub fn corrupt(&self, reason: impl Into<String>) -> LedgerError {
        LedgerError::Corrupt { path: self.path.clone(), reason: reason.into() }
    }

    pub fn unwritable(&self, reason: impl Into<String>) -> LedgerError {
        LedgerError::Unwritable { path: self.path.clone(), reason: reason.into() }
    }

    pub fn sql(&self, error: sqlx::Error) -> LedgerError {
        let Some(code) = code(&error) else {
            return LedgerError::Failed(error.to_string());
        };
        let reason = error.as_database_error().map_or_else(|| error.to_string(), |error| error.message().to_owned());
        // The low byte is the primary code.
        match code & 0xff {
            CORRUPT | NOTADB => self.corrupt(reason),
            // A table or column that its schema has is not there.
            ERROR if reason.starts_with("no such ") => self.corrupt(reason),
            PERM | READONLY | FULL | CANTOPEN => self.unwritable(reason),
            _ if CANNOT_WRITE.contains(&code) => self.unwritable(reason),
            _ => LedgerError::Failed(reason),
        }
    }
}

/// The extended result code.
pub fn code(error: &sqlx::Error) -> Option<i32> {
    error.as_database_error().and_then(DatabaseError::code).and_then(|code| code.parse().ok())
}

/// A journal that was left by a crash, which a connection that only reads may not play back: SQLITE_READONLY_RECOVERY, _ROLLBACK,
/// _CANTINIT.
pub fn needs_recovery(code: i32) -> bool {
    matches!(code, 264 | 776 | 1288)
}
