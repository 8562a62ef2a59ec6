//! Content hashes and the digest of a stream.

use serde::{Deserialize, Serialize};
use sha2::Digest as _;
use std::fmt;
use std::str::FromStr;

use crate::EntityId;

/// A SHA-256 hash (FIPS 180-4), written as 64 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sha256(pub [u8; 32]);

/// A text that should have been a SHA-256 hash and is not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a SHA-256 hash: expected 64 hex digits")]
pub struct BadHash;

impl Sha256 {
    /// The hash of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(sha2::Sha256::digest(bytes).into())
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sha256({self})")
    }
}

impl FromStr for Sha256 {
    type Err = BadHash;

    fn from_str(text: &str) -> Result<Self, BadHash> {
        let mut out = [0; 32];
        hex::decode_to_slice(text, &mut out).map_err(|_| BadHash)?;
        Ok(Self(out))
    }
}

impl Serialize for Sha256 {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Sha256 {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The digest of a stream: Σ SHA-256(entity id ‖ revision) mod 2²⁵⁶.
///
/// It is kept with each write (add the new revision, subtract the old one) and
/// does not depend on order, so phone and server can compare what they hold
/// without listing it. The revision is hashed as 8 bytes, big-endian.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StreamDigest([u64; 4]); // least significant word first

impl StreamDigest {
    /// Counts `entity` at `revision` in.
    pub fn add(&mut self, entity: EntityId, revision: u64) {
        self.combine(entity, revision, u64::overflowing_add);
    }

    /// Counts `entity` at `revision` out.
    pub fn subtract(&mut self, entity: EntityId, revision: u64) {
        self.combine(entity, revision, u64::overflowing_sub);
    }

    fn combine(&mut self, entity: EntityId, revision: u64, op: fn(u64, u64) -> (u64, bool)) {
        let mut text = [0; 24];
        text[..16].copy_from_slice(entity.as_bytes());
        text[16..].copy_from_slice(&revision.to_be_bytes());
        let term = Self::from_bytes(Sha256::of(&text).0);
        let mut carry = false;
        for (mine, its) in self.0.iter_mut().zip(term.0) {
            let (sum, over) = op(*mine, its);
            let (sum, over_by_carry) = op(sum, u64::from(carry));
            *mine = sum;
            carry = over || over_by_carry;
        }
    }

    /// From 32 bytes, big-endian.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        let mut words = [0; 4];
        for (word, chunk) in words.iter_mut().zip(bytes.rchunks_exact(8)) {
            *word = chunk
                .iter()
                .fold(0, |acc, byte| acc << 8 | u64::from(*byte));
        }
        Self(words)
    }

    /// As 32 bytes, big-endian.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 32] {
        let mut out = [0; 32];
        for (chunk, word) in out.rchunks_exact_mut(8).zip(self.0) {
            chunk.copy_from_slice(&word.to_be_bytes());
        }
        out
    }
}

impl Serialize for StreamDigest {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        Sha256(self.to_bytes()).serialize(s)
    }
}

impl<'de> Deserialize<'de> for StreamDigest {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Sha256::deserialize(d).map(|hash| Self::from_bytes(hash.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_hash_is_the_published_one() {
        // FIPS 180-4, the one-block example.
        assert_eq!(
            Sha256::of(b"abc").to_string(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    proptest! {
        #[test]
        fn the_digest_forgets_order_and_undoes(
            rows in proptest::collection::vec((any::<[u8; 16]>(), any::<u64>()), 0..20),
            extra in (any::<[u8; 16]>(), any::<u64>()),
        ) {
            let mut forward = StreamDigest::default();
            let mut backward = StreamDigest::default();
            for (id, rev) in &rows {
                forward.add(EntityId::from_bytes(*id), *rev);
            }
            for (id, rev) in rows.iter().rev() {
                backward.add(EntityId::from_bytes(*id), *rev);
            }
            prop_assert_eq!(forward, backward);
            forward.add(EntityId::from_bytes(extra.0), extra.1);
            prop_assert_ne!(forward, backward);
            forward.subtract(EntityId::from_bytes(extra.0), extra.1);
            prop_assert_eq!(forward, backward);
            prop_assert_eq!(StreamDigest::from_bytes(forward.to_bytes()), forward);
        }
    }
}
