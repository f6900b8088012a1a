//! Takes secrets out of a text. Pure.
//!
//! Shapes alone find half of them: a password has no shape. So each name that announces a secret is read with the value beside it, in
//! whatever notation; marks of issuers, structure and chance find what has no label; and what was found once is found again everywhere
//! in the text. What only looks like a secret (ids, hashes, paths, references to a secret store, what is masked already) stays.
//!
//! Guarantees: no panic, time linear in the text's length, no secret in what is returned other than by name; redacting twice is redacting
//! once. Start at [`Redactor`].

mod again;
mod call;
mod clause;
mod column;
mod command;
mod extent;
mod found;
mod joint;
mod judge;
mod label;
mod lone;
mod name;
mod pair;
mod personal;
mod pieces;
mod place;
mod quote;
mod random;
mod shape;
mod spaced;
mod structure;
mod text;
mod value;
mod view;
mod wrap;

use std::collections::BTreeMap;

use aho_corasick::{AhoCorasick, MatchKind};

use again::Again;
use found::{Counts, Found, Numbers, merged};
use label::{Labels, Weight};
use name::{NAME_BYTES_MAX, Words};
use pair::{Joint, Name, Value};
use random::Pairs;
use shape::Shapes;
use text::{Text, Work, is_alnum, is_name};
use view::View;
use wrap::Pieces;

/// Rounds of looking until nothing more is found: a replaced secret may uncover the bounds of another.
const ROUNDS_MAX: usize = 6;

/// Whether a kind of personal data is taken out too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Personal {
    #[default]
    Keep,
    Redact,
}

/// What is taken out besides secrets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    pub emails: Personal,
    pub addresses: Personal,
}

/// A text without its secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redacted {
    pub text: String,
    /// How many places of each kind were replaced.
    pub found: BTreeMap<String, usize>,
}

/// Everything that is looked for, compiled once; cheap to share.
pub struct Redactor {
    options: Options,
    pairs: Pairs,
    labels: Labels,
    shapes: Option<Shapes>,
    stems: Option<AhoCorasick>,
    marks: Option<AhoCorasick>,
    programs: Option<AhoCorasick>,
    calls: Option<AhoCorasick>,
    places: Option<AhoCorasick>,
}

/// Signs of structure; the order is that of `Mark`.
const MARKS: [&str; 17] = [
    "eyJ",
    "PRIVATE KEY",
    "://",
    "%3A%2F%2F",
    "bearer",
    "basic",
    "authorization",
    "cookie",
    "@",
    "%3a%2f%2f",
    "SharedAccessSignature",
    "GenieKey",
    "ApiKey",
    "Splunk ",
    "identified by",
    "identified with",
    "Private-Lines: ",
];

impl Default for Redactor {
    fn default() -> Self {
        Self::new(Options::default())
    }
}

impl Redactor {
    pub fn new(options: Options) -> Self {
        let anycase =
            |words: &[String]| AhoCorasick::builder().ascii_case_insensitive(true).match_kind(MatchKind::LeftmostLongest).build(words).ok();
        let programs = command::programs();
        Self {
            options,
            pairs: Pairs::new(),
            labels: Labels::new(),
            shapes: Shapes::new().ok(),
            stems: anycase(&label::stems()),
            marks: anycase(&MARKS.map(str::to_owned)),
            programs: AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(programs).ok(),
            calls: AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(call::words()).ok(),
            places: AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(place::MARKS).ok(),
        }
    }

    /// The text with a numbered placeholder, as `‹password-1›`, for each secret.
    pub fn redact(&self, text: &str) -> Redacted {
        let (texts, found) = self.redact_all(&[text]);
        Redacted { text: texts.into_iter().next().unwrap_or_default(), found }
    }

    /// As [`Redactor::redact`], for texts that belong together: a secret that one of them gives away is found in all, and has the same
    /// placeholder in all.
    pub fn redact_all(&self, texts: &[&str]) -> (Vec<String>, BTreeMap<String, usize>) {
        let mut counts = Counts::new();
        let mut numbers = Numbers::after(texts);
        let mut current: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        for _ in 0..ROUNDS_MAX {
            match self.round(&current, &mut numbers, &mut counts) {
                Some(next) => current = next,
                None => break,
            }
        }
        (current, counts)
    }

