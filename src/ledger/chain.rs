//! The audit trail's hash chain, the same in every store: each line's hash covers the line before it.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{AuditLine, LedgerError};
use crate::domain::event::Event;

/// The hash before the first line.
pub const START: &str = "";

#[derive(Serialize)]
struct LineRef<'a> {
    seq: i64,
    event: &'a Event,
}

#[derive(Deserialize)]
struct Line {
    seq: i64,
    event: Event,
}

/// The JSON of a line, as it is hashed and stored. Canonical because it is stored: a check hashes these bytes, not a new rendering,
/// so that a later runmend whose events have more fields still verifies old lines.
pub fn line(seq: i64, event: &Event) -> Result<String, LedgerError> {
    serde_json::to_string(&LineRef { seq, event }).map_err(|error| LedgerError::Failed(format!("an event has no JSON: {error}")))
}

/// SHA-256 over the previous line's hash and this line, hex.
pub fn hash(prev_hash: &str, line: &str) -> String {
    let mut hasher = Sha256::new();
    hasher.update(prev_hash.as_bytes());
    hasher.update(line.as_bytes());
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// One stored line, as a store read it.
#[derive(Clone, Debug)]
pub struct Stored {
    pub seq: i64,
    pub incident: Option<String>,
    pub line: String,
    pub prev_hash: String,
    pub hash: String,
}

impl Stored {
    pub fn into_line(self) -> Result<AuditLine, LedgerError> {
        let line: Line = serde_json::from_str(&self.line).map_err(|error| broken(self.seq, format!("it is no event: {error}")))?;
        Ok(AuditLine { seq: self.seq, event: line.event, hash: self.hash })
    }
}

/// Walks the chain from its start. Feed it every line in order, then ask [`Walk::end`].
#[derive(Debug)]
pub struct Walk {
    seq: i64,
    hash: String,
}

impl Default for Walk {
    fn default() -> Self {
        Self { seq: 0, hash: START.to_owned() }
    }
}

impl Walk {
    /// # Errors
    /// `AuditBroken` when the line does not follow from the ones before it.
    pub fn step(&mut self, stored: &Stored) -> Result<(), LedgerError> {
        let expected = self.seq + 1;
        if stored.seq != expected {
            return Err(broken(expected, format!("it is missing; the next line is {}", stored.seq)));
        }
        if stored.prev_hash != self.hash {
            return Err(broken(expected, "it does not follow the line before it".to_owned()));
        }
        if hash(&stored.prev_hash, &stored.line) != stored.hash {
            return Err(broken(expected, "its hash is not that of its text".to_owned()));
        }
        let line: Line = serde_json::from_str(&stored.line).map_err(|error| broken(expected, format!("it is no event: {error}")))?;
        if line.seq != stored.seq {
            return Err(broken(expected, format!("its text says line {}", line.seq)));
        }
        if line.event.incident.as_ref().map(|id| id.as_str()) != stored.incident.as_deref() {
            return Err(broken(expected, "it is filed under another incident".to_owned()));
        }
        self.seq = expected;
        self.hash.clone_from(&stored.hash);
        Ok(())
    }

    /// Compares with the end that the store remembers apart from the lines. Returns the number of lines.
    ///
    /// # Errors
    /// `AuditBroken` when lines are missing at the end, or the last one is another.
    pub fn end(self, head_seq: i64, head_hash: &str) -> Result<u64, LedgerError> {
        if self.seq < head_seq {
            return Err(broken(self.seq + 1, format!("it is missing; there were {head_seq} lines")));
        }
        if self.seq > head_seq || self.hash != head_hash {
            return Err(broken(self.seq, "it is not the line that was written last".to_owned()));
        }
        Ok(self.seq.unsigned_abs())
    }
}

fn broken(seq: i64, reason: String) -> LedgerError {
    LedgerError::AuditBroken { seq, reason }
}
