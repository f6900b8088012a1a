//! What a setting's value may be, and how it is read from TOML and from plain text.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::Value;
use url::Url;

use super::duration;
use crate::notify::way;
use crate::redact::control::one_line;

/// Longest text of one value, bytes: no setting of ours needs more, and every value may end up on a screen.
const VALUE_BYTES_MAX: usize = 4096;
/// Most items of a list.
const ITEMS_MAX: usize = 1000;

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    Text,
    /// Never shown.
    Secret,
    Path,
    /// A path, or a `postgres://` URL.
    Ledger,
    Bool,
    Duration {
        min: Duration,
        max: Duration,
    },
    Count {
        min: i64,
        max: i64,
    },
    Number {
        min: f64,
        max: f64,
    },
    /// A list of words; as text, separated by commas.
    Words,
    OneOf(&'static [&'static str]),
    /// `address:port`.
    Listen,
    /// One mail address.
    Mailbox,
    /// `http(s)://…` or a bare host.
    Host,
    HttpUrl,
    MailServer,
    UrlPath,
}

impl Kind {
    pub fn is_secret(self) -> bool {
        self == Self::Secret
    }

    /// May a wrong value be repeated in an error? Not where a password can stand in it.
    fn may_be_quoted(self) -> bool {
        match self {
            Self::Secret | Self::Host | Self::HttpUrl | Self::MailServer | Self::Ledger => false,
            Self::Text
            | Self::Path
            | Self::Bool
            | Self::Duration { .. }
            | Self::Count { .. }
            | Self::Number { .. }
            | Self::Words
            | Self::OneOf(_)
            | Self::Listen
            | Self::Mailbox
            | Self::UrlPath => true,
        }
    }

    /// Does its TOML form need quotes?
    pub fn is_bare(self) -> bool {
        match self {
            Self::Bool | Self::Count { .. } | Self::Number { .. } => true,
            Self::Text
            | Self::Secret
            | Self::Path
            | Self::Ledger
            | Self::Duration { .. }
            | Self::Words
            | Self::OneOf(_)
            | Self::Listen
            | Self::Mailbox
            | Self::Host
            | Self::HttpUrl
            | Self::MailServer
            | Self::UrlPath => false,
        }
    }

    /// What is expected, as it ends the sentence "expected …".
    pub fn expects(self) -> String {
        match self {
            Self::Text => "a text on one line".to_owned(),
            Self::Secret => "a text on one line, without spaces around it".to_owned(),
            Self::Path => "a path".to_owned(),
            Self::Ledger => "the path of a file".to_owned(),
            Self::Bool => "true or false".to_owned(),
            Self::Duration { min, max } => format!("{}, from {} to {}", duration::NoDuration, duration::words(min), duration::words(max)),
            Self::Count { min, max } => format!("a whole number from {min} to {max}"),
            Self::Number { min, max } => format!("a number from {min} to {max}"),
            Self::Words => "a list of texts".to_owned(),
            Self::OneOf(words) => format!("one of {}", words.join(", ")),
            Self::Listen => "an address and port such as `127.0.0.1:8080`".to_owned(),
            Self::Mailbox => "one mail address such as `data-team@example.com`".to_owned(),
            Self::Host => "a workspace URL such as `https://adb-123.4.azuredatabricks.net`".to_owned(),
            Self::HttpUrl => "an http or https URL without a password in it".to_owned(),
            Self::MailServer => {
                "`smtp://[user:password@]host[:port]` (STARTTLS), `smtps://…` (TLS from the start) or `file:[folder]`".to_owned()
            }
            Self::UrlPath => "a path that starts with `/`".to_owned(),
        }
    }

    /// A wrong value, as far as it may be repeated.
    pub fn quotable(self, value: &Value) -> Option<String> {
        let text = value.as_str().map_or_else(|| serde_json::to_string(value).unwrap_or_default(), str::to_owned);
        self.may_be_quoted().then(|| one_line(&text).chars().take(80).collect())
    }

