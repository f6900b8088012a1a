//! A name and the values beside it, in whatever notation: what joins them ([`super::joint`]), where a value ends ([`super::extent`]), and
//! how it goes on over lines ([`super::pieces`]).

use super::extent::{BARE_BYTES_MAX, bare_end, closes_before, phrase_end};
use super::joint::{described_later, joint, quote_follows};
use super::pieces::{continued_bare, continued_string, open_string};
use super::quote::Quote;
use super::random::Pairs;
use super::text::{Text, is_alnum, is_blank, is_quote, is_space};
use super::wrap::Pieces;

/// Values in a list that are taken one by one.
const LIST_MAX: usize = 16;

/// What joins name and value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Joint {
    Equals,
    Colon,
    Arrow,
    /// `("password", "x")`
    Comma,
    /// `<password>x</password>`
    Markup,
    /// `| password | x |`
    Cell,
    /// `--password x`, `password x` in a netrc
    Flag,
    /// `spark.x.password x`
    Setting,
    /// `password is x`
    Said,
    Space,
}

#[derive(Clone, Debug)]
pub struct Value {
    pub pieces: Pieces,
    pub quoted: bool,
    pub joint: Joint,
    /// A call around it, as `get("x")` or `Some(x)`; empty where there is none.
    pub call: (usize, usize),
}

/// The name at `start..end` with what is around it.
#[derive(Clone, Copy, Debug)]
pub struct Name {
    pub start: usize,
    pub end: usize,
}

/// The values that the name announces.
pub fn values(text: Text<'_>, name: Name, pairs: &Pairs) -> Vec<Value> {
    let mut found = Vec::new();
    if changed(text, name, pairs, &mut found) {
        return found;
    }
    if let Some((joint, position)) = joint(text, name) {
        take(text, name, joint, position, pairs, &mut found);
        // `credentials: user / x`
        if let Some(last) = found.last().filter(|last| !last.quoted) {
            let slash = text.skip_spaces(last.pieces.end());
            if text.at(slash) == b'/' && text.at(slash + 1) == b' ' {
                take(text, name, Joint::Flag, slash + 2, pairs, &mut found);
            }
        }
        // `recovery codes: x, y`
        if text.before(name.end).eq_ignore_ascii_case(&b's') && !text.slice(name.start, name.end).to_ascii_lowercase().ends_with("ss") {
            more(text, name, joint, pairs, &mut found);
        }
        // `"old" -> "new"` of a plan: both are values.
        if let Some(last) = found.last() {
            let end = last.pieces.end();
            let after = text.skip_spaces(end + usize::from(is_quote(text.at(end))));
            if (text.starts(after, "->") || last.quoted && text.starts(after, "=>")) && !matches!(joint, Joint::Arrow) {
                take(text, name, Joint::Arrow, text.skip_spaces(after + 2), pairs, &mut found);
            }
        }
    }
    found
}

/// What stands behind the commas that follow a value without quotes.
fn more(text: Text<'_>, name: Name, joint: Joint, pairs: &Pairs, found: &mut Vec<Value>) {
    while found.len() < LIST_MAX
        && let Some(last) = found.last().filter(|last| !last.quoted)
    {
        let end = last.pieces.end();
        let before = found.len();
        if !text.starts(end, ", ") {
            return;
        }
        let at = text.skip_spaces(end + 2);
        let next = text.skip_max(at, 80, |b| !is_blank(b));
        if !text.slice(at, text.floor(next)).bytes().any(|b| b.is_ascii_digit()) {
            return;
        }
        take(text, name, joint, at, pairs, found);
        if found.len() == before {
            return;
        }
    }
}

/// `password changed from 'x' to 'y'`, `token rotated to y`.
fn changed(text: Text<'_>, name: Name, pairs: &Pairs, found: &mut Vec<Value>) -> bool {
    let mut at = text.skip_spaces(name.end);
    for auxiliary in ["has been ", "was ", "is ", "been "] {
        if text.starts_anycase(at, auxiliary) {
            at += auxiliary.len();
        }
    }
    // `rotated the password for svc_etl from 'x' to 'y'`
    let before = text.slice(text.floor(name.start.saturating_sub(24)), name.start).to_ascii_lowercase();
    let is_told = ["rotated ", "changed ", "updated ", "replaced "].iter().any(|verb| before.contains(verb));
    if text.starts_anycase(at, "for ") && is_told {
        at = text.skip_spaces(text.skip_max(at + "for ".len(), 60, |b| !is_blank(b)));
        return moved(text, name, at, pairs, found);
    }
    let verbs = ["changed ", "rotated ", "updated ", "replaced ", "reset ", "set ", "switched "];
    let Some(verb) = verbs.into_iter().find(|verb| text.starts_anycase(at, verb)) else { return false };
    moved(text, name, at + verb.len(), pairs, found)
}

