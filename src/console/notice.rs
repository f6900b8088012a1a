//! What the console says in passing: one line above the footer, the newest wins, `N` shows all.

use std::collections::VecDeque;

use crate::domain::Timestamp;

/// Kept for `N`; older ones are dropped.
const KEPT_MAX: usize = 500;
/// An informative notice leaves by itself after so long.
const SHOWN_S: u64 = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Info,
    /// What was asked for was done.
    Done,
    /// Stays until a key is pressed, as everything that a person must not miss.
    Error,
    /// A hint for a newcomer: stays until a key is pressed.
    Hint,
}

impl Level {
    fn stays(self) -> bool {
        match self {
            Self::Info | Self::Done => false,
            Self::Error | Self::Hint => true,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    pub level: Level,
    pub text: String,
}

impl Notice {
    pub fn info(text: impl Into<String>) -> Self {
        Self { level: Level::Info, text: text.into() }
    }

    pub fn done(text: impl Into<String>) -> Self {
        Self { level: Level::Done, text: text.into() }
    }

    pub fn error(text: impl Into<String>) -> Self {
        Self { level: Level::Error, text: text.into() }
    }

    pub fn hint(text: impl Into<String>) -> Self {
        Self { level: Level::Hint, text: text.into() }
    }
}

#[derive(Clone, Debug, Default)]
pub struct Notices {
    all: VecDeque<(Timestamp, Notice)>,
    showing: bool,
}

impl Notices {
    pub fn post(&mut self, at: Timestamp, notice: Notice) {
        if self.all.len() == KEPT_MAX {
            self.all.pop_front();
        }
        self.all.push_back((at, notice));
        self.showing = true;
    }

    pub fn shown(&self) -> Option<&Notice> {
        self.all.back().filter(|_| self.showing).map(|(_, notice)| notice)
    }

    /// Newest first.
    pub fn all(&self) -> impl Iterator<Item = &(Timestamp, Notice)> {
        self.all.iter().rev()
    }

    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// A key was pressed: what stayed for it may go. True when the line changed.
    pub fn key(&mut self) -> bool {
        let gone = self.shown().is_some_and(|notice| notice.level.stays());
        self.showing &= !gone;
        gone
    }

    /// Time passed. True when the line changed.
    pub fn tick(&mut self, now: Timestamp) -> bool {
        let old = self.all.back().is_some_and(|(at, notice)| !notice.level.stays() && super::words::since(now, *at) >= SHOWN_S);
        let gone = self.showing && old;
        self.showing &= !old;
        gone
    }
}
