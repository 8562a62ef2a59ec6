//! When to sync next.
//!
//! The shells ask; the answer comes from what is stored: how the last sync
//! went, what the server asked for, and what is unsent. There always is an
//! answer that comes true, so that nothing unsent waits for ever. A wait is
//! measured by the monotonic clock; over a restart of the system by whichever
//! clock says that more time has passed: no clock that somebody sets makes it
//! longer than it was.

use gridwalk_domain::{Moment, Rng};
use rusqlite::{Connection, Transaction, params};
use serde::{Deserialize, Serialize};

use crate::account;
use crate::core::Core;
use crate::error::Inner;
use crate::policy::{Network, Policy};
use crate::store::meta::{self, name};

/// With nothing to send, how often to look what came down.
const IDLE_MS: i64 = 15 * 60_000;
/// The first wait after a failure is below twice this, and doubles.
const FIRST_MS: i64 = 5_000;
/// The longest wait after failures, unless the server asks for more.
const LONGEST_MS: i64 = 15 * 60_000;

/// When to sync next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NextSync {
    /// At once.
    Now,
    /// In so long, by a clock that counts sleep, or when something is saved:
    /// ask again then.
    In {
        /// Milliseconds.
        ms: i64,
    },
    /// As soon as there is a network.
    WhenOnline,
    /// Not at all: nobody uses this phone, and nothing is left on it.
    Never,
}

/// What is known of past syncs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Schedule {
    /// Failures in a row; a sync that got something done begins a new row.
    failures: u32,
    /// When the last one ended.
    ended: Option<Moment>,
    /// No sync by itself before so long after that.
    wait_ms: i64,
    /// None by hand either: the server asked for it.
    ordered_ms: i64,
    /// Up to where the last sync went.
    seen: Seen,
}

/// The last rows that a sync went through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Seen {
    op: i64,
    chunk: i64,
    blob: i64,
    /// The same of attachments, where thumbnails alone were sent.
    thumb: i64,
}

/// How a sync ended, as far as the next one is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// It went through, or as far as its budget did.
    Well {
        /// The server asked for no further request so soon.
        wait_ms: i64,
    },
    Failed {
        /// Something was sent or came down all the same.
        got_on: bool,
        /// What the server asked for.
        wait_ms: i64,
    },
}

impl Schedule {
    pub(crate) fn load(conn: &Connection) -> Inner<Self> {
        Ok(meta::get(conn, name::SCHEDULE)?.unwrap_or_default())
    }

    pub(crate) fn store(&self, tx: &Transaction<'_>) -> Inner<()> {
        meta::put(tx, name::SCHEDULE, self)
    }

    /// How long no request may be made, by the server's word.
    pub(crate) fn ordered_ms(&self, now: Moment) -> Option<i64> {
        self.left(self.ordered_ms, now)
    }

    /// What of a wait after the last sync is left.
    fn left(&self, wait_ms: i64, now: Moment) -> Option<i64> {
        let left = wait_ms - passed(self.ended?, now);
        (left > 0).then_some(left)
    }

    /// A sync ended that had gone through what was there up to `seen`.
    pub(crate) fn note(&mut self, now: Moment, ended: Ended, seen: Seen, rng: &dyn Rng) {
        self.ended = Some(now);
        match ended {
            Ended::Well { wait_ms } => {
                self.failures = 0;
                self.wait_ms = wait_ms;
                self.ordered_ms = wait_ms;
                self.seen = seen;
            }
            Ended::Failed { got_on, wait_ms } => {
                self.failures = if got_on {
                    1
                } else {
                    self.failures.saturating_add(1)
                };
                self.wait_ms = wait_ms.max(jitter(self.failures, rng));
                self.ordered_ms = wait_ms;
            }
        }
    }

    /// There is a network again: what failed for want of it need not wait.
    pub(crate) fn network_returned(&mut self) {
        self.failures = self.failures.min(1);
        self.wait_ms = self.ordered_ms;
    }

