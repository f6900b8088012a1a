//! The Jobs API over HTTP: one [`Client`] a workspace.
//!
//! Flow: a call is built here, sent and repeated by `transport`, read by `wire`.
//! Guarantees: no answer longer than a named limit is held; no redirect is followed; a write whose answer was lost is never sent
//! again (run-now only where its token makes that safe).

use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use super::effect;
use super::error::ApiError;
use super::run::{Job, Run, RunFilter, RunPage, RunQuery, TaskOutput};
use super::transport::{Method, Repeat, Transport};
use super::wire::job::JobJson;
use super::wire::lenient::kind;
use super::wire::output::{OutputJson, RepairedJson, StartedJson};
use super::wire::run::{RunJson, RunListJson};
use super::{ClientError, Workspace};
use crate::domain::ids::{JobId, RepairId, RunId, WorkspaceName};
use crate::domain::incident::PlannedCall;
use crate::domain::intent::Effect;
use crate::domain::secret::Secret;

/// Runs a page of runs/list. The documentation says "less than 25", every workspace takes 25.
const RUNS_PER_PAGE: u32 = 25;
/// Pages of one run or job, 100 elements each: the platform's 1000 tasks, each repeated by ten attempts.
const PAGES_MAX: usize = 100;

pub struct Client {
    name: WorkspaceName,
    transport: Transport,
    /// The workspace has said that it knows only API 2.1.
    older: AtomicBool,
}

impl Client {
    /// `host` is `https://host[:port]/`, as the configuration has checked it.
    pub fn new(name: WorkspaceName, host: &Url, token: &Secret) -> Result<Self, ClientError> {
        Ok(Self::over(name, Transport::new(host, token)?))
    }

    pub(super) fn over(name: WorkspaceName, transport: Transport) -> Self {
        Self { name, transport, older: AtomicBool::new(false) }
    }

    fn path(&self, endpoint: &str) -> String {
        let version = if self.older.load(Ordering::Relaxed) { "2.1" } else { "2.2" };
        format!("/api/{version}/jobs{endpoint}")
    }

    async fn get(&self, endpoint: &str, query: &[(&str, String)]) -> Result<Value, ApiError> {
        self.transport.call(Method::Get(query), &self.path(endpoint), Repeat::Safe).await
    }

    /// runs/list is the first thing asked of a workspace: here it shows whether API 2.2 is there.
    async fn list(&self, query: &[(&str, String)]) -> Result<Value, ApiError> {
        match self.get("/runs/list", query).await {
            Err(newer @ ApiError::NotOffered { .. }) if !self.older.load(Ordering::Relaxed) => {
                let answer = self.transport.call(Method::Get(query), "/api/2.1/jobs/runs/list", Repeat::Safe).await;
                match answer {
                    Ok(answer) => {
                        self.older.store(true, Ordering::Relaxed);
                        Ok(answer)
                    }
                    Err(_) => Err(newer),
                }
            }
            other => other,
        }
    }

    async fn list_page(&self, query: &[(&str, String)]) -> Result<RunPage, ApiError> {
        let answer = self.list(query).await?;
        // An empty workspace answers `{}`; an object with other things in it comes from another product.
        let known = |fields: &serde_json::Map<String, Value>| {
            fields.is_empty() || ["runs", "has_more", "next_page_token"].iter().any(|name| fields.contains_key(*name))
        };
        if !answer.as_object().is_some_and(known) {
            let call = format!("GET {}", self.path("/runs/list"));
            return Err(ApiError::NotDatabricks { call, message: format!("JSON, but {} that is no list of runs", kind(&answer)) });
        }
        Ok(self.read::<RunListJson>("GET", "/runs/list", answer)?.into_page())
    }

    fn read<T: DeserializeOwned>(&self, method: &str, endpoint: &str, answer: Value) -> Result<T, ApiError> {
        serde_json::from_value(answer).map_err(|error| self.malformed(method, endpoint, error.to_string()))
    }

    fn malformed(&self, method: &str, endpoint: &str, message: String) -> ApiError {
        ApiError::Malformed { call: format!("{method} {}", self.path(endpoint)), message }
    }

