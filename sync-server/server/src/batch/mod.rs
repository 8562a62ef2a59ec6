//! Ingest: what becomes of ops, wherever they come from.
//!
//! A batch loads what its ops ask for, judges them one after another in memory,
//! judges again what waited for them, and writes what came of it, all in the
//! transaction at hand. Judging writes nothing, so an op that is refused leaves
//! no trace but its own row.
//!
//! - [`judge`]: what becomes of one op;
//! - [`gate`]: what the domain's rules say to it;
//! - [`held`]: what is in quarantine, and what lets it out;
//! - [`numbers`]: the streams' numbers;
//! - [`purge`]: what is taken out for good.

mod gate;
mod held;
mod incoming;
mod judge;
mod numbers;
mod purge;
mod sender;

use gridwalk_domain::wire::{Cursor, OpOutcome, OpRef, Outcome, ReceiptOf};
use gridwalk_domain::{DeviceId, Entity, EntityId, OpId, Sha256, StreamKey, TenantId};
use gridwalk_store::{
    DeviceRow, EntityRow, EntryRow, Listing, OpRow, OpSummary, Purged, Read, StoreError, TenantRow,
    Wait, Write,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::keep::{Book, Order, append};
use crate::law::Law;
use crate::project;
use crate::service::Tools;
use crate::sync::{add_receipts, free_chunks};
use crate::tree::Tree;

pub(crate) use held::Undecided;
pub(crate) use incoming::{Incoming, reason};
pub(crate) use purge::UNFINISHED;

use numbers::Numbers;
use sender::Senders;

/// An entity that a batch is about.
#[derive(Default)]
struct Loaded {
    row: Option<EntityRow>,
    /// Read from the row when the first op needs it.
    state: Option<Entity>,
    purged: bool,
    rev: u64,
    /// The streams that list it, home first.
    listed: Vec<Listing>,
    /// Whether there is something to write.
    changed: bool,
}

impl Loaded {
    fn home(&self) -> Option<StreamKey> {
        let of_state = self.state.as_ref().map(|state| state.home);
        of_state.or(self.row.as_ref().map(|row| row.home))
    }

    fn is_listed_in(&self, stream: StreamKey) -> bool {
        self.listed.iter().any(|listing| listing.stream == stream)
    }
}

/// An op by its name and content.
type Name = (OpId, Sha256);

/// What is said of an op that came, once the batch is over: what becomes of it
/// may still change when something else lets it out of quarantine.
#[derive(Clone, Debug)]
pub(crate) enum Told {
    /// It came for the first time.
    First(OpId, Sha256),
    /// It had come before.
    Again(OpId, Sha256),
    /// It is not stored.
    Not(OpOutcome),
}

/// Ops under judgement.
pub(crate) struct Batch<'t> {
    tools: &'t Tools,
    tenant: TenantRow,
    tree: Arc<Tree>,
    law: Arc<Law>,
    now_ms: i64,
    senders: Senders,
    /// What is known of each op that was asked for; nothing where it is none.
    known: BTreeMap<OpId, Vec<OpSummary>>,
    entities: BTreeMap<EntityId, Loaded>,
    numbers: Numbers,
    /// New ops, in the order in which they came.
    stored: Vec<OpRow>,
    stored_at: BTreeMap<Name, usize>,
    /// Ops that were stored before and are judged anew.
    decided: BTreeMap<Name, (OpRow, Outcome)>,
    /// Ops whose body goes.
    stripped: Vec<Name>,
    /// What has come that something may have waited for.
    woken: BTreeSet<Wait>,
    /// What [`Self::woken`] was over the whole batch, for chunks.
    causes: BTreeSet<Wait>,
    /// Ops that came for what was purged.
    late: BTreeMap<EntityId, Vec<OpRef>>,
    /// Thumbnails of what was purged by itself: they are to go too.
    thumbs: BTreeSet<Sha256>,
    receipts: BTreeMap<DeviceId, Vec<ReceiptOf>>,
}

