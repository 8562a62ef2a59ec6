//! What is given to be attached, and how it gets into the vault.
//!
//! Everything is looked at before anything is stored. A film is read twice and
//! never held: once for what is to be written over in it, once into the vault.

use gridwalk_domain::{EntityId, Sha256};
use gridwalk_media::{Film, HEAD, Kind, NotTaken, Type, check_size, clean, film, sniff, thumbnail};
use rusqlite::{Transaction, params};
use serde_json::{Value, json};
use std::fs::File;
use std::io::{self, Read, Seek as _};
use std::ops::Deref;
use std::path::{Path, PathBuf};

use super::Vault;
use crate::core::Shared;
use crate::engine::place_value;
use crate::error::{EngineError, Inner, Result};
use crate::view::Place;

/// A photo as the camera gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPhoto {
    /// Its bytes: JPEG, PNG or WebP.
    pub bytes: Vec<u8>,
    /// What the shell believes it to be. The engine reads the type from the
    /// bytes and goes by that.
    pub mime: String,
}

/// Where the bytes of a new attachment are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// In memory.
    Bytes(Vec<u8>),
    /// In a file, which is read while the call runs and left as it is. The only
    /// way for a film: it is never held in memory.
    File(PathBuf),
}

/// Something to be attached to a record: a photo, a recording, a film, a
/// document.
#[derive(Clone, Debug, PartialEq)]
pub struct NewAttachment {
    /// Its bytes. What it is is read from them; its name is not believed.
    pub content: Content,
    /// What it must be, where that matters.
    pub wanted: Option<Kind>,
    /// A picture out of a film, for its thumbnail. Photos need none.
    pub poster: Option<Vec<u8>>,
    /// The name of the file, or of who signed: one line.
    pub name: Option<String>,
    /// When it was taken, in milliseconds since 1970, where that was not now.
    pub taken_ms: Option<i64>,
    /// Where it was taken. Where neither this nor a time is said of a photo, a
    /// recording or a film that is added to a record, it is where the running
    /// patrol is now.
    pub place: Option<Place>,
}

impl NewAttachment {
    /// With these contents, and nothing else said.
    #[must_use]
    pub const fn new(content: Content) -> Self {
        Self {
            content,
            wanted: None,
            poster: None,
            name: None,
            taken_ms: None,
            place: None,
        }
    }

    /// A signature by somebody: a picture.
    #[must_use]
    pub fn signature(bytes: Vec<u8>, name: String) -> Self {
        Self {
            wanted: Some(Kind::Signature),
            name: Some(name),
            ..Self::new(Content::Bytes(bytes))
        }
    }
}

impl From<NewPhoto> for NewAttachment {
    fn from(photo: NewPhoto) -> Self {
        Self {
            wanted: Some(Kind::Photo),
            ..Self::new(Content::Bytes(photo.bytes))
        }
    }
}

/// Something that may leave the phone as it is, or as it is read.
struct Ready {
    what: What,
    kind: Kind,
    mime: &'static str,
    thumb: Option<Vec<u8>>,
}

enum What {
    Bytes(Vec<u8>),
    Film { path: PathBuf, film: Film },
}

/// An attachment in the vault.
pub(crate) struct Kept {
    ready: Ready,
    index: u32,
    pub(crate) sha256: Sha256,
    thumb: Option<Sha256>,
    /// What else is said of it: name, time, place.
    told: Vec<(&'static str, Value)>,
}

/// Attachments in the vault, while the save runs that they are for. When it is
/// over, those that it did not come to name are removed.
pub(crate) struct Stored<'a> {
    shared: &'a Shared,
    kept: Vec<Kept>,
}

impl Deref for Stored<'_> {
    type Target = [Kept];

    fn deref(&self) -> &[Kept] {
        &self.kept
    }
}

impl Drop for Stored<'_> {
    fn drop(&mut self) {
        if self.kept.is_empty() {
            return;
        }
        // What cannot be removed now is at the next opening.
        let contents = self.kept.iter().flat_map(Kept::contents);
        let _ = self.shared.discard(&contents.collect::<Vec<_>>());
    }
}

impl Stored<'_> {
    /// Makes sure, under the lock, that they are in place still.
    pub(crate) fn ensure(&self) -> Inner<()> {
        let mut kept = self.kept.iter();
        kept.try_for_each(|one| one.ensure(&self.shared.vault))
    }
}

