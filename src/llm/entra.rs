//! Bearer tokens of Microsoft Entra ID by client credentials, kept until shortly before they end.
//!
//! Source: Microsoft identity platform, OAuth 2.0 client credentials: POST `/{tenant}/oauth2/v2.0/token`, answer `access_token`,
//! `expires_in` in seconds.

use std::time::Duration;

use async_trait::async_trait;
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::Instant;
use url::Url;

use crate::domain::secret::Secret;

use super::credential::TokenSource;
use super::failure;
use super::model::ModelError;
use super::provider::SetupError;

/// A token is renewed so long before its end: a call that starts now ends within it.
const RENEW_BEFORE: Duration = Duration::from_secs(300);
const CALL_TIME_MAX: Duration = Duration::from_secs(15);
/// A token is used no longer than this, whatever its answer says: Entra's own last an hour or a day.
const LASTS_MAX: Duration = Duration::from_secs(24 * 3600);
/// A token answer is about two kilobytes.
const ANSWER_BYTES_MAX: usize = 64 << 10;

/// An application's identity.
#[derive(Clone, Debug)]
pub struct Client {
    pub tenant: String,
    pub client_id: String,
    pub client_secret: Secret,
    /// What the token is for.
    pub scope: String,
}

pub struct Entra {
    http: reqwest::Client,
    url: Url,
    client: Client,
    held: Mutex<Option<(Secret, Instant)>>,
}

#[derive(Deserialize)]
struct Token {
    access_token: String,
    /// Seconds; the documented form is a number, proxies and older forms give it as text.
    #[serde(default)]
    expires_in: serde_json::Value,
}

impl Token {
    /// How long it may be used; not at all again where the answer does not say.
    fn lasts(&self) -> Duration {
        let text = self.expires_in.as_str().and_then(|text| text.trim().parse().ok());
        let seconds = self.expires_in.as_u64().or(text).unwrap_or_default();
        Duration::from_secs(seconds).min(LASTS_MAX).saturating_sub(RENEW_BEFORE)
    }
}

impl Entra {
    /// Errors: an authority that the client secret would go to in the clear, or that is no address.
    pub fn new(authority: &Url, client: Client) -> Result<Self, SetupError> {
        if authority.scheme() != "https" && !super::http::is_loopback(authority) {
            return Err(SetupError::InTheClear(authority.to_string()));
        }
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut url = authority.clone();
        url.path_segments_mut().map_err(|()| SetupError::Address(authority.to_string()))?.pop_if_empty().extend([
            client.tenant.as_str(),
            "oauth2",
            "v2.0",
            "token",
        ]);
        let builder = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(CALL_TIME_MAX);
        let builder = if super::http::is_loopback(&url) { builder.no_proxy() } else { builder };
        let http = builder.build().map_err(|error| SetupError::Client(error.to_string()))?;
        Ok(Self { http, url, client, held: Mutex::new(None) })
    }

    async fn fetch(&self) -> Result<(Secret, Instant), ModelError> {
        let form: String = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "client_credentials")
            .append_pair("client_id", &self.client.client_id)
            .append_pair("client_secret", self.client.client_secret.expose())
            .append_pair("scope", &self.client.scope)
            .finish();
        let lost = |error: reqwest::Error| ModelError::Unreachable { message: format!("Entra ID: {}", error.without_url()) };
        let asked_at = Instant::now();
        let sent = self.http.post(self.url.clone()).header("content-type", "application/x-www-form-urlencoded").body(form).send().await;
        let mut response = sent.map_err(lost)?;
        let status = response.status().as_u16();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(lost)? {
            if body.len() + chunk.len() > ANSWER_BYTES_MAX {
                return Err(ModelError::Malformed { message: "Entra ID: an endless answer".to_owned() });
            }
            body.extend_from_slice(&chunk);
        }
        if status != 200 {
            let why = serde_json::from_slice::<serde_json::Value>(&body).ok();
            let why = why.as_ref().and_then(|why| why.get("error_description")).and_then(|why| why.as_str()).unwrap_or("no reason given");
            let why = why.replace(self.client.client_secret.expose(), crate::domain::secret::REDACTED);
            let message = format!("Entra ID: {}", failure::short(&why));
            return Err(if status >= 500 { ModelError::Failed { status, message } } else { ModelError::Denied { status, message } });
        }
        let token: Token = serde_json::from_slice(&body).map_err(|_| ModelError::Malformed { message: "Entra ID: no token".to_owned() })?;
        let until = asked_at + token.lasts();
        Ok((Secret::new(token.access_token), until))
    }
}

#[async_trait]
impl TokenSource for Entra {
    async fn token(&self) -> Result<Secret, ModelError> {
        let mut held = self.held.lock().await;
        if let Some((token, _)) = held.as_ref().filter(|(_, until)| Instant::now() < *until) {
            return Ok(token.clone());
        }
        let (token, until) = self.fetch().await?;
        *held = Some((token.clone(), until));
        Ok(token)
    }

    async fn refused(&self, token: &Secret) {
        let mut held = self.held.lock().await;
        // Another call may have fetched a newer one meanwhile.
        held.take_if(|(known, _)| known == token);
    }
}
