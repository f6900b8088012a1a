//! The same secret a second time: without its label, percent-encoded, escaped, or as part of something longer.

use std::cell::OnceCell;
use std::collections::HashSet;

use aho_corasick::{AhoCorasick, MatchKind};

use super::found::Found;
use super::random::{Makeup, Pairs};
use super::text::{Text, is_alnum};
use super::value::{is_class_name, is_number, is_word, looks_chosen};

/// Secrets that are looked for again in one text, and the longest of them, bytes: an automaton's size stays small.
const SECRETS_MAX: usize = 2000;
const SECRET_BYTES_MAX: usize = 2 << 10;

/// Comparisons, bytes of text times forms, up to which each form is looked for by itself: an automaton costs more to build.
const BY_ITSELF_MAX: usize = 1 << 20;

/// The search for what was found once.
pub struct Again<'f> {
    forms: Vec<Form<'f>>,
    /// Built when a text is long.
    search: OnceCell<Option<AhoCorasick>>,
}

struct Form<'f> {
    words: String,
    secret: &'f Found,
    /// Told from other letters around it.
    is_strong: bool,
}

impl<'f> Again<'f> {
    pub fn of(found: &[&'f Found], pairs: &Pairs) -> Self {
        let mut all = Vec::new();
        let mut seen = HashSet::new();
        for secret in found.iter().filter(|secret| is_recognisable(&secret.words, pairs)) {
            if seen.len() < SECRETS_MAX && seen.insert(secret.words.as_str()) {
                all.extend(forms(&secret.words).into_iter().map(|words| Form { is_strong: is_strong(&words, pairs), words, secret }));
            }
        }
        Self { forms: all, search: OnceCell::new() }
    }

    /// Adds every place of a known secret.
    pub fn find(&self, text: Text<'_>, all: &mut Vec<Found>) {
        if text.len().saturating_mul(self.forms.len()) <= BY_ITSELF_MAX {
            for form in &self.forms {
                for (start, _) in text.slice(0, text.len()).match_indices(&form.words) {
                    all.extend(place(text, form, start));
                }
            }
            return;
        }
        let words = || self.forms.iter().map(|form| &form.words);
        let search = self.search.get_or_init(|| AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(words()).ok());
        for hit in search.iter().flat_map(|search| search.find_iter(text.bytes())) {
            if let Some(form) = self.forms.get(hit.pattern().as_usize()) {
                all.extend(place(text, form, hit.start()));
            }
        }
    }
}

fn place(text: Text<'_>, form: &Form<'_>, start: usize) -> Option<Found> {
    let end = start + form.words.len();
    let stands_alone = !is_alnum(text.before(start)) && !is_alnum(text.at(end));
    let escaped = text.ends(start, "\\n") || text.ends(start, "\\t") || start >= 3 && text.at(start - 3) == b'%';
    (stands_alone || escaped || form.is_strong).then(|| Found { start, end, kind: form.secret.kind, words: form.secret.words.clone() })
}

/// No word or number that stands in any text.
fn is_recognisable(words: &str, pairs: &Pairs) -> bool {
    let makeup = Makeup::of(words, pairs);
    let is_telling = looks_chosen(words, pairs) || makeup.is_random() || makeup.kinds() >= 3 || makeup.length >= 16;
    let is_common = is_number(words) && makeup.length < 8 || is_word(words) && makeup.length < 16 && !makeup.is_random();
    let is_code = words.contains("::") || words.ends_with(['(', '[']) || words.starts_with("HTTP/") || is_class_name(words);
    makeup.length >= 6 && makeup.length <= SECRET_BYTES_MAX && is_telling && !is_common && !is_code
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
