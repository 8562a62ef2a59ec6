//! What people on the page do: ops of theirs.

use gridwalk_domain::wire::Outcome;
use gridwalk_domain::{
    Author, Effect, Entity, EntityId, Intent, OP_VERSION, OpBody, OpId, StreamKey, TenantId,
    UserId, apply,
};
use gridwalk_store::{EntryRow, OpRow, OpSummary, Read, StoreError, TagRow, Write};
use std::sync::Arc;

use crate::error::{Error, Fault};
use crate::project;
use crate::random::tag;
use crate::service::Service;

/// Something that somebody on the page does to a record.
#[derive(Clone, Debug, PartialEq)]
pub struct Act {
    /// The op, drawn by whoever asks: the same one again is the same act.
    pub op: OpId,
    /// The record.
    pub entity: EntityId,
    /// What it is; needed where it is to be made.
    pub kind: Option<String>,
    /// What is asked for, with its bases: what the author saw.
    pub intent: Intent,
}

impl Service {
    /// Takes an act of a user; on return it is durable.
    ///
    /// # Errors
    /// 403 where the user may not, 404 where there is no such record, 422 with
    /// the reason where a rule is broken. Nothing is stored then.
    pub fn act(&self, user: UserId, act: &Act) -> Result<Outcome, Error> {
        let (at, act, rng) = (self.clock.now(), act.clone(), Arc::clone(&self.rng));
        let trees = self.trees.clone();
        self.commit(move |tx| {
            let (tenant, utc_offset_min, top, tree) = district(tx, &trees, user)?;
            if let Some(done) = tx.ops(tenant, &[act.op])?.into_iter().next() {
                return Ok(done.outcome);
            }
            let row = tx.entities(tenant, &[act.entity])?.into_iter().next();
            let damaged = |why| StoreError::Damaged(format!("record {}: {why}", act.entity));
            let read = |row: &gridwalk_store::EntityRow| {
                serde_json::from_str::<Entity>(&row.state).map_err(damaged)
            };
            let mut state = row.as_ref().map(read).transpose()?;
            let kind = match (&state, &act.kind) {
                (Some(state), _) => state.kind.clone(),
                (None, Some(kind)) => kind.clone(),
                (None, None) => return Err(Fault::not_found().into()),
            };
            let body = OpBody {
                v: OP_VERSION,
                id: act.op,
                tenant,
                entity: act.entity,
                kind,
                by: Author::User { user },
                prev: None,
                needs: Vec::new(),
                at,
                nonce: OpBody::draw_nonce(&*rng),
                intent: act.intent.clone(),
            };
            let effect = apply(&mut state, &body, at.wall_ms)
                .map_err(|why| Fault::new(422, "refused", why.to_string()))?;
            let state = state.ok_or_else(Fault::not_found)?;
            let StreamKey::Records(grid) = state.home else {
                return Err(Fault::forbidden().into());
            };
            if !tree.is_below(grid, top) {
                return Err(Fault::forbidden().into());
            }
            let sealed = body
                .seal()
                .map_err(|why| Fault::new(422, "too_large", why.to_string()))?;
            let before = row.map_or(0, |row| row.rev);
            let seq = publish(
                tx,
                &*rng,
                tenant,
                &state,
                before,
                utc_offset_min,
                at.wall_ms,
            )?;
            let stream = state.home;
            let outcome = match effect {
                Effect::ConflictKept => Outcome::ConflictKept { stream, seq },
                Effect::Applied | Effect::Repeated => Outcome::Applied { stream, seq },
            };
            let summary = OpSummary {
                id: act.op,
                sha256: sealed.sha256,
                entity: act.entity,
                creates: matches!(act.intent, Intent::Create { .. }),
                outcome: outcome.clone(),
            };
            let op = OpRow {
                summary,
                device: None,
                received_ms: at.wall_ms,
                body: sealed.body,
            };
            tx.add_ops(tenant, &[op])?;
            Ok(outcome)
        })
    }
}

type District = (
    TenantId,
    i32,
    gridwalk_domain::GridId,
    Arc<crate::tree::Tree>,
);

/// The user's district, its clocks, the grid of their role, and its tree.
fn district(tx: &dyn Read, trees: &crate::tree::Trees, user: UserId) -> Result<District, Error> {
    for tenant in tx.tenants()? {
        if let Some(row) = tx.users(tenant.id, &[user])?.into_iter().next() {
            let tree = trees.get(tx, &tenant)?;
            return Ok((tenant.id, tenant.utc_offset_min, row.grid, tree));
        }
    }
    Err(Fault::forbidden().into())
}

/// Stores the state as the next change of its home stream.
fn publish(
    tx: &mut dyn Write,
    rng: &dyn gridwalk_domain::Rng,
    tenant: TenantId,
    state: &Entity,
    before: u64,
    utc_offset_min: i32,
    now_ms: i64,
) -> Result<u64, StoreError> {
    let (stream, entity, rev) = (state.home, state.id, before + 1);
    let mut head = tx.heads(tenant, &[stream])?.pop().unwrap_or_default();
    head.seq += 1;
    if before == 0 {
        head.count += 1;
    } else {
        head.digest.subtract(entity, before);
    }
    head.digest.add(entity, rev);
    let seq = head.seq;
    tx.put_entities(tenant, &[project::row(state, rev, utc_offset_min)?])?;
    tx.put_entries(
        tenant,
        &[EntryRow {
            stream,
            entity,
            seq,
        }],
    )?;
    tx.put_heads(tenant, &[(stream, head)])?;
    let tag = TagRow {
        stream,
        seq,
        tag: tag(rng),
        at_ms: now_ms,
    };
    tx.add_tags(tenant, &[tag])?;
    Ok(seq)
}