impl<'t> Batch<'t> {
    /// An empty one.
    pub(crate) fn open(
        tx: &dyn Read,
        tools: &'t Tools,
        tenant: TenantId,
        now_ms: i64,
    ) -> Result<Self, StoreError> {
        let missing = || StoreError::Damaged("there is no such district".to_owned());
        let tenant = tx.tenant(tenant)?.ok_or_else(missing)?;
        Ok(Self {
            tree: tools.trees.get(tx, &tenant)?,
            law: tools.laws.get(tx, &tenant)?,
            tools,
            tenant,
            now_ms,
            senders: Senders::default(),
            known: BTreeMap::new(),
            entities: BTreeMap::new(),
            numbers: Numbers::default(),
            stored: Vec::new(),
            stored_at: BTreeMap::new(),
            decided: BTreeMap::new(),
            stripped: Vec::new(),
            woken: BTreeSet::new(),
            causes: BTreeSet::new(),
            late: BTreeMap::new(),
            thumbs: BTreeSet::new(),
            receipts: BTreeMap::new(),
        })
    }

    /// Says that ops of this phone follow; `too_old` where its app is.
    pub(crate) fn sent_by(
        &mut self,
        tx: &dyn Read,
        device: &DeviceRow,
        too_old: bool,
    ) -> Result<(), StoreError> {
        self.senders.add(tx, device, too_old)
    }

