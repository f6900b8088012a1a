//! What a word shows of itself and of its place, as buckets of the model.

use crate::redact::secrets::text::{Text, is_alnum, is_blank};

use super::BUCKETS;
use super::candidate::Unit;

/// How far before and behind a word its neighbours are looked for, bytes.
const BEFORE_BYTES: usize = 80;
const AFTER_BYTES: usize = 40;
/// Neighbours before a word that count, and letters of each.
const WORDS_MAX: usize = 6;
const LETTERS_MAX: usize = 12;

/// Features of one kind fall together only by chance.
#[derive(Clone, Copy)]
enum Kind {
    Form,
    FormChanges,
    Length,
    Kinds,
    KindsAndLength,
    Digest,
    Random,
    RandomAndKinds,
    RandomAndLength,
    Sign,
    Edges,
    Dots,
    Slashes,
    Hyphens,
    Ending,
    Before,
    After,
    BeforeAndAfter,
    TwoBefore,
    ThreeBefore,
    Word,
    AnyWord,
    WordEnd,
    WordStart,
    TwoWords,
    NoWord,
    WordAndMakeup,
    SignAndMakeup,
    WordAfter,
    HasOption,
    Option,
    FirstWord,
    User,
    Chosen,
    WordAbove,
}

struct Buckets<'b>(&'b mut Vec<u16>);

impl Buckets<'_> {
    fn push(&mut self, kind: Kind, hash: u32) {
        let mixed = (hash ^ (kind as u32).wrapping_mul(0x9e37_79b1)).wrapping_mul(0x85eb_ca6b);
        let mixed = (mixed ^ (mixed >> 15)).wrapping_mul(0x2c1b_3c6d);
        self.0.push(u16::try_from((mixed >> 12) as usize % BUCKETS).unwrap_or(0));
    }

    fn bytes(&mut self, kind: Kind, bytes: &[u8]) {
        self.push(kind, hash(bytes));
    }

    fn number(&mut self, kind: Kind, number: usize) {
        self.push(kind, u32::try_from(number).unwrap_or(u32::MAX).wrapping_mul(0x0100_0193).wrapping_add(17));
    }
}

fn hash(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5_u32, |hash, b| (hash ^ u32::from(b.to_ascii_lowercase())).wrapping_mul(0x0100_0193))
}

/// Fills `buckets` with those of the word, each once.
pub fn of(text: Text<'_>, unit: Unit, buckets: &mut Vec<u16>) {
    let mut all = Buckets(buckets);
    form(text, unit, &mut all);
    place(text, unit, &mut all);
    buckets.sort_unstable();
    buckets.dedup();
}

fn form(text: Text<'_>, unit: Unit, all: &mut Buckets<'_>) {
    let makeup = unit.makeup;
    let word = text.slice(unit.start, unit.end).as_bytes();
    let (form, changes) = form_of(word);
    all.bytes(Kind::Form, &form);
    all.number(Kind::FormChanges, (changes / 2).min(10));
    all.number(Kind::Length, if word.len() < 12 { word.len() } else { 12 + word.len() / 4 });
    let kinds = kinds(unit);
    all.number(Kind::Kinds, kinds);
    all.number(Kind::KindsAndLength, kinds * 16 + (word.len() / 4).min(12));
    let random = usize::from(unit.is_random) + 2 * usize::from(!unit.is_random && makeup.is_odd());
    if unit.is_digest {
        all.number(Kind::Digest, word.len());
        all.number(Kind::Digest, usize::MAX);
    }
    all.number(Kind::Random, random);
    all.number(Kind::RandomAndKinds, random * 16 + kinds);
    all.number(Kind::RandomAndLength, random * 16 + (word.len() / 4).min(12));
    let mut signs = [false; 128];
    for b in word.iter().filter(|b| !is_alnum(**b)) {
        if let Some(seen) = signs.get_mut(usize::from(*b))
            && !std::mem::replace(seen, true)
        {
            all.number(Kind::Sign, usize::from(*b));
        }
    }
    let edges = word.windows(2).filter(|two| two.iter().filter(|b| b.is_ascii_alphabetic()).count() == 1).count();
    all.number(Kind::Edges, edges.min(8));
    let count = |sign: u8| word.iter().filter(|b| **b == sign).count();
    for (kind, sign) in [(Kind::Dots, b'.'), (Kind::Slashes, b'/'), (Kind::Hyphens, b'-')] {
        if count(sign) >= 2 {
            all.number(kind, 1);
        }
    }
    if let Some(at) = word.iter().rposition(|b| *b == b'.')
        && word.get(at + 1..).is_some_and(|end| (2..=5).contains(&end.len()) && end.iter().all(u8::is_ascii_lowercase))
    {
        all.number(Kind::Ending, 1);
    }
}

