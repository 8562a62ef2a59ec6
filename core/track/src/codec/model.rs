//! The adaptive model: how likely each bit of each number is.
//!
//! A number is a handful of yes-no questions (is it zero, its sign, how many
//! bits it has, the first of them), and each question has a [`Slot`] in each of
//! two contexts that learns from the answers; the mean of the two is believed.
//! The slots start from what a training run over many tracks saw (see `prior.rs`),
//! so that even a short chunk is coded well.

use super::range::Coder;

/// The probability that a question is answered with yes, and how settled it is:
/// in one word, as it is read and written for every bit.
///
/// The upper half is the probability in 1/65536, the lower the number of answers
/// that it stands on, up to [`SETTLED`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot(u32);

/// A slot no longer learns faster than from this many answers.
const SETTLED: u32 = 127;
/// Probabilities stay this far from certainty, in 1/65536.
const MARGIN: i32 = 32;

/// How far a slot moves towards an answer after `n` of them, in 1/32768:
/// 1 / (n + 1.6).
const RATES: [i32; SETTLED as usize + 1] = {
    let mut rates = [0; SETTLED as usize + 1];
    let (mut n, mut eight_more) = (0, 8);
    while n < rates.len() {
        // In whole numbers: 32768 · 5 / (5 n + 8).
        rates[n] = 32_768 * 5 / eight_more;
        n += 1;
        eight_more += 5;
    }
    rates
};

impl Slot {
    pub(super) const EVEN: Self = Self::new(1 << 15, 0);

    pub(super) const fn new(probability: u16, answers: u16) -> Self {
        Self((probability as u32) << 16 | answers as u32)
    }

    /// In 1/65536.
    #[inline]
    pub(super) fn probability(self) -> u32 {
        self.0 >> 16
    }

    #[inline]
    pub(super) fn learn(&mut self, bit: bool) {
        // No branch: the answer is what cannot be foreseen.
        let n = self.0 & SETTLED;
        let p = self.probability().cast_signed();
        let aim = if bit { 65_536 - MARGIN } else { MARGIN };
        let p = p + (((aim - p) * RATES[n as usize]) >> 15);
        self.0 = p.cast_unsigned() << 16 | (n + u32::from(n < SETTLED));
    }
}

/// Who codes whole numbers, each in one context of either kind: the writer, the
/// reader, the trainer.
pub(super) trait Numbers {
    /// What was coded; the reader ignores `value`.
    fn number(&mut self, a: usize, b: usize, value: i64) -> i64;
}

/// Codes numbers by what it learns from them.
///
/// A short chunk meets a few dozen of the contexts; each is copied from the
/// prior when it is first met, which is much less than all of them.
pub(super) struct Learned<'p, C> {
    a: Kind<'p>,
    b: Kind<'p>,
    pub(super) coder: C,
}

/// The contexts of one kind.
struct Kind<'p> {
    prior: &'p [Slot],
    /// Where each one's slots are in `met`; [`UNMET`] before it is met.
    places: Vec<u16>,
    met: Vec<[Slot; NUMBER]>,
}

const UNMET: u16 = u16::MAX;

impl<'p> Kind<'p> {
    fn new(prior: &'p [Slot]) -> Self {
        let places = vec![UNMET; prior.len() / NUMBER];
        Self {
            prior,
            places,
            met: Vec::with_capacity(128),
        }
    }

    #[inline]
    fn slots(&mut self, context: usize) -> &mut [Slot; NUMBER] {
        let mut place = self.places[context];
        if place == UNMET {
            place = self.meet(context);
        }
        &mut self.met[usize::from(place)]
    }

    #[cold]
    fn meet(&mut self, context: usize) -> u16 {
        let known = self.prior[context * NUMBER..].first_chunk();
        let place = u16::try_from(self.met.len()).unwrap_or(UNMET);
        self.met.push(*known.unwrap_or(&[Slot::EVEN; NUMBER]));
        self.places[context] = place;
        place
    }
}