    /// Loads what these ops ask for, in as few calls as it takes.
    pub(crate) fn load<'o>(
        &mut self,
        tx: &dyn Read,
        ops: impl Iterator<Item = &'o Incoming>,
    ) -> Result<(), StoreError> {
        let ops: Vec<&Incoming> = ops.collect();
        self.see(tx, ops.iter().map(|op| op.head.entity).collect())?;
        let mut ids = Vec::with_capacity(ops.len());
        for op in ops {
            ids.push(op.head.id);
            ids.extend(op.head.needs.iter());
            // Most often its record has taken it, and nothing is to be looked up.
            let prev = op.head.prev;
            ids.extend(prev.filter(|prev| !self.has_taken(op.head.entity, *prev)));
        }
        self.know(tx, ids)
    }

    /// Whether a record's state has taken an op.
    pub(super) fn has_taken(&mut self, entity: EntityId, op: OpId) -> bool {
        let Some(loaded) = self.entities.get_mut(&entity) else {
            return false;
        };
        let read = loaded.read(&self.tools.states).is_ok();
        let ops = loaded.state.as_ref().map(|state| &state.ops);
        read && ops.is_some_and(|ops| ops.iter().rev().any(|taken| *taken == op))
    }

    fn know(&mut self, tx: &dyn Read, mut ids: Vec<OpId>) -> Result<(), StoreError> {
        ids.retain(|id| !self.known.contains_key(id));
        for id in &ids {
            self.known.insert(*id, Vec::new());
        }
        for op in tx.ops(self.tenant.id, &ids)? {
            self.known.entry(op.id).or_default().push(op);
        }
        Ok(())
    }

    fn see(&mut self, tx: &dyn Read, mut ids: Vec<EntityId>) -> Result<(), StoreError> {
        ids.retain(|id| !self.entities.contains_key(id));
        for id in &ids {
            self.entities.insert(*id, Loaded::default());
        }
        for row in tx.entities(self.tenant.id, &ids)? {
            let loaded = Loaded {
                purged: row.state.is_none(),
                rev: row.rev,
                listed: row.listed.clone(),
                ..Loaded::default()
            };
            let id = row.id;
            self.entities.insert(
                id,
                Loaded {
                    row: Some(row),
                    ..loaded
                },
            );
        }
        // One that was purged before it ever came has no row.
        let unseen = |id: &EntityId| self.entities.get(id).is_some_and(|e| e.row.is_none());
        let unseen: Vec<_> = ids.into_iter().filter(unseen).map(Purged::Entity).collect();
        if unseen.is_empty() {
            return Ok(());
        }
        for purged in tx.purged(self.tenant.id, &unseen)? {
            if let Purged::Entity(id) = purged {
                self.entities.entry(id).or_default().purged = true;
            }
        }
        Ok(())
    }

    /// Takes an op, of a phone or of somebody on the page. Where `deferring`, one
    /// that lacks another op is not stored; else it goes into quarantine.
    pub(crate) fn take(
        &mut self,
        tx: &dyn Read,
        op: &Incoming,
        device: Option<DeviceId>,
        deferring: bool,
    ) -> Result<Told, StoreError> {
        let id = op.head.id;
        if self.outcome(id, op.sha256).is_some() {
            return Ok(Told::Again(id, op.sha256));
        }
        let missing = self.missing(op);
        let aside = self.is_purged(op) || self.is_second(op);
        if deferring && !aside && !missing.is_empty() {
            return Ok(Told::Not(OpOutcome {
                op: Some(id),
                sha256: op.sha256,
                outcome: Outcome::Deferred { missing },
            }));
        }
        let verdict = self.judge(tx, op, device)?;
        self.remember(op, device, verdict);
        Ok(Told::First(id, op.sha256))
    }

    fn is_purged(&self, op: &Incoming) -> bool {
        let loaded = self.entities.get(&op.head.entity);
        loaded.is_some_and(|loaded| loaded.purged)
    }

    /// Whether another body came first under its id.
    fn is_second(&self, op: &Incoming) -> bool {
        let known = self.known.get(&op.head.id).into_iter().flatten();
        known
            .take_while(|known| known.sha256 != op.sha256)
            .any(|known| known.reissued.is_none())
    }

    /// The ops that must come before this one and are not known.
    fn missing(&mut self, op: &Incoming) -> Vec<OpId> {
        let mut missing = Vec::new();
        for id in op.head.prev.iter().chain(&op.head.needs) {
            let unknown = self.known.get(id).is_none_or(Vec::is_empty);
            let of_lane = op.head.prev == Some(*id);
            if unknown && !(of_lane && self.has_taken(op.head.entity, *id)) {
                missing.push(*id);
            }
        }
        missing
    }

    fn remember(&mut self, op: &Incoming, device: Option<DeviceId>, verdict: judge::Verdict) {
        let summary = OpSummary {
            id: op.head.id,
            sha256: op.sha256,
            entity: op.head.entity,
            creates: op.creates(),
            outcome: verdict.outcome,
            wait: verdict.wait,
            reissued: None,
        };
        let purged = summary.outcome == Outcome::Purged;
        if purged {
            let name = OpRef {
                id: summary.id,
                sha256: summary.sha256,
            };
            self.late.entry(summary.entity).or_default().push(name);
        }
        self.wake(&summary);
        self.add(OpRow {
            summary,
            device,
            received_ms: self.now_ms,
            body: if purged {
                String::new()
            } else {
                op.text.clone()
            },
        });
    }

    /// Adds an op that is not stored yet.
    pub(crate) fn add(&mut self, row: OpRow) {
        let (id, sha256) = (row.summary.id, row.summary.sha256);
        self.known.entry(id).or_default().push(row.summary.clone());
        self.stored_at.insert((id, sha256), self.stored.len());
        self.stored.push(row);
    }

    pub(crate) const fn tenant_id(&self) -> TenantId {
        self.tenant.id
    }

    /// Something may have waited for this decision.
    fn wake(&mut self, summary: &OpSummary) {
        self.woken.insert(Wait::Op(summary.id));
        let taken = matches!(
            summary.outcome,
            Outcome::Applied { .. } | Outcome::ConflictKept { .. } | Outcome::Purged
        );
        if taken && summary.creates {
            self.woken.insert(Wait::Entity(summary.entity));
        }
    }

    /// What became of an op, by now.
    pub(crate) fn outcome(&self, op: OpId, sha256: Sha256) -> Option<&Outcome> {
        let known = self.known.get(&op)?.iter();
        let mut same = known.filter(|known| known.sha256 == sha256);
        same.next().map(|known| &known.outcome)
    }

    /// What is said of an op: to be asked when the batch is over.
    pub(crate) fn tell(&self, told: Told) -> OpOutcome {
        let (op, sha256, again) = match told {
            Told::Not(outcome) => return outcome,
            Told::First(op, sha256) => (op, sha256, false),
            Told::Again(op, sha256) => (op, sha256, true),
        };
        let outcome = self.outcome(op, sha256).cloned();
        let outcome = outcome.unwrap_or(Outcome::Deferred { missing: vec![] });
        OpOutcome {
            op: Some(op),
            sha256,
            outcome: if again {
                let first = Box::new(outcome);
                Outcome::Duplicate { first }
            } else {
                outcome
            },
        }
    }

    /// Judges again what waited, and writes what came of all. The highest new
    /// receipt of each phone that got one.
    pub(crate) fn store(
        mut self,
        tx: &mut dyn Write,
    ) -> Result<BTreeMap<DeviceId, Cursor>, StoreError> {
        self.free(tx)?;
        self.purge_thumbs(tx)?;
        self.order_late()?;
        self.give_receipts();
        let (tenant, rng) = (self.tenant.id, &*self.tools.rng);
        tx.add_ops(tenant, &self.stored)?;
        for (row, _) in self.decided.values() {
            tx.set_outcome(tenant, &row.summary)?;
        }
        for (op, sha256) in &self.stripped {
            tx.drop_body(tenant, *op, *sha256)?;
        }
        let (mut rows, mut entries, mut states) = (Vec::new(), Vec::new(), Vec::new());
        for (id, loaded) in self.entities {
            if !loaded.changed {
                if let (Some(state), Some(text)) = (loaded.state, loaded.row.and_then(|r| r.state))
                {
                    self.tools.states.put(id, text, state);
                }
                continue;
            }
            let before = loaded.row.as_ref().map_or(&[][..], |row| &row.listed);
            let moved = loaded.listed.iter().filter_map(|now| {
                let before = before.iter().find(|one| one.stream == now.stream);
                let before = before.map(|one| one.seq);
                (before != Some(now.seq)).then_some(EntryRow {
                    stream: now.stream,
                    entity: id,
                    seq: now.seq,
                    before,
                })
            });
            entries.extend(moved);
            rows.push(match (&loaded.state, loaded.purged) {
                (Some(state), false) => project::row(
                    state,
                    loaded.rev,
                    loaded.listed,
                    self.tenant.utc_offset_min,
                    &self.law,
                )?,
                (None, false) => match loaded.row {
                    Some(row) => EntityRow {
                        listed: loaded.listed,
                        ..row
                    },
                    None => continue,
                },
                (_, true) => project::purged_row(id, loaded.rev, loaded.listed)?,
            });
            states.push(loaded.state);
        }
        tx.put_entities(tenant, &rows)?;
        for (row, state) in rows.into_iter().zip(states) {
            if let (Some(text), Some(state)) = (row.state, state) {
                self.tools.states.put(row.id, text, state);
            }
        }
        tx.put_entries(tenant, &entries)?;
        self.numbers.store(tx, rng, tenant, self.now_ms)?;
        let mut last = BTreeMap::new();
        for (device, of) in self.receipts {
            last.extend(add_receipts(tx, rng, tenant, device, of)?.map(|last| (device, last)));
        }
        let freed = free_chunks(tx, self.tools, tenant, &self.causes, self.now_ms)?;
        last.extend(freed);
        Ok(last)
    }

    /// Ops that came for what was purged are named in the ledger, before they are
    /// stored: what needs one of them must know of it for ever.
    fn order_late(&self) -> Result<(), StoreError> {
        let late = self.late.iter();
        let orders: Vec<Order> = late
            .map(|(entity, ops)| (*entity, ops.clone()))
            .map(|(entity, ops)| Order::Late {
                tenant: self.tenant.id,
                at_ms: self.now_ms,
                entity,
                ops,
            })
            .collect();
        append(&*self.tools.keep, Book::Ledger, &orders)
    }

    /// New ops first, in their order, then what was decided anew.
    fn give_receipts(&mut self) {
        let mut give = |row: &OpRow| {
            let Some(device) = row.device else {
                return;
            };
            let of = ReceiptOf::Op(OpOutcome {
                op: Some(row.summary.id),
                sha256: row.summary.sha256,
                outcome: row.summary.outcome.clone(),
            });
            self.receipts.entry(device).or_default().push(of);
        };
        self.stored.iter().for_each(&mut give);
        let anew = self.decided.values();
        let anew = anew.filter(|(row, before)| row.summary.outcome != *before);
        anew.for_each(|(row, _)| give(row));
    }

    /// Lists a record in the streams that it belongs to by now, without a change
    /// of its own.
    pub(crate) fn list(&mut self, tx: &dyn Read, entity: EntityId) -> Result<(), StoreError> {
        self.see(tx, vec![entity])?;
        let Some(wanted) = self.wanted(tx, entity)? else {
            return Ok(());
        };
        let Some(loaded) = self.entities.get_mut(&entity) else {
            return Ok(());
        };
        let (tenant, rev, before) = (self.tenant.id, loaded.rev, loaded.listed.len());
        self.numbers
            .list(tx, tenant, entity, rev, &mut loaded.listed, &wanted)?;
        loaded.changed |= loaded.listed.len() > before;
        Ok(())
    }
}