    /// One look at all texts; `None` when they hold no secret.
    fn round(&self, originals: &[String], numbers: &mut Numbers, counts: &mut Counts) -> Option<Vec<String>> {
        let views: Vec<View<'_>> = originals.iter().map(|original| View::new(original)).collect();
        let found: Vec<Vec<Found>> = views.iter().map(|view| self.look_twice(view)).collect();
        let known: Vec<&Found> = found.iter().flatten().collect();
        if known.is_empty() {
            return None;
        }
        let again = Again::of(&known, &self.pairs);
        let mut next = Vec::with_capacity(originals.len());
        for ((original, view), mut secrets) in originals.iter().zip(&views).zip(found.clone()) {
            let work = Work::default();
            let text = Text::new(&view.words, &work);
            again.find(text, &mut secrets);
            next.push(replaced(original, view, text, unmasked(text, merged(secrets)), numbers, counts));
        }
        (next != originals).then_some(next)
    }

    /// Every secret that the text itself gives away, also where a terminal's width broke it.
    fn look_twice(&self, view: &View<'_>) -> Vec<Found> {
        let work = Work::default();
        let text = Text::new(&view.words, &work);
        let mut all = self.look(text);
        lone::find(text, &self.pairs, &mut all);
        all = unmasked(text, merged(all));
        if let Some(whole) = view.unwrapped() {
            let back = |found: Found| Found { start: whole.start(found.start), end: whole.end(found.end), ..found };
            let more = self.look(Text::new(&whole.words, &Work::default()));
            // What was found without it is as long as it should be.
            let known = all.clone();
            let is_new = |found: &Found| !known.iter().any(|known| known.start < found.end && found.start < known.end);
            all.extend(more.into_iter().filter(|found| whole.is_broken(found.start, found.end)).map(back).filter(is_new));
            all = unmasked(text, merged(all));
        }
        all
    }

    /// Every secret that the text itself gives away.
    fn look(&self, text: Text<'_>) -> Vec<Found> {
        let mut all = Vec::new();
        self.structures(text, &mut all);
        if let Some(shapes) = &self.shapes {
            let first = all.len();
            shapes.find(text, &self.pairs, &mut all);
            let ids: Vec<(usize, usize)> =
                all.iter().skip(first).filter(|found| found.kind == "aws-key").map(|found| (found.start, found.end)).collect();
            for (start, end) in ids {
                structure::aws_secret(text, start, end, &self.pairs, &mut all);
            }
        }
        self.commands(text, &mut all);
        for hit in self.calls.iter().flat_map(|calls| calls.find_iter(text.bytes())) {
            all.extend(call::find(text, hit.start(), hit.end(), &self.pairs));
        }
        for hit in self.places.iter().flat_map(|places| places.find_iter(text.bytes())) {
            let mark = place::MARKS.get(hit.pattern().as_usize()).copied().unwrap_or("");
            if mark.contains("kty") {
                place::web_key(text, hit.start(), &mut all);
            }
            all.extend(place::find(text, mark, hit.start(), hit.end(), &self.pairs));
        }
        self.pairs_of_names(text, &mut all);
        if self.options.emails == Personal::Redact {
            personal::emails(text, &mut all);
        }
        if self.options.addresses == Personal::Redact {
            personal::addresses(text, &mut all);
        }
        all
    }

    fn structures(&self, text: Text<'_>, all: &mut Vec<Found>) {
        let Some(marks) = &self.marks else { return };
        let mut done = 0;
        for hit in marks.find_iter(text.bytes()) {
            if hit.start() < done {
                continue;
            }
            let (start, end) = (hit.start(), hit.end());
            let found = match MARKS.get(hit.pattern().as_usize()).copied().unwrap_or("") {
                "eyJ" => text.starts(start, "eyJ").then(|| structure::web_token(text, start, &self.pairs)).flatten(),
                "Private-Lines: " => structure::putty_key(text, end),
                "PRIVATE KEY" => structure::private_key(text, start),
                "://" | "%3A%2F%2F" | "%3a%2f%2f" => structure::url_password(text, start, end, &self.pairs),
                "@" => structure::bare_password(text, start, &self.pairs),
                "cookie" => {
                    structure::cookies(text, end, &self.pairs, all);
                    None
                }
                "identified by" | "identified with" => clause::identified(text, start, end),
                "authorization" => clause::authorization(text, end, &self.pairs),
                _ => structure::credential(text, start, end, false, &self.pairs),
            };
            if let Some(found) = found {
                done = found.end;
                all.push(found);
            }
        }
    }

