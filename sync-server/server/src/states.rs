//! States that were read not long ago: the same text is not read twice.
//!
//! A state is kept with the text that it was read from or written as, and given
//! out for that very text alone. So it does not matter whether a transaction was
//! committed, or which time line or process wrote the text.

use gridwalk_domain::{Entity, EntityId};
use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;

use crate::commits::lock;

/// The bytes of texts that are kept; their states take some four times as many.
const MOST_BYTES: usize = 32 * 1024 * 1024;

struct State {
    /// Which call of `put` it is from.
    turn: u64,
    text: String,
    entity: Entity,
}

#[derive(Default)]
struct Kept {
    states: HashMap<EntityId, State>,
    /// By turn; one whose state was taken out since is passed over.
    order: VecDeque<(u64, EntityId)>,
    turn: u64,
    bytes: usize,
}

/// The kept states.
#[derive(Default)]
pub(crate) struct States(Mutex<Kept>);

impl Kept {
    fn remove(&mut self, id: EntityId) -> Option<State> {
        let removed = self.states.remove(&id)?;
        self.bytes -= removed.text.len();
        Some(removed)
    }

    /// Forgets the oldest ones where they are too many.
    fn shrink(&mut self) {
        while self.bytes > MOST_BYTES || self.order.len() > 2 * self.states.len() + 64 {
            let Some((turn, id)) = self.order.pop_front() else {
                return;
            };
            let stands = self.states.get(&id).is_some_and(|kept| kept.turn == turn);
            match (stands, self.bytes > MOST_BYTES) {
                (true, true) => drop(self.remove(id)),
                (true, false) => self.order.push_back((turn, id)),
                (false, _) => {}
            }
        }
    }
}

impl States {
    /// Takes out the state that `text` was read as, where it is kept.
    pub(crate) fn take(&self, id: EntityId, text: &str) -> Option<Entity> {
        let kept = lock(&self.0).remove(id)?;
        (kept.text == text).then_some(kept.entity)
    }

    /// Keeps a state with its text.
    pub(crate) fn put(&self, id: EntityId, text: String, entity: Entity) {
        let mut kept = lock(&self.0);
        kept.remove(id);
        kept.turn += 1;
        kept.bytes += text.len();
        let turn = kept.turn;
        kept.states.insert(id, State { turn, text, entity });
        kept.order.push_back((turn, id));
        kept.shrink();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gridwalk_domain::{
        Author, BootId, GridId, Moment, OpId, ServerPart, Stamp, StreamKey, TenantId,
    };

    fn id(n: usize) -> EntityId {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&n.to_be_bytes());
        EntityId::from_bytes(bytes)
    }

    fn entity(n: usize) -> Entity {
        let server = ServerPart::Clock;
        Entity {
            id: id(n),
            kind: "incident".into(),
            tenant: TenantId::from_bytes([1; 16]),
            home: StreamKey::Records(GridId::from_bytes([1; 16])),
            created: Stamp {
                op: OpId::from_bytes([1; 16]),
                by: Author::Server { server },
                at_ms: 0,
            },
            created_clock: Moment {
                wall_ms: 0,
                boot: BootId::from_bytes([1; 16]),
                mono_ms: 0,
            },
            fields: [].into(),
            history: vec![],
            lists: [].into(),
            sets: [].into(),
            deleted: None,
            delete_proposed: vec![],
            ops: vec![],
            unknown: serde_json::Map::new(),
        }
    }

    #[test]
    fn a_state_is_given_for_its_own_text_alone() {
        let states = States::default();
        states.put(id(1), "one".into(), entity(1));
        assert_eq!(states.take(id(1), "another"), None);
        assert_eq!(
            states.take(id(1), "one"),
            None,
            "what does not fit is forgotten"
        );
        states.put(id(1), "one".into(), entity(1));
        states.put(id(1), "two".into(), entity(1));
        assert_eq!(states.take(id(1), "two"), Some(entity(1)));
        assert_eq!(states.take(id(1), "two"), None, "it was taken out");
    }

    #[test]
    fn what_is_kept_stays_small_and_the_newest_is_in_it() {
        let states = States::default();
        let text = "x".repeat(MOST_BYTES / 10);
        for n in 0..50 {
            states.put(id(n), text.clone(), entity(n));
        }
        assert!(lock(&states.0).bytes <= MOST_BYTES);
        assert!(states.take(id(0), &text).is_none() && states.take(id(49), &text).is_some());
        // One record that changes again and again.
        states.put(id(1), "first".into(), entity(1));
        for n in 0..10_000 {
            states.put(id(2), n.to_string(), entity(2));
        }
        let kept = lock(&states.0);
        assert!(kept.order.len() < 300, "{}", kept.order.len());
        assert!(
            kept.states.contains_key(&id(1)),
            "others are not pushed out by it"
        );
    }
}
