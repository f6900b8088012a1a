//! What one poll has gathered: the runs to ask about, and what each answer means.

use std::collections::BTreeSet;

use crate::databricks::run::{LifeCycle, Run, Standing};
use crate::domain::ids::RunId;
use crate::domain::incident::FailureKey;

/// A run to ask about, and why.
pub struct Ask {
    pub run: RunId,
    pub why: Why,
}

pub enum Why {
    /// It is listed as failed.
    Listed(Box<Run>),
    /// It was active, or could not be asked about.
    Followed,
    /// Its turn in a quiet poll; what is known of it.
    Recheck(FailureKey),
}

/// What a poll has gathered and not yet written down.
#[derive(Default)]
pub struct Harvest {
    pub failed: Vec<Run>,
    pub succeeded: Vec<Run>,
    pub following: BTreeSet<RunId>,
    pub calls: u32,
    pub warnings: Vec<String>,
}

impl Harvest {
    pub fn answered(&mut self, ask: Ask, run: Run) {
        match (standing(&run), ask.why) {
            (Standing::Active, _) => {
                self.following.insert(ask.run);
            }
            (Standing::Failed, Why::Recheck(known)) if known == failure_key(&run) => {}
            (Standing::Failed, _) => self.failed.push(run),
            (Standing::Succeeded, _) => self.succeeded.push(run),
            (Standing::Canceled | Standing::Skipped, _) => {}
        }
    }

    pub fn later(&mut self, run: RunId, why: &str) {
        self.following.insert(run);
        self.warnings.push(format!("run {run} cannot be read, and is asked about again: {why}"));
    }
}

pub fn failure_key(run: &Run) -> FailureKey {
    FailureKey { run: run.run_id, after_repair: run.latest_repair() }
}

/// Right after a repair the run may still show its old end. It counts as ended only when its newest repair has.
fn standing(run: &Run) -> Standing {
    let Some(repair) = run.repair_history.iter().rev().find(|item| item.id.is_some()) else {
        return run.state.standing();
    };
    let told = repair.state.life_cycle != LifeCycle::Other(LifeCycle::NOT_GIVEN.to_owned());
    let repair_runs = repair.ended_at.is_none() && told && repair.state.standing() == Standing::Active;
    let old_end = run.ended_at.zip(repair.started_at).is_some_and(|(end, start)| end < start);
    if repair_runs || old_end { Standing::Active } else { run.state.standing() }
}