    fn commands(&self, text: Text<'_>, all: &mut Vec<Found>) {
        let Some(programs) = &self.programs else { return };
        let mut done = 0;
        for hit in programs.find_iter(text.bytes()) {
            if hit.start() >= done {
                done = command::find(text, hit.start(), hit.end(), all);
            }
        }
    }

    fn pairs_of_names(&self, text: Text<'_>, all: &mut Vec<Found>) {
        let Some(stems) = &self.stems else { return };
        let mut words = Words::default();
        let mut done = 0;
        for hit in stems.find_iter(text.bytes()) {
            if hit.start() < done {
                continue;
            }
            // Some stems bring the sign behind the name.
            let end = hit.end() - usize::from(!is_alnum(text.before(hit.end())));
            let name = name_around(text, hit.start(), end, done);
            done = name.end;
            let before = word_before(text, name.start);
            let Some(label) = self.labels.of(text.slice(name.start, name.end), &before, &mut words) else { continue };
            if label.weight >= Weight::Firm {
                for (start, end) in column::cells(text, name) {
                    let cell = Value { pieces: Pieces::one(start, end), quoted: false, joint: Joint::Cell, call: (start, start) };
                    if judge::is_secret(text, name, label, &cell, &self.pairs) {
                        all.push(Found { start, end, kind: label.kind, words: cell.pieces.words(text) });
                    }
                }
            }
            for value in pair::values(text, name) {
                if judge::is_secret(text, name, label, &value, &self.pairs) {
                    let start = value.pieces.0.first().map_or(0, |(start, _)| *start);
                    let end = value.pieces.end();
                    done = done.max(end);
                    all.push(Found { start, end, kind: label.kind, words: value.pieces.words(text) });
                }
            }
        }
    }
}

/// Without what is or touches a placeholder.
fn unmasked(text: Text<'_>, all: Vec<Found>) -> Vec<Found> {
    all.into_iter()
        .filter(|found| !text.slice(found.start, found.end).contains('‹') && !text.slice(found.start, found.end).is_empty())
        .map(|mut found| {
            if found.words.is_empty() {
                found.words = text.slice(found.start, found.end).to_owned();
            }
            found
        })
        .collect()
}

/// The whole name around a part of it.
fn name_around(text: Text<'_>, start: usize, end: usize, floor: usize) -> Name {
    let back = NAME_BYTES_MAX.min(start.saturating_sub(floor));
    let mut from = text.skip_back_max(start, back, is_name);
    let mut to = text.skip_max(end, NAME_BYTES_MAX, is_name);
    // `\npassword`: the letter belongs to the escape. `contraseña`: letters beyond ASCII belong to the name.
    if text.before(from) == b'\\' && matches!(text.at(from), b'n' | b't' | b'r') && from < start {
        from += 1;
    }
    if text.before(from) == b'\\' && text.at(from) == b'u' && from + 5 <= start {
        from += 5;
    }
    if text.before(from) == b'%' && from + 2 <= start {
        from += 2;
    }
    if text.starts(to, "ña") {
        to += "ña".len();
    }
    while from < start && !is_alnum(text.at(from)) && text.at(from) != b'_' {
        from += 1;
    }
    while to > end && matches!(text.before(to), b'.' | b'-') {
        to -= 1;
    }
    Name { start: from, end: to }
}

/// The word that one space separates from the name, small.
fn word_before(text: Text<'_>, start: usize) -> String {
    const BYTES_MAX: usize = 24;
    if !matches!(text.before(start), b' ' | b'_' | b'-') {
        return String::new();
    }
    let from = text.skip_back_max(start - 1, BYTES_MAX, is_alnum);
    text.slice(from, start - 1).to_ascii_lowercase()
}

/// The original with placeholders where the view holds secrets.
fn replaced(original: &str, view: &View<'_>, text: Text<'_>, secrets: Vec<Found>, numbers: &mut Numbers, counts: &mut Counts) -> String {
    let mut out = String::with_capacity(original.len());
    let mut kept = 0;
    for secret in secrets {
        let start = view.start(secret.start).max(kept);
        let end = view.end(secret.end);
        let words = if secret.words.is_empty() { text.slice(secret.start, secret.end) } else { &secret.words };
        let placeholder = numbers.placeholder(secret.kind, words);
        *counts.entry(numbers.kind(words).unwrap_or(secret.kind).to_owned()).or_default() += 1;
        out.push_str(original.get(kept..start).unwrap_or(""));
        out.push_str(&placeholder);
        kept = end;
    }
    out.push_str(original.get(kept..).unwrap_or(""));
    out
}

#[cfg(test)]
mod tests;
