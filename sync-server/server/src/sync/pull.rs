//! `pull`: receipts, then pages of what changed.
//!
//! States leave as the bytes that are stored: nothing is read and written
//! again on the way.

use gridwalk_domain::wire::{Cursor, PullRequest, Receipt, ReceiptPage, StreamEnd};
use gridwalk_domain::{StreamKey, TenantId};
use gridwalk_store::{DeviceRow, PageRow, Read, StoreError};
use serde::Serialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

use super::{check_version, hello, readable};
use crate::error::Error;
use crate::service::Service;

/// [`gridwalk_domain::wire::PullResponse`], with the states as they are stored.
#[derive(Debug, Serialize)]
pub(crate) struct PullAnswer {
    receipts: ReceiptPage,
    streams: BTreeMap<StreamKey, Page>,
}

#[derive(Debug, Serialize)]
struct Page {
    entities: Vec<Revised>,
    cursor: Option<Cursor>,
    more: bool,
    reset: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<StreamEnd>,
}

#[derive(Debug, Serialize)]
struct Revised {
    seq: u64,
    rev: u64,
    state: Box<RawValue>,
}

impl Revised {
    fn new(row: PageRow) -> Result<Self, StoreError> {
        let state = RawValue::from_string(row.state)
            .map_err(|why| StoreError::Damaged(format!("a state cannot be read: {why}")))?;
        Ok(Self {
            seq: row.seq,
            rev: row.rev,
            state,
        })
    }
}

impl Service {
    /// A page of receipts and of each stream that the worker may read now;
    /// a stream that they may not read is left out of the answer.
    pub(crate) fn pull(
        &self,
        device: &DeviceRow,
        request: &PullRequest,
    ) -> Result<PullAnswer, Error> {
        check_version(request.v)?;
        let now_ms = self.now_ms();
        let (answer, known) = self.read(|tx| {
            let known = tx.contact(device.tenant, device.id)?;
            Ok((self.pages(tx, device, request, now_ms)?, known))
        })?;
        let news = known.is_none_or(|known| hello::is_news(&known, request.unsent, now_ms));
        if news {
            let (device, unsent) = (device.clone(), request.unsent);
            self.commit(move |tx| hello::contact(tx, &device, unsent, now_ms))?;
        }
        Ok(answer)
    }

    fn pages(
        &self,
        tx: &dyn Read,
        device: &DeviceRow,
        request: &PullRequest,
        now_ms: i64,
    ) -> Result<PullAnswer, Error> {
        let receipts = self.receipts(tx, device, request.receipts)?;
        let readable = readable(self, tx, device, now_ms)?;
        let mut room = self.sizes.page_bytes;
        let mut streams = BTreeMap::new();
        for (stream, cursor) in &request.streams {
            if readable.contains(stream) {
                let page = self.page(tx, device.tenant, *stream, *cursor, &mut room)?;
                streams.insert(*stream, page);
            }
        }
        Ok(PullAnswer { receipts, streams })
    }

    /// Whether a cursor was given out on this time line, for this number.
    fn fits(
        &self,
        tx: &dyn Read,
        tenant: TenantId,
        stream: StreamKey,
        cursor: Cursor,
    ) -> Result<bool, StoreError> {
        let ours = cursor.epoch == self.epoch && i64::try_from(cursor.seq).is_ok();
        Ok(ours && tx.tag(tenant, stream, cursor.seq)? == Some(cursor.tag))
    }

    fn receipts(
        &self,
        tx: &dyn Read,
        device: &DeviceRow,
        cursor: Option<Cursor>,
    ) -> Result<ReceiptPage, StoreError> {
        let stream = StreamKey::Receipts(device.id);
        let cursor = match cursor {
            Some(cursor) if self.fits(tx, device.tenant, stream, cursor)? => Some(cursor),
            _ => None,
        };
        let after = cursor.map_or(0, |cursor| cursor.seq);
        let most = self.sizes.page_receipts;
        let rows = tx.receipts(device.tenant, device.id, after, most + 1)?;
        let more = rows.len() > most;
        let mut page = ReceiptPage {
            items: vec![],
            cursor,
            more,
        };
        for row in rows.into_iter().take(most) {
            page.cursor = Some(Cursor {
                epoch: self.epoch,
                seq: row.n,
                tag: row.tag,
            });
            page.items.push(Receipt {
                n: row.n,
                of: row.of,
            });
        }
        Ok(page)
    }

    fn page(
        &self,
        tx: &dyn Read,
        tenant: TenantId,
        stream: StreamKey,
        asked: Option<Cursor>,
        room: &mut usize,
    ) -> Result<Page, StoreError> {
        let head = tx
            .heads(tenant, &[stream])?
            .first()
            .copied()
            .unwrap_or_default();
        let cursor = match asked {
            Some(cursor) if self.fits(tx, tenant, stream, cursor)? => Some(cursor),
            _ => None,
        };
        let reset = asked.is_some() && cursor.is_none();
        let after = cursor.map_or(0, |cursor| cursor.seq);
        let mut page = Page {
            entities: vec![],
            cursor,
            more: after < head.seq,
            reset,
            end: None,
        };
        if page.more && *room > 0 {
            for row in tx.page(tenant, stream, after, *room)? {
                *room = room.saturating_sub(row.state.len());
                page.entities.push(Revised::new(row)?);
            }
            if let Some(last) = page.entities.last() {
                let seq = last.seq;
                let tag = tx.tag(tenant, stream, seq)?;
                let tag =
                    tag.ok_or_else(|| StoreError::Damaged("a number without a tag".into()))?;
                page.cursor = Some(Cursor {
                    epoch: self.epoch,
                    seq,
                    tag,
                });
                page.more = seq < head.seq;
            }
        }
        if !page.more {
            page.end = Some(StreamEnd {
                count: head.count,
                hash: head.digest,
            });
        }
        Ok(page)
    }
}
