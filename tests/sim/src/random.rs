//! Randomness by seed.

use gridwalk_domain::Rng;
use std::sync::{Mutex, PoisonError};

/// What a phone or the server takes for the system's entropy.
pub struct Seeded(Mutex<fastrand::Rng>);

impl Seeded {
    /// The same numbers for the same seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(fastrand::Rng::with_seed(seed)))
    }
}

impl Rng for Seeded {
    fn fill(&self, out: &mut [u8]) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .fill(out);
    }
}

/// What chance decides, in words.
pub(crate) trait Chance {
    /// True with this probability.
    fn happens(&mut self, probability: f64) -> bool;
    /// A time around `mean`: mostly shorter, now and then much longer.
    fn about(&mut self, mean_ms: i64) -> i64;
    /// One of these; none where there is none.
    fn one_of<T: Copy>(&mut self, of: &[T]) -> Option<T>;
}

impl Chance for fastrand::Rng {
    fn happens(&mut self, probability: f64) -> bool {
        self.f64() < probability
    }

    fn about(&mut self, mean_ms: i64) -> i64 {
        // Exponential, cut at eight times the mean.
        let times = -(1.0 - self.f64()).ln();
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            reason = "times of minutes"
        )]
        let ms = (mean_ms as f64 * times.min(8.0)) as i64;
        ms.max(1)
    }

    fn one_of<T: Copy>(&mut self, of: &[T]) -> Option<T> {
        (!of.is_empty()).then(|| of[self.usize(0..of.len())])
    }
}
