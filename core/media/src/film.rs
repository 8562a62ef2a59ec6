//! Films and recordings in boxes, cleaned while they are read: a film is never
//! held in memory.
//!
//! A first reading looks at the boxes alone and says what is to be written
//! over; a second one gives the bytes with that done. What leaves the phone is
//! as long as what was there, and every offset in it still holds.

use std::io::{self, Read, Seek, SeekFrom};

use crate::boxes::{Head, Movie, Patch, Patches, Tracks};
use crate::{Kind, NotTaken, check_size};

const BROKEN: NotTaken = NotTaken::Broken;
/// The largest box of tables. An hour of film has some 2 MB of them.
const MOST_TABLES: u64 = 16_000_000;
/// A file has a handful of boxes beside each other.
const MOST_BOXES: usize = 1_000;

/// A film that may leave the phone, once it is written over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Film {
    mime: &'static str,
    kind: Kind,
    length: u64,
    patches: Vec<Patch>,
}

impl Film {
    /// Its type.
    #[must_use]
    pub const fn mime(&self) -> &'static str {
        self.mime
    }

    /// Whether it has pictures, or sound alone.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// How many bytes it has, before and after.
    #[must_use]
    pub const fn length(&self) -> u64 {
        self.length
    }

    /// What leaves the phone of a file that stands at its start.
    pub fn leaving<R: Read>(&self, file: R) -> Leaving<'_, R> {
        Leaving {
            file,
            at: 0,
            patches: &self.patches,
        }
    }

    pub(crate) fn of_bytes(&self, mut bytes: Vec<u8>) -> Vec<u8> {
        write_over(&mut bytes, 0, &self.patches);
        bytes
    }
}

/// Reads what leaves the phone.
#[derive(Debug)]
pub struct Leaving<'a, R> {
    file: R,
    at: u64,
    /// Those that are not passed yet.
    patches: &'a [Patch],
}

impl<R: Read> Read for Leaving<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(out)?;
        write_over(&mut out[..count], self.at, self.patches);
        self.at += count as u64;
        let passed = self.patches.iter().take_while(|patch| patch.end <= self.at);
        self.patches = &self.patches[passed.count()..];
        Ok(count)
    }
}

/// Does it to the bytes that lie at `at`.
fn write_over(bytes: &mut [u8], at: u64, patches: &[Patch]) {
    let end = at + bytes.len() as u64;
    let near = patches.iter().skip_while(|patch| patch.end <= at);
    for patch in near.take_while(|patch| patch.at < end) {
        for place in patch.at.max(at)..patch.end.min(end) {
            let index = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
            let put = patch.put.get(index(place - patch.at));
            bytes[index(place - at)] = put.copied().unwrap_or(0);
        }
    }
}

/// Looks at a film's boxes. The file is to stand at its start for what follows.
///
/// # Errors
/// `Empty`, `TooLarge`, `Broken`, `Fixed`, `Unreadable`; `UnknownType` for what
/// has no track of pictures or sound.
pub fn film(file: &mut (impl Read + Seek)) -> Result<Film, NotTaken> {
    let length = file.seek(SeekFrom::End(0)).map_err(unreadable)?;
    check_size(Kind::Video, length)?;
    let (mut at, mut patches) = (0, Patches::default());
    let (mut brand, mut tracks, mut samples, mut boxes) = (None, None, Vec::new(), 0);
    while at < length {
        let head = head_at(file, at, length)?;
        match &head.name {
            b"ftyp" if brand.is_none() => brand = Some(brand_of(file, at, head)?),
            b"mdat" => samples.push((at + head.inside, at + head.size)),
            b"moov" if tracks.is_none() => {
                tracks = Some(movie(file, at, head, &mut patches)?);
            }
            b"moof" => {
                let what = "a film in fragments";
                return Err(NotTaken::Fixed { what });
            }
            _ => patches.blank(at, head)?,
        }
        at += head.size;
        boxes += 1;
        if boxes > MOST_BOXES {
            return Err(BROKEN);
        }
    }
    let brand = brand.ok_or(BROKEN)?;
    let tracks: Tracks = tracks.filter(|_| !samples.is_empty()).ok_or(BROKEN)?;
    let (kind, mime) = match (tracks.pictures, tracks.sounds, &brand[..3]) {
        (true, _, b"3gp" | b"3g2") => (Kind::Video, "video/3gpp"),
        (true, _, b"qt ") => (Kind::Video, "video/quicktime"),
        (true, ..) => (Kind::Video, "video/mp4"),
        (false, true, b"3gp" | b"3g2") => (Kind::Audio, "audio/3gpp"),
        (false, true, _) => (Kind::Audio, "audio/mp4"),
        (false, false, _) => return Err(NotTaken::UnknownType),
    };
    check_size(kind, length)?;
    forget(tracks.gone, &samples, &mut patches)?;
    Ok(Film {
        mime,
        kind,
        length,
        patches: patches.ordered()?,
    })
}

/// Writes zeros over the samples of tracks that go. They lie where samples lie,
/// and nowhere else.
fn forget(
    mut gone: Vec<(u64, u64)>,
    samples: &[(u64, u64)],
    patches: &mut Patches,
) -> Result<(), NotTaken> {
    gone.sort_unstable();
    for (at, end) in gone {
        let behind = samples.partition_point(|(from, _)| *from <= at);
        let within = behind.checked_sub(1).map(|n| samples[n]);
        if within.is_none_or(|(_, to)| end > to) {
            return Err(BROKEN);
        }
        patches.zeros(at, end)?;
    }
    Ok(())
}

fn unreadable(error: io::Error) -> NotTaken {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => BROKEN,
        kind => NotTaken::Unreadable {
            why: kind.to_string(),
        },
    }
}

/// So many bytes from `at`.
fn bytes_at(file: &mut (impl Read + Seek), at: u64, count: u64) -> Result<Vec<u8>, NotTaken> {
    let mut bytes = vec![0; usize::try_from(count).map_err(|_| BROKEN)?];
    file.seek(SeekFrom::Start(at)).map_err(unreadable)?;
    file.read_exact(&mut bytes).map_err(unreadable)?;
    Ok(bytes)
}

fn head_at(file: &mut (impl Read + Seek), at: u64, length: u64) -> Result<Head, NotTaken> {
    let left = length - at;
    let bytes = bytes_at(file, at, left.min(16))?;
    Head::read(&bytes, left)
}

fn brand_of(file: &mut (impl Read + Seek), at: u64, head: Head) -> Result<[u8; 4], NotTaken> {
    if head.size < head.inside + 4 {
        return Err(BROKEN);
    }
    let bytes = bytes_at(file, at + head.inside, 4)?;
    bytes.first_chunk().copied().ok_or(BROKEN)
}

fn movie(
    file: &mut (impl Read + Seek),
    at: u64,
    head: Head,
    patches: &mut Patches,
) -> Result<Tracks, NotTaken> {
    let (inside, size) = (at + head.inside, head.size - head.inside);
    if size > MOST_TABLES {
        return Err(BROKEN);
    }
    let bytes = bytes_at(file, inside, size)?;
    Movie::read(&bytes, inside, patches)
}

#[cfg(test)]
#[path = "film_tests.rs"]
mod tests;
