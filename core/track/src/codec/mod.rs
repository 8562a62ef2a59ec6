//! The chunk: a few minutes of fixes, packed, self-contained and versioned.
//!
//! ```text
//! byte 0      version
//! byte 1      what is in it: which columns, how time is counted (see Header)
//! bytes 2, 3  checksum: CRC-16 of all other bytes
//! varint      count of fixes
//! varint      usual interval, in time steps (absent where it is one second)
//! then        one range-coded stream: the first fix, then differences
//! ```
//!
//! What comes back is what went in, at the quantum of [`crate::quantise`]; time
//! is exact to the millisecond. Where all fixes of a chunk are whole seconds
//! apart, as satellite receivers deliver them, time is counted in seconds and
//! costs next to nothing.
//!
//! A chunk of an unknown version is an error of its own
//! ([`ChunkError::UnknownVersion`]): keep its bytes and pass them on untouched.
//! What a version's chunks look like never changes; a better model is a new
//! version.

mod model;
mod prior;
mod range;
mod row;
#[cfg(feature = "training")]
pub mod training;
mod walk;

use model::Learned;
use prior::Prior;
use range::{Coder, Reader, Writer};
use row::{Columns, Row};
use walk::{Frame, Walk};

use crate::StoredFix;

/// The version that [`encode`] writes.
pub const VERSION: u8 = 1;
/// The most fixes that one chunk holds: 18 hours at one a second.
pub const MAX_FIXES: usize = 65_535;

const ACCURACY: u8 = 1;
const SPEED: u8 = 1 << 1;
const ALTITUDE: u8 = 1 << 2;
const FLAGS: u8 = 1 << 3;
/// Time steps of a millisecond instead of a second.
const MILLISECONDS: u8 = 1 << 4;
/// The usual interval is not one second: a varint says what it is.
const OTHER_INTERVAL: u8 = 1 << 5;
const KNOWN: u8 = (1 << 6) - 1;

/// What is wrong with a chunk.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChunkError {
    /// Written by a newer program.
    #[error(
        "track chunk of version {0}, which this program does not know: keep it as it is and update the program"
    )]
    UnknownVersion(u8),
    /// Too short to be a chunk.
    #[error("track chunk is cut short: ask for it again")]
    Truncated,
    /// The checksum does not fit.
    #[error("track chunk is damaged (wrong checksum): ask for it again")]
    Damaged,
    /// The checksum fits and yet it cannot be what [`encode`] wrote.
    #[error("track chunk is malformed ({0}): set it aside and report it")]
    Malformed(&'static str),
    /// More fixes than fit.
    #[error("{0} fixes are too many for one track chunk: split them at {MAX_FIXES}")]
    TooMany(usize),
}

/// The head of a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The version of its format.
    pub version: u8,
    /// How many fixes it holds.
    pub count: usize,
    /// Milliseconds of one time step: 1 or 1000.
    pub time_quantum_ms: u16,
    /// Whether any fix has an accuracy.
    pub accuracy: bool,
    /// Whether any fix has a speed.
    pub speed: bool,
    /// Whether any fix has an altitude.
    pub altitude: bool,
    /// Whether any fix is mocked or refused.
    pub flags: bool,
    /// Steps of time between two fixes, usually.
    usual: u64,
    /// Where the coded stream begins.
    body: usize,
}

/// Packs fixes into a chunk. Each is [quantised](crate::quantise_keeping) with
/// all that a chunk can hold; a column that no fix fills takes no space.
///
/// # Errors
///
/// [`ChunkError::TooMany`] above [`MAX_FIXES`].
pub fn encode(fixes: &[StoredFix]) -> Result<Vec<u8>, ChunkError> {
    encode_from(Prior::shipped(), fixes)
}

fn encode_from(prior: &Prior, fixes: &[StoredFix]) -> Result<Vec<u8>, ChunkError> {
    if fixes.len() > MAX_FIXES {
        return Err(ChunkError::TooMany(fixes.len()));
    }
    let rows: Vec<Row> = fixes.iter().map(Row::of).collect();
    let frame = frame_of(&rows);
    let mut out = head(&frame, rows.len());
    if let Some((first, rest)) = rows.split_first() {
        let mut coder = Writer::after(out);
        start(&mut coder, first, frame.quantum);
        let mut numbers = Learned::new(prior.kinds(), coder);
        let mut walk = Walk::new(frame, *first);
        walk.first(&mut numbers, first);
        for row in rest {
            walk.next(&mut numbers, row);
        }
        out = numbers.coder.finish();
    }
    let sum = checksum(&out).to_be_bytes();
    out[CHECKSUM..CHECKSUM + 2].copy_from_slice(&sum);
    Ok(out)
}

