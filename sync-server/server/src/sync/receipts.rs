//! Receipts: what was stored of what a phone sent, numbered for that phone.

use gridwalk_domain::wire::{Cursor, ReceiptOf};
use gridwalk_domain::{DeviceId, Rng, TenantId};
use gridwalk_store::{Read, ReceiptRow, StoreError, Write};

use super::line::current_epoch;
use crate::random::tag;

/// Adds receipts in a transaction, numbered on from the phone's last one; the
/// highest now, where any was added. Those that are added at once share a tag.
pub(crate) fn add(
    tx: &mut dyn Write,
    rng: &dyn Rng,
    tenant: TenantId,
    device: DeviceId,
    of: Vec<ReceiptOf>,
) -> Result<Option<Cursor>, StoreError> {
    if of.is_empty() {
        return Ok(None);
    }
    let epoch = current_epoch(tx)?;
    let mut seq = tx.last_receipt(tenant, device)?.map_or(0, |(n, _)| n);
    let tag = tag(rng);
    let rows = of.into_iter().map(|of| {
        seq += 1;
        ReceiptRow { n: seq, tag, of }
    });
    let rows: Vec<ReceiptRow> = rows.collect();
    tx.add_receipts(tenant, device, &rows)?;
    Ok(Some(Cursor { epoch, seq, tag }))
}

/// A phone's highest receipt.
pub(crate) fn last(
    tx: &dyn Read,
    tenant: TenantId,
    device: DeviceId,
) -> Result<Option<Cursor>, StoreError> {
    let epoch = current_epoch(tx)?;
    let last = tx.last_receipt(tenant, device)?;
    Ok(last.map(|(seq, tag)| Cursor { epoch, seq, tag }))
}
