//! Where a value without quotes ends: a password may hold any sign, so each one ends it only where a notation would.

use super::pair::Name;
use super::quote::Quote;
use super::text::{Text, is_alnum, is_blank, is_name, is_quote, is_space};
use super::wrap::is_border;

/// Longest value without quotes, bytes.
pub const BARE_BYTES_MAX: usize = 8 << 10;

/// Words of a recovery phrase: eight or more small ones.
pub fn phrase_end(text: Text<'_>, name: Name, start: usize) -> Option<usize> {
    const WORDS_MIN: usize = 8;
    let label = text.slice(name.start, name.end).to_ascii_lowercase();
    if !label.ends_with("mnemonic") && !label.ends_with("phrase") {
        return None;
    }
    // `passphrase: three words 41`: what ends the line with a number is no sentence.
    let line = text.skip_max(start, 80, |b| b.is_ascii_alphanumeric() || b == b' ' || b == b'-');
    let words = text.slice(start, line);
    let ends_with_number = words.rsplit(' ').next().is_some_and(|last| !last.is_empty() && last.bytes().all(|b| b.is_ascii_digit()));
    if label.ends_with("passphrase")
        && ends_with_number
        && (3..=7).contains(&words.split(' ').count())
        && matches!(text.at(line), b'\n' | b'\r' | 0)
    {
        return Some(line);
    }
    let end = text.skip_back(text.skip_max(start, 400, |b| b.is_ascii_lowercase() || b == b' '), is_space);
    (text.slice(start, end).split(' ').count() >= WORDS_MIN).then_some(end)
}

/// Does the mark close what was opened before the name, as in `prompt='Password: ', …`?
pub fn closes_before(text: Text<'_>, name: Name, quote: Quote) -> bool {
    let Quote::Char { mark, slashes: 0 } = quote else { return false };
    if Quote::at(text, name.end).is_some() {
        return false;
    }
    let line = text.line_start(name.start, 300);
    let mut open = false;
    let before = text.bytes().get(line..name.start).unwrap_or_default();
    for (offset, _) in before.iter().enumerate().filter(|(_, b)| **b == mark) {
        let position = line + offset;
        if text.before(position) == b'\\' {
            continue;
        }
        // An apostrophe within a word opens nothing.
        let in_word = is_alnum(text.before(position)) && is_alnum(text.at(position + 1));
        if !in_word && (open || !is_alnum(text.before(position))) {
            open = !open;
        }
    }
    text.spend(name.start - line);
    open
}

