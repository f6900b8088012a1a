//! The spare call of a quiet poll: looks at one known failed run a poll, in turn. A person's repair that fails within seconds shows in
//! neither list (its run started long ago and is ended at both polls); without this it would be seen by nobody.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::domain::Timestamp;
use crate::domain::ids::{IncidentId, RunId, WorkspaceName};
use crate::domain::incident::{Ending, FailureKey, Incident, State};
use crate::ledger::{Ledger, LedgerError};

/// Closed incidents that are considered, newest first.
const CLOSED_MAX: u32 = 100;
/// A failure older than this is no longer looked at: who repairs it now does so with the run before the eyes.
const AGE_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// Whose turn it is.
#[derive(Default)]
pub struct Recheck {
    last: Option<IncidentId>,
}

impl Recheck {
    pub async fn next(
        &mut self,
        ledger: &dyn Ledger,
        workspace: &WorkspaceName,
        active: &BTreeSet<RunId>,
        now: Timestamp,
    ) -> Result<Option<FailureKey>, LedgerError> {
        let oldest = now.checked_sub(AGE_MAX).unwrap_or(Timestamp::MIN);
        let incidents = ledger.incidents(CLOSED_MAX).await?;
        let mut waiting: Vec<&Incident> = incidents
            .iter()
            .filter(|incident| incident.workspace == *workspace && !active.contains(&incident.failure.run))
            .filter(|incident| nobody_looks(incident.state) && newest_time(incident) >= oldest)
            .collect();
        waiting.sort_by(|a, b| a.id.cmp(&b.id));
        let next = waiting.iter().find(|incident| Some(&incident.id) > self.last.as_ref()).or_else(|| waiting.first());
        self.last = next.map(|incident| incident.id.clone());
        Ok(next.map(|incident| incident.failure.clone()))
    }
}

/// The agent reads a run before each of its own steps; it has none to make here.
fn nobody_looks(state: State) -> bool {
    match state {
        State::Decided | State::AwaitingApproval | State::WithPeople => true,
        State::Closed(Ending::Handled | Ending::Ignored | Ending::Superseded) => true,
        State::Closed(Ending::Mended) => false,
        State::Detected | State::Collecting | State::Analysed | State::Scheduled | State::Acting | State::Watching => false,
    }
}

fn newest_time(incident: &Incident) -> Timestamp {
    incident.closed_at.max(incident.failed_at).unwrap_or(incident.detected_at).max(incident.detected_at)
}
