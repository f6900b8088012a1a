//! The embedded ledger: one SQLite file, shared by any number of processes on one machine.
//!
//! Flow: one connection writes (`BEGIN IMMEDIATE`, so that what a transaction read is still so when it writes), a few read. Each is
//! behind a lock of its own rather than in a pool: a pool's waiting has timeouts, and a timeout on a paused clock is over at once.
//! Guarantees: WAL with `synchronous = FULL`: a commit that returned survives a power cut. A future that is dropped midway rolls back.
//! Caveats: the file must be on a local disk; WAL needs memory shared between the processes.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use tokio::sync::{Mutex, MutexGuard};

use super::{
    Admission, AgentStatus, AuditLine, AutoApply, Claim, Counts, IntakeMemory, KeepsakeChange, Ledger, LedgerError, Precedents, Tally,
};
use crate::domain::Timestamp;
use crate::domain::event::{Event, Outcome};
use crate::domain::evidence::Evidence;
use crate::domain::ids::{Fingerprint, IncidentId, JobId, RunId, WorkspaceName};
use crate::domain::incident::{Failure, Incident, Transition};
use crate::domain::intent::Intent;
use crate::domain::mail::{Delivery, QueuedMail};

mod admit;
mod audit;
mod claim;
mod commit;
mod door;
mod error;
mod lead;
mod learn;
mod mails;
mod open;
mod read;
mod row;
mod settings;
#[cfg(test)]
mod tests;

use door::Door;
use error::At;

/// A SQLite ledger, open. Cheap to share behind an `Arc`; one a process is enough.
pub struct SqliteLedger {
    at: At,
    writer: Mutex<Door>,
    /// Empty for a ledger in memory, whose one connection does both.
    readers: Vec<Mutex<Door>>,
    next_reader: AtomicUsize,
    lead: lead::Lead,
}

impl std::fmt::Debug for SqliteLedger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteLedger").field("path", &self.at.path).finish_non_exhaustive()
    }
}

impl SqliteLedger {
    /// Opens the ledger at `path`, and makes it, with its folders, when there is none. A new file is its owner's alone (0600).
    ///
    /// # Errors
    /// `Corrupt` for a damaged file, another program's database, or a directory: it is left as it was. `TooNew` for a schema of a later
    /// runmend. `Unwritable` when the folder or the disk refuses. `Failed` when the file stays busy.
    pub async fn open(path: &Path) -> Result<Self, LedgerError> {
        let opened = open::open(path).await?;
        Ok(Self::new(At::new(path), opened, lead::Lead::beside(path)))
    }

    /// A ledger that ends with the process, for tests and simulations.
    ///
    /// # Errors
    /// `Failed` when SQLite has no memory.
    pub async fn open_in_memory() -> Result<Self, LedgerError> {
        let opened = open::open_in_memory().await?;
        Ok(Self::new(At::new(Path::new(":memory:")), opened, lead::Lead::alone()))
    }

    fn new(at: At, opened: open::Opened, lead: lead::Lead) -> Self {
        let readers = opened.readers.into_iter().map(Mutex::new).collect();
        Self { at, writer: Mutex::new(opened.writer), readers, next_reader: AtomicUsize::new(0), lead }
    }

    /// Where the ledger lies; `:memory:` for one that ends with the process.
    pub fn path(&self) -> &PathBuf {
        &self.at.path
    }

    async fn write(&self) -> Result<MutexGuard<'_, Door>, LedgerError> {
        self.sound(self.writer.lock().await).await
    }

    /// A connection that reads: a free one if there is one.
    async fn read(&self) -> Result<MutexGuard<'_, Door>, LedgerError> {
        for reader in &self.readers {
            if let Ok(free) = reader.try_lock() {
                return self.sound(free).await;
            }
        }
        let turn = self.next_reader.fetch_add(1, Ordering::Relaxed);
        match self.readers.get(turn.checked_rem(self.readers.len()).unwrap_or_default()) {
            Some(reader) => self.sound(reader.lock().await).await,
            None => self.write().await,
        }
    }

    async fn sound<'a>(&self, mut door: MutexGuard<'a, Door>) -> Result<MutexGuard<'a, Door>, LedgerError> {
        door.sound().await.map_err(|error| self.at.sql(error))?;
        Ok(door)
    }
}

