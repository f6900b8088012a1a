//! A job as jobs/get gives it.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::lenient::{List, Number, Text};
use super::run::token;
use super::text;
use crate::databricks::run::Job;
use crate::domain::ids::{JobId, TaskKey};

#[derive(Debug, Deserialize)]
pub struct JobJson {
    job_id: Number,
    creator_user_name: Option<Text>,
    run_as_user_name: Option<Text>,
    settings: Option<Settings>,
    next_page_token: Option<Text>,
}

#[derive(Debug, Default, Deserialize)]
struct Settings {
    name: Option<Text>,
    tags: Option<BTreeMap<String, Text>>,
    #[serde(default)]
    tasks: List<TaskName>,
    run_as: Option<RunAs>,
    deployment: Option<Deployment>,
}

#[derive(Debug, Deserialize)]
struct TaskName {
    task_key: Text,
}

#[derive(Debug, Deserialize)]
struct RunAs {
    user_name: Option<Text>,
}

#[derive(Debug, Deserialize)]
struct Deployment {
    kind: Option<Text>,
}

impl JobJson {
    pub fn take_next_page(&mut self) -> Option<String> {
        token(self.next_page_token.take())
    }

    /// A further page of the same job: only its tasks matter to us.
    pub fn append(&mut self, page: Self) {
        let further = page.settings.unwrap_or_default().tasks.items;
        self.settings.get_or_insert_default().tasks.items.extend(further);
    }

    pub fn into_job(self) -> Job {
        let settings = self.settings.unwrap_or_default();
        let run_as = self.run_as_user_name.or(settings.run_as.and_then(|run_as| run_as.user_name));
        let tags = settings.tags.unwrap_or_default();
        let mut tasks: Vec<TaskKey> = Vec::new();
        for key in settings.tasks.items.iter().filter_map(|task| text::name(&task.task_key.0)).map(TaskKey) {
            if !tasks.contains(&key) {
                tasks.push(key);
            }
        }
        Job {
            job_id: Some(JobId(self.job_id.0)),
            name: settings.name.and_then(|raw| text::name(&raw.0)).unwrap_or_default(),
            creator: self.creator_user_name.and_then(|raw| text::name(&raw.0)),
            run_as: run_as.and_then(|raw| text::name(&raw.0)),
            tags: tags.into_iter().filter_map(|(key, value)| Some((text::name(&key)?, text::name(&value.0).unwrap_or_default()))).collect(),
            tasks,
            deployment: settings.deployment.and_then(|deployment| deployment.kind).and_then(|raw| text::word(&raw.0)),
        }
    }
}
