//! The store of incidents behind one trait, and the append-only, hash-chained audit trail.
//! May import: `domain`. Must not: decide, call a workspace, or know a screen. Start at [`Ledger`].
//!
//! Guarantees: a [`Ledger::commit`] is one transaction, all of it or nothing; after it returns it survives a crash of the process
//! and of the machine. A commit whose incident was changed by someone else meanwhile is refused ([`LedgerError::Conflict`]) and
//! changes nothing. Console and agent meet only here.
//!
//! What every store decides alike is in `rules` and `chain`, pure; a store ([`sqlite`] now) only makes it one transaction. A PostgreSQL
//! twin fits the same trait: `claim` selects `FOR UPDATE SKIP LOCKED`, so that agents on many machines never wait for each other;
//! `commit` locks the incident's row instead of the whole store and compares version and fence the same way; the audit chain's head row
//! is locked last, because all commits meet there; `try_lead` always grants, since the fence alone keeps an agent that was thought dead
//! from writing. `tests/ledger` is written against the trait and runs over both.

use async_trait::async_trait;

use crate::domain::Timestamp;
use crate::domain::decision::Mode;
use crate::domain::event::{Event, Outcome};
use crate::domain::evidence::Evidence;
use crate::domain::ids::{Fingerprint, IncidentId, JobId, RunId, WorkspaceName};
use crate::domain::incident::{Failure, Incident, Transition};
use crate::domain::intent::Intent;
use crate::domain::mail::{Delivery, QueuedMail};
use crate::domain::money::Usd;
use crate::domain::precedent::Precedent;

mod chain;
pub mod error;
mod rules;
pub mod sqlite;

pub use error::LedgerError;
pub use sqlite::SqliteLedger;

/// What became of a reported failure.
#[derive(Clone, Debug, PartialEq)]
pub enum Admission {
    /// A new incident, or a new failure of a run that had one: it is to be worked on. The event is what was written to the audit trail.
    Admitted(Box<Incident>, Box<Event>),
    /// This failure of this run is known.
    Known(IncidentId),
    /// The run's incident is open and being worked on: its own step will see this failure.
    InHand(IncidentId),
}

/// An incident that this worker may move until the lease ends. `fence` grows with every claim; a commit under an older one is refused.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    pub incident: Incident,
    pub fence: i64,
}

/// How an agent stands, as it last said itself.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct AgentStatus {
    pub worker: String,
    pub workspace: WorkspaceName,
    pub version: String,
    pub mode: Mode,
    /// Runs without a console. A console's own agent stands back for it.
    pub unattended: bool,
    /// Holds the lead: it is the one that acts.
    pub leading: bool,
    pub poll_interval_s: u64,
    /// The last poll that succeeded.
    pub last_poll: Option<Timestamp>,
    /// Runs seen by polls since the agent started.
    pub runs_seen: u64,
    /// Parts that do not work right now, as `part`, `reason`.
    pub degraded: Vec<(String, String)>,
    /// The second opinion; `None` without a model.
    #[serde(default)]
    pub opinions: Option<OpinionStatus>,
    /// When this was written.
    pub at: Timestamp,
}

/// How an agent's second opinion stands, and what it has cost.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct OpinionStatus {
    pub health: OpinionHealth,
    /// Since midnight UTC, by all processes on the ledger as far as this one has heard; calls in flight at their highest.
    pub spent_today: Usd,
    pub daily_budget: Option<Usd>,
}

#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OpinionHealth {
    /// `None`: nothing was asked yet.
    Ok { latency_ms: Option<u64> },
    /// By the provider's rate limit.
    Limited { until: Timestamp },
    /// A budget of the operator's is used up: `daily` or `hourly`.
    Spent { window: String, until: Timestamp },
    /// It keeps failing; asked again then.
    Down { until: Timestamp },
}

/// The intake's memory of one workspace between polls and across restarts.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct IntakeMemory {
    /// Runs seen active, or in a state that no list names; each is followed to its end.
    pub following: Vec<RunId>,
    /// Start of the last complete poll.
    pub polled_at: Option<Timestamp>,
}

/// Attempts alike and how they came out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub mended: u32,
    pub failed_again: u32,
}