#[async_trait]
impl Ledger for SqliteLedger {
    async fn admit(&self, failure: Failure, now: Timestamp) -> Result<Admission, LedgerError> {
        // Most reports are of failures that are known, and stay so: no need to wait for the write lock.
        if let Some(known) = admit::known(&mut self.read().await?.conn, &self.at, &failure).await? {
            return Ok(Admission::Known(known));
        }
        admit::admit(&mut self.write().await?.conn, &self.at, failure, now).await
    }

    async fn commit(&self, transition: Transition, fence: Option<i64>) -> Result<Incident, LedgerError> {
        commit::commit(&mut self.write().await?.conn, &self.at, transition, fence).await
    }

    async fn save_draft(&self, incident: &Incident, fence: i64, draft: &str) -> Result<(), LedgerError> {
        commit::save_draft(&mut self.write().await?.conn, &self.at, incident, fence, draft).await
    }

    async fn claim(
        &self,
        worker: &str,
        workspace: &WorkspaceName,
        now: Timestamp,
        lease_s: u32,
        limit: u32,
    ) -> Result<Vec<Claim>, LedgerError> {
        let until = row::later(now, lease_s);
        claim::claim(&mut self.write().await?.conn, &self.at, &claim::Ask { worker, workspace, now, until, limit }).await
    }

    async fn try_lead(&self, workspace: &WorkspaceName) -> Result<bool, LedgerError> {
        self.lead.take(workspace)
    }

    async fn yield_lead(&self, workspace: &WorkspaceName) {
        self.lead.give_up(workspace);
    }

    async fn take_over(&self, workspace: &WorkspaceName) -> Result<(), LedgerError> {
        claim::take_over(&mut self.write().await?.conn, &self.at, workspace).await
    }

    async fn release(&self, incident: &IncidentId, fence: i64) -> Result<(), LedgerError> {
        claim::release(&mut self.write().await?.conn, &self.at, incident, fence).await
    }

    async fn next_due(&self, workspace: &WorkspaceName) -> Result<Option<Timestamp>, LedgerError> {
        claim::next_due(&mut self.read().await?.conn, &self.at, workspace).await
    }

    async fn incident(&self, id: &IncidentId) -> Result<Option<Incident>, LedgerError> {
        read::incident(&mut self.read().await?.conn, &self.at, id).await
    }

    async fn incidents(&self, closed_limit: u32) -> Result<Vec<Incident>, LedgerError> {
        read::incidents(&mut self.read().await?.conn, &self.at, closed_limit).await
    }

    async fn open_of_job(&self, workspace: &WorkspaceName, job: JobId) -> Result<Vec<Incident>, LedgerError> {
        read::open_of_job(&mut self.read().await?.conn, &self.at, workspace, job).await
    }

    async fn save_evidence(&self, id: &IncidentId, attempt: u32, evidence: &Evidence) -> Result<(), LedgerError> {
        commit::save_evidence(&mut self.write().await?.conn, &self.at, id, attempt, evidence).await
    }

    async fn evidence(&self, id: &IncidentId, attempt: Option<u32>) -> Result<Option<Evidence>, LedgerError> {
        read::evidence(&mut self.read().await?.conn, &self.at, id, attempt).await
    }

    async fn intents(&self, id: &IncidentId) -> Result<Vec<Intent>, LedgerError> {
        read::intents(&mut self.read().await?.conn, &self.at, id).await
    }

    async fn audit(&self, id: &IncidentId) -> Result<Vec<AuditLine>, LedgerError> {
        audit::of_incident(&mut self.read().await?.conn, &self.at, id).await
    }

    async fn verify_audit(&self) -> Result<u64, LedgerError> {
        audit::verify(&mut self.read().await?.conn, &self.at).await
    }

    async fn record(&self, event: Event) -> Result<(), LedgerError> {
        audit::record(&mut self.write().await?.conn, &self.at, event).await
    }

    async fn change_seq(&self) -> Result<i64, LedgerError> {
        read::change_seq(&mut self.read().await?.conn, &self.at).await
    }

    async fn changed_since(&self, seq: i64) -> Result<(Vec<Incident>, i64), LedgerError> {
        read::changed_since(&mut self.read().await?.conn, &self.at, seq).await
    }

