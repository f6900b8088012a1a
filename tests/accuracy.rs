//! How right the shipped judgement is on labelled failures. The corpus is not part of the package: `RUNMEND_CORPUS`, or `../shared/corpus`.

#![allow(clippy::unwrap_used)]

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use runmend::classify::Classifier;
use runmend::decide::Policy;
use runmend::domain::evidence::FailureText;
use runmend::report::evaluate::{Evaluation, evaluate, read};

fn corpus() -> PathBuf {
    std::env::var_os("RUNMEND_CORPUS").map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus"), PathBuf::from)
}

fn measured(name: &str) -> Option<Evaluation> {
    let path = corpus().join(name);
    if !path.exists() {
        println!("skipped: {} is not here", path.display());
        return None;
    }
    let file = read(BufReader::new(File::open(&path).unwrap())).unwrap();
    assert!(file.bad_lines.is_empty(), "{:?}", file.bad_lines);
    let evaluation = evaluate(&Classifier::shipped(), &Policy::default(), &file);
    println!("{name}\n{evaluation}");
    Some(evaluation)
}

#[test]
fn the_field_and_the_recorded_failures_are_judged_right() {
    for name in ["dev.jsonl", "recorded.jsonl"] {
        let Some(found) = measured(name) else { continue };
        assert!(found.cause_accuracy_with_alternatives >= 0.5, "{name}: cause");
    }
}

/// Errors as Spark, Python, the clouds and databases print them, written down from their documentation and from practice: cause, action,
/// text, divided by tabs.
#[test]
fn errors_that_everybody_meets_are_known() {
    let classifier = Classifier::shipped();
    let mut wrong = Vec::new();
    let rows: Vec<Vec<&str>> = include_str!("cases/known_failures.tsv")
        .lines()
        .filter(|line| !line.is_empty())
        .map(|line| line.splitn(3, '\t').collect())
        .collect();
    for row in &rows {
        let [cause, action, words] = row[..] else { panic!("{row:?}") };
        let text = FailureText { error: Some(words.replace("\\n", "\n")), ..FailureText::default() };
        let found = classifier.classify(&text);
        if (found.cause.as_str(), found.action.as_str()) != (cause, action) {
            wrong.push(format!("{cause} {action} -> {} {} {} {:?}: {words}", found.cause, found.action, found.confidence, found.rules));
        }
    }
    assert!(wrong.is_empty(), "{} of {}\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}
