//! Attachments in a folder: `aa/<sha256>`, and `uploads/<id>` while they come.

use gridwalk_domain::Sha256;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use super::{Blobs, Bytes};

/// Attachments in a folder.
pub struct FolderBlobs {
    folder: PathBuf,
}

impl FolderBlobs {
    /// Uses `folder`, making it where it is missing.
    ///
    /// # Errors
    /// What the system says.
    pub fn open(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder.join("uploads"))?;
        sync_folder(folder)?;
        Ok(Self {
            folder: folder.to_owned(),
        })
    }

    /// Uses a folder that is there, to be read alone.
    #[must_use]
    pub fn still(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
        }
    }

    /// Ids come from a phone's URL: nothing but our own hex digits makes a path.
    fn upload(&self, id: &str) -> io::Result<PathBuf> {
        if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not an upload"));
        }
        Ok(self.folder.join("uploads").join(id))
    }

    fn content(&self, sha256: Sha256) -> (PathBuf, PathBuf) {
        let name = sha256.to_string();
        let folder = self.folder.join(&name[..2]);
        let file = folder.join(name);
        (folder, file)
    }
}

/// Makes the names in a folder durable.
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

impl Blobs for FolderBlobs {
    fn write(&self, upload: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let path = self.upload(upload)?;
        let mut file = OpenOptions::new()
            .write(true)
            .create(offset == 0)
            .truncate(false)
            .open(path)?;
        file.set_len(offset)?;
        file.seek(io::SeekFrom::Start(offset))?;
        file.write_all(bytes)
    }

    fn sync(&self, upload: &str) -> io::Result<()> {
        File::open(self.upload(upload)?)?.sync_all()?;
        sync_folder(&self.folder.join("uploads"))
    }

    fn written(&self, upload: &str) -> io::Result<Bytes> {
        Ok(Box::new(File::open(self.upload(upload)?)?))
    }

    fn finish(&self, upload: &str, sha256: Sha256) -> io::Result<()> {
        let (folder, file) = self.content(sha256);
        fs::create_dir_all(&folder)?;
        fs::rename(self.upload(upload)?, file)?;
        sync_folder(&folder)?;
        sync_folder(&self.folder)
    }

    fn discard(&self, upload: &str) -> io::Result<()> {
        match fs::remove_file(self.upload(upload)?) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn uploads(&self) -> io::Result<Vec<String>> {
        let mut ids = Vec::new();
        for entry in fs::read_dir(self.folder.join("uploads"))? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if self.upload(&name).is_ok() {
                ids.push(name);
            }
        }
        ids.sort_unstable();
        Ok(ids)
    }

    fn has(&self, sha256: Sha256) -> io::Result<bool> {
        self.content(sha256).1.try_exists()
    }

    fn remove(&self, sha256: Sha256) -> io::Result<()> {
        let (folder, file) = self.content(sha256);
        match fs::remove_file(file) {
            Ok(()) => sync_folder(&folder),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn file(&self, sha256: Sha256) -> Option<PathBuf> {
        Some(self.content(sha256).1)
    }

    fn adopt(&self, sha256: Sha256, from: &dyn Blobs) -> io::Result<()> {
        let (folder, file) = self.content(sha256);
        if file.try_exists()? {
            return Ok(());
        }
        fs::create_dir_all(&folder)?;
        // A link costs no room, and the content never changes.
        let linked = from.file(sha256).map(|there| fs::hard_link(there, &file));
        if !matches!(linked, Some(Ok(()))) {
            let Some(mut bytes) = from.open(sha256)? else {
                return Ok(());
            };
            let aside = file.with_extension("new");
            let mut copy = File::create(&aside)?;
            io::copy(&mut bytes, &mut copy)?;
            copy.sync_all()?;
            fs::rename(&aside, &file)?;
        }
        sync_folder(&folder)?;
        sync_folder(&self.folder)
    }

    fn open(&self, sha256: Sha256) -> io::Result<Option<Bytes>> {
        match File::open(self.content(sha256).1) {
            Ok(file) => Ok(Some(Box::new(file))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blobs::MemoryBlobs;
    use std::io::Read as _;

    fn text(bytes: Bytes) -> String {
        let mut out = String::new();
        let mut bytes = bytes;
        bytes.read_to_string(&mut out).expect("reads");
        out
    }

    fn keeps_the_contract(blobs: &dyn Blobs) {
        let hash = Sha256::of(b"hello world");
        assert!(blobs.open(hash).expect("asks").is_none());
        blobs.write("aa", 0, b"hello XXXXXX").expect("writes");
        blobs.write("aa", 6, b"world").expect("writes");
        blobs.sync("aa").expect("syncs");
        assert_eq!(text(blobs.written("aa").expect("reads")), "hello world");
        blobs.finish("aa", hash).expect("finishes");
        assert!(blobs.written("aa").is_err());
        assert_eq!(
            text(blobs.open(hash).expect("asks").expect("is here")),
            "hello world"
        );
        blobs.write("bb", 0, b"hello world").expect("writes");
        blobs.finish("bb", hash).expect("twice the same content");
        blobs.write("cc", 0, b"x").expect("writes");
        blobs.discard("cc").expect("discards");
        blobs.discard("cc").expect("discards what is gone");
        assert!(blobs.written("cc").is_err());
        assert!(blobs.has(hash).expect("asks"));
        blobs.write("dd", 0, b"x").expect("writes");
        assert_eq!(blobs.uploads().expect("lists"), ["dd"]);
        let other = MemoryBlobs::new();
        other.adopt(hash, blobs).expect("takes over");
        other
            .adopt(Sha256::of(b"nowhere"), blobs)
            .expect("takes over");
        blobs.remove(hash).expect("removes");
        blobs.remove(hash).expect("removes what is gone");
        assert!(!blobs.has(hash).expect("asks") && blobs.open(hash).expect("asks").is_none());
        for _ in 0..2 {
            blobs.adopt(hash, &other).expect("takes over");
        }
        assert_eq!(
            text(blobs.open(hash).expect("asks").expect("is here")),
            "hello world"
        );
    }

    #[test]
    fn a_file_is_linked_not_copied() {
        let folder = tempfile::tempdir().expect("a folder");
        let one = FolderBlobs::open(&folder.path().join("one")).expect("opens");
        let two = FolderBlobs::open(&folder.path().join("two")).expect("opens");
        let hash = Sha256::of(b"x");
        one.write("aa", 0, b"x").expect("writes");
        one.finish("aa", hash).expect("finishes");
        two.adopt(hash, &one).expect("takes over");
        let links = |blobs: &FolderBlobs| {
            let file = blobs.file(hash).expect("a file");
            std::os::unix::fs::MetadataExt::nlink(&fs::metadata(file).expect("is there"))
        };
        assert_eq!((links(&one), links(&two)), (2, 2));
        one.remove(hash).expect("removes");
        assert!(two.has(hash).expect("asks"));
    }

    #[test]
    fn both_keep_the_contract() {
        let folder = tempfile::tempdir().expect("a folder");
        keeps_the_contract(&FolderBlobs::open(folder.path()).expect("opens"));
        keeps_the_contract(&MemoryBlobs::new());
    }

    #[test]
    fn nothing_leaves_the_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        let blobs = FolderBlobs::open(&folder.path().join("blobs")).expect("opens");
        for id in ["../../x", "/etc/passwd", "", "a/b", "a\0"] {
            assert!(blobs.write(id, 0, b"x").is_err(), "{id}");
        }
        assert_eq!(fs::read_dir(folder.path()).expect("lists").count(), 1);
    }
}
