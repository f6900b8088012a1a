//! Reads bytes of a text without ever stepping outside, and the classes of characters that secrets are made of.

use std::cell::Cell;

/// Bytes that scans may read for each byte of the text, and for a short text at all. Logs need about five; what needs more is made to
/// cost time, and is read in short steps from then on: so the whole stays linear.
const WORK_PER_BYTE: usize = 8;
const WORK_MIN: usize = 256 << 10;
/// Longest scan once that is spent, bytes.
const SHORT_STEP: usize = 64;

/// What was read so far.
#[derive(Default)]
pub struct Work(Cell<usize>);

#[cfg(test)]
impl Work {
    pub fn spent(&self) -> usize {
        self.0.get()
    }
}

/// A text to look into. Positions past its end read as 0, ranges past it as empty.
#[derive(Clone, Copy)]
pub struct Text<'t> {
    words: &'t str,
    bytes: &'t [u8],
    work: &'t Work,
}

impl<'t> Text<'t> {
    pub fn new(words: &'t str, work: &'t Work) -> Self {
        Self { words, bytes: words.as_bytes(), work }
    }

    /// Counts bytes that were read.
    pub fn spend(self, bytes: usize) {
        self.work.0.set(self.work.0.get().saturating_add(bytes));
    }

    /// How far a scan may go that wants to read `bytes_max`.
    pub fn reach(self, bytes_max: usize) -> usize {
        if self.work.0.get() > WORK_MIN + WORK_PER_BYTE * self.bytes.len() { bytes_max.min(SHORT_STEP) } else { bytes_max }
    }

    pub fn bytes(self) -> &'t [u8] {
        self.bytes
    }

    pub fn len(self) -> usize {
        self.bytes.len()
    }

    pub fn at(self, position: usize) -> u8 {
        self.bytes.get(position).copied().unwrap_or(0)
    }

    /// The byte before `position`; 0 at the start.
    pub fn before(self, position: usize) -> u8 {
        position.checked_sub(1).map_or(0, |position| self.at(position))
    }

    /// What stands from `start` to `end`; empty where that is no range of whole characters.
    pub fn slice(self, start: usize, end: usize) -> &'t str {
        self.words.get(start..end.min(self.bytes.len())).unwrap_or("")
    }

    pub fn starts(self, position: usize, what: &str) -> bool {
        self.bytes.get(position..).is_some_and(|rest| rest.starts_with(what.as_bytes()))
    }

    pub fn starts_anycase(self, position: usize, what: &str) -> bool {
        let what = what.as_bytes();
        // Nearly always the first byte says so.
        what.first().is_none_or(|first| first.eq_ignore_ascii_case(&self.at(position)))
            && self.bytes.get(position..position + what.len()).is_some_and(|part| part.eq_ignore_ascii_case(what))
    }

    /// Does `what` end just before `position`?
    pub fn ends(self, position: usize, what: &str) -> bool {
        position.checked_sub(what.len()).is_some_and(|start| self.starts(start, what))
    }

    pub fn skip(self, position: usize, of: fn(u8) -> bool) -> usize {
        self.skip_max(position, usize::MAX, of)
    }

    /// As [`Text::skip`], for at most `bytes_max` bytes.
    pub fn skip_max(self, start: usize, bytes_max: usize, of: fn(u8) -> bool) -> usize {
        let rest = self.bytes.get(start..).unwrap_or_default();
        let skipped = rest.iter().take(self.reach(bytes_max)).take_while(|b| of(**b)).count();
        self.spend(skipped);
        start + skipped
    }

    pub fn skip_back(self, position: usize, of: fn(u8) -> bool) -> usize {
        self.skip_back_max(position, usize::MAX, of)
    }

    pub fn skip_back_max(self, start: usize, bytes_max: usize, of: fn(u8) -> bool) -> usize {
        let front = self.bytes.get(..start).unwrap_or_default();
        let skipped = front.iter().rev().take(self.reach(bytes_max)).take_while(|b| of(**b)).count();
        self.spend(skipped);
        start - skipped
    }

    /// Where `what` first stands from `start` on, within `bytes_max` bytes.
    pub fn find(self, start: usize, bytes_max: usize, what: &str) -> Option<usize> {
        let end = self.bytes.len().min(start.saturating_add(self.reach(bytes_max)));
        let window = self.bytes.get(start..end)?;
        let found = window.windows(what.len()).position(|part| part.eq_ignore_ascii_case(what.as_bytes()));
        self.spend(found.unwrap_or(window.len()));
        found.map(|offset| start + offset)
    }

    pub fn skip_spaces(self, position: usize) -> usize {
        self.skip(position, is_space)
    }

    /// The nearest start of a character at or before `position`.
    pub fn floor(self, position: usize) -> usize {
        self.words.floor_char_boundary(position.min(self.bytes.len()))
    }

    /// The end of the line that `position` stands in, looking at most `bytes_max` bytes ahead.
    pub fn line_end(self, position: usize, bytes_max: usize) -> usize {
        self.skip_max(position, bytes_max, |b| b != b'\n')
    }

    /// The start of the line that `position` stands in, looking at most `bytes_max` bytes back.
    pub fn line_start(self, position: usize, bytes_max: usize) -> usize {
        self.skip_back_max(position, bytes_max, |b| b != b'\n')
    }
}

pub fn is_space(b: u8) -> bool {
    b == b' ' || b == b'\t'
}

pub fn is_blank(b: u8) -> bool {
    b.is_ascii_whitespace()
}

pub fn is_alnum(b: u8) -> bool {
    b.is_ascii_alphanumeric()
}

pub fn is_digit(b: u8) -> bool {
    b.is_ascii_digit()
}

pub fn is_hex(b: u8) -> bool {
    b.is_ascii_hexdigit()
}

pub fn is_upper_or_digit(b: u8) -> bool {
    b.is_ascii_uppercase() || b.is_ascii_digit()
}

/// Letters, digits and the two characters of URL-safe base64.
pub fn is_url_safe(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'-' || b == b'_'
}

pub fn is_base64(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=' | b'-' | b'_')
}

pub fn is_dotted(b: u8) -> bool {
    is_url_safe(b) || b == b'.'
}

/// Percent-encoded base64 too.
pub fn is_encoded(b: u8) -> bool {
    is_base64(b) || matches!(b, b'.' | b'~' | b'%')
}

/// The characters of the name of a setting, a field or a flag.
pub fn is_name(b: u8) -> bool {
    is_dotted(b)
}

pub fn is_quote(b: u8) -> bool {
    matches!(b, b'"' | b'\'' | b'`')
}
