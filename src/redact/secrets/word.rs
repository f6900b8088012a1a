//! Words of a line, their quotes taken off.

use super::quote::Quote;
use super::text::{Text, is_blank, is_quote, is_space};

/// Longest line that is read around a mark, bytes.
pub const LINE_BYTES_MAX: usize = 1 << 10;

/// The word after `skipped` others.
pub fn word(text: Text<'_>, position: usize, skipped: usize) -> Option<(usize, usize)> {
    let mut position = text.skip_spaces(position);
    for _ in 0..skipped {
        position = text.skip_max(position, LINE_BYTES_MAX, |b| !is_blank(b));
        position = text.skip_spaces(position);
    }
    if let Some(quote) = Quote::at(text, position) {
        let start = position + quote.len();
        return Some((start, quote.close(text, start)?));
    }
    let end = text.skip_max(position, LINE_BYTES_MAX, |b| !is_blank(b) && !is_quote(b));
    (end > position).then_some((position, end))
}

/// The last word of the command at `position`, if it is no path.
pub fn last_word(text: Text<'_>, position: usize) -> Option<(usize, usize)> {
    let line = text.skip_max(position, LINE_BYTES_MAX, |b| !matches!(b, b'\n' | b';' | b'|' | b'&'));
    let end = text.skip_back_max(line, 40, |b| is_space(b) || is_quote(b));
    let start = text.skip_back_max(end, end.saturating_sub(position), |b| !is_blank(b) && !is_quote(b));
    (start < end && !text.slice(start, end).starts_with('/')).then_some((start, end))
}
