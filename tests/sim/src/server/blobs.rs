//! The server's attachments: in memory, losing what was not synced.

use gridwalk_domain::Sha256;
use gridwalk_server::blobs::{Blobs, Bytes};
use std::collections::BTreeMap;
use std::io::{self, Cursor, ErrorKind};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Life;

#[derive(Clone, Default)]
struct Upload {
    bytes: Vec<u8>,
    synced: usize,
}

#[derive(Clone)]
struct Files {
    uploads: BTreeMap<String, Upload>,
    whole: BTreeMap<Sha256, Arc<Vec<u8>>>,
    rng: fastrand::Rng,
}

/// The attachments.
#[derive(Clone)]
pub(super) struct SimBlobs {
    files: Arc<Mutex<Files>>,
    life: Life,
}

impl SimBlobs {
    pub(super) fn new(seed: u64) -> Self {
        let files = Files {
            uploads: BTreeMap::new(),
            whole: BTreeMap::new(),
            rng: fastrand::Rng::with_seed(seed),
        };
        Self::of(files)
    }

    fn of(files: Files) -> Self {
        Self {
            files: Arc::new(Mutex::new(files)),
            life: Life::default(),
        }
    }

    pub(super) fn living(mut self, life: &Life) -> Self {
        self.life = life.clone();
        self
    }

    /// What is begun here stays; what is whole is what was whole there.
    pub(super) fn with(&self, backup: &dyn Blobs) -> Self {
        let mut files = self.files().clone();
        files
            .whole
            .retain(|sha256, _| backup.has(*sha256).unwrap_or(false));
        Self::of(files)
    }

    fn files(&self) -> MutexGuard<'_, Files> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn alive(&self) -> io::Result<MutexGuard<'_, Files>> {
        if self.life.is_over() {
            return Err(io::Error::other("the server is dead"));
        }
        Ok(self.files())
    }

    /// Of what was not synced, anything may be gone.
    pub(super) fn power_cut(&self) {
        let mut files = self.files();
        let Files { uploads, rng, .. } = &mut *files;
        for upload in uploads.values_mut() {
            let left = rng.usize(upload.synced..=upload.bytes.len());
            upload.bytes.truncate(left);
            upload.synced = left;
        }
    }
}

fn gone() -> io::Error {
    ErrorKind::NotFound.into()
}

impl Blobs for SimBlobs {
    fn write(&self, upload: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let offset = usize::try_from(offset).map_err(io::Error::other)?;
        let mut files = self.alive()?;
        let upload = files.uploads.entry(upload.to_owned()).or_default();
        upload.bytes.resize(offset, 0);
        upload.synced = upload.synced.min(offset);
        upload.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn sync(&self, upload: &str) -> io::Result<()> {
        let mut files = self.alive()?;
        let upload = files.uploads.get_mut(upload).ok_or_else(gone)?;
        upload.synced = upload.bytes.len();
        Ok(())
    }

    fn written(&self, upload: &str) -> io::Result<Bytes> {
        let files = self.alive()?;
        let upload = files.uploads.get(upload).ok_or_else(gone)?;
        Ok(Box::new(Cursor::new(upload.bytes.clone())))
    }

    fn finish(&self, upload: &str, sha256: Sha256) -> io::Result<()> {
        let mut files = self.alive()?;
        let upload = files.uploads.remove(upload).ok_or_else(gone)?;
        files.whole.insert(sha256, Arc::new(upload.bytes));
        Ok(())
    }

    fn discard(&self, upload: &str) -> io::Result<()> {
        self.alive()?.uploads.remove(upload);
        Ok(())
    }

    fn uploads(&self) -> io::Result<Vec<String>> {
        Ok(self.files().uploads.keys().cloned().collect())
    }

    fn has(&self, sha256: Sha256) -> io::Result<bool> {
        Ok(self.files().whole.contains_key(&sha256))
    }

    fn remove(&self, sha256: Sha256) -> io::Result<()> {
        self.alive()?.whole.remove(&sha256);
        Ok(())
    }

    fn file(&self, _: Sha256) -> Option<PathBuf> {
        None
    }

    fn open(&self, sha256: Sha256) -> io::Result<Option<Bytes>> {
        let content = self.files().whole.get(&sha256).cloned();
        Ok(content.map(|content| Box::new(Cursor::new(content.as_ref().clone())) as Bytes))
    }
}
