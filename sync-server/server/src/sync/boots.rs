//! When things happened, on the server's time line.
//!
//! Phones' wall clocks are wrong by minutes, a day, twenty years; their
//! monotonic clocks are not, but begin anew with each start of the system. The
//! server fixes once, for each start, when its monotonic clock stood at 0; every
//! time of that start follows from it. One that was never told of has only its
//! wall clock, which is believed up to the present.

use gridwalk_domain::wire::{BootSpan, Reading};
use gridwalk_domain::{BootId, Moment};
use gridwalk_store::BootRow;
use std::collections::BTreeMap;

/// A wall clock this near to the server's is believed to the millisecond: what
/// differs is the network's delay, rather.
const AGREES_MS: i64 = 5_000;
/// Beyond this (some 140,000 years) a clock's reading is cut, so that sums of
/// them cannot overflow.
const MOST_WALL_MS: i64 = 1 << 52;
/// Likewise for a monotonic clock (some 1,100 years).
const MOST_MONO_MS: i64 = 1 << 45;

/// The boots of one phone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Boots(BTreeMap<BootId, i64>);

impl Boots {
    pub(crate) fn add(&mut self, rows: Vec<BootRow>) {
        self.0
            .extend(rows.into_iter().map(|row| (row.boot, row.start_ms)));
    }

    pub(crate) fn knows(&self, boot: BootId) -> bool {
        self.0.contains_key(&boot)
    }

    /// When `at` was, as well as the server knows; never after `server_ms`.
    pub(crate) fn correct(&self, at: &Moment, server_ms: i64) -> i64 {
        let known = self.0.get(&at.boot);
        let corrected = known.map_or(at.wall_ms, |start| start.saturating_add(at.mono_ms));
        corrected.min(server_ms.saturating_add(AGREES_MS))
    }
}

/// When the running boot's monotonic clock stood at 0.
fn running_start(at: &Moment, server_ms: i64) -> i64 {
    let agrees = at.wall_ms.abs_diff(server_ms) <= AGREES_MS.unsigned_abs();
    let now = if agrees { at.wall_ms } else { server_ms };
    now - at.mono_ms.clamp(0, MOST_MONO_MS)
}

/// A boot before the running one.
struct Earlier {
    boot: BootId,
    /// How long it ran, as far as the app knows.
    length: i64,
    /// When it began, as its wall clock said at its end and at its beginning.
    wished: [i64; 2],
    /// When it began, where that is fixed already.
    fixed: Option<i64>,
}

impl Earlier {
    fn new(span: &BootSpan, known: &Boots) -> Self {
        let begun = |at: &Reading| {
            let wall_ms = at.wall_ms.clamp(-MOST_WALL_MS, MOST_WALL_MS);
            wall_ms - at.mono_ms.clamp(0, MOST_MONO_MS)
        };
        let fixed = known.0.get(&span.boot).copied();
        Self {
            boot: span.boot,
            length: span
                .last
                .mono_ms
                .max(span.first.mono_ms)
                .clamp(0, MOST_MONO_MS),
            wished: [begun(&span.last), begun(&span.first)],
            fixed: fixed.map(|start| start.clamp(-MOST_WALL_MS, MOST_WALL_MS)),
        }
    }
}

