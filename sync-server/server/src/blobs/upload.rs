//! tus 1.0, core and creation: resumable by the byte.
//!
//! An offset is told only after the bytes before it are on disk and the offset
//! itself is committed; what a crash left behind it is overwritten.

use gridwalk_domain::wire::{MAX_BLOB_BYTES, ReceiptOf};
use gridwalk_domain::{DeviceId, Sha256, TenantId};
use gridwalk_store::{BlobRow, DeviceRow, StoreError, UploadRow};
use sha2::Digest as _;
use std::collections::HashSet;
use std::io::Read as _;
use std::sync::{Arc, Mutex};

use crate::commits::lock;
use crate::error::{Error, Fault};
use crate::service::Service;
use crate::sync::add_receipts;

/// How many bytes of a PATCH may be lost by a crash of the server.
const SYNC_EVERY: u64 = 8 * 1024 * 1024;
/// The first bytes of a file, by which its type is told.
const SNIFFED: usize = 8 * 1024;

/// Held while an upload is written: one PATCH at a time.
pub(crate) struct UploadGuard {
    uploading: Arc<Mutex<HashSet<String>>>,
    id: String,
}

impl Drop for UploadGuard {
    fn drop(&mut self) {
        lock(&self.uploading).remove(&self.id);
    }
}

/// A PATCH under way.
pub(crate) struct Patch {
    upload: UploadRow,
    /// What is written, synced or not.
    end: u64,
    service: Arc<Service>,
    _guard: UploadGuard,
}

fn gone() -> Fault {
    Fault::new(
        404,
        "not_found",
        "There is no such upload. Create it again.",
    )
}

impl Service {
    /// Takes the right to write an upload; none while another has it.
    pub(crate) fn guard_upload(&self, id: &str) -> Option<UploadGuard> {
        let free = lock(&self.uploading).insert(id.to_owned());
        free.then(|| UploadGuard {
            uploading: Arc::clone(&self.uploading),
            id: id.to_owned(),
        })
    }

    /// Begins an upload, or finds the one that was begun. Where the district
    /// has the content already, the offset is the length.
    ///
    /// # Errors
    /// 400 for an empty one, 413 for one above [`MAX_BLOB_BYTES`].
    pub fn create_upload(
        &self,
        device: &DeviceRow,
        sha256: Sha256,
        length: u64,
    ) -> Result<UploadRow, Error> {
        if length == 0 {
            return Err(Fault::bad_request("Upload-Length: an attachment is not empty").into());
        }
        if length > MAX_BLOB_BYTES {
            let text = format!("At most {MAX_BLOB_BYTES} bytes are taken.");
            return Err(Fault::new(413, "too_large", text).into());
        }
        let fresh = UploadRow {
            id: hex::encode(self.rng.bytes::<16>()),
            tenant: device.tenant,
            device: device.id,
            sha256,
            length,
            offset: 0,
            at_ms: self.now_ms(),
        };
        self.commit(move |tx| {
            if let Some(begun) = tx.upload_of(fresh.tenant, fresh.device, sha256)?
                && begun.length == length
            {
                return Ok(begun);
            }
            let mut upload = fresh.clone();
            if !tx.blobs(upload.tenant, &[sha256])?.is_empty() {
                upload.offset = length;
            }
            tx.put_upload(&upload)?;
            Ok(upload)
        })
    }

    /// Where an upload of this phone stands.
    ///
    /// # Errors
    /// 404 where there is none.
    pub fn upload(&self, device: &DeviceRow, id: &str) -> Result<UploadRow, Error> {
        let upload = self.read(|tx| Ok(tx.upload(id)?))?;
        let theirs = |row: &UploadRow| row.tenant == device.tenant && row.device == device.id;
        Ok(upload.filter(theirs).ok_or_else(gone)?)
    }

    /// Begins to go on with an upload at `offset`.
    pub(crate) fn begin_patch(
        self: &Arc<Self>,
        device: &DeviceRow,
        id: &str,
        offset: u64,
    ) -> Result<Patch, Error> {
        let busy = || Fault::new(423, "locked", "This upload is being written. Try again.");
        let guard = self.guard_upload(id).ok_or_else(busy)?;
        let upload = self.upload(device, id)?;
        if upload.offset != offset || upload.offset == upload.length {
            let text = format!("The upload stands at {}.", upload.offset);
            return Err(Fault::new(409, "wrong_offset", text).into());
        }
        let service = Arc::clone(self);
        Ok(Patch {
            end: offset,
            upload,
            service,
            _guard: guard,
        })
    }
}

