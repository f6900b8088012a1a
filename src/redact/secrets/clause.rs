//! Clauses that carry a secret behind their own words: authorization headers, SQL's `IDENTIFIED BY`.

use super::found::Found;
use super::quote::Quote;
use super::random::{Makeup, Pairs};
use super::structure::credential;
use super::text::{Text, is_alnum, is_name};
use super::value::{is_masked, is_reference};

/// `Authorization: Scheme credential`: whatever the scheme is called.
pub fn authorization(text: Text<'_>, end: usize, pairs: &Pairs) -> Option<Found> {
    let mut position =
        text.skip_max(end, 12, |b| matches!(b, b'"' | b'\'' | b'\\' | b':' | b'=' | b' ' | b'`' | b'[' | b'(' | b',' | b'>'));
    if text.starts(position, "%3A") || text.starts(position, "%20") {
        position += 3;
    }
    if position == end {
        return None;
    }
    let word_end = text.skip_max(position, 40, |b| is_alnum(b) || matches!(b, b'-' | b'_'));
    let spaced = matches!(text.at(word_end), b' ' | b'+' | b'%') && word_end > position && word_end - position <= 28;
    if spaced { credential(text, position, word_end, true, pairs).or_else(|| parameter(text, word_end, pairs)) } else { None }
}

/// `Digest username="x", response="…"`, `OAuth oauth_signature="…"`: the parameter that is drawn at random and proves something.
fn parameter(text: Text<'_>, start: usize, pairs: &Pairs) -> Option<Found> {
    const PARAMETERS_MAX: usize = 12;
    let mut position = text.skip_spaces(start);
    for _ in 0..PARAMETERS_MAX {
        let name_end = text.skip_max(position, 40, is_name);
        let name = text.slice(position, name_end).to_ascii_lowercase();
        if text.at(name_end) != b'=' || name.is_empty() {
            return None;
        }
        let quote = Quote::at(text, name_end + 1);
        let from = name_end + 1 + quote.map_or(0, Quote::len);
        let to = match quote {
            Some(quote) => quote.close(text, from)?,
            None => text.skip_max(from, 4096, |b| !b.is_ascii_whitespace() && b != b',' && b != b'"' && b != b'\''),
        };
        let words = text.slice(from, to);
        let proves = ["response", "signature", "token", "key", "mac"].iter().any(|end| name.ends_with(end));
        if proves && Makeup::of(words, pairs).is_random() && words.len() >= 16 {
            return Some(Found { start: from, end: to, kind: "signature", words: words.to_owned() });
        }
        position = text.skip_max(to + quote.map_or(0, Quote::len), 3, |b| b == b',' || b == b' ');
    }
    None
}

/// SQL's `IDENTIFIED BY 'x'`, `IDENTIFIED WITH method BY 'x'`, `IDENTIFIED BY PASSWORD 'x'`, `IDENTIFIED BY x`.
pub fn identified(text: Text<'_>, start: usize, end: usize) -> Option<Found> {
    let line = text.slice(text.floor(text.line_start(start, 400)), start).to_ascii_lowercase();
    if !["user", "login", "grant", "alter", "create", "role"].iter().any(|word| line.contains(word)) {
        return None;
    }
    let mut position = text.skip_spaces(end);
    for _ in 0..4 {
        if let Some(quote) = Quote::at(text, position) {
            let start = position + quote.len();
            let close = quote.close(text, start)?;
            let words = text.slice(start, close);
            let is_method = text.starts_anycase(text.skip_spaces(close + quote.len()), "by ")
                || text.starts_anycase(text.skip_spaces(close + quote.len()), "as ");
            if !is_method {
                let is_none = is_masked(words) || is_reference(words) || words.is_empty();
                return (!is_none).then(|| Found { start, end: close, kind: "password", words: words.to_owned() });
            }
            position = text.skip_spaces(close + quote.len());
        }
        let stop = text.skip_max(position, 200, |b| !b.is_ascii_whitespace() && b != b';' && b != b'\'' && b != b'"');
        let word = text.slice(position, stop);
        const KEYWORDS: &str =
            "by as using password values hash globally externally mysql_native_password caching_sha2_password sha256_password";
        let is_keyword = KEYWORDS.split(' ').any(|keyword| word.eq_ignore_ascii_case(keyword));
        if !is_keyword {
            let is_none = word.len() < 4 || is_masked(word) || is_reference(word);
            return (!is_none).then(|| Found { start: position, end: stop, kind: "password", words: word.to_owned() });
        }
        position = text.skip_spaces(stop);
    }
    None
}
