//! When things happened, on the server's time line.
//!
//! Phones' wall clocks are wrong by minutes, a day, twenty years; their
//! monotonic clocks are not. At a boot's first `hello` the server fixes once
//! when that boot's monotonic clock stood at 0; every time of that boot follows
//! from it. A boot that never said hello has only its wall clock, which is
//! believed up to the present.

use gridwalk_domain::{BootId, Moment};
use gridwalk_store::BootRow;
use std::collections::HashMap;

/// A wall clock this near to the server's is believed to the millisecond: what
/// differs is the network's delay, rather.
const AGREES_MS: i64 = 5_000;

/// When the boot's monotonic clock stood at 0.
pub(super) fn start_of(boot: &Moment, server_ms: i64) -> BootRow {
    let now = if boot.wall_ms.abs_diff(server_ms) <= AGREES_MS.unsigned_abs() {
        boot.wall_ms
    } else {
        server_ms
    };
    BootRow {
        boot: boot.boot,
        start_ms: now.saturating_sub(boot.mono_ms),
    }
}

/// The boots of one phone.
pub(super) struct Boots(HashMap<BootId, i64>);

impl Boots {
    pub(super) fn new(rows: Vec<BootRow>) -> Self {
        Self(
            rows.into_iter()
                .map(|row| (row.boot, row.start_ms))
                .collect(),
        )
    }

    /// When `at` was, as well as the server knows; never after `server_ms`.
    pub(super) fn correct(&self, at: &Moment, server_ms: i64) -> i64 {
        let known = self.0.get(&at.boot);
        let corrected = known.map_or(at.wall_ms, |start| start.saturating_add(at.mono_ms));
        corrected.min(server_ms.saturating_add(AGREES_MS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVER: i64 = 1_763_769_600_000;

    fn at(boot: u8, wall_ms: i64, mono_ms: i64) -> Moment {
        Moment {
            wall_ms,
            boot: BootId::from_bytes([boot; 16]),
            mono_ms,
        }
    }

    #[test]
    fn twenty_years_off_is_put_right_and_a_good_clock_is_left_alone() {
        let wrong = SERVER - 20 * 365 * 86_400_000;
        let good = at(1, SERVER - 800, 1_000_000);
        let bad = at(2, wrong, 500_000);
        let boots = Boots::new(vec![start_of(&good, SERVER), start_of(&bad, SERVER)]);
        let before = |of: &Moment| {
            at(
                of.boot.as_bytes()[0],
                of.wall_ms - 60_000,
                of.mono_ms - 60_000,
            )
        };
        assert_eq!(boots.correct(&before(&good), SERVER), SERVER - 60_800);
        assert_eq!(boots.correct(&before(&bad), SERVER), SERVER - 60_000);
        // The wall clock jumped within the boot: the monotonic one did not.
        assert_eq!(boots.correct(&at(1, 0, 1_000_000), SERVER), SERVER - 800);
    }

    #[test]
    fn a_lone_wall_clock_is_believed_up_to_the_present() {
        let boots = Boots::new(vec![]);
        assert_eq!(boots.correct(&at(3, SERVER - 5, 0), SERVER), SERVER - 5);
        assert_eq!(
            boots.correct(&at(3, SERVER + 86_400_000, 0), SERVER),
            SERVER + AGREES_MS
        );
    }
}
