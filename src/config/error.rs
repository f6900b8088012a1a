//! What can be wrong with a configuration. Display says what happened; `place` and `remedy` complete the report at the edge.
//! No text in here ever holds a value that may be a secret.

use std::path::PathBuf;

use super::source::Source;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    #[error("there is no setting `{key}`")]
    UnknownKey { key: String, source_of: Source, near: Option<String> },
    #[error("`{key}` cannot be {}: expected {expected}", got.as_deref().map_or("this".to_owned(), |got| format!("`{got}`")))]
    BadValue { key: String, source_of: Source, expected: String, got: Option<String> },
    /// `--set` without an equals sign.
    #[error("`--set` takes KEY=VALUE")]
    BadSet,
    #[error("cannot read {what}: {reason}")]
    Unreadable { what: &'static str, path: PathBuf, reason: String },
    #[error("{what} is not well-formed: {reason}")]
    Syntax { what: &'static str, path: PathBuf, line: Option<usize>, reason: String },
    #[error("no Databricks workspace is configured")]
    NotConfigured,
    #[error("there is no profile `{profile}`")]
    NoProfile { profile: String, path: PathBuf, have: Vec<String> },
    #[error("profile `{profile}` cannot be used: {reason}")]
    BadProfile { profile: String, path: PathBuf, reason: String },
    #[error("workspace {host} has no token")]
    NoToken { host: String, source_of: Source },
    #[error("there is a token, but no workspace host")]
    NoHost { source_of: Source },
    #[error("{host} would be called over plain http, where the token can be read on the way")]
    PlainHttp { host: String, source_of: Source },
    #[error("two workspaces are both called `{name}`")]
    SameName { name: String },
    #[error("{what} is not built into this version")]
    NotBuilt { what: &'static str, key: String, source_of: Source },
}

impl ConfigError {
    /// Usage or configuration. Source: contract.md, exit codes.
    pub const EXIT: u8 = 2;

    /// Where it stands.
    pub fn place(&self) -> Option<String> {
        match self {
            Self::UnknownKey { source_of, .. }
            | Self::BadValue { source_of, .. }
            | Self::NoToken { source_of, .. }
            | Self::NoHost { source_of }
            | Self::PlainHttp { source_of, .. }
            | Self::NotBuilt { source_of, .. } => Some(source_of.to_string()),
            Self::BadSet => Some("--set".to_owned()),
            Self::Unreadable { path, .. } | Self::NoProfile { path, .. } | Self::BadProfile { path, .. } => {
                Some(path.display().to_string())
            }
            Self::Syntax { path, line: Some(line), .. } => Some(format!("{}, line {line}", path.display())),
            Self::Syntax { path, line: None, .. } => Some(path.display().to_string()),
            Self::NotConfigured | Self::SameName { .. } => None,
        }
    }

    /// What to do about it. May have several lines.
    pub fn remedy(&self) -> String {
        match self {
            Self::UnknownKey { near: Some(near), .. } => format!("did you mean `{near}`? `runmend config` lists every setting"),
            Self::UnknownKey { near: None, .. } => "`runmend config` lists every setting".to_owned(),
            Self::BadValue { .. } => "correct the value; `runmend config` says what each setting means".to_owned(),
            Self::BadSet => "for example `--set poll.interval=30s`".to_owned(),
            Self::Unreadable { .. } => "check that the file exists and that you may read it".to_owned(),
            Self::Syntax { .. } => "correct that line".to_owned(),
            Self::NotConfigured => "configure one of these ways:\n\
                 1. set DATABRICKS_HOST and DATABRICKS_TOKEN\n\
                 2. use a profile of ~/.databrickscfg (`databricks configure` makes one): --profile NAME\n\
                 3. put DATABRICKS_HOST and DATABRICKS_TOKEN into a .env file here, or workspace.host and workspace.token into the config file\n\
                 or see it work without an account: runmend --demo"
                .to_owned(),
            Self::NoProfile { have, .. } if have.is_empty() => "the file holds no profile; `databricks configure` makes one".to_owned(),
            Self::NoProfile { have, .. } => format!("choose one of {}", have.join(", ")),
            Self::BadProfile { .. } => "give the profile a host and a personal access token, or set DATABRICKS_HOST and DATABRICKS_TOKEN".to_owned(),
            Self::NoToken { .. } => "set DATABRICKS_TOKEN (or workspace.token) to a personal access token of that workspace".to_owned(),
            Self::NoHost { .. } => "set DATABRICKS_HOST (or workspace.host) to the workspace's URL".to_owned(),
            Self::PlainHttp { .. } => "use https, or set workspace.allow_http = true if you trust the network in between".to_owned(),
            Self::SameName { .. } => "choose profiles with different names, each once".to_owned(),
            Self::NotBuilt { key, .. } if key == "ledger" => "give the path of a SQLite file, or leave `ledger` unset".to_owned(),
            Self::NotBuilt { key, .. } => format!("leave `{key}` unset"),
        }
    }
}
