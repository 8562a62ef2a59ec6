//! How much one request carries.
//!
//! A sync begins small and sends more as answers come quickly; where they take
//! long, or a request breaks, it sends less. A request that was refused as a
//! whole is cut until what is at fault is alone; that rests, and all else goes
//! on. A server that fails (500) at one thing alone and not at the next has a
//! fault with that thing, too.

use super::call::{Halt, Step};
use crate::error::EngineError;

/// What a first request carries, in bytes of content.
const FIRST: usize = 32 * 1024;
/// No request is made smaller than this for slowness.
const LEAST: usize = 2 * 1024;
/// A request that takes no longer may carry twice as much.
const QUICK_MS: i64 = 2_000;
/// One that takes longer carries half as much.
const SLOW_MS: i64 = 10_000;
/// Something that the server failed at so often, alone each time, rests.
pub(super) const TRIES: i64 = 5;

/// How large requests are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pace {
    bytes: usize,
    most: usize,
}

impl Pace {
    /// `known`: where the last sync broke at a request, what to begin with.
    pub(crate) fn new(known: Option<usize>, most: usize) -> Self {
        Self {
            bytes: known.unwrap_or(FIRST).clamp(LEAST, FIRST).min(most),
            most,
        }
    }

    pub(crate) fn bytes(self) -> usize {
        self.bytes
    }

    /// A request with so much content took so long.
    pub(crate) fn took(&mut self, carried: usize, ms: i64) {
        if ms > SLOW_MS {
            self.bytes = (self.bytes / 2).max(LEAST);
        } else if ms <= QUICK_MS && carried * 2 >= self.bytes {
            self.bytes = (self.bytes * 2).min(self.most);
        }
    }

    /// What to begin with after a request broke that carried so much.
    pub(crate) fn after_break(carried: usize) -> usize {
        (carried / 2).clamp(LEAST, FIRST)
    }
}

/// Something alone that the server failed at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Guilty {
    /// Its row.
    pub(crate) n: i64,
    pub(crate) code: String,
    pub(crate) why: String,
}

/// What to do after a request was refused.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// The same again, in smaller parts.
    Smaller,
    /// This one alone is at fault: it rests.
    Park(Guilty),
    /// Perhaps this one alone is at fault: the next one will show.
    Skip,
}

/// What a request carried.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Carried {
    pub(crate) items: usize,
    pub(crate) bytes: usize,
    /// The row of the first, and how often it was tried.
    pub(crate) n: i64,
    pub(crate) tries: i64,
}

/// Sends many things in requests of the right size.
pub(crate) struct Batches {
    pace: Pace,
    items: usize,
    most_items: usize,
    /// What the server failed at, before anything else passed.
    suspect: Option<(Guilty, i64, Halt)>,
}

impl Batches {
    pub(crate) fn new(pace: Pace, most_items: usize) -> Self {
        let most_items = most_items.max(1);
        Self {
            pace,
            items: most_items,
            most_items,
            suspect: None,
        }
    }

    /// How many things, and how many bytes, the next request may carry.
    pub(crate) fn next(&self, room: usize) -> (usize, usize) {
        (self.items, self.pace.bytes.min(room))
    }

    /// A request was answered; gives what this shows to be at fault.
    pub(crate) fn passed(&mut self, carried: Carried, ms: i64) -> Option<Guilty> {
        self.pace.took(carried.bytes, ms);
        // What was cut small around something at fault grows again.
        self.items = (self.items * 2).min(self.most_items);
        self.suspect.take().map(|(guilty, ..)| guilty)
    }

    /// A request was refused, or was not answered.
    ///
    /// # Errors
    /// The halt itself, where nothing carried is at fault.
    pub(crate) fn refused(&mut self, carried: Carried, halt: Halt) -> Step<Then> {
        let Halt::Failed(EngineError::ServerError { status, code, text }) = &halt else {
            return Err(halt);
        };
        if !matches!(status, 400 | 413 | 415 | 422 | 500) {
            return Err(halt);
        }
        if carried.items > 1 {
            self.items = carried.items / 2;
            return Ok(Then::Smaller);
        }
        let guilty = Guilty {
            n: carried.n,
            code: code.clone(),
            why: text.clone(),
        };
        if *status != 500 {
            return Ok(Then::Park(guilty));
        }
        // At two in a row the server has a fault of its own.
        if self.suspect.is_some() {
            return Err(halt);
        }
        self.suspect = Some((guilty, carried.tries, halt));
        Ok(Then::Skip)
    }