    fn next(&self, now: Moment, network: Network, new: bool) -> NextSync {
        if network == Network::None {
            return NextSync::WhenOnline;
        }
        if let Some(ms) = self.left(self.wait_ms, now) {
            return NextSync::In { ms };
        }
        if self.failures > 0 || new {
            return NextSync::Now;
        }
        match self.left(IDLE_MS, now) {
            Some(ms) => NextSync::In { ms },
            None => NextSync::Now,
        }
    }
}

/// How long ago something was: never less than what the clocks prove.
fn passed(then: Moment, now: Moment) -> i64 {
    if then.boot == now.boot {
        let passed = now.mono_ms - then.mono_ms;
        return if passed < 0 { i64::MAX } else { passed };
    }
    now.mono_ms.max(now.wall_ms.saturating_sub(then.wall_ms))
}

/// Full jitter, so that phones which lost the server together do not come back
/// together.
fn jitter(failures: u32, rng: &dyn Rng) -> i64 {
    let ceiling = (FIRST_MS << failures.min(20)).min(LONGEST_MS);
    let drawn = u128::from(u64::from_be_bytes(rng.bytes()));
    let scaled = (drawn * u128::from(ceiling.unsigned_abs() + 1)) >> 64;
    i64::try_from(scaled).unwrap_or(ceiling)
}

/// The last rows there are, of what may be sent over this network; of the rest,
/// what an earlier sync went through.
pub(crate) fn seen(core: &Core, network: Network) -> Inner<Seen> {
    let policy = Policy::load(&core.conn)?;
    let last = |table: &str| -> Inner<i64> {
        let sql = format!("SELECT coalesce(max(n), 0) FROM {table}");
        Ok(core.conn.query_row(&sql, [], |row| row.get(0))?)
    };
    let before = core.schedule.seen;
    Ok(Seen {
        op: last("op")?,
        chunk: match policy.sends_routes(network) {
            true => last("chunk")?,
            false => before.chunk,
        },
        blob: match policy.sends_photos(network) {
            true => last("blob")?,
            false => before.blob,
        },
        thumb: last("blob")?,
    })
}

/// Whether something is unsent that no sync went through yet, and that may be
/// sent over this network.
fn something_new(core: &Core, network: Network) -> Inner<bool> {
    let policy = Policy::load(&core.conn)?;
    let seen = core.schedule.seen;
    let mut query = core.conn.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM op WHERE state = 'ready' AND parked_ms IS NULL AND n > ?1)
             OR ?4 AND EXISTS (SELECT 1 FROM chunk WHERE state = 'ready' AND parked_ms IS NULL AND n > ?2)
             OR ?5 AND EXISTS (SELECT 1 FROM blob WHERE state = 'ready' AND parked_ms IS NULL AND n > ?3)
             OR EXISTS (SELECT 1 FROM blob WHERE state = 'ready' AND parked_ms IS NULL
                        AND thumb_of IS NOT NULL AND n > ?6)",
    )?;
    let (routes, photos) = (policy.sends_routes(network), policy.sends_photos(network));
    let values = params![seen.op, seen.chunk, seen.blob, routes, photos, seen.thumb];
    Ok(query.query_row(values, |row| row.get(0))?)
}

/// When to sync next.
pub(crate) fn next(core: &Core, now: Moment, network: Network) -> Inner<NextSync> {
    if core.me.is_none() && account::leaving(&core.conn)?.is_empty() {
        return Ok(NextSync::Never);
    }
    let new = something_new(core, network)?;
    Ok(core.schedule.next(now, network, new))
}

#[cfg(test)]
mod tests {
    use super::*;
    use gridwalk_domain::BootId;

    struct Fixed(u8);
    impl Rng for Fixed {
        fn fill(&self, out: &mut [u8]) {
            out.fill(self.0);
        }
    }

    fn at(boot: u8, wall_ms: i64, mono_ms: i64) -> Moment {
        Moment {
            wall_ms,
            boot: BootId::from_bytes([boot; 16]),
            mono_ms,
        }
    }

    fn failed(wait_ms: i64) -> Ended {
        Ended::Failed {
            got_on: false,
            wait_ms,
        }
    }

