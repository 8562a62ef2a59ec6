//! The streams that phones follow.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

use crate::{DeviceId, GridId, WorkerId};

/// A stream of changes that the server numbers in commit order.
///
/// All who read a stream see the same bytes. An entity's home stream is fixed
/// when it is created; its place is only a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StreamKey {
    /// A grid's records: its patrols, incidents, shifts …
    Records(GridId),
    /// What is sent down to a grid and all below it.
    Notices(GridId),
    /// A worker's own: tasks, alerts, mediations.
    Inbox(WorkerId),
    /// What became of everything that a device sent.
    Receipts(DeviceId),
}

/// A text that names no stream.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a stream: expected grid/<id>/records, grid/<id>/notices, worker/<id>/inbox or device/<id>/receipts"
)]
pub struct BadStreamKey;

impl fmt::Display for StreamKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Records(grid) => write!(f, "grid/{grid}/records"),
            Self::Notices(grid) => write!(f, "grid/{grid}/notices"),
            Self::Inbox(worker) => write!(f, "worker/{worker}/inbox"),
            Self::Receipts(device) => write!(f, "device/{device}/receipts"),
        }
    }
}

impl FromStr for StreamKey {
    type Err = BadStreamKey;

    fn from_str(text: &str) -> Result<Self, BadStreamKey> {
        let mut parts = text.split('/');
        let (Some(owner), Some(id), Some(what), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(BadStreamKey);
        };
        match (owner, what) {
            ("grid", "records") => id.parse().map(Self::Records).map_err(|_| BadStreamKey),
            ("grid", "notices") => id.parse().map(Self::Notices).map_err(|_| BadStreamKey),
            ("worker", "inbox") => id.parse().map(Self::Inbox).map_err(|_| BadStreamKey),
            ("device", "receipts") => id.parse().map(Self::Receipts).map_err(|_| BadStreamKey),
            _ => Err(BadStreamKey),
        }
    }
}

impl Serialize for StreamKey {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for StreamKey {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_read_what_they_write() {
        let bytes = [7; 16];
        for key in [
            StreamKey::Records(GridId::from_bytes(bytes)),
            StreamKey::Notices(GridId::from_bytes(bytes)),
            StreamKey::Inbox(WorkerId::from_bytes(bytes)),
            StreamKey::Receipts(DeviceId::from_bytes(bytes)),
        ] {
            assert_eq!(key.to_string().parse(), Ok(key));
        }
        for bad in [
            "",
            "grid",
            "grid/x/records",
            "grid//records",
            "worker/07070707-0707-0707-0707-070707070707/records",
        ] {
            assert_eq!(bad.parse::<StreamKey>(), Err(BadStreamKey), "{bad}");
        }
    }
}