impl Patch {
    /// Writes a piece.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let length = bytes.len() as u64;
        if length > self.upload.length - self.end {
            return Err(Fault::bad_request("more bytes than Upload-Length said").into());
        }
        self.service.blobs.write(&self.upload.id, self.end, bytes)?;
        self.end += length;
        if self.end - self.upload.offset >= SYNC_EVERY && self.end < self.upload.length {
            self.keep()?;
        }
        Ok(())
    }

    /// Makes what is written durable, and the offset with it.
    fn keep(&mut self) -> Result<(), Error> {
        if self.end == self.upload.offset {
            return Ok(());
        }
        self.service.blobs.sync(&self.upload.id)?;
        self.upload.offset = self.end;
        self.upload.at_ms = self.service.now_ms();
        let row = self.upload.clone();
        self.service.commit(move |tx| Ok(tx.put_upload(&row)?))
    }

    /// Ends the PATCH, whole or cut: the offset up to which all is durable.
    ///
    /// # Errors
    /// 460 where all bytes are there and have another hash; the upload is gone.
    pub(crate) fn end(mut self) -> Result<u64, Error> {
        if self.end < self.upload.length {
            self.keep()?;
            return Ok(self.end);
        }
        let service = Arc::clone(&self.service);
        service.blobs.sync(&self.upload.id)?;
        let (hash, mime) = service.inspect(&self.upload.id)?;
        let upload = self.upload.clone();
        if hash != upload.sha256 {
            service.blobs.discard(&upload.id)?;
            service.commit(move |tx| Ok(tx.drop_upload(&upload.id)?))?;
            let text = "The content does not have the hash it was announced with. Send it again.";
            return Err(Fault::new(460, "hash_mismatch", text).into());
        }
        service.blobs.finish(&upload.id, hash)?;
        let row = BlobRow {
            sha256: hash,
            bytes: upload.length,
            mime,
            received_ms: service.now_ms(),
        };
        service.keep_blob(upload.tenant, upload.device, upload, row)?;
        Ok(self.end)
    }
}

impl Service {
    fn keep_blob(
        &self,
        tenant: TenantId,
        device: DeviceId,
        upload: UploadRow,
        row: BlobRow,
    ) -> Result<(), Error> {
        let rng = Arc::clone(&self.rng);
        self.commit(move |tx| {
            tx.put_blob(tenant, &row)?;
            // It stays until it is stale, so that a HEAD after a lost answer
            // hears that it is whole.
            tx.put_upload(&UploadRow {
                offset: upload.length,
                ..upload.clone()
            })?;
            let receipt = ReceiptOf::Blob {
                sha256: row.sha256,
                purged: false,
            };
            Ok(add_receipts(tx, &*rng, tenant, device, vec![receipt])?)
        })
    }

    /// The hash of what was written, and its type as its first bytes tell.
    fn inspect(&self, upload: &str) -> Result<(Sha256, String), Error> {
        let mut bytes = self.blobs.written(upload)?;
        let mut hash = sha2::Sha256::new();
        let mut head = Vec::with_capacity(SNIFFED);
        let mut piece = vec![0; 64 * 1024];
        loop {
            let length = bytes.read(&mut piece)?;
            if length == 0 {
                break;
            }
            let piece = &piece[..length];
            hash.update(piece);
            head.extend_from_slice(&piece[..length.min(SNIFFED - head.len())]);
        }
        Ok((Sha256(hash.finalize().into()), sniff(&head).to_owned()))
    }

    /// An attachment's bytes.
    ///
    /// # Errors
    /// Where it is gone although the store knows it, or cannot be read.
    pub(crate) fn blob_bytes(&self, sha256: Sha256) -> Result<crate::blobs::Bytes, Error> {
        let lost = || StoreError::Damaged("an attachment is not in its folder".into());
        Ok(self.blobs.open(sha256)?.ok_or_else(lost)?)
    }
}

/// The type that the bytes themselves tell; what a phone says is not believed.
fn sniff(head: &[u8]) -> &'static str {
    infer::get(head).map_or("application/octet-stream", |kind| kind.mime_type())
}

#[cfg(test)]
mod tests {
    use super::sniff;

    #[test]
    fn files_are_sniffed_not_believed() {
        assert_eq!(sniff(b"\xff\xd8\xff\xe0\0\x10JFIF"), "image/jpeg");
        assert_eq!(sniff(b"\x89PNG\r\n\x1a\n"), "image/png");
        for strange in [&b""[..], b"plain text", b"<svg onload=alert(1)>"] {
            let mime = sniff(strange);
            assert!(!mime.starts_with("image/"), "{mime}");
        }
    }
}
