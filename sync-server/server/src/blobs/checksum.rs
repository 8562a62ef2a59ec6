//! The checksum of one PATCH: tus's extension `checksum`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use crate::error::Fault;

/// What a checksum may be made with. tus demands SHA-1; against a line's faults
/// it is enough, and the whole content is held to its SHA-256 besides.
pub(crate) const ALGORITHMS: &str = "sha1,sha256";

enum Hash {
    Sha1(Sha1),
    Sha256(Sha256),
}

/// What a body must hash to, and what came of it so far.
pub(crate) struct Checksum {
    expected: Vec<u8>,
    hash: Hash,
}

impl Checksum {
    /// Reads `Upload-Checksum`.
    ///
    /// # Errors
    /// 400 where it names another algorithm, or no hash of that length.
    pub(crate) fn read(header: &str) -> Result<Self, Fault> {
        let read = || {
            let (name, value) = header.trim().split_once(' ')?;
            let (hash, length) = match name {
                "sha1" => (Hash::Sha1(Sha1::new()), 20),
                "sha256" => (Hash::Sha256(Sha256::new()), 32),
                _ => return None,
            };
            let expected = STANDARD.decode(value.trim()).ok()?;
            (expected.len() == length).then_some(Self { expected, hash })
        };
        let expected =
            "Upload-Checksum: expected sha1 or sha256, and the base64 of the body's hash.";
        read().ok_or_else(|| Fault::bad_request(expected))
    }

    pub(crate) fn add(&mut self, bytes: &[u8]) {
        match &mut self.hash {
            Hash::Sha1(hash) => hash.update(bytes),
            Hash::Sha256(hash) => hash.update(bytes),
        }
    }

    /// Whether all that came is what was meant.
    ///
    /// # Errors
    /// 460 where it is not.
    pub(crate) fn check(self) -> Result<(), Fault> {
        let holds = match self.hash {
            Hash::Sha1(hash) => hash.finalize()[..] == self.expected[..],
            Hash::Sha256(hash) => hash.finalize()[..] == self.expected[..],
        };
        let text = "These bytes do not have their checksum, and none is kept. Send them again.";
        let wrong = || Fault::new(460, "checksum_mismatch", text);
        holds.then_some(()).ok_or_else(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The hashes of `hello world`.
    const SHA1: &str = "sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=";
    const SHA256: &str = "sha256 uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek=";

    #[test]
    fn both_hashes_hold_over_pieces_and_find_a_wrong_byte() {
        for header in [SHA1, SHA256] {
            let check = |pieces: &[&[u8]]| {
                let mut checksum = Checksum::read(header).expect("a checksum");
                pieces.iter().for_each(|piece| checksum.add(piece));
                checksum.check()
            };
            check(&[b"hello", b" world"]).expect("holds");
            for wrong in [&b"hello worlc"[..], b"hello", b""] {
                let fault = check(&[wrong]).expect_err("does not hold");
                assert_eq!((fault.status, &*fault.code), (460, "checksum_mismatch"));
            }
        }
    }

    #[test]
    fn what_is_no_checksum_is_refused() {
        for bad in [
            "",
            "sha1",
            "md5 XrY7u+Ae7tCTyyK7j1rNww==",
            "sha1 !",
            "sha256 Kq5sNclPz7QV2+lfQIuc6R7oRu0=",
        ] {
            let fault = Checksum::read(bad).err().expect("refused");
            assert_eq!(fault.status, 400, "{bad}");
        }
    }
}
