//! Ingest: what becomes of each op.
//!
//! A batch loads all that its ops ask for in a few calls, judges them one after
//! another in memory, and writes what came of it. Judging writes nothing, so an
//! op that is refused leaves no trace but its own row.

use gridwalk_domain::wire::{OpOutcome, Outcome, Reason, ReceiptOf};
use gridwalk_domain::{
    Author, Effect, Entity, EntityId, Intent, OpBody, OpId, Refusal, Rng, StreamKey, apply,
};
use gridwalk_store::{
    AssignmentRow, DeviceRow, EntityRow, EntryRow, OpRow, OpSummary, Read, StoreError, StreamHead,
    TagRow, Write,
};
use std::collections::{BTreeMap, HashMap};

use super::push::Incoming;
use super::receipts;
use super::time::Boots;
use crate::error::Error;
use crate::project;
use crate::random::tag;

pub(super) fn reason(code: &str, text: &dyn std::fmt::Display) -> Reason {
    Reason {
        code: code.to_owned(),
        text: text.to_string(),
    }
}

fn quarantined(code: &str, text: &str) -> Outcome {
    Outcome::Quarantined {
        reason: reason(code, &text),
    }
}

/// An entity that ops of this batch are about.
#[derive(Default)]
struct Loaded {
    row: Option<EntityRow>,
    /// Read from the row when the first op needs it.
    state: Option<Entity>,
    rev: u64,
    /// Its number in its home stream, where this batch changed it.
    seq: Option<u64>,
}

impl Loaded {
    fn home(&self) -> Option<StreamKey> {
        let of_state = self.state.as_ref().map(|state| state.home);
        of_state.or(self.row.as_ref().map(|row| row.home))
    }
}

/// The ops of one push under judgement.
pub(super) struct Batch<'a> {
    device: &'a DeviceRow,
    now_ms: i64,
    utc_offset_min: i32,
    assignments: Vec<AssignmentRow>,
    boots: Boots,
    known: HashMap<OpId, Vec<OpSummary>>,
    entities: BTreeMap<EntityId, Loaded>,
    heads: BTreeMap<StreamKey, StreamHead>,
    stored: Vec<OpRow>,
    receipts: Vec<ReceiptOf>,
}