/// Fixes the boots that a phone tells of, in their order, the running one last:
/// those of them that are not known.
///
/// The running one so that `at` is now. Earlier ones after `heard_ms`, when the
/// server last heard from the phone (or where it never did, so that they ran on
/// after the phone was enrolled at `enrolled_ms`), before the boot that follows,
/// and within that where the wall clock says.
pub(crate) fn fix(
    told: &[BootSpan],
    at: &Moment,
    server_ms: i64,
    heard_ms: Option<i64>,
    enrolled_ms: i64,
    known: &Boots,
) -> Vec<BootRow> {
    let server_ms = server_ms.clamp(-MOST_WALL_MS, MOST_WALL_MS);
    let mut seen = std::collections::BTreeSet::from([at.boot]);
    let earlier = told.iter().filter(|span| seen.insert(span.boot));
    let earlier: Vec<Earlier> = earlier.map(|span| Earlier::new(span, known)).collect();
    let running = known.0.get(&at.boot).copied();
    let running = running.unwrap_or_else(|| running_start(at, server_ms));
    let mut rows = Vec::new();
    if !known.knows(at.boot) {
        rows.push(BootRow {
            boot: at.boot,
            start_ms: running,
        });
    }
    let first_length = earlier.first().map_or(0, |first| first.length);
    let enrolled = enrolled_ms.clamp(-MOST_WALL_MS, MOST_WALL_MS) - first_length;
    let mut low = heard_ms.map_or(enrolled, |ms| ms.clamp(-MOST_WALL_MS, MOST_WALL_MS));
    // Between two that are fixed the others find their places.
    for run in earlier.chunk_by(|a, _| a.fixed.is_none()) {
        let last = run.last().and_then(|last| Some((last.length, last.fixed?)));
        let (free, high) = match last {
            Some((_, fixed)) => (&run[..run.len() - 1], fixed),
            None => (run, running.clamp(-2 * MOST_WALL_MS, 2 * MOST_WALL_MS)),
        };
        let starts = place(free, low, high);
        rows.extend(free.iter().zip(starts).map(|(one, start_ms)| BootRow {
            boot: one.boot,
            start_ms,
        }));
        if let Some((length, fixed)) = last {
            low = low.max(fixed + length);
        }
    }
    rows
}