/// Whether thumbnails are stored along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Thumbs {
    Made,
    /// When it is attached to a record: what is only kept shows none.
    Later,
}

/// Looks at everything, then stores it: all can be taken, or nothing is stored.
/// `here` is where the phone is, where that is to be said.
pub(crate) fn keep(
    shared: &Shared,
    new: Vec<NewAttachment>,
    here: Option<Place>,
    thumbs: Thumbs,
) -> Result<Stored<'_>> {
    let mut all = Vec::with_capacity(new.len());
    for (index, new) in (0..).zip(new) {
        let mut told = told(&new);
        let here = here.filter(|_| new.place.is_none() && new.taken_ms.is_none());
        let mut ready = ready(new).map_err(|why| EngineError::NotTaken { index, why })?;
        if thumbs == Thumbs::Later {
            ready.thumb = None;
        }
        if let Some(here) = here.filter(|_| ready.kind != Kind::File) {
            told.push(("place", place_value(here)));
        }
        all.push((index, ready, told));
    }
    let mut stored = Stored {
        shared,
        kept: Vec::with_capacity(all.len()),
    };
    for (index, ready, told) in all {
        let sha256 = ready.store(&shared.vault, index)?;
        stored.kept.push(Kept {
            thumb: None,
            ready,
            index,
            sha256,
            told,
        });
        if let Some(kept) = stored.kept.last_mut()
            && let Some(thumb) = &kept.ready.thumb
        {
            kept.thumb = Some(shared.vault.put(thumb)?);
        }
    }
    Ok(stored)
}

fn told(new: &NewAttachment) -> Vec<(&'static str, Value)> {
    let told = [
        ("name", new.name.as_ref().map(|name| json!(name))),
        ("taken_ms", new.taken_ms.map(|ms| json!(ms))),
        ("place", new.place.map(place_value)),
    ];
    let said = told.into_iter();
    said.filter_map(|(name, value)| Some((name, value?)))
        .collect()
}

fn ready(new: NewAttachment) -> std::result::Result<Ready, NotTaken> {
    let mut ready = match new.content {
        Content::Bytes(bytes) => of_bytes(bytes)?,
        Content::File(path) => of_file(path)?,
    };
    match new.wanted {
        Some(Kind::Signature) if ready.kind == Kind::Photo => {
            check_size(Kind::Signature, ready.bytes())?;
            ready.thumb = None;
        }
        Some(wanted) if wanted != ready.kind => {
            let found = ready.kind;
            return Err(NotTaken::WrongKind { found, wanted });
        }
        _ => {}
    }
    if let Some(poster) = new.poster.filter(|_| ready.kind == Kind::Video) {
        ready.thumb = Some(thumbnail(poster)?);
    }
    Ok(ready)
}

fn of_bytes(bytes: Vec<u8>) -> std::result::Result<Ready, NotTaken> {
    let clean = clean(bytes)?;
    Ok(Ready {
        what: What::Bytes(clean.bytes),
        kind: clean.kind,
        mime: clean.mime,
        thumb: clean.thumb,
    })
}

fn of_file(path: PathBuf) -> std::result::Result<Ready, NotTaken> {
    let mut file = open(&path)?;
    let length = file.metadata().map_err(unreadable)?.len();
    let mut head = Vec::with_capacity(HEAD);
    let mut start = file.by_ref().take(HEAD as u64);
    start.read_to_end(&mut head).map_err(unreadable)?;
    if head.is_empty() {
        return Err(NotTaken::Empty);
    }
    let found = sniff(&head).ok_or(NotTaken::UnknownType)?;
    check_size(found.largest(), length)?;
    if found == Type::Film {
        let film = film(&mut file)?;
        return Ok(Ready {
            kind: film.kind(),
            mime: film.mime(),
            thumb: None,
            what: What::Film { path, film },
        });
    }
    file.rewind().map_err(unreadable)?;
    let mut bytes = Vec::new();
    // It may be growing still.
    let mut all = file.take(found.largest().most_bytes() + 1);
    all.read_to_end(&mut bytes).map_err(unreadable)?;
    of_bytes(bytes)
}