impl<'a> Batch<'a> {
    /// Loads what the ops ask for.
    pub(super) fn load<'b>(
        tx: &dyn Read,
        device: &'a DeviceRow,
        now_ms: i64,
        ops: impl Iterator<Item = &'b Incoming>,
    ) -> Result<Self, StoreError> {
        let (mut ids, mut entities, mut boots, mut streams) = (vec![], vec![], vec![], vec![]);
        for op in ops {
            ids.push(op.head.id);
            ids.extend(op.head.prev);
            ids.extend(&op.head.needs);
            entities.push(op.head.entity);
            boots.push(op.head.at.boot);
            if let Ok(OpBody {
                intent: Intent::Create { home, .. },
                ..
            }) = &op.body
            {
                streams.push(*home);
            }
        }
        boots.sort_unstable();
        boots.dedup();
        let tenant = tx.tenant(device.tenant)?;
        let rows = tx.entities(device.tenant, &entities)?;
        let mut entities = BTreeMap::new();
        for row in rows {
            streams.push(row.home);
            let rev = row.rev;
            entities.insert(
                row.id,
                Loaded {
                    row: Some(row),
                    rev,
                    ..Loaded::default()
                },
            );
        }
        streams.sort_unstable();
        streams.dedup();
        let heads = tx.heads(device.tenant, &streams)?;
        let mut known: HashMap<OpId, Vec<OpSummary>> = HashMap::new();
        for op in tx.ops(device.tenant, &ids)? {
            known.entry(op.id).or_default().push(op);
        }
        Ok(Self {
            device,
            now_ms,
            utc_offset_min: tenant.map_or(0, |tenant| tenant.utc_offset_min),
            assignments: tx.assignments(device.tenant, Some(device.worker))?,
            boots: Boots::new(tx.boots(device.tenant, device.id, &boots)?),
            known,
            entities,
            heads: streams.into_iter().zip(heads).collect(),
            stored: Vec::new(),
            receipts: Vec::new(),
        })
    }

    /// What becomes of an op. What is stored of it comes with [`Self::store`].
    pub(super) fn take(&mut self, op: &Incoming) -> Outcome {
        let known = self.known.get(&op.head.id).map_or(&[][..], Vec::as_slice);
        if let Some(same) = known.iter().find(|known| known.sha256 == op.sha256) {
            let first = Box::new(same.outcome.clone());
            return Outcome::Duplicate { first };
        }
        let outcome = if known.is_empty() {
            let before = op.head.prev.iter().chain(&op.head.needs);
            let missing = before.filter(|id| !self.known.contains_key(id));
            let missing: Vec<OpId> = missing.copied().collect();
            if !missing.is_empty() {
                return Outcome::Deferred { missing };
            }
            self.judge(op).unwrap_or_else(|refused| refused)
        } else {
            quarantined(
                "same_id_other_hash",
                "another op of this id is stored; both are kept",
            )
        };
        self.remember(op, &outcome);
        outcome
    }

    /// # Errors
    /// The outcome of an op that is not taken.
    fn judge(&mut self, op: &Incoming) -> Result<Outcome, Outcome> {
        self.check_author(op)?;
        self.check_lane(op)?;
        let body = match &op.body {
            Ok(body) => body,
            Err(code) => {
                return Err(quarantined(
                    code,
                    "this server does not know what is asked for; an upgrade may",
                ));
            }
        };
        let at_ms = self.boots.correct(&op.head.at, self.now_ms);
        self.check_scope(body, at_ms)?;
        let effect = self.apply(body, at_ms)?;
        let Some((stream, seq)) = self.publish(body.entity) else {
            return Err(quarantined(
                "missing",
                "what it changes does not exist here",
            ));
        };
        Ok(match effect {
            Effect::ConflictKept => Outcome::ConflictKept { stream, seq },
            Effect::Applied | Effect::Repeated => Outcome::Applied { stream, seq },
        })
    }

    /// The op must be of the phone that sends it.
    fn check_author(&self, op: &Incoming) -> Result<(), Outcome> {
        let expected = Author::Worker {
            worker: self.device.worker,
            device: self.device.id,
        };
        if op.head.by == expected && op.head.tenant == self.device.tenant {
            return Ok(());
        }
        Err(quarantined(
            "foreign_author",
            "it names another author or district than the phone that sends it",
        ))
    }

    /// What an op builds on must stand. A lane goes on after a refused op, but
    /// not after a refused creation.
    fn check_lane(&self, op: &Incoming) -> Result<(), Outcome> {
        let first = |id: &OpId| self.known.get(id).and_then(|known| known.first());
        let prev = op.head.prev.as_ref().and_then(first);
        let parked = prev.is_some_and(|prev| match prev.outcome {
            Outcome::Quarantined { .. } => true,
            Outcome::Rejected { .. } => prev.creates,
            _ => false,
        });
        let needs = op.head.needs.iter().filter_map(first);
        let refused = |known: &OpSummary| {
            matches!(
                known.outcome,
                Outcome::Quarantined { .. } | Outcome::Rejected { .. }
            )
        };
        if parked || needs.into_iter().any(refused) {
            return Err(quarantined(
                "depends_on_refused",
                "it depends on an op that was refused or is in quarantine",
            ));
        }
        Ok(())
    }

    /// The home stream must have been the worker's at the time of writing.
    fn check_scope(&self, body: &OpBody, at_ms: i64) -> Result<(), Outcome> {
        let home = match &body.intent {
            Intent::Create { home, .. } => Some(*home),
            _ => self.entities.get(&body.entity).and_then(Loaded::home),
        };
        let theirs = match home {
            // `apply` says that it is missing.
            None => true,
            Some(StreamKey::Records(grid)) => self
                .assignments
                .iter()
                .any(|row| row.grid == grid && row.holds_at(at_ms)),
            Some(StreamKey::Inbox(worker)) => worker == self.device.worker,
            Some(StreamKey::Notices(_) | StreamKey::Receipts(_)) => false,
        };
        if !theirs {
            return Err(quarantined(
                "out_of_scope",
                "the grid was not assigned to this worker then",
            ));
        }
        if let Intent::Create { fields, .. } = &body.intent
            && let Some(worker) = fields.get("worker")
            && worker.as_str() != Some(&self.device.worker.to_string())
        {
            return Err(quarantined(
                "foreign_author",
                "it would make a record of another worker",
            ));
        }
        Ok(())
    }

    fn apply(&mut self, body: &OpBody, at_ms: i64) -> Result<Effect, Outcome> {
        let loaded = self.entities.entry(body.entity).or_default();
        if loaded.state.is_none()
            && let Some(row) = &loaded.row
        {
            let state = serde_json::from_str(&row.state);
            loaded.state = Some(state.map_err(|_| {
                tracing::error!(entity = %row.id, "a stored state cannot be read");
                quarantined("unreadable_state", "what it changes cannot be read here")
            })?);
        }
        apply(&mut loaded.state, body, at_ms).map_err(|refusal| {
            let reason = reason(refusal.code(), &refusal);
            match refusal {
                Refusal::Missing | Refusal::UnknownBase | Refusal::UnknownKind => {
                    Outcome::Quarantined { reason }
                }
                _ => Outcome::Rejected { reason },
            }
        })
    }

    /// Gives the change its number in the home stream.
    fn publish(&mut self, entity: EntityId) -> Option<(StreamKey, u64)> {
        let loaded = self.entities.get_mut(&entity)?;
        let home = loaded.home()?;
        let head = self.heads.entry(home).or_default();
        head.seq += 1;
        if loaded.rev == 0 {
            head.count += 1;
        } else {
            head.digest.subtract(entity, loaded.rev);
        }
        loaded.rev += 1;
        head.digest.add(entity, loaded.rev);
        loaded.seq = Some(head.seq);
        Some((home, head.seq))
    }

    fn remember(&mut self, op: &Incoming, outcome: &Outcome) {
        let creates = matches!(
            &op.body,
            Ok(OpBody {
                intent: Intent::Create { .. },
                ..
            })
        );
        let summary = OpSummary {
            id: op.head.id,
            sha256: op.sha256,
            entity: op.head.entity,
            creates,
            outcome: outcome.clone(),
        };
        self.known
            .entry(op.head.id)
            .or_default()
            .push(summary.clone());
        self.stored.push(OpRow {
            summary,
            device: Some(self.device.id),
            received_ms: self.now_ms,
            body: op.text.clone(),
        });
        self.receipts.push(ReceiptOf::Op(OpOutcome {
            op: Some(op.head.id),
            sha256: op.sha256,
            outcome: outcome.clone(),
        }));
    }

    /// Writes what came of the ops: all in the transaction at hand.
    pub(super) fn store(self, tx: &mut dyn Write, rng: &dyn Rng) -> Result<(), Error> {
        let tenant = self.device.tenant;
        let (mut rows, mut entries, mut tags) = (vec![], vec![], vec![]);
        let mut changed = std::collections::BTreeSet::new();
        for (id, loaded) in &self.entities {
            let (Some(state), Some(seq)) = (&loaded.state, loaded.seq) else {
                continue;
            };
            let row = project::row(state, loaded.rev, self.utc_offset_min)?;
            let stream = row.home;
            entries.push(EntryRow {
                stream,
                entity: *id,
                seq,
            });
            // Only a number that an entry bears can become a cursor.
            tags.push(TagRow {
                stream,
                seq,
                tag: tag(rng),
                at_ms: self.now_ms,
            });
            rows.push(row);
            changed.insert(stream);
        }
        let heads: Vec<_> = self
            .heads
            .into_iter()
            .filter(|(stream, _)| changed.contains(stream))
            .collect();
        tx.add_ops(tenant, &self.stored)?;
        tx.put_entities(tenant, &rows)?;
        tx.put_entries(tenant, &entries)?;
        tx.put_heads(tenant, &heads)?;
        tx.add_tags(tenant, &tags)?;
        Ok(receipts::add(
            tx,
            rng,
            tenant,
            self.device.id,
            self.receipts,
        )?)
    }
}