impl<'p, C> Learned<'p, C> {
    /// Starts from a prior for the contexts of either kind.
    pub(super) fn new((a, b): (&'p [Slot], &'p [Slot]), coder: C) -> Self {
        Self {
            a: Kind::new(a),
            b: Kind::new(b),
            coder,
        }
    }
}

impl<C: Coder> Numbers for Learned<'_, C> {
    #[inline]
    fn number(&mut self, a: usize, b: usize, value: i64) -> i64 {
        let pair = &mut Pair {
            a: self.a.slots(a),
            b: self.b.slots(b),
            coder: &mut self.coder,
        };
        number(pair, value)
    }
}

/// Who answers the questions about one number.
pub(super) trait Answers {
    /// The answer to the question with this place among a context's slots.
    fn ask(&mut self, question: usize, bit: bool) -> bool;
    /// The same for a question that only the first context knows.
    fn ask_one(&mut self, question: usize, bit: bool) -> bool;
    /// The lowest `count` bits of a value about which nothing is known.
    fn plain(&mut self, count: u32, value: u64) -> u64;
}

/// The slots of one context of either kind.
struct Pair<'a, C> {
    a: &'a mut [Slot; NUMBER],
    b: &'a mut [Slot; NUMBER],
    coder: &'a mut C,
}

/// The mean of two slots.
#[inline]
pub(super) fn belief(a: Slot, b: Slot) -> u32 {
    (a.probability() + b.probability()) >> 1
}

impl<C: Coder> Answers for Pair<'_, C> {
    #[inline(always)]
    fn ask(&mut self, question: usize, bit: bool) -> bool {
        let (a, b) = (&mut self.a[question], &mut self.b[question]);
        let bit = self.coder.bit(belief(*a, *b), bit);
        a.learn(bit);
        b.learn(bit);
        bit
    }

    #[inline(always)]
    fn ask_one(&mut self, question: usize, bit: bool) -> bool {
        let a = &mut self.a[question];
        let bit = self.coder.bit(a.probability(), bit);
        a.learn(bit);
        bit
    }

    #[inline]
    fn plain(&mut self, count: u32, value: u64) -> u64 {
        self.coder.raw(count, value)
    }
}

/// Numbers below 2^this have a modelled size; larger ones are written plainly.
const SIZES: usize = 18;
const ZERO: usize = 0;
const SIGN: usize = 1;
const SIZE: usize = 2;
/// The first bit below the highest, for each size; what follows is as likely
/// as not.
const DIGIT: usize = SIZE + SIZES;
/// Slots of one context of a number.
pub(super) const NUMBER: usize = DIGIT + SIZES;

/// Codes a whole number; any `i64` can be.
#[inline]
pub(super) fn number<A: Answers>(answers: &mut A, value: i64) -> i64 {
    if answers.ask(ZERO, value == 0) {
        return 0;
    }
    let negative = answers.ask(SIGN, value < 0);
    let magnitude = value.unsigned_abs();
    let wanted = magnitude.checked_ilog2().unwrap_or(0) as usize;
    let mut size = 0;
    while size < SIZES && answers.ask(SIZE + size, size < wanted) {
        size += 1;
    }
    let magnitude = match size {
        0 => 1,
        SIZES => answers.plain(64, magnitude),
        _ => digits(answers, size, magnitude),
    };
    let signed = magnitude.cast_signed();
    if negative {
        signed.wrapping_neg()
    } else {
        signed
    }
}

/// A number of `size` bits below the highest one.
#[inline]
fn digits<A: Answers>(answers: &mut A, size: usize, value: u64) -> u64 {
    let rest = size - 1;
    let high = 2 | u64::from(answers.ask_one(DIGIT + size, (value >> rest) & 1 == 1));
    let low = answers.plain(rest.try_into().unwrap_or(0), value & ((1 << rest) - 1));
    (high << rest) | low
}

/// A magnitude's running average, in 1/16, in half octaves: 0 to `top`.
#[inline]
pub(super) fn half_octaves(average: i64, top: usize) -> usize {
    let average = average.max(0).cast_unsigned();
    let octave = (average | 1).ilog2();
    let half = ((average * 2) >> octave) & 1;
    (octave as usize * 2 + half as usize)
        .saturating_sub(1)
        .min(top)
}
