//! What the README shows of the console is the console as it is. `RUNMEND_BLESS=1 cargo test --lib console::` writes it anew.

use std::path::{Path, PathBuf};

use super::world::{MIDDLE, press, scene, stage};
use crate::console::key;
use crate::console::picture::{DARK, svg};
use crate::domain::decision::Mode;

fn check(path: PathBuf, kept: &str, wanted: String) {
    if std::env::var_os("RUNMEND_BLESS").is_some() {
        std::fs::write(&path, &wanted).unwrap();
        return;
    }
    assert!(kept == wanted, "{} is not what the console is now: RUNMEND_BLESS=1 writes it anew", path.display());
}

fn file(name: &str) -> (PathBuf, String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    (path, kept)
}

#[test]
fn its_picture() {
    let mut stage = stage(MIDDLE, Mode::Approve, scene());
    press(&mut stage, "j j");
    let drawn = svg(stage.draw(), DARK);
    let (path, kept) = file("assets/console.svg");
    check(path, &kept, drawn);
}

#[test]
fn its_list_of_keys() {
    let (path, kept) = file("README.md");
    let (start, end) = ("<!-- keys: made from src/console/key.rs -->\n", "<!-- end of keys -->");
    let (head, rest) = kept.split_once(start).expect("the README has a list of keys");
    let (_, tail) = rest.split_once(end).expect("the list of keys ends");
    let wanted = format!("{head}{start}\n{}\n{end}{tail}", key::markdown());
    check(path, &kept, wanted);
}
