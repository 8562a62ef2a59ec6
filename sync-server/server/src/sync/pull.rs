//! `pull`: receipts, then pages of what changed.
//!
//! States leave as the bytes that are stored: nothing is read and written
//! again on the way.

use gridwalk_domain::wire::{Cursor, PullRequest, Receipt, ReceiptPage, StreamEnd};
use gridwalk_domain::{EntityId, Epoch, StreamKey};
use gridwalk_store::{PageRow, Read, StoreError, StreamHead};
use serde::Serialize;
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet};

use super::line::{check_cursor, check_receipt};
use super::{Phone, check_version, hello, readable};
use crate::error::Error;
use crate::readings::is_narrow_state;
use crate::service::Service;

/// [`gridwalk_domain::wire::PullResponse`], with the states as they are stored.
#[derive(Debug, Serialize)]
pub(crate) struct PullAnswer {
    receipts: ReceiptPage,
    streams: BTreeMap<StreamKey, Page>,
}

impl PullAnswer {
    /// The records of narrow readers in it; inboxes alone list such.
    fn narrow(&self) -> BTreeSet<EntityId> {
        let inboxes = self.streams.iter();
        let inboxes = inboxes.filter(|(stream, _)| matches!(stream, StreamKey::Inbox(_)));
        let entities = inboxes.flat_map(|(_, page)| &page.entities);
        let narrow = entities.filter(|entity| {
            let state = entity.state.as_ref();
            state.is_some_and(|state| is_narrow_state(state.get()))
        });
        narrow.map(|entity| entity.id).collect()
    }
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
    id: EntityId,
    seq: u64,
    rev: u64,
    /// None where it was purged.
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<Box<RawValue>>,
}

impl Revised {
    fn new(row: PageRow) -> Result<Self, StoreError> {
        let state = row.state.map(RawValue::from_string).transpose();
        let state =
            state.map_err(|why| StoreError::Damaged(format!("a state cannot be read: {why}")))?;
        Ok(Self {
            id: row.entity,
            seq: row.seq,
            rev: row.rev,
            state,
        })
    }
}

impl Service {
    /// A page of receipts and of each stream that the phone may read now; a
    /// stream that it may not read is left out of the answer.
    pub(crate) fn pull(&self, phone: &Phone, request: &PullRequest) -> Result<PullAnswer, Error> {
        check_version(&self.tools, request.v)?;
        let now_ms = self.now_ms();
        let (answer, known) = self.on_this_line(phone, || {
            self.read(|tx| {
                check_receipt(tx, phone, phone.seen)?;
                let known = tx.contact(phone.tenant, phone.id)?;
                Ok((self.pages(tx, phone, request, now_ms)?, known))
            })
        })?;
        let news = known.is_none_or(|known| hello::is_news(&known, request.unsent, now_ms));
        if news {
            let (device, unsent) = (phone.device.clone(), request.unsent);
            self.commit(move |tx| hello::contact(tx, &device, unsent, now_ms))?;
        }
        // What a phone is sent its worker can read: written down before it goes.
        let who = format!("worker/{}", phone.worker);
        self.note_readings(phone.tenant, &who, answer.narrow())?;
        Ok(answer)
    }

    fn pages(
        &self,
        tx: &dyn Read,
        phone: &Phone,
        request: &PullRequest,
        now_ms: i64,
    ) -> Result<PullAnswer, Error> {
        let sizes = self.tools.settings.sizes;
        let receipts = receipts(tx, phone, request.receipts, sizes.page_receipts)?;
        let readable = readable(&self.tools, tx, phone, now_ms)?;
        let epoch = super::current_epoch(tx)?;
        let mut room = sizes.page_bytes;
        let mut streams = BTreeMap::new();
        for (stream, cursor) in &request.streams {
            if readable.contains(stream) {
                let page = page(tx, phone, (*stream, epoch), *cursor, &mut room)?;
                streams.insert(*stream, page);
            }
        }
        Ok(PullAnswer { receipts, streams })
    }
}

fn receipts(
    tx: &dyn Read,
    phone: &Phone,
    cursor: Option<Cursor>,
    most: usize,
) -> Result<ReceiptPage, Error> {
    let epoch = check_receipt(tx, phone, cursor)?;
    let after = cursor.map_or(0, |cursor| cursor.seq);
    let rows = tx.receipts(phone.tenant, phone.id, after, most + 1)?;
    let more = rows.len() > most;
    let mut page = ReceiptPage {
        items: vec![],
        cursor,
        more,
    };
    for row in rows.into_iter().take(most) {
        page.cursor = Some(Cursor {
            epoch,
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
    tx: &dyn Read,
    phone: &Phone,
    (stream, epoch): (StreamKey, Epoch),
    asked: Option<Cursor>,
    room: &mut usize,
) -> Result<Page, Error> {
    let heads = tx.heads(phone.tenant, &[stream])?;
    let head: StreamHead = heads.first().copied().unwrap_or_default();
    let cursor = match asked {
        Some(cursor) if check_cursor(tx, phone, (stream, &head), cursor)? => Some(cursor),
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
        for row in tx.page(phone.tenant, stream, after, *room)? {
            let bytes = row.state.as_ref().map_or(0, String::len) + 64;
            *room = room.saturating_sub(bytes);
            page.entities.push(Revised::new(row)?);
        }
        if let Some(last) = page.entities.last() {
            let seq = last.seq;
            let lost = || StoreError::Damaged("a number without a tag".into());
            let tag = tx.tag(phone.tenant, stream, seq)?.ok_or_else(lost)?;
            let tag = tag.value();
            page.cursor = Some(Cursor { epoch, seq, tag });
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
