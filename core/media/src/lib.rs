//! What a file is, what of it may leave the phone, and its thumbnail.
//!
//! Bytes in, bytes out. A file's type is read from its bytes. What tells of
//! where, by whom and with what it was taken goes: by a list of what is kept,
//! so that what nobody knows yet goes too. What is left is a file of the same
//! pictures and sounds that any program opens. The types and sizes are the
//! domain's ([`Kind`]); docs/attachments.md has them.

mod audio;
mod boxes;
mod film;
mod paper;
mod photo;
mod sniff;
mod thumb;

pub use film::{Film, Leaving, film};
pub use gridwalk_domain::Sort as Kind;
pub use sniff::{HEAD, Type, sniff};
pub use thumb::{SIDE as THUMB_SIDE, THUMB_BYTES, check_picture};

/// Why a file is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// It has no bytes.
    #[error("it is empty; take it again")]
    Empty,
    /// It is too large.
    #[error("it has {bytes} bytes and a {kind} has at most {most}; take a shorter or smaller one")]
    TooLarge {
        /// What it is.
        kind: Kind,
        /// How large it is.
        bytes: u64,
        /// How large it may be.
        most: u64,
    },
    /// It has too many pixels: it says so itself, and is not unpacked.
    #[error("it is {width} × {height} pixels, and at most {most} are taken; take a smaller one")]
    TooManyPixels {
        /// Pixels from left to right.
        width: u32,
        /// Pixels from top to bottom.
        height: u32,
        /// How many pixels it may have.
        most: u64,
    },
    /// It is none of the types that are taken, whatever its name says.
    #[error(
        "its bytes are of no type that is taken: JPEG, PNG, WebP; M4A, 3GP, AAC, AMR, MP3, WAV; MP4, MOV; PDF"
    )]
    UnknownType,
    /// It is something else than what is asked for.
    #[error("it is of the kind {found}, and a {wanted} is asked for")]
    WrongKind {
        /// What it is.
        found: Kind,
        /// What is asked for.
        wanted: Kind,
    },
    /// It begins as a file of its type and does not go on as one.
    #[error("its bytes are broken or cut; take it again")]
    Broken,
    /// It holds what cannot be taken out of it: it might tell of the place.
    #[error("it holds {what}, which cannot be taken out of it; record it with the phone's camera")]
    Fixed {
        /// What.
        what: &'static str,
    },
    /// It cannot be read.
    #[error("it cannot be read ({why}); check that it is still there")]
    Unreadable {
        /// What the system said.
        why: String,
    },
}

impl NotTaken {
    /// A stable word for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Empty => "file_empty",
            Self::TooLarge { .. } => "file_too_large",
            Self::TooManyPixels { .. } => "file_too_many_pixels",
            Self::UnknownType => "file_unknown_type",
            Self::WrongKind { .. } => "file_wrong_kind",
            Self::Broken => "file_broken",
            Self::Fixed { .. } => "file_fixed",
            Self::Unreadable { .. } => "file_unreadable",
        }
    }
}

/// A file as it will leave the phone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clean {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// What it is.
    pub kind: Kind,
    /// Its type.
    pub mime: &'static str,
    /// A small JPEG of it, where it is a picture larger than that.
    pub thumb: Option<Vec<u8>>,
}

/// Whether a file of this size may be of this kind.
///
/// # Errors
/// `Empty`, `TooLarge`.
pub fn check_size(kind: Kind, bytes: u64) -> Result<(), NotTaken> {
    let most = kind.most_bytes();
    match bytes {
        0 => Err(NotTaken::Empty),
        _ if bytes > most => Err(NotTaken::TooLarge { kind, bytes, most }),
        _ => Ok(()),
    }
}

/// Takes everything out of a file that is not to leave the phone. A film is
/// better cleaned as it is read: [`film`].
///
/// # Errors
/// Why it is not taken.
pub fn clean(bytes: Vec<u8>) -> Result<Clean, NotTaken> {
    if bytes.is_empty() {
        return Err(NotTaken::Empty);
    }
    let found = sniff(&bytes).ok_or(NotTaken::UnknownType)?;
    let size = bytes.len() as u64;
    let mut kind = found.largest();
    check_size(kind, size)?;
    let (bytes, mime) = match found {
        Type::Jpeg | Type::Png | Type::WebP => return photo::taken(bytes, found),
        Type::Pdf => (paper::pdf(bytes)?, "application/pdf"),
        Type::Mp3 => (audio::mp3(&bytes)?, "audio/mpeg"),
        Type::Aac => (audio::aac(&bytes)?, "audio/aac"),
        Type::Amr => (audio::amr(bytes)?, "audio/amr"),
        Type::Wav => (audio::wav(&bytes)?, "audio/wav"),
        Type::Film => {
            let film = film(&mut std::io::Cursor::new(&bytes))?;
            kind = film.kind();
            (film.of_bytes(bytes), film.mime())
        }
    };
    let thumb = None;
    Ok(Clean {
        bytes,
        kind,
        mime,
        thumb,
    })
}

/// A thumbnail of a picture: what a shell shows in the place of a film.
///
/// # Errors
/// Why the picture is not taken.
pub fn thumbnail(picture: Vec<u8>) -> Result<Vec<u8>, NotTaken> {
    let kind = sniff(&picture).ok_or(NotTaken::UnknownType)?;
    if kind.kind() != Some(Kind::Photo) {
        return Err(NotTaken::UnknownType);
    }
    check_size(Kind::Photo, picture.len() as u64)?;
    photo::small(picture, kind)
}
