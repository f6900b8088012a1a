//! What runmend knows of a job: who owns it and what its tags allow.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::ids::{JobId, TaskKey};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobFacts {
    /// `None` for a one-time run (runs/submit), which belongs to no job and cannot be repaired.
    pub job_id: Option<JobId>,
    pub name: String,
    /// Where mail to the owner goes: tag `runmend.owner`, else the job's creator or run-as user if that is a mail address.
    pub owner: Option<String>,
    /// All tags of the job; `decide` reads the `runmend.*` ones.
    pub tags: BTreeMap<String, String>,
    /// Tasks that the job has now; a repair names only these.
    pub tasks: Vec<TaskKey>,
    /// A person may not edit it in the UI: a bundle or another tool deploys it.
    pub deployed_by: Option<String>,
}
