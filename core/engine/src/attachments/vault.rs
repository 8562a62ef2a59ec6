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
use sha2::Digest as _;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::disk::{Disk, DiskFile, OpenFor};
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
/// How the names of files begin that come from the server.
const PART: &str = "part-";

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

    /// Where it lies while it comes from the server.
    fn part_of(&self, sha256: Sha256) -> PathBuf {
        let file = self.file(sha256);
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        self.folder.join(format!("{PART}{name}"))
    }

    fn cipher(&self) -> Option<XChaCha20Poly1305> {
        self.key
            .as_ref()
            .map(|key| XChaCha20Poly1305::new(&Key::from(*key.bytes())))
    }

    /// Stores an attachment durably; a second time costs a reading, and heals a
    /// file that does not read any more. After an error there is nothing new.
    pub(crate) fn put(&self, bytes: &[u8]) -> Inner<Sha256> {
        let sha256 = Sha256::of(bytes);
        if !self.reads(sha256, bytes.len()) {
            let mut rest = bytes;
            let mut fill = |piece: &mut [u8]| {
                let (now, later) = rest.split_at(piece.len());
                piece.copy_from_slice(now);
                rest = later;
                Ok(())
            };
            self.keep(bytes.len(), &mut fill, || sha256)?;
        }
        // Also where it is in place: whoever put it there may have died before
        // its name was durable.
        self.disk.sync_folder(&self.folder)?;
        Ok(sha256)
    }

    /// The same for what is not held in memory: `fill` is asked for its bytes
    /// piece by piece.
    pub(crate) fn put_from(
        &self,
        len: usize,
        fill: &mut dyn FnMut(&mut [u8]) -> Inner<()>,
    ) -> Inner<Sha256> {
        let hash = RefCell::new(sha2::Sha256::new());
        let mut hashed = |piece: &mut [u8]| {
            fill(piece)?;
            hash.borrow_mut().update(&*piece);
            Ok(())
        };
        let name = || Sha256(hash.borrow().clone().finalize().into());
        let sha256 = self.keep(len, &mut hashed, name)?;
        self.disk.sync_folder(&self.folder)?;
        Ok(sha256)
    }

    /// Writes a file and gives it its name, which is known once it is written.
    fn keep(
        &self,
        len: usize,
        fill: &mut dyn FnMut(&mut [u8]) -> Inner<()>,
        name: impl FnOnce() -> Sha256,
    ) -> Inner<Sha256> {
        self.disk.make_folder(&self.folder)?;
        let draft = format!("{DRAFT}{}", hex::encode(self.rng.bytes::<8>()));
        let draft = self.folder.join(draft);
        let kept = self.write(&draft, len, fill).and_then(|()| {
            let sha256 = name();
            self.disk.rename(&draft, &self.file(sha256))?;
            Ok(sha256)
        });
        if kept.is_err() {
            let _ = self.disk.remove(&draft);
        }
        kept
    }

    /// Whether an attachment of this length is in place.
    pub(crate) fn holds(&self, sha256: Sha256, len: usize) -> Inner<bool> {
        self.whole(&self.file(sha256), len)
    }

    /// Removes an attachment's file, where there is one, or what came of it so
    /// far.
    pub(crate) fn remove(&self, sha256: Sha256) -> Inner<()> {
        let mut removed = false;
        for path in [self.file(sha256), self.part_of(sha256)] {
            if self.disk.len(&path)?.is_some() {
                self.disk.remove(&path)?;
                removed = true;
            }
        }
        if removed {
            self.disk.sync_folder(&self.folder)?;
        }
        Ok(())
    }

    /// Removes everything but these attachments and what came of them so far.
    pub(crate) fn tidy(&self, named: &BTreeSet<Sha256>) -> Inner<()> {
        let of = |sha256: &Sha256| [self.file(*sha256), self.part_of(*sha256)];
        let named: BTreeSet<PathBuf> = named.iter().flat_map(of).collect();
        let mut removed = false;
        for path in self.disk.list(&self.folder)? {
            if !named.contains(&path) {
                self.disk.remove(&path)?;
                removed = true;
            }
        }
        if removed {
            self.disk.sync_folder(&self.folder)?;
        }
        Ok(())
    }

    /// Whether a file of the right length is in place; a rename is only seen
    /// once all of it was written.
    fn whole(&self, path: &Path, len: usize) -> Inner<bool> {
        Ok(self.disk.len(path)? == Some(self.size_of(len)))
    }

    /// The size of the file of an attachment of this length.
    fn size_of(&self, len: usize) -> u64 {
        match &self.key {
            None => len as u64,
            Some(_) => (HEAD + len + pieces(len) * TAG) as u64,
        }
    }

    fn write(
        &self,
        draft: &Path,
        len: usize,
        fill: &mut dyn FnMut(&mut [u8]) -> Inner<()>,
    ) -> Inner<()> {
        let mut file = self.disk.open(draft, OpenFor::New)?;
        let seal = self.begin(&mut *file)?;
        let mut piece = vec![0; PIECE.min(len)];
        for n in 0..pieces(len) {
            piece.truncate(len - n * PIECE);
            fill(&mut piece)?;
            seal.write(&mut *file, len, n, &piece)?;
        }
        Ok(file.sync()?)
    }

    /// Writes the head of a file.
    fn begin(&self, file: &mut dyn DiskFile) -> Inner<Seal> {
        let mut seal = Seal {
            cipher: self.cipher(),
            prefix: [0; PREFIX],
        };
        if seal.cipher.is_some() {
            seal.prefix = self.rng.bytes::<PREFIX>();
            file.write_at(0, &[MAGIC.as_slice(), &seal.prefix].concat())?;
        }
        Ok(seal)
    }

    /// Piece `n` of an attachment of `len` bytes.
    pub(crate) fn piece(&self, sha256: Sha256, len: usize, n: usize) -> Inner<Vec<u8>> {
        self.piece_of(&self.file(sha256), len, n)
    }

    fn piece_of(&self, path: &Path, len: usize, n: usize) -> Inner<Vec<u8>> {
        let mut file = self.disk.open(path, OpenFor::Reading)?;
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

    /// Whether all of an attachment is in place and is what its hash says.
    pub(crate) fn reads(&self, sha256: Sha256, len: usize) -> bool {
        self.copy(sha256, len, &mut |_| Ok(())).is_ok()
    }

    /// All of an attachment; its content is checked.
    pub(crate) fn get(&self, sha256: Sha256, len: usize) -> Inner<Vec<u8>> {
        let mut out = Vec::with_capacity(len);
        self.copy(sha256, len, &mut |piece| {
            out.extend_from_slice(piece);
            Ok(())
        })?;
        Ok(out)
    }

    /// Gives all of an attachment piece by piece; that its content is right is
    /// known at the end.
    pub(crate) fn copy(
        &self,
        sha256: Sha256,
        len: usize,
        give: &mut dyn FnMut(&[u8]) -> Inner<()>,
    ) -> Inner<()> {
        self.copy_of(&self.file(sha256), sha256, len, give)
    }

    fn copy_of(
        &self,
        path: &Path,
        sha256: Sha256,
        len: usize,
        give: &mut dyn FnMut(&[u8]) -> Inner<()>,
    ) -> Inner<()> {
        let mut hash = sha2::Sha256::new();
        for n in 0..pieces(len) {
            let piece = self.piece_of(path, len, n)?;
            hash.update(&piece);
            give(&piece)?;
        }
        let right = sha256.0[..] == hash.finalize()[..];
        right.then_some(()).ok_or(Fault::Row("an attachment"))
    }
}