/// The word with each run of one kind of character as one: `Aa#9`, its first eight; and how many runs.
fn form_of(word: &[u8]) -> ([u8; 8], usize) {
    let mut form = [0; 8];
    let mut runs = 0;
    let mut before = 0;
    for b in word.iter().take(60) {
        let kind = match b {
            b'a'..=b'z' => 1,
            b'A'..=b'Z' => 2,
            b'0'..=b'9' => 3,
            0x80.. => 4,
            _ => *b,
        };
        if kind != before {
            if let Some(slot) = form.get_mut(runs) {
                *slot = kind;
            }
            runs += 1;
            before = kind;
        }
    }
    (form, runs)
}

fn kinds(unit: Unit) -> usize {
    let makeup = unit.makeup;
    [makeup.lower, makeup.upper, makeup.digits, makeup.other].iter().fold(0, |kinds, count| 2 * kinds + usize::from(*count > 0))
}

fn place(text: Text<'_>, unit: Unit, all: &mut Buckets<'_>) {
    let (start, end) = (unit.start, unit.end);
    let makeup = unit.makeup;
    let random = usize::from(unit.is_random) + 2 * usize::from(!unit.is_random && makeup.is_odd());
    let near = |position: usize| if is_blank(text.at(position)) { b' ' } else { text.at(position) };
    let before = |back: usize| start.checked_sub(back).map_or(0, near);
    let (previous, next) = (before(1), near(end));
    all.bytes(Kind::Before, &[previous]);
    all.bytes(Kind::After, &[next]);
    all.bytes(Kind::BeforeAndAfter, &[previous, next]);
    all.bytes(Kind::TwoBefore, &[before(2), previous]);
    let sign = |b: u8| if is_alnum(b) || b == b'_' { b'w' } else { b };
    all.bytes(Kind::ThreeBefore, &[sign(before(3)), sign(before(2)), sign(previous)]);

    let line = text.line_start(start, BEFORE_BYTES);
    let words = Words::of(text, text.floor(line), start);
    for (back, word) in words.last().enumerate() {
        if back == 0 || back == 1 {
            all.push(Kind::WordEnd, hash(word.get(word.len().saturating_sub(5)..).unwrap_or(word)).wrapping_add(back as u32));
            all.push(Kind::WordStart, hash(word.get(..4).unwrap_or(word)).wrapping_add(back as u32));
        }
        let word = word.get(..LETTERS_MAX).unwrap_or(word);
        all.push(Kind::Word, hash(word).wrapping_add(back.min(3) as u32));
        all.bytes(Kind::AnyWord, word);
    }
    let chosen = (6..=24).contains(&makeup.length)
        && makeup.lower > 0
        && makeup.digits > 0
        && (makeup.upper > 0 || makeup.other > 0)
        && !text.slice(start, end).contains(['/', ':', '=', '.']);
    let signs = usize::from(makeup.digits > 0) + 2 * usize::from(makeup.other > 0);
    let nearest = words.last().next();
    if let Some(word) = nearest {
        let word = hash(word.get(..10).unwrap_or(word));
        all.push(Kind::WordAndMakeup, word.wrapping_add((random * 4 + signs) as u32));
        if chosen {
            all.push(Kind::Chosen, word);
        }
        if let Some(second) = words.last().nth(1) {
            all.push(Kind::TwoWords, hash(second.get(..10).unwrap_or(second)).rotate_left(7) ^ word);
        }
    } else {
        all.number(Kind::NoWord, 0);
        all.number(Kind::NoWord, 1 + random * 4 + signs);
        let above = text.line_start(line.saturating_sub(1), BEFORE_BYTES);
        for word in Words::of(text, text.floor(above), line.saturating_sub(1)).last().take(2) {
            all.bytes(Kind::WordAbove, word.get(..LETTERS_MAX).unwrap_or(word));
        }
    }
    if chosen {
        all.number(Kind::Chosen, 0);
        all.number(Kind::Chosen, 1 + usize::from(previous));
    }
    let behind = text.skip_back_max(start, 2, |b| matches!(b, b' ' | b'"' | b'\''));
    let mixed = usize::from(makeup.lower > 0 && makeup.upper > 0);
    all.number(Kind::SignAndMakeup, usize::from(text.before(behind)) * 32 + random * 8 + signs * 2 + mixed);
    around(text, unit, line, random * 4 + signs, all);
}

