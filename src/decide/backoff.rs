//! How long to wait before a re-run: exponential, bounded, with seeded jitter so that a storm does not come back as one wave.

use std::time::Duration;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::Retry;

/// The wait before re-run number `done + 1`. At most `max_delay`, jitter included.
pub fn delay(retry: &Retry, done: u32, seed: u64) -> Duration {
    let max = retry.max_delay.as_secs_f64();
    let grown = (retry.base_delay.as_secs_f64() * retry.factor.powi(done.min(64) as i32)).min(max);
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let swing = 1.0 + retry.jitter.clamp(0.0, 1.0) * random.random_range(-1.0..=1.0);
    let seconds = (grown * swing).clamp(0.0, max);
    // Whole milliseconds, so that the wait shown is the wait kept.
    Duration::from_millis(if seconds.is_finite() { (seconds * 1000.0) as u64 } else { 0 })
}

/// `45s`, `1m40s`, `2h05m`.
pub fn words(delay: Duration) -> String {
    match delay.as_secs() {
        0 => format!("{}ms", delay.as_millis()),
        s @ 1..60 => format!("{s}s"),
        s @ 60..3600 => format!("{}m{:02}s", s / 60, s % 60),
        s => format!("{}h{:02}m", s / 3600, s % 3600 / 60),
    }
}
