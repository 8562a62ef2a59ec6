//! What phones ask for: enrolment, hello, push, tracks, pull.

mod enrol;
mod hello;
mod ingest;
mod pull;
mod push;
mod receipts;
mod time;
mod tracks;

use gridwalk_domain::wire::PROTOCOL_VERSION;
use gridwalk_domain::{GridId, StreamKey};
use gridwalk_store::{AssignmentRow, DeviceRow, Read, StoreError};

use crate::error::{Error, Fault};
use crate::random::hashed;
use crate::service::Service;

pub(crate) use receipts::add as add_receipts;

/// Refuses a version of the protocol that this server does not speak.
fn check_version(v: u32) -> Result<(), Fault> {
    if v == PROTOCOL_VERSION {
        return Ok(());
    }
    let text = format!("This server speaks version {PROTOCOL_VERSION} of the protocol. Upgrade.");
    Err(Fault::new(426, "version", text))
}

impl Service {
    /// Whose request it is, by the phone's token.
    ///
    /// # Errors
    /// A [`Fault`] of 401 where the token is not known.
    pub fn device(&self, token: Option<&str>) -> Result<DeviceRow, Error> {
        let signed_out = || {
            Fault::new(
                401,
                "signed_out",
                "The token is not known. Enrol the phone again.",
            )
        };
        let token = token
            .filter(|token| token.len() == 64)
            .ok_or_else(signed_out)?;
        let device = self.read(|tx| Ok(tx.device_by_token(hashed(token))?))?;
        Ok(device.ok_or_else(signed_out)?)
    }
}

/// The grids that are a worker's at a time, each once.
fn grids_at(assignments: &[AssignmentRow], at_ms: i64) -> Vec<GridId> {
    let holding = assignments.iter().filter(|row| row.holds_at(at_ms));
    let mut grids: Vec<GridId> = holding.map(|row| row.grid).collect();
    grids.dedup();
    grids
}

/// The streams that the phone of this worker may read now: its grids' records,
/// the notices of these grids and all above them, its worker's inbox.
fn readable(
    service: &Service,
    tx: &dyn Read,
    device: &DeviceRow,
    now_ms: i64,
) -> Result<Vec<StreamKey>, StoreError> {
    let assignments = tx.assignments(device.tenant, Some(device.worker))?;
    let tenant = tx.tenant(device.tenant)?;
    let tenant = tenant.ok_or_else(|| StoreError::Damaged("a phone without a district".into()))?;
    let tree = service.trees.get(tx, &tenant)?;
    let mut streams = vec![StreamKey::Inbox(device.worker)];
    for grid in grids_at(&assignments, now_ms) {
        streams.push(StreamKey::Records(grid));
        streams.extend(tree.chain(grid).map(|row| StreamKey::Notices(row.id)));
    }
    streams.sort_unstable();
    streams.dedup();
    Ok(streams)
}
