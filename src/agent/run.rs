//! The loops: poll for failures, move incidents that are due, take mail out, say how the agent stands. Each loop survives the errors
//! of the others; all end together, with what is in flight finished or on record.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use crate::domain::ids::RunId;
use crate::domain::incident::{Incident, State};
use crate::intake::Poller;
use crate::ledger::{Claim, LedgerError};
use crate::llm::Health;

use super::house::{House, lock};
use super::{post, step};

/// Incidents claimed at the same time. How many of them work at once is [`House::hands`]; the others wait for a model's word, or their turn.
const DRIVES_MAX: usize = 48;
/// How often the ledger is asked for what is due, and for what a console changed: one indexed read.
const LOOK: Duration = Duration::from_millis(200);
/// A step's longest call is bounded well under this; a claim that outlives it belongs to a dead process.
const LEASE_S: u32 = 600;
/// How long a stop waits for calls in flight. What is not finished then is an open intent, which the next start reconciles.
const GRACE: Duration = Duration::from_secs(20);
/// How often an agent that stands back looks whether it is needed.
const STAND_BACK: Duration = Duration::from_millis(500);
/// Beat of the agent's status; one older than three beats is of an agent that is gone.
const BEAT: Duration = Duration::from_secs(2);
const BEATS_GONE_S: i64 = 6;

/// When all of it is to end. `true` means stop.
pub type Stop = watch::Receiver<bool>;

pub struct Agent {
    house: Arc<House>,
}

impl Agent {
    pub fn new(house: Arc<House>) -> Self {
        Self { house }
    }

    /// Works until told to stop. Leads if no other agent does; an agent of a console stands back for an unattended one.
    pub async fn run(&self, stop: Stop) {
        while !*stop.borrow() {
            if self.may_lead().await {
                self.lead(stop.clone()).await;
                self.house.leading.store(false, Ordering::Relaxed);
                self.house.ledger.yield_lead(self.house.name()).await;
            }
            self.beat().await;
            pause(&mut stop.clone(), STAND_BACK).await;
        }
        self.beat().await;
    }

    /// One pass: poll, move what is due, mail, leave. Not while another agent leads: then that one does it.
    pub async fn once(&self) -> Result<(), LedgerError> {
        if !self.house.ledger.try_lead(self.house.name()).await? {
            self.house.degrade("lead", "another runmend works on this ledger; it will do the pass").await;
            return Ok(());
        }
        self.house.leading.store(true, Ordering::Relaxed);
        self.house.ledger.take_over(self.house.name()).await?;
        let mut poller = self.poller();
        self.poll(&mut poller).await;
        loop {
            let claims = self.claim(DRIVES_MAX).await?;
            if claims.is_empty() {
                break;
            }
            for claim in claims {
                step::drive(claim, &self.house).await?;
            }
        }
        while post::round(&self.house).await? > 0 {}
        self.beat().await;
        self.house.ledger.yield_lead(self.house.name()).await;
        Ok(())
    }

    async fn may_lead(&self) -> bool {
        if self.unattended_elsewhere().await {
            return false;
        }
        match self.house.ledger.try_lead(self.house.name()).await {
            Ok(lead) => lead,
            Err(error) => {
                self.house.degrade("ledger", &error.to_string()).await;
                false
            }
        }
    }

    /// An unattended agent is alive on this ledger: a console's agent leaves the work to it.
    async fn unattended_elsewhere(&self) -> bool {
        if self.house.settings.unattended {
            return false;
        }
        let now = self.house.now();
        self.house.ledger.agent_statuses().await.unwrap_or_default().iter().any(|other| {
            other.unattended
                && other.worker != self.house.settings.worker
                && other.workspace == *self.house.name()
                && now.duration_since(other.at).as_secs() < BEATS_GONE_S
        })
    }

    async fn lead(&self, stop: Stop) {
        if let Err(error) = self.house.ledger.take_over(self.house.name()).await {
            self.house.degrade("ledger", &error.to_string()).await;
            return;
        }
        self.house.leading.store(true, Ordering::Relaxed);
        tokio::join!(
            self.poll_loop(stop.clone()),
            self.work_loop(stop.clone()),
            self.post_loop(stop.clone()),
            self.beat_loop(stop.clone())
        );
    }

    fn poller(&self) -> Poller {
        Poller::new(self.house.workspace.clone(), self.house.ledger.clone(), self.house.settings.poll_lookback)
    }

    async fn poll_loop(&self, mut stop: Stop) {
        let mut poller = self.poller();
        while self.goes_on(&stop) {
            let started = Instant::now();
            self.poll(&mut poller).await;
            let rest = self.house.settings.poll_interval.saturating_sub(started.elapsed());
            pause(&mut stop, rest).await;
        }
    }

    async fn poll(&self, poller: &mut Poller) {
        let report = {
            let _starting = self.house.starting.lock().await;
            poller.poll(self.house.now()).await
        };
        match report {
            Ok(report) => {
                *lock(&self.house.last_poll) = Some(self.house.now());
                self.house.runs_seen.fetch_add(report.runs_seen, Ordering::Relaxed);
                match report.warnings.as_slice() {
                    [] => self.house.recover("poll").await,
                    warnings => self.house.degrade("poll", &warnings.join("; ")).await,
                }
                self.house.tell(report.admitted.into_iter().map(|(_, event)| event).collect());
                if let Err(error) = self.wake(&report.active).await {
                    self.house.degrade("ledger", &error.to_string()).await;
                }
            }
            Err(error) => self.house.degrade("poll", &error.to_string()).await,
        }
        self.beat().await;
    }

