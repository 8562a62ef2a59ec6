//! Receipts: what was stored of what a phone sent, numbered for that phone.

use gridwalk_domain::wire::ReceiptOf;
use gridwalk_domain::{DeviceId, Rng, StreamKey, TenantId};
use gridwalk_store::{ReceiptRow, StoreError, StreamHead, Write};

use crate::random::tag;

/// Adds receipts in a transaction, numbered on from the phone's last one.
pub(crate) fn add(
    tx: &mut dyn Write,
    rng: &dyn Rng,
    tenant: TenantId,
    device: DeviceId,
    of: Vec<ReceiptOf>,
) -> Result<(), StoreError> {
    if of.is_empty() {
        return Ok(());
    }
    let stream = StreamKey::Receipts(device);
    let heads = tx.heads(tenant, &[stream])?;
    let mut seq = heads.first().map_or(0, |head| head.seq);
    let rows = of.into_iter().map(|of| {
        seq += 1;
        ReceiptRow {
            n: seq,
            tag: tag(rng),
            of,
        }
    });
    let rows: Vec<ReceiptRow> = rows.collect();
    tx.add_receipts(tenant, device, &rows)?;
    let head = StreamHead {
        seq,
        ..StreamHead::default()
    };
    tx.put_heads(tenant, &[(stream, head)])
}
