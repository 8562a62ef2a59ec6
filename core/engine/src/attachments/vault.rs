//! Where attachments' bytes lie: a folder beside the data file, one file for
//! each content.
//!
//! Under a key a file is cut into pieces, each sealed with XChaCha20-Poly1305,
//! so that an upload reads one piece at a time. A piece's nonce is the file's
//! random prefix, the piece's number and whether it is the last: pieces cannot
//! be swapped, and a cut file does not read. The file's name is derived from
//! the content's hash under the key, so that a known photo cannot be looked
//! for by name.
//!
//! ```text
//! file := "GWB1" prefix(19) (piece of 64 KiB + tag(16))*
//! ```

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use gridwalk_domain::{Rng, Sha256};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::disk::{Disk, OpenFor};
use crate::error::{Fault, Inner};
use crate::store::beside;
use crate::{Config, Key32};

/// Bytes of one piece: of a file, and of an upload's request.
pub(crate) const PIECE: usize = 64 * 1024;
const MAGIC: &[u8; 4] = b"GWB1";
const PREFIX: usize = 19;
const HEAD: usize = MAGIC.len() + PREFIX;
const TAG: usize = 16;
/// How the names of files begin that are being written.
const DRAFT: &str = "draft-";

/// The folder and its key.
pub(crate) struct Vault {
    disk: Arc<dyn Disk>,
    folder: PathBuf,
    key: Option<Key32>,
    rng: Arc<dyn Rng>,
}

impl Vault {
    /// The folder beside the data file.
    pub(crate) fn new(config: &Config) -> Self {
        let key = config.key.as_ref();
        Self {
            disk: Arc::clone(&config.disk),
            folder: beside(&config.path, "-blobs"),
            key: key.map(|key| key.derive(b"gridwalk blobs 1")),
            rng: Arc::clone(&config.rng),
        }
    }

    fn file(&self, sha256: Sha256) -> PathBuf {
        let name = match &self.key {
            None => sha256.to_string(),
            Some(key) => {
                let purpose = [b"name ".as_slice(), &sha256.0].concat();
                hex::encode(&key.derive(&purpose).bytes()[..16])
            }
        };
        self.folder.join(name)
    }

    fn cipher(&self) -> Option<XChaCha20Poly1305> {
        self.key
            .as_ref()
            .map(|key| XChaCha20Poly1305::new(&Key::from(*key.bytes())))
    }

    /// Stores an attachment durably; a second time costs nothing. After an
    /// error there is nothing.
    pub(crate) fn put(&self, bytes: &[u8]) -> Inner<Sha256> {
        let sha256 = Sha256::of(bytes);
        let path = self.file(sha256);
        if !self.whole(&path, bytes.len())? {
            self.disk.make_folder(&self.folder)?;
            let name = format!("{DRAFT}{}", hex::encode(self.rng.bytes::<8>()));
            let draft = self.folder.join(name);
            let kept = self
                .write(&draft, bytes)
                .and_then(|()| Ok(self.disk.rename(&draft, &path)?));
            if let Err(fault) = kept {
                let _ = self.disk.remove(&draft);
                return Err(fault);
            }
        }
        // Also where it is in place: whoever put it there may have died before
        // its name was durable.
        self.disk.sync_folder(&self.folder)?;
        Ok(sha256)
    }

    /// Whether an attachment of this length is in place.
    pub(crate) fn holds(&self, sha256: Sha256, len: usize) -> Inner<bool> {
        self.whole(&self.file(sha256), len)
    }

    /// Removes an attachment's file, where there is one.
    pub(crate) fn remove(&self, sha256: Sha256) -> Inner<()> {
        let path = self.file(sha256);
        if self.disk.len(&path)?.is_some() {
            self.disk.remove(&path)?;
            self.disk.sync_folder(&self.folder)?;
        }
        Ok(())
    }

    /// Removes what a save left behind that the app died in.
    pub(crate) fn tidy(&self) -> Inner<()> {
        for path in self.disk.list(&self.folder)? {
            let name = path.file_name().unwrap_or_default();
            if name.to_string_lossy().starts_with(DRAFT) {
                self.disk.remove(&path)?;
            }
        }
        Ok(())
    }

    /// Whether a file of the right length is in place; a rename is only seen
    /// once all of it was written.
    fn whole(&self, path: &Path, len: usize) -> Inner<bool> {
        let expected = match &self.key {
            None => len,
            Some(_) => HEAD + len + pieces(len) * TAG,
        };
        Ok(self.disk.len(path)? == Some(expected as u64))
    }

    fn write(&self, draft: &Path, bytes: &[u8]) -> Inner<()> {
        let mut file = self.disk.open(draft, OpenFor::New)?;
        match self.cipher() {
            None => file.write_at(0, bytes)?,
            Some(cipher) => {
                let prefix = self.rng.bytes::<PREFIX>();
                file.write_at(0, &[MAGIC.as_slice(), &prefix].concat())?;
                let count = pieces(bytes.len());
                for n in 0..count {
                    let piece = &bytes[n * PIECE..bytes.len().min((n + 1) * PIECE)];
                    let payload = Payload {
                        msg: piece,
                        aad: MAGIC,
                    };
                    let sealed = cipher
                        .encrypt(&nonce(&prefix, n, n + 1 == count), payload)
                        .map_err(|_| Fault::Row("an attachment"))?;
                    file.write_at(sealed_at(n), &sealed)?;
                }
            }
        }
        Ok(file.sync()?)
    }

