//! The keys are a table. Footer, help, palette and the README's list are made from it, and from nothing else.

use std::fmt;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::layout::Pane;

/// One key press that a row listens to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chord {
    code: KeyCode,
    ctrl: bool,
}

const fn on(c: char) -> Chord {
    Chord { code: KeyCode::Char(c), ctrl: false }
}

const fn ctrl(c: char) -> Chord {
    Chord { code: KeyCode::Char(c), ctrl: true }
}

const fn key(code: KeyCode) -> Chord {
    Chord { code, ctrl: false }
}

impl Chord {
    fn is(self, event: &KeyEvent) -> bool {
        let ctrl = event.modifiers.contains(KeyModifiers::CONTROL);
        let other = event.modifiers.intersects(KeyModifiers::ALT | KeyModifiers::SUPER | KeyModifiers::META | KeyModifiers::HYPER);
        self.code == event.code && self.ctrl == ctrl && !other
    }
}

impl fmt::Display for Chord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            KeyCode::Char(' ') => f.write_str("Space"),
            KeyCode::Char(c) if self.ctrl => write!(f, "Ctrl-{}", c.to_ascii_uppercase()),
            KeyCode::Char(c) => write!(f, "{c}"),
            KeyCode::Up => f.write_str("Up"),
            KeyCode::Down => f.write_str("Down"),
            KeyCode::Left => f.write_str("Left"),
            KeyCode::Right => f.write_str("Right"),
            KeyCode::PageUp => f.write_str("PgUp"),
            KeyCode::PageDown => f.write_str("PgDn"),
            KeyCode::Home => f.write_str("Home"),
            KeyCode::End => f.write_str("End"),
            KeyCode::Enter => f.write_str("Enter"),
            KeyCode::Esc => f.write_str("Esc"),
            KeyCode::Tab => f.write_str("Tab"),
            KeyCode::BackTab => f.write_str("Shift-Tab"),
            // The table names no other key.
            other => write!(f, "{other:?}"),
        }
    }
}

/// Where a key is pressed: what lies on top of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Layer {
    /// The list and its panes.
    List,
    /// A text over the whole screen.
    Reader,
    /// Typing a search in a text.
    Search,
    /// Typing the list's filter.
    Filter,
    /// A question that names what will happen.
    Question,
    /// Choosing another action.
    Override,
    /// Help and palette: typing narrows, Enter runs.
    Chooser,
}

impl Layer {
    pub const ALL: [Self; 7] = [Self::List, Self::Reader, Self::Search, Self::Filter, Self::Question, Self::Override, Self::Chooser];

    pub fn words(self) -> &'static str {
        match self {
            Self::List => "The list and its panes",
            Self::Reader => "Reading a text (evidence, history, call, notices)",
            Self::Search => "Typing a search",
            Self::Filter => "Typing a filter",
            Self::Question => "A question before something is done",
            Self::Override => "Override",
            Self::Chooser => "Help and palette",
        }
    }

    /// Keys that no row of the layer takes are text.
    pub fn types(self) -> bool {
        match self {
            Self::Search | Self::Filter | Self::Override | Self::Chooser => true,
            Self::List | Self::Reader | Self::Question => false,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Motion {
    Up,
    Down,
    PageUp,
    PageDown,
    Top,
    Bottom,
}

/// What a key does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    Move(Motion),
    NextPane,
    PreviousPane,
    Focus(Pane),
    Approve,
    Override,
    Ignore,
    CloseHandled,
    AutoApply,
    /// Let a model be asked about the incident.
    AskModel,
    /// End the question that is with a model.
    StopModel,
    ReadEvidence,
    History,
    Call,
    CopyUrl,
    Sort,
    Filter,
    Freeze,
    Notices,
    Help,
    Palette,
    Quit,
    /// Leave what lies on top; on the list: drop the filter, then the focus.
    Back,
    Search,
    NextHit,
    PreviousHit,
    /// Do what the question, the modal or the line under the cursor says.
    Confirm,
    /// The next or previous action of the override.
    NextChoice,
    PreviousChoice,
    /// Its next or previous cause, or the model's; from the model's back to the rules'.
    NextCause,
    PreviousCause,
    ModelsCause,
}

/// Does it touch the workspace? `--observe` drops such rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    Screen,
    Ledger,
    Workspace,
}

