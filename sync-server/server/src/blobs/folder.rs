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
            .create(true)
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
