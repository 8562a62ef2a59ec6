//! Virtual time: the true one, the server's, and what phones take it for.

use gridwalk_domain::{BootId, Clock, Moment};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// 2026-11-21 08:00 in Linyi: when every run begins.
pub const MORNING_MS: i64 = 1_795_219_200_000;
/// Milliseconds of a second.
pub const SECOND: i64 = 1000;
/// Milliseconds of a minute.
pub const MINUTE: i64 = 60 * SECOND;
/// Milliseconds of an hour.
pub const HOUR: i64 = 60 * MINUTE;
/// Milliseconds of a day.
pub const DAY: i64 = 24 * HOUR;

/// The true time, as nobody but the simulation knows it.
#[derive(Clone)]
pub struct Time(Arc<AtomicI64>);

impl Time {
    /// It is morning.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(AtomicI64::new(MORNING_MS)))
    }

    /// Milliseconds since 1970 (UTC).
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Time passes up to this moment; it never goes back.
    pub fn pass_to(&self, ms: i64) {
        self.0.fetch_max(ms, Ordering::Relaxed);
    }
}

impl Default for Time {
    fn default() -> Self {
        Self::new()
    }
}

/// The server's clock is right.
pub(crate) struct ServerClock(pub(crate) Time);

impl Clock for ServerClock {
    fn now(&self) -> Moment {
        let wall_ms = self.0.now_ms();
        Moment {
            wall_ms,
            boot: BootId::from_bytes([0xff; 16]),
            mono_ms: wall_ms - MORNING_MS + HOUR,
        }
    }
}

/// The clocks of a phone: a wall clock that may be years off and jumps, a
/// monotonic one that drifts and begins anew with each boot.
pub struct PhoneClock {
    time: Time,
    kept: Mutex<Kept>,
}

#[derive(Clone, Copy)]
struct Kept {
    ahead_ms: i64,
    drift_ppm: i64,
    boot: BootId,
    booted_ms: i64,
}

impl PhoneClock {
    /// A clock that is so far ahead of the true one, and whose monotonic one
    /// runs fast by so many millionths.
    #[must_use]
    pub fn new(time: &Time, ahead_ms: i64, drift_ppm: i64, boot: BootId) -> Self {
        let kept = Kept {
            ahead_ms,
            drift_ppm,
            boot,
            booted_ms: time.now_ms() - HOUR,
        };
        Self {
            time: time.clone(),
            kept: Mutex::new(kept),
        }
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the wall clock.
    pub fn set_ahead(&self, ms: i64) {
        self.kept().ahead_ms = ms;
    }

    /// The phone starts.
    pub fn boot(&self, boot: BootId) {
        let mut kept = self.kept();
        kept.boot = boot;
        kept.booted_ms = self.time.now_ms();
    }
}

impl Clock for PhoneClock {
    fn now(&self) -> Moment {
        let (now_ms, kept) = (self.time.now_ms(), *self.kept());
        let since = now_ms - kept.booted_ms;
        Moment {
            wall_ms: now_ms + kept.ahead_ms,
            boot: kept.boot,
            mono_ms: since + since * kept.drift_ppm / 1_000_000,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phones_clocks_go_their_own_ways() {
        let time = Time::new();
        let clock = PhoneClock::new(&time, -DAY, 100, BootId::from_bytes([1; 16]));
        time.pass_to(MORNING_MS + HOUR);
        let now = clock.now();
        assert_eq!(now.wall_ms, MORNING_MS + HOUR - DAY);
        assert_eq!(now.mono_ms, 2 * HOUR + 720);
        clock.boot(BootId::from_bytes([2; 16]));
        assert_eq!(clock.now().mono_ms, 0);
        time.pass_to(0);
        assert_eq!(time.now_ms(), MORNING_MS + HOUR, "it never goes back");
    }
}
