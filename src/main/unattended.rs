//! Without a console: `--auto`, `--observe` where nobody looks, and `once`.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinSet;

use runmend::agent::{Agent, House};
use runmend::config::Loaded;
use runmend::domain::event::Happening;
use runmend::domain::ids::WorkspaceName;
use runmend::ledger::Ledger;
use runmend::report::metrics::Heard;

use crate::fault::{Exit, Fault};
use crate::start::{self, Company};
use crate::telling::{self, Told, Voice};
use crate::watched;

/// How long the agents work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    UntilStopped,
    OnePass,
}

/// Works, and ends with everything recorded and told.
pub async fn run(loaded: &Loaded, voice: Voice, span: Span, stop: watch::Receiver<bool>) -> Result<(Exit, Told), Fault> {
    let endpoint = match span {
        Span::UntilStopped => watched::bind(&loaded.config).await?,
        // Gone before anybody could look.
        Span::OnePass => None,
    };
    let ledger = start::ledger(&loaded.config).await?;
    let heard = Arc::new(Heard::default());
    let (events, telling) = telling::start(voice, Arc::clone(&heard));
    let houses = start::houses(loaded, &ledger, Company::Alone, &events).await?;
    drop(events);
    let serving = watched::serve(endpoint, &houses, &ledger, heard);
    let first = first(&houses)?;
    first.record_of_all(ready(loaded, &houses)).await;
    let exit = match span {
        Span::UntilStopped => {
            until_stopped(&houses, &stop).await;
            Exit::Done
        }
        Span::OnePass => one_pass(&houses).await?,
    };
    first.record_of_all(stopped(&*ledger).await?).await;
    drop((serving, first, houses));
    let told = telling.await.unwrap_or_default();
    Ok((exit, told))
}

/// The house that speaks for the process.
pub fn first(houses: &[Arc<House>]) -> Result<Arc<House>, Fault> {
    houses.first().cloned().ok_or_else(|| Fault::usage("no workspace to work on", "configure one; see `runmend --help`"))
}

pub fn ready(loaded: &Loaded, houses: &[Arc<House>]) -> Happening {
    let workspaces: Vec<WorkspaceName> = houses.iter().map(|house| house.name().clone()).collect();
    Happening::Ready { version: env!("CARGO_PKG_VERSION").to_owned(), mode: loaded.config.mode, workspaces }
}

/// The agents of all workspaces, until told to stop. One that ends badly takes none of the others along.
pub async fn until_stopped(houses: &[Arc<House>], stop: &watch::Receiver<bool>) {
    let mut agents = JoinSet::new();
    for house in houses {
        let agent = Agent::new(Arc::clone(house));
        let stop = stop.clone();
        agents.spawn(async move { agent.run(stop).await });
    }
    while let Some(ended) = agents.join_next().await {
        if let Err(error) = ended {
            tracing::error!(%error, "an agent ended unexpectedly; its incidents are as the ledger has them");
        }
    }
}

async fn one_pass(houses: &[Arc<House>]) -> Result<Exit, Fault> {
    let mut exit = Exit::Done;
    for house in houses {
        Agent::new(Arc::clone(house)).once().await?;
        if !house.status().degraded.is_empty() {
            exit = Exit::Found;
        }
    }
    Ok(exit)
}

pub async fn stopped(ledger: &dyn Ledger) -> Result<Happening, Fault> {
    Ok(Happening::Stopped { open_incidents: ledger.incidents(0).await?.len() as u64 })
}
