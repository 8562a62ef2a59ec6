//! What phones ask for: enrolment, hello, push, tracks, have, pull.

mod boots;
mod enrol;
mod have;
mod hello;
mod line;
mod pull;
mod push;
mod receipts;
mod tracks;

use gridwalk_domain::kind::mediation;
use gridwalk_domain::wire::Cursor;
use gridwalk_domain::{DeviceId, GridId, Sha256, StreamKey};
use gridwalk_store::{
    AssignmentRow, BlobRow, DeviceRow, DeviceStanding, HolderRow, Read, StoreError,
};
use std::collections::BTreeSet;
use std::fmt;
use std::ops::Deref;

use crate::blobs::Bytes;
use crate::error::{Error, Fault};
use crate::random::hashed;
use crate::service::{Service, Tools};

pub(crate) use boots::Boots;
pub(crate) use line::{check_receipt, current_epoch, new_epoch};
pub(crate) use receipts::{add as add_receipts, last as last_receipt};
pub(crate) use tracks::{free as free_chunks, take_held as take_held_chunk};

/// A phone that asks, with what it says it has seen.
#[derive(Clone, PartialEq, Eq)]
pub struct Phone {
    /// The phone; its standing is that of the token it showed.
    pub device: DeviceRow,
    /// The highest receipt that it has seen.
    pub seen: Option<Cursor>,
}

fn signed_out() -> Fault {
    let text = "The token is not known. Enrol the phone again.";
    Fault::new(401, "signed_out", text)
}

impl Phone {
    /// The phone as this transaction sees it: it may have been revoked since it
    /// showed its token, or be unknown in data that was restored.
    ///
    /// # Errors
    /// 401 where it is not known any more.
    fn now(&self, tx: &dyn Read) -> Result<Self, Error> {
        let row = tx.device(self.id)?.ok_or_else(signed_out)?;
        let standing = match (self.standing, row.standing) {
            (DeviceStanding::SendOnly, DeviceStanding::Active) => DeviceStanding::SendOnly,
            (_, now) => now,
        };
        Ok(Self {
            device: DeviceRow { standing, ..row },
            seen: self.seen,
        })
    }

    /// Whether it may do no more than send.
    fn sends_only(&self) -> bool {
        self.device.standing != DeviceStanding::Active
    }
}

impl Deref for Phone {
    type Target = DeviceRow;

    fn deref(&self) -> &DeviceRow {
        &self.device
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Phone({})", self.device.id)
    }
}

/// Refuses a version of the protocol that may not pull any more. What a newer
/// version adds is passed over.
fn check_version(tools: &Tools, v: u32) -> Result<(), Fault> {
    if v >= tools.settings.min_v {
        return Ok(());
    }
    let text = "The app is too old for this server. Upgrade it; what it sends is kept.";
    Err(Fault::new(426, "version", text))
}

impl Service {
    /// Whose request it is, by the phone's token: either of the two.
    ///
    /// # Errors
    /// A [`Fault`] of 401 where the token is not known, 429 where the phone asks
    /// too often.
    pub fn phone(&self, token: Option<&str>, seen: Option<Cursor>) -> Result<Phone, Error> {
        let token = token
            .filter(|token| token.len() == 64)
            .ok_or_else(signed_out)?;
        let token = hashed(token);
        let device = self.read(|tx| Ok(tx.device_by_token(token)?))?;
        let mut device = device.ok_or_else(signed_out)?;
        self.pace(&device.id)?;
        if token == device.send_token && device.standing == DeviceStanding::Active {
            device.standing = DeviceStanding::SendOnly;
        }
        Ok(Phone { device, seen })
    }
}

/// The grids that are a worker's at a time, each once.
fn grids_at(assignments: &[AssignmentRow], at_ms: i64) -> Vec<GridId> {
    let holding = assignments.iter().filter(|row| row.holds_at(at_ms));
    let mut grids: Vec<GridId> = holding.map(|row| row.grid).collect();
    grids.dedup();
    grids
}

/// The streams that a phone may read now: its worker's grids' records, the
/// notices of these grids and all above them, its worker's inbox. Receipts are
/// apart.
fn readable(
    tools: &Tools,
    tx: &dyn Read,
    phone: &Phone,
    now_ms: i64,
) -> Result<Vec<StreamKey>, StoreError> {
    if phone.sends_only() {
        return Ok(Vec::new());
    }
    let assignments = tx.assignments(phone.tenant, Some(phone.worker))?;
    let tenant = tx.tenant(phone.tenant)?;
    let tenant = tenant.ok_or_else(|| StoreError::Damaged("a phone without a district".into()))?;
    let tree = tools.trees.get(tx, &tenant)?;
    let mut streams = vec![StreamKey::Inbox(phone.worker)];
    for grid in grids_at(&assignments, now_ms) {
        streams.push(StreamKey::Records(grid));
        streams.extend(tree.chain(grid).map(|row| StreamKey::Notices(row.id)));
    }
    streams.sort_unstable();
    streams.dedup();
    Ok(streams)
}

impl Service {
    /// An attachment that a record shows which one of the phone's streams lists.
    /// Where records of narrow readers alone do, it is written down that the worker
    /// read one.
    ///
    /// # Errors
    /// 404 where there is none, or it is not here.
    pub(crate) fn blob_of(&self, phone: &Phone, sha256: Sha256) -> Result<(BlobRow, Bytes), Error> {
        let now_ms = self.now_ms();
        let (row, through) = self.read(|tx| {
            let through = self.shown_by(tx, phone, sha256, now_ms)?;
            let through = through.ok_or_else(Fault::not_found)?;
            let row = tx.blobs(phone.tenant, &[sha256])?.into_iter().next();
            Ok((row.ok_or_else(Fault::not_found)?, through))
        })?;
        if mediation::is_narrow(&through.kind) {
            let who = format!("worker/{}", phone.worker);
            let read = BTreeSet::from([through.entity]);
            self.note_readings(phone.tenant, &who, read)?;
        }
        Ok((row, self.blob_bytes(sha256)?))
    }

    /// A record that shows an attachment and that one of the phone's streams lists;
    /// one without narrow readers, where there is such.
    fn shown_by(
        &self,
        tx: &dyn Read,
        phone: &Phone,
        sha256: Sha256,
        now_ms: i64,
    ) -> Result<Option<HolderRow>, Error> {
        let mut holders = tx.holders(phone.tenant, sha256)?;
        holders.retain(|row| !row.deleted);
        holders.sort_by_key(|row| mediation::is_narrow(&row.kind));
        if holders.is_empty() {
            return Ok(None);
        }
        let mut listed = BTreeSet::new();
        for stream in readable(&self.tools, tx, phone, now_ms)? {
            let entities = tx.listed(phone.tenant, stream)?.into_iter();
            listed.extend(entities.map(|(entity, _)| entity));
            if listed.contains(&holders[0].entity) {
                break;
            }
        }
        Ok(holders.into_iter().find(|row| listed.contains(&row.entity)))
    }
}

/// A phone's stream of receipts.
const fn receipts_of(device: DeviceId) -> StreamKey {
    StreamKey::Receipts(device)
}
