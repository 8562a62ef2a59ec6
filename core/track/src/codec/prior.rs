//! Where the model starts.

use super::model::Slot;
use super::walk::SLOTS;

pub(super) fn slots() -> Vec<Slot> {
    vec![Slot::EVEN; SLOTS]
}
