//! Where a value came from.

use std::fmt;
use std::path::PathBuf;

use serde::{Serialize, Serializer};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    Default,
    File {
        path: PathBuf,
        line: usize,
    },
    /// A profile of the Databricks configuration file.
    Profile {
        name: String,
        path: PathBuf,
    },
    /// A variable in the `.env` file of the current folder.
    DotEnv {
        name: String,
    },
    Environment {
        name: String,
    },
    /// An option, as `--ledger`.
    Option(&'static str),
    /// `--set KEY=VALUE`.
    Set,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line } => write!(f, "{}, line {line}", path.display()),
            Self::Profile { name, path } => write!(f, "profile {name} of {}", path.display()),
            Self::DotEnv { name } => write!(f, "{name} in .env"),
            Self::Environment { name } => write!(f, "environment variable {name}"),
            Self::Option(option) => f.write_str(option),
            Self::Set => f.write_str("--set"),
        }
    }
}

impl Serialize for Source {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
