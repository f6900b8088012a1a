//! Reads the ledger and sends complete snapshots: the only part of the console that waits for its reads.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};

use crate::domain::Timestamp;
use crate::domain::ids::IncidentId;
use crate::domain::incident::Incident;
use crate::ledger::{Ledger, LedgerError};

use super::dossier::{Dossier, Papers};
use super::model::Msg;
use super::run::Clock;
use super::snapshot::{Entry, Snapshot};

/// How often the ledger is asked whether anything changed: one indexed read, well under what an eye notices.
const LOOK: Duration = Duration::from_millis(250);
/// Read anew after so long even without a change: midnight moves the counts.
const STALE_S: i64 = 30;
/// A ledger that answers later than this is told as trouble; the read is tried again.
const PATIENCE: Duration = Duration::from_secs(10);
/// Pause after a read that failed.
const AFTER_TROUBLE: Duration = Duration::from_secs(1);
/// Closed incidents on the list: a day's worth of a busy workspace; older ones are in the reports.
const CLOSED_MAX: u32 = 1000;

pub struct Feed {
    pub ledger: Arc<dyn Ledger>,
    pub zone: TimeZone,
    pub clock: Clock,
    pub out: mpsc::Sender<Msg>,
}

impl Feed {
    /// Until the console is gone.
    pub async fn run(self) {
        let mut known = Known::default();
        let mut troubled = false;
        while !self.out.is_closed() {
            let read = match timeout(PATIENCE, self.look(&mut known)).await {
                Ok(read) => read.map_err(|error| error.to_string()),
                Err(_) => Err(format!("no answer for {} s", PATIENCE.as_secs())),
            };
            let (msg, pause) = match read {
                Ok(snapshot) => {
                    let well = std::mem::take(&mut troubled).then_some(Msg::Trouble(None));
                    (snapshot.map(|snapshot| Msg::Snapshot(Arc::new(snapshot))).or(well), LOOK)
                }
                Err(why) => {
                    troubled = true;
                    (Some(Msg::Trouble(Some(why))), AFTER_TROUBLE)
                }
            };
            if let Some(msg) = msg
                && self.out.send(msg).await.is_err()
            {
                return;
            }
            sleep(pause).await;
        }
    }

    /// A snapshot, when there is anything new to see.
    async fn look(&self, known: &mut Known) -> Result<Option<Snapshot>, LedgerError> {
        let now = (self.clock)();
        let seq = self.ledger.change_seq().await?;
        let fresh = known.read_at.is_some_and(|at| now.duration_since(at).as_secs() < STALE_S);
        if fresh && known.seq == Some(seq) {
            return Ok(None);
        }
        match known.seq {
            // What changes between the two reads is read again the next time.
            None => {
                known.put(self.ledger.incidents(CLOSED_MAX).await?);
                known.seq = Some(seq);
            }
            Some(since) => {
                let (changed, newest) = self.ledger.changed_since(since).await?;
                known.put(changed);
                known.seq = Some(newest);
            }
        }
        let midnight = now.to_zoned_datetime(self.zone.clone()).start_of_day().map_or(now, |day| day.timestamp());
        let snapshot = Snapshot {
            counts: self.ledger.counts(midnight).await?,
            agents: self.ledger.agent_statuses().await?,
            auto_apply: self.ledger.auto_apply(now).await?,
            entries: known.entries(),
            at: now,
        };
        known.read_at = Some(now);
        Ok(Some(snapshot))
    }
}

/// What was read so far.
#[derive(Default)]
struct Known {
    seq: Option<i64>,
    read_at: Option<Timestamp>,
    entries: HashMap<IncidentId, Arc<Entry>>,
}

impl Known {
    fn put(&mut self, incidents: Vec<Incident>) {
        for incident in incidents {
            self.entries.insert(incident.id.clone(), Arc::new(Entry::new(incident)));
        }
        let closed: Vec<_> = self.entries.values().filter_map(|entry| entry.incident.closed_at).collect();
        let limit = CLOSED_MAX as usize;
        // Cut at twice the limit, to the limit: a console that is open for weeks neither grows nor sorts at every change.
        if closed.len() > 2 * limit {
            let mut newest = closed;
            newest.sort_unstable_by_key(|at| Reverse(*at));
            let oldest_kept = newest.get(limit).copied();
            self.entries.retain(|_, entry| entry.incident.closed_at.is_none_or(|at| oldest_kept.is_none_or(|oldest| at > oldest)));
        }
    }

    fn entries(&self) -> Vec<Arc<Entry>> {
        self.entries.values().cloned().collect()
    }
}

/// Loads what is known of the incident under the cursor; of several that were asked for, the last.
pub struct Archive {
    pub ledger: Arc<dyn Ledger>,
    pub zone: TimeZone,
    pub wanted: watch::Receiver<Option<Arc<Entry>>>,
    pub out: mpsc::Sender<Msg>,
}

impl Archive {
    /// Until the console is gone.
    pub async fn run(mut self) {
        while self.wanted.changed().await.is_ok() {
            let Some(entry) = self.wanted.borrow_and_update().clone() else { continue };
            let read = match timeout(PATIENCE, self.papers(&entry.incident)).await {
                Ok(read) => read.map_err(|error| error.to_string()),
                Err(_) => Err(format!("no answer for {} s", PATIENCE.as_secs())),
            };
            let dossier = match read {
                Ok(papers) => Ok(Arc::new(Dossier::new(&entry.incident, &papers, &self.zone))),
                Err(why) => Err((entry.incident.id.clone(), why)),
            };
            if self.out.send(Msg::Dossier(dossier)).await.is_err() {
                return;
            }
        }
    }

    async fn papers(&self, incident: &Incident) -> Result<Papers, LedgerError> {
        let id = &incident.id;
        Ok(Papers {
            evidence: self.ledger.evidence(id, None).await?,
            audit: self.ledger.audit(id).await?,
            intents: self.ledger.intents(id).await?,
            mails: self.ledger.mails_of(id).await?,
        })
    }
}
