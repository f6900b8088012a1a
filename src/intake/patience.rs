//! How long a run that was seen and cannot be read is asked about: again soon, then ever less often, and at last no more.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::databricks::ApiError;
use crate::domain::Timestamp;
use crate::domain::ids::RunId;

/// The pause before the third ask; it doubles with each further one. The second is at the next poll.
const PAUSE: Duration = Duration::from_secs(60);
const PAUSE_MAX: Duration = Duration::from_secs(60 * 60);
/// A permission that nobody gave back for so long is meant so.
const GIVE_UP: Duration = Duration::from_secs(24 * 60 * 60);

/// Runs that the workspace refused to show, each with how often and since when. Forgotten with the process: a restart asks anew.
#[derive(Default)]
pub struct Patience {
    refused: BTreeMap<RunId, Refused>,
}

struct Refused {
    since: Timestamp,
    asks: u32,
    next: Timestamp,
    why: String,
}

/// What to do about a run that was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    AskAgain,
    GiveUp,
}

impl Patience {
    /// Why the run is not to be asked about yet, if it is not.
    pub fn waits(&self, run: RunId, now: Timestamp) -> Option<&str> {
        self.refused.get(&run).filter(|refused| refused.next > now).map(|refused| refused.why.as_str())
    }

    pub fn answered(&mut self, run: RunId) {
        self.refused.remove(&run);
    }

    /// The workspace would not show the run. Twice "there is none" is believed: the run was deleted.
    pub fn refused(&mut self, run: RunId, error: &ApiError, now: Timestamp) -> Verdict {
        let refused = self.refused.entry(run).or_insert_with(|| Refused { since: now, asks: 0, next: now, why: String::new() });
        refused.asks += 1;
        refused.why = error.to_string();
        let deleted = matches!(error, ApiError::NotFound { .. }) && refused.asks > 1;
        let age = Duration::try_from(now.duration_since(refused.since)).unwrap_or_default();
        if deleted || age >= GIVE_UP {
            self.refused.remove(&run);
            return Verdict::GiveUp;
        }
        let pause = match refused.asks {
            1 => Duration::ZERO,
            asks => PAUSE.saturating_mul(1 << (asks - 2).min(16)).min(PAUSE_MAX),
        };
        refused.next = now.checked_add(pause).unwrap_or(now);
        Verdict::AskAgain
    }
}
