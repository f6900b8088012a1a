//! What went wrong, for the person at the edge: what happened, where, what to do, and the exit code that a script sees.

use std::fmt;
use std::path::Path;
use std::process::ExitCode;

use runmend::config::{ConfigError, WorkspaceConfig};
use runmend::databricks::{ApiError, ClientError};
use runmend::ledger::LedgerError;
use runmend::redact::control::one_line;

/// How the process ends. Source: contract.md, exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    Done,
    /// Finished, but something is wrong with the input, or the check found a fault.
    Found,
    Usage,
    Workspace,
    Ledger,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Found => 1,
            Exit::Usage => 2,
            Exit::Workspace => 3,
            Exit::Ledger => 4,
        })
    }
}

/// The report that ends a command.
#[derive(Debug)]
pub struct Fault {
    pub exit: Exit,
    what: String,
    place: Option<String>,
    remedy: String,
}

impl Fault {
    pub fn usage(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, what: what.into(), place: None, remedy: remedy.into() }
    }

    pub fn found(what: impl Into<String>, place: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { exit: Exit::Found, what: what.into(), place: Some(place.into()), remedy: remedy.into() }
    }

    pub fn at(mut self, place: impl Into<String>) -> Self {
        self.place = Some(place.into());
        self
    }

    /// A file or standard input that cannot be read.
    pub fn unreadable(path: &Path, error: &std::io::Error) -> Self {
        Self::usage(format!("cannot read the file: {error}"), "check that it exists and that you may read it")
            .at(path.display().to_string())
    }

    /// The workspace said no, or nothing, when it was first asked.
    pub fn workspace(error: &ApiError, workspace: &WorkspaceConfig) -> Self {
        let mut place = format!("{}, workspace {} at {}", error.call(), workspace.name, workspace.host);
        if let Some(profile) = &workspace.profile {
            place.push_str(&format!(", profile {profile}"));
        }
        let remedy = match error {
            ApiError::Unauthenticated { .. } => {
                "make a new token in the workspace (Settings, Developer, Access tokens) and set DATABRICKS_TOKEN to it"
            }
            ApiError::Forbidden { .. } => "let a workspace admin give the token's user access to jobs",
            ApiError::NotFound { .. } | ApiError::NotOffered { .. } | ApiError::NotDatabricks { .. } | ApiError::Malformed { .. } => {
                "check that DATABRICKS_HOST is the URL of a Databricks workspace, as the browser shows it"
            }
            ApiError::Unreachable { .. } | ApiError::AnswerLost { .. } => {
                "check the host's name, the network, and HTTPS_PROXY if you need one"
            }
            ApiError::RateLimited { .. } | ApiError::Unavailable { .. } => "try again in a minute",
            ApiError::Refused { .. } => "see what the workspace says above",
        };
        Self { exit: Exit::Workspace, what: error.to_string(), place: Some(place), remedy: remedy.to_owned() }
    }

    pub fn client(error: &ClientError, workspace: &WorkspaceConfig) -> Self {
        Self::usage(error.to_string(), "correct DATABRICKS_TOKEN, or the machine's certificates").at(workspace.source.to_string())
    }
}

impl From<ConfigError> for Fault {
    fn from(error: ConfigError) -> Self {
        Self { exit: Exit::Usage, what: error.to_string(), place: error.place(), remedy: error.remedy() }
    }
}

impl From<LedgerError> for Fault {
    fn from(error: LedgerError) -> Self {
        let remedy = match &error {
            LedgerError::Corrupt { .. } => {
                "the file was left as it is: put back a backup, or move it away and start with a new one (runs that failed within poll.lookback are found again)"
            }
            LedgerError::TooNew { .. } => "use the newer runmend, or another --ledger",
            LedgerError::Unwritable { .. } => {
                "make the folder writable and free some disk space, or choose another place with --ledger or data_dir"
            }
            LedgerError::AuditBroken { .. } => "somebody changed the ledger's file from outside: compare it with a backup",
            LedgerError::Conflict { .. } | LedgerError::IntentRefused { .. } | LedgerError::Illegal(_) | LedgerError::Failed(_) => {
                "another program may hold the file: stop it, or choose another --ledger"
            }
        };
        Self { exit: Exit::Ledger, what: error.to_string(), place: None, remedy: remedy.to_owned() }
    }
}

/// `error:`, `where:`, `do:`; what came from outside keeps to its line.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "error: {}", one_line(&self.what))?;
        if let Some(place) = &self.place {
            writeln!(f, "  where: {}", one_line(place))?;
        }
        for (number, line) in self.remedy.lines().enumerate() {
            writeln!(f, "  {} {}", if number == 0 { "do:   " } else { "      " }, line)?;
        }
        Ok(())
    }
}
