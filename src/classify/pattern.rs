//! Phrases of the rules, compiled once into one automaton.
//!
//! A phrase is literal text; `*` stands for at most [`GAP_BYTES_MAX`] bytes of anything within the same message. Case and the kind of
//! white space do not matter. A phrase begins and ends at a word's edge unless a `*` stands there. Matching is linear in the text.

use std::collections::HashMap;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

/// The longest stretch that a `*` stands for. Two phrases further apart rarely speak of one thing.
const GAP_BYTES_MAX: usize = 120;
/// A phrase's longest part is found by its first bytes and verified behind them: this keeps the automaton small.
const KEY_BYTES_MAX: usize = 14;
/// A phrase without so many letters in one part would match everywhere.
pub const PART_LETTERS_MIN: usize = 2;

/// A phrase, folded and split at its `*`.
#[derive(Debug)]
struct Phrase {
    parts: Vec<Vec<u8>>,
    key: usize,
    open_start: bool,
    open_end: bool,
    owner: usize,
}

/// Why a phrase is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PhraseError {
    #[error("is empty")]
    Empty,
    #[error("has no part of at least {PART_LETTERS_MIN} letters or digits")]
    TooShort,
}

/// A match: `start..end` in the folded bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit {
    pub owner: usize,
    pub start: usize,
    pub end: usize,
}

#[derive(Debug, Default)]
pub struct Builder {
    phrases: Vec<Phrase>,
}

impl Builder {
    /// `owner` comes back with each hit.
    pub fn add(&mut self, phrase: &str, owner: usize) -> Result<(), PhraseError> {
        let folded = super::fold::fold(phrase.trim());
        let open_start = folded.first() == Some(&b'*');
        let open_end = folded.last() == Some(&b'*');
        let parts: Vec<Vec<u8>> =
            folded.split(|b| *b == b'*').map(|part| part.to_vec()).filter(|part| !part.iter().all(|b| *b == b' ')).collect();
        let letters = |part: &Vec<u8>| part.iter().filter(|b| b.is_ascii_alphanumeric() || !b.is_ascii()).count();
        let Some(key) = (0..parts.len()).max_by_key(|i| letters(&parts[*i])) else { return Err(PhraseError::Empty) };
        if letters(&parts[key]) < PART_LETTERS_MIN {
            return Err(PhraseError::TooShort);
        }
        self.phrases.push(Phrase { parts, key, open_start, open_end, owner });
        Ok(())
    }

    pub fn build(self) -> Option<Matcher> {
        let mut keys: HashMap<Vec<u8>, usize> = HashMap::new();
        let mut order: Vec<Vec<u8>> = Vec::new();
        let mut under: Vec<Vec<usize>> = Vec::new();
        for (number, phrase) in self.phrases.iter().enumerate() {
            let part = &phrase.parts[phrase.key];
            let key = part[..part.len().min(KEY_BYTES_MAX)].to_vec();
            let id = *keys.entry(key.clone()).or_insert_with(|| {
                order.push(key);
                under.push(Vec::new());
                order.len() - 1
            });
            under[id].push(number);
        }
        let automaton = AhoCorasick::builder().match_kind(MatchKind::Standard).kind(Some(AhoCorasickKind::DFA)).build(&order).ok()?;
        Some(Matcher { automaton, under, phrases: self.phrases })
    }
}

pub struct Matcher {
    automaton: AhoCorasick,
    /// Phrases under each key.
    under: Vec<Vec<usize>>,
    phrases: Vec<Phrase>,
}

impl Matcher {
    /// Every phrase that occurs within `text[within(position)]`: `within` gives the bounds of the message around a position, or `None`
    /// where nothing is read.
    pub fn find(&self, text: &[u8], mut within: impl FnMut(usize) -> Option<(usize, usize)>, mut found: impl FnMut(Hit)) {
        for candidate in self.automaton.find_overlapping_iter(text) {
            let Some((low, high)) = within(candidate.start()) else { continue };
            for number in &self.under[candidate.pattern().as_usize()] {
                let phrase = &self.phrases[*number];
                if let Some((start, end)) = phrase.around(text, candidate.start(), low, high) {
                    found(Hit { owner: phrase.owner, start, end });
                }
            }
        }
    }
}

impl Phrase {
    /// The whole phrase around its key part at `at`, within `low..high`.
    fn around(&self, text: &[u8], at: usize, low: usize, high: usize) -> Option<(usize, usize)> {
        let key = self.parts.get(self.key)?;
        let mut end = at + key.len();
        if end > high || text.get(at..end)? != key.as_slice() {
            return None;
        }
        let mut start = at;
        for part in self.parts[..self.key].iter().rev() {
            let from = low.max(start.saturating_sub(GAP_BYTES_MAX));
            start = from + rfind(text.get(from..start)?, part)?;
        }
        for part in &self.parts[self.key + 1..] {
            let to = high.min(end + GAP_BYTES_MAX);
            end += find(text.get(end..to)?, part)? + part.len();
        }
        let word = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
        let cut_before = !self.open_start && word(text.get(start)) && start > 0 && word(text.get(start - 1));
        let cut_after = !self.open_end && word(text.get(end.wrapping_sub(1))) && word(text.get(end));
        (!cut_before && !cut_after).then_some((start, end))
    }
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

fn rfind(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).rposition(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(phrase: &str, text: &str, want: Option<&str>) {
        let mut builder = Builder::default();
        builder.add(phrase, 0).unwrap();
        let matcher = builder.build().unwrap();
        let folded = super::super::fold::fold(text);
        let mut hits = Vec::new();
        matcher.find(&folded, |_| Some((0, folded.len())), |hit| hits.push(&text[hit.start..hit.end]));
        assert_eq!(hits.first().copied(), want, "{phrase:?} in {text:?}");
    }

    #[test]
    fn a_phrase_is_found_whole_words_any_case_any_blank() {
        check("connection refused", "x: Connection\nREFUSED: y", Some("Connection\nREFUSED"));
        check("oom", "the room", None);
        check("oom", "OOM!", Some("OOM"));
        check("exit* code 137", "Exited with exit code 137.", Some("exit code 137"));
        check("code 13", "code 137", None);
        check(
            "could not execute broadcast in * secs",
            "Could not execute broadcast in 300 secs.",
            Some("Could not execute broadcast in 300 secs"),
        );
        check("*TimeoutException", "java.net.SocketTimeoutException: x", Some("TimeoutException"));
        check("lost task * killed", &format!("lost task {} killed", "x".repeat(300)), None);
        check("403 forbidden", "403 Forbidden", Some("403 Forbidden"));
    }
}
