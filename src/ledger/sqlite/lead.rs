//! One acting agent a workspace: an operating system lock on a file beside the ledger. The system gives it back when the process ends,
//! however it ends, so that no timeout stands between a crash and the next agent.

use std::collections::HashMap;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::open;
use crate::domain::ids::WorkspaceName;
use crate::ledger::LedgerError;

#[derive(Debug)]
pub struct Lead {
    /// `None` for a ledger in memory: nobody else can have it.
    ledger: Option<PathBuf>,
    held: Mutex<HashMap<WorkspaceName, File>>,
}

impl Lead {
    pub fn beside(ledger: &Path) -> Self {
        Self { ledger: Some(ledger.to_owned()), held: Mutex::default() }
    }

    pub fn alone() -> Self {
        Self { ledger: None, held: Mutex::default() }
    }

    /// Who asks again while it leads is told so again.
    pub fn take(&self, workspace: &WorkspaceName) -> Result<bool, LedgerError> {
        let Some(ledger) = &self.ledger else { return Ok(true) };
        let mut held = self.held();
        if held.contains_key(workspace) {
            return Ok(true);
        }
        let path = open::beside(ledger, &format!(".{}.lead", file_word(workspace)));
        let file = open::lock_file(ledger, &path)?;
        match file.try_lock() {
            Ok(()) => {
                held.insert(workspace.clone(), file);
                Ok(true)
            }
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(error)) => Err(LedgerError::Failed(format!("{} cannot be locked: {error}", path.display()))),
        }
    }

    pub fn give_up(&self, workspace: &WorkspaceName) {
        // Closing the file unlocks it. The file stays: removing it would let two agents lock two files of one name.
        self.held().remove(workspace);
    }

    /// A panic elsewhere leaves the map whole: each change of it is one call.
    fn held(&self) -> MutexGuard<'_, HashMap<WorkspaceName, File>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A workspace's name may hold what a file name must not; what is kept is readable, and the rest is told apart by its bytes.
fn file_word(workspace: &WorkspaceName) -> String {
    workspace
        .as_str()
        .bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}
