//! Attachments in memory, for tests and simulations.

use gridwalk_domain::Sha256;
use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::sync::Mutex;

use super::{Blobs, Bytes};
use crate::commits::lock;

/// Attachments in memory.
#[derive(Default)]
pub struct MemoryBlobs {
    uploads: Mutex<HashMap<String, Vec<u8>>>,
    whole: Mutex<HashMap<Sha256, Vec<u8>>>,
}

impl MemoryBlobs {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

fn gone() -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, "no such upload")
}

impl Blobs for MemoryBlobs {
    fn write(&self, upload: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let offset = usize::try_from(offset).map_err(io::Error::other)?;
        let mut uploads = lock(&self.uploads);
        if offset > 0 && !uploads.contains_key(upload) {
            return Err(gone());
        }
        let content = uploads.entry(upload.to_owned()).or_default();
        content.resize(offset, 0);
        content.extend_from_slice(bytes);
        Ok(())
    }

    fn sync(&self, upload: &str) -> io::Result<()> {
        lock(&self.uploads).get(upload).map(drop).ok_or_else(gone)
    }

    fn written(&self, upload: &str) -> io::Result<Bytes> {
        let content = lock(&self.uploads).get(upload).cloned();
        Ok(Box::new(io::Cursor::new(content.ok_or_else(gone)?)))
    }

    fn finish(&self, upload: &str, sha256: Sha256) -> io::Result<()> {
        let content = lock(&self.uploads).remove(upload).ok_or_else(gone)?;
        lock(&self.whole).insert(sha256, content);
        Ok(())
    }

    fn discard(&self, upload: &str) -> io::Result<()> {
        lock(&self.uploads).remove(upload);
        Ok(())
    }

    fn uploads(&self) -> io::Result<Vec<String>> {
        let mut ids: Vec<String> = lock(&self.uploads).keys().cloned().collect();
        ids.sort_unstable();
        Ok(ids)
    }

    fn has(&self, sha256: Sha256) -> io::Result<bool> {
        Ok(lock(&self.whole).contains_key(&sha256))
    }

    fn remove(&self, sha256: Sha256) -> io::Result<()> {
        lock(&self.whole).remove(&sha256);
        Ok(())
    }

    fn file(&self, _sha256: Sha256) -> Option<PathBuf> {
        None
    }

    fn open(&self, sha256: Sha256) -> io::Result<Option<Bytes>> {
        let content = lock(&self.whole).get(&sha256).cloned();
        Ok(content.map(|content| Box::new(io::Cursor::new(content)) as Bytes))
    }
}
