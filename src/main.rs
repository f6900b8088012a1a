//! Parses the arguments, chooses a mode, runs it, and reports how it ended. The only place that prints errors and picks the exit code.

#[path = "main/arguments.rs"]
mod arguments;
#[path = "main/demo.rs"]
mod demo;
#[path = "main/ending.rs"]
mod ending;
#[path = "main/export.rs"]
mod export;
#[path = "main/fault.rs"]
mod fault;
#[path = "main/inspect.rs"]
mod inspect;
#[path = "main/logging.rs"]
mod logging;
#[path = "main/offline.rs"]
mod offline;
#[path = "main/opinions.rs"]
mod opinions;
#[path = "main/redaction.rs"]
mod redaction;
#[path = "main/rules.rs"]
mod rules;
#[path = "main/seated.rs"]
mod seated;
#[path = "main/simulator.rs"]
mod simulator;
#[path = "main/start.rs"]
mod start;
#[path = "main/telling.rs"]
mod telling;
#[path = "main/unattended.rs"]
mod unattended;
#[path = "main/watched.rs"]
mod watched;

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};

use arguments::{Arguments, Command, ExportCommand};
use demo::Demo;
use fault::{Exit, Fault};
use runmend::config::{self, Config, Inputs, Loaded};
use runmend::domain::decision::Mode;
use seated::World;
use telling::Voice;
use unattended::Span;

fn main() -> ExitCode {
    let command = Arguments::command().after_long_help(format!("{}\n{}", arguments::EXAMPLES, config::cli::settings_help()));
    let arguments = match Arguments::from_arg_matches(&command.get_matches()) {
        Ok(arguments) => arguments,
        Err(error) => error.exit(),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return report(&Fault::usage(format!("the system gives no threads: {error}"), "free some resources and try again")),
    };
    start::install_tls();
    match runtime.block_on(run(arguments)) {
        Ok(exit) => exit.into(),
        Err(fault) => report(&fault),
    }
}

fn report(fault: &Fault) -> ExitCode {
    eprint!("{fault}");
    fault.exit.into()
}

async fn run(arguments: Arguments) -> Result<Exit, Fault> {
    let inputs = Inputs::from_process(arguments.common.clone(), asked_mode(&arguments));
    match (arguments.demo, &arguments.command) {
        (true, None | Some(Command::Once)) => return demo(&arguments, inputs).await,
        (true, Some(_)) => {
            return Err(Fault::usage(
                "--demo does not go with this command",
                "leave it away, or use it with the console, --auto, --observe or once",
            ));
        }
        (false, _) => {}
    }
    let loaded = Config::load(&inputs)?;
    match &arguments.command {
        Some(Command::Config(what)) => inspect::config(&loaded, what, arguments.common.json),
        Some(Command::Audit { what }) => inspect::audit(&loaded, what, arguments.common.json).await,
        Some(Command::Export { what: ExportCommand::Finetune }) => export::finetune(&loaded).await,
        Some(Command::Analyze(what)) => offline::analyze(&loaded, what, arguments.common.json).await,
        Some(Command::Evaluate(what)) => offline::evaluate(&loaded, what, arguments.common.json),
        Some(Command::Redact(what)) => redaction::run(what),
        Some(Command::Rules { what }) => rules::run(&loaded, what, arguments.common.json),
        Some(Command::Train(what)) => rules::train(&loaded, what),
        Some(Command::Sim(what)) => simulator::run(what, arguments.common.run_for).await,
        Some(Command::Once) => attended_by(&loaded, &arguments, Way::Alone(Span::OnePass), World::Real).await,
        None => {
            // What is missing is said first: where to work, then how.
            loaded.workspaces.clone()?;
            attended_by(&loaded, &arguments, way(&arguments)?, World::Real).await
        }
    }
}

/// Does a person sit before it?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Console,
    Alone(Span),
}

/// Nobody starts acting unattended by accident: without a terminal it must be asked for. Observing acts on nothing.
fn way(arguments: &Arguments) -> Result<Way, Fault> {
    let screen = std::io::stdout().is_terminal() && std::io::stdin().is_terminal() && !arguments.common.json;
    match (arguments.auto, screen, arguments.observe) {
        (true, _, _) | (false, false, true) => Ok(Way::Alone(Span::UntilStopped)),
        (false, true, _) => Ok(Way::Console),
        (false, false, false) => Err(Fault::usage(
            "the console needs a terminal",
            "use `runmend --auto` to work unattended (or --observe to only watch), or `runmend --demo` to see a story",
        )),
    }
}

async fn attended_by(loaded: &Loaded, arguments: &Arguments, way: Way, world: World) -> Result<Exit, Fault> {
    loaded.workspaces.clone()?;
    let (_stop, stopped) = ending::watch(arguments.common.run_for).map_err(no_signals)?;
    match way {
        Way::Console => {
            logging::to_file(&loaded.config);
            warn(loaded);
            seated::run(loaded, world, stopped).await
        }
        Way::Alone(span) => {
            logging::to_stderr(&loaded.config);
            warn(loaded);
            let voice = if arguments.common.json { Voice::Json } else { Voice::Log };
            Ok(unattended::run(loaded, voice, span, stopped).await?.0)
        }
    }
}

async fn demo(arguments: &Arguments, mut inputs: Inputs) -> Result<Exit, Fault> {
    let alone = match &arguments.command {
        Some(_) => Some(Way::Alone(Span::OnePass)),
        None => way(arguments).ok(),
    };
    if alone.is_none() {
        // The story has nobody to approve anything.
        inputs.asked_mode = Some(Mode::Auto);
    }
    let demo = Demo::start(inputs).await?;
    let exit = match alone {
        Some(way) => attended_by(&demo.loaded, arguments, way, World::Simulated).await,
        None => {
            logging::to_stderr_quietly();
            let (_stop, stopped) = ending::watch(Some(arguments.common.run_for.unwrap_or(demo::STORY))).map_err(no_signals)?;
            demo::story(&demo, stopped).await
        }
    };
    demo.end().await;
    exit
}

fn asked_mode(arguments: &Arguments) -> Option<Mode> {
    match (arguments.observe, arguments.auto) {
        (true, _) => Some(Mode::Observe),
        (false, true) => Some(Mode::Auto),
        (false, false) => None,
    }
}

fn warn(loaded: &Loaded) {
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
}

fn no_signals(error: std::io::Error) -> Fault {
    Fault::usage(format!("the system gives no signals: {error}"), "free some resources and try again")
}
