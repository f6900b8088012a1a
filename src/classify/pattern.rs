//! Phrases of the rules, compiled once.
//!
//! A phrase is literal text; `*` stands for at most [`GAP_BYTES_MAX`] bytes of anything within the same message. Case and the kind of
//! white space do not matter. A phrase begins and ends at a word's edge unless a `*` stands there. Matching is linear in the text.

use std::cmp::Reverse;

use aho_corasick::{AhoCorasick, AhoCorasickKind, Input, MatchKind};
use memchr::memmem::{self, Finder};

use super::edges;
use super::effort;
use super::prefix::{self, Index, Lead, Order};

/// The longest stretch that a `*` stands for. Two phrases further apart rarely speak of one thing.
const GAP_BYTES_MAX: usize = 120;
/// A phrase without so many letters in one part would match everywhere.
pub const PART_LETTERS_MIN: usize = 2;

/// A phrase, folded and split at its `*`.
#[derive(Debug)]
struct Phrase {
    parts: Vec<Part>,
    key: usize,
    open_start: bool,
    open_end: bool,
    owner: usize,
}

#[derive(Debug)]
struct Part {
    bytes: Vec<u8>,
    /// Looks for the part beyond a `*`; a phrase of one part needs none.
    finder: Option<Finder<'static>>,
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
        let letters = |i: &usize| parts[*i].iter().filter(|b| b.is_ascii_alphanumeric() || !b.is_ascii()).count();
        let key = (0..parts.len()).max_by_key(letters).ok_or(PhraseError::Empty)?;
        if letters(&key) < PART_LETTERS_MIN {
            return Err(PhraseError::TooShort);
        }
        let parts = parts.into_iter().map(|bytes| Part { bytes, finder: None }).collect();
        self.phrases.push(Phrase { parts, key, open_start, open_end, owner });
        Ok(())
    }

    pub fn build(mut self) -> Option<Matcher> {
        let mut starts: Vec<(Lead, Anchor)> = Vec::new();
        let mut ends: Vec<(Lead, usize)> = Vec::new();
        let mut anywhere: Vec<&[u8]> = Vec::new();
        let mut under_anywhere: Vec<usize> = Vec::new();
        for phrase in self.phrases.iter_mut().filter(|phrase| phrase.parts.len() > 1) {
            for part in &mut phrase.parts {
                part.finder = Some(Finder::new(&part.bytes).into_owned());
            }
        }
        for (number, phrase) in self.phrases.iter().enumerate() {
            let part = phrase.parts[phrase.key].bytes.as_slice();
            let at_key = phrase.anchor(phrase.key).map(|offset| (part, offset, Sought::Key));
            let other = || (0..phrase.parts.len()).find_map(|i| Some((phrase.parts[i].bytes.as_slice(), phrase.anchor(i)?, Sought::Other)));
            if at_key.is_none() && phrase.ends_with_key() && part.len() >= prefix::SHORTEST {
                ends.push((Lead::of_end(part), number));
            } else if let Some((part, offset, sought)) = at_key.or_else(other) {
                starts.push((Lead::of_start(&part[offset..]), Anchor { phrase: number, offset, sought }));
            } else {
                anywhere.push(part);
                under_anywhere.push(number);
            }
        }
        let automaton = match anywhere.is_empty() {
            true => None,
            false => Some(AhoCorasick::builder().match_kind(MatchKind::Standard).kind(Some(AhoCorasickKind::DFA)).build(&anywhere).ok()?),
        };
        let starts = Index::new(starts.into_iter(), Order::ShortFirst);
        let ends = Index::new(ends.into_iter(), Order::LongFirst);
        Some(Matcher { starts, ends, automaton, under_anywhere, phrases: self.phrases })
    }
}

/// Most phrases are looked for where a word of theirs starts, those like `*Exception` where a word ends, and the few others, if a user's
/// rule has any, at every byte.
pub struct Matcher {
    starts: Index<Anchor>,
    /// The phrase's number.
    ends: Index<usize>,
    automaton: Option<AhoCorasick>,
    under_anywhere: Vec<usize>,
    phrases: Vec<Phrase>,
}