    /// All was gone through; gives what rests now.
    ///
    /// # Errors
    /// Where the server failed at the last thing, and may be at fault itself.
    pub(crate) fn end(self) -> Step<Option<Guilty>> {
        match self.suspect {
            Some((guilty, tries, _)) if tries >= TRIES => Ok(Some(guilty)),
            Some((.., halt)) => Err(halt),
            None => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(status: u16) -> Halt {
        Halt::Failed(EngineError::ServerError {
            status,
            code: "c".into(),
            text: "t".into(),
        })
    }

    fn carried(items: usize, n: i64) -> Carried {
        Carried {
            items,
            bytes: items * 400,
            n,
            tries: 1,
        }
    }

    #[test]
    fn requests_grow_while_answers_are_quick_and_shrink_when_they_are_slow() {
        let mut pace = Pace::new(None, 256 * 1024);
        assert_eq!(pace.bytes(), FIRST);
        pace.took(FIRST, 500);
        assert_eq!(pace.bytes(), 2 * FIRST);
        pace.took(100, 500);
        assert_eq!(pace.bytes(), 2 * FIRST, "a small one says nothing");
        pace.took(2 * FIRST, 5_000);
        assert_eq!(pace.bytes(), 2 * FIRST, "neither quick nor slow");
        for _ in 0..9 {
            pace.took(pace.bytes(), 0);
        }
        assert_eq!(pace.bytes(), 256 * 1024);
        for _ in 0..20 {
            pace.took(pace.bytes(), 60_000);
        }
        assert_eq!(pace.bytes(), LEAST);
        assert_eq!(
            Pace::new(Some(Pace::after_break(9_000)), 1 << 20).bytes(),
            4_500
        );
        assert_eq!(Pace::new(Some(1), 1 << 20).bytes(), LEAST);
        assert_eq!(
            Pace::new(None, 1_000).bytes(),
            1_000,
            "never above the limit"
        );
    }

    #[test]
    fn what_is_refused_is_cut_until_it_is_alone() {
        let mut batches = Batches::new(Pace::new(None, 1 << 20), 200);
        for items in [200, 100, 50, 25, 12, 6, 3] {
            assert_eq!(batches.next(usize::MAX).0, items);
            assert_eq!(
                batches.refused(carried(items, 1), refusal(413)),
                Ok(Then::Smaller)
            );
        }
        assert!(matches!(
            batches.refused(carried(1, 7), refusal(400)),
            Ok(Then::Park(Guilty { n: 7, .. }))
        ));
        assert_eq!(batches.passed(carried(1, 8), 0), None);
        assert_eq!(batches.next(usize::MAX).0, 2);
        assert!(batches.refused(carried(5, 1), refusal(503)).is_err());
        assert!(batches.refused(carried(5, 1), Halt::Budget).is_err());
    }

    #[test]
    fn a_server_that_fails_at_one_thing_alone_has_a_fault_with_it() {
        let mut batches = Batches::new(Pace::new(None, 1 << 20), 200);
        assert_eq!(batches.refused(carried(1, 7), refusal(500)), Ok(Then::Skip));
        let guilty = batches.passed(carried(3, 8), 0).expect("shown");
        assert_eq!((guilty.n, guilty.code.as_str()), (7, "c"));
        assert_eq!(batches.end(), Ok(None));
    }

    #[test]
    fn a_server_that_fails_at_everything_is_itself_at_fault() {
        let mut batches = Batches::new(Pace::new(None, 1 << 20), 200);
        assert_eq!(batches.refused(carried(1, 7), refusal(500)), Ok(Then::Skip));
        assert_eq!(
            batches.refused(carried(1, 8), refusal(500)),
            Err(refusal(500))
        );
        // With nothing after it, it takes some tries until it is clear.
        for (tries, clear) in [(1, false), (4, false), (5, true)] {
            let mut batches = Batches::new(Pace::new(None, 1 << 20), 200);
            let alone = Carried {
                tries,
                ..carried(1, 7)
            };
            assert_eq!(batches.refused(alone, refusal(500)), Ok(Then::Skip));
            assert_eq!(batches.end().is_ok(), clear);
        }
    }
}