/// The end of a value without quotes.
pub fn bare_end(text: Text<'_>, name: Name, start: usize) -> usize {
    let lead = text.before(name.start);
    let in_query = matches!(lead, b'?' | b'&') || text.ends(name.start, "&amp;") || text.ends(name.start, "\\u0026");
    let encoded = text.ends(name.start, "%26")
        || text.ends(name.start, "%3F")
        || text.ends(name.start, "%3f")
        || text.starts(name.end, "%3D")
        || text.starts(name.end, "%3d");
    let in_list = matches!(lead, b';' | b',' | b'{');
    let tuple = lead == b'(' && text.at(name.end) == b',';
    let mut opened = 0;
    let limit = start + text.reach(BARE_BYTES_MAX);
    // `{a;b}` of ODBC: braces enclose a value with separators.
    if text.at(start) == b'{' && !matches!(text.at(start + 1), b'{' | b'"') {
        let close = text.skip_max(start, 200, |b| b != b'}' && b != b'\n' && b != b'"');
        // With a pair inside, these are braces of a list, unless more of a connection string follows.
        let is_list = text.slice(start, text.floor(close)).contains('=') && text.at(close + 1) != b';';
        if text.at(close) == b'}' && close > start + 1 && !is_list {
            return close + 1;
        }
    }
    if let Some(end) = template_end(text, start) {
        return end;
    }
    let mut position = start;
    while position < limit && position < text.len() {
        let b = text.at(position);
        let ends = match b {
            _ if is_blank(b) => true,
            b'&' => {
                in_query
                    || name_follows(text, position + 1)
                    || text.starts(position, "&amp;")
                    || text.starts(position, "&quot;")
                    || text.starts(position, "&lt;")
            }
            b'#' => in_query,
            b'%' => {
                encoded
                    && (text.starts(position, "%26")
                        && (name_follows(text, position + 3) || !is_alnum(text.at(position + 3)) && text.at(position + 3) != b'%')
                        || text.starts(position, "%22")
                        || text.starts(position, "%20")
                        || text.starts(position, "%3B"))
            }
            b';' => in_list || lead == b';' || ends_here(text, position + 1) || name_follows(text, position + 1),
            b',' => {
                tuple
                    || ends_here(text, position + 1)
                    || lead == b',' && name_follows(text, position + 1)
                    || name_follows(text, position + 1)
            }
            b'(' => {
                opened += 1;
                false
            }
            b')' if opened > 0 && !(tuple && ends_here(text, position + 1)) => {
                opened -= 1;
                false
            }
            b'}' | b']' if tuple => false,
            b')' | b'}' | b']' => {
                let after = text.skip_max(position, 8, |b| matches!(b, b')' | b'}' | b']'));
                ends_here(text, after) || lead == b'(' && text.at(after) == b'('
            }
            b'>' | b'|' => ends_here(text, position + 1),
            b'<' => text.at(position + 1) == b'/' || text.starts_anycase(position, "<br"),
            b'\\' => {
                matches!(text.at(position + 1), b'"' | b'\'' | b'\n' | b'n' | b'r' | b't')
                    || text.starts(position, "\\\\n")
                    || text.starts(position, "\\\\\"")
                    || text.starts(position, "\\u0026") && name_follows(text, position + 6)
                    || text.starts(position, "\\u0022")
                    || text.starts(position, "\\u003c")
            }
            b'"' | b'\'' | b'`' => ends_here(text, position + 1),
            0xe2 => is_border(text, position),
            _ => false,
        };
        if ends {
            break;
        }
        position += 1;
    }
    text.spend(position - start);
    // A sentence's punctuation is not part of it.
    if position - start > 1
        && (is_blank(text.at(position)) || position >= text.len())
        && matches!(text.before(position), b':' | b',' | b';')
    {
        position -= 1;
    }
    position
}

/// `{{ … }}`, `${ … }`, `$( … )`: to the closing sign, spaces and all.
fn template_end(text: Text<'_>, start: usize) -> Option<usize> {
    const BYTES_MAX: usize = 300;
    for (open, close) in [("{{", "}}"), ("${", "}"), ("$(", ")"), ("<%", "%>"), ("((", "))")] {
        if text.starts(start, open) {
            let end = text.line_end(start, BYTES_MAX);
            return (start + open.len()..end).find(|at| text.starts(*at, close)).map(|at| at + close.len());
        }
    }
    None
}

/// May a value without quotes end before `position`?
fn ends_here(text: Text<'_>, position: usize) -> bool {
    let b = text.at(position);
    position >= text.len()
        || b == b':' && (is_blank(text.at(position + 1)) || position + 1 >= text.len())
        || is_blank(b)
        || is_quote(b)
        || matches!(b, b',' | b';' | b')' | b'}' | b']' | b'>' | b'|' | b'<' | b'&')
        || b == b'\\' && matches!(text.at(position + 1), b'"' | b'n' | b'r' | b'\\')
        || is_border(text, position)
}

/// Does `name=` or `name:` start here?
fn name_follows(text: Text<'_>, position: usize) -> bool {
    let position = text.skip_max(position, 2, is_space);
    let position = position + Quote::at(text, position).map_or(0, Quote::len);
    let end = text.skip_max(position, 64, |b| is_name(b) || b == b' ');
    end > position
        && text.at(position).is_ascii_alphabetic()
        && (matches!(text.at(end), b'=' | b':')
            || Quote::at(text, end).is_some_and(|quote| matches!(text.at(end + quote.len()), b':' | b'='))
            || text.starts(end, "%3D"))
}