#[derive(Debug)]
pub struct Key {
    pub on: &'static [Chord],
    pub layer: Layer,
    pub does: Act,
    /// Its name in footer and palette.
    pub name: &'static str,
    pub help: &'static str,
    pub reach: Reach,
    /// Shown in the footer, when it does something now.
    pub footer: bool,
}

macro_rules! row {
    ($layer:ident, [$($on:expr),+], $does:expr, $name:literal, $help:literal, $reach:ident, $footer:literal) => {
        Key { on: &[$($on),+], layer: Layer::$layer, does: $does, name: $name, help: $help, reach: Reach::$reach, footer: $footer }
    };
}

/// In the order of footer, help and README.
#[rustfmt::skip]
pub const KEYS: &[Key] = &[
    row!(List, [on('a')], Act::Approve, "approve", "Approve the decision as it stands; first the exact call is shown; Enter, or a again, makes it", Workspace, true),
    row!(List, [on('o')], Act::Override, "override", "Choose another action than the engine's, or say that the cause is another, with the reason why", Workspace, true),
    row!(List, [on('i')], Act::Ignore, "ignore", "Nothing is to be done about it: close it, after a question that names it", Ledger, true),
    row!(List, [on('c')], Act::CloseHandled, "close", "Close as handled what people have dealt with outside runmend, after a question", Ledger, true),
    row!(List, [on('x')], Act::StopModel, "stop the model", "End the question that is with a model; the rules decide alone, and it is not asked again by itself", Ledger, true),
    row!(List, [on('e'), key(KeyCode::Enter)], Act::ReadEvidence, "evidence", "Read the whole evidence, from the line that decided", Screen, true),
    row!(List, [on('h')], Act::History, "history", "Audit trail, calls and mails of the incident", Screen, true),
    row!(List, [on('p')], Act::Call, "call", "The exact call that the decision would make, in full", Screen, true),
    row!(List, [on('m')], Act::AskModel, "ask a model", "Ask the model for a second opinion, where it was not asked or gave none that counts", Ledger, true),
    row!(List, [on('/')], Act::Filter, "filter", "Show only incidents that have these words: job, task, cause, state, action, run id", Screen, true),
    row!(List, [key(KeyCode::Tab)], Act::NextPane, "pane", "Focus the next pane; j and k then scroll it", Screen, true),
    row!(List, [on('A')], Act::AutoApply, "auto-apply", "Carry out by itself what the guardrails allow, while this console is open; again: stop it", Workspace, true),
    row!(List, [on('s')], Act::Sort, "sort", "Sort the list another way", Screen, true),
    row!(List, [on('y')], Act::CopyUrl, "copy url", "Copy the run's address to the terminal's clipboard", Screen, true),
    row!(List, [on('f')], Act::Freeze, "freeze", "Hold the list still; again: go on", Screen, true),
    row!(List, [on('N')], Act::Notices, "notices", "All notices of this session", Screen, false),
    row!(List, [on('j'), key(KeyCode::Down)], Act::Move(Motion::Down), "down", "The next incident, or scroll the focused pane", Screen, false),
    row!(List, [on('k'), key(KeyCode::Up)], Act::Move(Motion::Up), "up", "The incident above, or scroll the focused pane", Screen, false),
    row!(List, [key(KeyCode::PageDown), ctrl('d')], Act::Move(Motion::PageDown), "page down", "A page down", Screen, false),
    row!(List, [key(KeyCode::PageUp), ctrl('u')], Act::Move(Motion::PageUp), "page up", "A page up", Screen, false),
    row!(List, [on('g'), key(KeyCode::Home)], Act::Move(Motion::Top), "top", "The first one", Screen, false),
    row!(List, [on('G'), key(KeyCode::End)], Act::Move(Motion::Bottom), "bottom", "The last one", Screen, false),
    row!(List, [key(KeyCode::BackTab)], Act::PreviousPane, "previous pane", "Focus the pane before", Screen, false),
    row!(List, [on('1')], Act::Focus(Pane::Classifier), "classifier", "Focus the classifier's pane", Screen, false),
    row!(List, [on('2')], Act::Focus(Pane::Llm), "llm", "Focus the LLM's pane", Screen, false),
    row!(List, [on('3')], Act::Focus(Pane::Decision), "decision", "Focus the decision's pane", Screen, false),
    row!(List, [on('4')], Act::Focus(Pane::Evidence), "evidence pane", "Focus the evidence's pane", Screen, false),
    row!(List, [key(KeyCode::Esc)], Act::Back, "back", "Back to the list; then drop the filter", Screen, false),
    row!(List, [on(':')], Act::Palette, "palette", "Every action by its name", Screen, false),
    row!(List, [on('?')], Act::Help, "help", "All keys; typing narrows them", Screen, true),
    row!(List, [on('q'), ctrl('c')], Act::Quit, "quit", "Leave; nothing is lost, the ledger has it all", Screen, true),

    row!(Reader, [key(KeyCode::Esc)], Act::Back, "back", "Back to the list", Screen, true),
    row!(Reader, [on('/')], Act::Search, "search", "Search the text", Screen, true),
    row!(Reader, [on('n')], Act::NextHit, "next", "The next place that was found", Screen, true),
    row!(Reader, [on('N')], Act::PreviousHit, "previous", "The place found before", Screen, true),
    row!(Reader, [on('j'), key(KeyCode::Down)], Act::Move(Motion::Down), "down", "A line down", Screen, false),
    row!(Reader, [on('k'), key(KeyCode::Up)], Act::Move(Motion::Up), "up", "A line up", Screen, false),
    row!(Reader, [key(KeyCode::PageDown), on(' '), ctrl('d')], Act::Move(Motion::PageDown), "page down", "A page down", Screen, true),
    row!(Reader, [key(KeyCode::PageUp), on('b'), ctrl('u')], Act::Move(Motion::PageUp), "page up", "A page up", Screen, true),
    row!(Reader, [on('g'), key(KeyCode::Home)], Act::Move(Motion::Top), "top", "The first line", Screen, true),
    row!(Reader, [on('G'), key(KeyCode::End)], Act::Move(Motion::Bottom), "end", "The last line", Screen, true),
    row!(Reader, [on('?')], Act::Help, "help", "All keys; typing narrows them", Screen, true),
    row!(Reader, [on('q')], Act::Back, "back", "Back to the list", Screen, false),
    row!(Reader, [ctrl('c')], Act::Quit, "quit", "Leave runmend", Screen, false),

    row!(Search, [key(KeyCode::Enter)], Act::Confirm, "go there", "Keep the search; n and N go through what it found", Screen, true),
    row!(Search, [key(KeyCode::Esc)], Act::Back, "cancel", "Drop the search", Screen, true),
    row!(Search, [ctrl('c')], Act::Quit, "quit", "Leave runmend", Screen, false),

    row!(Filter, [key(KeyCode::Enter)], Act::Confirm, "keep", "Keep the filter and go back to the list", Screen, true),
    row!(Filter, [key(KeyCode::Esc)], Act::Back, "drop", "Drop the filter", Screen, true),
    row!(Filter, [key(KeyCode::Down)], Act::Move(Motion::Down), "down", "The next incident", Screen, false),
    row!(Filter, [key(KeyCode::Up)], Act::Move(Motion::Up), "up", "The incident above", Screen, false),
    row!(Filter, [ctrl('c')], Act::Quit, "quit", "Leave runmend", Screen, false),

    row!(Question, [key(KeyCode::Enter), on('y')], Act::Confirm, "do it", "Do what the question says; the key that asked it, pressed again, does the same", Ledger, true),
    row!(Question, [key(KeyCode::Esc), on('n')], Act::Back, "cancel", "Do nothing; any other key does the same", Screen, true),
    row!(Question, [ctrl('c')], Act::Quit, "quit", "Leave runmend; nothing is done", Screen, false),

    row!(Override, [key(KeyCode::Enter)], Act::Confirm, "do it", "Do it; a reason is needed", Workspace, true),
    row!(Override, [key(KeyCode::Down)], Act::NextChoice, "action", "The next action", Screen, true),
    row!(Override, [key(KeyCode::Up)], Act::PreviousChoice, "previous action", "The action before", Screen, false),
    row!(Override, [key(KeyCode::Tab)], Act::NextCause, "cause", "The next cause, where it is another than the rules say", Screen, true),
    row!(Override, [key(KeyCode::BackTab)], Act::PreviousCause, "previous cause", "The cause before", Screen, false),
    row!(Override, [ctrl('l')], Act::ModelsCause, "model's cause", "The cause that the model says; again: the rules'", Screen, true),
    row!(Override, [key(KeyCode::Esc)], Act::Back, "cancel", "Do nothing", Screen, true),
    row!(Override, [ctrl('c')], Act::Quit, "quit", "Leave runmend; nothing is done", Screen, false),

    row!(Chooser, [key(KeyCode::Enter)], Act::Confirm, "run it", "Do what the line says", Screen, true),
    row!(Chooser, [key(KeyCode::Down), key(KeyCode::Tab)], Act::Move(Motion::Down), "next", "The next line", Screen, true),
    row!(Chooser, [key(KeyCode::Up), key(KeyCode::BackTab)], Act::Move(Motion::Up), "previous", "The line above", Screen, false),
    row!(Chooser, [key(KeyCode::PageDown)], Act::Move(Motion::PageDown), "page down", "A page down", Screen, false),
    row!(Chooser, [key(KeyCode::PageUp)], Act::Move(Motion::PageUp), "page up", "A page up", Screen, false),
    row!(Chooser, [key(KeyCode::Esc)], Act::Back, "close", "Close the help", Screen, true),
    row!(Chooser, [ctrl('c')], Act::Quit, "quit", "Leave runmend", Screen, false),
];

