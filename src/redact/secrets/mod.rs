//! Takes secrets out of a text. Pure.
//!
//! Shapes alone find half of them: a password has no shape. So each name that announces a secret is read with the value beside it, in
//! whatever notation; marks of issuers, structure and chance find what has no label; and what was found once is found again everywhere
//! in the text. What only looks like a secret (ids, hashes, paths, references to a secret store, what is masked already) stays.
//!
//! Guarantees: no panic, time linear in the text's length, no secret in what is returned other than by name; redacting twice is redacting
//! once. Start at [`Redactor`].

mod again;
mod around;
mod before;
mod call;
mod clause;
mod column;
mod command;
mod dialogue;
mod extent;
mod fed;
mod found;
mod inside;
mod joint;
mod judge;
mod label;
mod lone;
mod lookalike;
mod model;
mod name;
mod pair;
mod personal;
mod pieces;
mod place;
mod quote;
mod random;
mod search;
mod shape;
mod spaced;
mod structure;
mod text;
mod value;
mod view;
mod word;
mod wrap;

use std::collections::{BTreeMap, HashMap};

use again::Again;
use found::{Counts, Found, Numbers, merged};
use label::{Label, Labels, Weight};
use model::Model;
use name::{Words, name_around, word_before};
use pair::{Joint, Name, Value};
use random::Pairs;
use search::{Hit, Mark, Search, Sign};
use shape::Finder;
use text::{Text, Work, is_alnum};
use view::View;
use wrap::Pieces;

/// Rounds of looking until nothing more is found: a replaced secret may uncover the bounds of another.
const ROUNDS_MAX: usize = 6;
/// Texts from this size on, bytes, get fewer: what a fourth round would still find there was built to be found late.
const LONG_BYTES: usize = 1 << 20;
const ROUNDS_OF_LONG_MAX: usize = 3;

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
    search: Search,
    model: Model,
}

impl Default for Redactor {
    fn default() -> Self {
        Self::new(Options::default())
    }
}