/// What people decided before, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Precedents {
    /// About failures with the same fingerprint, in any job.
    pub alike: Vec<Precedent>,
    /// About other failures of the same job.
    pub of_job: Vec<Precedent>,
}

/// Auto-apply switched on at a console for its session. Ends by itself at `until`, so that a console that dies leaves no agent acting.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct AutoApply {
    pub by: String,
    pub until: Timestamp,
}

/// One line of the audit trail.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditLine {
    /// Grows by one a line, without gaps.
    pub seq: i64,
    pub event: Event,
    /// SHA-256 over the previous line's hash and this line's JSON, hex.
    pub hash: String,
}

/// Open incidents by state, and today's endings, for the status line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub awaiting: u64,
    pub scheduled: u64,
    pub acting: u64,
    pub watching: u64,
    pub with_people: u64,
    pub observed: u64,
    /// Detected, collecting or analysed.
    pub in_analysis: u64,
    pub mended_today: u64,
    pub failed_again_today: u64,
}

/// From what is kept, if anything is, to what is to be kept. May be called more than once.
pub type KeepsakeChange<'a> = dyn Fn(Option<serde_json::Value>) -> serde_json::Value + Send + Sync + 'a;

#[async_trait]
pub trait Ledger: Send + Sync {
    /// Records a failure once: a run and repair seen before is `Known`. A closed incident of the run opens again as its next attempt.
    async fn admit(&self, failure: Failure, now: Timestamp) -> Result<Admission, LedgerError>;

    /// One transition, its events, its intent and its mail: one transaction. Returns the incident with its new version.
    /// `fence` is that of the claim, or `None` for a person's transition (the version check guards it).
    async fn commit(&self, transition: Transition, fence: Option<i64>) -> Result<Incident, LedgerError>;

    /// What a model has said so far of a claimed incident, for those who read along. No version of its own: a person's word meanwhile is
    /// no conflict for the person, but one for the claim.
    ///
    /// # Errors
    /// `Conflict` when someone changed or claimed the incident meanwhile.
    async fn save_draft(&self, incident: &Incident, fence: i64, draft: &str) -> Result<(), LedgerError>;

    /// Takes up to `limit` incidents whose time has come, oldest due first, for `lease_s` seconds.
    async fn claim(
        &self,
        worker: &str,
        workspace: &WorkspaceName,
        now: Timestamp,
        lease_s: u32,
        limit: u32,
    ) -> Result<Vec<Claim>, LedgerError>;

    /// Becomes the one acting agent of this workspace on this ledger, or learns that another one is (`false`). Held until
    /// [`Ledger::yield_lead`] or the end of the process, however it ends; who holds it and asks again is told `true`. A new leader's first act is [`Ledger::take_over`].
    /// SQLite: an operating system lock on a file beside the ledger. PostgreSQL lets several agents act, so it always grants.
    async fn try_lead(&self, workspace: &WorkspaceName) -> Result<bool, LedgerError>;
    async fn yield_lead(&self, workspace: &WorkspaceName);
    /// Ends the leases that an agent left behind when it died; older fences are refused from then on.
    async fn take_over(&self, workspace: &WorkspaceName) -> Result<(), LedgerError>;

    /// Gives a claim back before its lease ends. A claim that was lost meanwhile is no error.
    async fn release(&self, incident: &IncidentId, fence: i64) -> Result<(), LedgerError>;

    /// When something is to be claimed next in this workspace: the earliest `next_due` of its open incidents, where a claimed one counts
    /// from the end of its lease.
    async fn next_due(&self, workspace: &WorkspaceName) -> Result<Option<Timestamp>, LedgerError>;

    async fn incident(&self, id: &IncidentId) -> Result<Option<Incident>, LedgerError>;

    /// Incidents that are open, and the newest `closed_limit` closed ones; all workspaces.
    async fn incidents(&self, closed_limit: u32) -> Result<Vec<Incident>, LedgerError>;

    /// Open incidents of one job.
    async fn open_of_job(&self, workspace: &WorkspaceName, job: JobId) -> Result<Vec<Incident>, LedgerError>;

    async fn save_evidence(&self, id: &IncidentId, attempt: u32, evidence: &Evidence) -> Result<(), LedgerError>;
    /// Evidence of the attempt, or of the newest one that has any.
    async fn evidence(&self, id: &IncidentId, attempt: Option<u32>) -> Result<Option<Evidence>, LedgerError>;

