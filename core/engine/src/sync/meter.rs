//! How far a sync is, in figures that never go back.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::call::Spent;
use super::{Phase, Progress, SyncProgress};

#[derive(Clone, Copy, Default)]
struct Count {
    done: u64,
    total: u64,
    bytes_done: u64,
    bytes_total: u64,
}

/// Counts what is done, and tells whoever wants to know.
pub(crate) struct Meter {
    who: Option<Arc<dyn SyncProgress>>,
    counts: BTreeMap<Phase, Count>,
    reached: Phase,
    /// Everything now is for somebody who left.
    pub(crate) vault: bool,
}

impl Meter {
    pub(crate) fn new(who: Option<Arc<dyn SyncProgress>>) -> Self {
        Self {
            who,
            counts: BTreeMap::new(),
            reached: Phase::Hello,
            vault: false,
        }
    }

    fn count(&mut self, phase: Phase) -> (Phase, &mut Count) {
        let phase = if self.vault { Phase::Vault } else { phase };
        (phase, self.counts.entry(phase).or_default())
    }

    /// So much is to be done yet.
    pub(crate) fn plan(&mut self, phase: Phase, items: u64, bytes: u64) {
        let (_, count) = self.count(phase);
        count.total = count.total.max(count.done + items);
        count.bytes_total = count.bytes_total.max(count.bytes_done + bytes);
    }

    /// So much was done now.
    pub(crate) fn did(&mut self, phase: Phase, items: u64, bytes: u64) {
        let (_, count) = self.count(phase);
        count.done += items;
        count.bytes_done += bytes;
        if count.total > 0 {
            count.total = count.total.max(count.done);
        }
        if count.bytes_total > 0 {
            count.bytes_total = count.bytes_total.max(count.bytes_done);
        }
    }

    /// Whether anything was done at all.
    pub(crate) fn moved(&self) -> bool {
        let mut counts = self.counts.values();
        counts.any(|count| count.done > 0 || count.bytes_done > 0)
    }

    /// Tells how far it is; a phase that was passed already is told no more.
    pub(crate) fn tell(&mut self, phase: Phase, spent: Spent) {
        let (phase, count) = self.count(phase);
        let count = *count;
        if phase < self.reached {
            return;
        }
        self.reached = phase;
        if let Some(who) = &self.who {
            who.progress(Progress {
                phase,
                done: count.done,
                total: count.total,
                bytes_done: count.bytes_done,
                bytes_total: count.bytes_total,
                bytes_up: spent.up,
                bytes_down: spent.down,
            });
        }
    }
}
