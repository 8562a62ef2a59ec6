//! SHA-256 of what is too large to be held.

use gridwalk_domain::Sha256;
use sha2::Digest as _;
use std::io;

/// Bytes that are read at a time.
const PIECE: usize = 256 * 1024;

/// The hash and the length of a content, read to its end; each piece is shown to
/// `look`.
pub(crate) fn hash_of(
    content: &mut dyn io::Read,
    mut look: impl FnMut(&[u8]),
) -> io::Result<(Sha256, u64)> {
    let (mut hash, mut bytes) = (sha2::Sha256::new(), 0);
    let mut piece = vec![0; PIECE];
    loop {
        let length = content.read(&mut piece)?;
        if length == 0 {
            return Ok((Sha256(hash.finalize().into()), bytes));
        }
        hash.update(&piece[..length]);
        look(&piece[..length]);
        bytes += length as u64;
    }
}
