//! Attachments: the seam to where their bytes are, and tus 1.0 above it.

mod checksum;
mod folder;
mod given;
mod memory;
mod upload;

use gridwalk_domain::Sha256;
use gridwalk_store::StoreError;
use std::io;
use std::path::PathBuf;

pub(crate) use checksum::{ALGORITHMS, Checksum};
pub use folder::FolderBlobs;
pub use given::Given;
pub(crate) use given::{find_again, keep_given};
pub use memory::MemoryBlobs;
pub(crate) use upload::{Patch, Standing, note_sender, remove_unkept};

/// What a store says where attachments fail.
pub(crate) fn failed(why: io::Error) -> StoreError {
    StoreError::Failed(format!("an attachment: {why}"))
}

/// What can be read from any place on.
pub trait Content: io::Read + io::Seek + Send {}

impl<T: io::Read + io::Seek + Send> Content for T {}

/// The bytes of an attachment.
pub type Bytes = Box<dyn Content>;

/// Where attachments are.
///
/// An upload is written piece by piece under its id and becomes, by `finish`,
/// the content that its hash names. Two callers never write one upload at once.
///
/// # Errors
/// Every call: what the system says. After an error of `write` the upload holds
/// what the last `sync` covered, and perhaps more.
#[expect(clippy::missing_errors_doc, reason = "said once, above")]
pub trait Blobs: Send + Sync {
    /// Writes at `offset`; at 0 it begins the upload, behind it the upload must
    /// be there ([`io::ErrorKind::NotFound`]): what was discarded meanwhile does
    /// not come back. What lay behind `offset` is gone.
    fn write(&self, upload: &str, offset: u64, bytes: &[u8]) -> io::Result<()>;
    /// On return what was written survives a power cut.
    fn sync(&self, upload: &str) -> io::Result<()>;
    /// What was written.
    fn written(&self, upload: &str) -> io::Result<Bytes>;
    /// Makes what was written the content of `sha256`, durably. The caller has
    /// checked the hash.
    fn finish(&self, upload: &str, sha256: Sha256) -> io::Result<()>;
    /// Forgets an upload, there or not.
    fn discard(&self, upload: &str) -> io::Result<()>;
    /// The uploads that were begun.
    fn uploads(&self) -> io::Result<Vec<String>>;
    /// A content, where it is here.
    fn open(&self, sha256: Sha256) -> io::Result<Option<Bytes>>;
    /// Whether a content is here.
    fn has(&self, sha256: Sha256) -> io::Result<bool>;
    /// Forgets a content, there or not; gone for good on return.
    fn remove(&self, sha256: Sha256) -> io::Result<()>;
    /// The file that a content is in, where it is in one.
    fn file(&self, sha256: Sha256) -> Option<PathBuf>;
    /// Takes a content over from elsewhere, durably; nothing where it is here, or
    /// there is none to be taken over.
    fn adopt(&self, sha256: Sha256, from: &dyn Blobs) -> io::Result<()> {
        if self.has(sha256)? {
            return Ok(());
        }
        let Some(mut bytes) = from.open(sha256)? else {
            return Ok(());
        };
        let mut content = Vec::new();
        io::Read::read_to_end(&mut bytes, &mut content)?;
        let upload = format!("adopted-{sha256}");
        self.write(&upload, 0, &content)?;
        self.sync(&upload)?;
        self.finish(&upload, sha256)
    }
}
