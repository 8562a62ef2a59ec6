//! The adaptive model: how likely each bit of each number is.
//!
//! A number is a handful of yes-no questions (is it zero, its sign, how many
//! bits it has, which), and each question in each context has a [`Slot`] that
//! learns from the answers. It starts from what a training run over many
//! tracks saw (see `prior.rs`), so that even a short chunk is coded well.

use super::range::{Coder, PROBABILITY_BITS};

/// The probability that a question is answered with yes, and how settled it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    /// In 1/65536.
    pub(super) p: u16,
    /// How many answers it stands on, up to [`SETTLED`].
    pub(super) n: u16,
}

/// A slot no longer learns faster than from this many answers.
pub(super) const SETTLED: u16 = 60;
/// Probabilities are kept this far from certainty, in 1/65536.
const MARGIN: u32 = 40;

/// How far a slot moves towards an answer after `n` of them: 1 / (n + 1.6).
const RATES: [u32; SETTLED as usize + 1] = {
    let mut rates = [0; SETTLED as usize + 1];
    let mut n = 0;
    while n < rates.len() {
        // In whole numbers: 65536 · 5 / (5 n + 8).
        rates[n] = 65_536 * 5 / (5 * n as u32 + 8);
        n += 1;
    }
    rates
};

impl Slot {
    pub(super) const EVEN: Self = Self { p: 1 << 15, n: 0 };

    #[inline]
    pub(super) fn code<C: Coder>(&mut self, coder: &mut C, bit: bool) -> bool {
        let p1 = u32::from(self.p).clamp(MARGIN, (1 << PROBABILITY_BITS) - MARGIN);
        let bit = coder.bit(p1, bit);
        self.learn(bit);
        bit
    }

    #[inline]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a share of what is left to 0 or 65535"
    )]
    fn learn(&mut self, bit: bool) {
        let rate = RATES[usize::from(self.n)];
        let p = u32::from(self.p);
        let moved = if bit {
            p + (((65_535 - p) * rate) >> 16)
        } else {
            p - ((p * rate) >> 16)
        };
        self.p = moved as u16;
        self.n += u16::from(self.n < SETTLED);
    }
}

/// Numbers below 2^this have a modelled size; larger ones are written plainly.
const SIZES: usize = 18;
const ZERO: usize = 0;
const SIGN: usize = 1;
const SIZE: usize = 2;
/// The bits below the highest: a tree each for one, two and three of them.
const DIGITS: usize = SIZE + SIZES;
/// Of four and more only the first is worth a question.
const LONG: usize = DIGITS + 1 + 3 + 7;
/// Slots of one context of a number.
pub(super) const NUMBER: usize = LONG + (SIZES - 4);

/// Codes a whole number in the context whose slots these are.
///
/// `slots` has [`NUMBER`] of them. Any `i64` can be coded.
#[inline]
pub(super) fn number<C: Coder>(slots: &mut [Slot], coder: &mut C, value: i64) -> i64 {
    let Some(slots) = slots.first_chunk_mut::<NUMBER>() else {
        return 0;
    };
    if slots[ZERO].code(coder, value == 0) {
        return 0;
    }
    let negative = slots[SIGN].code(coder, value < 0);
    let magnitude = value.unsigned_abs();
    let wanted = magnitude.checked_ilog2().unwrap_or(0) as usize;
    let mut size = 0;
    while size < SIZES && slots[SIZE + size].code(coder, size < wanted) {
        size += 1;
    }
    let magnitude = if size == SIZES {
        coder.raw(64, magnitude)
    } else {
        digits(slots, coder, size, magnitude)
    };
    let signed = magnitude.cast_signed();
    if negative {
        signed.wrapping_neg()
    } else {
        signed
    }
}

/// The `size` bits below the highest one.
#[inline]
fn digits<C: Coder>(slots: &mut [Slot; NUMBER], coder: &mut C, size: usize, value: u64) -> u64 {
    let bit = |at: usize| (value >> at) & 1 == 1;
    let mut read = 1_u64;
    match size {
        0 => {}
        1..=3 => {
            // A tree: the question depends on the bits before.
            let tree = DIGITS + (1 << size) - 1 - size;
            for at in (0..size).rev() {
                let node = tree + (read as usize - 1);
                read = read * 2 + u64::from(slots[node].code(coder, bit(at)));
            }
        }
        _ => {
            let node = LONG + (size - 4);
            read = read * 2 + u64::from(slots[node].code(coder, bit(size - 1)));
            let rest = size - 1;
            let low = coder.raw(rest as u32, value & ((1 << rest) - 1));
            read = (read << rest) | low;
        }
    }
    read
}

/// A magnitude's running average, in 1/16, in half octaves: 0 to `top`.
#[inline]
pub(super) fn half_octaves(average: i64, top: usize) -> usize {
    let Some(octave) = average.checked_ilog2() else {
        return 0;
    };
    let octave = octave as usize;
    if octave == 0 {
        return 1.min(top);
    }
    let half = (average >> (octave - 1)) & 1 == 1;
    (octave * 2 + usize::from(half)).saturating_sub(1).min(top)
}
