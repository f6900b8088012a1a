//! The map of the house, held against the code: every `use crate::…` of a room must be an arrow that the map has.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Room -> rooms it may import. `domain` knows none of ours; the four at the top never know each other; `main` wires them.
const MAP: [(&str, &[&str]); 15] = [
    ("domain", &[]),
    ("decide", &["domain"]),
    ("classify", &["domain"]),
    ("redact", &["domain"]),
    ("databricks", &["domain", "redact"]),
    ("llm", &["domain", "redact"]),
    ("ledger", &["domain"]),
    ("notify", &["domain", "redact"]),
    ("intake", &["domain", "databricks", "ledger"]),
    ("config", &["domain", "decide", "databricks", "ledger", "notify", "redact"]),
    ("agent", &["domain", "decide", "classify", "redact", "databricks", "llm", "ledger", "notify", "intake", "config"]),
    ("console", &["domain", "decide", "redact", "ledger", "config"]),
    ("report", &["domain", "decide", "classify", "redact", "ledger", "config"]),
    ("sim", &["domain"]),
    (
        "main",
        &[
            "domain",
            "decide",
            "classify",
            "redact",
            "databricks",
            "llm",
            "ledger",
            "notify",
            "intake",
            "config",
            "agent",
            "console",
            "report",
            "sim",
        ],
    ),
];

/// What decides never does IO: crates that the pure rooms must not name.
const IO_CRATES: [&str; 8] = ["tokio", "reqwest", "sqlx", "axum", "lettre", "crossterm", "ratatui", "directories"];
const PURE: [&str; 4] = ["domain", "decide", "classify", "redact"];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// `src/agent/x.rs` is in room `agent`; `src/main.rs` and `src/main/…` are room `main`; `src/lib.rs` only lists rooms.
fn room(path: &Path, src: &Path) -> String {
    let first = path.strip_prefix(src).unwrap().components().next().unwrap().as_os_str().to_string_lossy().into_owned();
    first.trim_end_matches(".rs").to_owned()
}

/// Code without comments and without what stands under `#[cfg(test)] mod`: tests may build a world of many rooms.
fn code(text: &str) -> String {
    let shipped = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    shipped.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// The rooms named after `crate::` or `runmend::`, also inside braces at the first level.
fn imports(code: &str) -> Vec<String> {
    let mut rooms = Vec::new();
    for start in ["crate::", "runmend::"] {
        for (at, _) in code.match_indices(start) {
            let rest = &code[at + start.len()..];
            let Some(group) = rest.strip_prefix('{') else {
                rooms.push(rest.to_owned());
                continue;
            };
            let mut depth = 0;
            let mut word = String::new();
            for c in group.chars() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => rooms.push(std::mem::take(&mut word)),
                    c if depth == 0 => word.push(c),
                    _ => {}
                }
            }
            rooms.push(word);
        }
    }
    rooms
        .into_iter()
        .map(|text| text.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect())
        .filter(|word: &String| !word.is_empty())
        .collect()
}

#[test]
fn the_map_holds() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let map: BTreeMap<&str, &[&str]> = MAP.into_iter().collect();
    let mut files = Vec::new();
    sources(&src, &mut files);
    let mut wrong = Vec::new();
    for path in &files {
        let room = room(path, &src);
        if room == "lib" || path.file_name().is_some_and(|name| name == "tests.rs") {
            continue;
        }
        let text = code(&fs::read_to_string(path).unwrap());
        let Some(allowed) = map.get(room.as_str()) else {
            wrong.push(format!("{}: room `{room}` is not on the map", path.display()));
            continue;
        };
        for import in imports(&text) {
            if import != room && map.contains_key(import.as_str()) && !allowed.contains(&import.as_str()) {
                wrong.push(format!("{}: `{room}` may not import `{import}`", path.display()));
            }
        }
        if PURE.contains(&room.as_str()) {
            for name in IO_CRATES {
                if text.contains(&format!("{name}::")) {
                    wrong.push(format!("{}: `{room}` is pure and may not use `{name}`", path.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(files.len() > 20, "the sources were not found");
}

#[test]
fn every_room_opens_with_its_words() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for (room, _) in MAP {
        let path = src.join(room).join("mod.rs");
        if path.exists() {
            assert!(fs::read_to_string(&path).unwrap().starts_with("//!"), "{} opens without its purpose", path.display());
        }
    }
}

#[test]
fn an_arrow_that_the_map_lacks_is_seen() {
    assert_eq!(imports("use crate::agent::Agent;"), ["agent"]);
    assert_eq!(imports("use crate::{domain::ids::RunId, ledger::{Ledger, error}, sim};"), ["domain", "ledger", "sim"]);
    assert_eq!(imports(&code("// use crate::agent\nlet x = crate::sim::start();")), ["sim"]);
}
