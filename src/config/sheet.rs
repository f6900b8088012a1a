//! The merged values as typed sections, and the [`Config`] made from them.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use toml::{Table, Value};

use super::duration::de as span;
use super::error::ConfigError;
use super::kind::Place;
use super::layer::{self, Layer};
use super::settings::SETTINGS;
use super::source::Source;
use super::{Config, Inputs, LedgerPlace, MailConfig};
use crate::decide::{Policy, Retry};
use crate::domain::decision::Mode;
use crate::domain::ids::Probability;
use crate::domain::secret::Secret;
use crate::notify::way::Way;
use crate::redact::secrets::{Options, Personal};

/// When failed runs are looked for.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Poll {
    #[serde(deserialize_with = "span")]
    pub interval: Duration,
    #[serde(deserialize_with = "span")]
    pub lookback: Duration,
}

/// How the console looks.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ui {
    pub theme: String,
    pub color: bool,
    pub ascii: bool,
}

/// Who gives a second opinion.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Llm {
    pub provider: String,
    pub base_url: Option<String>,
    pub deployment: Option<String>,
    pub model: Option<String>,
    pub api_key: Option<Secret>,
    pub api_version: Option<String>,
    pub auth: String,
    pub tenant_id: Option<String>,
    pub client_id: Option<String>,
    pub client_secret: Option<Secret>,
    pub authority: String,
    pub scope: String,
    pub ask: String,
    /// US dollars a day.
    pub daily_budget: Option<f64>,
    /// US dollars an hour.
    pub hourly_budget: Option<f64>,
    #[serde(deserialize_with = "span")]
    pub timeout: Duration,
    pub prices: Option<PathBuf>,
}

/// Failures that Databricks reports by itself. Takes effect once that part is built in.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    pub listen: Option<SocketAddr>,
    pub path: String,
    pub username: Option<String>,
    pub password: Option<Secret>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WorkspaceSheet {
    pub host: Option<String>,
    pub token: Option<Secret>,
    pub profile: Option<Vec<String>>,
    pub config_file: Option<PathBuf>,
    pub name: Option<String>,
    pub allow_http: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WatchSheet {
    #[serde(deserialize_with = "span")]
    interval: Duration,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RetrySheet {
    max_attempts: u32,
    #[serde(deserialize_with = "span")]
    base_delay: Duration,
    factor: f64,
    #[serde(deserialize_with = "span")]
    max_delay: Duration,
    jitter: f64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicySheet {
    min_confidence: f64,
    critical: Vec<String>,
    trust_tags: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MailSheet {
    smtp: Secret,
    from: String,
    default_to: Option<String>,
    on_call: Option<String>,
    ca_file: Option<PathBuf>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RedactSheet {
    emails: bool,
    ips: bool,
}

impl RedactSheet {
    fn options(&self) -> Options {
        let asked = |asked: bool| if asked { Personal::Redact } else { Personal::Keep };
        Options { emails: asked(self.emails), addresses: asked(self.ips) }
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RulesSheet {
    dir: Option<PathBuf>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LogSheet {
    level: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct MetricsSheet {
    listen: Option<SocketAddr>,
}

/// Every key, as the table of settings names it: a key that only one of the two has is found by a test.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sheet {
    pub workspace: WorkspaceSheet,
    mode: Mode,
    poll: Poll,
    watch: WatchSheet,
    retry: RetrySheet,
    policy: PolicySheet,
    mail: MailSheet,
    redact: RedactSheet,
    #[serde(default)]
    rules: RulesSheet,
    data_dir: Option<PathBuf>,
    ledger: Option<Secret>,
    log: LogSheet,
    ui: Ui,
    llm: Llm,
    webhook: Webhook,
    #[serde(default)]
    metrics: MetricsSheet,
}

/// The sheet of defaults overlaid with `entries`. The values were checked one by one; what fails here is a key that
/// [`SETTINGS`] and [`Sheet`] describe differently.
pub(super) fn read(entries: &Layer) -> Result<Sheet, ConfigError> {
    let place = Place { folder: std::path::Path::new(""), home: None };
    let mut table = Table::new();
    for setting in SETTINGS {
        let value = match entries.get(setting.key) {
            Some(entry) => Some(entry.value.clone()),
            None => layer::default_of(setting, &place)?,
        };
        if let Some(value) = value {
            insert(&mut table, setting.key, value);
        }
    }
    Sheet::deserialize(Value::Table(table)).map_err(|error| ConfigError::Syntax {
        what: "the configuration",
        path: PathBuf::new(),
        line: None,
        reason: error.message().to_owned(),
    })
}

fn insert(table: &mut Table, key: &str, value: Value) {
    match key.split_once('.') {
        None => {
            table.insert(key.to_owned(), value);
        }
        Some((section, name)) => {
            let inner = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(inner) = inner {
                insert(inner, name, value);
            }
        }
    }
}

impl Sheet {
    pub(super) fn into_config(self, inputs: &Inputs, entries: &Layer, warnings: &mut Vec<String>) -> Result<Config, ConfigError> {
        let data_dir = self.data_dir.or_else(|| inputs.data_dir.clone()).unwrap_or_else(|| {
            warnings.push("there is no user data folder: the ledger and the outbox go to `runmend-data` here; set data_dir".to_owned());
            inputs.cwd.join("runmend-data")
        });
        let source = |key: &str| entries.get(key).map_or(Source::Default, |entry| entry.source.clone());
        let ledger = match self.ledger.as_ref().map(Secret::expose) {
            Some(url) if url.starts_with("postgres") && url.contains("://") => {
                return Err(ConfigError::NotBuilt { what: "a PostgreSQL ledger", key: "ledger".to_owned(), source_of: source("ledger") });
            }
            Some(path) => LedgerPlace::Sqlite(PathBuf::from(path)),
            None => LedgerPlace::Sqlite(data_dir.join("ledger.db")),
        };
        let way = Way::parse(self.mail.smtp.expose()).map_err(|reason| ConfigError::BadValue {
            key: "mail.smtp".to_owned(),
            source_of: source("mail.smtp"),
            expected: reason.to_string(),
            got: None,
        })?;
        Ok(Config {
            mode: self.mode,
            poll: self.poll,
            watch_interval: self.watch.interval,
            policy: policy(self.policy, self.retry),
            mail: MailConfig {
                way: way.placed(&data_dir, &inputs.cwd, self.mail.ca_file),
                from: self.mail.from,
                on_call: self.mail.on_call.or_else(|| self.mail.default_to.clone()),
                default_to: self.mail.default_to,
            },
            data_dir,
            ledger,
            redact: self.redact.options(),
            rules_dir: self.rules.dir,
            ui: self.ui,
            log_level: self.log.level,
            llm: self.llm,
            webhook: self.webhook,
            metrics_listen: self.metrics.listen,
        })
    }
}

fn policy(policy: PolicySheet, retry: RetrySheet) -> Policy {
    Policy {
        retry: Retry {
            max_attempts: retry.max_attempts,
            base_delay: retry.base_delay,
            factor: retry.factor,
            max_delay: retry.max_delay,
            jitter: retry.jitter,
        },
        min_confidence: Probability::new(policy.min_confidence),
        critical: policy.critical,
        trust_tags: policy.trust_tags,
    }
}
