//! The demo's time: a day of the past, replayed; then the system's own.

use gridwalk_domain::{BootId, Clock, Moment};
use gridwalk_system::SystemClock;
use std::sync::atomic::{AtomicI64, Ordering};

/// The time of the demo's world, turned by its driver.
///
/// While the day is replayed it stands where the driver put it; after
/// [`WorldClock::go_live`] it is the system's. Its monotonic clock goes along,
/// so that phones and server see one long boot without a jump.
pub(crate) struct WorldClock {
    boot: BootId,
    started_ms: i64,
    replay_ms: AtomicI64,
    system: SystemClock,
}

/// What `replay_ms` holds once the clock is the system's.
const LIVE: i64 = i64::MIN;

impl WorldClock {
    /// A clock that stands at `start_ms`, an hour after `boot`.
    pub(crate) fn new(start_ms: i64, boot: BootId) -> Self {
        let system = SystemClock::new();
        Self {
            boot,
            started_ms: start_ms,
            replay_ms: AtomicI64::new(start_ms),
            system,
        }
    }

    /// Puts the clock forward to `wall_ms`.
    pub(crate) fn advance_to(&self, wall_ms: i64) {
        self.replay_ms.fetch_max(wall_ms, Ordering::SeqCst);
    }

    /// From now on it is the system's.
    pub(crate) fn go_live(&self) {
        self.replay_ms.store(LIVE, Ordering::SeqCst);
    }
}

impl Clock for WorldClock {
    fn now(&self) -> Moment {
        let wall_ms = match self.replay_ms.load(Ordering::SeqCst) {
            LIVE => self.system.now().wall_ms,
            replayed => replayed,
        };
        Moment {
            wall_ms,
            boot: self.boot,
            mono_ms: wall_ms - self.started_ms + 3_600_000,
        }
    }
}
