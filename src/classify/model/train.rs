//! Trains the model: softmax regression by stochastic gradient descent. The same documents in the same order give the same bytes.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::domain::cause::Cause;

use super::{BUCKETS, CLASSES, Features, MAGIC, softmax};

const ROUNDS: usize = 40;
const RATE: f32 = 6.0;
/// Pulls weights that few documents speak for towards nothing.
const DECAY: f32 = 5e-7;
const SEED: u64 = 20_250_601;

/// One labelled text and how much it counts.
#[derive(Clone, Debug)]
pub struct Document {
    pub features: Features,
    pub cause: Cause,
    pub weight: f32,
}

/// The trained weights, as [`super::Model::load`] reads them.
pub fn train(documents: &[Document]) -> Vec<u8> {
    let mut weights = vec![0.0_f32; BUCKETS * CLASSES];
    let mut bias = [0.0_f32; CLASSES];
    let mut order: Vec<usize> = (0..documents.len()).collect();
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    for round in 0..ROUNDS {
        order.shuffle(&mut random);
        let rate = RATE / (1.0 + round as f32 * 0.25);
        for index in &order {
            step(&mut weights, &mut bias, &documents[*index], rate);
        }
        for weight in &mut weights {
            *weight *= 1.0 - DECAY * rate * documents.len() as f32;
        }
    }
    pack(&weights, &bias)
}

fn step(weights: &mut [f32], bias: &mut [f32; CLASSES], document: &Document, rate: f32) {
    let value = document.features.value();
    let mut logits = *bias;
    for bucket in document.features.buckets() {
        let row = *bucket as usize * CLASSES;
        for (logit, weight) in logits.iter_mut().zip(&weights[row..row + CLASSES]) {
            *logit += weight * value;
        }
    }
    let mut error = softmax(logits).map(|p| -p);
    if let Some(index) = Cause::ALL.iter().position(|cause| *cause == document.cause) {
        error[index] += 1.0;
    }
    let step = rate * document.weight;
    for bucket in document.features.buckets() {
        let row = *bucket as usize * CLASSES;
        for (weight, error) in weights[row..row + CLASSES].iter_mut().zip(&error) {
            *weight += step * error * value;
        }
    }
    for (bias, error) in bias.iter_mut().zip(&error) {
        *bias += step * 0.01 * error;
    }
}

/// One byte a weight, each cause on a scale of its own.
fn pack(weights: &[f32], bias: &[f32; CLASSES]) -> Vec<u8> {
    let mut scale = [0.0_f32; CLASSES];
    for row in weights.chunks_exact(CLASSES) {
        for (scale, weight) in scale.iter_mut().zip(row) {
            *scale = scale.max(weight.abs() / 127.0);
        }
    }
    let mut bytes = MAGIC.to_vec();
    for value in scale.iter().chain(bias) {
        bytes.extend_from_slice(&value.to_le_bytes());
    }
    for row in weights.chunks_exact(CLASSES) {
        for (weight, scale) in row.iter().zip(&scale) {
            let byte = if *scale > 0.0 { (weight / scale).round().clamp(-127.0, 127.0) as i8 } else { 0 };
            bytes.push(byte.cast_unsigned());
        }
    }
    bytes
}
