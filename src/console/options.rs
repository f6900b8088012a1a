//! How a console was started: from the configuration, the environment, and what the terminal can show.

use std::path::Path;

use jiff::tz::TimeZone;

use crate::config::{Config, WorkspaceConfig};
use crate::decide::Policy;
use crate::domain::decision::Mode;
use crate::domain::ids::WorkspaceName;

use super::theme::{ColorChoice, ThemeChoice, ThemeError};

/// A theme is a few lines; a longer file is none.
const THEME_BYTES_MAX: u64 = 64 << 10;

/// What the LLM's pane says when there is no opinion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Llm {
    NotConfigured,
    /// The provider's or the model's name.
    Configured(String),
}

#[derive(Clone, Debug)]
pub struct Options {
    pub workspaces: Vec<WorkspaceName>,
    /// The workspace's address, as a question before a call shows it; empty when there are several.
    pub host: String,
    pub mode: Mode,
    /// Under whose name decisions are recorded.
    pub user: String,
    /// For what is critical and how many re-runs there are: shown, never decided here.
    pub policy: Policy,
    /// The workspace is a simulated one: said on the screen, so that nobody takes it for theirs.
    pub simulated: bool,
    pub llm: Llm,
    pub ascii: bool,
    pub color: ColorChoice,
    pub theme: ThemeChoice,
    /// Times are shown in it.
    pub zone: TimeZone,
}

impl Options {
    /// `env` gives a variable of the process: the login name, `NO_COLOR`, `TERM`, `COLORTERM`, `COLORFGBG`.
    ///
    /// # Errors
    /// `ui.theme` names no shipped theme and no file that can be read. Whether the file is a theme is found by [`super::run`].
    pub fn new(
        config: &Config,
        workspaces: &[WorkspaceConfig],
        simulated: bool,
        env: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, ThemeError> {
        let host = match workspaces {
            [one] => one.host.as_str().trim_end_matches('/').to_owned(),
            _ => String::new(),
        };
        let user = ["USER", "LOGNAME", "USERNAME"].into_iter().find_map(|name| env(name).filter(|user| !user.trim().is_empty()));
        let llm = match config.llm.provider.as_str() {
            "none" => Llm::NotConfigured,
            provider => Llm::Configured(
                config.llm.deployment.as_ref().or(config.llm.model.as_ref()).cloned().unwrap_or_else(|| provider.to_owned()),
            ),
        };
        Ok(Self {
            workspaces: workspaces.iter().map(|workspace| workspace.name.clone()).collect(),
            host,
            mode: config.mode,
            user: user.unwrap_or_else(|| "somebody".to_owned()),
            policy: config.policy.clone(),
            simulated,
            llm,
            ascii: config.ui.ascii,
            color: if config.ui.color { ColorChoice::from_env(&env) } else { ColorChoice::Never },
            theme: theme(&config.ui.theme, &env)?,
            zone: TimeZone::system(),
        })
    }
}

/// `auto` asks the terminal; else a theme's name or file.
fn theme(name: &str, env: impl Fn(&str) -> Option<String>) -> Result<ThemeChoice, ThemeError> {
    match name {
        "auto" | "" => Ok(ThemeChoice::from_env(env)),
        "dark" => Ok(ThemeChoice::Dark),
        "light" => Ok(ThemeChoice::Light),
        file => read(Path::new(file)).map(ThemeChoice::Custom),
    }
}

fn read(path: &Path) -> Result<String, ThemeError> {
    let unreadable = |why: String| ThemeError::new(format!("ui.theme is neither auto, dark nor light, and {}: {why}", path.display()));
    let size = std::fs::metadata(path).map_err(|error| unreadable(error.to_string()))?.len();
    if size > THEME_BYTES_MAX {
        return Err(unreadable(format!("{size} bytes are no theme")));
    }
    std::fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_theme_is_a_name_or_a_file_and_anything_else_says_so() {
        let none = |_: &str| None;
        assert_eq!(theme("light", none).unwrap(), ThemeChoice::Light);
        assert_eq!(theme("auto", none).unwrap(), ThemeChoice::Dark);
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "base").unwrap();
        assert_eq!(theme(&file.path().display().to_string(), none).unwrap(), ThemeChoice::Custom("base".into()));
        let error = theme("/nowhere/solarized.toml", none).unwrap_err().to_string();
        assert!(error.contains("ui.theme") && error.contains("solarized.toml"), "{error}");
    }
}
