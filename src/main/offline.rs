//! `analyze` and `evaluate`: the engine on texts, without a workspace.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};

use runmend::config::Loaded;
use runmend::report::analyze::{self, AnalyzeOptions};
use runmend::report::evaluate;

use crate::arguments::{AnalyzeArguments, EvaluateArguments};
use crate::fault::{Exit, Fault};
use crate::start;

pub fn analyze(loaded: &Loaded, arguments: &AnalyzeArguments, json: bool) -> Result<Exit, Fault> {
    let classifier = start::classifier(&loaded.config)?;
    let options = AnalyzeOptions { json, echo: arguments.echo };
    let out = BufWriter::new(io::stdout().lock());
    let summary = match arguments.file.as_deref().filter(|path| *path != Path::new("-")) {
        Some(path) => analyze::analyze(&classifier, &loaded.config.policy, open(path)?, out, &options),
        None => {
            if io::stdin().is_terminal() {
                eprintln!("reading error text from the keyboard; Ctrl-D ends it");
            }
            analyze::analyze(&classifier, &loaded.config.policy, io::stdin().lock(), out, &options)
        }
    };
    let place = arguments.file.clone().unwrap_or_else(|| PathBuf::from("standard input"));
    let summary = match summary {
        Ok(summary) => summary,
        // Whoever read our output has seen enough.
        Err(error) if error.is_closed_pipe() => return Ok(Exit::Done),
        Err(error) => return Err(Fault::usage(error.to_string(), "check the file, and where the output goes").at(place.display().to_string())),
    };
    Ok(if summary.bad_lines > 0 { Exit::Found } else { Exit::Done })
}

pub fn evaluate(loaded: &Loaded, arguments: &EvaluateArguments, json: bool) -> Result<Exit, Fault> {
    let classifier = start::classifier(&loaded.config)?;
    let evaluation = evaluate::evaluate(&classifier, &loaded.config.policy, open(&arguments.file)?)
        .map_err(|error| Fault::usage(error.to_string(), "each line is one labelled case: see `runmend evaluate --help`").at(arguments.file.display().to_string()))?;
    let text = if json { evaluation.json() } else { evaluation.table() };
    writeln!(io::stdout().lock(), "{text}").map_err(|error| Fault::usage(error.to_string(), "check where the output goes"))?;
    Ok(if evaluation.bad_lines > 0 { Exit::Found } else { Exit::Done })
}

fn open(path: &Path) -> Result<Box<dyn BufRead>, Fault> {
    Ok(Box::new(BufReader::new(File::open(path).map_err(|error| Fault::unreadable(path, &error))?)))
}
