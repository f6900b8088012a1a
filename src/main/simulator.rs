//! `runmend sim`: the simulated workspace alone, until told to stop.

use runmend::sim::{Options, Scenario, Simulator};

use crate::arguments::SimArguments;
use crate::ending;
use crate::fault::{Exit, Fault};

pub async fn run(arguments: &SimArguments, run_for: Option<std::time::Duration>) -> Result<Exit, Fault> {
    let scenario = match &arguments.scenario {
        None => Scenario::embedded_demo(),
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|error| Fault::unreadable(path, &error))?;
            Scenario::read(&text).map_err(|error| {
                Fault::usage(error.to_string(), "correct the scenario; assets/scenarios/demo.toml is an example")
                    .at(path.display().to_string())
            })?
        }
    };
    let options =
        Options { listen: arguments.listen, seed: arguments.seed, rate_per_hour: arguments.rate, speed: arguments.speed, scenario };
    let (_stop, mut stopped) =
        ending::watch(run_for).map_err(|error| Fault::usage(error.to_string(), "free some resources and try again"))?;
    let simulator = Simulator::start(options)
        .await
        .map_err(|error| Fault::usage(error.to_string(), "choose another --listen, as 127.0.0.1:0").at("--listen"))?;
    println!("{}", serde_json::to_string(simulator.ready()).map_err(|error| Fault::usage(error.to_string(), "report this"))?);
    let _ = stopped.wait_for(|stop| *stop).await;
    simulator.stop().await;
    Ok(Exit::Done)
}
