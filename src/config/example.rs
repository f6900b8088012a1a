//! The example config file, made from the table of settings.

use super::kind::Kind;
use super::settings::{SETTINGS, Setting};

/// `assets/config.example.toml`: every key with its meaning, commented out, defaults filled in.
pub fn example() -> String {
    let mut text = String::from(
        "# runmend's settings, each with its default. Uncomment what you change.\n\
         # Stronger than this file: .env, environment variables (RUNMEND_POLL__INTERVAL), options, --set KEY=VALUE.\n",
    );
    let (top, sections): (Vec<&Setting>, Vec<&Setting>) = SETTINGS.iter().partition(|setting| !setting.key.contains('.'));
    // TOML wants keys without a section before the first section.
    for setting in top {
        push(&mut text, setting.key, setting);
    }
    let mut open = "";
    for setting in sections {
        let Some((section, name)) = setting.key.split_once('.') else { continue };
        if section != open {
            open = section;
            text.push_str(&format!("\n[{section}]\n"));
        }
        push(&mut text, name, setting);
    }
    text
}

fn push(text: &mut String, name: &str, setting: &Setting) {
    let value = match (setting.kind, setting.default) {
        (Kind::Words, default) => format!("[{}]", default.unwrap_or_default()),
        (kind, Some(default)) if kind.is_bare() => default.to_owned(),
        (kind, None) if kind.is_bare() => String::new(),
        (_, default) => format!("\"{}\"", default.unwrap_or_default()),
    };
    text.push_str(&format!("\n# {}\n# {name} = {value}\n", setting.doc));
}
