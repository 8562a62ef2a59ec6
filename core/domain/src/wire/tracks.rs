//! The block that carries sealed chunks: `POST /v1/tracks`.
//!
//! Names travel in the frame, so that a chunk holds nothing but fixes:
//!
//! ```text
//! block := "GWT1" group*
//! group := patrol (16 bytes) run (8, big-endian) n (varint) chunk{n}
//! chunk := first (varint) count (varint) length (varint) body (length bytes)
//! ```
//!
//! A varint is LEB128: seven bits a byte, the least first, the top bit set on
//! all bytes but the last.

use crate::wire::ChunkName;
use crate::{EntityId, RunId};

const MAGIC: &[u8; 4] = b"GWT1";

/// The type of the block.
pub const CONTENT_TYPE: &str = "application/vnd.gridwalk.tracks";

/// A chunk and its name. The body is opaque here: a chunk of an unknown
/// version is kept and passed on untouched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedChunk {
    /// Which fixes it holds.
    pub name: ChunkName,
    /// The sealed chunk.
    pub body: Vec<u8>,
}

/// A block that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the block of chunks cannot be read at byte {at}: {why}")]
pub struct BadBlock {
    /// Where, from 0.
    pub at: usize,
    /// What was expected.
    pub why: &'static str,
}

/// Writes a block. Neighbours of one patrol and run share a group.
#[must_use]
pub fn encode(chunks: &[NamedChunk]) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    for group in chunks.chunk_by(|a, b| a.name.patrol == b.name.patrol && a.name.run == b.name.run)
    {
        out.extend_from_slice(group[0].name.patrol.as_bytes());
        out.extend_from_slice(&group[0].name.run.0.to_be_bytes());
        put(&mut out, group.len() as u64);
        for chunk in group {
            put(&mut out, u64::from(chunk.name.first));
            put(&mut out, u64::from(chunk.name.count));
            put(&mut out, chunk.body.len() as u64);
            out.extend_from_slice(&chunk.body);
        }
    }
    out
}

/// Reads a block.
///
/// # Errors
/// [`BadBlock`] with the byte at fault; nothing of a bad block is returned.
pub fn decode(block: &[u8]) -> Result<Vec<NamedChunk>, BadBlock> {
    let mut reader = Reader { block, at: 0 };
    if reader.take(4)? != MAGIC {
        return Err(BadBlock {
            at: 0,
            why: "expected GWT1",
        });
    }
    let mut chunks = Vec::new();
    while reader.at < block.len() {
        let patrol = EntityId::from_bytes(reader.array()?);
        let run = RunId(u64::from_be_bytes(reader.array()?));
        for _ in 0..reader.number()? {
            let first = reader.number()?;
            let count = reader.number()?;
            let length = reader.number()? as usize;
            let name = ChunkName {
                patrol,
                run,
                first,
                count,
            };
            chunks.push(NamedChunk {
                name,
                body: reader.take(length)?.to_vec(),
            });
        }
    }
    Ok(chunks)
}

fn put(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    out.push(number.to_le_bytes()[0]);
}

struct Reader<'a> {
    block: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], BadBlock> {
        let end = self
            .at
            .checked_add(count)
            .filter(|end| *end <= self.block.len());
        let end = end.ok_or(BadBlock {
            at: self.at,
            why: "the block ends too early",
        })?;
        let taken = &self.block[self.at..end];
        self.at = end;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], BadBlock> {
        let mut out = [0; N];
        out.copy_from_slice(self.take(N)?);
        Ok(out)
    }

    fn number(&mut self) -> Result<u32, BadBlock> {
        let start = self.at;
        let mut value = 0_u64;
        for shift in (0..35).step_by(7) {
            let byte = self.take(1)?[0];
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return u32::try_from(value).map_err(|_| BadBlock {
                    at: start,
                    why: "a number above 2³²",
                });
            }
        }
        Err(BadBlock {
            at: start,
            why: "a number of more than five bytes",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn chunk() -> impl Strategy<Value = NamedChunk> {
        (
            0_u8..3,
            0_u64..3,
            any::<u32>(),
            any::<u32>(),
            proptest::collection::vec(any::<u8>(), 0..40),
        )
            .prop_map(|(patrol, run, first, count, body)| NamedChunk {
                name: ChunkName {
                    patrol: EntityId::from_bytes([patrol; 16]),
                    run: RunId(run),
                    first,
                    count,
                },
                body,
            })
    }

    proptest! {
        #[test]
        fn a_block_reads_as_it_was_written(chunks in proptest::collection::vec(chunk(), 0..12)) {
            prop_assert_eq!(decode(&encode(&chunks)), Ok(chunks));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode(&bytes);
            let _ = decode(&[MAGIC.as_slice(), &bytes].concat());
        }

        #[test]
        fn a_cut_block_is_refused_or_a_whole_prefix(
            chunks in proptest::collection::vec(chunk(), 1..5),
            cut in any::<prop::sample::Index>(),
        ) {
            let whole = encode(&chunks);
            if let Ok(read) = decode(&whole[..cut.index(whole.len())]) {
                prop_assert!(chunks.starts_with(&read));
            }
        }
    }

    #[test]
    fn the_exact_bytes() {
        let name = ChunkName {
            patrol: EntityId::from_bytes([1; 16]),
            run: RunId(2),
            first: 300,
            count: 60,
        };
        let block = encode(&[NamedChunk {
            name,
            body: vec![0xaa, 0xbb],
        }]);
        assert_eq!(
            hex::encode(block),
            "47575431".to_owned()
                + &"01".repeat(16)
                + "0000000000000002"
                + "01"
                + "ac02"
                + "3c"
                + "02"
                + "aabb"
        );
    }
}
