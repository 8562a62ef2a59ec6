//! Walks through a chunk's fixes, field by field: what is expected of each,
//! and in which context its difference from that is coded.
//!
//! The same code writes and reads. A position is expected where the last
//! movement leads; its two differences are coded in the context of how well
//! that went lately. Everything is whole numbers, and wraps instead of
//! overflowing: whatever goes in comes out.

use super::model::{NUMBER, Slot, half_octaves, number};
use super::range::Coder;
use super::row::{Columns, Row};

/// Scales of the position's surprises: half octaves up to about 4,000 units.
const SCALES: usize = 24;
/// How large latitude's surprise was beside what was usual.
const OTHER: usize = 4;
/// Signs and sizes of the last surprise.
const LAST: usize = 3;

const FLAGS: usize = 0;
const TIME: usize = FLAGS + 2;
const TIMES: usize = 25;
const ACCURACY: usize = TIME + TIMES;
const ACCURACIES: usize = 12;
const SPEED: usize = ACCURACY + ACCURACIES;
const SPEEDS: usize = 16;
const ALTITUDE: usize = SPEED + SPEEDS;
const ALTITUDES: usize = 12;
const LAT: usize = ALTITUDE + ALTITUDES;
const LON: usize = LAT + SCALES * LAST;
/// Contexts of the whole model.
const CONTEXTS: usize = LON + SCALES * OTHER;
/// Slots of the whole model.
pub(super) const SLOTS: usize = CONTEXTS * NUMBER;

/// What stands at the head of a chunk and all its fixes share.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    pub(super) columns: Columns,
    /// Milliseconds of one step of time.
    pub(super) quantum: i64,
    /// Steps of time that usually lie between two fixes.
    pub(super) usual: i64,
}

/// A magnitude's running average in 1/16, over about 2^`shift` values.
#[derive(Clone, Copy)]
struct Average(i64);

impl Average {
    fn add(&mut self, value: i64, shift: u32) {
        let magnitude = value.unsigned_abs().min(1 << 16).cast_signed();
        self.0 += (magnitude * 16 - self.0) >> shift;
    }
}

/// The state between two fixes.
pub(super) struct Walk {
    frame: Frame,
    before: Row,
    /// Movement of the last step and how many steps of time it took.
    moved: (i64, i64),
    took: i64,
    lat_off: Average,
    lon_off: Average,
    last_off: (i64, i64),
    time_off: (usize, usize),
    accuracy_off: Average,
    speed_off: Average,
    altitude_off: Average,
}

impl Walk {
    pub(super) fn new(frame: Frame, first: Row) -> Self {
        Self {
            frame,
            before: first,
            moved: (0, 0),
            took: frame.usual,
            lat_off: Average(64),
            lon_off: Average(64),
            last_off: (0, 0),
            time_off: (0, 0),
            accuracy_off: Average(8),
            speed_off: Average(32),
            altitude_off: Average(16),
        }
    }

    /// Codes the fields of a fix that need no fix before it: of the first one.
    pub(super) fn first<C: Coder>(&mut self, slots: &mut [Slot], coder: &mut C, row: &Row) -> Row {
        let unknown = Row {
            time: self.before.time,
            lat: self.before.lat,
            lon: self.before.lon,
            ..Row::UNKNOWN
        };
        self.before = unknown;
        let mut now = unknown;
        self.beside(slots, coder, row, &mut now);
        self.before = now;
        now
    }

    /// Codes the next fix.
    pub(super) fn next<C: Coder>(&mut self, slots: &mut [Slot], coder: &mut C, row: &Row) -> Row {
        let mut now = self.before;
        let steps = self.time(slots, coder, row, &mut now);
        self.beside(slots, coder, row, &mut now);
        self.place(slots, coder, row, &mut now, steps);
        self.before = now;
        now
    }

