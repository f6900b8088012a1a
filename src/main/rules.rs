//! `rules` and `train`: the classifier's knowledge, looked at and made.

use std::fs::File;
use std::io::BufReader;

use runmend::config::Loaded;
use runmend::redact::control::plain_json;
use runmend::report::evaluate;
use runmend::report::rules::{self, Finding, Whose};

use crate::arguments::{RulesCommand, TrainArguments};
use crate::fault::{Exit, Fault};
use crate::start;

pub fn run(loaded: &Loaded, what: &RulesCommand, json: bool) -> Result<Exit, Fault> {
    let classifier = start::classifier(&loaded.config)?;
    match what {
        RulesCommand::List => {
            for row in rules::list(&classifier) {
                if json {
                    println!("{}", plain_json(serde_json::to_string(&row).unwrap_or_default()));
                } else {
                    println!("{:<28} {:<12} {:>3}  {:<8} {}", row.id, row.cause, row.strength, row.origin, row.why);
                }
            }
            Ok(Exit::Done)
        }
        RulesCommand::Show { id } => match rules::show(&classifier, id) {
            Some(text) => {
                print!("{text}");
                Ok(Exit::Done)
            }
            None => Err(Fault::found(
                format!("there is no rule `{id}`"),
                "rules show",
                "`runmend rules list` shows every rule; class/…, condition/… and sqlstate/… come from tables",
            )),
        },
        RulesCommand::Lint { all } => {
            let whose = whose(*all);
            Ok(report(&rules::lint(&classifier, whose), json, &format!("{} rules, nothing found", counted(&classifier, whose))))
        }
        RulesCommand::Test { all } => {
            let (tried, findings) = rules::test(&classifier, whose(*all));
            Ok(report(&findings, json, &format!("{tried} examples, all as they say")))
        }
    }
}

fn whose(all: bool) -> Whose {
    if all { Whose::All } else { Whose::User }
}

fn counted(classifier: &runmend::classify::Classifier, whose: Whose) -> usize {
    rules::list(classifier).iter().filter(|row| whose == Whose::All || row.origin == "user").count()
}

fn report(findings: &[Finding], json: bool, good: &str) -> Exit {
    for finding in findings {
        if json {
            println!("{}", serde_json::to_string(finding).unwrap_or_default());
        } else {
            println!("{finding}");
        }
    }
    if findings.is_empty() {
        eprintln!("{good}");
        return Exit::Done;
    }
    Exit::Found
}

pub fn train(loaded: &Loaded, arguments: &TrainArguments) -> Result<Exit, Fault> {
    let classifier = start::classifier(&loaded.config)?;
    let mut labelled = Vec::new();
    for path in &arguments.files {
        let file = File::open(path).map_err(|error| Fault::unreadable(path, &error))?;
        let read = evaluate::read(BufReader::new(file)).map_err(|error| Fault::unreadable(path, &error))?;
        if let Some((line, reason)) = read.bad_lines.first() {
            return Err(Fault::found(
                reason.clone(),
                format!("{}, line {line}", path.display()),
                "each line is one labelled case: see `runmend evaluate --help`",
            ));
        }
        labelled.extend(read.cases.into_iter().map(|case| (case.text, case.cause)));
    }
    let weights = classifier.train(&labelled);
    std::fs::write(&arguments.out, &weights).map_err(|error| {
        Fault::usage(format!("cannot write the weights: {error}"), "check the folder, and the space on its disk")
            .at(arguments.out.display().to_string())
    })?;
    eprintln!("{} cases, {} bytes of weights", labelled.len(), weights.len());
    Ok(Exit::Done)
}
