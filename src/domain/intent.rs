//! A side effect, written down before it is attempted, with what makes it happen at most once.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ids::{IncidentId, IntentId, JobId, RepairId, RunId, TaskKey};

/// The parameters that a run was started with. A repair or re-run passes them again, because the platform forgets them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RunParameters {
    /// Job parameters, by name.
    #[serde(default)]
    pub job: BTreeMap<String, String>,
    /// The older per-type parameters (`notebook_params`, `python_params`, …), as the API gave them, opaque to us.
    #[serde(default)]
    pub overriding: serde_json::Map<String, serde_json::Value>,
}

/// The side effect itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Effect {
    /// POST runs/repair. `after` is the newest repair seen when this was decided: the workspace refuses when another came between.
    Repair { run: RunId, tasks: Vec<TaskKey>, after: Option<RepairId>, parameters: RunParameters },
    /// POST jobs/run-now, where the workspace knows no repair. `token` makes a second call answer with the first call's run.
    RunNow { job: JobId, token: String, parameters: RunParameters },
}

/// What became of an intent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum Settlement {
    /// It may or may not have happened: ask the workspace before anything else.
    Open,
    Repaired {
        repair: RepairId,
    },
    Started {
        run: RunId,
    },
    /// The workspace said no; nothing happened.
    Refused {
        reason: String,
    },
    /// The workspace has no such call; nothing happened, and another one is made in its place.
    NotOffered {
        reason: String,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Intent {
    pub id: IntentId,
    pub incident: IncidentId,
    pub attempt: u32,
    pub effect: Effect,
    pub created_at: Timestamp,
    pub settlement: Settlement,
    pub settled_at: Option<Timestamp>,
}

impl Intent {
    /// One intent for an incident's attempt: the same decision can never have two.
    pub fn id_for(incident: &IncidentId, attempt: u32, word: &str) -> IntentId {
        IntentId(format!("{incident}#{attempt}/{word}"))
    }
}