    /// The incident's intents, oldest first.
    async fn intents(&self, id: &IncidentId) -> Result<Vec<Intent>, LedgerError>;

    /// The incident's audit trail, oldest first.
    async fn audit(&self, id: &IncidentId) -> Result<Vec<AuditLine>, LedgerError>;
    /// Recomputes the whole hash chain. `Err(AuditBroken)` names the first line that does not fit.
    async fn verify_audit(&self) -> Result<u64, LedgerError>;
    /// An event that belongs to no transition (ready, degraded, notified, stopped).
    async fn record(&self, event: Event) -> Result<(), LedgerError>;

    /// Grows with every change that a reader may want to see. Cheap: asked several times a second.
    async fn change_seq(&self) -> Result<i64, LedgerError>;
    /// Incidents changed after `seq`, and the newest sequence number.
    async fn changed_since(&self, seq: i64) -> Result<(Vec<Incident>, i64), LedgerError>;

    /// How attempts alike came out: re-runs by fingerprint.
    async fn tally(&self, fingerprint: &Fingerprint) -> Result<Tally, LedgerError>;
    /// An attempt's outcome, for later tallies. Give the incident as it was when the attempt ended, its classification still in it.
    /// An attempt has one outcome: the first that is learnt.
    async fn learn(&self, incident: &Incident, outcome: Outcome, at: Timestamp) -> Result<(), LedgerError>;
    /// What people approved, overrode, ignored or handled before: at most `limit` words of each kind.
    async fn precedents(
        &self,
        fingerprint: &Fingerprint,
        job: Option<(&WorkspaceName, JobId)>,
        limit: u32,
    ) -> Result<Precedents, LedgerError>;
    async fn counts(&self, midnight: Timestamp) -> Result<Counts, LedgerError>;

    async fn intake_memory(&self, workspace: &WorkspaceName) -> Result<IntakeMemory, LedgerError>;
    async fn save_intake_memory(&self, workspace: &WorkspaceName, memory: &IntakeMemory) -> Result<(), LedgerError>;
    /// A run of the job succeeded: its waiting incidents become due now. `started_at` is that run's.
    async fn job_succeeded(
        &self,
        workspace: &WorkspaceName,
        job: JobId,
        run: RunId,
        started_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), LedgerError>;
    /// The newest successful run of the job that was seen, with its start.
    async fn last_success(&self, workspace: &WorkspaceName, job: JobId) -> Result<Option<(RunId, Timestamp)>, LedgerError>;

    /// The workspace's mails to try now, oldest first.
    async fn mails_due(&self, workspace: &WorkspaceName, now: Timestamp, limit: u32) -> Result<Vec<QueuedMail>, LedgerError>;
    async fn mails_of(&self, id: &IncidentId) -> Result<Vec<QueuedMail>, LedgerError>;
    /// Mails that wait, all incidents.
    async fn mails_waiting(&self) -> Result<u64, LedgerError>;
    /// What came of a try. `Queued` with a later `next_try` and the error keeps it.
    async fn settle_mail(&self, dedup_key: &str, delivery: Delivery, next_try: Timestamp, error: Option<String>)
    -> Result<(), LedgerError>;

    async fn set_auto_apply(&self, auto: Option<AutoApply>) -> Result<(), LedgerError>;
    async fn auto_apply(&self, now: Timestamp) -> Result<Option<AutoApply>, LedgerError>;

    /// What a part keeps for itself over a restart, by its name; opaque to the ledger.
    async fn keepsake(&self, part: &str) -> Result<Option<serde_json::Value>, LedgerError>;
    async fn save_keepsake(&self, part: &str, kept: &serde_json::Value) -> Result<(), LedgerError>;
    /// Makes anew what is kept, from what is kept: no process's word in between is lost. Returns what is kept then.
    async fn update_keepsake(&self, part: &str, change: &KeepsakeChange<'_>) -> Result<serde_json::Value, LedgerError>;

    async fn set_agent_status(&self, status: &AgentStatus) -> Result<(), LedgerError>;
    async fn agent_statuses(&self) -> Result<Vec<AgentStatus>, LedgerError>;
}
