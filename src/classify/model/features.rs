//! A failure's words as buckets: each word, each pair of neighbours; class names cut at their capitals, numbers as one.

use crate::classify::reading::{Kind, Page};

use super::BUCKETS;

/// So many words are read: an error says what it is early.
const WORDS_MAX: usize = 160;
/// Segments that count less than this are chatter.
const WEIGHT_MIN: f32 = 0.5;

#[derive(Clone, Debug, Default)]
pub struct Features {
    buckets: Vec<u16>,
}

impl Features {
    pub fn of_pages(pages: &[Page<'_>]) -> Self {
        let mut words = Words::new();
        for page in pages {
            for segment in &page.segments {
                if segment.kind != Kind::Trace && segment.weight >= WEIGHT_MIN {
                    words.read(page.piece.text.get(segment.start..segment.end).unwrap_or_default());
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
    before: u32,
    count: usize,
}

impl Words {
    fn new() -> Self {
        Self { present: [0; BUCKETS / 64], before: 0, count: 0 }
    }

    fn read(&mut self, text: &str) {
        self.before = 0;
        let bytes = text.as_bytes();
        let mut at = 0;
        while at < bytes.len() && self.count < WORDS_MAX {
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
            self.word(&bytes[start..at]);
        }
    }

    fn word(&mut self, word: &[u8]) {
        let number = word[0].is_ascii_digit();
        // HTTP statuses and exit codes are words; other numbers are all one.
        let hash = match number && word.len() != 3 {
            true => 7,
            false => {
                word.iter().take(24).fold(0x811c_9dc5_u32, |hash, b| (hash ^ u32::from(b.to_ascii_lowercase())).wrapping_mul(0x0100_0193))
            }
        };
        self.count += 1;
        self.push(hash);
        if self.before != 0 {
            self.push(self.before.rotate_left(5).wrapping_mul(0x9e37_79b1) ^ hash);
        }
        self.before = hash;
    }

    fn push(&mut self, hash: u32) {
        let mixed = (hash ^ (hash >> 15)).wrapping_mul(0x2c1b_3c6d);
        let bucket = (mixed >> 12) as usize % BUCKETS;
        self.present[bucket / 64] |= 1 << (bucket % 64);
    }

    fn finish(self) -> Features {
        let mut buckets = Vec::with_capacity(2 * self.count);
        for (number, mut word) in self.present.into_iter().enumerate() {
            while word != 0 {
                buckets.push((number * 64) as u16 + word.trailing_zeros() as u16);
                word &= word - 1;
            }
        }
        Features { buckets }
    }
}
