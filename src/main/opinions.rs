//! From the `llm.` settings to the desk that asks a model.

use std::sync::Arc;

use url::Url;

use runmend::config::{Config, WorkspaceConfig};
use runmend::domain::money::Usd;
use runmend::llm::budget::Limits;
use runmend::llm::entra::{self, Entra};
use runmend::llm::{Ask, Connection, Credential, Desk, Options, PriceTable, Provider, connect, provider};
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
    let entra = match llm.auth.as_str() {
        "entra" => true,
        "key" => false,
        _ => provider == Provider::Azure && key.is_none() && entra_is_complete(config),
    };
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
        credential: if entra { entra_tokens(config)? } else { provider::key(provider, key) },
    })
}

fn entra_is_complete(config: &Config) -> bool {
    let llm = &config.llm;
    llm.tenant_id.is_some() && llm.client_id.is_some() && llm.client_secret.is_some()
}

/// Tokens of Entra ID by the application's identity. Errors name the setting that is missing and its variable.
fn entra_tokens(config: &Config) -> Result<Credential, Fault> {
    let llm = &config.llm;
    let missing = |key: &'static str, variable: &str| {
        Fault::usage(format!("{key} is not set, and llm.auth = entra needs it"), format!("set it, or {variable}")).at("llm")
    };
    let client = entra::Client {
        tenant: llm.tenant_id.clone().ok_or_else(|| missing("llm.tenant_id", "AZURE_TENANT_ID"))?,
        client_id: llm.client_id.clone().ok_or_else(|| missing("llm.client_id", "AZURE_CLIENT_ID"))?,
        client_secret: llm.client_secret.clone().ok_or_else(|| missing("llm.client_secret", "AZURE_CLIENT_SECRET"))?,
        scope: llm.scope.clone(),
    };
    let wrong = |words: String| Fault::usage(words, "correct llm.authority").at("llm.authority");
    let authority = Url::parse(&llm.authority).map_err(|error| wrong(format!("`{}` is no URL: {error}", llm.authority)))?;
    let source = Entra::new(&authority, client).map_err(|error| wrong(error.to_string()))?;
    Ok(Credential::Tokens(Arc::new(source)))
}

fn ask(word: &str) -> Ask {
    match word {
        "always" => Ask::Always,
        "never" => Ask::Never,
        _ => Ask::Unsure,
    }
}
