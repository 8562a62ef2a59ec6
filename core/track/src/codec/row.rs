//! A fix as the chunk sees it: whole numbers only.

use gridwalk_domain::Fix;

use super::ChunkError;
use crate::quantise::{Keep, LIMIT, UNKNOWN_ACCURACY, UNKNOWN_ALTITUDE, UNKNOWN_SPEED, Units};
use crate::{Refusal, StoredFix};

/// One fix in whole steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Row {
    /// Milliseconds since 1970.
    pub(super) time: i64,
    pub(super) lat: i64,
    pub(super) lon: i64,
    pub(super) accuracy: i64,
    pub(super) speed: i64,
    pub(super) altitude: i64,
    /// Bit 0: mocked; above it the code of the refusal, 0 for a used fix.
    pub(super) flags: i64,
}

/// Which fields are written beside time and position: those that any fix has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Columns {
    pub(super) accuracy: bool,
    pub(super) speed: bool,
    pub(super) altitude: bool,
    pub(super) flags: bool,
}

impl Columns {
    pub(super) fn of(rows: &[Row]) -> Self {
        Self {
            accuracy: rows
                .iter()
                .any(|r| r.accuracy != i64::from(UNKNOWN_ACCURACY)),
            speed: rows.iter().any(|r| r.speed != i64::from(UNKNOWN_SPEED)),
            altitude: rows
                .iter()
                .any(|r| r.altitude != i64::from(UNKNOWN_ALTITUDE)),
            flags: rows.iter().any(|r| r.flags != 0),
        }
    }
}

impl Row {
    /// What a fix is where a column is not written.
    pub(super) const UNKNOWN: Self = Self {
        time: 0,
        lat: 0,
        lon: 0,
        accuracy: UNKNOWN_ACCURACY as i64,
        speed: UNKNOWN_SPEED as i64,
        altitude: UNKNOWN_ALTITUDE as i64,
        flags: 0,
    };

    pub(super) fn of(stored: &StoredFix) -> Self {
        let units = Units::of(&stored.fix, Keep::ALL);
        let refusal = stored.refused.map_or(0, Refusal::code);
        Self {
            time: stored.fix.time_ms,
            lat: i64::from(units.lat),
            lon: i64::from(units.lon),
            accuracy: i64::from(units.accuracy),
            speed: i64::from(units.speed),
            altitude: i64::from(units.altitude),
            flags: i64::from(stored.fix.mocked) | i64::from(refusal) << 1,
        }
    }

    pub(super) fn stored(&self) -> Result<StoredFix, ChunkError> {
        let within = |value: i64, from: i32, to: i32, what| match i32::try_from(value) {
            Ok(v) if (from..=to).contains(&v) => Ok(v),
            _ => Err(ChunkError::Malformed(what)),
        };
        let units = Units {
            lat: within(self.lat, i32::MIN, i32::MAX, "a latitude")?,
            lon: within(self.lon, i32::MIN, i32::MAX, "a longitude")?,
            accuracy: within(self.accuracy, UNKNOWN_ACCURACY, LIMIT, "an accuracy")?,
            speed: within(self.speed, UNKNOWN_SPEED, LIMIT, "a speed")?,
            altitude: within(self.altitude, UNKNOWN_ALTITUDE, LIMIT, "an altitude")?,
        };
        let flags = within(self.flags, 0, 31, "a fix's flags")?;
        let fix: Fix = units.fix(self.time, flags & 1 == 1);
        let refused = match u8::try_from(flags >> 1).unwrap_or(u8::MAX) {
            0 => None,
            code => Some(Refusal::from_code(code).ok_or(ChunkError::Malformed("a fix's refusal"))?),
        };
        Ok(StoredFix { fix, refused })
    }
}
