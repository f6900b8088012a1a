//! A failure's words as buckets: each word, each pair of neighbours; class names cut at their capitals, numbers as one.

use std::ops::Range;

use crate::classify::reading::{Kind, Page, Segment};

use super::BUCKETS;

/// So many words are read: an error says what it is early.
const WORDS_MAX: usize = 160;
/// Longer words are also known by their beginning: `quota`s, `reset`ting.
const STEM_BYTES: usize = 5;
/// Segments that count less than this are chatter.
const WEIGHT_MIN: f32 = 0.5;

/// Frames, source and chatter say nothing to the model.
pub fn is_read(segment: &Segment) -> bool {
    segment.kind != Kind::Trace && segment.weight >= WEIGHT_MIN
}

#[derive(Clone, Debug, Default)]
pub struct Features {
    buckets: Vec<u16>,
}

impl Features {
    pub fn of_pages(pages: &[Page<'_>]) -> Self {
        let mut words = Words::new();
        for page in pages {
            for segment in &page.segments {
                if is_read(segment) {
                    for (start, end) in page.unquoted(segment) {
                        words.read(page.piece.text.get(start..end).unwrap_or_default());
                    }
                }
            }
        }
        words.finish()
    }

    pub fn of_text(text: &str) -> Self {
        let mut words = Words::new();
        words.read(text);
        words.finish()
    }

    pub fn buckets(&self) -> &[u16] {
        &self.buckets
    }

    /// The value of each present bucket: long texts do not shout louder.
    pub fn value(&self) -> f32 {
        1.0 / (self.buckets.len().max(1) as f32).sqrt()
    }
}

struct Words {
    /// One bit a bucket: a word said twice counts once, and the buckets come out in order.
    present: [u64; BUCKETS / 64],
    count: usize,
}

impl Words {
    fn new() -> Self {
        Self { present: [0; BUCKETS / 64], count: 0 }
    }

    fn read(&mut self, text: &str) {
        let present = &mut self.present;
        each(text, &mut self.count, |bucket, _| present[bucket as usize / 64] |= 1 << (bucket % 64));
    }

    fn finish(self) -> Features {
        let mut buckets = Vec::with_capacity(3 * self.count);
        for (number, mut word) in self.present.into_iter().enumerate() {
            while word != 0 {
                buckets.push((number * 64) as u16 + word.trailing_zeros() as u16);
                word &= word - 1;
            }
        }
        Features { buckets }
    }
}

/// The bucket of each word of a text, of its stem and of each pair of neighbours, with its place; `count` words have been read so far.
pub fn each(text: &str, count: &mut usize, mut seen: impl FnMut(u16, Range<usize>)) {
    let bytes = text.as_bytes();
    let mut at = 0;
    let mut before: Option<(u32, usize)> = None;
    while at < bytes.len() && *count < WORDS_MAX {
        if !bytes[at].is_ascii_alphanumeric() {
            at += 1;
            continue;
        }
        let start = at;
        at += 1;
        // A word ends where a capital follows a small letter, or a letter a digit.
        while at < bytes.len()
            && bytes[at].is_ascii_alphanumeric()
            && bytes[at].is_ascii_digit() == bytes[start].is_ascii_digit()
            && !(bytes[at].is_ascii_uppercase() && bytes[at - 1].is_ascii_lowercase())
        {
            at += 1;
        }
        let hash = hash(&bytes[start..at]);
        *count += 1;
        seen(bucket(hash), start..at);
        if at - start > STEM_BYTES {
            seen(bucket(self::hash(&bytes[start..start + STEM_BYTES]).rotate_left(9)), start..at);
        }
        if let Some((before, from)) = before {
            seen(bucket(before.rotate_left(5).wrapping_mul(0x9e37_79b1) ^ hash), from..at);
        }
        before = Some((hash, start));
    }
}

fn hash(word: &[u8]) -> u32 {
    // HTTP statuses and exit codes are words; other numbers are all one.
    if word[0].is_ascii_digit() && word.len() != 3 {
        return 7;
    }
    word.iter().take(24).fold(0x811c_9dc5_u32, |hash, b| (hash ^ u32::from(b.to_ascii_lowercase())).wrapping_mul(0x0100_0193))
}

fn bucket(hash: u32) -> u16 {
    let mixed = (hash ^ (hash >> 15)).wrapping_mul(0x2c1b_3c6d);
    ((mixed >> 12) as usize % BUCKETS) as u16
}
