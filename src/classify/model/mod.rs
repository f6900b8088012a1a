//! A small statistical model beside the rules, for texts that no rule knows: a linear model over hashed words and word pairs.
//! It is trained by [`train`] from labelled failures and from the rules' own phrases, and its weights are part of the program.

mod features;
mod terms;
mod train;

use crate::domain::cause::Cause;

use super::reading::Page;

pub use features::Features;
pub use train::{Document, train};

/// Words and pairs of words fall into so many buckets.
const BUCKETS: usize = 1 << 16;
const CLASSES: usize = Cause::ALL.len();
const MAGIC: &[u8; 4] = b"RMW2";
/// A bucket's weights in memory: as wide as the machine adds at once, and never across two lines of its cache.
const ROW: usize = 16;
const HEAD: usize = 4 + CLASSES * 8;

/// The weights: one byte for each bucket and cause.
pub struct Model {
    scale: [f32; CLASSES],
    bias: [f32; CLASSES],
    weights: Vec<[i8; ROW]>,
}

impl Model {
    /// `None` where the bytes are no model of this build.
    pub fn load(bytes: &[u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(MAGIC)?;
        if bytes.len() != HEAD + BUCKETS * CLASSES {
            return None;
        }
        let mut floats = rest.chunks_exact(4).map(|four| f32::from_le_bytes(four.try_into().unwrap_or_default()));
        let mut scale = [0.0; CLASSES];
        let mut bias = [0.0; CLASSES];
        for value in scale.iter_mut().chain(&mut bias) {
            *value = floats.next()?;
        }
        let rows = bytes.get(HEAD..)?.chunks_exact(CLASSES).map(|row| {
            let mut wide = [0; ROW];
            for (weight, byte) in wide.iter_mut().zip(row) {
                *weight = byte.cast_signed();
            }
            wide
        });
        Some(Self { scale, bias, weights: rows.collect() })
    }

    /// How likely each cause is by the words alone, in the order of [`Cause::ALL`]. All equal where the model knows none of the words.
    pub fn read(&self, pages: &[Page<'_>]) -> [f32; CLASSES] {
        self.judge(&Features::of_pages(pages))
    }

    pub fn judge(&self, features: &Features) -> [f32; CLASSES] {
        // Sixteen bits are enough: only hundreds of words that all weigh the utmost would meet their end, and stay there.
        let mut sums = [0_i16; ROW];
        for row in features.buckets().iter().filter_map(|bucket| self.weights.get(*bucket as usize)) {
            for (sum, weight) in sums.iter_mut().zip(row) {
                *sum = sum.saturating_add(i16::from(*weight));
            }
        }
        let value = features.value();
        let mut logits = [0.0; CLASSES];
        for (index, logit) in logits.iter_mut().enumerate() {
            *logit = self.bias[index] + self.scale[index] * f32::from(sums[index]) * value;
        }
        softmax(logits)
    }
}

fn softmax(logits: [f32; CLASSES]) -> [f32; CLASSES] {
    let top = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers = logits.map(|logit| (logit - top).exp());
    let total: f32 = powers.iter().sum();
    powers.map(|power| power / total)
}
