//! The README's picture is the console as it is. `RUNMEND_BLESS=1 cargo test --lib console::` draws it anew.

use std::path::Path;

use super::world::{MIDDLE, press, scene, stage};
use crate::console::picture::{DARK, svg};
use crate::domain::decision::Mode;

#[test]
fn the_readmes_picture_is_the_console_as_it_is() {
    let mut stage = stage(MIDDLE, Mode::Approve, scene());
    press(&mut stage, "j j");
    let drawn = svg(stage.draw(), DARK);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/console.svg");
    if std::env::var_os("RUNMEND_BLESS").is_some() {
        std::fs::write(&path, &drawn).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == drawn, "{} is not what the console looks like now: RUNMEND_BLESS=1 draws it anew", path.display());
}