/// A file that comes from the server, piece by piece. What is there already is
/// kept over the app's death; that it is right is known when it is whole.
pub(crate) struct Part<'a> {
    vault: &'a Vault,
    file: Box<dyn DiskFile>,
    path: PathBuf,
    sha256: Sha256,
    len: usize,
    seal: Seal,
    /// How many pieces are there.
    next: usize,
}

impl Vault {
    /// Begins an attachment of this length, or goes on with it.
    pub(crate) fn part(&self, sha256: Sha256, len: usize) -> Inner<Part<'_>> {
        self.disk.make_folder(&self.folder)?;
        let path = self.part_of(sha256);
        let mut file = self.disk.open(&path, OpenFor::Writing)?;
        let size = file.size()?;
        let (head, piece) = match self.key {
            None => (0, PIECE),
            Some(_) => (HEAD, PIECE + TAG),
        };
        let mut start = [0; HEAD];
        let known = size > head as u64
            && (head == 0 || file.read_at(0, &mut start).is_ok() && start.starts_with(MAGIC));
        if !known {
            file.set_size(0)?;
            let (seal, next) = (self.begin(&mut *file)?, 0);
            return Ok(Part {
                vault: self,
                file,
                path,
                sha256,
                len,
                seal,
                next,
            });
        }
        let mut seal = Seal {
            cipher: self.cipher(),
            prefix: [0; PREFIX],
        };
        seal.prefix.copy_from_slice(&start[MAGIC.len()..]);
        let there = usize::try_from(size).unwrap_or(usize::MAX) - head;
        // The last piece is shorter: it is there where all is.
        let next = match self.whole(&path, len)? {
            true => pieces(len),
            false => (there / piece).min(pieces(len) - 1),
        };
        Ok(Part {
            vault: self,
            file,
            path,
            sha256,
            len,
            seal,
            next,
        })
    }
}

