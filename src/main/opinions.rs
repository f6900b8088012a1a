//! From the `llm.` settings to the desk that asks a model.

use std::sync::Arc;

use url::Url;

use runmend::config::{Config, WorkspaceConfig};
use runmend::domain::money::Usd;
use runmend::llm::budget::Limits;
use runmend::llm::{Ask, Connection, Desk, Options, PriceTable, Provider, connect, provider};
use runmend::redact::secrets::Redactor;

use crate::fault::Fault;

pub fn desk(config: &Config, workspaces: &[WorkspaceConfig], redactor: &Arc<Redactor>) -> Result<Desk, Fault> {
    let llm = &config.llm;
    let model = match Provider::from_word(&llm.provider) {
        None => None,
        Some(provider) => Some(connect(&connection(config, provider, workspaces)?).map_err(|error| {
            Fault::usage(error.to_string(), "set it, or llm.provider = \"none\"; `runmend config` shows what is set").at("llm")
        })?),
    };
    let limits = Limits { daily: llm.daily_budget.map(Usd::new), hourly: llm.hourly_budget.map(Usd::new) };
    let options = Options { ask: ask(&llm.ask), limits, time_max: llm.timeout, ..Options::default() };
    Ok(Desk::new(model, Arc::clone(redactor), options, prices(config)?))
}

fn prices(config: &Config) -> Result<PriceTable, Fault> {
    let shipped = PriceTable::shipped();
    let Some(path) = &config.llm.prices else { return Ok(shipped) };
    let text = std::fs::read_to_string(path).map_err(|error| Fault::unreadable(path, &error))?;
    let own = PriceTable::read(&text)
        .map_err(|error| Fault::usage(error.to_string(), "correct it; assets/prices.toml is an example").at(path.display().to_string()))?;
    Ok(shipped.overridden_by(own))
}

fn connection(config: &Config, provider: Provider, workspaces: &[WorkspaceConfig]) -> Result<Connection, Fault> {
    let llm = &config.llm;
    let mut base_url = None;
    if let Some(text) = &llm.base_url {
        let url =
            Url::parse(text).map_err(|error| Fault::usage(format!("`{text}` is no URL: {error}"), "correct it").at("llm.base_url"))?;
        base_url = Some(url);
    }
    let mut key = llm.api_key.clone();
    // A model that the workspace itself serves: no further vendor, no further key.
    if provider == Provider::Databricks
        && base_url.is_none()
        && let Some(workspace) = workspaces.first()
    {
        base_url = Some(workspace.host.clone());
        key = key.or_else(|| Some(workspace.token.clone()));
    }
    Ok(Connection {
        provider,
        base_url,
        deployment: llm.deployment.clone(),
        model: llm.model.clone(),
        api_version: llm.api_version.clone(),
        credential: provider::key(provider, key),
    })
}

fn ask(word: &str) -> Ask {
    match word {
        "always" => Ask::Always,
        "never" => Ask::Never,
        _ => Ask::Unsure,
    }
}
