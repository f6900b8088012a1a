//! Whatever speaks OpenAI's chat form: OpenAI itself, llama.cpp, vLLM, LM Studio, gateways.

use async_trait::async_trait;
use url::Url;

use super::chat::{Chat, Dialect};
use super::credential::Credential;
use super::http::{self, Http};
use super::model::{Answer, Billing, Model, ModelError, Progress, Request};
use super::provider::SetupError;

pub struct OpenAi {
    model: String,
    billing: Billing,
    chat: Chat,
}

/// Takes `http://host:8080`, `…/v1`, `…/v1/` or the whole `…/chat/completions`.
pub fn endpoint(base: &Url) -> Url {
    let mut url = base.clone();
    url.set_fragment(None);
    let path = base.path().trim_end_matches('/');
    let path = match path {
        "" => "/v1/chat/completions".to_owned(),
        whole if whole.ends_with("/chat/completions") => whole.to_owned(),
        base => format!("{base}/chat/completions"),
    };
    url.set_path(&path);
    url
}

impl OpenAi {
    pub fn new(base: &Url, model: Option<&str>, credential: Credential) -> Result<Self, SetupError> {
        let model = model.map(str::trim).filter(|name| !name.is_empty());
        let model = model.ok_or(SetupError::Missing { setting: "llm.model", why: "the model's name, as its server lists it" })?;
        let url = endpoint(base);
        // A model on this machine has no bill.
        let billing = if http::is_loopback(&url) { Billing::Free } else { Billing::PerToken };
        let http = Http::new(&url, credential)?;
        Ok(Self { model: model.to_owned(), billing, chat: Chat::new(http, url, Some(model.to_owned()), Dialect::FULL) })
    }
}

#[async_trait]
impl Model for OpenAi {
    fn name(&self) -> &str {
        &self.model
    }

    fn billing(&self) -> Billing {
        self.billing
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
        for (base, want) in [
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080/v1/chat/completions"),
            ("http://127.0.0.1:8080/", "http://127.0.0.1:8080/v1/chat/completions"),
            ("https://api.example.com/v1", "https://api.example.com/v1/chat/completions"),
            ("https://api.example.com/v1/", "https://api.example.com/v1/chat/completions"),
            ("https://gw.example.com/team/llm/v1/chat/completions?tier=a", "https://gw.example.com/team/llm/v1/chat/completions?tier=a"),
        ] {
            assert_eq!(endpoint(&Url::parse(base).unwrap()).as_str(), want, "{base}");
        }
    }
}