/// Unpacks a chunk.
///
/// # Errors
///
/// [`ChunkError::UnknownVersion`] for a newer one (to be kept and passed on);
/// the others for one that is cut, damaged or was never a chunk. No bytes,
/// however made, make it panic or take more memory than [`MAX_FIXES`] fixes.
pub fn decode(chunk: &[u8]) -> Result<Vec<StoredFix>, ChunkError> {
    let header = header(chunk)?;
    if header.count == 0 {
        return if header.body == chunk.len() {
            Ok(Vec::new())
        } else {
            Err(ChunkError::Malformed("bytes after the end"))
        };
    }
    let mut coder = Reader::new(&chunk[header.body..]);
    let frame = header.frame();
    let first = start(&mut coder, &Row::UNKNOWN, frame.quantum);
    let mut numbers = Learned::new(Prior::shipped().kinds(), coder);
    let mut walk = Walk::new(frame, first);
    // The count is bounded, and memory grows with what is read.
    let mut fixes = Vec::with_capacity(header.count.min(chunk.len().saturating_mul(8)));
    fixes.push(walk.first(&mut numbers, &Row::UNKNOWN).stored()?);
    for _ in 1..header.count {
        fixes.push(walk.next(&mut numbers, &Row::UNKNOWN).stored()?);
    }
    if numbers.coder.reached_the_end() {
        Ok(fixes)
    } else {
        Err(ChunkError::Malformed("bytes after the end"))
    }
}

/// Reads a chunk's head and checks its checksum, without unpacking it.
///
/// # Errors
///
/// As [`decode`].
pub fn header(chunk: &[u8]) -> Result<Header, ChunkError> {
    let version = *chunk.first().ok_or(ChunkError::Truncated)?;
    if version != VERSION {
        return Err(ChunkError::UnknownVersion(version));
    }
    if chunk.len() < HEAD {
        return Err(ChunkError::Truncated);
    }
    if checksum(chunk).to_be_bytes() != chunk[CHECKSUM..CHECKSUM + 2] {
        return Err(ChunkError::Damaged);
    }
    let kinds = chunk[KINDS];
    if kinds & !KNOWN != 0 {
        return Err(ChunkError::Malformed("unknown kinds of columns"));
    }
    let mut at = HEAD;
    let count = varint(chunk, &mut at)?;
    let count = usize::try_from(count).ok().filter(|n| *n <= MAX_FIXES);
    let quantum = if kinds & MILLISECONDS == 0 { 1000 } else { 1 };
    let usual = match kinds & OTHER_INTERVAL {
        0 => 1000 / u64::from(quantum),
        _ => varint(chunk, &mut at)?,
    };
    Ok(Header {
        version,
        count: count.ok_or(ChunkError::Malformed("more fixes than a chunk holds"))?,
        time_quantum_ms: quantum,
        accuracy: kinds & ACCURACY != 0,
        speed: kinds & SPEED != 0,
        altitude: kinds & ALTITUDE != 0,
        flags: kinds & FLAGS != 0,
        usual,
        body: at,
    })
}

impl Header {
    fn frame(&self) -> Frame {
        Frame {
            columns: Columns {
                accuracy: self.accuracy,
                speed: self.speed,
                altitude: self.altitude,
                flags: self.flags,
            },
            quantum: i64::from(self.time_quantum_ms),
            usual: self.usual.cast_signed(),
        }
    }
}

const KINDS: usize = 1;
const CHECKSUM: usize = 2;
const HEAD: usize = 4;

fn head(frame: &Frame, count: usize) -> Vec<u8> {
    let Frame {
        columns,
        quantum,
        usual,
    } = *frame;
    let mut kinds = 0;
    for (is, kind) in [
        (columns.accuracy, ACCURACY),
        (columns.speed, SPEED),
        (columns.altitude, ALTITUDE),
        (columns.flags, FLAGS),
        (quantum == 1, MILLISECONDS),
        (usual != 1000 / quantum, OTHER_INTERVAL),
    ] {
        kinds |= if is { kind } else { 0 };
    }
    let mut out = Vec::with_capacity(64 + count * 2);
    out.extend_from_slice(&[VERSION, kinds, 0, 0]);
    put_varint(&mut out, count as u64);
    if kinds & OTHER_INTERVAL != 0 {
        put_varint(&mut out, usual.cast_unsigned());
    }
    out
}

