//! The last door before the screen: whatever text is drawn is cleaned, measured, cut and wrapped here.

use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::redact::control::one_line;

/// Marks on one character that are still a script and not an attack (Vietnamese and Thai need two).
const MARKS_MAX: usize = 2;

/// One line, without control sequences, without piles of combining marks. Texts passed the door already; the wall does not trust that.
pub fn clean(text: &str) -> String {
    let mut marks = 0;
    one_line(text)
        .chars()
        .filter(|c| {
            marks = if c.width() == Some(0) { marks + 1 } else { 0 };
            marks <= MARKS_MAX
        })
        .collect()
}

/// Columns that the text takes on a terminal.
pub fn width(text: &str) -> usize {
    text.width()
}

/// The text in at most `max` columns, cut with `…`.
pub fn fit(text: &str, max: usize) -> String {
    let text = clean(text);
    if text.width() <= max {
        return text;
    }
    let (mut cut, mut used) = (String::new(), 1);
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used > max {
            break;
        }
        cut.push(c);
    }
    if max > 0 {
        cut.push('…');
    }
    cut
}

/// Byte ranges of `text` that fill lines of `max` columns: broken after a space, else after a slash or a comma, else inside a word.
pub fn folds(text: &str, max: usize) -> Vec<std::ops::Range<usize>> {
    let max = max.max(1);
    let mut lines = Vec::new();
    let (mut start, mut used) = (0, 0);
    let (mut space, mut joint) = (None, None);
    for (at, c) in text.char_indices() {
        let columns = c.width().unwrap_or(0);
        // A space at a line's end hangs over the edge, unseen.
        while used + columns > max && at > start && c != ' ' {
            // A word longer than half a line is broken: otherwise a path would leave the line empty.
            let fills = |end: &usize| *end > start && cells(&text[start..*end]) * 2 >= max;
            let end = space.filter(fills).or(joint.filter(fills)).unwrap_or(at);
            lines.push(start..end);
            start = end;
            used = cells(&text[start..at]);
            (space, joint) = (None, None);
        }
        used += columns;
        match c {
            ' ' => space = Some(at + c.len_utf8()),
            '/' | ',' => joint = Some(at + c.len_utf8()),
            _ => {}
        }
    }
    lines.push(start..text.len());
    lines
}

/// Columns, character by character: never fewer than a terminal takes for them together.
fn cells(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(0)).sum()
}

/// The text as lines of at most `max` columns.
pub fn wrap(text: &str, max: usize) -> Vec<String> {
    let text = clean(text);
    folds(&text, max).into_iter().map(|fold| text[fold].trim_end().to_owned()).collect()
}

/// A span whose text has been cleaned.
pub fn ink(text: impl AsRef<str>, style: Style) -> Span<'static> {
    Span::styled(clean(text.as_ref()), style)
}

/// `label` and wrapped text beside it, each line `indent` columns in.
pub fn hanging(label: &str, indent: usize, text: &str, width: usize, label_style: Style, style: Style) -> Vec<Line<'static>> {
    let room = width.saturating_sub(indent).max(1);
    wrap(text, room)
        .into_iter()
        .enumerate()
        .map(|(at, part)| {
            let head = if at == 0 { fit(label, indent) } else { String::new() };
            let pad = " ".repeat(indent.saturating_sub(head.width()));
            Line::from(vec![Span::styled(head, label_style), Span::raw(pad), Span::styled(part, style)])
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn cuts_by_columns_and_says_so() {
        for (text, max, want) in [
            ("orders", 6, "orders"),
            ("orders_daily", 6, "order…"),
            ("東京都の売上", 6, "東京…"),
            ("x\u{1b}[31my\nz", 10, "xy z"),
            ("e\u{301}\u{301}\u{301}\u{301}t", 5, "e\u{301}\u{301}t"),
            ("ab", 0, ""),
        ] {
            assert_eq!(fit(text, max), want, "{text:?}");
        }
    }

    #[test]
    fn wraps_at_spaces_and_inside_long_words() {
        assert_eq!(wrap("the driver collects the orders", 12), ["the driver", "collects the", "orders"]);
        assert_eq!(wrap("aaaaaaaaaaaaaaa", 10), ["aaaaaaaaaa", "aaaaa"]);
        assert_eq!(wrap("", 10), [""]);
    }

    proptest! {
        #[test]
        fn nothing_is_wider_than_asked(text in any::<String>(), max in 2usize..40) {
            prop_assert!(fit(&text, max).width() <= max);
            for line in wrap(&text, max) {
                prop_assert!(line.chars().map(|c| c.width().unwrap_or(0)).sum::<usize>() <= max);
            }
        }

        #[test]
        fn folding_loses_no_byte(text in any::<String>(), max in 1usize..40) {
            let text = clean(&text);
            let joined: String = folds(&text, max).into_iter().map(|fold| text[fold].to_owned()).collect();
            prop_assert_eq!(joined, text);
        }
    }
}
