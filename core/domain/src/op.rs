//! Ops: one intent of one author on one entity.
//!
//! An op's body is JSON, written once when the user saves. Those exact bytes
//! are hashed, stored and sent unchanged; no migration rewrites them.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

use crate::{DeviceId, EntityId, Moment, OpId, Rng, Sha256, StreamKey, TenantId, UserId, WorkerId};

/// The version of the body's shape that this code writes.
pub const OP_VERSION: u32 = 1;

/// The largest body that is taken, in bytes.
pub const MAX_BODY_BYTES: usize = 64 * 1024;

/// Who made an op.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Author {
    /// A gridworker, on a phone.
    Worker {
        /// Who.
        worker: WorkerId,
        /// On which installation.
        device: DeviceId,
    },
    /// Somebody on the supervisor's page.
    User {
        /// Who.
        user: UserId,
    },
    /// The server itself: what it alone may derive.
    Server {
        /// Which part of it.
        server: ServerPart,
    },
}

/// A part of the server that makes ops by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServerPart {
    /// What a time brings about: a limit that passes, a date to look again.
    Clock,
    /// A part that this version does not know.
    #[serde(other)]
    Unknown,
}

/// A new value for a field, and what its author saw there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The value; `null` empties the field.
    pub value: Value,
    /// The op that had last written the field when the author changed it;
    /// none where the field was empty.
    pub base: Option<OpId>,
}

/// What an op asks for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Intent {
    /// Make the entity.
    Create {
        /// The stream that it belongs to for ever.
        home: StreamKey,
        /// Its first fields.
        #[serde(default)]
        fields: BTreeMap<String, Value>,
    },
    /// Write fields, each with its base.
    Set(BTreeMap<String, Change>),
    /// Append an entry to a list (comments, photos, marks …).
    Append {
        /// The list's name.
        list: String,
        /// The entry.
        value: Value,
    },
    /// Put an item into a set (tags, participants).
    Add {
        /// The set's name.
        set: String,
        /// The item.
        value: Value,
    },
    /// Take items out of a set, each named by the op that added it.
    Remove {
        /// The set's name.
        set: String,
        /// The ops that added what goes.
        ids: Vec<OpId>,
    },
    /// Move the status along its table.
    Transition {
        /// The status that the author saw.
        from: String,
        /// The status asked for.
        to: String,
        /// The op of the last transition that the author saw.
        base: OpId,
        /// Why, where the table asks for it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// What else the step says: assignee, holder, place, photo, limit …
        #[serde(default, skip_serializing_if = "Map::is_empty")]
        with: Map<String, Value>,
    },
    /// Settle a field that was written twice.
    Resolve {
        /// The field.
        field: String,
        /// What it shall say.
        value: Value,
        /// The op that had last written the field.
        base: Option<OpId>,
        /// The kept proposals that this settles; one not listed stays.
        replaces: Vec<OpId>,
    },
    /// Delete the entity.
    Delete {
        /// The last op that the author saw on it.
        base: OpId,
    },
}

impl Intent {
    /// Every op on the same entity that the author had seen and builds on.
    pub fn bases(&self) -> impl Iterator<Item = OpId> + '_ {
        let (one, changes, replaced): (_, Option<&BTreeMap<_, Change>>, &[OpId]) = match self {
            Self::Create { .. } | Self::Append { .. } | Self::Add { .. } | Self::Remove { .. } => {
                (None, None, &[])
            }
            Self::Set(changes) => (None, Some(changes), &[]),
            Self::Transition { base, .. } | Self::Delete { base } => (Some(*base), None, &[]),
            Self::Resolve { base, replaces, .. } => (*base, None, replaces),
        };
        let of_changes = changes
            .into_iter()
            .flat_map(BTreeMap::values)
            .filter_map(|c| c.base);
        one.into_iter()
            .chain(of_changes)
            .chain(replaced.iter().copied())
    }
}

/// The body of an op, as it is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpBody {
    /// The version of this shape.
    pub v: u32,
    /// The op's identity.
    pub id: OpId,
    /// The district that it belongs to.
    pub tenant: TenantId,
    /// The entity it changes.
    pub entity: EntityId,
    /// What that entity is: `incident`, `patrol` … (see [`crate::kind`]).
    pub kind: String,
    /// Who made it.
    pub by: Author,
    /// The author's phone's op before this one on the same entity.
    pub prev: Option<OpId>,
    /// Ops on other entities that must come first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<OpId>,
    /// The phone's clocks at the save.
    pub at: Moment,
    /// 16 random hex digits, so that a hash tells nothing of a short text.
    pub nonce: String,
    /// What it asks for.
    #[serde(rename = "do")]
    pub intent: Intent,
}

/// The head of any op, known or not: enough to store it and to judge it again
/// when its intent or kind is known one day.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct OpHead {
    /// The version of the body's shape.
    pub v: u32,
    /// The op's identity.
    pub id: OpId,
    /// The district that it belongs to.
    pub tenant: TenantId,
    /// The entity it changes.
    pub entity: EntityId,
    /// What that entity is.
    pub kind: String,
    /// Who made it.
    pub by: Author,
    /// The author's phone's op before this one on the same entity.
    pub prev: Option<OpId>,
    /// Ops on other entities that must come first.
    #[serde(default)]
    pub needs: Vec<OpId>,
    /// The phone's clocks at the save.
    pub at: Moment,
}

/// An op with the exact bytes that name it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedOp {
    /// SHA-256 of the body's bytes.
    pub sha256: Sha256,
    /// The body: JSON text, byte for byte as it was saved.
    pub body: String,
}

