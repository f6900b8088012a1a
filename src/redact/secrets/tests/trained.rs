//! The weights of the model are what the lines of `tests/redaction/` and the failures of `tests/cases/` train, and nothing else.

use super::made::made;
use super::rows::{LOOK_ALIKES, SECRETS, lines};
use super::*;
use crate::redact::secrets::model::{Document, train};

/// Texts of real failures, which hold no secret.
const FAILURES: [&str; 3] = [
    include_str!("../../../../tests/cases/known.jsonl"),
    include_str!("../../../../tests/cases/field.jsonl"),
    include_str!("../../../../tests/cases/programs.jsonl"),
];
/// Values that are drawn for each line.
const DRAWS: u64 = 2;
/// Most of a failure's text that is read, bytes.
const TEXT_BYTES_MAX: usize = 4 << 10;

fn documents() -> Vec<Document> {
    let mut documents = Vec::new();
    for draw in 1..=DRAWS {
        for (files, hold_secrets) in [(SECRETS, true), (LOOK_ALIKES, false)] {
            for (number, line) in lines(files) {
                let made = made(line, number + 100_000 * draw);
                let marked = made.marked.iter().filter(|_| hold_secrets);
                let secrets = marked.flat_map(|secret| made.text.match_indices(secret.as_str()).map(|(at, _)| (at, at + secret.len())));
                documents.push(Document { secrets: secrets.collect(), weight: 1.0, text: made.text.clone() });
            }
        }
    }
    for line in FAILURES.iter().flat_map(|file| file.lines()) {
        let case: serde_json::Value = serde_json::from_str(line).unwrap();
        let fields = ["error", "state_message", "error_trace", "logs"].map(|field| case[field].as_str().unwrap_or_default());
        let mut text = fields.join("\n");
        text.truncate(text.floor_char_boundary(TEXT_BYTES_MAX));
        documents.push(Document { text, secrets: Vec::new(), weight: 0.5 });
    }
    documents
}

#[test]
fn the_weights_are_those_that_the_lines_train() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/model/redaction.bin");
    let bytes = train(&documents(), &Pairs::new());
    if std::env::var_os("RUNMEND_TEST_BLESS").is_some() {
        std::fs::write(path, &bytes).unwrap();
        return;
    }
    assert!(std::fs::read(path).unwrap() == bytes, "train them anew: RUNMEND_TEST_BLESS=1 cargo test --lib trained");
}