fn frame_of(rows: &[Row]) -> Frame {
    let steps = || rows.windows(2).map(|w| w[1].time.wrapping_sub(w[0].time));
    let quantum = if steps().all(|s| s % 1000 == 0) {
        1000
    } else {
        1
    };
    let mut forward: Vec<i64> = steps().map(|s| s / quantum).filter(|s| *s > 0).collect();
    let middle = forward.len() / 2;
    let usual = match forward.is_empty() {
        true => 1000 / quantum,
        false => *forward.select_nth_unstable(middle).1,
    };
    Frame {
        columns: Columns::of(rows),
        quantum,
        usual,
    }
}

/// The time that first fixes are counted from: 2000-01-01, so that imported
/// tracks of the first phones are ordinary too.
const EPOCH_MS: i64 = 946_684_800_000;
/// Seconds since then, up to 2068.
const SECONDS_BITS: u32 = 31;
/// 180 million fit.
const LAT_BITS: u32 = 28;
/// 360 million fit.
const LON_BITS: u32 = 29;
/// Odds that a first fix is an ordinary one, in 1/65536.
const ORDINARY: u32 = 65_000;

/// Codes time and place of the first fix: plainly, as nothing is known before.
fn start<C: Coder>(coder: &mut C, first: &Row, quantum: i64) -> Row {
    let mut row = Row::UNKNOWN;
    let since = first.time.wrapping_sub(EPOCH_MS);
    let (seconds, ms) = (since.div_euclid(1000), since.rem_euclid(1000));
    if coder.bit(ORDINARY, fits(seconds, SECONDS_BITS)) {
        let seconds = coder
            .raw(SECONDS_BITS, seconds.cast_unsigned())
            .cast_signed();
        row.time = EPOCH_MS + seconds * 1000;
        // Fixes in whole seconds are mostly on the second too.
        let odds = if quantum == 1000 { ORDINARY } else { 1 << 8 };
        if !coder.bit(odds, ms == 0) {
            row.time += coder.raw(10, ms.cast_unsigned()).cast_signed();
        }
    } else {
        row.time = coder.raw(64, first.time.cast_unsigned()).cast_signed();
    }
    row.lat = coordinate(coder, first.lat, 90_000_000, LAT_BITS);
    row.lon = coordinate(coder, first.lon, 180_000_000, LON_BITS);
    row
}

fn coordinate<C: Coder>(coder: &mut C, value: i64, shift: i64, bits: u32) -> i64 {
    let shifted = value.wrapping_add(shift);
    if coder.bit(ORDINARY, fits(shifted, bits)) {
        coder.raw(bits, shifted.cast_unsigned()).cast_signed() - shift
    } else {
        coder.raw(64, value.cast_unsigned()).cast_signed()
    }
}

fn fits(value: i64, bits: u32) -> bool {
    (0..1 << bits).contains(&value)
}

/// CRC-16 (CCITT polynomial, start at all ones) of all but the checksum itself.
fn checksum(chunk: &[u8]) -> u16 {
    let (before, after) = chunk.split_at(CHECKSUM);
    let mut crc = 0xffff_u16;
    for byte in before.iter().chain(after.iter().skip(2)) {
        crc = (crc << 8) ^ CRC[usize::from(crc.to_be_bytes()[0] ^ byte)];
    }
    crc
}

#[expect(clippy::cast_possible_truncation, reason = "i is below 256")]
const CRC: [u16; 256] = {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        let mut crc = (i as u16) << 8;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 0x8000 == 0 {
                crc << 1
            } else {
                (crc << 1) ^ 0x1021
            };
            bit += 1;
        }
        table[i] = crc;
        i += 1;
    }
    table
};

fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}

fn varint(bytes: &[u8], at: &mut usize) -> Result<u64, ChunkError> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let byte = *bytes.get(*at).ok_or(ChunkError::Truncated)?;
        *at += 1;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(ChunkError::Malformed("a number that does not end"))
}

#[cfg(test)]
mod tests;