/// `from 'x' to 'y'`
fn moved(text: Text<'_>, name: Name, mut at: usize, pairs: &Pairs, found: &mut Vec<Value>) -> bool {
    let before = found.len();
    for preposition in ["from ", "to ", "with ", "by "] {
        if text.starts_anycase(at, preposition) {
            take(text, name, Joint::Said, at + preposition.len(), pairs, found);
            let Some(last) = found.last().filter(|_| found.len() > before) else { return false };
            at = text.skip_spaces(last.pieces.end() + usize::from(last.quoted));
        }
    }
    found.len() > before
}

/// Reads the value or values at `position`.
fn take(text: Text<'_>, name: Name, joint: Joint, position: usize, pairs: &Pairs, found: &mut Vec<Value>) {
    let mut at = position;
    let mut call = (at, at);
    // Brackets of lists and objects, and calls around the value: `["x"]`, `Some(x)`, `SecretStr('x')`, `b'x'`.
    for _ in 0..4 {
        let b = text.at(at);
        let next = text.at(at + 1);
        if matches!(b, b'[' | b'(') || b == b'{' && (is_quote(next) || next == b'\\' || is_blank(next)) {
            let inner = text.skip(at + 1, is_blank);
            if !quote_follows(text, inner) {
                break;
            }
            if b != b'{' {
                list(text, name, joint, inner, pairs, found);
                return;
            }
            match described_later(text, inner) {
                Some(value) => at = value,
                None => return dictionary(text, name, joint, inner, pairs, found),
            }
            continue;
        }
        if matches!(b, b'b' | b'r' | b'u' | b'f' | b'N' | b'E') && is_quote(next) {
            at += 1;
            break;
        }
        let end = text.skip_max(at, 60, |b| is_alnum(b) || matches!(b, b'_' | b'.' | b':'));
        if end > at && text.at(end) == b'(' && text.at(at).is_ascii_alphabetic() {
            let inner = text.skip_spaces(end + 1);
            if quote_follows(text, inner)
                || matches!(text.slice(at, end), "Some" | "Success" | "Right" | "Just" | "Ok" | "Password" | "Secret")
            {
                call = (at, end);
                at = inner;
                continue;
            }
        }
        break;
    }
    // `password [x]`, `token <x>` in prose.
    if matches!(joint, Joint::Space | Joint::Said | Joint::Equals) && matches!(text.at(at), b'[' | b'<') && call.0 == call.1 {
        let close = if text.at(at) == b'[' { b']' } else { b'>' };
        let end = text.skip_max(at + 1, 200, |b| !is_blank(b) && b != b']' && b != b'>');
        let ends = matches!(text.at(end + 1), 0 | b',' | b'.' | b';' | b')') || is_blank(text.at(end + 1));
        if text.at(end) == close && ends && end > at + 1 && text.slice(at + 1, end).bytes().any(|b| b.is_ascii_digit() || is_sign(b)) {
            found.push(Value { pieces: Pieces::one(at + 1, end), quoted: false, joint, call });
            return;
        }
    }
    if let Some(value) = one(text, name, joint, at, call, pairs) {
        found.push(value);
    }
}

/// `password = four words of it`, between other settings, each on a line of its own.
fn is_line_of_settings(text: Text<'_>, name: Name, end: usize) -> bool {
    const WORDS_MAX: usize = 6;
    let label = text.slice(name.start, name.end).to_ascii_lowercase();
    let is_password = ["password", "passwd", "passphrase", "passwort", "pwd"].iter().any(|end| label.ends_with(end));
    let line = text.line_start(name.start, 80);
    if !is_password || text.at(end) != b' ' || text.skip_spaces(line) != name.start {
        return false;
    }
    let stop = text.line_end(end, 80);
    let rest = text.slice(end, text.floor(stop));
    let are_words = rest.split_whitespace().all(|word| word.len() >= 3 && word.bytes().all(|b| is_alnum(b) || is_sign(b)));
    let is_setting = |start: usize| {
        let start = text.skip_spaces(start);
        let to = text.skip_max(start, 60, |b| is_alnum(b) || matches!(b, b'_' | b'-' | b'.'));
        let sign = text.skip_spaces(to);
        to > start && matches!(text.at(sign), b'=' | b':') && is_space(text.at(sign + 1))
    };
    let above = line.checked_sub(1).map(|end| text.line_start(end, 200));
    let count = rest.split_whitespace().count();
    (1..WORDS_MAX).contains(&count) && are_words && (is_setting(stop + 1) || above.is_some_and(is_setting))
}

