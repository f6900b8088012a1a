//! A call as the endpoints see it, and what they answer with.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use super::plan::Millis;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    V21,
    V22,
}

#[derive(Clone, Debug)]
pub struct Call {
    pub now: Millis,
    pub path: String,
    pub version: Version,
    pub query: BTreeMap<String, String>,
    pub body: Value,
}

/// An answer that says no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub status: u16,
    pub error_code: &'static str,
    pub message: String,
}

pub type Answer = Result<Value, Refusal>;

impl Refusal {
    pub fn invalid(message: impl Into<String>) -> Self {
        Self { status: 400, error_code: "INVALID_PARAMETER_VALUE", message: message.into() }
    }

    pub fn state(message: impl Into<String>) -> Self {
        Self { status: 400, error_code: "INVALID_STATE", message: message.into() }
    }

    /// The API's error shape, with the details that it adds.
    pub fn body(&self) -> Value {
        json!({
            "error_code": self.error_code,
            "message": self.message,
            "details": [{"@type": "type.googleapis.com/google.rpc.RequestInfo", "request_id": "00000000-0000-4000-8000-000000000000", "serving_data": ""}],
        })
    }
}

impl Call {
    /// A 64-bit id or time: a number in the query or the body, or its text.
    pub fn number(&self, name: &str) -> Result<Option<i64>, Refusal> {
        let bad = || Refusal::invalid(format!("Invalid value for parameter '{name}': a 64-bit integer is expected."));
        if let Some(text) = self.query.get(name) {
            return text.parse().map(Some).map_err(|_| bad());
        }
        match self.body.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Number(number)) => number.as_i64().map(Some).ok_or_else(bad),
            Some(Value::String(text)) => text.parse().map(Some).map_err(|_| bad()),
            Some(Value::Bool(_) | Value::Array(_) | Value::Object(_)) => Err(bad()),
        }
    }

    pub fn required(&self, name: &str) -> Result<i64, Refusal> {
        self.number(name)?.ok_or_else(|| Refusal::invalid(format!("Missing required field: {name}")))
    }

    pub fn flag(&self, name: &str) -> Result<bool, Refusal> {
        let bad = || Refusal::invalid(format!("Invalid value for parameter '{name}': true or false is expected."));
        match (self.query.get(name).map(String::as_str), self.body.get(name)) {
            (Some("true"), _) | (None, Some(Value::Bool(true))) => Ok(true),
            (Some("false"), _) | (None, Some(Value::Bool(false) | Value::Null) | None) => Ok(false),
            (Some(_), _) | (None, Some(_)) => Err(bad()),
        }
    }

    pub fn text(&self, name: &str) -> Result<Option<String>, Refusal> {
        if let Some(text) = self.query.get(name) {
            return Ok(Some(text.clone()));
        }
        match self.body.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(Refusal::invalid(format!("Invalid value for parameter '{name}': a string is expected."))),
        }
    }

    pub fn object(&self, name: &str) -> Result<Map<String, Value>, Refusal> {
        match self.body.get(name) {
            None | Some(Value::Null) => Ok(Map::new()),
            Some(Value::Object(fields)) => Ok(fields.clone()),
            Some(_) => Err(Refusal::invalid(format!("Invalid value for parameter '{name}': an object is expected."))),
        }
    }

    /// A page's place, as an earlier answer of the same question gave it. 0 for the first page.
    pub fn page(&self, of: &str) -> Result<usize, Refusal> {
        let Some(token) = self.query.get("page_token").filter(|token| !token.is_empty()) else { return Ok(0) };
        let place = open(token, of).and_then(|place| place.parse().ok());
        place.ok_or_else(|| Refusal::invalid("Invalid page token."))
    }
}

/// An opaque token: `place` in the list `of`.
pub fn seal(of: &str, place: impl std::fmt::Display) -> String {
    URL_SAFE_NO_PAD.encode(format!("{of}/{place}"))
}

/// The place, if the token belongs to the list `of`.
pub fn open(token: &str, of: &str) -> Option<String> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    Some(text.strip_prefix(of)?.strip_prefix('/')?.to_owned())
}
