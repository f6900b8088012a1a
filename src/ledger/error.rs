//! What can go wrong with the ledger, and what to do about it.

use std::path::PathBuf;

use crate::domain::ids::{IncidentId, IntentId};
use crate::domain::incident::IllegalTransition;

#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The file is no ledger, or damaged. It is left as it was.
    #[error("the ledger {path} cannot be read: {reason}")]
    Corrupt { path: PathBuf, reason: String },
    /// Written by a newer runmend.
    #[error("the ledger {path} was written by a newer runmend (schema {found}, this one knows {known})")]
    TooNew { path: PathBuf, found: i64, known: i64 },
    /// The folder cannot be written, or the disk is full.
    #[error("the ledger {path} cannot be written: {reason}")]
    Unwritable { path: PathBuf, reason: String },
    /// Somebody else changed the incident first: read it again.
    #[error("incident {incident} was changed by someone else meanwhile")]
    Conflict { incident: IncidentId },
    /// Never two actions for one decision: the intent exists, or was settled, already.
    #[error("intent {intent} {reason}")]
    IntentRefused { intent: IntentId, reason: String },
    #[error(transparent)]
    Illegal(#[from] IllegalTransition),
    #[error("the audit trail is broken at line {seq}: {reason}")]
    AuditBroken { seq: i64, reason: String },
    /// Busy beyond patience, or an I/O error while running.
    #[error("the ledger failed: {0}")]
    Failed(String),
}

impl LedgerError {
    /// May the same call succeed a little later (disk full, busy)?
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unwritable { .. } | Self::Failed(_) => true,
            Self::Corrupt { .. }
            | Self::TooNew { .. }
            | Self::Conflict { .. }
            | Self::IntentRefused { .. }
            | Self::Illegal(_)
            | Self::AuditBroken { .. } => false,
        }
    }
}
