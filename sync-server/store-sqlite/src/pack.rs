//! What is stored of most ops, as few bytes: outcomes, receipts, waits. What is
//! rare stays JSON.
//!
//! The first byte says which: 0 is JSON, and every other sort has its length.

use gridwalk_domain::wire::{ChunkName, ChunkOutcome, OpOutcome, Outcome, ReceiptOf, TrackOutcome};
use gridwalk_domain::{EntityId, OpId, RunId, Sha256};
use gridwalk_store::{Listing, StoreError, Wait};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::bind::{FromCell, stream};

type Result<T, E = StoreError> = std::result::Result<T, E>;

const JSON: u8 = 0;
const APPLIED: u8 = 1;
const CONFLICT_KEPT: u8 = 2;
const PURGED: u8 = 3;

const OF_OP: u8 = 1;
const OF_BLOB: u8 = 2;
const OF_STORED_CHUNK: u8 = 3;

fn bad(what: &str) -> StoreError {
    StoreError::Damaged(format!("a packed {what} cannot be read"))
}

fn put_json(out: &mut Vec<u8>, value: &impl Serialize) -> Result<()> {
    out.push(JSON);
    serde_json::to_writer(out, value).map_err(|why| StoreError::Refused(why.to_string()))
}

fn from_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    serde_json::from_slice(bytes).map_err(|why| StoreError::Damaged(why.to_string()))
}

/// Takes `N` bytes off the front.
fn take<'a, const N: usize>(bytes: &mut &'a [u8], what: &str) -> Result<&'a [u8; N]> {
    let (taken, rest) = bytes.split_first_chunk().ok_or_else(|| bad(what))?;
    *bytes = rest;
    Ok(taken)
}

fn cell<const N: usize, T: FromCell>(bytes: &mut &[u8], what: &str) -> Result<T> {
    T::from_cell(take::<N>(bytes, what)?).ok_or_else(|| bad(what))
}

fn put_outcome(out: &mut Vec<u8>, outcome: &Outcome) -> Result<()> {
    let (sort, key, seq) = match outcome {
        Outcome::Applied { stream, seq } => (APPLIED, stream, seq),
        Outcome::ConflictKept { stream, seq } => (CONFLICT_KEPT, stream, seq),
        Outcome::Purged => {
            out.push(PURGED);
            return Ok(());
        }
        other => return put_json(out, other),
    };
    out.push(sort);
    out.extend_from_slice(&stream(key));
    out.extend_from_slice(&seq.to_be_bytes());
    Ok(())
}

pub(crate) fn outcome(value: &Outcome) -> Result<Vec<u8>> {
    let mut out = Vec::with_capacity(26);
    put_outcome(&mut out, value)?;
    Ok(out)
}

pub(crate) fn outcome_of(mut bytes: &[u8]) -> Result<Outcome> {
    let what = "outcome";
    let [sort] = *take(&mut bytes, what)?;
    match sort {
        JSON => from_json(bytes),
        PURGED => Ok(Outcome::Purged),
        APPLIED | CONFLICT_KEPT => {
            let stream = cell::<17, _>(&mut bytes, what)?;
            let seq = u64::from_be_bytes(*take(&mut bytes, what)?);
            Ok(if sort == APPLIED {
                Outcome::Applied { stream, seq }
            } else {
                Outcome::ConflictKept { stream, seq }
            })
        }
        _ => Err(bad(what)),
    }
}

pub(crate) fn receipt(of: &ReceiptOf) -> Result<Vec<u8>> {
    let mut out = Vec::with_capacity(75);
    match of {
        ReceiptOf::Op(OpOutcome {
            op: Some(op),
            sha256,
            outcome,
        }) => {
            out.push(OF_OP);
            out.extend_from_slice(op.as_bytes());
            out.extend_from_slice(&sha256.0);
            put_outcome(&mut out, outcome)?;
        }
        ReceiptOf::Blob { sha256, purged } => {
            out.push(OF_BLOB);
            out.extend_from_slice(&sha256.0);
            out.push(u8::from(*purged));
        }
        ReceiptOf::Chunk(ChunkOutcome {
            chunk,
            outcome: TrackOutcome::Stored,
        }) => {
            out.push(OF_STORED_CHUNK);
            out.extend_from_slice(chunk.patrol.as_bytes());
            out.extend_from_slice(&chunk.run.0.to_be_bytes());
            out.extend_from_slice(&chunk.first.to_be_bytes());
            out.extend_from_slice(&chunk.count.to_be_bytes());
        }
        other => put_json(&mut out, other)?,
    }
    Ok(out)
}

pub(crate) fn receipt_of(mut bytes: &[u8]) -> Result<ReceiptOf> {
    let what = "receipt";
    let [sort] = *take(&mut bytes, what)?;
    Ok(match sort {
        JSON => from_json(bytes)?,
        OF_OP => ReceiptOf::Op(OpOutcome {
            op: Some(OpId::from_bytes(*take(&mut bytes, what)?)),
            sha256: Sha256(*take(&mut bytes, what)?),
            outcome: outcome_of(bytes)?,
        }),
        OF_BLOB => {
            let sha256 = Sha256(*take(&mut bytes, what)?);
            let [purged] = *take(&mut bytes, what)?;
            ReceiptOf::Blob {
                sha256,
                purged: purged != 0,
            }
        }
        OF_STORED_CHUNK => ReceiptOf::Chunk(ChunkOutcome {
            chunk: ChunkName {
                patrol: EntityId::from_bytes(*take(&mut bytes, what)?),
                run: RunId(u64::from_be_bytes(*take(&mut bytes, what)?)),
                first: u32::from_be_bytes(*take(&mut bytes, what)?),
                count: u32::from_be_bytes(*take(&mut bytes, what)?),
            },
            outcome: TrackOutcome::Stored,
        }),
        _ => return Err(bad(what)),
    })
}

