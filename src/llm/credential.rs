//! What opens a provider's door.

use std::sync::Arc;

use async_trait::async_trait;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};

use crate::domain::secret::Secret;

use super::model::ModelError;

/// Gives a bearer token that is valid now: a workspace's OAuth, Entra ID.
#[async_trait]
pub trait TokenSource: Send + Sync {
    async fn token(&self) -> Result<Secret, ModelError>;
}

/// One credential a provider; two would be a question of who wins.
#[derive(Clone)]
pub enum Credential {
    /// A server of one's own without one.
    None,
    /// Azure's `api-key`.
    ApiKey(Secret),
    /// `Authorization: Bearer`.
    Bearer(Secret),
    /// A bearer token that is renewed.
    Tokens(Arc<dyn TokenSource>),
}

impl Credential {
    /// The header for one call, marked so that it is never printed.
    pub async fn header(&self) -> Result<HeaderMap, ModelError> {
        let (name, text) = match self {
            Self::None => return Ok(HeaderMap::new()),
            Self::ApiKey(key) => (HeaderName::from_static("api-key"), key.expose().to_owned()),
            Self::Bearer(token) => (AUTHORIZATION, format!("Bearer {}", token.expose())),
            Self::Tokens(source) => (AUTHORIZATION, format!("Bearer {}", source.token().await?.expose())),
        };
        let mut value = HeaderValue::from_str(&text).map_err(|_| ModelError::Denied {
            status: 0,
            message: "the key has characters that no header may carry; was it pasted with a line end?".to_owned(),
        })?;
        value.set_sensitive(true);
        Ok(HeaderMap::from_iter([(name, value)]))
    }

    /// Its fixed text, which a server may echo in an error.
    pub fn secret(&self) -> Option<&Secret> {
        match self {
            Self::ApiKey(secret) | Self::Bearer(secret) => Some(secret),
            Self::None | Self::Tokens(_) => None,
        }
    }
}
