//! Reads bytes of a text without ever stepping outside, and the classes of characters that secrets are made of.

/// A text to look into. Positions past its end read as 0, ranges past it as empty.
#[derive(Clone, Copy)]
pub struct Text<'t> {
    words: &'t str,
    bytes: &'t [u8],
}

impl<'t> Text<'t> {
    pub fn new(words: &'t str) -> Self {
        Self { words, bytes: words.as_bytes() }
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
        self.bytes.get(position..position + what.len()).is_some_and(|part| part.eq_ignore_ascii_case(what.as_bytes()))
    }

    /// Does `what` end just before `position`?
    pub fn ends(self, position: usize, what: &str) -> bool {
        position.checked_sub(what.len()).is_some_and(|start| self.starts(start, what))
    }

    pub fn skip(self, mut position: usize, of: fn(u8) -> bool) -> usize {
        while position < self.bytes.len() && of(self.at(position)) {
            position += 1;
        }
        position
    }

    /// As [`Text::skip`], for at most `bytes_max` bytes.
    pub fn skip_max(self, start: usize, bytes_max: usize, of: fn(u8) -> bool) -> usize {
        let mut position = start;
        while position < self.bytes.len() && position - start < bytes_max && of(self.at(position)) {
            position += 1;
        }
        position
    }

    pub fn skip_back(self, mut position: usize, of: fn(u8) -> bool) -> usize {
        while position > 0 && of(self.before(position)) {
            position -= 1;
        }
        position
    }

    pub fn skip_back_max(self, start: usize, bytes_max: usize, of: fn(u8) -> bool) -> usize {
        let mut position = start;
        while position > 0 && start - position < bytes_max && of(self.before(position)) {
            position -= 1;
        }
        position
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
