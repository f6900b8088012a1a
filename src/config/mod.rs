//! File, environment, arguments -> one validated [`Config`], each value with its source.
//! May import: `domain`, `decide`, `databricks`, `ledger`, `notify`, `redact`. Must not: read the process environment outside
//! [`Inputs::from_process`], or print. Start at [`Config::load`]; `settings` is the list of all keys.
//!
//! Strongest first: `--set`, options, environment, `.env` of the current folder, config file, defaults. A profile of
//! `~/.databrickscfg` is as strong as the layer that names it, and gives way to a host and token of that same layer.

pub mod cli;
pub mod duration;
pub mod error;
pub mod example;
mod kind;
mod layer;
pub mod listing;
mod settings;
mod sheet;
mod source;
mod workspace;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::decide::Policy;
use crate::domain::decision::Mode;
use crate::notify::way::Way;
use crate::redact::secrets::Options;

pub use cli::Common;
pub use error::ConfigError;
pub use settings::{SETTINGS, Setting};
pub use sheet::{Llm, Poll, Ui, Webhook};
pub use source::Source;
pub use workspace::WorkspaceConfig;

/// Everything that [`Config::load`] depends on, so that a test can hand over another world. No Debug: the environment holds secrets.
#[derive(Clone, Default)]
pub struct Inputs {
    /// Relative paths of options and variables start here; its `.env` is read.
    pub cwd: PathBuf,
    pub env: BTreeMap<String, String>,
    pub home: Option<PathBuf>,
    /// Where `config.toml` is looked for when no file is named.
    pub config_dir: Option<PathBuf>,
    /// Default of `data_dir`.
    pub data_dir: Option<PathBuf>,
    pub options: Common,
    /// What `--auto` or `--observe` asked for. `Observe` is stronger than everything else, `--set` included.
    pub asked_mode: Option<Mode>,
}

impl Inputs {
    /// The process's own folder, environment and user.
    pub fn from_process(options: Common, asked_mode: Option<Mode>) -> Self {
        let folders = directories::ProjectDirs::from("", "", "runmend");
        Self {
            cwd: std::env::current_dir().unwrap_or_default(),
            env: std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))).collect(),
            home: directories::BaseDirs::new().map(|dirs| dirs.home_dir().to_owned()),
            config_dir: folders.as_ref().map(|dirs| dirs.config_dir().to_owned()),
            data_dir: folders.as_ref().map(|dirs| dirs.data_dir().to_owned()),
            options,
            asked_mode,
        }
    }
}

/// The store's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LedgerPlace {
    Sqlite(PathBuf),
}

/// Mail: which way out, and to whom.
#[derive(Clone, Debug, PartialEq)]
pub struct MailConfig {
    pub way: Way,
    pub from: String,
    /// Where mail goes when the job names no owner.
    pub default_to: Option<String>,
    /// Who is paged; `default_to` when unset.
    pub on_call: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    pub mode: Mode,
    pub poll: Poll,
    /// How often a run that was re-run is looked at.
    pub watch_interval: Duration,
    pub policy: Policy,
    pub data_dir: PathBuf,
    pub ledger: LedgerPlace,
    pub mail: MailConfig,
    /// What is taken out of collected texts besides secrets.
    pub redact: Options,
    /// Folder of the user's own rule files.
    pub rules_dir: Option<PathBuf>,
    pub ui: Ui,
    pub log_level: String,
    pub llm: Llm,
    /// Takes effect once the webhook is built in; a value set today gives a warning.
    pub webhook: Webhook,
    /// Where metrics are served; `None`: nowhere.
    pub metrics_listen: Option<SocketAddr>,
}

/// A configuration, where each value came from, and what the user should know about it.
#[derive(Clone, Debug)]
pub struct Loaded {
    pub config: Config,
    /// The workspaces to work on. An error here is none for commands that need no workspace (`analyze`, `--demo`).
    pub workspaces: Result<Vec<WorkspaceConfig>, ConfigError>,
    /// Key -> where its value came from. Keys left at their default are absent.
    pub sources: BTreeMap<&'static str, Source>,
    pub warnings: Vec<String>,
    entries: BTreeMap<&'static str, layer::Entry>,
}

impl Config {
    /// Joins the layers and validates every value. Pure but for reading the files that `inputs` leads to.
    pub fn load(inputs: &Inputs) -> Result<Loaded, ConfigError> {
        let mut warnings = Vec::new();
        let layers = layer::all(inputs, &mut warnings)?;
        let entries = layer::merge(&layers);
        let sheet = sheet::read(&entries)?;
        let workspaces = workspace::resolve(inputs, &layers, &sheet, &mut warnings);
        let config = sheet.into_config(inputs, &entries, &mut warnings)?;
        settings::warn_of_what_is_not_built(&entries, &mut warnings);
        let sources = entries.iter().map(|(key, entry)| (*key, entry.source.clone())).collect();
        Ok(Loaded { config, workspaces, sources, warnings, entries })
    }
}

#[cfg(test)]
mod tests;