/// What is looked for is in a part of the phrase, at this offset.
#[derive(Clone, Copy, Debug)]
struct Anchor {
    phrase: usize,
    offset: usize,
    sought: Sought,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sought {
    Key,
    /// Another part, as the key may start within a word: where that part is met, the key is searched for.
    Other,
}

fn is_word(b: u8) -> bool {
    b.is_ascii_alphanumeric() || !b.is_ascii()
}

impl Matcher {
    /// Every phrase that occurs within `text[low..high]`.
    pub fn find(&self, text: &[u8], (low, high): (usize, usize), mut found: impl FnMut(Hit)) {
        let high = high.min(text.len());
        effort::looked(high.saturating_sub(low));
        // Keys that do not start with a word are looked at afterwards, in the order in which they end.
        let mut ended: Vec<(usize, usize)> = Vec::new();
        let mut met: Vec<usize> = Vec::new();
        let starts = |at: usize| {
            for anchor in self.starts.beginning(&text[at..]) {
                match anchor.sought {
                    Sought::Key => self.verify(anchor.phrase, text, at.checked_sub(anchor.offset), (low, high), &mut found),
                    Sought::Other if met.contains(&anchor.phrase) => {}
                    Sought::Other => met.push(anchor.phrase),
                }
            }
        };
        let ends = |at: usize| ended.extend(self.ends.ending(&text[low..at]).iter().map(|phrase| (at, *phrase)));
        edges::edges(text, low, high, starts, ends);
        for number in met {
            let keys = self.phrases.get(number).map(|phrase| phrase.keys(&text[low..high]));
            ended.extend(keys.into_iter().flatten().map(|end| (low + end, number)));
        }
        let length = |number: usize| self.phrases.get(number).map_or(0, |phrase| phrase.parts[phrase.key].bytes.len());
        ended.sort_by_key(|(end, number)| (*end, Reverse(length(*number))));
        for (end, number) in ended {
            self.verify(number, text, end.checked_sub(length(number)), (low, high), &mut found);
        }
        let Some(automaton) = &self.automaton else { return };
        for candidate in automaton.find_overlapping_iter(Input::new(text).span(low..high)) {
            if let Some(number) = self.under_anywhere.get(candidate.pattern().as_usize()) {
                self.verify(*number, text, Some(candidate.start()), (low, high), &mut found);
            }
        }
    }

    /// `at`: where the phrase's key seems to start.
    fn verify(&self, number: usize, text: &[u8], at: Option<usize>, (low, high): (usize, usize), found: &mut impl FnMut(Hit)) {
        if let (Some(phrase), Some(at)) = (self.phrases.get(number), at)
            && let Some((start, end)) = phrase.around(text, at, low, high)
        {
            found(Hit { owner: phrase.owner, start, end });
        }
    }
}

impl Phrase {
    /// Where in a part a word starts, with enough behind it to look for. After a `*` a part may start within a word.
    fn anchor(&self, part: usize) -> Option<usize> {
        let cut = part > 0 || self.open_start;
        let part = &self.parts.get(part)?.bytes;
        let starts = |at: &usize| is_word(part[*at]) && if *at == 0 { !cut } else { !is_word(part[at - 1]) };
        (0..part.len()).find(starts).filter(|start| part.len() - start >= prefix::SHORTEST)
    }

    /// Where in the text the phrase's key ends.
    fn keys(&self, text: &[u8]) -> impl Iterator<Item = usize> {
        effort::looked(text.len());
        let key = &self.parts[self.key];
        key.finder.iter().flat_map(move |finder| finder.find_iter(text)).map(|start| start + key.bytes.len())
    }

    /// Does an occurrence of the phrase end where a word ends?
    fn ends_with_key(&self) -> bool {
        self.key + 1 == self.parts.len() && !self.open_end && self.parts[self.key].bytes.last().is_some_and(u8::is_ascii_alphanumeric)
    }

    /// The whole phrase around its key part at `at`, within `low..high`.
    fn around(&self, text: &[u8], at: usize, low: usize, high: usize) -> Option<(usize, usize)> {
        let key = &self.parts.get(self.key)?.bytes;
        effort::looked(key.len());
        let mut end = at + key.len();
        if at < low || end > high || text.get(at..end)? != key.as_slice() {
            return None;
        }
        let mut start = at;
        for part in self.parts[..self.key].iter().rev() {
            let from = low.max(start.saturating_sub(GAP_BYTES_MAX));
            start = from + part.last_in(text.get(from..start)?)?;
        }
        let word = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
        if !self.open_start && word(text.get(start)) && start > 0 && word(text.get(start - 1)) {
            return None;
        }
        for part in &self.parts[self.key + 1..] {
            let to = high.min(end + GAP_BYTES_MAX);
            end += part.first_in(text.get(end..to)?)? + part.bytes.len();
        }
        let cut_after = !self.open_end && word(text.get(end.wrapping_sub(1))) && word(text.get(end));
        (!cut_after).then_some((start, end))
    }
}

impl Part {
    fn first_in(&self, text: &[u8]) -> Option<usize> {
        effort::looked(text.len());
        self.finder.as_ref()?.find(text)
    }

    fn last_in(&self, text: &[u8]) -> Option<usize> {
        // Mostly it is not there at all, and a search forwards tells that sooner.
        let first = self.first_in(text)?;
        Some(first + memmem::rfind(&text[first..], &self.bytes)?)
    }
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
        check("rows*violate*", "rows, rows of x: REVIOLATED", Some("rows of x: REVIOLATE"));
        check("ab*key word*word", "ab monkey word x word", Some("ab monkey word x word"));
        check("*cut*off*", "uncutoff", Some("cutoff"));
    }
}
