//! Every key with its value, source and meaning: what `runmend config` shows.

use std::path::Path;

use serde::Serialize;
use serde_json::json;
use toml::Value;

use super::Loaded;
use super::kind::{Kind, Place};
use super::layer;
use super::settings::SETTINGS;
use super::source::Source;
use crate::domain::secret::REDACTED;
use crate::notify::way::Way;

/// One key. `value` is what is in force, secrets redacted; `None`: unset.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Line {
    pub key: &'static str,
    pub value: Option<serde_json::Value>,
    pub source: Source,
    pub doc: &'static str,
}

impl Loaded {
    /// All keys in the order of the example file.
    pub fn listing(&self) -> Vec<Line> {
        let place = Place { folder: Path::new(""), home: None };
        SETTINGS
            .iter()
            .map(|setting| {
                let entry = self.entries.get(setting.key);
                let value = entry.map(|entry| entry.value.clone()).or_else(|| layer::default_of(setting, &place).ok().flatten());
                Line {
                    key: setting.key,
                    value: value.map(|value| shown(setting.kind, &value)),
                    source: entry.map_or(Source::Default, |entry| entry.source.clone()),
                    doc: setting.doc,
                }
            })
            .collect()
    }
}

/// The lines as a table for people.
pub fn human(lines: &[Line]) -> String {
    let mut text = String::new();
    for line in lines {
        let value = match &line.value {
            None => "(unset)".to_owned(),
            Some(serde_json::Value::String(value)) => value.clone(),
            Some(value) => value.to_string(),
        };
        text.push_str(&format!("{:<22} {:<28} {}\n", line.key, value, line.source));
        text.push_str(&format!("{:<22} {}\n", "", line.doc));
    }
    text
}

fn shown(kind: Kind, value: &Value) -> serde_json::Value {
    match kind {
        Kind::Secret => json!(REDACTED),
        Kind::MailServer => json!(value.as_str().and_then(|text| Way::parse(text).ok()).map(|way| way.to_string())),
        // A database URL holds a password, a path does not.
        Kind::Ledger if value.as_str().is_some_and(|text| text.contains("://")) => json!(REDACTED),
        Kind::Text
        | Kind::Path
        | Kind::Ledger
        | Kind::Bool
        | Kind::Duration { .. }
        | Kind::Count { .. }
        | Kind::Number { .. }
        | Kind::Words
        | Kind::OneOf(_)
        | Kind::Listen
        | Kind::Mailbox
        | Kind::Host
        | Kind::HttpUrl
        | Kind::UrlPath => json!(value),
    }
}
