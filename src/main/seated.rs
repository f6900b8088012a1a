//! The console, with the agents of its workspaces beside it. They meet in the ledger only.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use runmend::config::Loaded;
use runmend::console::{self, ConsoleError, Options, Seat, ThemeError};
use runmend::report::metrics::Heard;

use crate::fault::{Exit, Fault};
use crate::start::{self, Company};
use crate::telling::{self, Voice};
use crate::unattended;
use crate::watched;

/// After this the person who left is told why the shell does not come back yet.
const PATIENCE: Duration = Duration::from_secs(1);

/// Is the workspace a real one?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum World {
    Real,
    Simulated,
}

pub async fn run(loaded: &Loaded, world: World, stop: watch::Receiver<bool>) -> Result<Exit, Fault> {
    let workspaces = loaded.workspaces.clone()?;
    let options = Options::new(&loaded.config, &workspaces, world == World::Simulated, |name| std::env::var(name).ok()).map_err(theme)?;
    let endpoint = watched::bind(&loaded.config).await?;
    let ledger = start::ledger(&loaded.config).await?;
    let heard = Arc::new(Heard::default());
    let (events, _) = telling::start(Voice::Silent, Arc::clone(&heard));
    let houses = start::houses(loaded, &ledger, Company::Console, &events).await?;
    let serving = watched::serve(endpoint, &houses, &ledger, heard);
    let first = unattended::first(&houses)?;
    first.record_of_all(unattended::ready(loaded, &houses)).await;
    let (end, ended) = watch::channel(false);
    let agents = tokio::spawn(async move { unattended::until_stopped(&houses, &ended).await });

    let result = console::run(Seat { ledger: Arc::clone(&ledger), options, shutdown: stop }).await;

    drop(serving);
    end.send_replace(true);
    let mut agents = agents;
    if timeout(PATIENCE, &mut agents).await.is_err() {
        eprintln!("finishing what is in flight (Ctrl-C leaves at once; it is on record)");
        let _ = agents.await;
    }
    first.record_of_all(unattended::stopped(&*ledger).await?).await;
    result.map(|()| Exit::Done).map_err(|error| match error {
        ConsoleError::Terminal(_) => Fault::usage(error.to_string(), "use a terminal of at least 60x16, or `runmend --auto`"),
        ConsoleError::Theme(error) => theme(error),
        ConsoleError::Unrecorded => {
            Fault::found(error.to_string(), "the ledger", "start the console again and look whether your last decision is there")
        }
        ConsoleError::Crashed => {
            Fault::found(error.to_string(), "the console", "start it again; runmend.log in the data folder has what was said")
        }
    })
}

fn theme(error: ThemeError) -> Fault {
    Fault::usage(error.to_string(), "correct the theme, or use dark or light").at("ui.theme")
}
