//! Attachments: put to records, given back, fetched.

use gridwalk_domain::{EntityId, Intent, Sha256, kind};
use gridwalk_media::Kind;
use std::io::Write;

use super::amend::amendable;
use super::incident::near;
use super::{Engine, NewAttachment, NewPhoto};
use crate::Transport;
use crate::attachments::{self, Stored, Thumbs};
use crate::error::{EngineError, Inner, Result};
use crate::fetched;
use crate::gate::Gate;
use crate::sync::{self, FetchOptions, Fetched};
use crate::view::Place;

/// # Errors
/// As for all changes of a record: `NotEnrolled`, `NoShift`, `NotFound`,
/// `OutOfScope`, `Invalid`, `DiskFull`, `Storage`; and `NotTaken`, where a file
/// cannot be attached: then none of them is.
#[expect(clippy::missing_errors_doc, reason = "said once, above")]
impl Engine {
    /// Adds photos to a record. They are durable when it returns.
    pub fn attach(&self, record: EntityId, photos: &[NewPhoto]) -> Result<()> {
        let photos = photos.iter().cloned().map(Into::into).collect();
        self.attach_all(record, photos).map(drop)
    }

    /// Adds photos, recordings, films and documents to a record, each to the
    /// list that its kind has for such. They are durable when it returns, and
    /// are named by what it gives.
    pub fn attach_all(&self, record: EntityId, new: Vec<NewAttachment>) -> Result<Vec<Sha256>> {
        let here = self.where_now(record)?;
        let kept = self.keep(new, here)?;
        self.amend(record, |tx, pen, shown| {
            kept.ensure()?;
            for one in kept.iter() {
                let list = list_for(&shown.kind, one.kind())?.to_owned();
                let value = one.reference();
                pen.amend(tx, shown, Intent::Append { list, value })?;
                attachments::refer(tx, pen.me.account, record, one, pen.at.wall_ms)?;
            }
            Ok(())
        })?;
        Ok(kept.iter().map(|one| one.sha256).collect())
    }

    /// Whether a record may be changed, and where the patrol is now.
    fn where_now(&self, record: EntityId) -> Result<Option<Place>> {
        let now_ms = self.shared.now().wall_ms;
        self.shared.with(|core| {
            let entity = amendable(core, record)?;
            let gate = Gate::new(core.me()?, core.synced.as_ref());
            let may = gate.rights().may_append(&entity);
            may.map_err(EngineError::from)?;
            Ok(near(core, now_ms))
        })
    }

    /// Looks at attachments and stores them, without the lock.
    pub(super) fn keep(&self, new: Vec<NewAttachment>, here: Option<Place>) -> Result<Stored<'_>> {
        attachments::keep(&self.shared, new, here, Thumbs::Made)
    }
}

/// The list of a kind of record into which an attachment goes.
fn list_for(record: &str, what: Kind) -> Inner<&'static str> {
    const PHOTOS: &[&str] = &["photos", "media", "files"];
    const OTHERS: &[&str] = &["media", "files"];
    let names = match what {
        Kind::Photo | Kind::Signature => PHOTOS,
        Kind::Audio | Kind::Video | Kind::File => OTHERS,
    };
    let lists = kind::find(record).map_or(&[][..], |kind| kind.lists);
    let found = names
        .iter()
        .find(|name| lists.iter().any(|(list, _)| list == *name));
    let none = || EngineError::Invalid {
        field: "attachment".to_owned(),
        why: format!("a record of the kind {record} has no place for one of the kind {what}"),
    };
    Ok(*found.ok_or_else(none)?)
}

impl Engine {
    /// An attachment that is on this phone, as it leaves it or as it came.
    ///
    /// # Errors
    /// `NotFound`: fetch it first; `Storage` where its bytes do not match its
    /// hash any more.
    pub fn photo(&self, sha256: Sha256) -> Result<Vec<u8>> {
        let len = self.here(sha256)?;
        Ok(self.shared.vault.get(sha256, len)?)
    }

    /// The same for what is large: written piece by piece. Only when it
    /// returns well are the bytes right. Gives how many they are.
    ///
    /// # Errors
    /// As [`Self::photo`], and `Storage` where `out` takes no more.
    pub fn copy_attachment(&self, sha256: Sha256, out: &mut dyn Write) -> Result<u64> {
        let len = self.here(sha256)?;
        let vault = &self.shared.vault;
        vault.copy(sha256, len, &mut |piece| Ok(out.write_all(piece)?))?;
        Ok(len as u64)
    }

    /// How long an attachment is that is on this phone.
    fn here(&self, sha256: Sha256) -> Result<usize> {
        let size = self.shared.with(|core| {
            let own = attachments::size(&core.conn, core.account(), sha256)?;
            match own {
                Some(size) => Ok(Some(size)),
                None => fetched::look(core, sha256),
            }
        })?;
        let size = size.and_then(|size| usize::try_from(size).ok());
        size.ok_or(EngineError::NotFound)
    }

    /// Fetches an attachment that a record on this phone shows: its thumbnail
    /// first, then itself, where network and policy allow it or a person asked.
    /// It goes on where an earlier fetch was cut, is held to its hash, and then
    /// lies in a cache of which the oldest goes first; what this phone itself
    /// sends or keeps is no part of that.
    ///
    /// It blocks, and may run beside a sync; one at a time.
    ///
    /// # Errors
    /// `NotFound` where no record here shows it or the server has it not (yet);
    /// `NotEnrolled`, `SignedOut`, `RetryLater`, `Cancelled`, `ServerError`,
    /// `BadAnswer`, `DiskFull`, and what the network gives. What came until then
    /// stays, for the next time.
    pub fn fetch(
        &self,
        transport: &dyn Transport,
        sha256: Sha256,
        options: &FetchOptions,
    ) -> Result<Fetched> {
        sync::fetch(&self.shared, transport, sha256, options)
    }
}
