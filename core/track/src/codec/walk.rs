//! Walks through a chunk's fixes, field by field: what is expected of each,
//! and in which contexts its difference from that is coded.
//!
//! The same code writes and reads. A position is expected where the last
//! movement leads; its two differences are coded in the context of how well
//! that went lately. Everything is whole numbers, and wraps instead of
//! overflowing: whatever goes in comes out.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "every index is clamped to its table before it is cast"
)]

use super::model::{NUMBER, Numbers, half_octaves};
use super::row::{Columns, Row};

/// Scales of the position's surprises: half octaves up to about 4,000 units.
const SCALES: usize = 24;
/// How large the last surprise was beside what is usual.
const LAST: usize = 5;
/// How large the other coordinate's surprise is beside what is usual.
const BESIDE: usize = 8;
/// Scales of the other fields' surprises.
const LEVELS: usize = 16;

/// Where the contexts of either kind begin for each field.
mod a {
    pub(super) const FLAGS: usize = 0;
    pub(super) const TIME: usize = FLAGS + 2;
    pub(super) const ACCURACY: usize = TIME + 25;
    pub(super) const SPEED: usize = ACCURACY + super::LEVELS;
    pub(super) const ALTITUDE: usize = SPEED + super::LEVELS;
    pub(super) const LAT: usize = ALTITUDE + super::LEVELS;
    pub(super) const LON: usize = LAT + super::SCALES * super::LAST;
    pub(super) const END: usize = LON + super::SCALES * super::LAST;
}
mod b {
    pub(super) const FLAGS: usize = 0;
    pub(super) const TIME: usize = FLAGS + 1;
    pub(super) const ACCURACY: usize = TIME + 1;
    pub(super) const SPEED: usize = ACCURACY + 15;
    pub(super) const ALTITUDE: usize = SPEED + 32;
    pub(super) const LAT: usize = ALTITUDE + 1;
    pub(super) const LON: usize = LAT + super::SCALES * super::BESIDE;
    pub(super) const END: usize = LON + super::SCALES * super::BESIDE;
}
/// Slots of the contexts of the first kind.
pub(super) const SLOTS_A: usize = a::END * NUMBER;
/// Slots of the contexts of the second kind.
pub(super) const SLOTS_B: usize = b::END * NUMBER;

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
    lat_slow: Average,
    lon_slow: Average,
    last_off: (i64, i64),
    time_off: (usize, usize),
    accuracy_off: Average,
    accuracy_last: i64,
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
            lat_slow: Average(64),
            lon_slow: Average(64),
            last_off: (0, 0),
            time_off: (0, 0),
            accuracy_off: Average(4),
            accuracy_last: 0,
            speed_off: Average(32),
            altitude_off: Average(16),
        }
    }

    /// Codes the fields of a fix that need no fix before it: of the first one.
    pub(super) fn first<N: Numbers>(&mut self, numbers: &mut N, row: &Row) -> Row {
        let unknown = Row {
            time: self.before.time,
            lat: self.before.lat,
            lon: self.before.lon,
            ..Row::UNKNOWN
        };
        self.before = unknown;
        let mut now = unknown;
        self.beside(numbers, row, &mut now);
        self.before = now;
        now
    }

    /// Codes the next fix.
    pub(super) fn next<N: Numbers>(&mut self, numbers: &mut N, row: &Row) -> Row {
        let mut now = self.before;
        let steps = self.time(numbers, row, &mut now);
        self.beside(numbers, row, &mut now);
        self.place(numbers, row, &mut now, steps);
        self.before = now;
        now
    }

    fn time<N: Numbers>(&mut self, numbers: &mut N, row: &Row, now: &mut Row) -> i64 {
        let Frame { quantum, usual, .. } = self.frame;
        let actual = row.time.wrapping_sub(self.before.time) / quantum;
        let context = a::TIME + self.time_off.0 * 5 + self.time_off.1;
        let off = numbers.number(context, b::TIME, actual.wrapping_sub(usual));
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
    fn beside<N: Numbers>(&mut self, numbers: &mut N, row: &Row, now: &mut Row) {
        let columns = self.frame.columns;
        let before = self.before;
        if columns.flags {
            let context = a::FLAGS + usize::from(before.flags != 0);
            let off = numbers.number(context, b::FLAGS, row.flags.wrapping_sub(before.flags));
            now.flags = before.flags.wrapping_add(off);
        }
        if columns.accuracy {
            let a = a::ACCURACY + half_octaves(self.accuracy_off.0, LEVELS - 1);
            let b = b::ACCURACY
                + clamped(self.accuracy_last, 2) * 3
                + match before.accuracy {
                    ..=3 => 0,
                    4..=9 => 1,
                    _ => 2,
                };
            let off = numbers.number(a, b, row.accuracy.wrapping_sub(before.accuracy));
            now.accuracy = before.accuracy.wrapping_add(off);
            self.accuracy_off.add(off, 3);
            self.accuracy_last = off;
        }
        if columns.speed {
            let a = a::SPEED + half_octaves(self.speed_off.0, LEVELS - 1);
            let b = b::SPEED + (before.speed + 1).clamp(0, 31) as usize;
            let off = numbers.number(a, b, row.speed.wrapping_sub(before.speed));
            now.speed = before.speed.wrapping_add(off);
            self.speed_off.add(off, 2);
        }
        if columns.altitude {
            let context = a::ALTITUDE + half_octaves(self.altitude_off.0, LEVELS - 1);
            let off = numbers.number(
                context,
                b::ALTITUDE,
                row.altitude.wrapping_sub(before.altitude),
            );
            now.altitude = before.altitude.wrapping_add(off);
            self.altitude_off.add(off, 2);
        }
    }

    fn place<N: Numbers>(&mut self, numbers: &mut N, row: &Row, now: &mut Row, steps: i64) {
        let expected = self.expected(steps);
        // Mirrored where the last surprise was negative: what is learnt of one
        // side holds for the other.
        let mirror = |v: i64, last: i64| if last < 0 { v.wrapping_neg() } else { v };
        let scale_lat = half_octaves(self.lat_off.0, SCALES - 1);
        let scale_lon = half_octaves(self.lon_off.0, SCALES - 1);
        let slow_lat = half_octaves(self.lat_slow.0, SCALES - 1);
        let slow_lon = half_octaves(self.lon_slow.0, SCALES - 1);

        let lat = row
            .lat
            .wrapping_sub(self.before.lat)
            .wrapping_sub(expected.0);
        let a = a::LAT + scale_lat * LAST + size(self.last_off.0, self.lat_off.0);
        let b = b::LAT + slow_lat * BESIDE + near(scale_lon, slow_lat);
        let lat = mirror(
            numbers.number(a, b, mirror(lat, self.last_off.0)),
            self.last_off.0,
        );

        let lon = row
            .lon
            .wrapping_sub(self.before.lon)
            .wrapping_sub(expected.1);
        let a = a::LON + scale_lon * LAST + size(self.last_off.1, self.lon_off.0);
        let b = b::LON
            + slow_lon * BESIDE
            + near(
                half_octaves(
                    lat.unsigned_abs().min(1 << 16).cast_signed() * 16,
                    SCALES - 1,
                ),
                slow_lat,
            );
        let lon = mirror(
            numbers.number(a, b, mirror(lon, self.last_off.1)),
            self.last_off.1,
        );

        self.lat_off.add(lat, 2);
        self.lon_off.add(lon, 2);
        self.lat_slow.add(lat, 4);
        self.lon_slow.add(lon, 4);
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

fn clamped(v: i64, most: i64) -> usize {
    (v.clamp(-most, most) + most) as usize
}

/// One scale beside another, −4 to 3 half octaves: 0 to 7.
fn near(scale: usize, other: usize) -> usize {
    (scale + 4).saturating_sub(other).min(7)
}

fn size(off: i64, usual: i64) -> usize {
    let off = off.unsigned_abs().min(1 << 20).cast_signed() * 16;
    if off == 0 {
        0
    } else if off * 2 <= usual {
        1
    } else if off <= usual {
        2
    } else if off <= usual * 2 {
        3
    } else {
        4
    }
}