/// The row that a key press means on this layer.
pub fn find(layer: Layer, event: &KeyEvent) -> Option<&'static Key> {
    KEYS.iter().find(|row| row.layer == layer && row.on.iter().any(|chord| chord.is(event)))
}

impl Key {
    /// Its keys as help shows them: `e, Enter`.
    pub fn chords(&self) -> String {
        self.on.iter().map(Chord::to_string).collect::<Vec<_>>().join(", ")
    }

    /// The one key that the footer shows.
    pub fn chord(&self) -> String {
        self.on.first().map(Chord::to_string).unwrap_or_default()
    }
}

/// The README's list of keys.
pub fn markdown() -> String {
    let mut text = String::new();
    for layer in Layer::ALL {
        text.push_str(&format!("**{}**\n\n| key | does |\n|---|---|\n", layer.words()));
        for row in KEYS.iter().filter(|row| row.layer == layer) {
            let chords = row.on.iter().map(|chord| format!("`{chord}`")).collect::<Vec<_>>().join(" ");
            let observe = if row.reach == Reach::Workspace && layer == Layer::List { " (not under `--observe`)" } else { "" };
            text.push_str(&format!("| {chords} | {}{observe} |\n", row.help));
        }
        text.push('\n');
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_has_two_meanings_on_one_layer() {
        for layer in Layer::ALL {
            let mut seen = Vec::new();
            for chord in KEYS.iter().filter(|row| row.layer == layer).flat_map(|row| row.on) {
                assert!(!seen.contains(chord), "{chord} stands twice on {layer:?}");
                seen.push(*chord);
            }
        }
    }

    #[test]
    fn every_row_has_words() {
        for row in KEYS {
            assert!(!row.on.is_empty() && row.name.len() > 1 && row.help.len() > 5, "{row:?}");
            assert!(!row.help.ends_with('.'), "{}: a help line is no sentence with a full stop", row.help);
        }
    }

    #[test]
    fn every_layer_can_be_left_and_runmend_too() {
        for layer in Layer::ALL {
            let does = |act| KEYS.iter().any(|row| row.layer == layer && row.does == act);
            assert!(does(Act::Quit), "{layer:?} has no way out of runmend");
            assert!(layer == Layer::List || does(Act::Back), "{layer:?} has no way back");
        }
    }

    #[test]
    fn a_typing_layer_takes_no_letter() {
        for row in KEYS.iter().filter(|row| row.layer.types()) {
            for chord in row.on {
                assert!(chord.ctrl || !matches!(chord.code, KeyCode::Char(_)), "{chord} cannot be typed on {:?}", row.layer);
            }
        }
    }

    #[test]
    fn alt_with_a_letter_is_not_the_letter() {
        assert!(find(Layer::List, &KeyEvent::new(KeyCode::Char('a'), KeyModifiers::ALT)).is_none());
        let shifted = KeyEvent::new(KeyCode::Char('A'), KeyModifiers::SHIFT);
        assert_eq!(find(Layer::List, &shifted).map(|row| row.does), Some(Act::AutoApply));
    }
}