/// What else stands on the line: options, a user, the first word, the words behind.
fn around(text: Text<'_>, unit: Unit, line: usize, makeup: usize, all: &mut Buckets<'_>) {
    let (start, end) = (unit.start, unit.end);
    let front = text.slice(text.floor(line), start);
    let trimmed = front.trim_end_matches(['"', '\'']).trim_end_matches([' ', '=']);
    let option = trimmed.rsplit(|c: char| c.is_ascii_whitespace() || matches!(c, '"' | '\'' | ',')).next().unwrap_or("");
    if option.starts_with('-') && option.bytes().all(|b| is_alnum(b) || matches!(b, b'-' | b'_')) {
        all.bytes(Kind::Option, option.as_bytes().get(..14).unwrap_or(option.as_bytes()));
    }
    if front.contains(" -") {
        all.number(Kind::HasOption, 1);
    }
    let has = |word: &str| front.as_bytes().windows(word.len()).any(|part| part.eq_ignore_ascii_case(word.as_bytes()));
    if ["user", "login", "usr", "account"].into_iter().any(has) {
        all.number(Kind::User, 0);
        all.number(Kind::User, 1 + makeup);
    }
    let first = Words::of(text, text.floor(line), text.floor((line + AFTER_BYTES).min(end)));
    if let Some(word) = first.words.first() {
        all.bytes(Kind::FirstWord, word.get(..10).unwrap_or(word));
    }
    let stop = text.floor(text.skip_max(end, AFTER_BYTES, |b| b != b'\n'));
    for word in Words::of(text, end, stop).words.iter().take(2) {
        all.bytes(Kind::WordAfter, word.get(..10).unwrap_or(word));
    }
}

/// Words of letters; one ends where a capital follows a small letter.
struct Words<'t> {
    words: Vec<&'t [u8]>,
}

impl<'t> Words<'t> {
    fn of(text: Text<'t>, start: usize, end: usize) -> Self {
        let bytes = text.bytes().get(start..end).unwrap_or_default();
        let mut words = Vec::with_capacity(16);
        let mut from = 0;
        let mut before = 0_u8;
        for (at, b) in bytes.iter().chain(std::iter::once(&0)).enumerate() {
            let goes_on = b.is_ascii_alphabetic() && !(b.is_ascii_uppercase() && before.is_ascii_lowercase());
            if !goes_on {
                if before.is_ascii_alphabetic() {
                    words.extend(bytes.get(from..at));
                }
                from = at + usize::from(!b.is_ascii_alphabetic());
            }
            before = *b;
        }
        Self { words }
    }

    /// The last first.
    fn last(&self) -> impl Iterator<Item = &'t [u8]> {
        self.words.iter().rev().take(WORDS_MAX).copied()
    }
}
