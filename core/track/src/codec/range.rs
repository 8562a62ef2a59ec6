//! A binary range coder: integers only, the same bytes on every platform.
//!
//! Encoder and decoder share the trait [`Coder`], so that the code which walks
//! through a chunk's fields is written once and cannot differ between the two.
//! The interval has 64 bits and is widened four bytes at a time, so that this,
//! which no processor can foresee, is rare.

/// Probabilities are in 1/65536.
const PROBABILITY_BITS: u32 = 16;
/// Below this the interval is widened.
const NARROW: u64 = 1 << 32;
/// By this many bytes.
const WORD: usize = 4;

/// One side of the coder. What is passed in is written by the encoder and
/// ignored by the decoder; what is returned is what was coded.
pub(super) trait Coder {
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
    /// The lower end of the interval.
    low: u64,
    range: u64,
}

impl Writer {
    /// Appends to `out`.
    pub(super) fn after(out: Vec<u8>) -> Self {
        Self {
            start: out.len(),
            out,
            low: 0,
            range: u64::MAX,
        }
    }

    /// Moves the lower end up; a carry runs through the bytes written so far.
    #[inline]
    fn raise(&mut self, by: u64) {
        let (low, carried) = self.low.overflowing_add(by);
        self.low = low;
        if carried {
            self.carry();
        }
    }

    #[cold]
    fn carry(&mut self) {
        for byte in self.out[self.start..].iter_mut().rev() {
            *byte = byte.wrapping_add(1);
            if *byte != 0 {
                break;
            }
        }
    }

    #[inline]
    fn widen(&mut self) {
        if self.range < NARROW {
            self.out.extend_from_slice(&self.low.to_be_bytes()[..WORD]);
            self.low <<= 32;
            self.range <<= 32;
        }
    }

    /// Ends the stream with the fewest bytes that still lie in the interval,
    /// given that the reader goes on with zeros.
    pub(super) fn finish(mut self) -> Vec<u8> {
        let room = self.range - 1;
        for zeros in (0..64).rev() {
            let mask = (1_u64 << zeros) - 1;
            // The next number that ends in so many zeros.
            let up = self.low.wrapping_neg() & mask;
            if up <= room {
                self.raise(up);
                break;
            }
        }
        self.out.extend_from_slice(&self.low.to_be_bytes());
        while self.out.len() > self.start && self.out.last() == Some(&0) {
            self.out.pop();
        }
        self.out
    }
}

impl Coder for Writer {
    #[inline]
    fn bit(&mut self, p1: u32, bit: bool) -> bool {
        let bound = (self.range >> PROBABILITY_BITS) * u64::from(p1);
        self.raise(if bit { 0 } else { bound });
        self.range = if bit { bound } else { self.range - bound };
        self.widen();
        bit
    }

    #[inline]
    fn raw(&mut self, count: u32, value: u64) -> u64 {
        for at in (0..count).rev() {
            self.range >>= 1;
            self.raise(self.range * ((value >> at) & 1));
            self.widen();
        }
        value
    }
}

/// Reads bits from bytes; past the end it reads zeros.
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    next: usize,
    range: u64,
    code: u64,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        let mut reader = Self {
            bytes,
            next: 0,
            range: u64::MAX,
            code: 0,
        };
        reader.code = (reader.word() << 32) | reader.word();
        reader
    }

    fn word(&mut self) -> u64 {
        let rest = self.bytes.get(self.next..).unwrap_or_default();
        self.next += WORD;
        match rest.first_chunk::<WORD>() {
            Some(word) => u64::from(u32::from_be_bytes(*word)),
            None => {
                let mut word = [0; WORD];
                word[..rest.len()].copy_from_slice(rest);
                u64::from(u32::from_be_bytes(word))
            }
        }
    }

    #[inline]
    fn widen(&mut self) {
        if self.range < NARROW {
            self.range <<= 32;
            self.code = (self.code << 32) | self.word();
        }
    }

    /// Whether all bytes were needed to come here: whoever appended some, or
    /// cut the count, is found out.
    pub(super) fn reached_the_end(&self) -> bool {
        self.next >= self.bytes.len()
    }
}

impl Coder for Reader<'_> {
    #[inline]
    fn bit(&mut self, p1: u32, _: bool) -> bool {
        let bound = (self.range >> PROBABILITY_BITS) * u64::from(p1);
        let bit = self.code < bound;
        self.code -= if bit { 0 } else { bound };
        self.range = if bit { bound } else { self.range - bound };
        self.widen();
        bit
    }

    #[inline]
    fn raw(&mut self, count: u32, _: u64) -> u64 {
        let mut value = 0_u64;
        for _ in 0..count {
            self.range >>= 1;
            let bit = self.code >= self.range;
            self.code -= if bit { self.range } else { 0 };
            value = (value << 1) | u64::from(bit);
            self.widen();
        }
        value
    }
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
