//! The system's clocks and entropy: the one place that reads them.
//!
//! The mains (`gridwalk`, `gridwalk-server`, the bindings, the demo) plug these
//! into the seams of `gridwalk-domain`; nothing else depends on this crate.

use gridwalk_domain::{BootId, Clock, Moment, Rng, Sha256};
use rustix::time::{ClockId, clock_gettime};
use std::time::{SystemTime, UNIX_EPOCH};

/// The system's clocks.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    boot: BootId,
}

/// The system's entropy could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoEntropy;

/// The clock that counts milliseconds since the system's start, its sleep
/// included.
#[cfg(any(target_os = "linux", target_os = "android"))]
const SINCE_BOOT: ClockId = ClockId::Boottime;
/// On Apple's systems the monotonic clock itself counts sleep.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const SINCE_BOOT: ClockId = ClockId::Monotonic;

impl SystemClock {
    /// Finds out which start of the system this is.
    #[must_use]
    pub fn new() -> Self {
        Self { boot: boot_id() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Moment {
        Moment {
            wall_ms: wall_ms(),
            boot: self.boot,
            mono_ms: mono_ms(),
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this crate is where the clock is read"
)]
fn wall_ms() -> i64 {
    let signed = |duration: std::time::Duration| i64::try_from(duration.as_millis()).unwrap_or(0);
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => signed(since),
        Err(before) => -signed(before.duration()),
    }
}

fn mono_ms() -> i64 {
    let now = clock_gettime(SINCE_BOOT);
    now.tv_sec * 1000 + now.tv_nsec / 1_000_000
}

/// Linux names each start; where it does not tell (some phones forbid to ask),
/// the second at which the system started names it well enough: two starts
/// within one second do not happen.
fn boot_id() -> BootId {
    let told = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok();
    if let Some(id) = told.and_then(|text| text.trim().parse().ok()) {
        return id;
    }
    let started_s = (wall_ms() - mono_ms()) / 1000;
    let hash = Sha256::of(&started_s.to_be_bytes()).0;
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    BootId::from_bytes(bytes)
}

/// The system's entropy.
#[derive(Clone, Copy, Debug)]
pub struct SystemRng(());

impl SystemRng {
    /// Makes sure that there is entropy.
    ///
    /// # Errors
    /// [`NoEntropy`] where the system gives none: nothing must run then.
    pub fn new() -> Result<Self, NoEntropy> {
        let mut probe = [0; 16];
        draw(&mut probe).map(|()| Self(()))
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this crate is where entropy is read"
)]
fn draw(out: &mut [u8]) -> Result<(), NoEntropy> {
    getrandom::fill(out).map_err(|_| NoEntropy)
}

impl Rng for SystemRng {
    /// # Panics
    /// Where the system, having given entropy before, gives none: an id drawn
    /// from anything else could name two things.
    fn fill(&self, out: &mut [u8]) {
        assert!(draw(out).is_ok(), "the system gives no entropy any more");
    }
}

impl std::fmt::Display for NoEntropy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the system gives no entropy; ids and keys cannot be drawn safely")
    }
}

impl std::error::Error for NoEntropy {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_goes_forward_within_one_boot() {
        let clock = SystemClock::new();
        let (a, b) = (clock.now(), clock.now());
        assert_eq!(a.boot, b.boot);
        assert_eq!(a.boot, SystemClock::new().now().boot);
        assert!(b.mono_ms >= a.mono_ms && a.mono_ms > 0);
        assert!(a.wall_ms > 1_700_000_000_000);
    }

    #[test]
    fn two_draws_differ() {
        let rng = SystemRng::new().expect("entropy");
        let rng: &dyn Rng = &rng;
        assert_ne!(rng.bytes::<32>(), rng.bytes::<32>());
    }
}