/// Why a body cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadOp {
    /// The bytes are not those that the hash names.
    #[error("the body does not match its hash: it was changed on the way; send it again")]
    HashMismatch,
    /// More than [`MAX_BODY_BYTES`].
    #[error("the body has {0} bytes; at most {MAX_BODY_BYTES} are taken")]
    TooLarge(usize),
    /// Not even the head can be read.
    #[error("the body's head cannot be read (line {line}, column {column})")]
    Head {
        /// 1-based.
        line: usize,
        /// 1-based.
        column: usize,
    },
    /// The head reads, the intent does not: a newer app wrote it, perhaps.
    #[error("the intent is not known here; an upgrade may know it")]
    UnknownIntent,
}

impl OpBody {
    /// Writes the bytes that stay for ever, and their hash.
    ///
    /// # Errors
    /// [`BadOp::TooLarge`] where the body would not be taken.
    pub fn seal(&self) -> Result<SealedOp, BadOp> {
        let body = serde_json::to_string(self).map_err(|_| BadOp::UnknownIntent)?;
        if body.len() > MAX_BODY_BYTES {
            return Err(BadOp::TooLarge(body.len()));
        }
        Ok(SealedOp {
            sha256: Sha256::of(body.as_bytes()),
            body,
        })
    }

    /// A fresh nonce.
    #[must_use]
    pub fn draw_nonce(rng: &dyn Rng) -> String {
        hex::encode(rng.bytes::<8>())
    }
}

impl SealedOp {
    /// Reads the head after checking size and hash.
    ///
    /// # Errors
    /// [`BadOp`] but never [`BadOp::UnknownIntent`].
    pub fn head(&self) -> Result<OpHead, BadOp> {
        if self.body.len() > MAX_BODY_BYTES {
            return Err(BadOp::TooLarge(self.body.len()));
        }
        if Sha256::of(self.body.as_bytes()) != self.sha256 {
            return Err(BadOp::HashMismatch);
        }
        serde_json::from_str(&self.body).map_err(|error| BadOp::Head {
            line: error.line(),
            column: error.column(),
        })
    }

    /// Reads all of it.
    ///
    /// # Errors
    /// [`BadOp`], [`BadOp::UnknownIntent`] among them.
    pub fn open(&self) -> Result<OpBody, BadOp> {
        self.head()?;
        serde_json::from_str(&self.body).map_err(|_| BadOp::UnknownIntent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BootId, GridId};
    use serde_json::json;

    pub(crate) fn body(intent: Intent) -> OpBody {
        OpBody {
            v: OP_VERSION,
            id: OpId::from_bytes([1; 16]),
            tenant: TenantId::from_bytes([2; 16]),
            entity: EntityId::from_bytes([3; 16]),
            kind: "incident".into(),
            by: Author::Worker {
                worker: WorkerId::from_bytes([4; 16]),
                device: DeviceId::from_bytes([5; 16]),
            },
            prev: None,
            needs: vec![],
            at: Moment {
                wall_ms: 1_763_769_600_000,
                boot: BootId::from_bytes([6; 16]),
                mono_ms: 1234,
            },
            nonce: "00112233445566aa".into(),
            intent,
        }
    }

    #[test]
    fn the_exact_bytes_of_each_intent() {
        let op = |n| OpId::from_bytes([n; 16]);
        let intents = vec![
            Intent::Create {
                home: StreamKey::Records(GridId::from_bytes([7; 16])),
                fields: [("title".to_owned(), json!("楼道堆物"))].into(),
            },
            Intent::Set(
                [(
                    "title".to_owned(),
                    Change {
                        value: json!("楼道杂物"),
                        base: Some(op(1)),
                    },
                )]
                .into(),
            ),
            Intent::Append {
                list: "comments".into(),
                value: json!({"text": "已劝离"}),
            },
            Intent::Add {
                set: "tags".into(),
                value: json!("夜间"),
            },
            Intent::Remove {
                set: "tags".into(),
                ids: vec![op(8)],
            },
            Intent::Transition {
                from: "reported".into(),
                to: "escalated".into(),
                base: op(1),
                reason: Some("需城管处理".into()),
                with: Map::new(),
            },
            Intent::Resolve {
                field: "title".into(),
                value: json!("楼道杂物"),
                base: Some(op(1)),
                replaces: vec![op(9)],
            },
            Intent::Delete { base: op(1) },
        ];
        let sealed: Vec<_> = intents
            .into_iter()
            .map(|i| body(i).seal().expect("small").body)
            .collect();
        insta::assert_snapshot!(sealed.join("\n"));
        for text in sealed {
            let sealed = SealedOp {
                sha256: Sha256::of(text.as_bytes()),
                body: text.clone(),
            };
            let again = sealed.open().expect("reads").seal().expect("seals");
            assert_eq!(
                again.body, text,
                "reading and writing again must not change a byte"
            );
        }
    }

    #[test]
    fn changed_bytes_unknown_intents_and_giants_are_told_apart() {
        let good = body(Intent::Delete {
            base: OpId::from_bytes([1; 16]),
        })
        .seal()
        .expect("small");
        let mut changed = good.clone();
        changed.body = changed.body.replace("incident", "incidenT");
        assert_eq!(changed.open(), Err(BadOp::HashMismatch));

        let future = good.body.replace("\"delete\"", "\"merge_with\"");
        let future = SealedOp {
            sha256: Sha256::of(future.as_bytes()),
            body: future,
        };
        assert!(future.head().is_ok());
        assert_eq!(future.open(), Err(BadOp::UnknownIntent));

        let giant = body(Intent::Append {
            list: "comments".into(),
            value: json!("长".repeat(30_000)),
        });
        assert!(matches!(giant.seal(), Err(BadOp::TooLarge(_))));
    }
}
