//! Phrases of the rules, compiled once.
//!
//! A phrase is literal text; `*` stands for at most [`GAP_BYTES_MAX`] bytes of anything within the same message. Case and the kind of
//! white space do not matter. A phrase begins and ends at a word's edge unless a `*` stands there. Matching is linear in the text.

use std::collections::BTreeMap;

use aho_corasick::{AhoCorasick, AhoCorasickKind, Input, MatchKind};

/// The longest stretch that a `*` stands for. Two phrases further apart rarely speak of one thing.
const GAP_BYTES_MAX: usize = 120;
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
        let mut anchored: BTreeMap<(usize, u128, u128), Vec<Anchor>> = BTreeMap::new();
        let mut endings: Vec<Vec<u8>> = Vec::new();
        let mut under_endings: Vec<usize> = Vec::new();
        for (number, phrase) in self.phrases.iter().enumerate() {
            let part = &phrase.parts[phrase.key];
            match word_start(part, phrase.key > 0 || phrase.open_start).filter(|start| part.len() - start >= SHORTEST_ANCHOR) {
                Some(start) => {
                    let (word, mask) = lead(&part[start..]);
                    anchored.entry((slot(word), word, mask)).or_default().push(Anchor { phrase: number, offset: start });
                }
                None => {
                    endings.push(part.clone());
                    under_endings.push(number);
                }
            }
        }
        let mut slots = vec![(0_u32, 0_u32); SLOTS];
        let mut entries: Vec<Entry> = Vec::new();
        let mut anchors: Vec<Anchor> = Vec::new();
        for ((slot, word, mask), list) in anchored {
            let here = entries.len() as u32;
            if slots[slot].0 == slots[slot].1 {
                slots[slot] = (here, here);
            }
            slots[slot].1 = here + 1;
            let from = anchors.len() as u32;
            anchors.extend(list);
            entries.push(Entry { word, mask, from, to: anchors.len() as u32 });
        }
        let automaton = AhoCorasick::builder().match_kind(MatchKind::Standard).kind(Some(AhoCorasickKind::DFA)).build(&endings).ok()?;
        Some(Matcher { slots, entries, anchors, automaton, under_endings, phrases: self.phrases })
    }
}

/// An anchor shorter than this would be tried at every second word.
const SHORTEST_ANCHOR: usize = 3;
/// Anchors are found by a hash of their first three bytes.
const SLOTS: usize = 1 << 12;

/// Most phrases are looked for where a word of theirs starts; few (`*Exception`) anywhere, by an automaton.
pub struct Matcher {
    /// By hash: a range of `entries`.
    slots: Vec<(u32, u32)>,
    entries: Vec<Entry>,
    anchors: Vec<Anchor>,
    automaton: AhoCorasick,
    under_endings: Vec<usize>,
    phrases: Vec<Phrase>,
}

/// Phrases whose anchor has these first bytes (up to 16).
struct Entry {
    word: u128,
    mask: u128,
    /// A range of the anchors.
    from: u32,
    to: u32,
}

/// The anchor is in the phrase's key part, at this offset.
struct Anchor {
    phrase: usize,
    offset: usize,
}

/// The first position in the part where a word starts; `cut`: the part may start within a word.
fn word_start(part: &[u8], cut: bool) -> Option<usize> {
    (0..part.len()).find(|at| is_word(part[*at]) && if *at == 0 { !cut } else { !is_word(part[at - 1]) })
}

fn is_word(b: u8) -> bool {
    WORD[b as usize]
}

const WORD: [bool; 256] = {
    let mut table = [false; 256];
    let mut b = 0;
    while b < 256 {
        table[b] = b >= 128 || (b as u8).is_ascii_alphanumeric();
        b += 1;
    }
    table
};

/// The first 16 bytes as a number, and the mask of those that are there.
fn lead(bytes: &[u8]) -> (u128, u128) {
    let length = bytes.len().min(16);
    let mut word = [0; 16];
    word[..length].copy_from_slice(&bytes[..length]);
    let mask = if length == 16 { u128::MAX } else { (1 << (8 * length)) - 1 };
    (u128::from_le_bytes(word), mask)
}

fn slot(word: u128) -> usize {
    ((word as u32 & 0x00ff_ffff).wrapping_mul(0x9e37_79b1) >> 20) as usize
}

impl Matcher {
    /// Every phrase that occurs within `text[low..high]`.
    pub fn find(&self, text: &[u8], (low, high): (usize, usize), mut found: impl FnMut(Hit)) {
        let mut before = low > 0 && text.get(low - 1).is_some_and(|b| is_word(*b));
        for at in low..high.min(text.len()) {
            let within = is_word(text[at]);
            if within && !before {
                self.at_word(text, at, (low, high), &mut found);
            }
            before = within;
        }
        for candidate in self.automaton.find_overlapping_iter(Input::new(text).span(low..high)) {
            let Some(number) = self.under_endings.get(candidate.pattern().as_usize()) else { continue };
            self.verify(*number, text, candidate.start(), (low, high), &mut found);
        }
    }

    fn at_word(&self, text: &[u8], at: usize, bounds: (usize, usize), found: &mut impl FnMut(Hit)) {
        let (word, _) = lead(&text[at..]);
        let (from, to) = self.slots[slot(word)];
        for entry in &self.entries[from as usize..to as usize] {
            if word & entry.mask != entry.word {
                continue;
            }
            for anchor in &self.anchors[entry.from as usize..entry.to as usize] {
                if let Some(start) = at.checked_sub(anchor.offset) {
                    self.verify(anchor.phrase, text, start, bounds, found);
                }
            }
        }
    }

    fn verify(&self, number: usize, text: &[u8], at: usize, (low, high): (usize, usize), found: &mut impl FnMut(Hit)) {
        let Some(phrase) = self.phrases.get(number) else { return };
        if let Some((start, end)) = phrase.around(text, at, low, high) {
            found(Hit { owner: phrase.owner, start, end });
        }
    }
}

impl Phrase {
    /// The whole phrase around its key part at `at`, within `low..high`.
    fn around(&self, text: &[u8], at: usize, low: usize, high: usize) -> Option<(usize, usize)> {
        let key = self.parts.get(self.key)?;
        let mut end = at + key.len();
        if at < low || end > high || text.get(at..end)? != key.as_slice() {
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
    let (first, last) = (*part.first()?, text.len().checked_sub(part.len())?);
    (0..=last).find(|at| text[*at] == first && text[*at..at + part.len()] == *part)
}

fn rfind(text: &[u8], part: &[u8]) -> Option<usize> {
    let (first, last) = (*part.first()?, text.len().checked_sub(part.len())?);
    (0..=last).rev().find(|at| text[*at] == first && text[*at..at + part.len()] == *part)
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
        matcher.find(&folded, (0, folded.len()), |hit| hits.push(&text[hit.start..hit.end]));
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