impl Part<'_> {
    /// How many bytes are there.
    pub(crate) fn got(&self) -> usize {
        (self.next * PIECE).min(self.len)
    }

    /// Adds bytes: whole pieces, or the rest of the file.
    pub(crate) fn add(&mut self, bytes: &[u8]) -> Inner<()> {
        for piece in bytes.chunks(PIECE) {
            let len = self.len;
            self.seal.write(&mut *self.file, len, self.next, piece)?;
            self.next += 1;
        }
        Ok(())
    }

    /// Makes what is there durable and holds it to its hash. Where that fails
    /// all of it goes, and it is to be fetched anew.
    pub(crate) fn check(&mut self) -> Inner<bool> {
        self.file.set_size(self.vault.size_of(self.len))?;
        self.file.sync()?;
        let mut nothing = |_: &[u8]| Ok(());
        let (vault, path) = (self.vault, &self.path);
        let right = vault.copy_of(path, self.sha256, self.len, &mut nothing);
        match right {
            Ok(()) => Ok(true),
            Err(Fault::Row(_)) => {
                self.file.set_size(0)?;
                self.seal = self.vault.begin(&mut *self.file)?;
                self.next = 0;
                Ok(false)
            }
            Err(fault) => Err(fault),
        }
    }

    /// Gives it the name under which it is looked for.
    pub(crate) fn finish(&self) -> Inner<()> {
        let file = self.vault.file(self.sha256);
        self.vault.disk.rename(&self.path, &file)?;
        Ok(self.vault.disk.sync_folder(&self.vault.folder)?)
    }
}

/// How the pieces of one file are sealed.
struct Seal {
    cipher: Option<XChaCha20Poly1305>,
    prefix: [u8; PREFIX],
}

impl Seal {
    /// Writes piece `n` of a file of `len` bytes.
    fn write(&self, file: &mut dyn DiskFile, len: usize, n: usize, piece: &[u8]) -> Inner<()> {
        let Some(cipher) = &self.cipher else {
            return Ok(file.write_at((n * PIECE) as u64, piece)?);
        };
        let payload = Payload {
            msg: piece,
            aad: MAGIC,
        };
        let sealed = cipher
            .encrypt(&nonce(&self.prefix, n, n + 1 == pieces(len)), payload)
            .map_err(|_| Fault::Row("an attachment"))?;
        Ok(file.write_at(sealed_at(n), &sealed)?)
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
    use std::io::Read as _;

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
    fn what_is_not_held_in_memory_is_stored_the_same() {
        for keyed in [false, true] {
            let folder = tempfile::tempdir().expect("a folder");
            let vault = vault(folder.path(), keyed);
            for len in [0, 1, PIECE, PIECE + 1, 3 * PIECE + 7] {
                let content = bytes(len);
                let mut rest = content.as_slice();
                let mut fill = |piece: &mut [u8]| Ok(rest.read_exact(piece)?);
                let sha256 = vault.put_from(len, &mut fill).expect("stores");
                assert_eq!(sha256, Sha256::of(&content));
                assert_eq!(vault.get(sha256, len).expect("reads"), content, "{len}");
            }
            // A source that ends too early leaves nothing.
            let mut rest = [1; 9].as_slice();
            let mut fill = |piece: &mut [u8]| Ok(rest.read_exact(piece)?);
            assert!(vault.put_from(10, &mut fill).is_err());
            let files = fs::read_dir(&vault.folder).expect("lists").count();
            assert_eq!(files, 5, "no draft is left");
        }
    }

    #[test]
    fn what_a_save_left_that_was_killed_is_tidied_up() {
        for secret in [false, true] {
            let folder = tempfile::tempdir().expect("a folder");
            let vault = vault(folder.path(), secret);
            vault.tidy(&BTreeSet::new()).expect("no folder yet is fine");
            let kept = vault.put(b"kept").expect("stores");
            vault.put(b"not named").expect("stores");
            fs::write(vault.folder.join("draft-00"), b"torn").expect("writes");
            vault.tidy(&BTreeSet::from([kept])).expect("tidies");
            assert_eq!(fs::read_dir(&vault.folder).expect("lists").count(), 1);
            assert_eq!(vault.get(kept, 4).expect("reads"), b"kept");
        }
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