fn open(path: &Path) -> std::result::Result<File, NotTaken> {
    File::open(path).map_err(unreadable)
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn unreadable(error: io::Error) -> NotTaken {
    NotTaken::Unreadable {
        why: error.kind().to_string(),
    }
}

impl Ready {
    fn bytes(&self) -> u64 {
        match &self.what {
            What::Bytes(bytes) => bytes.len() as u64,
            What::Film { film, .. } => film.length(),
        }
    }

    fn store(&self, vault: &Vault, index: u32) -> Inner<Sha256> {
        let not_taken = |why| EngineError::NotTaken { index, why };
        match &self.what {
            What::Bytes(bytes) => vault.put(bytes),
            What::Film { path, film } => {
                let mut leaving = film.leaving(open(path).map_err(not_taken)?);
                let length = usize::try_from(film.length());
                let length = length.map_err(|_| not_taken(NotTaken::Broken))?;
                vault.put_from(length, &mut |piece| {
                    let read = leaving.read_exact(piece);
                    Ok(read.map_err(|error| not_taken(unreadable(error)))?)
                })
            }
        }
    }
}

impl Kept {
    pub(crate) fn kind(&self) -> Kind {
        self.ready.kind
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.ready.bytes()
    }

    /// A reference to it, as records hold it.
    pub(crate) fn reference(&self) -> Value {
        let content = |sha256: Sha256, mime: &str, bytes: u64| json!({ "sha256": sha256, "mime": mime, "bytes": bytes });
        let mut reference = content(self.sha256, self.ready.mime, self.ready.bytes());
        if let Some((sha256, thumb)) = self.thumb() {
            reference["thumb"] = content(sha256, THUMB_MIME, thumb.len() as u64);
        }
        for (name, value) in &self.told {
            reference[*name] = value.clone();
        }
        reference
    }

    /// The contents that were stored.
    fn contents(&self) -> impl Iterator<Item = Sha256> {
        [Some(self.sha256), self.thumb].into_iter().flatten()
    }

    fn thumb(&self) -> Option<(Sha256, &[u8])> {
        self.thumb.zip(self.ready.thumb.as_deref())
    }

    /// Makes sure, under the lock, that what was stored before it is in place
    /// still: the same content may just have been removed with the last record
    /// that showed it.
    fn ensure(&self, vault: &Vault) -> Inner<()> {
        let length = usize::try_from(self.ready.bytes()).unwrap_or(usize::MAX);
        if !vault.holds(self.sha256, length)? {
            let again = self.ready.store(vault, self.index)?;
            if again != self.sha256 {
                let (index, why) = (self.index, NotTaken::Broken);
                return Err(EngineError::NotTaken { index, why }.into());
            }
        }
        if let Some((sha256, thumb)) = self.thumb()
            && !vault.holds(sha256, thumb.len())?
        {
            vault.put(thumb)?;
        }
        Ok(())
    }
}

/// A reference to a picture that is not stored yet, to ask the rules with.
pub(crate) fn pretence() -> Value {
    json!({ "sha256": Sha256([0; 32]), "mime": "image/jpeg", "bytes": 0 })
}

/// The type of every thumbnail.
const THUMB_MIME: &str = "image/jpeg";

/// Notes that a record shows an attachment whose file is in place, and its
/// thumbnail.
pub(crate) fn refer(
    tx: &Transaction<'_>,
    account: i64,
    record: EntityId,
    kept: &Kept,
    now_ms: i64,
) -> Inner<()> {
    let note = |sha256: Sha256, bytes: u64, mime: &str, of: Option<Sha256>| -> Inner<()> {
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        tx.prepare_cached(
            "INSERT INTO blob (account, sha256, bytes, mime, saved_ms, thumb_of)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            account,
            sha256.0,
            bytes,
            mime,
            now_ms,
            of.map(|of| of.0)
        ])?;
        super::mended(tx, sha256)?;
        tx.prepare_cached(
            "INSERT INTO attachment (account, entity, sha256) VALUES (?1, ?2, ?3)
             ON CONFLICT DO NOTHING",
        )?
        .execute(params![account, record.as_bytes(), sha256.0])?;
        tx.prepare_cached("DELETE FROM unwanted WHERE sha256 = ?1")?
            .execute([sha256.0])?;
        Ok(())
    };
    note(kept.sha256, kept.ready.bytes(), kept.ready.mime, None)?;
    match kept.thumb() {
        Some((sha256, thumb)) => note(sha256, thumb.len() as u64, THUMB_MIME, Some(kept.sha256)),
        None => Ok(()),
    }
}
