//! The words of a name: `AZURE_CLIENT_SECRET` and `azureClientSecret` have the same three.

use super::pair::Name;
use super::text::{Text, is_alnum, is_name};

/// A name's words, small, each without its closing digits.
#[derive(Default)]
pub struct Words {
    letters: String,
    ends: Vec<usize>,
}

/// Words of a name that are looked at, from its end: more would only cost time.
const WORDS_MAX: usize = 12;
/// Longest name, bytes; of a longer one only the end counts.
pub const NAME_BYTES_MAX: usize = 160;

impl Words {
    /// Splits at signs and where a capital starts a word.
    pub fn of(&mut self, name: &str) {
        self.letters.clear();
        self.ends.clear();
        let bytes = name.as_bytes();
        let mut previous = 0;
        for (at, &b) in bytes.iter().enumerate() {
            if !b.is_ascii_alphanumeric() {
                self.close();
                previous = 0;
                continue;
            }
            let next_is_small = bytes.get(at + 1).is_some_and(u8::is_ascii_lowercase);
            let starts = b.is_ascii_uppercase() && (previous_is_small(previous) || previous.is_ascii_uppercase() && next_is_small);
            if starts {
                self.close();
            }
            self.letters.push(char::from(b.to_ascii_lowercase()));
            previous = b;
        }
        self.close();
    }

    fn close(&mut self) {
        let start = self.ends.last().copied().unwrap_or(0);
        let word = self.letters.get(start..).unwrap_or("");
        let bare = word.trim_end_matches(|c: char| c.is_ascii_digit()).len();
        if bare > 0 {
            self.letters.truncate(start + bare);
            self.ends.push(start + bare);
        } else {
            self.letters.truncate(start);
        }
    }

    /// The word `back` places from the end; 0 is the last.
    pub fn back(&self, back: usize) -> &str {
        if back >= WORDS_MAX {
            return "";
        }
        let Some(last) = self.ends.len().checked_sub(back + 1) else { return "" };
        let start = last.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        self.ends.get(last).and_then(|end| self.letters.get(start..*end)).unwrap_or("")
    }

    pub fn count(&self) -> usize {
        self.ends.len().min(WORDS_MAX)
    }

    pub fn any(&self, which: impl Fn(&str) -> bool) -> bool {
        (0..self.count()).any(|back| which(self.back(back)))
    }
}

fn previous_is_small(b: u8) -> bool {
    b.is_ascii_lowercase() || b.is_ascii_digit()
}

/// The whole name around a part of it.
pub fn name_around(text: Text<'_>, start: usize, end: usize, floor: usize) -> Name {
    let back = NAME_BYTES_MAX.min(start.saturating_sub(floor));
    let mut from = text.skip_back_max(start, back, is_name);
    let mut to = text.skip_max(end, NAME_BYTES_MAX, is_name);
    // `\npassword`: the letter belongs to the escape.
    if text.before(from) == b'\\' && matches!(text.at(from), b'n' | b't' | b'r') && from < start {
        from += 1;
    }
    if text.before(from) == b'\\' && text.at(from) == b'u' && from + 5 <= start {
        from += 5;
    }
    if text.before(from) == b'%' && from + 2 <= start {
        from += 2;
    }
    while from < start && !is_alnum(text.at(from)) && text.at(from) != b'_' {
        from += 1;
    }
    // `password........x`: dots that lead the eye.
    if let Some(at) = text.slice(end, to).find("..") {
        to = end + at;
    }
    while to > end && matches!(text.before(to), b'.' | b'-') {
        to -= 1;
    }
    Name { start: from, end: to }
}

/// The word that one space separates from the name, small.
pub fn word_before(text: Text<'_>, start: usize) -> String {
    const BYTES_MAX: usize = 24;
    if !matches!(text.before(start), b' ' | b'_' | b'-') {
        return String::new();
    }
    let from = text.skip_back_max(start - 1, BYTES_MAX, is_alnum);
    text.slice(from, start - 1).to_ascii_lowercase()
}
