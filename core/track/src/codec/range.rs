//! A binary range coder: integers only, the same bytes on every platform.
//!
//! Encoder and decoder share the trait [`Coder`], so that the code which walks
//! through a chunk's fields is written once and cannot differ between the two.

/// Probabilities are in 1/65536.
pub(super) const PROBABILITY_BITS: u32 = 16;
/// Below this the range is widened by a byte.
const NARROW: u32 = 1 << 24;

/// One side of the coder. What is passed in is written by the encoder and
/// ignored by the decoder; what is returned is what was coded.
pub(super) trait Coder {
    /// Whether this is the writing side.
    const WRITES: bool;
    /// Codes one bit that is 1 with probability `p1` / 65536 (never 0 or 1).
    fn bit(&mut self, p1: u32, bit: bool) -> bool;
    /// Codes the lowest `count` bits (at most 64) of `value`, all equally likely.
    fn raw(&mut self, count: u32, value: u64) -> u64;
}

/// Writes bits into bytes.
pub(super) struct Writer {
    out: Vec<u8>,
    /// Where the coded bytes begin; those before are not ours.
    start: usize,
    /// The lower end of the interval: 32 bits and a carry.
    low: u64,
    range: u32,
}

impl Writer {
    /// Appends to `out`.
    pub(super) fn after(out: Vec<u8>) -> Self {
        Self {
            start: out.len(),
            out,
            low: 0,
            range: u32::MAX,
        }
    }

    fn shift(&mut self) {
        self.carry();
        self.out.push(self.low.to_be_bytes()[4]);
        self.low = (self.low << 8) & 0xffff_ffff;
        self.range <<= 8;
    }

    fn carry(&mut self) {
        if self.low > 0xffff_ffff {
            self.low &= 0xffff_ffff;
            for byte in self.out[self.start..].iter_mut().rev() {
                *byte = byte.wrapping_add(1);
                if *byte != 0 {
                    break;
                }
            }
        }
    }

    /// Ends the stream with the fewest bytes that still lie in the interval,
    /// given that the reader goes on with zeros.
    pub(super) fn finish(mut self) -> Vec<u8> {
        let top = self.low + u64::from(self.range) - 1;
        for zeros in (0..=32).rev() {
            let mask = (1_u64 << zeros) - 1;
            let candidate = (self.low + mask) & !mask;
            if candidate <= top {
                self.low = candidate;
                break;
            }
        }
        self.carry();
        let tail = self.low.to_be_bytes();
        self.out.extend_from_slice(&tail[4..]);
        while self.out.len() > self.start && self.out.last() == Some(&0) {
            self.out.pop();
        }
        self.out
    }
}

impl Coder for Writer {
    const WRITES: bool = true;

    #[inline]
    fn bit(&mut self, p1: u32, bit: bool) -> bool {
        let bound = split(self.range, p1);
        if bit {
            self.range = bound;
        } else {
            self.low += u64::from(bound);
            self.range -= bound;
        }
        while self.range < NARROW {
            self.shift();
        }
        bit
    }

    fn raw(&mut self, count: u32, value: u64) -> u64 {
        let mut left = count;
        while left > 0 {
            let take = left.min(8);
            left -= take;
            let piece = (value >> left) & ((1 << take) - 1);
            self.range >>= take;
            self.low += u64::from(self.range) * piece;
            while self.range < NARROW {
                self.shift();
            }
        }
        value
    }
}

/// Reads bits from bytes; past the end it reads zeros and counts them.
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    next: usize,
    range: u32,
    code: u32,
}

/// The writer cuts trailing zeros off: the interval's four bytes at most,
/// and whatever zeros stood before them.
const LOOK_AHEAD: usize = 4;

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        let mut reader = Self {
            bytes,
            next: 0,
            range: u32::MAX,
            code: 0,
        };
        for _ in 0..LOOK_AHEAD {
            reader.shift();
        }
        reader.range = u32::MAX;
        reader
    }

    fn shift(&mut self) {
        let byte = self.bytes.get(self.next).copied().unwrap_or(0);
        self.next += 1;
        self.code = (self.code << 8) | u32::from(byte);
        self.range <<= 8;
    }

    /// Whether all bytes were needed to come here: whoever appended some, or
    /// cut the count, is found out.
    pub(super) fn reached_the_end(&self) -> bool {
        self.next >= self.bytes.len()
    }
}

impl Coder for Reader<'_> {
    const WRITES: bool = false;

    #[inline]
    fn bit(&mut self, p1: u32, _: bool) -> bool {
        let bound = split(self.range, p1);
        let bit = self.code < bound;
        if bit {
            self.range = bound;
        } else {
            self.code -= bound;
            self.range -= bound;
        }
        while self.range < NARROW {
            self.shift();
        }
        bit
    }

    fn raw(&mut self, count: u32, _: u64) -> u64 {
        let mut left = count;
        let mut value = 0_u64;
        while left > 0 {
            let take = left.min(8);
            left -= take;
            self.range >>= take;
            // A damaged stream can hold a code beyond the interval.
            let piece = (self.code / self.range).min((1 << take) - 1);
            self.code -= piece * self.range;
            value = (value << take) | u64::from(piece);
            while self.range < NARROW {
                self.shift();
            }
        }
        value
    }
}

#[inline]
fn split(range: u32, p1: u32) -> u32 {
    // 8 to 16 significant bits of the range are enough, and 32 bits suffice.
    (range >> PROBABILITY_BITS) * p1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(
            head in prop::collection::vec(any::<u8>(), 0..4),
            items in prop::collection::vec((any::<bool>(), 1..65535_u32, 0..65_u32, any::<u64>()), 0..400),
        ) {
            let mut w = Writer::after(head.clone());
            for (bit, p1, count, value) in &items {
                w.bit(*p1, *bit);
                let value = if *count == 64 { *value } else { value & ((1 << count) - 1) };
                w.raw(*count, value);
            }
            let bytes = w.finish();
            prop_assert!(bytes.starts_with(&head));
            let mut r = Reader::new(&bytes[head.len()..]);
            for (bit, p1, count, value) in &items {
                prop_assert_eq!(r.bit(*p1, false), *bit);
                let value = if *count == 64 { *value } else { value & ((1 << count) - 1) };
                prop_assert_eq!(r.raw(*count, 0), value);
            }
            prop_assert!(r.reached_the_end());
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..50)) {
            let mut r = Reader::new(&bytes);
            for i in 0..200_u32 {
                r.bit(1 + i * 300, false);
                r.raw(i % 65, 0);
            }
        }
    }

    #[test]
    fn a_sure_bit_costs_next_to_nothing() {
        let mut w = Writer::after(Vec::new());
        for _ in 0..10_000 {
            w.bit(65_500, true);
        }
        assert!(w.finish().len() < 2);
    }
}
