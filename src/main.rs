//! Parses the arguments, chooses a mode, runs it, and reports how it ended. The only place that prints errors and picks the exit code.

#[path = "main/arguments.rs"]
mod arguments;
#[path = "main/ending.rs"]
mod ending;
#[path = "main/fault.rs"]
mod fault;
#[path = "main/inspect.rs"]
mod inspect;
#[path = "main/logging.rs"]
mod logging;
#[path = "main/start.rs"]
mod start;
#[path = "main/telling.rs"]
mod telling;
#[path = "main/unattended.rs"]
mod unattended;

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};

use arguments::{Arguments, Command};
use fault::{Exit, Fault};
use runmend::config::{self, Config, Inputs, Loaded};
use runmend::domain::decision::Mode;
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
    let loaded = Config::load(&Inputs::from_process(arguments.common.clone(), asked_mode(&arguments)))?;
    match &arguments.command {
        Some(Command::Config(what)) => return inspect::config(&loaded, what, arguments.common.json),
        Some(Command::Audit { what }) => return inspect::audit(&loaded, what, arguments.common.json).await,
        Some(Command::Analyze(_) | Command::Evaluate(_) | Command::Sim(_)) => return Err(Fault::usage("not yet", "wait")),
        Some(Command::Once) => {
            logging::to_stderr(&loaded.config);
            warn(&loaded);
            let (_stop, stopped) = ending::watch(arguments.common.run_for).map_err(no_signals)?;
            return Ok(unattended::run(&loaded, voice(&arguments), Span::OnePass, stopped).await?.0);
        }
        None => {}
    }
    if !arguments.auto && !(arguments.observe && (arguments.common.json || !std::io::stdout().is_terminal())) {
        loaded.workspaces.clone()?;
        return Err(Fault::usage(
            "the console needs a terminal, and stdout is none",
            "use `runmend --auto` to work unattended (or --observe to only watch), or `runmend --demo` to see a story",
        ));
    }
    loaded.workspaces.clone()?;
    logging::to_stderr(&loaded.config);
    warn(&loaded);
    let (_stop, stopped) = ending::watch(arguments.common.run_for).map_err(no_signals)?;
    Ok(unattended::run(&loaded, voice(&arguments), Span::UntilStopped, stopped).await?.0)
}

fn asked_mode(arguments: &Arguments) -> Option<Mode> {
    match (arguments.observe, arguments.auto) {
        (true, _) => Some(Mode::Observe),
        (false, true) => Some(Mode::Auto),
        (false, false) => None,
    }
}

fn voice(arguments: &Arguments) -> Voice {
    if arguments.common.json { Voice::Json } else { Voice::Log }
}

fn warn(loaded: &Loaded) {
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
}

fn no_signals(error: std::io::Error) -> Fault {
    Fault::usage(format!("the system gives no signals: {error}"), "free some resources and try again")
}
