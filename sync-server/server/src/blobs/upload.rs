//! tus 1.0: resumable by the byte.
//!
//! An offset is told only after the bytes before it are on disk and the offset
//! itself is committed; what a crash left behind it is overwritten.

use gridwalk_domain::wire::{Cursor, MAX_BLOB_BYTES, ReceiptOf};
use gridwalk_domain::{Sha256, Sort, TenantId};
use gridwalk_media::{NotTaken, check_picture, check_size};
use gridwalk_store::{BlobRow, Purged, Read, StoreError, UploadRow, Write, write};
use std::collections::HashSet;
use std::io::{self, BufRead, BufReader, Seek};
use std::sync::{Arc, Mutex};

use super::{Bytes, Checksum, failed};
use crate::commits::lock;
use crate::error::{Error, Fault};
use crate::hash::hash_of;
use crate::service::{Service, Tools};
use crate::sync::{Phone, add_receipts, check_receipt, last_receipt};

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
    phone: Phone,
    upload: UploadRow,
    /// What is written, synced or not.
    end: u64,
    /// Until it was held to it, no byte of a body that has one is kept.
    checksum: Option<Checksum>,
    service: Arc<Service>,
    _guard: UploadGuard,
}

/// Where an upload stands, and the phone's receipt where it is whole now.
pub(crate) struct Standing {
    pub(crate) upload: UploadRow,
    pub(crate) receipt: Option<Cursor>,
}

fn purged() -> Fault {
    Fault::new(410, "purged", "This attachment was purged. Erase it.")
}

/// Whether this content is taken at all.
///
/// # Errors
/// 410 where it was purged by itself, 423 where it went with the last record that
/// showed it, and no other one shows it yet.
pub(super) fn check_purged(tx: &dyn Read, tenant: TenantId, sha256: Sha256) -> Result<(), Error> {
    let asked = [Purged::Blob(sha256), Purged::Unshown(sha256)];
    let found = tx.purged(tenant, &asked)?;
    if found.contains(&asked[0]) {
        return Err(purged().into());
    }
    if !found.is_empty() && tx.holders(tenant, sha256)?.is_empty() {
        let text = "The record that showed it was purged. Send it after another one that shows it.";
        return Err(Fault::new(423, "unshown", text).into());
    }
    Ok(())
}

