//! What the server holds, by identity: for a check against what phones
//! acknowledged.

use gridwalk_domain::{EntityId, OpId, RunId, Sha256, TenantId};
use gridwalk_store::{EntityFilter, Read};
use serde::Serialize;
use std::collections::BTreeMap;

use crate::error::Error;

/// All that is stored of phones' records.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Holdings {
    /// Patrols, whether or not fixes of them came.
    pub patrols: Vec<PatrolHolding>,
    /// Incidents.
    pub incidents: Vec<EntityId>,
    /// Ops, whatever their outcome.
    pub ops: Vec<OpId>,
    /// Attachments that are whole.
    pub attachments: Vec<Sha256>,
}

/// A patrol and its fixes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PatrolHolding {
    /// Which.
    pub id: EntityId,
    /// Stored chunks.
    pub chunks: u64,
    /// Fixes in them.
    pub fixes_stored: u64,
    /// Which fixes.
    pub runs: Vec<RunHolding>,
}

/// The fixes of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RunHolding {
    /// Which.
    pub run: RunId,
    /// Stretches of ordinals, first and last, joined where they touch.
    pub ordinals: Vec<(u32, u32)>,
}

/// What these districts hold.
pub(crate) fn holdings(tx: &dyn Read, tenants: &[TenantId]) -> Result<Holdings, Error> {
    let mut out = Holdings::default();
    for tenant in tenants {
        let of_kind = |kind| {
            let filter = EntityFilter {
                kind: Some(kind),
                ..EntityFilter::default()
            };
            tx.find(*tenant, &filter)
        };
        let mut patrols: BTreeMap<EntityId, PatrolHolding> = BTreeMap::new();
        let empty = |id| PatrolHolding {
            id,
            chunks: 0,
            fixes_stored: 0,
            runs: vec![],
        };
        for row in of_kind("patrol")? {
            patrols.insert(row.id, empty(row.id));
        }
        for span in tx.spans(*tenant)? {
            let patrol = span.key.patrol;
            let held = patrols.entry(patrol).or_insert_with(|| empty(patrol));
            held.chunks += 1;
            held.fixes_stored += u64::from(span.count);
            if held.runs.last().is_none_or(|last| last.run != span.key.run) {
                held.runs.push(RunHolding {
                    run: span.key.run,
                    ordinals: vec![],
                });
            }
            if let Some(run) = held.runs.last_mut() {
                let last = span.first + (span.count - 1);
                match run.ordinals.last_mut() {
                    Some((_, end)) if *end + 1 == span.first => *end = last,
                    _ => run.ordinals.push((span.first, last)),
                }
            }
        }
        out.patrols.extend(patrols.into_values());
        out.incidents
            .extend(of_kind("incident")?.iter().map(|row| row.id));
        out.ops.extend(tx.op_ids(*tenant)?);
        out.attachments.extend(tx.blob_hashes(*tenant)?);
    }
    Ok(out)
}
