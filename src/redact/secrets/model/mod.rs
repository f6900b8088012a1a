//! A statistical look at what no rule knows: a linear model over the form of a word and the words around it. It is trained by [`train`] from
//! the same lines that the rules are tested with, and its weights are part of the program.

mod candidate;
mod features;
#[cfg(test)]
mod train;

use super::found::Found;
use super::random::Pairs;
use super::text::Text;

#[cfg(test)]
pub use train::{Document, train};

/// What the model calls what it finds.
pub const KIND: &str = "secret";
/// Features fall into so many buckets.
const BUCKETS: usize = 1 << 16;
const MAGIC: &[u8; 4] = b"RMR1";
const HEAD: usize = 12;
/// From this on a word is taken for a secret, as the logarithm of the odds; see the table of thresholds in `assets/model/README.md`.
const SECRET_MIN: f32 = 0.5;
/// The same for what hashes and ids look like too.
const DIGEST_MIN: f32 = 2.0;

/// The weights: one byte a bucket.
pub struct Model {
    scale: f32,
    bias: f32,
    weights: Vec<i8>,
}

impl Default for Model {
    /// The weights of this build. Without them, which a test rules out, nothing is found here.
    fn default() -> Self {
        Self::load(include_bytes!("../../../../assets/model/redaction.bin")).unwrap_or(Self {
            scale: 0.0,
            bias: f32::MIN,
            weights: Vec::new(),
        })
    }
}

impl Model {
    /// `None` where the bytes are no model of this build.
    pub fn load(bytes: &[u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(MAGIC)?;
        if bytes.len() != HEAD + BUCKETS {
            return None;
        }
        let mut floats = rest.chunks_exact(4).map(|four| f32::from_le_bytes(four.try_into().unwrap_or_default()));
        let (scale, bias) = (floats.next()?, floats.next()?);
        Some(Self { scale, bias, weights: bytes.get(HEAD..)?.iter().map(|byte| byte.cast_signed()).collect() })
    }

    /// Adds each word that the model takes for a secret, and that is not known for one.
    pub fn find(&self, text: Text<'_>, pairs: &Pairs, all: &mut Vec<Found>) {
        let mut buckets = Vec::with_capacity(96);
        let mut known: Vec<(usize, usize)> = all.iter().map(|found| (found.start, found.end)).collect();
        known.sort_unstable();
        // The furthest end so far: one that starts before a word may reach into it.
        let mut reach = 0;
        for place in &mut known {
            reach = reach.max(place.1);
            place.1 = reach;
        }
        let is_new = |start: usize, end: usize| {
            let before = known.partition_point(|place| place.0 < end);
            before.checked_sub(1).and_then(|last| known.get(last)).is_none_or(|place| place.1 <= start)
        };
        candidate::each(text, pairs, is_new, |unit| {
            buckets.clear();
            features::of(text, unit, &mut buckets);
            let least = if unit.is_digest { DIGEST_MIN } else { SECRET_MIN };
            if self.odds(&buckets) >= least {
                let words = text.slice(unit.start, unit.end).to_owned();
                all.push(Found { start: unit.start, end: unit.end, kind: KIND, words });
            }
        });
    }

    /// How much more likely a secret than none, as the logarithm of the odds.
    fn odds(&self, buckets: &[u16]) -> f32 {
        let sum: i32 = buckets.iter().filter_map(|bucket| self.weights.get(usize::from(*bucket))).map(|weight| i32::from(*weight)).sum();
        self.bias + self.scale * sum as f32
    }
}
