//! Nanoseconds. The one place here that looks at a clock.

use std::time::{Duration, Instant};

/// How often something is measured at least and at most, and for how long; the
/// fastest counts, as all that disturbs makes it slower.
const RUNS: std::ops::Range<usize> = 3..30;
const LONG_ENOUGH: Duration = Duration::from_millis(150);

/// Nanoseconds that each of `count` things took in one call, and the result.
#[expect(
    clippy::disallowed_methods,
    reason = "a bench measures time; nothing depends on it"
)]
#[expect(clippy::cast_precision_loss, reason = "counts of fixes")]
pub(super) fn ns_each<T>(count: usize, mut call: impl FnMut() -> T) -> (f64, T) {
    let mut timed = || {
        let start = Instant::now();
        let result = std::hint::black_box(call());
        (start.elapsed(), result)
    };
    let (mut best, mut result): (Duration, T) = timed();
    let mut spent = best;
    for run in 1..RUNS.end {
        if run >= RUNS.start && spent > LONG_ENOUGH {
            break;
        }
        let (took, again) = timed();
        best = best.min(took);
        spent += took;
        result = again;
    }
    (best.as_nanos() as f64 / count.max(1) as f64, result)
}
