//! Tokens that are broken over lines: by a terminal's width, a table's border, a string's continuation or a shell's backslash.

use super::text::{Text, is_quote, is_space};

/// How a break looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Break {
    /// A backslash, a `+`, a closed and reopened string: somebody says that it goes on.
    Said,
    /// The line just ends.
    Silent,
}

/// What stands between the cells of a table.
const BARS: [char; 4] = ['|', '│', '┃', '║'];
/// Longest indentation, with its borders, of a line that goes on, bytes.
const INDENT_BYTES_MAX: usize = 120;

/// If the token that ends at `end` may go on behind a break: where, and how the break looks.
pub fn next_piece(text: Text<'_>, end: usize) -> Option<(usize, Break)> {
    let mut position = end;
    let mut said = false;
    let quote = text.at(position);
    if is_quote(quote) {
        position += 1;
        said = true;
    }
    position = skip_edge(text, position);
    let mut signs = false;
    while matches!(text.at(position), b'+' | b'\\' | b'=' | b'.' | b'&') {
        let b = text.at(position);
        // `=` is a soft break of a mail only right at the line's end; `.` and `&` join strings in PHP and Basic.
        if b == b'\\' && matches!(text.at(position + 1), b'n' | b'r' | b'"' | b'\'' | b't' | b'u')
            || b == b'=' && text.at(position + 1) != b'\n'
            || matches!(b, b'.' | b'&') && !said
        {
            break;
        }
        position = skip_edge(text, position + 1);
        signs = true;
    }
    if text.at(position) == b'\r' {
        position += 1;
    }
    let newline = text.at(position) == b'\n';
    if newline {
        let line = position + 1;
        let borders_before = text.slice(text.floor(end), position).contains(BARS);
        position = skip_edge(text, line);
        // An empty cell: the row goes on.
        signs |= borders_before && text.slice(line, text.floor(position)).matches(BARS).count() >= 2;
        if signs && text.at(position) == b'+' {
            position = skip_edge(text, position + 1);
        }
    }
    if said {
        // A string that closed must open again, with a line's end or a sign between.
        if !(newline || signs) || !is_quote(text.at(position)) {
            return None;
        }
        position += 1;
    } else if !newline {
        return None;
    }
    (position < text.len()).then_some((position, if said || signs { Break::Said } else { Break::Silent }))
}

/// Spaces and borders of tables: `|`, `│`, `>` and their like.
fn skip_edge(text: Text<'_>, start: usize) -> usize {
    let mut position = start;
    while position - start < INDENT_BYTES_MAX {
        if is_space(text.at(position)) || text.at(position) == b'|' {
            position += 1;
        } else if is_border(text, position) {
            position += 3;
        } else {
            break;
        }
    }
    position
}

/// A box-drawing character (U+2500 to U+257F) at `position`.
pub fn is_border(text: Text<'_>, position: usize) -> bool {
    text.at(position) == 0xe2 && matches!(text.at(position + 1), 0x94 | 0x95)
}

/// The token without its breaks, for comparing and finding it again: each of `pieces` in turn.
#[derive(Clone, Debug, Default)]
pub struct Pieces(pub Vec<(usize, usize)>);

impl Pieces {
    pub fn one(start: usize, end: usize) -> Self {
        Self(vec![(start, end)])
    }

    pub fn end(&self) -> usize {
        self.0.last().map_or(0, |(_, end)| *end)
    }

    pub fn words(&self, text: Text<'_>) -> String {
        let words: String = self.0.iter().map(|(start, end)| text.slice(*start, *end)).collect();
        text.spend(4 * words.len());
        words
    }
}
