//! Chance from the seed. Each question has its own generator, so that the answer to one does not depend on how many others were asked
//! before: a run's fate is the same whoever polls how often.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use sha2::{Digest, Sha256};

#[derive(Clone, Copy, Debug)]
pub struct Chance {
    seed: u64,
}

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// The generator of question `n` of the kind `about`.
    pub fn about(self, about: &str, n: u64) -> ChaCha8Rng {
        let mut hash = Sha256::new();
        hash.update(self.seed.to_le_bytes());
        hash.update(n.to_le_bytes());
        hash.update(about.as_bytes());
        ChaCha8Rng::from_seed(hash.finalize().into())
    }

    /// True with probability `p`.
    pub fn happens(self, about: &str, n: u64, p: f64) -> bool {
        self.about(about, n).random::<f64>() < p
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_itself_and_questions_are_independent() {
        let draw = |seed: u64, about: &str, n: u64| Chance::new(seed).about(about, n).random::<u64>();
        assert_eq!(draw(1, "traffic", 3), draw(1, "traffic", 3));
        assert_ne!(draw(1, "traffic", 3), draw(2, "traffic", 3));
        assert_ne!(draw(1, "traffic", 3), draw(1, "traffic", 4));
        assert_ne!(draw(1, "traffic", 3), draw(1, "rerun", 3));
    }
}