    fn time<C: Coder>(
        &mut self,
        slots: &mut [Slot],
        coder: &mut C,
        row: &Row,
        now: &mut Row,
    ) -> i64 {
        let Frame { quantum, usual, .. } = self.frame;
        let actual = row.time.wrapping_sub(self.before.time) / quantum;
        let context = TIME + self.time_off.0 * 5 + self.time_off.1;
        let off = coded(slots, coder, context, actual.wrapping_sub(usual));
        let steps = usual.wrapping_add(off);
        now.time = self.before.time.wrapping_add(steps.wrapping_mul(quantum));
        let kind = match off {
            0 => 0,
            ..0 => 1,
            1 => 2,
            2..=8 => 3,
            _ => 4,
        };
        self.time_off = (kind, self.time_off.0);
        steps
    }

    /// The fields beside time and place.
    fn beside<C: Coder>(&mut self, slots: &mut [Slot], coder: &mut C, row: &Row, now: &mut Row) {
        let columns = self.frame.columns;
        let before = self.before;
        if columns.flags {
            let context = FLAGS + usize::from(before.flags != 0);
            let off = coded(slots, coder, context, row.flags.wrapping_sub(before.flags));
            now.flags = before.flags.wrapping_add(off);
        }
        if columns.accuracy {
            let context = ACCURACY + half_octaves(self.accuracy_off.0, ACCURACIES - 1);
            let off = coded(
                slots,
                coder,
                context,
                row.accuracy.wrapping_sub(before.accuracy),
            );
            now.accuracy = before.accuracy.wrapping_add(off);
            self.accuracy_off.add(off, 2);
        }
        if columns.speed {
            let context = SPEED + half_octaves(self.speed_off.0, SPEEDS - 1);
            let off = coded(slots, coder, context, row.speed.wrapping_sub(before.speed));
            now.speed = before.speed.wrapping_add(off);
            self.speed_off.add(off, 2);
        }
        if columns.altitude {
            let context = ALTITUDE + half_octaves(self.altitude_off.0, ALTITUDES - 1);
            let off = coded(
                slots,
                coder,
                context,
                row.altitude.wrapping_sub(before.altitude),
            );
            now.altitude = before.altitude.wrapping_add(off);
            self.altitude_off.add(off, 2);
        }
    }

    fn place<C: Coder>(
        &mut self,
        slots: &mut [Slot],
        coder: &mut C,
        row: &Row,
        now: &mut Row,
        steps: i64,
    ) {
        let expected = self.expected(steps);
        let lat = row
            .lat
            .wrapping_sub(self.before.lat)
            .wrapping_sub(expected.0);
        let context = LAT
            + half_octaves(self.lat_off.0, SCALES - 1) * LAST
            + size(self.last_off.0, self.lat_off.0);
        let lat = coded(slots, coder, context, lat);

        let lon = row
            .lon
            .wrapping_sub(self.before.lon)
            .wrapping_sub(expected.1);
        let context = LON
            + half_octaves(self.lon_off.0, SCALES - 1) * OTHER
            + (lat
                .unsigned_abs()
                .checked_ilog2()
                .map_or(0, |b| b as usize + 1))
            .min(OTHER - 1);
        let lon = coded(slots, coder, context, lon);

        self.lat_off.add(lat, 2);
        self.lon_off.add(lon, 2);
        self.last_off = (lat, lon);
        self.moved = (expected.0.wrapping_add(lat), expected.1.wrapping_add(lon));
        self.took = steps;
        now.lat = self.before.lat.wrapping_add(self.moved.0);
        now.lon = self.before.lon.wrapping_add(self.moved.1);
    }

    /// The movement that the last one leads to in this time.
    fn expected(&self, steps: i64) -> (i64, i64) {
        if steps == self.took || self.took <= 0 {
            return self.moved;
        }
        let most = self.frame.usual.max(1).saturating_mul(4);
        let share = |moved: i64| moved.saturating_mul(steps.clamp(0, most)) / self.took;
        (share(self.moved.0), share(self.moved.1))
    }
}

fn size(off: i64, usual: i64) -> usize {
    let off = off.unsigned_abs().min(1 << 20).cast_signed() * 16;
    if off * 2 <= usual {
        0
    } else if off <= usual * 2 {
        1
    } else {
        2
    }
}

#[inline]
fn coded<C: Coder>(slots: &mut [Slot], coder: &mut C, context: usize, value: i64) -> i64 {
    number(
        &mut slots[context * NUMBER..(context + 1) * NUMBER],
        coder,
        value,
    )
}
