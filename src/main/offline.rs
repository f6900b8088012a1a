//! `analyze` and `evaluate`: the engine on texts, without a workspace.

use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal, LineWriter, Write};
use std::path::Path;
use std::sync::Arc;

use runmend::classify::Classifier;
use runmend::config::{LedgerPlace, Loaded};
use runmend::domain::evidence::Evidence;
use runmend::domain::ids::Fingerprint;
use runmend::ledger::{Ledger, LedgerError};
use runmend::llm::prompt::PRECEDENTS_MAX;
use runmend::llm::{Alike, Occasion, Question};
use runmend::redact::control::one_line;
use runmend::redact::secrets::Redactor;
use runmend::report::analyze::{self, AnalyzeError, AnalyzeOptions, Echo, Output};
use runmend::report::evaluate;

use crate::arguments::{AnalyzeArguments, EvaluateArguments};
use crate::fault::{Exit, Fault};
use crate::{opinions, start};

pub async fn analyze(loaded: &Loaded, arguments: &AnalyzeArguments, json: bool) -> Result<Exit, Fault> {
    let classifier = start::classifier(&loaded.config)?;
    if arguments.show_prompt {
        return show_prompts(loaded, &classifier, arguments).await;
    }
    let options =
        AnalyzeOptions { output: if json { Output::Json } else { Output::Words }, echo: if arguments.echo { Echo::On } else { Echo::Off } };
    // Each answer leaves as its line is read: whoever feeds us may wait for it.
    let out = LineWriter::new(io::stdout().lock());
    let file = arguments.file.as_deref().filter(|path| *path != Path::new("-"));
    let summary = match file {
        Some(path) => analyze::analyze(&classifier, &loaded.config.policy, open(path)?, out, &options),
        None => {
            if io::stdin().is_terminal() {
                eprintln!("reading error text from the keyboard; Ctrl-D ends it");
            }
            analyze::analyze(&classifier, &loaded.config.policy, io::stdin().lock(), out, &options)
        }
    };
    match summary {
        Ok(summary) if summary.bad_lines > 0 => Ok(Exit::Found),
        Ok(_) => Ok(Exit::Done),
        // Whoever read our output has seen enough.
        Err(AnalyzeError::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Exit::Done),
        Err(error) => Err(unusable(&error, file)),
    }
}

/// The prompts, as [`Desk::opinion`](runmend::llm::Desk::opinion) would send them.
async fn show_prompts(loaded: &Loaded, classifier: &Classifier, arguments: &AnalyzeArguments) -> Result<Exit, Fault> {
    let redactor = Arc::new(Redactor::new(loaded.config.redact));
    let desk = opinions::desk(&loaded.config, loaded.workspaces.as_deref().unwrap_or_default(), &redactor)?;
    let ledger = known_ledger(loaded).await?;
    let file = arguments.file.as_deref().filter(|path| *path != Path::new("-"));
    let mut input: Box<dyn BufRead> = match file {
        Some(path) => open(path)?,
        None => Box::new(io::stdin().lock()),
    };
    let mut exit = Exit::Done;
    let done = analyze::each(&mut input, &mut |number, case| {
        let mut out = io::stdout().lock();
        match case {
            Ok(case) => {
                // As the agent collects it: redacted at the door.
                let evidence = Evidence { run: case.text, ..Evidence::default() };
                let classification = classifier.classify_evidence(&evidence);
                let alike = match &ledger {
                    // The reader waits for its lines on this thread; the ledger's answer comes on another.
                    Some(ledger) => tokio::task::block_in_place(|| {
                        tokio::runtime::Handle::current().block_on(before(&**ledger, &classification.fingerprint))
                    })
                    .map_err(io::Error::other)?,
                    None => Alike::default(),
                };
                let question = Question {
                    evidence: &evidence,
                    classification: &classification,
                    job: &case.job,
                    attempts: &[],
                    alike: &alike,
                    occasion: Occasion::Automatic,
                };
                writeln!(out, "{}", desk.prompt(&question).show())
            }
            Err(error) => {
                exit = Exit::Found;
                writeln!(out, "line {number}: {}", one_line(&error))
            }
        }
    });
    match done {
        Ok(()) => Ok(exit),
        Err(AnalyzeError::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(exit),
        Err(error) => Err(unusable(&error, file)),
    }
}

/// The ledger that was named, if it is there: nothing is made for a look.
async fn known_ledger(loaded: &Loaded) -> Result<Option<Arc<dyn Ledger>>, Fault> {
    let LedgerPlace::Sqlite(path) = &loaded.config.ledger;
    if !loaded.sources.contains_key("ledger") {
        return Ok(None);
    }
    if !path.exists() {
        eprintln!("{}: no ledger there, so nothing is known of earlier failures", path.display());
        return Ok(None);
    }
    start::ledger(&loaded.config).await.map(Some)
}

/// What the ledger knows of this error. Of the job nothing: a text names no job of a workspace.
async fn before(ledger: &dyn Ledger, fingerprint: &Fingerprint) -> Result<Alike, LedgerError> {
    let tally = ledger.tally(fingerprint).await?;
    let precedents = ledger.precedents(fingerprint, None, PRECEDENTS_MAX as u32).await?;
    Ok(Alike { mended: tally.mended, failed_again: tally.failed_again, people: precedents.alike, of_job: precedents.of_job })
}

fn unusable(error: &AnalyzeError, file: Option<&Path>) -> Fault {
    let place = file.map_or("standard input".to_owned(), |path| path.display().to_string());
    match error {
        AnalyzeError::Empty => {
            Fault::found(error.to_string(), place, "give it error text, or JSON Lines with `error`, `error_trace`, `logs`, …")
        }
        AnalyzeError::Read(why) => Fault::usage(format!("{error}: {why}"), "check the file").at(place),
        AnalyzeError::Write(why) => Fault::usage(format!("{error}: {why}"), "check where the output goes").at("standard output"),
    }
}

pub fn evaluate(loaded: &Loaded, arguments: &EvaluateArguments, json: bool) -> Result<Exit, Fault> {
    let classifier = start::classifier(&loaded.config)?;
    let path = &arguments.file;
    let labelled = evaluate::read(open(path)?).map_err(|error| Fault::unreadable(path, &error))?;
    for (line, reason) in &labelled.bad_lines {
        eprintln!("{}:{line}: {reason}", path.display());
    }
    if labelled.cases.is_empty() {
        return Err(Fault::found(
            "the file holds no labelled case",
            path.display().to_string(),
            "each line is one case: see `runmend evaluate --help`",
        ));
    }
    let evaluation = evaluate::evaluate(&classifier, &loaded.config.policy, &labelled);
    let text = if json { serde_json::to_string(&evaluation).unwrap_or_default() } else { evaluation.to_string() };
    match writeln!(io::stdout().lock(), "{text}") {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Fault::usage(error.to_string(), "check where the output goes")),
        _ if evaluation.bad_lines > 0 => Ok(Exit::Found),
        _ => Ok(Exit::Done),
    }
}

fn open(path: &Path) -> Result<Box<dyn BufRead>, Fault> {
    if path == Path::new("-") {
        return Ok(Box::new(BufReader::new(io::stdin())));
    }
    Ok(Box::new(BufReader::new(File::open(path).map_err(|error| Fault::unreadable(path, &error))?)))
}
