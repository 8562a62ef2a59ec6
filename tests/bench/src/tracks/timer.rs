//! Nanoseconds. The one place here that looks at a clock.

use std::time::{Duration, Instant};

/// How often something is measured; the fastest counts, as all that disturbs
/// makes it slower.
const RUNS: usize = 3;

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
    for _ in 1..RUNS {
        let (took, again) = timed();
        best = best.min(took);
        result = again;
    }
    (best.as_nanos() as f64 / count.max(1) as f64, result)
}
