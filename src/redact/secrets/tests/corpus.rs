//! Recall and keep rate on labelled texts, where they are at hand: a file `redaction-dev.jsonl` in the folder of RUNMEND_CORPUS.
//! How a survivor is counted is told beside the file: neither a secret nor half of it may stand in the output.

use std::path::PathBuf;

use sha2::{Digest, Sha256};

use super::rows::survives;
use super::*;

/// Floors, in per mille; they rise with what is reached and never fall.
const RECALL_MIN: usize = 1000;
const KEEP_MIN: usize = 998;

#[derive(serde::Deserialize)]
struct Case {
    id: String,
    text: String,
    secrets: Vec<String>,
    keep: Vec<String>,
    template: String,
}

#[derive(Default)]
struct Score {
    secrets: usize,
    gone: usize,
    keeps: usize,
    kept: usize,
    told: Vec<String>,
}

fn cases() -> Option<Vec<Case>> {
    let folder = std::env::var_os("RUNMEND_CORPUS").map_or_else(|| PathBuf::from("../shared/corpus"), PathBuf::from);
    let text = std::fs::read_to_string(folder.join("redaction-dev.jsonl")).ok()?;
    Some(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

/// Templates fall into two halves by their name: one to develop on, one to see what was learnt by heart.
fn half(template: &str) -> usize {
    usize::from(Sha256::digest(template.as_bytes())[0] & 1 == 0)
}

fn score<'c>(redactor: &Redactor, cases: impl Iterator<Item = &'c Case>) -> Score {
    let mut score = Score::default();
    for case in cases {
        let out = redactor.redact(&case.text).text;
        for secret in &case.secrets {
            score.secrets += 1;
            if survives(secret, &out) {
                score.told.push(format!("LEAK {} {}: {secret:?}\n{out}\n", case.id, case.template));
            } else {
                score.gone += 1;
            }
        }
        for keep in &case.keep {
            score.keeps += 1;
            if out.contains(keep.as_str()) {
                score.kept += 1;
            } else {
                score.told.push(format!("LOST {} {}: {keep:?}\n{out}\n", case.id, case.template));
            }
        }
    }
    score
}

#[test]
fn recall_and_keep_rate_hold_their_floors() {
    let Some(cases) = cases() else {
        eprintln!("skipped: no redaction-dev.jsonl (set RUNMEND_CORPUS to its folder)");
        return;
    };
    let which = std::env::var("RUNMEND_HALF").ok().and_then(|half| half.parse::<usize>().ok());
    for (number, name) in [(0, "first half"), (1, "second half"), (2, "all")] {
        let score = score(&REDACTOR, cases.iter().filter(|case| number == 2 || half(&case.template) == number));
        eprintln!(
            "{name}: recall {}/{} ({:.2} %), kept {}/{} ({:.2} %)",
            score.gone,
            score.secrets,
            100.0 * score.gone as f64 / score.secrets as f64,
            score.kept,
            score.keeps,
            100.0 * score.kept as f64 / score.keeps as f64
        );
        if which == Some(number) {
            eprintln!("{}", score.told.join("\n"));
        }
        if number == 2 {
            assert!(score.gone * 1000 >= RECALL_MIN * score.secrets, "recall fell: {}", score.told.join("\n"));
            assert!(score.kept * 1000 >= KEEP_MIN * score.keeps, "keep rate fell: {}", score.told.join("\n"));
        }
    }
}
