//! From the operator's settings to a model that can be asked.

use std::sync::Arc;

use url::Url;

use super::azure::Azure;
use super::credential::Credential;
use super::databricks::Databricks;
use super::model::Model;
use super::ollama::Ollama;
use super::openai::OpenAi;

/// `llm.provider`, without `none`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provider {
    Azure,
    OpenAi,
    Databricks,
    Ollama,
}

impl Provider {
    /// The word of `llm.provider`; `None` for `none` and what is no provider.
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "azure" => Some(Self::Azure),
            "openai" => Some(Self::OpenAi),
            "databricks" => Some(Self::Databricks),
            "ollama" => Some(Self::Ollama),
            _ => None,
        }
    }

    /// Where it answers, if nobody says otherwise.
    fn usual_url(self) -> Option<&'static str> {
        match self {
            Self::OpenAi => Some("https://api.openai.com/v1"),
            Self::Ollama => Some("http://127.0.0.1:11434"),
            Self::Azure | Self::Databricks => None,
        }
    }
}

/// What leads to a model.
#[derive(Clone)]
pub struct Connection {
    pub provider: Provider,
    /// `llm.base_url`. For `databricks` the workspace's host where it is not set.
    pub base_url: Option<Url>,
    /// `llm.deployment`.
    pub deployment: Option<String>,
    /// `llm.model`.
    pub model: Option<String>,
    /// `llm.api_version`.
    pub api_version: Option<String>,
    pub credential: Credential,
}

#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    #[error("{setting} is not set: {why}")]
    Missing { setting: &'static str, why: &'static str },
    #[error("`{0}` is no address of a model's server")]
    Address(String),
    #[error("llm.authority is `{0}`: a client secret goes over https only")]
    InTheClear(String),
    #[error("the HTTP client can't be made: {0}")]
    Client(String),
}

/// Makes the provider's model. Nothing is sent yet. Errors: what the provider needs is not set.
pub fn connect(connection: &Connection) -> Result<Arc<dyn Model>, SetupError> {
    let base = match (&connection.base_url, connection.provider.usual_url()) {
        (Some(base), _) => base.clone(),
        (None, Some(usual)) => Url::parse(usual).map_err(|_| SetupError::Address(usual.to_owned()))?,
        (None, None) => return Err(SetupError::Missing { setting: "llm.base_url", why: "where the provider answers" }),
    };
    let credential = connection.credential.clone();
    let (deployment, model) = (connection.deployment.as_deref(), connection.model.as_deref());
    Ok(match connection.provider {
        Provider::Azure => Arc::new(Azure::new(&base, deployment.or(model), connection.api_version.as_deref(), credential)?),
        Provider::OpenAi => Arc::new(OpenAi::new(&base, model.or(deployment), credential)?),
        Provider::Databricks => Arc::new(Databricks::new(&base, model.or(deployment), credential)?),
        Provider::Ollama => Arc::new(Ollama::new(&base, model.or(deployment), credential)?),
    })
}

/// The header that a provider wants its key in.
pub fn key(provider: Provider, key: Option<crate::domain::secret::Secret>) -> Credential {
    match (provider, key) {
        (_, None) => Credential::None,
        (Provider::Azure, Some(key)) => Credential::ApiKey(key),
        (Provider::OpenAi | Provider::Databricks | Provider::Ollama, Some(key)) => Credential::Bearer(key),
    }
}
