//! What the phones acknowledged, and what the server says it holds: compared by
//! identity.

use anyhow::{Context as _, Result};
use gridwalk_domain::{EntityId, RunId, Sha256};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Something that a phone acknowledged.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Event {
    /// Fixes `first` to `first + count - 1` of a run are durable.
    Fixes {
        /// The patrol.
        patrol: EntityId,
        /// The recorder's run.
        run: RunId,
        /// The ordinal of the first.
        first: u32,
        /// How many.
        count: u32,
    },
    /// A patrol began.
    Patrol(EntityId),
    /// An incident is saved.
    Incident(EntityId),
    /// Attachments of these contents are saved.
    Attached(Vec<Sha256>),
}

/// Identities of records of the main kinds.
#[derive(Default)]
pub(crate) struct Ledger {
    fixes: BTreeSet<(EntityId, RunId, u32)>,
    patrols: BTreeSet<EntityId>,
    incidents: BTreeSet<EntityId>,
    attachments: BTreeSet<Sha256>,
    /// Fixes that a server stores above those that it can name apart.
    surplus: u64,
}

impl Ledger {
    /// Writes down what a phone acknowledged.
    pub(crate) fn note(&mut self, event: Event) {
        match event {
            Event::Fixes {
                patrol,
                run,
                first,
                count,
            } => {
                self.fixes
                    .extend((first..first + count).map(|n| (patrol, run, n)));
            }
            Event::Patrol(id) => drop(self.patrols.insert(id)),
            Event::Incident(id) => drop(self.incidents.insert(id)),
            Event::Attached(contents) => self.attachments.extend(contents),
        }
    }

    /// Reads what the server answered to `GET /api/holdings`.
    ///
    /// # Errors
    /// Where it is not what docs/api.md says.
    pub(crate) fn of_server(json: &[u8]) -> Result<Self> {
        let held: Holdings = serde_json::from_slice(json).context("the server's holdings")?;
        let mut ledger = Self {
            incidents: held.incidents.iter().copied().collect(),
            attachments: held.attachments.iter().copied().collect(),
            ..Self::default()
        };
        ledger.surplus += (held.incidents.len() - ledger.incidents.len()) as u64;
        ledger.surplus += (held.attachments.len() - ledger.attachments.len()) as u64;
        for patrol in held.patrols {
            let before = ledger.fixes.len() as u64;
            for run in &patrol.runs {
                for [first, last] in &run.ordinals {
                    ledger
                        .fixes
                        .extend((*first..=*last).map(|n| (patrol.id, run.run, n)));
                }
            }
            ledger.surplus += patrol.fixes_stored - (ledger.fixes.len() as u64 - before);
            ledger.surplus += u64::from(!ledger.patrols.insert(patrol.id));
        }
        Ok(ledger)
    }

    /// How many fixes.
    pub(crate) fn fixes(&self) -> usize {
        self.fixes.len()
    }

    /// How many patrols.
    pub(crate) fn patrols(&self) -> usize {
        self.patrols.len()
    }

    /// How many incidents.
    pub(crate) fn incidents(&self) -> usize {
        self.incidents.len()
    }

    /// How many attachments, each content once.
    pub(crate) fn attachments(&self) -> usize {
        self.attachments.len()
    }

    /// How many records of ours `server` does not hold.
    pub(crate) fn lost_on(&self, server: &Self) -> usize {
        self.fixes.difference(&server.fixes).count()
            + self.patrols.difference(&server.patrols).count()
            + self.incidents.difference(&server.incidents).count()
            + self.attachments.difference(&server.attachments).count()
    }

    /// How many records `server` holds twice, or under an identity that no
    /// phone gave.
    pub(crate) fn duplicated_on(&self, server: &Self) -> u64 {
        let strange = server.fixes.difference(&self.fixes).count()
            + server.patrols.difference(&self.patrols).count()
            + server.incidents.difference(&self.incidents).count()
            + server.attachments.difference(&self.attachments).count();
        server.surplus + strange as u64
    }
}

#[derive(Deserialize)]
struct Holdings {
    patrols: Vec<HeldPatrol>,
    incidents: Vec<EntityId>,
    attachments: Vec<Sha256>,
}

#[derive(Deserialize)]
struct HeldPatrol {
    id: EntityId,
    fixes_stored: u64,
    runs: Vec<HeldRun>,
}

#[derive(Deserialize)]
struct HeldRun {
    run: RunId,
    ordinals: Vec<[u32; 2]>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn id(n: u8) -> EntityId {
        EntityId::from_bytes([n; 16])
    }

    fn acknowledged() -> Ledger {
        let mut ledger = Ledger::default();
        ledger.note(Event::Patrol(id(1)));
        ledger.note(Event::Fixes {
            patrol: id(1),
            run: RunId(7),
            first: 0,
            count: 10,
        });
        ledger.note(Event::Incident(id(2)));
        ledger.note(Event::Attached(vec![Sha256([3; 32])]));
        ledger
    }

    fn held(stored: u64, ordinals: serde_json::Value, incidents: Vec<EntityId>) -> Ledger {
        let runs = json!([{"run": RunId(7), "ordinals": ordinals}]);
        let patrols = json!([{"id": id(1), "chunks": 1, "fixes_stored": stored, "runs": runs}]);
        let all = json!({"patrols": patrols, "incidents": incidents, "ops": [], "attachments": [Sha256([3; 32])]});
        Ledger::of_server(all.to_string().as_bytes()).expect("reads")
    }

    #[test]
    fn the_same_on_both_sides_is_neither_lost_nor_twice() {
        let server = held(10, json!([[0, 4], [5, 9]]), vec![id(2)]);
        assert_eq!(acknowledged().lost_on(&server), 0);
        assert_eq!(acknowledged().duplicated_on(&server), 0);
    }

    #[test]
    fn what_is_missing_twice_or_strange_is_counted() {
        let lost = held(9, json!([[0, 8]]), vec![]);
        assert_eq!(acknowledged().lost_on(&lost), 2);
        let twice = held(12, json!([[0, 9]]), vec![id(2), id(2)]);
        assert_eq!(acknowledged().duplicated_on(&twice), 3);
        let strange = held(11, json!([[0, 10]]), vec![id(2), id(9)]);
        assert_eq!(acknowledged().duplicated_on(&strange), 2);
    }
}
