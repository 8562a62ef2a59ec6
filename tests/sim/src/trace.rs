//! What happened, line by line: the same lines for the same seed.

use std::fmt;
use std::hash::{DefaultHasher, Hasher as _};

use crate::time::MORNING_MS;

/// The lines of a run.
#[derive(Default)]
pub struct Trace {
    lines: Vec<(i64, String)>,
    /// A hasher of fixed keys.
    hash: DefaultHasher,
}

impl Trace {
    /// Adds a line.
    pub(crate) fn add(&mut self, at_ms: i64, line: fmt::Arguments<'_>) {
        let line = line.to_string();
        self.hash.write_i64(at_ms);
        self.hash.write(line.as_bytes());
        self.lines.push((at_ms, line));
    }

    /// A number that differs where any line differs.
    #[must_use]
    pub fn hash(&self) -> u64 {
        self.hash.finish()
    }

    /// The lines, each with its time of day.
    pub fn lines(&self) -> impl DoubleEndedIterator<Item = String> {
        let shown = |(at_ms, line): &(i64, String)| format!("{} {line}", clock(*at_ms));
        self.lines.iter().map(shown)
    }
}

/// A time as days and clock, from the morning of the first day.
pub(crate) fn clock(at_ms: i64) -> String {
    let since = at_ms - MORNING_MS + 8 * 3_600_000;
    let (days, ms) = (since.div_euclid(86_400_000), since.rem_euclid(86_400_000));
    let (hours, minutes) = (ms / 3_600_000, ms / 60_000 % 60);
    let (seconds, ms) = (ms / 1000 % 60, ms % 1000);
    format!("{days}d {hours:02}:{minutes:02}:{seconds:02}.{ms:03}")
}

/// The bytes' own number, short.
pub(crate) fn digest(bytes: &[u8]) -> String {
    let mut hash = DefaultHasher::new();
    hash.write(bytes);
    format!("{:08x}", hash.finish() & 0xffff_ffff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_of_lines_and_times() {
        let of = |at_ms, line: &str| {
            let mut trace = Trace::default();
            trace.add(at_ms, format_args!("{line}"));
            trace.hash()
        };
        assert_eq!(of(1, "a"), of(1, "a"));
        assert_ne!(of(1, "a"), of(2, "a"));
        assert_ne!(of(1, "a"), of(1, "b"));
    }

    #[test]
    fn times_are_those_of_the_district() {
        assert_eq!(clock(MORNING_MS), "0d 08:00:00.000");
        assert_eq!(clock(MORNING_MS + 16 * 3_600_000 + 1), "1d 00:00:00.001");
    }
}
