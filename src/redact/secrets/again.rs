//! The same secret a second time: without its label, percent-encoded, escaped, or as part of something longer.

use std::collections::HashSet;

use aho_corasick::{AhoCorasick, MatchKind};

use super::found::Found;
use super::random::{Makeup, Pairs};
use super::text::{Text, is_alnum};
use super::value::{is_number, is_word};

/// Secrets that are looked for again in one text, and the longest of them, bytes: an automaton's size stays small.
const SECRETS_MAX: usize = 2000;
const SECRET_BYTES_MAX: usize = 2 << 10;

/// The search for what was found once.
pub struct Again<'f> {
    search: AhoCorasick,
    /// Pattern -> the secret, and whether it is told from other letters around it.
    patterns: Vec<(&'f Found, bool)>,
}

impl<'f> Again<'f> {
    pub fn of(found: &[&'f Found], pairs: &Pairs) -> Option<Self> {
        let mut words: Vec<String> = Vec::new();
        let mut patterns = Vec::new();
        let mut seen = HashSet::new();
        for secret in found.iter().filter(|secret| is_recognisable(&secret.words, pairs)) {
            if seen.len() >= SECRETS_MAX || !seen.insert(secret.words.as_str()) {
                continue;
            }
            for form in forms(&secret.words) {
                patterns.push((*secret, is_strong(&form, pairs)));
                words.push(form);
            }
        }
        if words.is_empty() {
            return None;
        }
        let search = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&words).ok()?;
        Some(Self { search, patterns })
    }

    /// Adds every place of a known secret.
    pub fn find(&self, text: Text<'_>, all: &mut Vec<Found>) {
        for hit in self.search.find_iter(text.bytes()) {
            let Some((secret, is_strong)) = self.patterns.get(hit.pattern().as_usize()) else { continue };
            let stands_alone = !is_alnum(text.before(hit.start())) && !is_alnum(text.at(hit.end()));
            let escaped =
                text.ends(hit.start(), "\\n") || text.ends(hit.start(), "\\t") || hit.start() >= 3 && text.at(hit.start() - 3) == b'%';
            if stands_alone || escaped || *is_strong {
                all.push(Found { start: hit.start(), end: hit.end(), kind: secret.kind, words: secret.words.clone() });
            }
        }
    }
}

/// No word or number that stands in any text.
fn is_recognisable(words: &str, pairs: &Pairs) -> bool {
    let makeup = Makeup::of(words, pairs);
    let is_common = is_word(words) && makeup.length < 12 || is_number(words) && makeup.length < 8;
    makeup.length >= 6 && makeup.length <= SECRET_BYTES_MAX && !is_common
}

/// Long and mixed enough to be itself even within other letters.
fn is_strong(words: &str, pairs: &Pairs) -> bool {
    let makeup = Makeup::of(words, pairs);
    makeup.length >= 10 && makeup.kinds() >= 2
}

/// The secret as it is, and as URLs, JSON and markup write it.
fn forms(words: &str) -> Vec<String> {
    let mut forms = vec![words.to_owned()];
    let plain = unescaped(words);
    let candidates = [percent(&plain), percent(&plain).to_ascii_lowercase(), plain.replace('&', "&amp;"), json(&plain), plain];
    for form in candidates {
        if form.len() >= 6 && !forms.contains(&form) {
            forms.push(form);
        }
    }
    forms
}

fn percent(words: &str) -> String {
    let mut encoded = String::with_capacity(words.len() + 8);
    for b in words.bytes() {
        if is_alnum(b) || matches!(b, b'-' | b'_' | b'.' | b'~') {
            encoded.push(char::from(b));
        } else {
            encoded.push_str(&format!("%{b:02X}"));
        }
    }
    encoded
}

fn json(words: &str) -> String {
    words.replace('\\', "\\\\").replace('"', "\\\"")
}

/// The secret behind escapes and percent codes.
fn unescaped(words: &str) -> String {
    let mut bytes = Vec::with_capacity(words.len());
    let mut rest = words.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        match (first, tail) {
            (b'%', [a, b, ..]) if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() => {
                let digits = String::from_utf8_lossy(tail.get(..2).unwrap_or_default()).into_owned();
                bytes.push(u8::from_str_radix(&digits, 16).unwrap_or(b'%'));
                rest = tail.get(2..).unwrap_or_default();
            }
            (b'\\', [b'\\' | b'"' | b'\'', ..]) => {
                bytes.extend(tail.first());
                rest = tail.get(1..).unwrap_or_default();
            }
            _ => bytes.push(first),
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| words.to_owned())
}