    /// Piece `n` of an attachment of `len` bytes.
    pub(crate) fn piece(&self, sha256: Sha256, len: usize, n: usize) -> Inner<Vec<u8>> {
        let mut file = self.disk.open(&self.file(sha256), OpenFor::Reading)?;
        let want = len.saturating_sub(n * PIECE).min(PIECE);
        let Some(cipher) = self.cipher() else {
            let mut out = vec![0; want];
            file.read_at((n * PIECE) as u64, &mut out)?;
            return Ok(out);
        };
        let mut head = [0; HEAD];
        file.read_at(0, &mut head)?;
        let mut prefix = [0; PREFIX];
        prefix.copy_from_slice(&head[MAGIC.len()..]);
        let mut sealed = vec![0; want + TAG];
        file.read_at(sealed_at(n), &mut sealed)?;
        let payload = Payload {
            msg: &sealed,
            aad: &head[..MAGIC.len()],
        };
        cipher
            .decrypt(&nonce(&prefix, n, n + 1 == pieces(len)), payload)
            .map_err(|_| Fault::Row("an attachment"))
    }

    /// All of an attachment; its content is checked.
    pub(crate) fn get(&self, sha256: Sha256, len: usize) -> Inner<Vec<u8>> {
        let mut out = Vec::with_capacity(len);
        for n in 0..pieces(len) {
            out.extend(self.piece(sha256, len, n)?);
        }
        if Sha256::of(&out) == sha256 {
            Ok(out)
        } else {
            Err(Fault::Row("an attachment"))
        }
    }
}

/// How many pieces; an empty file has one, so that it too is sealed.
fn pieces(len: usize) -> usize {
    len.div_ceil(PIECE).max(1)
}

/// Where sealed piece `n` lies.
fn sealed_at(n: usize) -> u64 {
    (HEAD + n * (PIECE + TAG)) as u64
}

fn nonce(prefix: &[u8; PREFIX], n: usize, last: bool) -> XNonce {
    let mut out = [0; 24];
    out[..PREFIX].copy_from_slice(prefix);
    out[PREFIX..23].copy_from_slice(&u32::try_from(n).unwrap_or(u32::MAX).to_be_bytes());
    out[23] = u8::from(last);
    XNonce::from(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn vault(folder: &Path, keyed: bool) -> Vault {
        let key = keyed.then(|| Key32::new([5; 32]));
        Vault::new(&crate::config::for_tests(folder.join("db"), key))
    }

    fn bytes(len: usize) -> Vec<u8> {
        (0..len)
            .map(|n| u8::try_from(n * 7 % 251).expect("small"))
            .collect()
    }

    #[test]
    fn every_length_comes_back_and_once_is_enough() {
        for keyed in [false, true] {
            let folder = tempfile::tempdir().expect("a folder");
            let vault = vault(folder.path(), keyed);
            for len in [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE] {
                let content = bytes(len);
                let sha256 = vault.put(&content).expect("stores");
                assert_eq!(vault.get(sha256, len).expect("reads"), content, "{len}");
                let file = vault.file(sha256);
                let written = fs::read(&file).expect("reads");
                vault.put(&content).expect("stores");
                assert_eq!(
                    fs::read(&file).expect("reads"),
                    written,
                    "one file, written once"
                );
            }
            let files = fs::read_dir(folder.path().join("db-blobs"))
                .expect("lists")
                .count();
            assert_eq!(files, 6, "no draft is left");
        }
    }

    #[test]
    fn what_a_save_left_that_was_killed_is_tidied_up() {
        let folder = tempfile::tempdir().expect("a folder");
        let vault = vault(folder.path(), false);
        vault.tidy().expect("no folder yet is fine");
        let kept = vault.put(b"kept").expect("stores");
        fs::write(vault.folder.join("draft-00"), b"torn").expect("writes");
        vault.tidy().expect("tidies");
        assert_eq!(fs::read_dir(&vault.folder).expect("lists").count(), 1);
        assert_eq!(vault.get(kept, 4).expect("reads"), b"kept");
    }

    #[test]
    fn under_a_key_nothing_shows_and_no_change_passes() {
        let folder = tempfile::tempdir().expect("a folder");
        let vault = vault(folder.path(), true);
        let content = bytes(2 * PIECE + 9);
        let sha256 = vault.put(&content).expect("stores");
        let file = vault.file(sha256);
        assert!(
            !file
                .display()
                .to_string()
                .contains(&sha256.to_string()[..16])
        );
        let good = fs::read(&file).expect("reads");
        assert!(!good.windows(16).any(|window| window == &content[..16]));
        let mut swapped = good.clone();
        let (a, b) = (HEAD, HEAD + PIECE + TAG);
        swapped[a..b].copy_from_slice(&good[b..b + PIECE + TAG]);
        for bad in [swapped, {
            let mut flipped = good.clone();
            flipped[HEAD + 5] ^= 1;
            flipped
        }] {
            fs::write(&file, bad).expect("writes");
            assert!(vault.get(sha256, content.len()).is_err());
        }
        fs::write(&file, &good).expect("writes");
        assert!(
            vault.get(sha256, PIECE).is_err(),
            "a shorter length must not read as a shorter file"
        );
    }
}
