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

    /// The server did not take this token, whatever its end says: it was revoked, or the clocks differ. The next one is a new one.
    async fn refused(&self, token: &Secret);
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

/// What one call shows at the door.
pub struct Shown {
    pub headers: HeaderMap,
    /// Its text, which a server may echo in an error.
    pub secret: Option<Secret>,
}

impl Credential {
    /// The header for one call, marked so that it is never printed.
    pub async fn show(&self) -> Result<Shown, ModelError> {
        let (name, prefix, secret) = match self {
            Self::None => return Ok(Shown { headers: HeaderMap::new(), secret: None }),
            Self::ApiKey(key) => (HeaderName::from_static("api-key"), "", key.clone()),
            Self::Bearer(token) => (AUTHORIZATION, "Bearer ", token.clone()),
            Self::Tokens(source) => (AUTHORIZATION, "Bearer ", source.token().await?),
        };
        let text = format!("{prefix}{}", secret.expose());
        let mut value = HeaderValue::from_str(&text).map_err(|_| ModelError::Denied {
            status: 0,
            message: "the key has characters that no header may carry; was it pasted with a line end?".to_owned(),
        })?;
        value.set_sensitive(true);
        Ok(Shown { headers: HeaderMap::from_iter([(name, value)]), secret: Some(secret) })
    }
}