fn is_sign(b: u8) -> bool {
    matches!(b, b'!' | b'#' | b'$' | b'%' | b'&' | b'*' | b'+' | b'@' | b'^' | b'~')
}

/// `passwords = {'user': 'x', 'other': 'y'}`: each value.
fn dictionary(text: Text<'_>, name: Name, joint: Joint, mut position: usize, pairs: &Pairs, found: &mut Vec<Value>) {
    let plural = text.slice(name.start, name.end).to_ascii_lowercase();
    if !["passwords", "passwds", "tokens"].iter().any(|end| plural.ends_with(end)) {
        return;
    }
    for _ in 0..LIST_MAX {
        let Some(quote) = Quote::at(text, position) else { return };
        let Some(close) = quote.close(text, position + quote.len()) else { return };
        let colon = text.skip_spaces(close + quote.len());
        if text.at(colon) != b':' {
            return;
        }
        let at = text.skip_spaces(colon + 1);
        let Some(value) = one(text, name, joint, at, (at, at), pairs).filter(|value| value.quoted) else { return };
        let end = value.pieces.end();
        found.push(value);
        position = text.skip(end + Quote::at(text, end).map_or(1, Quote::len), |b| is_blank(b) || b == b',');
    }
}

/// Each quoted value of a list.
fn list(text: Text<'_>, name: Name, joint: Joint, mut position: usize, pairs: &Pairs, found: &mut Vec<Value>) {
    for _ in 0..LIST_MAX {
        let Some(value) = one(text, name, joint, position, (position, position), pairs).filter(|value| value.quoted) else { return };
        let end = value.pieces.end();
        found.push(value);
        let after = text.skip(end + Quote::at(text, end).map_or(1, Quote::len), is_blank);
        if text.at(after) != b',' {
            return;
        }
        position = text.skip(after + 1, is_blank);
        if !quote_follows(text, position) {
            return;
        }
    }
}

fn one(text: Text<'_>, name: Name, joint: Joint, at: usize, call: (usize, usize), pairs: &Pairs) -> Option<Value> {
    const CDATA: &str = "<![CDATA[";
    if text.starts(at, CDATA) {
        let start = at + CDATA.len();
        let end = text.find(start, BARE_BYTES_MAX, "]]>")?;
        return Some(Value { pieces: Pieces::one(start, end), quoted: true, joint, call });
    }
    if let Some(quote) = Quote::at(text, at) {
        if closes_before(text, name, quote) {
            return None;
        }
        let start = at + quote.len();
        let pieces = match quote.close(text, start) {
            Some(close) => continued_string(text, start, close),
            None => open_string(text, start, quote)?,
        };
        return Some(Value { pieces, quoted: true, joint, call });
    }
    if at >= text.len() || is_blank(text.at(at)) {
        return None;
    }
    let end = match joint {
        _ if phrase_end(text, name, at).is_some() => phrase_end(text, name, at).unwrap_or(at),
        Joint::Markup => {
            let end = text.skip_max(at, BARE_BYTES_MAX, |b| b != b'<' && b != b'\n');
            if !text.starts(text.skip(end, is_blank), "</") {
                return None;
            }
            end
        }
        Joint::Cell => text.skip_back(text.skip_max(at, BARE_BYTES_MAX, |b| b != b'|' && b != b'\n' && b != 0xe2), is_space),
        _ => bare_end(text, name, at),
    };
    let mut end = text.floor(end);
    if matches!(joint, Joint::Equals | Joint::Colon) && is_line_of_settings(text, name, end) {
        end = text.floor(text.skip_back(text.line_end(end, 80), |b| is_space(b) || b == b'\r'));
    }
    // The braces of ODBC are none of the value.
    let mut at = at;
    if text.at(at) == b'{' && text.before(end) == b'}' && text.at(end) == b';' && end > at + 2 {
        at += 1;
        end -= 1;
    }
    (end > at).then(|| Value { pieces: continued_bare(text, at, end, pairs), quoted: false, joint, call })
}
