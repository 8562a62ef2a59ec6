//! How often somebody may try: token buckets over the monotonic clock.

use std::collections::HashMap;
use std::sync::Mutex;

use crate::commits::lock;

/// How many buckets are kept before full ones are thrown out.
const MOST_BUCKETS: usize = 10_000;

/// A limit: `burst` tries at once, then one every `every_ms`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limit {
    pub(crate) burst: u32,
    pub(crate) every_ms: i64,
}

impl Limit {
    const fn full_ms(self) -> i64 {
        self.burst as i64 * self.every_ms
    }
}

/// The buckets, each as the time at which it will be full again: one number
/// says all.
#[derive(Default)]
pub(crate) struct Limiter {
    buckets: Mutex<HashMap<String, (i64, i64)>>,
}

impl Limiter {
    /// Takes one try from the bucket `key`.
    ///
    /// # Errors
    /// In how many seconds there will be one.
    pub(crate) fn take(&self, key: &str, limit: Limit, now_ms: i64) -> Result<(), u64> {
        let mut buckets = lock(&self.buckets);
        if buckets.len() >= MOST_BUCKETS {
            buckets.retain(|_, (full_at, _)| *full_at > now_ms);
        }
        let (full_at, _) = buckets.get(key).copied().unwrap_or((now_ms, 0));
        let full_at = full_at.max(now_ms) + limit.every_ms;
        let wait_ms = full_at - now_ms - limit.full_ms();
        if wait_ms > 0 {
            return Err(u64::try_from(wait_ms).unwrap_or(0).div_ceil(1000));
        }
        buckets.insert(key.to_owned(), (full_at, limit.every_ms));
        Ok(())
    }

    /// Gives a try back: it was a good one.
    pub(crate) fn give_back(&self, key: &str) {
        if let Some((full_at, every_ms)) = lock(&self.buckets).get_mut(key) {
            *full_at -= *every_ms;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_then_one_by_one() {
        let limiter = Limiter::default();
        let limit = Limit {
            burst: 3,
            every_ms: 10_000,
        };
        for _ in 0..3 {
            assert_eq!(limiter.take("a", limit, 1_000), Ok(()));
        }
        assert_eq!(limiter.take("a", limit, 1_000), Err(10));
        assert_eq!(limiter.take("b", limit, 1_000), Ok(()), "each has its own");
        assert_eq!(limiter.take("a", limit, 11_000), Ok(()));
        assert_eq!(limiter.take("a", limit, 11_001), Err(10));
        limiter.give_back("a");
        assert_eq!(limiter.take("a", limit, 11_001), Ok(()));
        assert_eq!(
            limiter.take("a", limit, 1_000_000),
            Ok(()),
            "refused tries cost nothing"
        );
    }

    #[test]
    fn full_buckets_are_forgotten() {
        let limiter = Limiter::default();
        let limit = Limit {
            burst: 1,
            every_ms: 10,
        };
        for n in 0..MOST_BUCKETS + 5 {
            let now_ms = i64::try_from(n).expect("small");
            assert_eq!(limiter.take(&n.to_string(), limit, now_ms), Ok(()));
        }
        assert!(lock(&limiter.buckets).len() < 100);
    }
}
