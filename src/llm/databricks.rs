//! Databricks model serving: the workspace's own models and its gateways to others, with the workspace's own credential, so that the
//! data stays in the workspace. Bodies are checked strictly there: nothing is sent that is not documented.

use async_trait::async_trait;
use url::Url;

use super::chat::{Chat, Dialect};
use super::credential::Credential;
use super::http::Http;
use super::model::{Answer, Billing, Model, ModelError, Progress, Request};
use super::provider::SetupError;

pub struct Databricks {
    endpoint: String,
    chat: Chat,
}

/// `stream_options` is a 400 on open-weight models; usage comes without asking.
const DIALECT: Dialect = Dialect { stream_usage: false, ..Dialect::FULL };

/// The address of a serving endpoint of the workspace.
pub fn address(host: &Url, endpoint: &str) -> Result<Url, SetupError> {
    let mut url = host.clone();
    url.set_query(None);
    url.set_fragment(None);
    url.path_segments_mut().map_err(|()| SetupError::Address(host.to_string()))?.clear().extend([
        "serving-endpoints",
        endpoint,
        "invocations",
    ]);
    Ok(url)
}

impl Databricks {
    pub fn new(host: &Url, endpoint: Option<&str>, credential: Credential) -> Result<Self, SetupError> {
        let endpoint = endpoint.map(str::trim).filter(|name| !name.is_empty());
        let endpoint = endpoint.ok_or(SetupError::Missing { setting: "llm.model", why: "the name of the serving endpoint" })?;
        let url = address(host, endpoint)?;
        let http = Http::new(&url, credential)?;
        Ok(Self { endpoint: endpoint.to_owned(), chat: Chat::new(http, url, None, DIALECT) })
    }
}

#[async_trait]
impl Model for Databricks {
    fn name(&self) -> &str {
        &self.endpoint
    }

    fn billing(&self) -> Billing {
        Billing::PerToken
    }

    async fn ask(&self, request: &Request, progress: &mut Progress<'_>) -> Result<Answer, ModelError> {
        self.chat.ask(request, progress).await
    }
}
