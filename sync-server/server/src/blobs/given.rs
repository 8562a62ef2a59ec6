//! Photos that somebody gives with an act: the proof of a step that no phone took.

use gridwalk_domain::{Sha256, Sort, TenantId};
use gridwalk_media::{NotTaken, clean};
use gridwalk_store::{BlobRow, Purged, StoreError, Write};
use serde_json::{Value, json};
use std::collections::BTreeSet;

use super::failed;
use super::upload::{Look, check_purged};
use crate::error::{Error, Fault};
use crate::service::{Service, Tools};

/// A photo that is given with an act.
pub struct Given {
    reference: Value,
    contents: Vec<Content>,
}

/// Bytes to be stored: the photo, its thumbnail.
struct Content {
    sha256: Sha256,
    bytes: Vec<u8>,
    mime: &'static str,
}

impl Content {
    fn new(bytes: Vec<u8>, mime: &'static str) -> Self {
        Self {
            sha256: Sha256::of(&bytes),
            bytes,
            mime,
        }
    }

    fn reference(&self) -> Value {
        json!({"sha256": self.sha256, "mime": self.mime, "bytes": self.bytes.len()})
    }
}

impl Given {
    /// Looks at a photo and takes out of it what a phone would, with the same
    /// limits.
    ///
    /// # Errors
    /// Why it is not taken.
    pub fn photo(bytes: Vec<u8>) -> Result<Self, NotTaken> {
        let taken = clean(bytes)?;
        if taken.kind != Sort::Photo {
            let (found, wanted) = (taken.kind, Sort::Photo);
            return Err(NotTaken::WrongKind { found, wanted });
        }
        let photo = Content::new(taken.bytes, taken.mime);
        let mut reference = photo.reference();
        let mut contents = vec![photo];
        if let Some(thumb) = taken.thumb {
            let thumb = Content::new(thumb, "image/jpeg");
            reference["thumb"] = thumb.reference();
            contents.push(thumb);
        }
        Ok(Self {
            reference,
            contents,
        })
    }

    /// What a record says of it.
    #[must_use]
    pub const fn reference(&self) -> &Value {
        &self.reference
    }
}

impl Service {
    /// Puts bytes where attachments are, durably, by the way of an upload. The rows
    /// that tell of them are still to be committed: [`keep_given`].
    pub(crate) fn put_given(&self, given: &[Given]) -> Result<Vec<BlobRow>, Error> {
        let blobs = &self.tools.blobs;
        let mut rows = Vec::new();
        for content in given.iter().flat_map(|given| &given.contents) {
            if !blobs.has(content.sha256)? {
                let upload = hex::encode(self.tools.rng.bytes::<16>());
                // No row tells of it: it would be discarded.
                let _guard = self.guard_upload(&upload);
                blobs.write(&upload, 0, &content.bytes)?;
                blobs.sync(&upload)?;
                let written = Look::at(blobs.written(&upload)?)?;
                if written.sha256 != content.sha256 {
                    blobs.discard(&upload)?;
                    let text = "what was written is not what was given".to_owned();
                    return Err(StoreError::Failed(text).into());
                }
                blobs.finish(&upload, content.sha256)?;
            }
            rows.push(BlobRow {
                sha256: content.sha256,
                bytes: content.bytes.len() as u64,
                mime: content.mime.to_owned(),
                received_ms: self.now_ms(),
            });
        }
        Ok(rows)
    }
}

/// Takes given bytes into a district, in the commit of the act that shows them.
///
/// # Errors
/// 410 and 423 as for an upload; 503 where a purge took the bytes meanwhile.
pub(crate) fn keep_given(
    tx: &mut dyn Write,
    tools: &Tools,
    tenant: TenantId,
    rows: &[BlobRow],
) -> Result<(), Error> {
    for row in rows {
        check_purged(tx, tenant, row.sha256)?;
        if !tools.blobs.has(row.sha256)? {
            let text = "The photo was being purged elsewhere. Try again.";
            return Err(Fault::new(503, "busy", text).into());
        }
        if tx.blobs(tenant, &[row.sha256])?.is_empty() {
            tx.put_blob(tenant, row)?;
        }
    }
    Ok(())
}

/// Knows the attachments of an op of the journal again, whose rows a database that
/// went back in time lost, and whose bytes are here still. No phone sends them again.
pub(crate) fn find_again(
    tx: &mut dyn Write,
    tools: &Tools,
    tenant: TenantId,
    shown: &BTreeSet<Sha256>,
) -> Result<(), StoreError> {
    for sha256 in shown {
        let asked = [Purged::Blob(*sha256), Purged::Unshown(*sha256)];
        let known = !tx.blobs(tenant, &[*sha256])?.is_empty();
        if known || !tx.purged(tenant, &asked)?.is_empty() {
            continue;
        }
        let Some(bytes) = tools.blobs.open(*sha256).map_err(failed)? else {
            continue;
        };
        let look = Look::at(bytes).map_err(failed)?;
        if let (true, Ok(mime)) = (look.sha256 == *sha256, look.mime) {
            let row = BlobRow {
                sha256: *sha256,
                bytes: look.bytes,
                mime: mime.to_owned(),
                received_ms: tools.now_ms(),
            };
            tx.put_blob(tenant, &row)?;
        }
    }
    Ok(())
}