    /// A run that waits for people is active: somebody is repairing it. Its incident looks at once, not at its next check.
    async fn wake(&self, active: &BTreeSet<RunId>) -> Result<(), LedgerError> {
        if active.is_empty() {
            return Ok(());
        }
        let waits =
            |incident: &Incident| matches!(incident.state, State::AwaitingApproval | State::WithPeople | State::Decided | State::Scheduled);
        for incident in self.house.ledger.incidents(0).await? {
            if incident.workspace == *self.house.name() && waits(&incident) && active.contains(&incident.failure.run) {
                self.due_now(&incident).await?;
            }
        }
        Ok(())
    }

    async fn due_now(&self, incident: &Incident) -> Result<(), LedgerError> {
        match self.house.ledger.commit(incident.stay().due(Some(self.house.now())), None).await {
            Ok(_) | Err(LedgerError::Conflict { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn claim(&self, limit: usize) -> Result<Vec<Claim>, LedgerError> {
        let house = &self.house;
        house.ledger.claim(&house.settings.worker, house.name(), house.now(), LEASE_S, limit as u32).await
    }

    async fn work_loop(&self, mut stop: Stop) {
        let mut drives: JoinSet<Result<(), LedgerError>> = JoinSet::new();
        let mut auto_apply = false;
        while self.goes_on(&stop) {
            if let Err(error) = self.work(&mut drives, &mut auto_apply).await {
                self.house.degrade("ledger", &error.to_string()).await;
                pause(&mut stop, STAND_BACK).await;
            }
            tokio::select! {
                Some(ended) = drives.join_next(), if !drives.is_empty() => self.ended(ended).await,
                () = pause(&mut stop, LOOK) => {}
            }
        }
        let rest = async {
            while let Some(ended) = drives.join_next().await {
                self.ended(ended).await;
            }
        };
        if timeout(GRACE, rest).await.is_err() {
            tracing::warn!("stopped with calls in flight; they are on record and will be asked after at the next start");
        }
    }

    async fn work(&self, drives: &mut JoinSet<Result<(), LedgerError>>, auto_apply: &mut bool) -> Result<(), LedgerError> {
        let house = &self.house;
        let now = house.now();
        let auto = house.ledger.auto_apply(now).await?.is_some();
        if auto != std::mem::replace(auto_apply, auto) {
            // Switched: what waits, or is scheduled, is looked at again under the mode now in force.
            for incident in house.ledger.incidents(0).await? {
                if incident.workspace == *house.name()
                    && matches!(incident.state, State::AwaitingApproval | State::Scheduled)
                    && incident.approval.is_none()
                    && auto
                {
                    self.due_now(&incident).await?;
                }
            }
        }
        if house.ledger.next_due(house.name()).await?.is_some_and(|due| due <= now) && drives.len() < DRIVES_MAX {
            for claim in self.claim(DRIVES_MAX - drives.len()).await? {
                let house = Arc::clone(house);
                drives.spawn(async move { step::drive(claim, &house).await });
            }
        }
        house.recover("ledger").await;
        Ok(())
    }

    async fn ended(&self, ended: Result<Result<(), LedgerError>, tokio::task::JoinError>) {
        match ended {
            Ok(Ok(())) => {}
            Ok(Err(error)) => self.house.degrade("ledger", &error.to_string()).await,
            // The step died; its incident is as the ledger has it and is taken again when its lease ends.
            Err(error) => self.house.degrade("agent", &format!("a step ended unexpectedly: {error}")).await,
        }
    }

    async fn post_loop(&self, mut stop: Stop) {
        while self.goes_on(&stop) {
            if let Err(error) = post::round(&self.house).await {
                self.house.degrade("ledger", &error.to_string()).await;
            }
            pause(&mut stop, STAND_BACK).await;
        }
    }

    async fn beat_loop(&self, mut stop: Stop) {
        while self.goes_on(&stop) {
            self.beat().await;
            if self.unattended_elsewhere().await {
                // Stand back: the other loops see it at their next turn.
                self.house.leading.store(false, Ordering::Relaxed);
            }
            pause(&mut stop, BEAT).await;
        }
    }

    async fn beat(&self) {
        // Midnight, or the end of a pause, is no event: the second opinion is there again without being asked.
        if matches!(self.house.desk.health(self.house.now()), Health::Ok { .. }) {
            self.house.recover("llm").await;
        }
        if let Err(error) = self.house.ledger.set_agent_status(&self.house.status()).await {
            tracing::warn!(%error, "the ledger could not take the agent's status");
        }
    }

    fn goes_on(&self, stop: &Stop) -> bool {
        !*stop.borrow() && self.house.leading.load(Ordering::Relaxed)
    }
}

/// Sleeps, or returns early when told to stop.
async fn pause(stop: &mut Stop, wait: Duration) {
    tokio::select! {
        () = sleep(wait) => {}
        _ = stop.wait_for(|stop| *stop) => {}
    }
}