impl Redactor {
    pub fn new(options: Options) -> Self {
        Self { options, pairs: Pairs::new(), labels: Labels::new(), search: Search::new(), model: Model::default() }
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
        let bytes: usize = texts.iter().map(|text| text.len()).sum();
        for _ in 0..if bytes < LONG_BYTES { ROUNDS_MAX } else { ROUNDS_OF_LONG_MAX } {
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
        // What a rule names in one place has that name everywhere.
        let named: HashMap<&str, &'static str> =
            known.iter().filter(|found| found.kind != model::KIND).map(|found| (found.words.as_str(), found.kind)).collect();
        let mut next = Vec::with_capacity(originals.len());
        for ((original, view), mut secrets) in originals.iter().zip(&views).zip(found.clone()) {
            let work = Work::default();
            let text = Text::new(&view.words, &work);
            again.find(text, &mut secrets);
            for secret in secrets.iter_mut().filter(|secret| secret.kind == model::KIND) {
                secret.kind = named.get(secret.words.as_str()).copied().unwrap_or(secret.kind);
            }
            next.push(replaced(original, view, text, unmasked(text, merged(secrets)), numbers, counts));
        }
        (next != originals).then_some(next)
    }

    /// Every secret that the text itself gives away, also where a terminal's width broke it.
    fn look_twice(&self, view: &View<'_>) -> Vec<Found> {
        let work = Work::default();
        let text = Text::new(&view.words, &work);
        let (mut all, stems) = self.look(text);
        lone::find(text, &stems, &self.pairs, &mut all);
        self.model.find(text, &self.pairs, &mut all);
        all.extend(self.look_inside(text));
        all = unmasked(text, merged(all));
        if let Some(whole) = view.unwrapped() {
            let back = |found: Found| Found { start: whole.start(found.start), end: whole.end(found.end), ..found };
            let (more, _) = self.look(Text::new(&whole.words, &Work::default()));
            // What was found without it is as long as it should be.
            let known = all.clone();
            let is_new = |found: &Found| !known.iter().any(|known| known.start < found.end && found.start < known.end);
            all.extend(more.into_iter().filter(|found| whole.is_broken(found.start, found.end)).map(back).filter(is_new));
            all = unmasked(text, merged(all));
        }
        all
    }

    /// Base64 of a text that holds a secret.
    fn look_inside(&self, text: Text<'_>) -> Vec<Found> {
        let holds_secret = |words: &str| {
            let work = Work::default();
            let text = Text::new(words, &work);
            !unmasked(text, self.look(text).0).is_empty()
        };
        let inside = inside::texts(text).into_iter().filter(|(_, _, words)| holds_secret(words) || is_pair_of_user(words));
        inside.map(|(start, end, _)| Found { start, end, kind: "encoded-secret", words: text.slice(start, end).to_owned() }).collect()
    }

    /// Every secret that a sign in the text gives away. The order of the rules decides whose name a secret gets that several find.
    /// Where names that may announce something end, is told too.
    fn look(&self, text: Text<'_>) -> (Vec<Found>, Vec<usize>) {
        let mut looking = Looking { redactor: self, text, words: Words::default(), shapes: Finder::default(), done: Done::default() };
        let mut found = Sorted::default();
        self.search.each(text.bytes(), |hit| looking.at(hit, &mut found));
        let mut read = 0;
        for (start, end) in found.shapes.iter().filter(|found| found.kind == "aws-key").map(|found| (found.start, found.end)) {
            read = structure::aws_secret(text, start, end, read, &self.pairs, &mut found.places);
        }
        let mut all = found.structures;
        all.extend(found.shapes);
        all.extend(found.places);
        all.extend(found.names);
        if self.options.emails == Personal::Redact {
            personal::emails(text, &mut all);
        }
        if self.options.addresses == Personal::Redact {
            personal::addresses(text, &mut all);
        }
        (all, found.stems)
    }
}

/// What was found, by the rank of the rule.
#[derive(Default)]
struct Sorted {
    structures: Vec<Found>,
    shapes: Vec<Found>,
    places: Vec<Found>,
    names: Vec<Found>,
    stems: Vec<usize>,
}

/// Up to where each rule has read.
#[derive(Default)]
struct Done {
    structures: usize,
    commands: usize,
    names: usize,
    values: usize,
}

/// One look at one text.
struct Looking<'l> {
    redactor: &'l Redactor,
    text: Text<'l>,
    words: Words,
    shapes: Finder,
    done: Done,
}