/// Places boots one after another between `low` and `high`. Where they are too
/// long for that, they begin before `low`.
fn place(boots: &[Earlier], low: i64, high: i64) -> Vec<i64> {
    let total: i64 = boots.iter().map(|one| one.length).sum();
    let low = low.min(high - total);
    let mut starts: Vec<Option<i64>> = Vec::with_capacity(boots.len());
    // Lengths of those before, and of this one and those behind.
    let (mut before, mut behind) = (0, total);
    let mut free_from = low;
    for one in boots {
        let earliest = low + before;
        let latest = high - behind;
        let believed = one
            .wished
            .into_iter()
            .find(|wish| (earliest..=latest).contains(wish));
        let start = believed.map(|wish| wish.clamp(free_from.min(latest), latest));
        free_from = start.unwrap_or(free_from) + one.length;
        starts.push(start);
        before += one.length;
        behind -= one.length;
    }
    // A wall clock that cannot be right says nothing: such a boot ran just
    // before the next one.
    let mut next = high;
    for (one, start) in boots.iter().zip(&mut starts).rev() {
        next = *start.get_or_insert(next - one.length);
    }
    starts.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SERVER: i64 = 1_763_769_600_000;
    const HOUR: i64 = 3_600_000;
    const YEARS: i64 = 20 * 365 * 24 * HOUR;

    fn at(boot: u8, wall_ms: i64, mono_ms: i64) -> Moment {
        Moment {
            wall_ms,
            boot: BootId::from_bytes([boot; 16]),
            mono_ms,
        }
    }

    /// A boot that began at `start` and ran for `length`, its wall clock off.
    fn span(boot: u8, start: i64, length: i64, wrong: i64) -> BootSpan {
        let reading = |mono_ms| Reading {
            wall_ms: start + mono_ms + wrong,
            mono_ms,
        };
        BootSpan {
            boot: BootId::from_bytes([boot; 16]),
            first: reading(500),
            last: reading(length),
        }
    }

    fn starts(rows: &[BootRow]) -> BTreeMap<u8, i64> {
        rows.iter()
            .map(|row| (row.boot.as_bytes()[0], row.start_ms))
            .collect()
    }

    fn fixed(told: &[BootSpan], now: &Moment, heard_ms: i64) -> BTreeMap<u8, i64> {
        let rows = fix(told, now, SERVER, Some(heard_ms), 0, &Boots::default());
        starts(&rows)
    }

    #[test]
    fn twenty_years_off_is_put_right_and_a_good_clock_is_left_alone() {
        let good = at(1, SERVER - 800, 1_000_000);
        let bad = at(2, SERVER - YEARS, 500_000);
        let mut boots = Boots::default();
        for now in [&good, &bad] {
            boots.add(fix(&[], now, SERVER, None, 0, &Boots::default()));
        }
        let before = |of: &Moment| Moment {
            wall_ms: of.wall_ms - 60_000,
            mono_ms: of.mono_ms - 60_000,
            ..*of
        };
        assert_eq!(boots.correct(&before(&good), SERVER), SERVER - 60_800);
        assert_eq!(boots.correct(&before(&bad), SERVER), SERVER - 60_000);
        // The wall clock jumped within the boot: the monotonic one did not.
        assert_eq!(boots.correct(&at(1, 0, 1_000_000), SERVER), SERVER - 800);
    }

    #[test]
    fn a_lone_wall_clock_is_believed_up_to_the_present() {
        let boots = Boots::default();
        assert_eq!(boots.correct(&at(3, SERVER - 5, 0), SERVER), SERVER - 5);
        let ahead = at(3, SERVER + 24 * HOUR, 0);
        assert_eq!(boots.correct(&ahead, SERVER), SERVER + AGREES_MS);
    }

    #[test]
    fn earlier_boots_lie_between_the_last_contact_and_the_running_one() {
        let heard = SERVER - 30 * HOUR;
        let now = at(9, SERVER - YEARS, HOUR);
        // One is right, one is twenty years behind, one a day ahead.
        let told = [
            span(1, SERVER - 25 * HOUR, 2 * HOUR, 0),
            span(2, SERVER - 20 * HOUR, 3 * HOUR, -YEARS),
            span(3, SERVER - 10 * HOUR, 4 * HOUR, 24 * HOUR),
        ];
        let starts = fixed(&told, &now, heard);
        assert_eq!(starts[&9], SERVER - HOUR);
        assert_eq!(starts[&1], SERVER - 25 * HOUR, "where its wall clock says");
        assert_eq!(starts[&3], SERVER - 5 * HOUR, "just before the next one");
        assert_eq!(starts[&2], SERVER - 8 * HOUR);
    }

    #[test]
    fn a_clock_that_was_set_within_a_boot_is_believed_at_its_better_end() {
        let mut told = span(1, SERVER - 10 * HOUR, 2 * HOUR, 0);
        told.last.wall_ms = 0;
        let now = at(9, SERVER, HOUR);
        let heard = SERVER - 20 * HOUR;
        assert_eq!(fixed(&[told], &now, heard)[&1], SERVER - 10 * HOUR);
        told.first.wall_ms = -5;
        told.last.wall_ms = SERVER - 8 * HOUR;
        assert_eq!(fixed(&[told], &now, heard)[&1], SERVER - 10 * HOUR);
    }

    #[test]
    fn what_is_fixed_stays_and_bounds_the_others() {
        let now = at(9, SERVER, HOUR);
        let mut known = Boots::default();
        known.add(vec![BootRow {
            boot: BootId::from_bytes([2; 16]),
            start_ms: SERVER - 15 * HOUR,
        }]);
        let told = [
            span(1, SERVER - 14 * HOUR, 2 * HOUR, 0),
            span(2, SERVER - 9 * HOUR, 3 * HOUR, 0),
            span(3, SERVER - 14 * HOUR, HOUR, 0),
            span(9, SERVER - HOUR, HOUR, 0),
        ];
        let rows = fix(&told, &now, SERVER, Some(SERVER - 40 * HOUR), 0, &known);
        let starts = starts(&rows);
        assert_eq!(starts.len(), 3, "{starts:?}");
        assert_eq!(starts[&1], SERVER - 17 * HOUR, "before the known one");
        assert_eq!(starts[&3], SERVER - 2 * HOUR, "after it");
    }

    #[test]
    fn a_first_contact_is_bounded_by_the_enrolment() {
        let (enrolled, now) = (SERVER - 10 * HOUR, at(9, SERVER, HOUR));
        // It ran when the phone was enrolled; its clock stood in 1970.
        let told = [span(1, 0, 6 * HOUR, 0), span(2, 5 * HOUR, HOUR, 0)];
        let rows = fix(&told, &now, SERVER, None, enrolled, &Boots::default());
        let starts = starts(&rows);
        assert!(starts[&1] >= enrolled - 6 * HOUR && starts[&1] + 6 * HOUR <= starts[&2]);
        assert_eq!(starts[&2], SERVER - 2 * HOUR);
    }

    fn any_span() -> impl Strategy<Value = BootSpan> {
        let reading = || {
            (any::<i64>(), any::<i64>()).prop_map(|(wall_ms, mono_ms)| Reading { wall_ms, mono_ms })
        };
        (0_u8..12, reading(), reading()).prop_map(|(boot, first, last)| BootSpan {
            boot: BootId::from_bytes([boot; 16]),
            first,
            last,
        })
    }

    /// True histories: gaps and lengths in seconds, and what each wall clock is
    /// wrong by.
    fn history() -> impl Strategy<Value = Vec<(i64, i64, i64)>> {
        let wrong = prop_oneof![Just(0), Just(-YEARS), Just(YEARS), -100_000_i64..100_000];
        proptest::collection::vec((0_i64..50_000, 1_i64..50_000, wrong), 0..20)
    }

    proptest! {
        #[test]
        fn contradictory_clocks_never_panic(
            told in proptest::collection::vec(any_span(), 0..20),
            now in (0_u8..12, any::<i64>(), any::<i64>()),
            server in any::<i64>(),
            heard in any::<Option<i64>>(),
            enrolled in any::<i64>(),
            known in proptest::collection::vec((0_u8..12, any::<i64>()), 0..4),
        ) {
            let mut boots = Boots::default();
            boots.add(known.into_iter().map(|(boot, start_ms)| BootRow {
                boot: BootId::from_bytes([boot; 16]),
                start_ms,
            }).collect());
            let now = at(now.0, now.1, now.2);
            let rows = fix(&told, &now, server, heard, enrolled, &boots);
            prop_assert!(rows.iter().all(|row| !boots.knows(row.boot)), "each is fixed once");
            boots.add(rows);
            prop_assert!(boots.knows(now.boot) && told.iter().all(|span| boots.knows(span.boot)));
            boots.correct(&now, server);
        }

        #[test]
        fn order_and_bounds_are_kept_whatever_the_wall_clocks_say(history in history()) {
            let heard = SERVER - 20 * 100_000_000;
            let mut begin = heard;
            let mut told = Vec::new();
            for (n, (gap, length, wrong)) in (1..).zip(&history) {
                begin += gap * 1000;
                told.push(span(n, begin, length * 1000, wrong * 1000));
                begin += length * 1000;
            }
            let now = at(99, SERVER, SERVER - begin);
            let starts = fixed(&told, &now, heard);
            prop_assert_eq!(starts[&99], begin);
            let mut before = heard;
            for (n, (_, length, _)) in (1..).zip(&history) {
                prop_assert!(starts[&n] >= before, "{n}: {starts:?}");
                before = starts[&n] + length * 1000;
            }
            prop_assert!(before <= begin);
        }

        #[test]
        fn right_wall_clocks_are_believed_to_the_millisecond(history in history()) {
            let heard = SERVER - 20 * 100_000_000;
            let mut begin = heard;
            let (mut told, mut truth) = (Vec::new(), BTreeMap::new());
            for (n, (gap, length, _)) in (1..).zip(&history) {
                begin += gap * 1000;
                told.push(span(n, begin, length * 1000, 0));
                truth.insert(n, begin);
                begin += length * 1000;
            }
            truth.insert(99, begin);
            prop_assert_eq!(fixed(&told, &at(99, SERVER, SERVER - begin), heard), truth);
        }

        #[test]
        fn boots_that_do_not_fit_keep_their_order(
            lengths in proptest::collection::vec(1_i64..1_000_000, 1..20),
        ) {
            let told: Vec<_> = (1..).zip(&lengths).map(|(n, length)| span(n, 0, *length, 0)).collect();
            let now = at(99, SERVER, 1000);
            let starts = fixed(&told, &now, SERVER - 1000);
            let mut next = starts[&99];
            for (n, length) in (1..).zip(&lengths).collect::<Vec<(u8, _)>>().into_iter().rev() {
                prop_assert!(starts[&n] + length <= next);
                next = starts[&n];
            }
        }
    }
}
