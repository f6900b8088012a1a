//! The metrics endpoint beside the agents, where `metrics.listen` asks for one.

use std::io::Write;
use std::sync::{Arc, Weak};

use runmend::agent::House;
use runmend::config::Config;
use runmend::ledger::Ledger;
use runmend::report::metrics::{Endpoint, Heard, Serving, Source};

use crate::fault::Fault;

/// Takes the port, before anything else is begun, and says where it is.
pub async fn bind(config: &Config) -> Result<Option<Endpoint>, Fault> {
    let Some(address) = config.metrics_listen else { return Ok(None) };
    let endpoint = Endpoint::bind(address).await.map_err(|error| {
        Fault::usage(format!("cannot listen on {address}: {error}"), "end what has the port, or set metrics.listen to a free one")
            .at("metrics.listen")
    })?;
    // Said whatever the log level is; a stderr that is gone hinders no work.
    let _ = writeln!(std::io::stderr(), "metrics at http://{}/metrics", endpoint.address());
    Ok(Some(endpoint))
}

pub fn serve(endpoint: Option<Endpoint>, houses: &[Arc<House>], ledger: &Arc<dyn Ledger>, heard: Arc<Heard>) -> Option<Serving> {
    let houses: Vec<Weak<House>> = houses.iter().map(Arc::downgrade).collect();
    let statuses = move || houses.iter().filter_map(Weak::upgrade).map(|house| house.status()).collect();
    Some(endpoint?.serve(Source { statuses: Box::new(statuses), ledger: Arc::clone(ledger), heard }))
}
