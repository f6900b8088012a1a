//! What is known of the job of a failed run: asked of the workspace for failures only, and not again for a while.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::databricks::run::{Job, Run};
use crate::databricks::{ApiError, Workspace};
use crate::domain::Timestamp;
use crate::domain::ids::JobId;
use crate::domain::job::JobFacts;

/// How long a job's facts are believed: a storm of one job costs one call, a changed tag is seen soon.
const BELIEVED: Duration = Duration::from_secs(5 * 60);
/// The tag that names the address of a job's owner.
const OWNER_TAG: &str = "runmend.owner";

#[derive(Default)]
pub struct Facts {
    known: BTreeMap<JobId, (Timestamp, JobFacts)>,
}

/// Facts, the calls they cost, and a sentence when they could not be had in full.
pub struct Found {
    pub facts: JobFacts,
    pub calls: u32,
    pub warning: Option<String>,
}

impl Facts {
    /// `Err` where asking again may help: a job's tags may forbid what its absence would allow, so nothing is guessed meanwhile.
    pub async fn of(&mut self, workspace: &dyn Workspace, run: &Run, now: Timestamp) -> Result<Found, ApiError> {
        self.known.retain(|_, (until, _)| *until > now);
        let Some(job) = job_of(run) else {
            return Ok(Found { facts: from_run(run), calls: 0, warning: None });
        };
        if let Some((_, facts)) = self.known.get(&job) {
            return Ok(Found { facts: facts.clone(), calls: 0, warning: None });
        }
        match workspace.job(job).await {
            Ok(answer) => {
                let facts = from_job(job, answer, run);
                if let Ok(until) = now.checked_add(BELIEVED) {
                    self.known.insert(job, (until, facts.clone()));
                }
                Ok(Found { facts, calls: 1, warning: None })
            }
            Err(ApiError::NotFound { .. }) => Ok(Found { facts: from_run(run), calls: 1, warning: None }),
            Err(error) if error.is_transient() || matches!(error, ApiError::Unauthenticated { .. }) => Err(error),
            Err(error) => {
                let warning = format!("job {job} cannot be read, so its tags and owner are not known: {error}");
                Ok(Found { facts: from_run(run), calls: 1, warning: Some(warning) })
            }
        }
    }
}

/// A one-time run has a job id that no job answers to, and cannot be repaired.
fn job_of(run: &Run) -> Option<JobId> {
    match run.run_type.as_deref() {
        Some("SUBMIT_RUN" | "WORKFLOW_RUN") => None,
        _ => run.job_id,
    }
}

fn from_job(job: JobId, answer: Job, run: &Run) -> JobFacts {
    let tagged = answer.tags.get(OWNER_TAG).cloned();
    let owner = [tagged, answer.creator, answer.run_as].into_iter().flatten().find(|text| is_address(text));
    JobFacts {
        job_id: Some(job),
        name: if answer.name.is_empty() { run.run_name.clone() } else { answer.name },
        owner,
        tags: answer.tags,
        tasks: answer.tasks,
        deployed_by: answer.deployment,
    }
}

fn from_run(run: &Run) -> JobFacts {
    JobFacts {
        job_id: job_of(run),
        name: run.run_name.clone(),
        owner: run.creator.clone().filter(|text| is_address(text)),
        tags: BTreeMap::new(),
        // The job's own list is not to be had; the run's tasks are the next best, and the workspace refuses what it no longer has.
        tasks: run.latest_attempts().into_iter().map(|task| task.task_key.clone()).collect(),
        deployed_by: None,
    }
}

/// Good enough to tell an address from a service principal's id or a team's name; the mail server knows the rest.
fn is_address(text: &str) -> bool {
    let clean = text.chars().all(|c| !c.is_whitespace() && !c.is_control() && !"<>,;\"()".contains(c));
    clean && text.split_once('@').is_some_and(|(user, host)| !user.is_empty() && host.contains('.') && !host.contains('@'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_told_from_a_name() {
        for (text, want) in [
            ("orders-data@acme.example", true),
            ("9f3a-11", false),
            ("team data", false),
            ("a@b", false),
            ("a@b.c, evil@x.y", false),
            ("<a@b.c>", false),
            ("@b.c", false),
            ("a@b@c.d", false),
        ] {
            assert_eq!(is_address(text), want, "{text}");
        }
    }
}