impl Looking<'_> {
    fn at(&mut self, hit: Hit, found: &mut Sorted) {
        let (text, pairs) = (self.text, &self.redactor.pairs);
        match hit.sign {
            Sign::Mark(mark) => self.structure(mark, hit, &mut found.structures),
            Sign::Stem => {
                found.stems.push(hit.end);
                self.name(hit, &mut found.names);
            }
            Sign::Foreign(kind) => {
                found.stems.push(hit.end);
                self.foreign(hit, kind, &mut found.names);
            }
            Sign::Shape(row) => found.shapes.extend(self.shapes.at(text, row, hit.start, hit.end, pairs)),
            Sign::Program => {
                if hit.start >= self.done.commands {
                    let read = command::find(text, hit.start, hit.end, &mut found.places);
                    // `mysql` of `mysqldump` reads nothing, and leaves it to the longer name.
                    self.done.commands = if read > hit.end { read } else { self.done.commands };
                }
            }
            Sign::Call => found.places.extend(call::find(text, hit.start, hit.end, pairs)),
            Sign::Place("\"kty\"") => place::web_key(text, hit.start, &mut found.places),
            Sign::Place("recovery codes" | "backup codes") => place::codes(text, hit.end, &mut found.places),
            Sign::Place(mark) if dialogue::MARKS.contains(&mark) => {
                found.places.extend(dialogue::find(text, mark, hit.start, hit.end, pairs));
            }
            Sign::Place(mark) => found.places.extend(place::find(text, mark, hit.start, hit.end, pairs)),
        }
    }

    fn structure(&mut self, mark: Mark, hit: Hit, all: &mut Vec<Found>) {
        let (text, pairs) = (self.text, &self.redactor.pairs);
        let (start, end) = (hit.start, hit.end);
        if start < self.done.structures {
            return;
        }
        let found = match mark {
            Mark::WebToken => text.starts(start, "eyJ").then(|| structure::web_token(text, start, pairs)).flatten(),
            Mark::PrivateKey => structure::private_key(text, start),
            Mark::StaticKey => structure::static_key(text, start),
            Mark::PuttyKey => structure::putty_key(text, end),
            Mark::Url => structure::url_password(text, start, end, pairs),
            Mark::At => structure::bare_password(text, start, pairs),
            Mark::Cookie => {
                structure::cookies(text, end, pairs, all);
                None
            }
            Mark::Identified => clause::identified(text, start, end),
            Mark::Authorization => clause::authorization(text, end, pairs),
            Mark::Scheme => structure::credential(text, start, end, false, pairs),
        };
        if let Some(found) = found {
            self.done.structures = found.end;
            all.push(found);
        }
    }

    /// The whole name around a part of it, and the values that it announces.
    fn name(&mut self, hit: Hit, all: &mut Vec<Found>) {
        let (text, pairs) = (self.text, &self.redactor.pairs);
        if hit.start < self.done.names {
            return;
        }
        // Some stems bring the sign behind the name.
        let end = hit.end - usize::from(!is_alnum(text.before(hit.end)));
        let name = name_around(text, hit.start, end, self.done.names);
        self.done.names = name.end;
        let before = word_before(text, name.start);
        let Some(label) = self.redactor.labels.of(text.slice(name.start, name.end), &before, &mut self.words) else { return };
        if label.weight >= Weight::Firm || label.kind == "secret" {
            for (start, end) in column::cells(text, name) {
                let cell = Value { pieces: Pieces::one(start, end), quoted: false, joint: Joint::Cell, call: (start, start) };
                if judge::is_secret(text, name, label, &cell, pairs) {
                    all.push(Found { start, end, kind: label.kind, words: cell.pieces.words(text) });
                }
            }
        }
        self.values(name, label, all);
    }

    /// A name in another language: it is whole as it is.
    fn foreign(&mut self, hit: Hit, kind: &'static str, all: &mut Vec<Found>) {
        let text = self.text;
        let word = text.slice(hit.start, hit.end);
        let is_part = is_alnum(text.before(hit.start)) || is_alnum(text.at(hit.end));
        let next = text.at(text.skip_spaces(hit.end));
        let before_sign = matches!(next, b'=' | b':' | b'"' | b'\'' | b'<' | b'>') || text.starts(hit.end, "：");
        // A part of a longer name is announced by its stem; letters beyond ASCII may belong to the sentence.
        if hit.start < self.done.values
            || is_part
            || word.is_ascii() && text.at(hit.end) >= 0x80
            || label::is_short_foreign(word) && !before_sign
        {
            return;
        }
        self.done.names = self.done.names.max(hit.end);
        self.values(Name { start: hit.start, end: hit.end }, label::foreign_label(kind), all);
    }

    fn values(&mut self, name: Name, label: Label, all: &mut Vec<Found>) {
        let (text, pairs) = (self.text, &self.redactor.pairs);
        for value in pair::values(text, name, pairs).into_iter().chain(before::value(text, name, label)) {
            if judge::is_secret(text, name, label, &value, pairs) {
                let start = value.pieces.0.first().map_or(0, |(start, _)| *start);
                let end = value.pieces.end();
                self.done.names = self.done.names.max(end);
                self.done.values = self.done.values.max(end);
                all.push(Found { start, end, kind: label.kind, words: value.pieces.words(text) });
            }
        }
    }
}

/// `user:password`, and nothing else.
fn is_pair_of_user(words: &str) -> bool {
    words.split_once(':').is_some_and(|(user, password)| {
        let is_user = user.len() >= 2 && user.bytes().all(|b| is_alnum(b) || matches!(b, b'.' | b'_' | b'-' | b'@'));
        is_user
            && password.len() >= 6
            && password.bytes().all(|b| matches!(b, b'!'..=b'~'))
            && password.bytes().any(|b| b.is_ascii_digit())
            && !password.contains('/')
    })
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
