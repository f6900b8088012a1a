//! Values that go on behind a line's end or in a further string.

use super::extent::BARE_BYTES_MAX;
use super::quote::{QUOTED_BYTES_MAX, Quote, ends_value};
use super::random::{Makeup, Pairs};
use super::text::{Text, is_blank, is_name, is_quote, is_space};
use super::value::{is_number, is_uuid};
use super::view::WIDTHS;
use super::wrap::{self, Break, Pieces};

/// Pieces that a broken value may have.
const PIECES_MAX: usize = 64;

/// Narrowest line that a terminal or a mail breaks, columns.
const WRAP_COLUMNS_MIN: usize = 60;

/// A closed string, and the strings that go on with it.
pub fn continued_string(text: Text<'_>, start: usize, close: usize) -> Pieces {
    let mut pieces = Pieces::one(start, close);
    let mut close = close;
    while pieces.0.len() < PIECES_MAX
        && let Some((next, Break::Said)) = wrap::next_piece(text, close)
        && is_quote(text.before(next))
        && let Some(quote) = Quote::before(text, next)
        && let Some(end) = quote.close(text, next)
        && !text.slice(next, end).contains(char::is_whitespace)
        && !matches!(text.at(text.skip_spaces(end + 1)), b':' | b'=')
    {
        pieces.0.push((next, end));
        close = end;
    }
    pieces
}

/// A string that its line does not close: up to the mark on one of the next lines, when only a broken token stands between.
pub fn open_string(text: Text<'_>, start: usize, quote: Quote) -> Option<Pieces> {
    let piece = |from: usize| text.skip_max(from, BARE_BYTES_MAX, |b| !is_blank(b) && b != b'|' && !is_quote(b) && b < 0x80 && b != b'\\');
    let mut pieces = Pieces::one(start, piece(start));
    while pieces.0.len() < PIECES_MAX
        && let Some((next, _)) = wrap::next_piece(text, pieces.end())
    {
        let end = piece(next);
        if end == next {
            break;
        }
        pieces.0.push((next, end));
        if Quote::at(text, end) == Some(quote) {
            return Some(pieces);
        }
    }
    // Nothing closes it: the log was cut off. What stands on its own line is the value.
    let end = pieces.0.first().map_or(start, |(_, end)| *end);
    (end > start && matches!(text.at(text.skip_spaces(end)), 0 | b'\n' | b'|' | 0xe2 | b'\r'))
        .then(|| Pieces::one(start, end))
        .or_else(|| (end > start).then(|| Pieces::one(start, end)))
}

/// A value without quotes that its line's end breaks.
pub fn continued_bare(text: Text<'_>, start: usize, end: usize, pairs: &Pairs) -> Pieces {
    let mut pieces = Pieces::one(start, end);
    while pieces.0.len() < PIECES_MAX
        && let Some((next, how)) = wrap::next_piece(text, pieces.end())
        && goes_on(text, &pieces, next, how, pairs)
    {
        let stop = text.skip_max(next, BARE_BYTES_MAX, |b| {
            !is_blank(b) && !is_quote(b) && !matches!(b, b',' | b';' | b'|' | b')' | b'}' | b'\\') && b < 0x80
        });
        if stop == next {
            break;
        }
        pieces.0.push((next, stop));
    }
    pieces
}

/// Is what starts at `next` the rest of the token? It fills its line alone, or ends where a value may end, and looks like more of it.
fn goes_on(text: Text<'_>, pieces: &Pieces, next: usize, how: Break, pairs: &Pairs) -> bool {
    let stop = text.skip_max(next, BARE_BYTES_MAX, |b| {
        !is_blank(b) && !is_quote(b) && !matches!(b, b',' | b';' | b'|' | b')' | b'}' | b'\\') && b < 0x80
    });
    let rest = text.slice(next, stop);
    let is_pair = rest.split_once(['=', ':']).is_some_and(|(name, value)| {
        !value.trim_matches('=').is_empty()
            && name.bytes().all(is_name)
            && name.split(['.', '_', '-']).all(|part| part.len() <= 24 && part.bytes().filter(u8::is_ascii_digit).count() <= 2)
    });
    if rest.is_empty() || is_pair || rest.contains(['(', '<', '[', '{']) {
        return false;
    }
    if how == Break::Said {
        let glued = text.at(pieces.end()) == b'\\' && text.before(next) == b'\n';
        return glued || !rest.starts_with('-') && !rest.starts_with('$');
    }
    let (start, end) = pieces.0.last().copied().unwrap_or_default();
    let columns = end - text.line_start(start, QUOTED_BYTES_MAX);
    let alone = matches!(text.at(text.skip_spaces(stop)), b'\n' | b'\r' | 0) || ends_value(text, stop) && !is_space(text.at(stop));
    let mixed = rest.bytes().any(|b| b.is_ascii_digit())
        || rest.bytes().any(|b| b.is_ascii_uppercase()) && rest.bytes().any(|b| b.is_ascii_lowercase());
    // A block of YAML: each line is a piece.
    let own_line = text.skip_spaces(text.line_start(start, QUOTED_BYTES_MAX)) == start;
    if alone && mixed && own_line && end - start >= 16 && rest.len() >= 8 {
        return true;
    }
    // A header that was folded, a narrow column: both halves are drawn at random, and the second is no hash or id of its own.
    let piece = Makeup::of(rest, pairs);
    let first = Makeup::of(text.slice(start, end), pairs);
    let is_other = is_uuid(rest) || piece.is_hex() && (!first.is_hex() || matches!(piece.length, 32 | 40 | 64)) || is_number(rest);
    let deeper = text.before(next) == b' ' || text.before(next) == b'\t';
    if alone
        && deeper
        && piece.length >= 12
        && first.length >= 12
        && piece.is_random()
        && first.is_random()
        && piece.digits > 0
        && !is_other
        && !rest.contains('.')
    {
        return true;
    }
    let enough = end - start >= 16 || WIDTHS.contains(&columns) && rest.len() >= 10;
    // Many short parts between slashes are a path.
    let slashes = rest.matches('/').count();
    if slashes >= 3 && rest.len() < 14 * (slashes + 1) {
        return false;
    }
    alone && mixed && columns >= WRAP_COLUMNS_MIN && enough && !rest.contains('/') | !rest.contains('.')
}
