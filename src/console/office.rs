//! Carries what a person decided to the ledger, in the order in which it was decided, and says what came of it.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::domain::incident::Transition;
use crate::ledger::{AutoApply, Ledger, LedgerError};

use super::model::{Msg, Refusal};
use super::run::Clock;

/// Auto-apply ends so long after the last sign of life of its console.
const AUTO_APPLY_LASTS: SignedDuration = SignedDuration::from_secs(60);
/// Two renewals may be lost before it ends.
const RENEW: Duration = Duration::from_secs(20);

/// Something to be written.
#[derive(Debug)]
pub enum Errand {
    Commit { transition: Box<Transition>, said: String },
    AutoApply(bool),
}

pub struct Office {
    pub ledger: Arc<dyn Ledger>,
    /// Under whose name auto-apply is on.
    pub user: String,
    pub clock: Clock,
    pub errands: mpsc::UnboundedReceiver<Errand>,
    pub out: mpsc::Sender<Msg>,
}

impl Office {
    /// Until no more errands can come; then what is waiting is done, and auto-apply withdrawn.
    pub async fn run(mut self) {
        let mut renew_at: Option<Instant> = None;
        loop {
            let errand = tokio::select! {
                errand = self.errands.recv() => errand,
                () = sleep_until(renew_at.unwrap_or_else(Instant::now)), if renew_at.is_some() => Some(Errand::AutoApply(true)),
            };
            match errand {
                None => break,
                Some(Errand::Commit { transition, said }) => self.commit(*transition, said).await,
                Some(Errand::AutoApply(on)) => {
                    let written = self.set_auto_apply(on).await;
                    renew_at = (on && written).then(|| Instant::now() + RENEW);
                }
            }
        }
        if renew_at.is_some() {
            // It would end by itself within the minute; but a console that was left must not act for even that long.
            let _ = self.ledger.set_auto_apply(None).await;
        }
    }

    async fn commit(&self, transition: Transition, said: String) {
        let incident = transition.incident.id.clone();
        let result = match self.ledger.commit(transition, None).await {
            Ok(now) => Ok(now.version),
            Err(LedgerError::Conflict { .. }) => Err(Refusal::Conflict),
            Err(error) => Err(Refusal::Failed(error.to_string())),
        };
        self.tell(Msg::Committed { incident, said, result }).await;
    }

    async fn set_auto_apply(&self, on: bool) -> bool {
        let until = (self.clock)().saturating_add(AUTO_APPLY_LASTS);
        let auto = match until {
            Ok(until) if on => Some(AutoApply { by: self.user.clone(), until }),
            _ => None,
        };
        let result = self.ledger.set_auto_apply(auto).await.map_err(|error| error.to_string());
        let written = result.is_ok();
        self.tell(Msg::AutoApplied { on, result }).await;
        written
    }

    /// Nobody listens any more once the console was left: then the ledger is the only one to know.
    async fn tell(&self, msg: Msg) {
        let _ = self.out.send(msg).await;
    }
}