    /// All pages of a GET, first to last.
    async fn pages<T: DeserializeOwned>(
        &self,
        endpoint: &str,
        query: &[(&str, String)],
        next: impl Fn(&mut T) -> Option<String>,
    ) -> Result<Vec<T>, ApiError> {
        let mut pages = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let mut asked = query.to_vec();
            asked.extend(token.clone().map(|token| ("page_token", token)));
            let mut page: T = self.read("GET", endpoint, self.get(endpoint, &asked).await?)?;
            let following = next(&mut page);
            pages.push(page);
            match following {
                None => return Ok(pages),
                Some(_) if pages.len() >= PAGES_MAX => {
                    return Err(self.malformed("GET", endpoint, format!("more than {PAGES_MAX} pages")));
                }
                Some(_) if following == token => {
                    return Err(self.malformed("GET", endpoint, "a page that names itself as the next".to_owned()));
                }
                Some(_) => token = following,
            }
        }
    }

    async fn write<T: DeserializeOwned>(&self, effect: &Effect, repeat: Repeat) -> Result<T, ApiError> {
        let (endpoint, body) = effect::request(effect);
        let answer = self.transport.call(Method::Post(&body), &self.path(endpoint), repeat).await?;
        self.read("POST", endpoint, answer)
    }

    fn wrong_effect(&self, endpoint: &str, effect: &Effect) -> ApiError {
        let (other, _) = effect::request(effect);
        let call = format!("POST {}", self.path(endpoint));
        ApiError::Refused { call, status: 0, error_code: "WRONG_EFFECT".to_owned(), message: format!("the effect belongs to {other}") }
    }
}

#[async_trait]
impl Workspace for Client {
    fn name(&self) -> &WorkspaceName {
        &self.name
    }

    async fn check(&self) -> Result<(), ApiError> {
        self.list_page(&[("limit", "1".to_owned())]).await.map(|_| ())
    }

    async fn list_runs(&self, query: &RunQuery, page_token: Option<&str>) -> Result<RunPage, ApiError> {
        let mut asked = vec![("limit", RUNS_PER_PAGE.to_string())];
        match query.filter {
            RunFilter::All => {}
            RunFilter::ActiveOnly => asked.push(("active_only", "true".to_owned())),
            RunFilter::CompletedOnly => asked.push(("completed_only", "true".to_owned())),
        }
        asked.extend(query.job_id.map(|job| ("job_id", job.to_string())));
        asked.extend(query.started_from.map(|from| ("start_time_from", from.as_millisecond().to_string())));
        asked.extend(page_token.map(|token| ("page_token", token.to_owned())));
        self.list_page(&asked).await
    }

    async fn run(&self, run: RunId) -> Result<Run, ApiError> {
        let query = [("run_id", run.to_string()), ("include_history", "true".to_owned())];
        let mut pages = self.pages("/runs/get", &query, RunJson::take_next_page).await?.into_iter();
        let Some(mut whole) = pages.next() else {
            return Err(self.malformed("GET", "/runs/get", "no page".to_owned()));
        };
        pages.for_each(|page| whole.append(page));
        for words in whole.malformed() {
            tracing::warn!(workspace = %self.name, %run, "a task of the run cannot be read: {}", crate::redact::control::one_line(words));
        }
        Ok(whole.into_run())
    }

    async fn task_output(&self, task_run: RunId) -> Result<TaskOutput, ApiError> {
        let answer = self.get("/runs/get-output", &[("run_id", task_run.to_string())]).await?;
        Ok(self.read::<OutputJson>("GET", "/runs/get-output", answer)?.into_output())
    }

    async fn job(&self, job: JobId) -> Result<Job, ApiError> {
        let mut pages = self.pages("/get", &[("job_id", job.to_string())], JobJson::take_next_page).await?.into_iter();
        let Some(mut whole) = pages.next() else {
            return Err(self.malformed("GET", "/get", "no page".to_owned()));
        };
        pages.for_each(|page| whole.append(page));
        Ok(whole.into_job())
    }

    async fn repair(&self, effect: &Effect) -> Result<RepairId, ApiError> {
        match effect {
            Effect::Repair { .. } => Ok(RepairId(self.write::<RepairedJson>(effect, Repeat::NotAccepted).await?.repair_id.0)),
            Effect::RunNow { .. } => Err(self.wrong_effect("/runs/repair", effect)),
        }
    }

    async fn run_now(&self, effect: &Effect) -> Result<RunId, ApiError> {
        match effect {
            Effect::RunNow { .. } => Ok(RunId(self.write::<StartedJson>(effect, Repeat::WithToken).await?.run_id.0)),
            Effect::Repair { .. } => Err(self.wrong_effect("/run-now", effect)),
        }
    }

    fn preview(&self, effect: &Effect) -> PlannedCall {
        let (endpoint, body) = effect::request(effect);
        PlannedCall { method: "POST".to_owned(), path: self.path(endpoint), body: format!("{body:#}") }
    }
}
