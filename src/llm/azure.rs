//! Azure OpenAI, in both forms of its address: dated (`/openai/deployments/{name}/chat/completions?api-version=…`) and `/openai/v1/`.

use async_trait::async_trait;
use url::Url;

use super::chat::{Chat, Dialect};
use super::credential::Credential;
use super::http::Http;
use super::model::{Answer, Billing, Model, ModelError, Progress, Request};
use super::provider::SetupError;

/// The dated form's version where a deployment's address was given without one: the last that is generally available.
const API_VERSION: &str = "2024-10-21";

pub struct Azure {
    deployment: String,
    chat: Chat,
}

/// Where to post, and what to send as `model`.
#[derive(Debug, PartialEq, Eq)]
pub struct Endpoint {
    pub url: String,
    pub model: Option<String>,
    pub deployment: String,
}

/// Takes what people paste: the resource, with or without `/`, `/openai` or `/openai/v1/`, or a whole deployment's address.
///
/// A dated `api_version` asks for the dated form; without one, or with `v1`, `preview` or `latest`, it is the v1 form.
pub fn endpoint(base: &Url, deployment: Option<&str>, api_version: Option<&str>) -> Result<Endpoint, SetupError> {
    let path: Vec<&str> = base.path().split('/').filter(|part| !part.is_empty()).collect();
    let in_path = path.iter().position(|part| *part == "deployments").and_then(|at| path.get(at + 1)).copied();
    let in_query = base.query_pairs().find(|(key, _)| key == "api-version").map(|(_, value)| value.into_owned());
    let deployment = deployment.or(in_path).map(str::trim).filter(|name| !name.is_empty());
    let deployment = deployment.ok_or(SetupError::Missing { setting: "llm.deployment", why: "the name of the model's deployment" })?;
    let mut url = base.clone();
    url.set_query(None);
    url.set_fragment(None);
    // What stands before `openai`: a gateway's own path.
    let before: Vec<&str> = path.iter().copied().take_while(|part| *part != "openai").collect();
    let version = api_version.map(str::to_owned).or(in_query).filter(|version| !version.trim().is_empty());
    let dated = version.filter(|version| version.starts_with(|c: char| c.is_ascii_digit()));
    let dated = dated.or_else(|| (in_path.is_some() && api_version.is_none()).then(|| API_VERSION.to_owned()));
    let model = {
        let mut parts = url.path_segments_mut().map_err(|()| SetupError::Address(base.to_string()))?;
        parts.clear().extend(before).push("openai");
        match &dated {
            Some(_) => {
                parts.extend(["deployments", deployment, "chat", "completions"]);
                None
            }
            None => {
                parts.extend(["v1", "chat", "completions"]);
                Some(deployment.to_owned())
            }
        }
    };
    if let Some(version) = &dated {
        url.query_pairs_mut().append_pair("api-version", version.trim());
    }
    Ok(Endpoint { url: url.to_string(), model, deployment: deployment.to_owned() })
}

impl Azure {
    pub fn new(base: &Url, deployment: Option<&str>, api_version: Option<&str>, credential: Credential) -> Result<Self, SetupError> {
        let endpoint = endpoint(base, deployment, api_version)?;
        let url = Url::parse(&endpoint.url).map_err(|_| SetupError::Address(endpoint.url.clone()))?;
        let http = Http::new(&url, credential)?;
        Ok(Self { deployment: endpoint.deployment, chat: Chat::new(http, url, endpoint.model, Dialect::FULL) })
    }
}

#[async_trait]
impl Model for Azure {
    fn name(&self) -> &str {
        &self.deployment
    }

    fn billing(&self) -> Billing {
        Billing::PerToken
    }

    async fn ask(&self, request: &Request, progress: &mut Progress<'_>) -> Result<Answer, ModelError> {
        self.chat.ask(request, progress).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_people_paste_becomes_the_right_address() {
        let dated = "https://r.openai.azure.com/openai/deployments/d/chat/completions?api-version=2024-10-21";
        let v1 = "https://r.openai.azure.com/openai/v1/chat/completions";
        for (base, version, want) in [
            ("https://r.openai.azure.com", None, v1),
            ("https://r.openai.azure.com/", Some("preview"), v1),
            ("https://r.openai.azure.com/openai", Some("v1"), v1),
            ("https://r.openai.azure.com/openai/v1/", None, v1),
            ("https://r.openai.azure.com/openai/v1/chat/completions", Some(""), v1),
            ("https://r.openai.azure.com", Some("2024-10-21"), dated),
            ("https://r.openai.azure.com/openai/v1", Some("2024-10-21"), dated),
            ("https://r.openai.azure.com/openai/deployments/d", None, dated),
            ("https://r.openai.azure.com/openai/deployments/d/chat/completions?api-version=2024-10-21", None, dated),
            (
                "https://gw.example.com/ai/openai/",
                Some("2025-04-01-preview"),
                "https://gw.example.com/ai/openai/deployments/d/chat/completions?api-version=2025-04-01-preview",
            ),
        ] {
            let endpoint = endpoint(&Url::parse(base).unwrap(), Some("d"), version).unwrap();
            assert_eq!(endpoint.url, want, "{base} {version:?}");
            assert_eq!(endpoint.model.as_deref(), (want == v1).then_some("d"), "the dated form names it in its path");
        }
        let pasted = Url::parse("https://r.openai.azure.com/openai/deployments/mine/chat/completions").unwrap();
        assert_eq!(endpoint(&pasted, None, None).unwrap().deployment, "mine");
        let hostile = endpoint(&Url::parse("https://r.example.com").unwrap(), Some("../../x?y"), Some("2024-10-21")).unwrap();
        assert_eq!(hostile.url, "https://r.example.com/openai/deployments/..%2F..%2Fx%3Fy/chat/completions?api-version=2024-10-21");
        let error = endpoint(&Url::parse("https://r.openai.azure.com").unwrap(), None, None).unwrap_err();
        assert_eq!(error.to_string(), "llm.deployment is not set: the name of the model's deployment");
    }
}
