//! Where the model starts: a table trained on synthetic days and on the traces
//! in `tests/fixtures` (`cargo run --release -p gridwalk-bench -- train`). It is
//! a part of the chunk's format: another table is another version.
//!
//! Two bytes for each slot, most significant first: 12 bits of probability, 4
//! of how settled it is, as an index into [`SETTLED_STEPS`]. First the slots of
//! the contexts of one kind, then of the other.

use std::sync::LazyLock;

use super::model::Slot;
use super::walk::{SLOTS_A, SLOTS_B};

/// How settled a slot may start.
pub(super) const SETTLED_STEPS: [u16; 16] =
    [0, 1, 2, 3, 4, 6, 8, 11, 15, 20, 26, 34, 45, 60, 80, 110];

static SHIPPED: LazyLock<Prior> = LazyLock::new(|| Prior::of(include_bytes!("prior.bin")));

/// Where the slots of all contexts start.
pub(super) struct Prior(Vec<Slot>);

impl Prior {
    /// That of this version of the chunk.
    pub(super) fn shipped() -> &'static Self {
        &SHIPPED
    }

    /// From a table; what it does not reach starts even.
    pub(super) fn of(table: &[u8]) -> Self {
        let mut slots = vec![Slot::EVEN; SLOTS_A + SLOTS_B];
        for (slot, bytes) in slots.iter_mut().zip(table.as_chunks().0) {
            let packed = u16::from_be_bytes(*bytes);
            *slot = Slot::new(
                (packed & 0xfff0) | 8,
                SETTLED_STEPS[usize::from(packed & 15)],
            );
        }
        Self(slots)
    }

    /// The slots of the contexts of either kind.
    pub(super) fn kinds(&self) -> (&[Slot], &[Slot]) {
        self.0.split_at(SLOTS_A)
    }
}
