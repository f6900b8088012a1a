//! The options that every command takes, and the help on settings.

use std::path::PathBuf;
use std::time::Duration;

use super::duration;
use super::settings::SETTINGS;

#[derive(Clone, Debug, Default, PartialEq, clap::Args)]
pub struct Common {
    /// Config file [default: config.toml in the user's configuration folder]
    #[arg(long, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
    /// Profile of ~/.databrickscfg; repeat it for several workspaces
    #[arg(long = "profile", value_name = "NAME", global = true)]
    pub profiles: Vec<String>,
    /// The ledger: a SQLite file
    #[arg(long, value_name = "PATH", global = true)]
    pub ledger: Option<String>,
    /// Any setting of the config file, as poll.interval=30s; repeatable, stronger than everything else
    #[arg(long = "set", value_name = "KEY=VALUE", global = true)]
    pub sets: Vec<String>,
    /// Machine-readable results on stdout
    #[arg(long, global = true)]
    pub json: bool,
    /// Stop after this time, as 60s or 2h
    #[arg(long = "for", value_name = "DURATION", value_parser = read_duration, global = true)]
    pub run_for: Option<Duration>,
    /// error, warn, info, debug or trace
    #[arg(long, value_name = "LEVEL", global = true)]
    pub log_level: Option<String>,
    /// No colours
    #[arg(long, global = true)]
    pub no_color: bool,
    /// Draw with ASCII only
    #[arg(long, global = true)]
    pub ascii: bool,
}

fn read_duration(text: &str) -> Result<Duration, String> {
    duration::parse(text).map_err(|expected| format!("expected {expected}"))
}

/// Every setting with its default and meaning, for the end of `--help`.
pub fn settings_help() -> String {
    let mut text = String::from("Settings (config file, RUNMEND_SECTION__KEY, or --set):\n");
    for setting in SETTINGS {
        let default = setting.default.filter(|default| !default.is_empty()).map(|default| format!(" [{default}]")).unwrap_or_default();
        text.push_str(&format!("  {:<22} {}{default}\n", setting.key, setting.doc));
    }
    text
}
