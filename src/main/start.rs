//! From a configuration to agents ready to work: client, ledger, classifier and mail channel of each workspace.

use std::path::Path;
use std::sync::Arc;

use tokio::sync::mpsc;

use runmend::agent::{self, House, Parts, Settings, SystemClock};
use runmend::classify::Classifier;
use runmend::config::{Config, LedgerPlace, Loaded, WorkspaceConfig};
use runmend::databricks::{Client, Workspace};
use runmend::domain::event::Event;
use runmend::ledger::{Ledger, SqliteLedger};
use runmend::notify::{self, Channel};

use runmend::redact::secrets::Redactor;

use crate::fault::Fault;
use crate::opinions;

/// Rule files of the user that are read at most; a folder with more is a mistake (the home folder, say).
const RULE_FILES_MAX: usize = 1000;

/// Everything is on rustls with this provider. A second call, as tests make it, changes nothing.
pub fn install_tls() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

pub async fn ledger(config: &Config) -> Result<Arc<dyn Ledger>, Fault> {
    let LedgerPlace::Sqlite(path) = &config.ledger;
    Ok(Arc::new(SqliteLedger::open(path).await?))
}

/// The shipped rules and the user's own.
pub fn classifier(config: &Config) -> Result<Classifier, Fault> {
    let Some(folder) = &config.rules_dir else { return Ok(Classifier::shipped()) };
    let files = rule_files(folder)?;
    Classifier::with_user_rules(&files)
        .map_err(|error| Fault::usage(error.to_string(), "correct the rule").at(folder.display().to_string()))
}

fn rule_files(folder: &Path) -> Result<Vec<(String, String)>, Fault> {
    let mut files = Vec::new();
    let entries = std::fs::read_dir(folder).map_err(|error| Fault::unreadable(folder, &error))?;
    for entry in entries {
        let path = entry.map_err(|error| Fault::unreadable(folder, &error))?.path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        if files.len() == RULE_FILES_MAX {
            return Err(Fault::usage(format!("more than {RULE_FILES_MAX} rule files"), "set rules.dir to a folder of rules only")
                .at(folder.display().to_string()));
        }
        let text = std::fs::read_to_string(&path).map_err(|error| Fault::unreadable(&path, &error))?;
        files.push((path.display().to_string(), text));
    }
    files.sort();
    Ok(files)
}

/// Asks each workspace once whether it is one and takes our token.
pub async fn workspaces(configs: &[WorkspaceConfig]) -> Result<Vec<Arc<dyn Workspace>>, Fault> {
    let mut workspaces: Vec<Arc<dyn Workspace>> = Vec::new();
    for config in configs {
        let client = Client::new(config.name.clone(), &config.host, &config.token).map_err(|error| Fault::client(&error, config))?;
        client.check().await.map_err(|error| Fault::workspace(&error, config))?;
        workspaces.push(Arc::new(client));
    }
    Ok(workspaces)
}

/// Does a console stand beside the agents, or do they work alone?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Company {
    Console,
    Alone,
}

/// One house a workspace, all on one ledger.
pub async fn houses(
    loaded: &Loaded,
    ledger: &Arc<dyn Ledger>,
    company: Company,
    events: &mpsc::UnboundedSender<Event>,
) -> Result<Vec<Arc<House>>, Fault> {
    let config = &loaded.config;
    let configs = loaded.workspaces.clone()?;
    let classifier = Arc::new(classifier(config)?);
    let channel: Arc<dyn Channel> = Arc::from(
        notify::channel(&config.mail.way, &config.mail.from)
            .map_err(|error| Fault::usage(error.to_string(), "correct the mail settings").at("mail"))?,
    );
    let redactor = Arc::new(Redactor::new(config.redact));
    let desk = Arc::new(opinions::desk(config, &configs, &redactor)?);
    agent::recall(&**ledger, &desk).await?;
    let workspaces = workspaces(&configs).await?;
    let worker = format!("{}:{}", gethostname::gethostname().to_string_lossy(), std::process::id());
    Ok(workspaces
        .into_iter()
        .map(|workspace| {
            let settings = settings(config, company, &worker);
            Arc::new(House::new(Parts {
                workspace,
                ledger: Arc::clone(ledger),
                classifier: Arc::clone(&classifier),
                redactor: Arc::clone(&redactor),
                desk: Arc::clone(&desk),
                channel: Arc::clone(&channel),
                settings,
                clock: Arc::new(SystemClock),
                events: events.clone(),
            }))
        })
        .collect())
}

fn settings(config: &Config, company: Company, worker: &str) -> Settings {
    Settings {
        policy: config.policy.clone(),
        mode: config.mode,
        unattended: company == Company::Alone,
        poll_interval: config.poll.interval,
        poll_lookback: config.poll.lookback,
        watch_interval: config.watch_interval,
        default_to: config.mail.default_to.clone(),
        on_call: config.mail.on_call.clone(),
        worker: worker.to_owned(),
    }
}
