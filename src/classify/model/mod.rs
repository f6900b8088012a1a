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
const HEAD: usize = 4 + CLASSES * 8;

/// The weights: one byte for each bucket and cause.
pub struct Model {
    scale: [f32; CLASSES],
    bias: [f32; CLASSES],
    weights: Vec<i8>,
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
        Some(Self { scale, bias, weights: bytes.get(HEAD..)?.iter().map(|byte| byte.cast_signed()).collect() })
    }

    /// How likely each cause is by the words alone, in the order of [`Cause::ALL`]. All equal where the model knows none of the words.
    pub fn read(&self, pages: &[Page<'_>]) -> [f32; CLASSES] {
        self.judge(&Features::of_pages(pages))
    }

    pub fn judge(&self, features: &Features) -> [f32; CLASSES] {
        let mut sums = [0_i32; CLASSES];
        for bucket in features.buckets() {
            let row = *bucket as usize * CLASSES;
            if let Some(weights) = self.weights.get(row..row + CLASSES) {
                for (sum, weight) in sums.iter_mut().zip(weights) {
                    *sum += i32::from(*weight);
                }
            }
        }
        let value = features.value();
        let mut logits = [0.0; CLASSES];
        for (index, logit) in logits.iter_mut().enumerate() {
            *logit = self.bias[index] + self.scale[index] * sums[index] as f32 * value;
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
