//! Trains the model: logistic regression by stochastic gradient descent with a rate for each bucket. The same documents in the same order
//! give the same bytes.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::redact::secrets::random::Pairs;
use crate::redact::secrets::text::{Text, Work};

use super::candidate::each;
use super::{BUCKETS, MAGIC, features};

const ROUNDS: usize = 24;
const RATE: f32 = 0.12;
/// Pulls each weight that is used towards nothing.
const DECAY: f32 = 2e-4;
const SEED: u64 = 20_250_601;

/// A text, and where its secrets stand.
pub struct Document {
    pub text: String,
    pub secrets: Vec<(usize, usize)>,
    pub weight: f32,
}

struct Example {
    buckets: Vec<u16>,
    is_secret: bool,
    weight: f32,
}

/// The trained weights, as [`super::Model::load`] reads them.
pub fn train(documents: &[Document], pairs: &Pairs) -> Vec<u8> {
    let examples: Vec<Example> = documents.iter().flat_map(|document| examples(document, pairs)).collect();
    eprintln!("{} words, {} of them secrets", examples.len(), examples.iter().filter(|example| example.is_secret).count());
    let mut weights = vec![0.0_f32; BUCKETS];
    let mut squares = vec![1e-2_f32; BUCKETS];
    let (mut bias, mut bias_square) = (-2.0_f32, 1.0_f32);
    let mut order: Vec<usize> = (0..examples.len()).collect();
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    for _ in 0..ROUNDS {
        order.shuffle(&mut random);
        for index in &order {
            let example = &examples[*index];
            let logit = bias + example.buckets.iter().map(|bucket| weights[usize::from(*bucket)]).sum::<f32>();
            let target = if example.is_secret { 1.0 } else { 0.0 };
            let error = (1.0 / (1.0 + (-logit).exp()) - target) * example.weight;
            for bucket in &example.buckets {
                let at = usize::from(*bucket);
                let slope = error + DECAY * weights[at];
                squares[at] += slope * slope;
                weights[at] -= RATE * slope / squares[at].sqrt();
            }
            bias_square += error * error;
            bias -= RATE * error / bias_square.sqrt();
        }
    }
    pack(&weights, bias)
}

/// Each word that is wholly a secret or none. A word that holds a part of one says neither.
fn examples(document: &Document, pairs: &Pairs) -> Vec<Example> {
    let work = Work::default();
    let text = Text::new(&document.text, &work);
    let mut found = Vec::new();
    each(
        text,
        pairs,
        |_, _| true,
        |unit| {
            let mut buckets = Vec::new();
            features::of(text, unit, &mut buckets);
            let overlap = document
                .secrets
                .iter()
                .map(|(from, to)| (unit.end.min(*to).saturating_sub(unit.start.max(*from)), to - from))
                .find(|(shared, _)| *shared > 0);
            let is_secret = overlap.is_some_and(|(shared, length)| 10 * shared >= 6 * (unit.end - unit.start) || 10 * shared >= 6 * length);
            if is_secret || overlap.is_none() {
                found.push(Example { buckets, is_secret, weight: document.weight });
            }
        },
    );
    found
}

/// One byte a weight.
fn pack(weights: &[f32], bias: f32) -> Vec<u8> {
    let scale = weights.iter().fold(0.0_f32, |scale, weight| scale.max(weight.abs())) / 127.0;
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&scale.to_le_bytes());
    bytes.extend_from_slice(&bias.to_le_bytes());
    bytes.extend(weights.iter().map(|weight| ((weight / scale).round().clamp(-127.0, 127.0) as i8).cast_unsigned()));
    bytes
}
