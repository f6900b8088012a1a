//! Colour by meaning. A colour never has two meanings, and no meaning rests on colour alone: a state is glyph, word and colour.

use std::str::FromStr;

use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;

/// What a colour says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    Base,
    Muted,
    /// Focus, and keys that can be pressed.
    Accent,
    /// Waits for a person.
    Waiting,
    /// Needs people, or went wrong.
    Danger,
    Ok,
    /// runmend is at it.
    Busy,
}

/// How many colours may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColorChoice {
    /// None: `NO_COLOR`, `--no-color`. Bold and reverse stay.
    Never,
    /// The 16 named ones: they follow the terminal's own palette.
    Basic,
    Rich,
}

impl ColorChoice {
    /// From the environment: `NO_COLOR` (no-color.org), `TERM=dumb`, `COLORTERM`.
    pub fn from_env(var: impl Fn(&str) -> Option<String>) -> Self {
        if var("NO_COLOR").is_some_and(|value| !value.is_empty()) || var("TERM").as_deref() == Some("dumb") {
            return Self::Never;
        }
        match var("COLORTERM").as_deref() {
            Some("truecolor" | "24bit") => Self::Rich,
            _ => Self::Basic,
        }
    }
}

/// Which palette. `Custom` is the text of a theme file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ThemeChoice {
    Dark,
    Light,
    Custom(String),
}

impl ThemeChoice {
    /// `COLORFGBG` (rxvt, Konsole and others: `15;0` is light on dark) says what the background is; dark when nobody says.
    pub fn from_env(var: impl Fn(&str) -> Option<String>) -> Self {
        let background = var("COLORFGBG").and_then(|value| value.rsplit(';').next().and_then(|last| last.parse::<u8>().ok()));
        match background {
            Some(7 | 9..=15) => Self::Light,
            _ => Self::Dark,
        }
    }
}

/// A theme file that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the theme cannot be read: {0}")]
pub struct ThemeError(String);

impl ThemeError {
    pub(super) fn new(why: String) -> Self {
        Self(why)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Shade {
    rich: String,
    basic: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Palette {
    base: Shade,
    muted: Shade,
    accent: Shade,
    waiting: Shade,
    danger: Shade,
    ok: Shade,
    busy: Shade,
    cursor: Shade,
}

/// Meanings as styles, ready to draw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Theme {
    base: Style,
    muted: Style,
    accent: Style,
    waiting: Style,
    danger: Style,
    ok: Style,
    busy: Style,
    cursor: Style,
    pub ascii: bool,
}

impl Theme {
    /// Errors: a custom theme that is no TOML, lacks a meaning, or names a colour that is none.
    pub fn new(choice: &ThemeChoice, colors: ColorChoice, ascii: bool) -> Result<Self, ThemeError> {
        let text = match choice {
            ThemeChoice::Dark => include_str!("../../assets/themes/dark.toml"),
            ThemeChoice::Light => include_str!("../../assets/themes/light.toml"),
            ThemeChoice::Custom(text) => text,
        };
        let palette: Palette = toml::from_str(text).map_err(|error| ThemeError(error.message().to_owned()))?;
        let ink = |shade: &Shade| color(shade, colors).map(|color| color.map_or(Style::new(), |color| Style::new().fg(color)));
        let muted = match colors {
            ColorChoice::Never => Style::new().add_modifier(Modifier::DIM),
            ColorChoice::Basic | ColorChoice::Rich => ink(&palette.muted)?,
        };
        Ok(Self {
            base: ink(&palette.base)?,
            muted,
            accent: ink(&palette.accent)?,
            waiting: ink(&palette.waiting)?,
            danger: ink(&palette.danger)?,
            ok: ink(&palette.ok)?,
            busy: ink(&palette.busy)?,
            cursor: color(&palette.cursor, colors)?.map_or(Style::new(), |color| Style::new().bg(color)),
            ascii,
        })
    }

    /// No colours at all: for measuring text.
    pub const fn plain() -> Self {
        let none = Style::new();
        Self { base: none, muted: none, accent: none, waiting: none, danger: none, ok: none, busy: none, cursor: none, ascii: false }
    }

    pub fn of(&self, meaning: Meaning) -> Style {
        match meaning {
            Meaning::Base => self.base,
            Meaning::Muted => self.muted,
            Meaning::Accent => self.accent,
            Meaning::Waiting => self.waiting,
            Meaning::Danger => self.danger,
            Meaning::Ok => self.ok,
            Meaning::Busy => self.busy,
        }
    }

    pub fn strong(&self, meaning: Meaning) -> Style {
        self.of(meaning).add_modifier(Modifier::BOLD)
    }

    /// The background of the row under the cursor; the mark before it says the same without colour.
    pub fn cursor(&self) -> Style {
        self.cursor.add_modifier(Modifier::BOLD)
    }

    /// The text on which a verdict rests, and what a search found: visible with and without colour.
    pub fn hit(&self) -> Style {
        self.base.add_modifier(Modifier::REVERSED).add_modifier(Modifier::BOLD)
    }
}

fn color(shade: &Shade, colors: ColorChoice) -> Result<Option<Color>, ThemeError> {
    let parse = |text: &str| Color::from_str(text).map_err(|_| ThemeError(format!("`{text}` is no colour")));
    // Both are read whatever is shown, so that a theme is wrong everywhere or nowhere.
    let (rich, basic) = (parse(&shade.rich)?, if shade.basic == "default" { Color::Reset } else { parse(&shade.basic)? });
    Ok(match colors {
        ColorChoice::Never => None,
        ColorChoice::Basic => (basic != Color::Reset).then_some(basic),
        ColorChoice::Rich => Some(rich),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shipped_themes_are_whole_and_no_two_meanings_share_a_colour() {
        for choice in [ThemeChoice::Dark, ThemeChoice::Light] {
            for colors in [ColorChoice::Basic, ColorChoice::Rich] {
                let theme = Theme::new(&choice, colors, false).unwrap();
                let inks = [theme.base, theme.muted, theme.accent, theme.waiting, theme.danger, theme.ok, theme.busy];
                for (at, ink) in inks.iter().enumerate() {
                    assert!(!inks[..at].contains(ink), "{choice:?} {colors:?}: colour {at} is used twice");
                }
            }
        }
    }

    #[test]
    fn a_theme_that_lacks_a_meaning_says_which() {
        let error = Theme::new(&ThemeChoice::Custom("base = { rich = \"#fff\", basic = \"white\" }".into()), ColorChoice::Rich, false);
        assert!(error.unwrap_err().to_string().contains("muted"));
    }

    #[test]
    fn the_environment_is_obeyed() {
        let env =
            |pairs: &'static [(&str, &str)]| move |name: &str| pairs.iter().find(|(key, _)| *key == name).map(|(_, v)| (*v).to_owned());
        assert_eq!(ColorChoice::from_env(env(&[("NO_COLOR", "1"), ("COLORTERM", "truecolor")])), ColorChoice::Never);
        assert_eq!(ColorChoice::from_env(env(&[("NO_COLOR", ""), ("COLORTERM", "truecolor")])), ColorChoice::Rich);
        assert_eq!(ColorChoice::from_env(env(&[("TERM", "xterm")])), ColorChoice::Basic);
        assert_eq!(ThemeChoice::from_env(env(&[("COLORFGBG", "0;15")])), ThemeChoice::Light);
        assert_eq!(ThemeChoice::from_env(env(&[])), ThemeChoice::Dark);
    }
}
