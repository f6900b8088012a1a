//! The console, with the agents of its workspaces beside it. They meet in the ledger only.

use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use tokio::sync::watch;
use tokio::time::timeout;

use runmend::config::Loaded;
use runmend::console::{self, ColorChoice, ConsoleError, Llm, Options, Seat, ThemeChoice};

use crate::fault::{Exit, Fault};
use crate::start::{self, Company};
use crate::telling::{self, Voice};
use crate::unattended;

/// After this the person who left is told why the shell does not come back yet.
const PATIENCE: Duration = Duration::from_secs(1);

/// Is the workspace a real one?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum World {
    Real,
    Simulated,
}

pub async fn run(loaded: &Loaded, world: World, stop: watch::Receiver<bool>) -> Result<Exit, Fault> {
    let options = options(loaded, world)?;
    let ledger = start::ledger(&loaded.config).await?;
    let (events, _) = telling::start(Voice::Silent);
    let houses = start::houses(loaded, &ledger, Company::Console, &events).await?;
    let first = unattended::first(&houses)?;
    first.record_of_all(unattended::ready(loaded, &houses)).await;
    let (end, ended) = watch::channel(false);
    let agents = tokio::spawn(async move { unattended::until_stopped(&houses, &ended).await });

    let result = console::run(Seat { ledger: Arc::clone(&ledger), options, shutdown: stop }).await;

    end.send_replace(true);
    let mut agents = agents;
    if timeout(PATIENCE, &mut agents).await.is_err() {
        eprintln!("finishing what is in flight (Ctrl-C leaves at once; it is on record)");
        let _ = agents.await;
    }
    first.record_of_all(unattended::stopped(&*ledger).await?).await;
    result.map(|()| Exit::Done).map_err(|error| match error {
        ConsoleError::Terminal(_) => Fault::usage(error.to_string(), "use a terminal of at least 60x16, or `runmend --auto`"),
        ConsoleError::Theme(_) => Fault::usage(error.to_string(), "correct the theme, or use dark or light").at("ui.theme"),
        ConsoleError::Unrecorded => {
            Fault::found(error.to_string(), "the ledger", "start the console again and look whether your last decision is there")
        }
        ConsoleError::Crashed => {
            Fault::found(error.to_string(), "the console", "start it again; runmend.log in the data folder has what was said")
        }
    })
}

fn options(loaded: &Loaded, world: World) -> Result<Options, Fault> {
    let config = &loaded.config;
    let workspaces = loaded.workspaces.clone()?;
    let variable = |name: &str| std::env::var(name).ok();
    let host = match workspaces.as_slice() {
        [only] => only.host.as_str().trim_end_matches('/').to_owned(),
        _ => String::new(),
    };
    Ok(Options {
        workspaces: workspaces.into_iter().map(|workspace| workspace.name).collect(),
        host,
        mode: config.mode,
        user: ["USER", "LOGNAME", "USERNAME"]
            .iter()
            .find_map(|name| variable(name).filter(|user| !user.is_empty()))
            .unwrap_or_else(|| "operator".to_owned()),
        policy: config.policy.clone(),
        simulated: world == World::Simulated,
        llm: match (config.llm.provider.as_str(), config.llm.deployment.as_ref().or(config.llm.model.as_ref())) {
            ("none", _) => Llm::NotConfigured,
            (provider, model) => Llm::Configured(model.cloned().unwrap_or_else(|| provider.to_owned())),
        },
        ascii: config.ui.ascii,
        color: if config.ui.color { ColorChoice::from_env(variable) } else { ColorChoice::Never },
        theme: theme(&config.ui.theme)?,
        zone: TimeZone::system(),
    })
}

fn theme(name: &str) -> Result<ThemeChoice, Fault> {
    Ok(match name {
        "auto" => ThemeChoice::from_env(|name| std::env::var(name).ok()),
        "dark" => ThemeChoice::Dark,
        "light" => ThemeChoice::Light,
        path => {
            let path = std::path::Path::new(path);
            ThemeChoice::Custom(std::fs::read_to_string(path).map_err(|error| Fault::unreadable(path, &error))?)
        }
    })
}