    async fn tally(&self, fingerprint: &Fingerprint) -> Result<Tally, LedgerError> {
        learn::tally(&mut self.read().await?.conn, &self.at, fingerprint).await
    }

    async fn learn(&self, incident: &Incident, outcome: Outcome, at: Timestamp) -> Result<(), LedgerError> {
        learn::learn(&mut self.write().await?.conn, &self.at, incident, outcome, at).await
    }

    async fn precedents(
        &self,
        fingerprint: &Fingerprint,
        job: Option<(&WorkspaceName, JobId)>,
        limit: u32,
    ) -> Result<Precedents, LedgerError> {
        learn::precedents(&mut self.read().await?.conn, &self.at, fingerprint, job, limit).await
    }

    async fn counts(&self, midnight: Timestamp) -> Result<Counts, LedgerError> {
        read::counts(&mut self.read().await?.conn, &self.at, midnight).await
    }

    async fn intake_memory(&self, workspace: &WorkspaceName) -> Result<IntakeMemory, LedgerError> {
        settings::intake_memory(&mut self.read().await?.conn, &self.at, workspace).await
    }

    async fn save_intake_memory(&self, workspace: &WorkspaceName, memory: &IntakeMemory) -> Result<(), LedgerError> {
        settings::save_intake_memory(&mut self.write().await?.conn, &self.at, workspace, memory).await
    }

    async fn job_succeeded(
        &self,
        workspace: &WorkspaceName,
        job: JobId,
        run: RunId,
        started_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), LedgerError> {
        learn::job_succeeded(&mut self.write().await?.conn, &self.at, workspace, job, (run, started_at), now).await
    }

    async fn last_success(&self, workspace: &WorkspaceName, job: JobId) -> Result<Option<(RunId, Timestamp)>, LedgerError> {
        learn::last_success(&mut self.read().await?.conn, &self.at, workspace, job).await
    }

    async fn mails_due(&self, workspace: &WorkspaceName, now: Timestamp, limit: u32) -> Result<Vec<QueuedMail>, LedgerError> {
        mails::due(&mut self.read().await?.conn, &self.at, workspace, now, limit).await
    }

    async fn mails_of(&self, id: &IncidentId) -> Result<Vec<QueuedMail>, LedgerError> {
        mails::of_incident(&mut self.read().await?.conn, &self.at, id).await
    }

    async fn mails_waiting(&self) -> Result<u64, LedgerError> {
        mails::waiting(&mut self.read().await?.conn, &self.at).await
    }

    async fn settle_mail(
        &self,
        dedup_key: &str,
        delivery: Delivery,
        next_try: Timestamp,
        error: Option<String>,
    ) -> Result<(), LedgerError> {
        mails::settle(&mut self.write().await?.conn, &self.at, dedup_key, &delivery, next_try, error).await
    }

    async fn set_auto_apply(&self, auto: Option<AutoApply>) -> Result<(), LedgerError> {
        settings::set_auto_apply(&mut self.write().await?.conn, &self.at, auto).await
    }

    async fn auto_apply(&self, now: Timestamp) -> Result<Option<AutoApply>, LedgerError> {
        settings::auto_apply(&mut self.read().await?.conn, &self.at, now).await
    }

    async fn keepsake(&self, part: &str) -> Result<Option<serde_json::Value>, LedgerError> {
        settings::keepsake(&mut self.read().await?.conn, &self.at, part).await
    }

    async fn save_keepsake(&self, part: &str, kept: &serde_json::Value) -> Result<(), LedgerError> {
        settings::save_keepsake(&mut self.write().await?.conn, &self.at, part, kept).await
    }

    async fn update_keepsake(&self, part: &str, change: &KeepsakeChange<'_>) -> Result<serde_json::Value, LedgerError> {
        settings::update_keepsake(&mut self.write().await?.conn, &self.at, part, change).await
    }

    async fn set_agent_status(&self, status: &AgentStatus) -> Result<(), LedgerError> {
        settings::set_agent_status(&mut self.write().await?.conn, &self.at, status).await
    }

    async fn agent_statuses(&self) -> Result<Vec<AgentStatus>, LedgerError> {
        settings::agent_statuses(&mut self.read().await?.conn, &self.at).await
    }
}
