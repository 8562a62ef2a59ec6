//! The numbers of streams: given in the order of the changes, written down once
//! for each stream at the end.

use gridwalk_domain::{EntityId, Rng, StreamKey, TenantId};
use gridwalk_store::{Listing, Read, StoreError, StreamHead, TagRow, Write};
use std::collections::BTreeMap;

use crate::random::tag;

struct Counted {
    head: StreamHead,
    /// The first number that was given here.
    first: Option<u64>,
}

/// Where the streams stand that changes are numbered in.
#[derive(Default)]
pub(super) struct Numbers {
    streams: BTreeMap<StreamKey, Counted>,
}

impl Numbers {
    fn stream(
        &mut self,
        tx: &dyn Read,
        tenant: TenantId,
        key: StreamKey,
    ) -> Result<&mut Counted, StoreError> {
        use std::collections::btree_map::Entry;
        match self.streams.entry(key) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(new) => {
                let heads = tx.heads(tenant, &[key])?;
                let head = heads.first().copied().unwrap_or_default();
                Ok(new.insert(Counted { head, first: None }))
            }
        }
    }

    /// The next number of a stream, for an entity that it lists now at `rev`, and
    /// before at `before` or not at all.
    fn next(
        &mut self,
        tx: &dyn Read,
        tenant: TenantId,
        key: StreamKey,
        entity: EntityId,
        before: Option<u64>,
        rev: u64,
    ) -> Result<u64, StoreError> {
        let Counted { head, first } = self.stream(tx, tenant, key)?;
        head.seq += 1;
        first.get_or_insert(head.seq);
        match before {
            Some(before) => head.digest.subtract(entity, before),
            None => head.count += 1,
        }
        head.digest.add(entity, rev);
        Ok(head.seq)
    }

    /// Numbers an entity's change from `before` (0: it is new) to `rev` in every
    /// stream that lists it, and lists it in those `wanted` that do not.
    pub(super) fn change(
        &mut self,
        tx: &dyn Read,
        tenant: TenantId,
        entity: EntityId,
        (before, rev): (u64, u64),
        listed: &mut Vec<Listing>,
        wanted: &[StreamKey],
    ) -> Result<(), StoreError> {
        for one in listed.iter_mut() {
            one.seq = self.next(tx, tenant, one.stream, entity, Some(before), rev)?;
        }
        self.list(tx, tenant, entity, rev, listed, wanted)
    }

    /// Lists an entity in those `wanted` streams that do not list it yet.
    pub(super) fn list(
        &mut self,
        tx: &dyn Read,
        tenant: TenantId,
        entity: EntityId,
        rev: u64,
        listed: &mut Vec<Listing>,
        wanted: &[StreamKey],
    ) -> Result<(), StoreError> {
        for stream in wanted {
            if listed.iter().all(|one| one.stream != *stream) {
                let seq = self.next(tx, tenant, *stream, entity, None, rev)?;
                listed.push(Listing {
                    stream: *stream,
                    seq,
                });
            }
        }
        Ok(())
    }

    /// Writes down where the streams stand, and the tag of the numbers that were
    /// given: one for all numbers of a stream.
    pub(super) fn store(
        self,
        tx: &mut dyn Write,
        rng: &dyn Rng,
        tenant: TenantId,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        let (mut heads, mut tags) = (Vec::new(), Vec::new());
        for (stream, Counted { mut head, first }) in self.streams {
            let Some(first) = first else {
                continue;
            };
            head.tag = tag(rng);
            heads.push((stream, head));
            tags.push(TagRow {
                stream,
                first,
                tag: head.tag,
                at_ms: now_ms,
            });
        }
        tx.put_heads(tenant, &heads)?;
        tx.add_tags(tenant, &tags)
    }
}
