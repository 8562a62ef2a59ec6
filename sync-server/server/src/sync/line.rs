//! Time lines: whether what a phone has seen is of the server's present one.
//!
//! A server that was set back in time gives its numbers again, with other tags.
//! A phone that names a number which was never given here, or a tag that is
//! another, shows it; then a new time line begins and what is kept outside of the
//! database is replayed, before anybody else is served.

use gridwalk_domain::wire::Cursor;
use gridwalk_domain::{Epoch, StreamKey};
use gridwalk_store::{AuditRow, DeviceRow, Read, StoreError, StreamHead, Tag, Write};

use super::Phone;
use crate::error::{Error, Fault};
use crate::limiter::Limit;
use crate::replay;
use crate::service::{Service, Tools};

/// How often one phone's word is enough to begin a time line.
const MISFITS: Limit = Limit {
    burst: 1,
    every_ms: 24 * 3_600_000,
};

/// The time line of the data, as this transaction sees it.
pub(crate) fn current_epoch(tx: &dyn Read) -> Result<Epoch, StoreError> {
    let missing = || StoreError::Damaged("the data has no time line".to_owned());
    tx.epoch()?.ok_or_else(missing)
}

/// Begins a time line, and replays what is kept outside of the data.
pub(crate) fn new_epoch(tx: &mut dyn Write, tools: &Tools) -> Result<(), StoreError> {
    tx.set_epoch(Epoch::draw(&*tools.rng))?;
    replay::replay(tx, tools)
}

/// Whether a number fits the store at all.
fn is_number(seq: u64) -> bool {
    i64::try_from(seq).is_ok()
}

/// Checks the highest receipt that a phone says it has seen.
///
/// # Errors
/// 409 where it is of another time line, [`Error::WentBack`] where it was never
/// given in this one.
pub(crate) fn check_receipt(
    tx: &dyn Read,
    device: &DeviceRow,
    seen: Option<Cursor>,
) -> Result<Epoch, Error> {
    let epoch = current_epoch(tx)?;
    let Some(seen) = seen else {
        return Ok(epoch);
    };
    if seen.epoch != epoch {
        return Err(Fault::other_epoch().into());
    }
    let given = is_number(seen.seq)
        && tx.receipt_tag(device.tenant, device.id, seen.seq)? == Some(seen.tag);
    if given {
        Ok(epoch)
    } else {
        Err(Error::WentBack(epoch))
    }
}

/// Checks a cursor of a stream that stands at `head`: false where its tag is
/// forgotten, so that the stream is to be read anew.
///
/// # Errors
/// As [`check_receipt`].
pub(super) fn check_cursor(
    tx: &dyn Read,
    device: &DeviceRow,
    (stream, head): (StreamKey, &StreamHead),
    cursor: Cursor,
) -> Result<bool, Error> {
    let epoch = current_epoch(tx)?;
    if cursor.epoch != epoch {
        return Err(Fault::other_epoch().into());
    }
    if cursor.seq > head.seq {
        return Err(Error::WentBack(epoch));
    }
    match tx.tag(device.tenant, stream, cursor.seq)? {
        Some(tag) if tag.value() == cursor.tag => Ok(true),
        Some(Tag::Own(_)) => Err(Error::WentBack(epoch)),
        Some(Tag::Common(_)) | None => Ok(false),
    }
}

impl Service {
    /// Answers a phone; where its question shows that the data went back in time,
    /// sees to that first.
    pub(crate) fn on_this_line<T>(
        &self,
        phone: &Phone,
        call: impl FnOnce() -> Result<T, Error>,
    ) -> Result<T, Error> {
        let answer = call();
        if let Err(Error::WentBack(epoch)) = answer {
            self.went_back(phone, epoch)?;
        }
        answer
    }

    /// Begins a new time line after `epoch`, unless another phone was first, or
    /// this one said so within a day: then it is answered for itself alone.
    fn went_back(&self, phone: &Phone, epoch: Epoch) -> Result<(), Error> {
        let (key, now_ms) = (format!("line/{}", phone.id), self.tools.clock.now().mono_ms);
        if self.limiter.take(&key, MISFITS, now_ms).is_err() {
            tracing::warn!("a phone does not fit this time line again; nothing is begun for it");
            return Ok(());
        }
        let (tenant, device) = (phone.tenant, phone.id);
        let begun = self.commit_with(move |tx, tools| {
            let first = tx.epoch()? == Some(epoch);
            if first {
                new_epoch(tx, tools)?;
                let line = AuditRow {
                    at_ms: tools.now_ms(),
                    who: format!("device/{device}"),
                    what: "went back".to_owned(),
                    on: format!("epoch/{epoch}"),
                };
                tx.add_audit(tenant, &line)?;
            }
            Ok(first)
        })?;
        if begun {
            tracing::error!("the data went back in time without being told; a time line begins");
            replay::finish(&self.tools)?;
        }
        Ok(())
    }
}