    fn after(failures: usize, rng: &Fixed) -> Schedule {
        let mut schedule = Schedule::default();
        for _ in 0..failures {
            schedule.note(at(1, 0, 0), failed(0), Seen::default(), rng);
        }
        schedule
    }

    #[test]
    fn waits_after_failures_are_random_below_a_ceiling_that_doubles_up_to_a_quarter_of_an_hour() {
        for (failures, ceiling) in [
            (1, 10_000),
            (2, 20_000),
            (5, 160_000),
            (8, 900_000),
            (99, 900_000),
        ] {
            assert_eq!(after(failures, &Fixed(0xff)).wait_ms, ceiling);
            let half = after(failures, &Fixed(0x80)).wait_ms;
            assert!((half - ceiling * 128 / 255).abs() <= 1, "{half}");
            assert_eq!(after(failures, &Fixed(0)).wait_ms, 0);
        }
        let mut schedule = after(7, &Fixed(0xff));
        let got_on = Ended::Failed {
            got_on: true,
            wait_ms: 0,
        };
        schedule.note(at(1, 0, 0), got_on, Seen::default(), &Fixed(0xff));
        assert_eq!(schedule.wait_ms, 10_000, "a new row");
    }

    #[test]
    fn retry_after_is_kept_where_it_is_longer_and_by_hand_too() {
        let mut schedule = Schedule::default();
        schedule.note(at(1, 0, 0), failed(120_000), Seen::default(), &Fixed(0xff));
        assert_eq!(schedule.wait_ms, 120_000);
        assert_eq!(schedule.ordered_ms(at(1, 0, 1_000)), Some(119_000));
        assert_eq!(schedule.ordered_ms(at(1, 0, 120_000)), None);
        schedule.network_returned();
        assert_eq!(
            schedule.next(at(1, 0, 0), Network::Metered, true),
            NextSync::In { ms: 120_000 }
        );
    }

    #[test]
    fn a_network_that_returns_ends_the_wait_after_failures() {
        let mut schedule = after(9, &Fixed(0xff));
        let now = at(1, 0, 100);
        assert_eq!(
            schedule.next(now, Network::Unmetered, true),
            NextSync::In { ms: 899_900 }
        );
        assert_eq!(
            schedule.next(now, Network::None, true),
            NextSync::WhenOnline
        );
        schedule.network_returned();
        assert_eq!(schedule.next(now, Network::Unmetered, true), NextSync::Now);
    }

    #[test]
    fn what_is_new_goes_at_once_and_nothing_new_every_quarter_of_an_hour() {
        let mut schedule = Schedule::default();
        let next =
            |schedule: &Schedule, mono, new| schedule.next(at(1, 0, mono), Network::Unmetered, new);
        assert_eq!(next(&schedule, 0, false), NextSync::Now, "never synced");
        schedule.note(
            at(1, 0, 0),
            Ended::Well { wait_ms: 0 },
            Seen::default(),
            &Fixed(9),
        );
        assert_eq!(next(&schedule, 60_000, false), NextSync::In { ms: 840_000 });
        assert_eq!(next(&schedule, 60_000, true), NextSync::Now);
        assert_eq!(next(&schedule, 900_000, false), NextSync::Now);
    }

    #[test]
    fn no_clock_that_is_set_and_no_restart_makes_a_wait_longer() {
        let schedule = after(9, &Fixed(0xff));
        let next = |now| schedule.next(now, Network::Unmetered, false);
        let year = 365 * 24 * 3_600_000_i64;
        for wall in [-20 * year, 0, 20 * year] {
            assert_eq!(next(at(1, wall, 60_000)), NextSync::In { ms: 840_000 });
        }
        // After a restart the wall clock counts where it says more.
        assert_eq!(
            next(at(2, -20 * year, 60_000)),
            NextSync::In { ms: 840_000 }
        );
        assert_eq!(next(at(2, 20 * year, 60_000)), NextSync::Now);
        assert_eq!(next(at(2, 500_000, 60_000)), NextSync::In { ms: 400_000 });
        assert_eq!(next(at(1, 0, -5)), NextSync::Now, "a clock that is broken");
    }
}