/// Notes that a phone sent this content; its receipt, where that is news.
pub(crate) fn note_sender(
    tx: &mut dyn Write,
    tools: &Tools,
    phone: &Phone,
    sha256: Sha256,
) -> Result<Option<Cursor>, StoreError> {
    let tenant = phone.tenant;
    if tx.blob_senders(tenant, sha256)?.contains(&phone.id) {
        return Ok(None);
    }
    tx.add_blob_sender(tenant, sha256, phone.id)?;
    let purged = false;
    let of = vec![ReceiptOf::Blob { sha256, purged }];
    add_receipts(tx, &*tools.rng, tenant, phone.id, of)
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
    /// 400 for an empty one, 413 for one above [`MAX_BLOB_BYTES`], 410 for one
    /// that was purged.
    pub(crate) fn create_upload(
        &self,
        phone: &Phone,
        sha256: Sha256,
        length: u64,
    ) -> Result<Standing, Error> {
        if length == 0 {
            return Err(Fault::bad_request("Upload-Length: an attachment is not empty").into());
        }
        if length > MAX_BLOB_BYTES {
            let text = format!("At most {MAX_BLOB_BYTES} bytes are taken.");
            return Err(Fault::new(413, "too_large", text).into());
        }
        let fresh = UploadRow {
            id: hex::encode(self.tools.rng.bytes::<16>()),
            tenant: phone.tenant,
            device: phone.id,
            sha256,
            length,
            offset: 0,
            at_ms: self.now_ms(),
        };
        self.on_this_line(phone, || {
            let (phone, fresh) = (phone.clone(), fresh.clone());
            self.commit_with(move |tx, tools| {
                check_receipt(tx, &phone, phone.seen)?;
                check_purged(tx, phone.tenant, sha256)?;
                let begun = tx.upload_of(fresh.tenant, fresh.device, sha256)?;
                let begun = begun.filter(|begun| begun.length == length);
                let mut upload = begun.unwrap_or_else(|| fresh.clone());
                // A row whose bytes were lost does not count.
                let here = !tx.blobs(upload.tenant, &[sha256])?.is_empty()
                    && tools.blobs.has(sha256).map_err(Error::from)?;
                let mut receipt = None;
                if here {
                    upload.offset = length;
                    receipt = note_sender(tx, tools, &phone, sha256)?;
                } else if upload.offset == length {
                    upload = fresh.clone();
                }
                tx.put_upload(&upload)?;
                if here && receipt.is_none() {
                    receipt = last_receipt(tx, phone.tenant, phone.id)?;
                }
                Ok(Standing { upload, receipt })
            })
        })
    }

    /// Where an upload of this phone stands.
    ///
    /// # Errors
    /// 404 where there is none.
    pub(crate) fn upload(&self, phone: &Phone, id: &str) -> Result<UploadRow, Error> {
        let upload = self.read(|tx| Ok(tx.upload(id)?))?;
        let theirs = |row: &UploadRow| row.tenant == phone.tenant && row.device == phone.id;
        Ok(upload.filter(theirs).ok_or_else(gone)?)
    }

    /// The same, with the phone's receipt where it is whole: the answer that said so
    /// was lost, and what a phone counts as sent it must be able to miss.
    pub(crate) fn upload_standing(&self, phone: &Phone, id: &str) -> Result<Standing, Error> {
        self.standing(phone, self.upload(phone, id)?)
    }

    fn standing(&self, phone: &Phone, upload: UploadRow) -> Result<Standing, Error> {
        let (tenant, device) = (phone.tenant, phone.id);
        let receipt = if upload.offset == upload.length {
            self.read(|tx| Ok(last_receipt(tx, tenant, device)?))?
        } else {
            None
        };
        Ok(Standing { upload, receipt })
    }

    /// Begins to go on with an upload at `offset`, with bytes that have this
    /// checksum.
    pub(crate) fn begin_patch(
        self: &Arc<Self>,
        phone: &Phone,
        id: &str,
        offset: u64,
        checksum: Option<Checksum>,
    ) -> Result<Patch, Error> {
        let busy = || Fault::new(423, "locked", "This upload is being written. Try again.");
        let guard = self.guard_upload(id).ok_or_else(busy)?;
        let upload = self.upload(phone, id)?;
        if upload.offset != offset {
            let text = format!("The upload stands at {}.", upload.offset);
            return Err(Fault::new(409, "wrong_offset", text).into());
        }
        let service = Arc::clone(self);
        Ok(Patch {
            phone: phone.clone(),
            end: offset,
            checksum,
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
        if bytes.is_empty() {
            // Nothing may be there to be written to: the content came elsewhere.
            return Ok(());
        }
        let blobs = &self.service.tools.blobs;
        match blobs.write(&self.upload.id, self.end, bytes) {
            // A purge, or a restore, took away what was there.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.give_up()?;
                return Err(gone().into());
            }
            written => written?,
        }
        self.end += length;
        if let Some(checksum) = &mut self.checksum {
            checksum.add(bytes);
        } else if self.end - self.upload.offset >= SYNC_EVERY && self.end < self.upload.length {
            self.keep()?;
        }
        Ok(())
    }

    /// Makes what is written durable, and the offset with it.
    fn keep(&mut self) -> Result<(), Error> {
        if self.end == self.upload.offset {
            return Ok(());
        }
        self.service.tools.blobs.sync(&self.upload.id)?;
        self.upload.offset = self.end;
        self.upload.at_ms = self.service.now_ms();
        let row = self.upload.clone();
        let kept = self.service.commit(move |tx| {
            // A purge may have forgotten it.
            tx.upload(&row.id)?.ok_or_else(gone)?;
            Ok(tx.put_upload(&row)?)
        });
        if let Err(Error::Fault(_)) = &kept {
            // This piece may have come after the purge removed the others.
            self.service.tools.blobs.discard(&self.upload.id)?;
        }
        kept
    }

    /// Ends the PATCH, its body whole or cut: the offset up to which all is
    /// durable, and the phone's receipt where the upload is whole.
    ///
    /// # Errors
    /// 460 where the body has another checksum: the upload stands where it stood.
    /// 460 where all bytes are there and have another hash, 410 where it was
    /// purged meanwhile, 413 or 422 where they are nothing that is taken; the
    /// upload is gone.
    pub(crate) fn end(mut self, whole: bool) -> Result<Standing, Error> {
        match self.checksum.take() {
            // Nobody can tell of a part whether it is right.
            Some(_) if !whole => return Ok(self.standing(None)),
            Some(checksum) => checksum.check()?,
            None => {}
        }
        if self.end < self.upload.length {
            self.keep()?;
            return Ok(self.standing(None));
        }
        if self.upload.offset == self.upload.length {
            // Whole already: some clients ask so where there is nothing to send.
            return self.service.standing(&self.phone, self.upload);
        }
        let service = Arc::clone(&self.service);
        service.tools.blobs.sync(&self.upload.id)?;
        let Look {
            sha256: hash, mime, ..
        } = Look::at(service.tools.blobs.written(&self.upload.id)?)?;
        if hash != self.upload.sha256 {
            self.give_up()?;
            return Err(mismatch().into());
        }
        let mime = match mime {
            Ok(mime) => mime.to_owned(),
            Err(fault) => {
                self.give_up()?;
                return Err(fault.into());
            }
        };
        service.tools.blobs.finish(&self.upload.id, hash)?;
        let row = BlobRow {
            sha256: hash,
            bytes: self.upload.length,
            mime,
            received_ms: service.now_ms(),
        };
        match service.keep_blob(&self.phone, &self.upload, &row) {
            Err(Error::Fault(fault)) => {
                // A purge was here since the upload was begun.
                remove_unkept(&service.tools, hash)?;
                self.give_up()?;
                Err(fault.into())
            }
            kept => {
                let receipt = kept?;
                self.upload.offset = self.end;
                Ok(self.standing(receipt))
            }
        }
    }

    fn standing(self, receipt: Option<Cursor>) -> Standing {
        let upload = self.upload;
        Standing { upload, receipt }
    }

    /// Forgets the upload.
    fn give_up(&self) -> Result<(), Error> {
        self.service.tools.blobs.discard(&self.upload.id)?;
        let id = self.upload.id.clone();
        self.service.commit(move |tx| Ok(tx.drop_upload(&id)?))
    }
}

/// Whether any district has this content: its bytes are stored once.
fn is_kept(tx: &dyn Read, sha256: Sha256) -> Result<bool, StoreError> {
    for tenant in tx.tenants()? {
        if !tx.blobs(tenant.id, &[sha256])?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Removes the bytes of a content that no row tells of, while nobody else can
/// write such a row.
pub(crate) fn remove_unkept(tools: &Tools, sha256: Sha256) -> Result<(), StoreError> {
    write(&*tools.store, |tx| {
        if is_kept(tx, sha256)? {
            return Ok(());
        }
        let removed = tools.blobs.remove(sha256);
        removed.map_err(failed)
    })
}

fn mismatch() -> Fault {
    let text = "The content does not have the hash it was announced with. Send it again.";
    Fault::new(460, "hash_mismatch", text)
}

impl Service {
    fn keep_blob(
        &self,
        phone: &Phone,
        upload: &UploadRow,
        row: &BlobRow,
    ) -> Result<Option<Cursor>, Error> {
        let (phone, upload, row) = (phone.clone(), upload.clone(), row.clone());
        self.commit_with(move |tx, tools| {
            check_purged(tx, phone.tenant, row.sha256)?;
            if tx.upload(&upload.id)?.is_none() {
                return Err(gone().into());
            }
            // A purge may have removed the same content between the two. No other
            // one can from here on: it removes bytes in a write of its own.
            if !tools.blobs.has(row.sha256)? {
                return Err(mismatch().into());
            }
            tx.put_blob(phone.tenant, &row)?;
            // It stays until it is stale, so that a HEAD after a lost answer
            // hears that it is whole.
            tx.put_upload(&UploadRow {
                offset: upload.length,
                ..upload.clone()
            })?;
            note_sender(tx, tools, &phone, row.sha256)?;
            Ok(last_receipt(tx, phone.tenant, phone.id)?)
        })
    }

    /// An attachment's bytes.
    ///
    /// # Errors
    /// Where it is gone although the store knows it, or cannot be read.
    pub(crate) fn blob_bytes(&self, sha256: Sha256) -> Result<Bytes, Error> {
        let lost = || StoreError::Damaged("an attachment is not in its folder".into());
        Ok(self.tools.blobs.open(sha256)?.ok_or_else(lost)?)
    }
}

/// What bytes are, as they themselves tell.
pub(super) struct Look {
    pub(super) sha256: Sha256,
    pub(super) bytes: u64,
    /// Their type, or why they are not taken.
    pub(super) mime: Result<&'static str, Fault>,
}

impl Look {
    pub(super) fn at(mut content: Bytes) -> io::Result<Self> {
        let mut head = Vec::with_capacity(SNIFFED);
        let (sha256, bytes) = hash_of(&mut content, |piece| {
            head.extend_from_slice(&piece[..piece.len().min(SNIFFED - head.len())]);
        })?;
        content.rewind()?;
        Ok(Self {
            sha256,
            bytes,
            mime: file_type(&head, bytes, BufReader::new(content)),
        })
    }
}

/// What is not looked into: it is stored and given back, and shown by nothing.
const BYTES: &str = "application/octet-stream";

/// The type that the bytes themselves tell; what a phone says is not believed.
/// Pictures of a type that no phone takes, or that cannot be read as one, are
/// shown by nothing.
///
/// # Errors
/// 413 for what is larger than such a file may be, 422 for a picture with more
/// pixels than may be unpacked: no phone takes either.
fn file_type(head: &[u8], bytes: u64, content: impl BufRead + Seek) -> Result<&'static str, Fault> {
    if let Some(taken) = gridwalk_media::sniff(head) {
        let refused = |status, code| {
            move |why: NotTaken| {
                let text = format!("This attachment is not taken: {why}.");
                Fault::new(status, code, text)
            }
        };
        check_size(taken.largest(), bytes).map_err(refused(413, "too_large"))?;
        if taken.kind() == Some(Sort::Photo) {
            match check_picture(content, taken) {
                Err(why @ NotTaken::TooManyPixels { .. }) => {
                    return Err(refused(422, "too_many_pixels")(why));
                }
                Err(_) => return Ok(BYTES),
                Ok(()) => {}
            }
        }
    }
    let told = infer::get(head).map_or(BYTES, |kind| kind.mime_type());
    let unknown = told.starts_with("image/") && !Sort::Photo.types().contains(&told);
    Ok(if unknown { BYTES } else { told })
}

#[cfg(test)]
mod tests {
    use super::{BYTES, file_type};
    use std::io::Cursor;

    /// The head of a JPEG: what comes before the picture.
    fn jpeg(width: u16, height: u16) -> Vec<u8> {
        let mut head = b"\xff\xd8\xff\xc0\0\x0b\x08".to_vec();
        head.extend(height.to_be_bytes());
        head.extend(width.to_be_bytes());
        head.extend(b"\x01\x01\x11\0");
        head
    }

    fn told(bytes: &[u8]) -> Result<&'static str, (u16, String)> {
        let told = file_type(bytes, bytes.len() as u64, Cursor::new(bytes));
        told.map_err(|fault| (fault.status, fault.code.into_owned()))
    }

    #[test]
    fn files_are_sniffed_not_believed() {
        assert_eq!(told(&jpeg(640, 480)), Ok("image/jpeg"));
        assert_eq!(told(b"%PDF-1.7\n"), Ok("application/pdf"));
        let strange = [&b""[..], b"plain text", b"<svg onload=alert(1)>"];
        let no_photo = [&b"GIF89a\x01\0\x01\0"[..], b"BM\x1e\0\0\0"];
        let broken = [&b"\xff\xd8\xff\xe0\0\x10JFIF"[..], b"\x89PNG\r\n\x1a\n"];
        for bytes in strange.iter().chain(&no_photo).chain(&broken) {
            assert_eq!(told(bytes), Ok(BYTES), "{bytes:?}");
        }
    }

    #[test]
    fn what_would_unpack_without_end_is_not_taken() {
        let refused = (422, "too_many_pixels".to_owned());
        assert_eq!(told(&jpeg(50_000, 50_000)), Err(refused));
        let head = jpeg(640, 480);
        let fault = file_type(&head, 20_000_001, Cursor::new(&head)).expect_err("too large");
        assert_eq!((fault.status, &*fault.code), (413, "too_large"));
    }
}
