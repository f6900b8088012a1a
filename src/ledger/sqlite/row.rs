//! Domain values <-> columns.

use jiff::Span;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::At;
use crate::domain::Timestamp;
use crate::domain::incident::{Ending, Incident, State};
use crate::ledger::LedgerError;

/// Nanoseconds since 1970. Times beyond 1677..2262 become the nearest end: order is kept.
pub fn ns(at: Timestamp) -> i64 {
    i64::try_from(at.as_nanosecond()).unwrap_or(if at.as_nanosecond() < 0 { i64::MIN } else { i64::MAX })
}

pub fn time(ns: i64) -> Timestamp {
    // All of i64's nanoseconds are within a timestamp's range.
    Timestamp::from_nanosecond(i128::from(ns)).unwrap_or(Timestamp::UNIX_EPOCH)
}

pub fn later(at: Timestamp, seconds: u32) -> Timestamp {
    at.checked_add(Span::new().seconds(i64::from(seconds))).unwrap_or(Timestamp::MAX)
}

pub fn json(value: &impl Serialize) -> Result<String, LedgerError> {
    serde_json::to_string(value).map_err(|error| LedgerError::Failed(format!("a document has no JSON: {error}")))
}

pub fn parse<T: DeserializeOwned>(at: &At, what: &str, doc: &str) -> Result<T, LedgerError> {
    serde_json::from_str(doc).map_err(|error| at.corrupt(format!("{what} is not readable: {error}")))
}

pub fn incidents(at: &At, docs: Vec<String>) -> Result<Vec<Incident>, LedgerError> {
    docs.iter().map(|doc| parse(at, "an incident", doc)).collect()
}

/// The `state` and `ending` columns.
pub fn state_columns(state: State) -> (&'static str, Option<&'static str>) {
    match state {
        State::Detected => ("detected", None),
        State::Collecting => ("collecting", None),
        State::Analysed => ("analysed", None),
        State::Decided => ("decided", None),
        State::Scheduled => ("scheduled", None),
        State::AwaitingApproval => ("awaiting_approval", None),
        State::Acting => ("acting", None),
        State::Watching => ("watching", None),
        State::WithPeople => ("with_people", None),
        State::Closed(ending) => ("closed", Some(ending_column(ending))),
    }
}

fn ending_column(ending: Ending) -> &'static str {
    match ending {
        Ending::Mended => "mended",
        Ending::Handled => "handled",
        Ending::Ignored => "ignored",
        Ending::Superseded => "superseded",
    }
}
