//! Time and randomness are parameters.
//!
//! Everything but the mains takes them from here, so that phones and server
//! together run the same way again from the same seed.

use serde::{Deserialize, Serialize};

use crate::BootId;

/// The clocks of one phone or server at one instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// The wall clock: milliseconds since 1970 (UTC). Phones are wrong by
    /// minutes, by a day, by twenty years.
    pub wall_ms: i64,
    /// The system start that `mono_ms` counts from.
    pub boot: BootId,
    /// The monotonic clock, counting sleep: milliseconds since `boot`.
    pub mono_ms: i64,
}

/// Where the time comes from.
pub trait Clock: Send + Sync {
    /// All clocks, read at once.
    fn now(&self) -> Moment;
}

/// Where randomness comes from: the system's entropy in production.
pub trait Rng: Send + Sync {
    /// Fills `out` with random bytes.
    fn fill(&self, out: &mut [u8]);
}

impl dyn Rng + '_ {
    /// `N` random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut out = [0; N];
        self.fill(&mut out);
        out
    }
}

#[cfg(test)]
#[derive(Default)]
pub(crate) struct CountingRng(std::sync::atomic::AtomicU64);

#[cfg(test)]
impl Rng for CountingRng {
    fn fill(&self, out: &mut [u8]) {
        for chunk in out.chunks_mut(8) {
            let n = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            // A fixed odd multiplier spreads the count over all bytes.
            let bytes = n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes();
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
    }
}
