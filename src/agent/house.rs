//! What every step works with: the outer systems behind their traits, the operator's settings, and how the agent stands.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex as AsyncMutex, Semaphore, mpsc};

use crate::classify::Classifier;
use crate::databricks::Workspace;
use crate::decide::Policy;
use crate::domain::Timestamp;
use crate::domain::decision::Mode;
use crate::domain::event::{Event, Happening};
use crate::domain::ids::WorkspaceName;
use crate::ledger::{AgentStatus, Ledger, LedgerError, OpinionHealth, OpinionStatus};
use crate::llm::{Desk, Health};
use crate::notify::Channel;
use crate::redact::secrets::Redactor;

/// Where the time comes from. Waits are tokio's, so that a paused runtime and a clock on it agree.
pub trait Clock: Send + Sync {
    fn now(&self) -> Timestamp;
}

pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// What the operator set, as the agent needs it.
#[derive(Clone, Debug)]
pub struct Settings {
    pub policy: Policy,
    pub mode: Mode,
    /// No console: a decision that waits for a person is mailed to the on-call address too.
    pub unattended: bool,
    pub poll_interval: Duration,
    pub poll_lookback: Duration,
    pub watch_interval: Duration,
    /// Where mail goes when a job has no owner with an address.
    pub default_to: Option<String>,
    /// Who is paged; `default_to` where unset.
    pub on_call: Option<String>,
    /// This process, on this machine.
    pub worker: String,
}

/// The outer systems, as `main` has wired them.
pub struct Parts {
    pub workspace: Arc<dyn Workspace>,
    pub ledger: Arc<dyn Ledger>,
    pub classifier: Arc<Classifier>,
    pub redactor: Arc<Redactor>,
    /// Asks a model for a second opinion, or says why not.
    pub desk: Arc<Desk>,
    pub channel: Arc<dyn Channel>,
    pub settings: Settings,
    pub clock: Arc<dyn Clock>,
    /// Receives every event after it was committed: what `--json` prints.
    pub events: mpsc::UnboundedSender<Event>,
}

/// Incidents that are moved at the same time: enough to hide the workspace's latency, few enough for its rate limits. One that waits for
/// a model takes none of these places.
const HANDS: usize = 8;

pub struct House {
    pub workspace: Arc<dyn Workspace>,
    pub ledger: Arc<dyn Ledger>,
    pub classifier: Arc<Classifier>,
    pub redactor: Arc<Redactor>,
    pub desk: Arc<Desk>,
    pub channel: Arc<dyn Channel>,
    pub settings: Settings,
    pub clock: Arc<dyn Clock>,
    pub(super) hands: Semaphore,
    /// Held while a run is being started by run-now, and by a poll: a run of ours that fails at once must not be admitted as
    /// somebody else's failure before the ledger knows that it is ours.
    pub starting: AsyncMutex<()>,
    events: mpsc::UnboundedSender<Event>,
    degraded: Mutex<BTreeMap<String, String>>,
    no_repair: AtomicBool,
    pub(super) leading: AtomicBool,
    pub(super) runs_seen: AtomicU64,
    pub(super) last_poll: Mutex<Option<Timestamp>>,
}

impl House {
    pub fn new(parts: Parts) -> Self {
        let Parts { workspace, ledger, classifier, redactor, desk, channel, settings, clock, events } = parts;
        Self {
            workspace,
            ledger,
            classifier,
            redactor,
            desk,
            channel,
            settings,
            clock,
            hands: Semaphore::new(HANDS),
            starting: AsyncMutex::new(()),
            events,
            degraded: Mutex::default(),
            no_repair: AtomicBool::new(false),
            leading: AtomicBool::new(false),
            runs_seen: AtomicU64::new(0),
            last_poll: Mutex::default(),
        }
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub fn name(&self) -> &WorkspaceName {
        self.workspace.name()
    }

    /// Tells whoever listens. Nobody listening is no error: the ledger has it.
    pub fn tell(&self, events: Vec<Event>) {
        for event in events {
            let _ = self.events.send(event);
        }
    }

    /// The mode in force: the operator's, raised from `approve` to `auto` while auto-apply is on at a console.
    pub async fn mode(&self) -> Result<Mode, LedgerError> {
        match self.settings.mode {
            Mode::Observe | Mode::Auto => Ok(self.settings.mode),
            Mode::Approve => Ok(if self.ledger.auto_apply(self.now()).await?.is_some() { Mode::Auto } else { Mode::Approve }),
        }
    }

    /// A workspace that answered once that it has no runs/repair is not asked again in this process.
    pub fn offers_repair(&self) -> bool {
        !self.no_repair.load(Ordering::Relaxed)
    }

    pub fn remember_no_repair(&self) {
        self.no_repair.store(true, Ordering::Relaxed);
    }

    /// A part does not work: said once when it begins or its reason changes, shown until [`House::recover`].
    pub async fn degrade(&self, part: &str, reason: &str) {
        let news = lock(&self.degraded).insert(part.to_owned(), reason.to_owned()).as_deref() != Some(reason);
        if news {
            tracing::warn!(part, reason, "degraded");
            self.record(Happening::Degraded { part: part.to_owned(), reason: reason.to_owned() }).await;
        }
    }

    pub async fn recover(&self, part: &str) {
        let was = lock(&self.degraded).remove(part);
        if let Some(reason) = was {
            tracing::info!(part, "recovered");
            self.record(Happening::Recovered { part: part.to_owned(), reason }).await;
        }
    }

    /// An event of this workspace's agent, in the audit trail as far as the ledger can take it, and to whoever listens in any case.
    pub async fn record(&self, what: Happening) {
        let mut event = Event::of_agent(self.now(), what);
        event.workspace = Some(self.name().clone());
        self.write_down(event).await;
    }

    /// As [`House::record`], for the process with all its workspaces.
    pub async fn record_of_all(&self, what: Happening) {
        self.write_down(Event::of_agent(self.now(), what)).await;
    }

    async fn write_down(&self, event: Event) {
        if let Err(error) = self.ledger.record(event.clone()).await {
            tracing::warn!(%error, "the ledger could not take an event");
        }
        self.tell(vec![event]);
    }

    pub fn status(&self) -> AgentStatus {
        AgentStatus {
            worker: self.settings.worker.clone(),
            workspace: self.name().clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            mode: self.settings.mode,
            unattended: self.settings.unattended,
            leading: self.leading.load(Ordering::Relaxed),
            poll_interval_s: self.settings.poll_interval.as_secs(),
            last_poll: *lock(&self.last_poll),
            runs_seen: self.runs_seen.load(Ordering::Relaxed),
            degraded: lock(&self.degraded).iter().map(|(part, reason)| (part.clone(), reason.clone())).collect(),
            opinions: self.opinions(),
            at: self.now(),
        }
    }

    fn opinions(&self) -> Option<OpinionStatus> {
        let now = self.now();
        let health = match self.desk.health(now) {
            Health::NotConfigured => return None,
            Health::Ok { latency } => {
                OpinionHealth::Ok { latency_ms: latency.map(|latency| u64::try_from(latency.as_millis()).unwrap_or(u64::MAX)) }
            }
            Health::Limited { until } => OpinionHealth::Limited { until },
            Health::Spent { window, until } => OpinionHealth::Spent { window: window.to_owned(), until },
            Health::Down { until, .. } => OpinionHealth::Down { until },
        };
        Some(OpinionStatus { health, spent_today: self.desk.spent_today(now), daily_budget: self.desk.limits().daily })
    }
}

/// A panic elsewhere must not take the agent's standing with it.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