    /// The value in its one stored form, or `None` if it is not of this kind. `base` is where relative paths start.
    pub fn read(self, value: &Value, base: &Place<'_>) -> Option<Value> {
        if let Value::String(text) = value
            && (text.len() > VALUE_BYTES_MAX || one_line(text) != *text)
        {
            return None;
        }
        match self {
            Self::Text => value.as_str().filter(|text| !text.trim().is_empty()).map(Value::from),
            Self::Secret => value.as_str().filter(|text| !text.is_empty() && text.trim() == *text).map(Value::from),
            Self::Path => value.as_str().and_then(|text| base.path(text)).map(|path| Value::from(path.to_string_lossy().into_owned())),
            Self::Ledger => match value.as_str()? {
                url if url.starts_with("postgres://") || url.starts_with("postgresql://") => Some(Value::from(url)),
                text if text.contains("://") => None,
                text => base.path(text).map(|path| Value::from(path.to_string_lossy().into_owned())),
            },
            Self::Bool => value.as_bool().map(Value::from),
            Self::Duration { min, max } => {
                let read = duration::parse(value.as_str()?).ok().filter(|read| (min..=max).contains(read))?;
                Some(Value::from(duration::words(read)))
            }
            Self::Count { min, max } => value.as_integer().filter(|count| (min..=max).contains(count)).map(Value::from),
            Self::Number { min, max } => {
                let number = value.as_float().or_else(|| value.as_integer().map(|whole| whole as f64))?;
                (min..=max).contains(&number).then(|| Value::from(number))
            }
            Self::Words => words(value),
            Self::OneOf(allowed) => allowed.iter().find(|word| Some(**word) == value.as_str()).map(|word| Value::from(*word)),
            Self::Listen => value.as_str()?.parse::<SocketAddr>().ok().map(|address| Value::from(address.to_string())),
            Self::Mailbox => value.as_str().filter(|text| way::is_address(text)).map(Value::from),
            Self::Host => host(value.as_str()?).map(|url| Value::from(url.as_str().trim_end_matches('/'))),
            Self::HttpUrl => http_url(value.as_str()?).map(|url| Value::from(url.as_str())),
            Self::MailServer => value.as_str().filter(|text| way::Way::parse(text).is_ok()).map(Value::from),
            Self::UrlPath => value.as_str().filter(|text| text.starts_with('/')).map(Value::from),
        }
    }

    /// As [`Kind::read`], from an option, a variable or `--set`, where everything is text.
    pub fn read_text(self, text: &str, base: &Place<'_>) -> Option<Value> {
        let text = text.trim();
        let value = match self {
            Self::Bool => Value::from(text.parse::<bool>().ok()?),
            Self::Count { .. } => Value::from(text.parse::<i64>().ok()?),
            Self::Number { .. } => Value::from(text.parse::<f64>().ok()?),
            Self::Text
            | Self::Secret
            | Self::Path
            | Self::Ledger
            | Self::Duration { .. }
            | Self::Words
            | Self::OneOf(_)
            | Self::Listen
            | Self::Mailbox
            | Self::Host
            | Self::HttpUrl
            | Self::MailServer
            | Self::UrlPath => Value::from(text),
        };
        self.read(&value, base)
    }
}

/// Where the paths of a layer start.
pub struct Place<'a> {
    pub folder: &'a Path,
    pub home: Option<&'a Path>,
}

impl Place<'_> {
    fn path(&self, text: &str) -> Option<PathBuf> {
        if text.is_empty() {
            return None;
        }
        match (text.strip_prefix("~/"), self.home) {
            (Some(rest), Some(home)) => Some(home.join(rest)),
            _ => Some(self.folder.join(text)),
        }
    }
}

fn words(value: &Value) -> Option<Value> {
    let list: Vec<Value> = match value {
        Value::String(text) if text.trim_start().starts_with('[') => {
            let table: toml::Table = toml::from_str(&format!("list = {text}")).ok()?;
            return words(table.get("list").filter(|list| list.is_array())?);
        }
        Value::String(text) => text.split(',').map(str::trim).filter(|word| !word.is_empty()).map(Value::from).collect(),
        Value::Array(list) => list.clone(),
        Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) | Value::Table(_) => return None,
    };
    let well = |item: &Value| item.as_str().is_some_and(|text| text.len() <= VALUE_BYTES_MAX && one_line(text) == text);
    (list.len() <= ITEMS_MAX && list.iter().all(well)).then_some(Value::Array(list))
}

/// `https://host[:port]`: a pasted browser address loses its path and query, a bare host gains https.
fn host(text: &str) -> Option<Url> {
    let text = text.trim();
    let full = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
    let mut url = http_url(&full)?;
    url.set_path("");
    url.set_query(None);
    url.set_fragment(None);
    Some(url)
}

fn http_url(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let well = matches!(url.scheme(), "http" | "https") && url.has_host() && url.username().is_empty() && url.password().is_none();
    well.then_some(url)
}
