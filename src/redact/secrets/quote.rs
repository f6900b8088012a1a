//! Quotation marks as they stand in logs: plain, escaped once or more often, doubled, or written as entities and percent codes.

use super::text::{Text, is_alnum, is_blank, is_quote};

/// Longest quoted value that is read, bytes. Keys and tokens are shorter; private keys are found by their own marks.
pub const QUOTED_BYTES_MAX: usize = 8 << 10;
/// Deepest escaping that is followed: `\\\\\\\"` is JSON in JSON in JSON.
const SLASHES_MAX: usize = 15;
/// Quotation marks written out.
const WRITTEN: &[&str] = &["&quot;", "&#34;", "&apos;", "&#39;", "&#x27;", "%22", "%27", "\\u0022", "\\u0027"];

/// A quotation mark that opens or closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quote {
    /// A character and the backslashes before it.
    Char {
        mark: u8,
        slashes: usize,
    },
    /// Doubled, as in CSV, or three of it.
    Times {
        mark: u8,
        count: usize,
    },
    Written(&'static str),
}

impl Quote {
    pub fn len(self) -> usize {
        match self {
            Self::Char { slashes, .. } => slashes + 1,
            Self::Times { count, .. } => count,
            Self::Written(words) => words.len(),
        }
    }

    /// The mark that starts at `position`.
    pub fn at(text: Text<'_>, position: usize) -> Option<Self> {
        let b = text.at(position);
        if b == b'&' || b == b'%' || b == b'\\' && text.at(position + 1) == b'u' {
            return WRITTEN.iter().copied().find(|words| text.starts_anycase(position, words)).map(Self::Written);
        }
        let end = text.skip_max(position, SLASHES_MAX, |b| b == b'\\');
        let mark = text.at(end);
        if !is_quote(mark) {
            return None;
        }
        if end == position && text.at(position + 1) == mark {
            if text.at(position + 2) == mark {
                return Some(Self::Times { mark, count: 3 });
            }
            if text.at(position + 2) != mark && is_alnum(text.at(position + 2)) {
                return Some(Self::Times { mark, count: 2 });
            }
        }
        Some(Self::Char { mark, slashes: end - position })
    }

    /// The mark that ends just before `position`, as far as it can be told from behind.
    pub fn before(text: Text<'_>, position: usize) -> Option<Self> {
        if let Some(words) = WRITTEN.iter().copied().find(|words| text.ends(position, words)) {
            return Some(Self::Written(words));
        }
        let mark = text.before(position);
        if !is_quote(mark) {
            return None;
        }
        let start = text.skip_back_max(position - 1, SLASHES_MAX, |b| b == b'\\');
        Some(Self::Char { mark, slashes: position - 1 - start })
    }

    /// Where the value that starts at `start` is closed by this mark, on the same line; the position of the closing mark.
    pub fn close(self, text: Text<'_>, start: usize) -> Option<usize> {
        let end = text.line_end(start, QUOTED_BYTES_MAX);
        match self {
            Self::Written(words) => text.find(start, end - start, words),
            Self::Times { mark, count } => {
                (start..end).find(|position| text.at(*position) == mark && (1..count).all(|more| text.at(position + more) == mark))
            }
            Self::Char { mark, slashes } => close_char(text, start, end, mark, slashes),
        }
    }
}

fn close_char(text: Text<'_>, start: usize, end: usize, mark: u8, slashes: usize) -> Option<usize> {
    text.spend(end - start);
    let mut position = start;
    while position < end {
        let run = text.skip_max(position, SLASHES_MAX + 1, |b| b == b'\\') - position;
        if text.at(position + run) != mark {
            position += run.max(1);
            continue;
        }
        let here = position + run;
        if !closes(run, slashes) {
            position = here + 1;
            continue;
        }
        let close = here - slashes.min(run);
        let after = here + 1;
        // `'it'\''s'` in a shell, `'it''s'` in SQL: the value goes on.
        if mark == b'\'' && text.starts(after, "\\''") {
            position = after + 3;
        } else if mark == b'\'' && text.starts(after, "\"'\"'") {
            position = after + 4;
        } else if slashes == 0 && here > start && text.at(after) == mark && !ends_value(text, after + 1) {
            position = after + 1;
        } else if slashes == 0 && !ends_value(text, after) {
            match later_close(text, after, end, mark) {
                Some(later) => return Some(later),
                None => return Some(close),
            }
        } else {
            return Some(close);
        }
    }
    None
}

/// A mark within the value that nobody escaped: the value goes on to a later mark, when only its own characters stand between.
fn later_close(text: Text<'_>, after: usize, end: usize, mark: u8) -> Option<usize> {
    const BYTES_MAX: usize = 64;
    let later = text.skip_max(after, BYTES_MAX.min(end.saturating_sub(after)), |b| {
        !is_blank(b) && !is_quote(b) && !matches!(b, b',' | b'=' | b':' | b';' | b'{' | b'}' | b'(' | b')' | b'+')
    });
    (later > after && text.at(later) == mark && ends_value(text, later + 1)).then_some(later)
}

/// May a value end before `position`?
pub fn ends_value(text: Text<'_>, position: usize) -> bool {
    let b = text.at(position);
    position >= text.len()
        || is_blank(b)
        || is_quote(b)
        || matches!(
            b,
            b',' | b';'
                | b')'
                | b'}'
                | b']'
                | b':'
                | b'>'
                | b'<'
                | b'&'
                | b'|'
                | b'+'
                | b'\\'
                | b'.'
                | b'='
                | b'/'
                | b'('
                | b'#'
                | b'%'
                | b'-'
        )
        || b >= 0x80
}

/// Does a mark with `run` backslashes before it close what was opened with `slashes`? Each level of escaping doubles them and adds one; a
/// value may itself end in backslashes.
fn closes(run: usize, slashes: usize) -> bool {
    if (slashes + 1).is_power_of_two() { run % (2 * (slashes + 1)) == slashes } else { run == slashes }
}

#[cfg(test)]
mod tests {
    use super::super::text::Work;
    use super::*;

    #[test]
    fn a_value_ends_where_its_own_mark_closes() {
        for (text, want) in [
            (r#""plain" x"#, "plain"),
            (r#"'a\'b', x"#, r"a\'b"),
            (r#"\"once\", x"#, "once"),
            (r#"\"a\\\"b\", x"#, r#"a\\\"b"#),
            (r#""ends\\" x"#, r"ends\\"),
            ("'it''s' x", "it''s"),
            (r"'it'\''s' x", r"it'\''s"),
            (r#""raw"inside" x"#, r#"raw"inside"#),
            ("&quot;web&quot; x", "web"),
            ("%22web%22%2C", "web"),
            (r#"""csv"",x"#, "csv"),
        ] {
            let work = Work::default();
            let text = Text::new(text, &work);
            let quote = Quote::at(text, 0).unwrap();
            let close = quote.close(text, quote.len()).unwrap();
            assert_eq!(text.slice(quote.len(), close), want);
        }
    }
}