/// What something waits for: one byte for its sort, 16 for an id.
pub(crate) fn wait(wait: &Wait) -> Vec<u8> {
    let (sort, id): (u8, &[u8]) = match wait {
        Wait::Op(id) => (1, id.as_bytes()),
        Wait::Entity(id) => (2, id.as_bytes()),
        Wait::Assignment(id) => (3, id.as_bytes()),
        Wait::App(id) => (4, id.as_bytes()),
        Wait::Upgrade => (5, &[]),
    };
    [&[sort], id].concat()
}

impl FromCell for Wait {
    fn from_cell(bytes: &[u8]) -> Option<Self> {
        let (sort, id) = bytes.split_first()?;
        Some(match sort {
            1 => Self::Op(FromCell::from_cell(id)?),
            2 => Self::Entity(FromCell::from_cell(id)?),
            3 => Self::Assignment(FromCell::from_cell(id)?),
            4 => Self::App(FromCell::from_cell(id)?),
            5 if id.is_empty() => Self::Upgrade,
            _ => return None,
        })
    }
}

/// The streams that list an entity: 17 bytes and 8 for the number, each.
pub(crate) fn listed(listed: &[Listing]) -> Vec<u8> {
    let mut out = Vec::with_capacity(listed.len() * 25);
    for one in listed {
        out.extend_from_slice(&stream(&one.stream));
        out.extend_from_slice(&one.seq.to_be_bytes());
    }
    out
}

pub(crate) fn listed_of(mut bytes: &[u8]) -> Result<Vec<Listing>> {
    let what = "listing";
    let mut out = Vec::with_capacity(bytes.len() / 25);
    while !bytes.is_empty() {
        out.push(Listing {
            stream: cell::<17, _>(&mut bytes, what)?,
            seq: u64::from_be_bytes(*take(&mut bytes, what)?),
        });
    }
    Ok(out)
}

/// Hashes one after another.
pub(crate) fn hashes(hashes: &[Sha256]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| hash.0).collect()
}

pub(crate) fn hashes_of(mut bytes: &[u8]) -> Result<Vec<Sha256>> {
    let mut out = Vec::with_capacity(bytes.len() / 32);
    while !bytes.is_empty() {
        out.push(Sha256(*take(&mut bytes, "list of hashes")?));
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use gridwalk_domain::wire::Reason;
    use gridwalk_domain::{GridId, StreamKey};

    fn outcomes() -> Vec<Outcome> {
        let stream = StreamKey::Records(GridId::from_bytes([7; 16]));
        let reason = Reason {
            code: "missing".into(),
            text: "没有".into(),
        };
        vec![
            Outcome::Applied { stream, seq: 1 },
            Outcome::ConflictKept {
                stream,
                seq: u64::MAX,
            },
            Outcome::Purged,
            Outcome::Rejected {
                reason: reason.clone(),
            },
            Outcome::Quarantined { reason },
        ]
    }

    #[test]
    fn what_is_packed_is_read_as_it_was() {
        for value in outcomes() {
            let packed = outcome(&value).expect("packs");
            assert_eq!(outcome_of(&packed), Ok(value.clone()));
            for op in [Some(OpId::from_bytes([1; 16])), None] {
                let of = ReceiptOf::Op(OpOutcome {
                    op,
                    sha256: Sha256([2; 32]),
                    outcome: value.clone(),
                });
                assert_eq!(receipt_of(&receipt(&of).expect("packs")), Ok(of));
            }
        }
        let chunk = ChunkName {
            patrol: EntityId::from_bytes([3; 16]),
            run: RunId(u64::MAX),
            first: 5,
            count: 6,
        };
        let (sha256, purged) = (Sha256([4; 32]), true);
        for of in [
            ReceiptOf::Blob { sha256, purged },
            ReceiptOf::Chunk(ChunkOutcome {
                chunk,
                outcome: TrackOutcome::Stored,
            }),
            ReceiptOf::Chunk(ChunkOutcome {
                chunk,
                outcome: TrackOutcome::Purged,
            }),
        ] {
            assert_eq!(receipt_of(&receipt(&of).expect("packs")), Ok(of));
        }
        let most = receipt(&ReceiptOf::Op(OpOutcome {
            op: Some(OpId::from_bytes([1; 16])),
            sha256,
            outcome: outcomes().remove(0),
        }));
        assert_eq!(most.expect("packs").len(), 75);
    }

    #[test]
    fn cut_and_strange_bytes_are_refused() {
        let whole = outcome(&outcomes()[0]).expect("packs");
        for cut in 0..whole.len() {
            assert!(outcome_of(&whole[..cut]).is_err());
            assert!(receipt_of(&whole[..cut]).is_err());
        }
        for strange in [&[9][..], &[0, b'{'], &[OF_OP; 60]] {
            assert!(receipt_of(strange).is_err(), "{strange:?}");
        }
        assert!(listed_of(&[1; 26]).is_err() && hashes_of(&[1; 33]).is_err());
    }
}
