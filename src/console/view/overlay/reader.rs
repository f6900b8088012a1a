//! A text over the whole screen: numbered, folded, with the lines that decided marked.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::console::doc::Kind;
use crate::console::layout::inside;
use crate::console::reader::{Fold, GUTTER, Reader};
use crate::console::theme::{Meaning, Theme};
use crate::console::view::boxes::{self, Words};
use crate::console::view::put;
use crate::console::wall::ink;
use crate::console::words;

/// Draws it; gives where the typing cursor of a search stands.
pub fn draw(reader: &Reader, theme: &Theme, buffer: &mut Buffer) -> Option<(u16, u16)> {
    let screen = buffer.area;
    // Notices and keys stay visible below.
    let area = Rect { height: screen.height.saturating_sub(2), ..screen };
    let mut title = vec![ink(&reader.title, theme.strong(Meaning::Base))];
    let mut cursor = None;
    if let Some(search) = &reader.search {
        title.push(ink("  /", theme.strong(Meaning::Accent)));
        let before = 3 + title.iter().map(Span::width).sum::<usize>();
        title.push(ink(search.input.value(), theme.strong(Meaning::Accent)));
        let at = before + search.input.visual_cursor();
        cursor = search.typing.then(|| (u16::try_from(at).unwrap_or(u16::MAX).min(area.width.saturating_sub(2)), area.y));
    }
    let room = inside(area);
    let last = (reader.top + usize::from(room.height)).min(reader.folds.len());
    let below = format!("{}-{last} of {}", (reader.top + 1).min(last), reader.folds.len());
    let words = Words { title: boxes::title(title), aside: found(reader), below };
    boxes::draw(buffer, area, words, theme.of(Meaning::Accent), theme.of(Meaning::Muted));
    for (fold, y) in reader.folds.iter().skip(reader.top).zip(room.y..room.bottom()) {
        put(buffer, Rect { y, height: 1, ..room }, &line(reader, fold, theme));
    }
    cursor
}

fn found(reader: &Reader) -> String {
    match &reader.search {
        None => String::new(),
        Some(search) if search.input.value().is_empty() => String::new(),
        Some(search) if search.lines.is_empty() => "not found".to_owned(),
        Some(search) => format!("{} of {}", search.at + 1, words::plural(search.lines.len() as u64, "line")),
    }
}

fn line(reader: &Reader, fold: &Fold, theme: &Theme) -> Line<'static> {
    let Some(of) = reader.doc.lines.get(fold.line) else { return Line::default() };
    let muted = theme.of(Meaning::Muted);
    let style = match of.kind {
        Kind::Heading => theme.strong(Meaning::Accent),
        Kind::Text => theme.of(Meaning::Base),
        Kind::Muted => muted,
        Kind::Danger => theme.of(Meaning::Danger),
    };
    let number = match of.number {
        Some(number) if fold.bytes.start == 0 => number.to_string(),
        _ => String::new(),
    };
    let mut spans = Vec::new();
    // What has no number begins at the left edge, and what is left of a long line under it; numbered text stands behind its numbers.
    if of.number.is_some() {
        spans.push(Span::styled(format!("{number:>width$} ", width = GUTTER - 1), muted));
    } else if fold.bytes.start > 0 {
        spans.push(Span::raw(" ".repeat(GUTTER)));
    }
    let mut at = fold.bytes.start;
    for mark in reader.marks(fold.line) {
        let (start, end) = (mark.start.clamp(at, fold.bytes.end), mark.end.clamp(at, fold.bytes.end));
        push(&mut spans, of.text.get(at..start), style);
        push(&mut spans, of.text.get(start..end), theme.hit());
        at = end;
    }
    push(&mut spans, of.text.get(at..fold.bytes.end), style);
    Line::from(spans)
}

fn push(spans: &mut Vec<Span<'static>>, text: Option<&str>, style: Style) {
    if let Some(text) = text.filter(|text| !text.is_empty()) {
        spans.push(ink(text, style));
    }
}
