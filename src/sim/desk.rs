//! Where calls arrive: checks the token, lets faults have their way, finds the endpoint, and writes everything into the book.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::azure;
use super::book::{Book, Entry};
use super::call::{Call, Refusal};
use super::endpoint;
use super::faults::{Faults, Replaced};
use super::plan::Millis;
use super::world::World;

pub struct Desk {
    pub world: World,
    pub faults: Faults,
    pub book: Book,
    /// The workspace does not know runs/repair.
    pub no_repair: bool,
    pub token: String,
}

/// A request as it came over the wire.
#[derive(Clone, Copy, Debug)]
pub struct Arrived<'a> {
    pub method: &'a str,
    pub path: &'a str,
    pub query: &'a str,
    pub authorization: Option<&'a str>,
    pub body: &'a [u8],
}

#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    pub answer: Replaced,
    /// The connection is closed instead.
    pub dropped: bool,
    pub delay_ms: u64,
    /// A streamed answer breaks off after so many pieces.
    pub cut_after: Option<usize>,
}

const REPAIR: &str = "/jobs/runs/repair";

impl Desk {
    pub fn receive(&mut self, arrived: Arrived<'_>, now: Millis) -> Reply {
        self.world.advance(now);
        let query: BTreeMap<String, String> = url::form_urlencoded::parse(arrived.query.as_bytes()).into_owned().collect();
        let body = body(arrived.body);
        let shown = body.clone().unwrap_or_else(|_| json!(String::from_utf8_lossy(arrived.body)));
        let hit = self.faults.take(arrived.method, arrived.path, &ids(&query, &shown));
        let takes_effect = hit.as_ref().is_none_or(|hit| hit.takes_effect);
        let (true_answer, effective) = if takes_effect {
            let result = self.answer(arrived, query, body);
            let effective = result.is_ok();
            (Some(answer(arrived.path, result)), effective)
        } else {
            (None, false)
        };
        let hit = hit.unwrap_or_default();
        let dropped = hit.drop_answer;
        let answer = hit.answer.or(true_answer).unwrap_or_else(|| answer(arrived.path, Ok(json!({}))));
        self.book.add(Entry {
            at: self.world.now(),
            method: arrived.method.to_owned(),
            path: arrived.path.to_owned(),
            query: arrived.query.to_owned(),
            body: shown,
            status: answer.status,
            answered: !dropped,
            took_effect: effective,
        });
        Reply { answer, dropped, delay_ms: hit.delay_ms, cut_after: hit.cut_after }
    }

    fn answer(&mut self, arrived: Arrived<'_>, query: BTreeMap<String, String>, body: Result<Value, Refusal>) -> Result<Value, Refusal> {
        self.authorise(arrived.authorization)?;
        if self.no_repair && arrived.path.ends_with(REPAIR) {
            let message = format!("API endpoint POST {} is not implemented", arrived.path);
            return Err(Refusal { status: 501, error_code: "NOT_IMPLEMENTED", message });
        }
        let (endpoint, version) = endpoint::find(arrived.method, arrived.path)?;
        let call = Call { now: self.world.now(), path: arrived.path.to_owned(), version, query, body: body? };
        endpoint(&mut self.world, &call)
    }

    fn authorise(&self, authorization: Option<&str>) -> Result<(), Refusal> {
        match authorization.map(|header| header.strip_prefix("Bearer ")) {
            Some(Some(token)) if token == self.token => Ok(()),
            Some(Some(_)) => Err(Refusal { status: 403, error_code: "PERMISSION_DENIED", message: "Invalid access token.".to_owned() }),
            Some(None) | None => Err(Refusal {
                status: 401,
                error_code: "UNAUTHENTICATED",
                message: "Credential was not sent or was of an unsupported type for this API.".to_owned(),
            }),
        }
    }
}

fn body(raw: &[u8]) -> Result<Value, Refusal> {
    if raw.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(raw).map_err(|error| Refusal {
        status: 400,
        error_code: "MALFORMED_REQUEST",
        message: format!("Could not parse request object: {error}"),
    })
}

fn answer(path: &str, result: Result<Value, Refusal>) -> Replaced {
    let (status, body) = match result {
        Ok(body) => (200, body),
        Err(refusal) if azure::speaks(path) => azure::refused(&refusal),
        Err(refusal) => (refusal.status, refusal.body()),
    };
    Replaced { status, retry_after: None, content_type: "application/json", body: body.to_string() }
}

/// The runs and jobs that a call names.
fn ids(query: &BTreeMap<String, String>, body: &Value) -> Vec<i64> {
    let in_query = ["run_id", "job_id"].iter().filter_map(|name| query.get(*name)?.parse().ok());
    let in_body = ["run_id", "job_id"].iter().filter_map(|name| body.get(name)?.as_i64());
    in_query.chain(in_body).collect()
}
