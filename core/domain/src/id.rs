//! Identities.
//!
//! Every entity, grid, worker, device and op is named by an immutable random
//! UUID. Codes, names and parents are attributes that change; an id never does
//! and is never derived from stored state, so that cloned, restored and
//! reinstalled phones cannot collide.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use uuid::{Builder, Uuid};

use crate::Rng;

/// A text that should have been an id and is not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an id: expected a UUID such as 0198c5a2-6c1e-7d31-9f0a-3b6f0c1d2e4f")]
pub struct BadId;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Names it by the UUID's 16 bytes.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }

            /// The UUID's 16 bytes.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.as_hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = BadId;

            fn from_str(text: &str) -> Result<Self, BadId> {
                Uuid::try_parse(text).map(Self).map_err(|_| BadId)
            }
        }
    };
}

macro_rules! random_id {
    ($(#[$doc:meta])* $name:ident) => {
        id!($(#[$doc])* $name);

        impl $name {
            /// Draws a new one (UUID version 4).
            #[must_use]
            pub fn draw(rng: &dyn Rng) -> Self {
                Self(Builder::from_random_bytes(rng.bytes()).into_uuid())
            }
        }
    };
}

random_id!(
    /// A district: the owner of entities and of everything that is kept apart.
    TenantId
);
random_id!(
    /// A node of the grid tree (网格).
    GridId
);
random_id!(
    /// A gridworker (网格员).
    WorkerId
);
random_id!(
    /// A person who logs in to the page.
    UserId
);
random_id!(
    /// One installation of the app on one phone.
    DeviceId
);
random_id!(
    /// A department of a district or town (部门): city management, fire …
    DepartmentId
);
random_id!(
    /// A team that work is given to (队伍): an emergency squad, a property's
    /// own people.
    TeamId
);
random_id!(
    /// Anything that ops change: a patrol, an incident, a shift …
    EntityId
);
random_id!(
    /// One start of a phone's system; monotonic times compare within it only.
    BootId
);
random_id!(
    /// The time line of a server's data; minted when data is made or restored.
    Epoch
);
id!(
    /// One intent of one author (UUID version 7).
    ///
    /// The time in it serves the locality of indexes; nothing reads it.
    OpId
);

impl OpId {
    /// Draws a new one; `wall_ms` only places it near its neighbours on disk.
    #[must_use]
    pub fn draw(wall_ms: i64, rng: &dyn Rng) -> Self {
        let ms = u64::try_from(wall_ms).unwrap_or(0);
        Self(Builder::from_unix_timestamp_millis(ms, &rng.bytes()).into_uuid())
    }
}

/// A run of the recorder: drawn whenever the engine opens, so that
/// (patrol, run, ordinal) names a fix for ever.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(pub u64);

impl RunId {
    /// Draws a new one.
    #[must_use]
    pub fn draw(rng: &dyn Rng) -> Self {
        Self(u64::from_be_bytes(rng.bytes()))
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RunId({self})")
    }
}

impl FromStr for RunId {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        if text.len() != 16 {
            return Err(BadId);
        }
        u64::from_str_radix(text, 16).map(Self).map_err(|_| BadId)
    }
}

impl Serialize for RunId {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RunId {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seams::CountingRng;

    #[test]
    fn ids_are_uuids_of_their_version() {
        let rng = CountingRng::default();
        let op = OpId::draw(1_700_000_000_000, &rng).to_string();
        assert_eq!(op.as_bytes()[14], b'7');
        let entity = EntityId::draw(&rng).to_string();
        assert_eq!(entity.as_bytes()[14], b'4');
        assert_eq!(
            entity.parse::<EntityId>().map(|id| id.to_string()),
            Ok(entity)
        );
        assert_eq!("nonsense".parse::<GridId>(), Err(BadId));
    }

    #[test]
    fn a_run_is_sixteen_hex_digits() {
        let run = RunId(0xab);
        assert_eq!(run.to_string(), "00000000000000ab");
        assert_eq!("00000000000000ab".parse(), Ok(run));
        assert!("ab".parse::<RunId>().is_err());
        let json = serde_json::to_string(&run).expect("a string");
        assert_eq!(
            serde_json::from_str::<RunId>(&json).expect("reads back"),
            run
        );
    }
}
