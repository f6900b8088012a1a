//! A text over the whole screen: wrapped, scrolled, searched.

use std::ops::Range;
use std::sync::Arc;

use regex::{Regex, RegexBuilder};
use tui_input::Input;

use crate::domain::ids::IncidentId;

use super::doc::Doc;
use super::key::Motion;
use super::wall;

/// Columns for the line number and a space.
pub const GUTTER: usize = 6;

/// Which text it is: a newer version of it takes its place while it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Text {
    Evidence,
    History,
    Call,
    Notices,
}

#[derive(Clone, Debug)]
pub struct Search {
    pub input: Input,
    /// Still typing.
    pub typing: bool,
    pattern: Option<Regex>,
    /// Lines of the document that have it.
    pub lines: Vec<usize>,
    pub at: usize,
}

/// A line of the document, or a part of one that was too long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fold {
    pub line: usize,
    pub bytes: Range<usize>,
}

#[derive(Clone, Debug)]
pub struct Reader {
    pub text: Text,
    pub title: String,
    /// Whose text it is.
    pub of: Option<IncidentId>,
    pub doc: Arc<Doc>,
    pub folds: Vec<Fold>,
    pub top: usize,
    pub search: Option<Search>,
    width: usize,
    height: usize,
}

impl Reader {
    /// Opens at the line that decided, where there is one.
    pub fn open(text: Text, title: String, of: Option<IncidentId>, doc: Arc<Doc>, width: usize, height: usize) -> Self {
        let mut reader = Self { text, title, of, doc, folds: Vec::new(), top: 0, search: None, width: 0, height };
        reader.resize(width, height);
        if let Some(hit) = reader.doc.hit() {
            reader.show(hit);
        }
        reader
    }

    /// Folds anew; the same line of the document stays on top.
    pub fn resize(&mut self, width: usize, height: usize) {
        self.height = height.max(1);
        if width != self.width {
            let line = self.folds.get(self.top).map(|fold| fold.line);
            self.width = width;
            self.fold();
            self.top = line.and_then(|line| self.folds.iter().position(|fold| fold.line == line)).unwrap_or(0);
        }
        self.clamp();
    }

    /// A newer version of the text: the place is kept.
    pub fn replace(&mut self, doc: Arc<Doc>) {
        let at_end = self.top + self.height >= self.folds.len() && self.text != Text::Evidence;
        self.doc = doc;
        self.fold();
        self.find();
        if at_end && self.folds.len() > self.height {
            self.top = self.folds.len() - self.height;
        }
        self.clamp();
    }

    fn fold(&mut self) {
        let room = self.width.saturating_sub(GUTTER).max(1);
        self.folds = self
            .doc
            .lines
            .iter()
            .enumerate()
            .flat_map(|(line, text)| wall::folds(&text.text, room).into_iter().map(move |bytes| Fold { line, bytes }))
            .collect();
    }

    fn clamp(&mut self) {
        self.top = self.top.min(self.folds.len().saturating_sub(self.height));
    }

    pub fn travel(&mut self, motion: Motion) {
        let page = self.height.saturating_sub(2).max(1);
        self.top = match motion {
            Motion::Up => self.top.saturating_sub(1),
            Motion::Down => self.top + 1,
            Motion::PageUp => self.top.saturating_sub(page),
            Motion::PageDown => self.top + page,
            Motion::Top => 0,
            Motion::Bottom => usize::MAX,
        };
        self.clamp();
    }

    /// The line of the document a third down the screen.
    pub fn show(&mut self, line: usize) {
        if let Some(fold) = self.folds.iter().position(|fold| fold.line == line) {
            self.top = fold.saturating_sub(self.height / 3);
            self.clamp();
        }
    }

    pub fn start_search(&mut self) {
        let input = self.search.take().map(|search| search.input).unwrap_or_default();
        self.search = Some(Search { input, typing: true, pattern: None, lines: Vec::new(), at: 0 });
        self.find();
    }

    /// After each typed key: the first find below the top comes into view.
    pub fn searched(&mut self) {
        self.find();
        let top = self.folds.get(self.top).map_or(0, |fold| fold.line);
        if let Some(search) = &mut self.search {
            search.at = search.lines.iter().position(|line| *line >= top).unwrap_or(0);
        }
        self.show_find();
    }

    /// The next (or previous) find; past the end it begins again.
    pub fn step(&mut self, forward: bool) {
        if let Some(search) = &mut self.search {
            let n = search.lines.len();
            if n > 0 {
                search.at = if forward { (search.at + 1) % n } else { (search.at + n - 1) % n };
            }
        }
        self.show_find();
    }

    fn show_find(&mut self) {
        if let Some(line) = self.search.as_ref().and_then(|search| search.lines.get(search.at).copied()) {
            self.show(line);
        }
    }

    fn find(&mut self) {
        let Some(search) = &mut self.search else { return };
        let words = search.input.value();
        search.pattern = if words.is_empty() { None } else { RegexBuilder::new(&regex::escape(words)).case_insensitive(true).build().ok() };
        search.lines = match &search.pattern {
            Some(pattern) => self.doc.lines.iter().enumerate().filter(|(_, line)| pattern.is_match(&line.text)).map(|(at, _)| at).collect(),
            None => Vec::new(),
        };
        search.at = search.at.min(search.lines.len().saturating_sub(1));
    }

    /// Bytes of a document's line to be marked: what decided, or what a search found.
    pub fn marks(&self, line: usize) -> Vec<Range<usize>> {
        let Some(text) = self.doc.lines.get(line) else { return Vec::new() };
        match self.search.as_ref().and_then(|search| search.pattern.as_ref()) {
            Some(pattern) => pattern.find_iter(&text.text).map(|found| found.range()).collect(),
            None => text.hit.clone().into_iter().collect(),
        }
    }
}
