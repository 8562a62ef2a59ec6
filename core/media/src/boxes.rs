//! Boxes within boxes: MP4, QuickTime, 3GP, M4A (ISO/IEC 14496-12).
//!
//! What is kept is listed; every other box (`udta`, `meta`, `uuid`, `loci` …)
//! becomes `free`, of the same size, with nothing in it: no offset changes. So
//! does a track that is neither picture nor sound, and its samples with it:
//! phones write where they are into such tracks, many times a second.

use crate::NotTaken;

const BROKEN: NotTaken = NotTaken::Broken;
/// No file of a phone has as many boxes, or pieces of tracks that go.
const MOST: usize = 100_000;

/// Bytes of a file that are written over: with `put`, then with zeros up to
/// `end`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Patch {
    pub(crate) at: u64,
    pub(crate) end: u64,
    pub(crate) put: Vec<u8>,
}

/// A box's head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) name: [u8; 4],
    /// Where its contents begin, from the box's begin.
    pub(crate) inside: u64,
    /// How long it is, its head included.
    pub(crate) size: u64,
}

impl Head {
    /// Reads a head; `left` bytes are left for the whole box.
    pub(crate) fn read(bytes: &[u8], left: u64) -> Result<Self, NotTaken> {
        let start: &[u8; 8] = bytes.first_chunk().ok_or(BROKEN)?;
        let name = [start[4], start[5], start[6], start[7]];
        let (inside, size) = match number(&start[..4]) {
            // Up to the end.
            0 => (8, left),
            1 => {
                let large = bytes.get(8..16).ok_or(BROKEN)?;
                (16, number(&large[..4]) << 32 | number(&large[4..]))
            }
            size => (8, size),
        };
        if size < inside || size > left {
            return Err(BROKEN);
        }
        Ok(Self { name, inside, size })
    }
}

/// A big-endian number of four bytes.
fn number(bytes: &[u8]) -> u64 {
    let all = bytes.iter().take(4);
    all.fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// What is written over, in the order found.
#[derive(Debug, Default)]
pub(crate) struct Patches(Vec<Patch>);

impl Patches {
    /// The box at `at` becomes an empty `free` of the same size.
    pub(crate) fn blank(&mut self, at: u64, head: Head) -> Result<(), NotTaken> {
        // The size stays as it is written, in the short form or the long one.
        let put = b"free".to_vec();
        let (name, inside, end) = (at + 4, at + head.inside, at + head.size);
        let at = name;
        self.push(Patch {
            at,
            end: at + 4,
            put,
        })?;
        self.zeros(inside, end)
    }

    pub(crate) fn zeros(&mut self, at: u64, end: u64) -> Result<(), NotTaken> {
        match self.0.last_mut() {
            _ if at == end => Ok(()),
            Some(last) if last.end == at => {
                last.end = end;
                Ok(())
            }
            _ => self.push(Patch {
                at,
                end,
                put: Vec::new(),
            }),
        }
    }

    fn push(&mut self, patch: Patch) -> Result<(), NotTaken> {
        if self.0.len() >= MOST {
            return Err(BROKEN);
        }
        self.0.push(patch);
        Ok(())
    }

    /// All of them in the file's order; none touches another.
    pub(crate) fn ordered(mut self) -> Result<Vec<Patch>, NotTaken> {
        self.0.sort_by_key(|patch| patch.at);
        let mut pairs = self.0.windows(2);
        if pairs.any(|pair| pair[0].end > pair[1].at) {
            return Err(BROKEN);
        }
        Ok(self.0)
    }
}

/// Which boxes a box may keep, by its name; the names of containers among them
/// lead to a row of their own.
fn kept(within: &[u8; 4]) -> &'static [&'static [u8; 4]] {
    match within {
        b"moov" => &[b"mvhd", b"trak"],
        b"trak" => &[b"tkhd", b"edts", b"mdia"],
        b"edts" => &[b"elst"],
        b"mdia" => &[b"mdhd", b"hdlr", b"minf"],
        b"minf" => &[b"vmhd", b"smhd", b"hdlr", b"dinf", b"stbl"],
        b"dinf" => &[b"dref"],
        b"stbl" => &[
            b"stsd", b"stts", b"ctts", b"cslg", b"stss", b"stsc", b"stsz", b"stco", b"co64",
            b"sdtp", b"sbgp", b"sgpd",
        ],
        _ => &[],
    }
}

/// What a movie box tells.
#[derive(Debug, Default)]
pub(crate) struct Tracks {
    pub(crate) pictures: bool,
    pub(crate) sounds: bool,
    /// Where the samples of tracks lie that go.
    pub(crate) gone: Vec<(u64, u64)>,
}

/// A movie box that is read.
pub(crate) struct Movie<'a> {
    /// Its contents.
    bytes: &'a [u8],
    /// Where they begin in the file.
    base: u64,
    patches: &'a mut Patches,
    tracks: Tracks,
}

impl<'a> Movie<'a> {
    /// Looks at a movie box's contents, which begin at `base` of a file.
    pub(crate) fn read(
        bytes: &'a [u8],
        base: u64,
        patches: &'a mut Patches,
    ) -> Result<Tracks, NotTaken> {
        let mut movie = Self {
            bytes,
            base,
            patches,
            tracks: Tracks::default(),
        };
        movie.walk(b"moov", 0, bytes.len())?;
        Ok(movie.tracks)
    }

    /// The boxes between two places.
    fn children(&self, from: usize, to: usize) -> Result<Vec<(usize, Head)>, NotTaken> {
        let (mut at, mut found) = (from, Vec::new());
        while at < to {
            // QuickTime may end a list with four zeros.
            if to - at == 4 && self.bytes[at..to] == [0; 4] {
                break;
            }
            let head = Head::read(&self.bytes[at..to], (to - at) as u64)?;
            found.push((at, head));
            at += usize::try_from(head.size).map_err(|_| BROKEN)?;
            if found.len() > MOST {
                return Err(BROKEN);
            }
        }
        Ok(found)
    }

    fn walk(&mut self, within: &[u8; 4], from: usize, to: usize) -> Result<(), NotTaken> {
        for (at, head) in self.children(from, to)? {
            let (inside, end) = inside(at, head)?;
            match &head.name {
                b"mvex" => {
                    let what = "a film in fragments";
                    return Err(NotTaken::Fixed { what });
                }
                b"trak" if within == b"moov" => self.track(at, head)?,
                b"hdlr" if kept(within).contains(&b"hdlr") => {
                    // Behind the handler stands a name in words.
                    let name = inside + 24;
                    if name > end {
                        return Err(BROKEN);
                    }
                    self.patches
                        .zeros(self.base + name as u64, self.base + end as u64)?;
                }
                b"dref" if within == b"dinf" => self.refers_to_itself(inside, end)?,
                name if !kept(within).contains(&name) => {
                    self.patches.blank(self.base + at as u64, head)?;
                }
                name if !kept(name).is_empty() => self.walk(name, inside, end)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn track(&mut self, at: usize, head: Head) -> Result<(), NotTaken> {
        let (from, to) = inside(at, head)?;
        match self.handler(from, to)? {
            Some(handler) if &handler == b"vide" || &handler == b"soun" => {
                self.tracks.pictures |= &handler == b"vide";
                self.tracks.sounds |= &handler == b"soun";
                self.walk(b"trak", from, to)
            }
            _ => {
                self.patches.blank(self.base + at as u64, head)?;
                self.samples(from, to)
            }
        }
    }

    /// The contents of the first box at the end of a path of names.
    fn find(
        &self,
        from: usize,
        to: usize,
        path: &[&[u8; 4]],
    ) -> Result<Option<(usize, usize)>, NotTaken> {
        let (mut from, mut to) = (from, to);
        for name in path {
            let children = self.children(from, to)?;
            let Some((at, head)) = children.into_iter().find(|(_, head)| head.name == **name)
            else {
                return Ok(None);
            };
            (from, to) = inside(at, head)?;
        }
        Ok(Some((from, to)))
    }

    fn handler(&self, from: usize, to: usize) -> Result<Option<[u8; 4]>, NotTaken> {
        let Some((from, to)) = self.find(from, to, &[b"mdia", b"hdlr"])? else {
            return Ok(None);
        };
        let name = self.bytes[from..to].get(8..12).ok_or(BROKEN)?;
        Ok(name.first_chunk().copied())
    }

    /// A list of what files the samples are in: in this one, and nothing else is
    /// said.
    fn refers_to_itself(&self, from: usize, to: usize) -> Result<(), NotTaken> {
        for (at, head) in self.children(from + 8, to)? {
            let (inside, end) = inside(at, head)?;
            let flags = self.bytes[inside..end].first_chunk::<4>().ok_or(BROKEN)?;
            if flags[3] & 1 == 0 || end - inside != 4 {
                let what = "names of other files";
                return Err(NotTaken::Fixed { what });
            }
        }
        Ok(())
    }

    /// A table: its contents behind its head of so many numbers, the last of
    /// which counts its rows.
    fn table(
        &self,
        table: (usize, usize),
        heads: usize,
        row: usize,
    ) -> Result<Vec<&'a [u8]>, NotTaken> {
        let bytes: &'a [u8] = &self.bytes[table.0..table.1];
        let head = bytes.get(..heads * 4).ok_or(BROKEN)?;
        let rows = number(&head[(heads - 1) * 4..]);
        let size = rows.checked_mul(row as u64).ok_or(BROKEN)?;
        let size = usize::try_from(size).map_err(|_| BROKEN)?;
        let body = bytes[heads * 4..].get(..size).ok_or(BROKEN)?;
        Ok(body.chunks_exact(row).collect())
    }

    /// The samples of a track that goes, wherever they lie.
    fn samples(&mut self, from: usize, to: usize) -> Result<(), NotTaken> {
        let stbl = [b"mdia", b"minf", b"stbl"];
        let Some((from, to)) = self.find(from, to, &stbl)? else {
            return Ok(());
        };
        let table = |name| self.find(from, to, &[name]);
        let (offsets, row) = match (table(b"stco")?, table(b"co64")?) {
            (Some(short), None) => (short, 4),
            (None, Some(long)) => (long, 8),
            (None, None) => return Ok(()),
            (Some(_), Some(_)) => return Err(BROKEN),
        };
        let offsets = self.table(offsets, 2, row)?;
        if offsets.is_empty() {
            return Ok(());
        }
        let what = "a track of another kind than picture and sound";
        let sizes = table(b"stsz")?.ok_or(NotTaken::Fixed { what })?;
        let sizes = Sizes::read(self, sizes)?;
        let runs = self.table(table(b"stsc")?.ok_or(BROKEN)?, 2, 12)?;
        let (mut run, mut sample) = (0, 0_usize);
        for (n, offset) in offsets.iter().enumerate() {
            // Runs say from which chunk on, counted from 1, they hold.
            while runs
                .get(run + 1)
                .is_some_and(|next| number(next) <= n as u64 + 1)
            {
                run += 1;
            }
            let count = runs.get(run).ok_or(BROKEN)?;
            let count = usize::try_from(number(&count[4..])).map_err(|_| BROKEN)?;
            let length = sizes.of(sample, count)?;
            sample = sample.checked_add(count).ok_or(BROKEN)?;
            let start = match row {
                4 => number(offset),
                _ => number(offset) << 32 | number(&offset[4..]),
            };
            let end = start.checked_add(length).ok_or(BROKEN)?;
            if end > start {
                self.tracks.gone.push((start, end));
            }
        }
        Ok(())
    }
}

/// How large samples are: all the same, or each its own.
enum Sizes<'a> {
    Same(u64, usize),
    Each(Vec<&'a [u8]>),
}

impl<'a> Sizes<'a> {
    fn read(movie: &Movie<'a>, table: (usize, usize)) -> Result<Self, NotTaken> {
        let head = movie.bytes[table.0..table.1].get(..12).ok_or(BROKEN)?;
        let count = usize::try_from(number(&head[8..])).map_err(|_| BROKEN)?;
        match number(&head[4..]) {
            0 => Ok(Self::Each(movie.table(table, 3, 4)?)),
            same => Ok(Self::Same(same, count)),
        }
    }

    /// How many bytes `count` samples from `first` on have.
    fn of(&self, first: usize, count: usize) -> Result<u64, NotTaken> {
        let end = first.checked_add(count).ok_or(BROKEN)?;
        match self {
            Self::Same(size, all) if end <= *all => size.checked_mul(count as u64).ok_or(BROKEN),
            Self::Same(..) => Err(BROKEN),
            Self::Each(sizes) => {
                let sizes = sizes.get(first..end).ok_or(BROKEN)?;
                Ok(sizes.iter().map(|size| number(size)).sum())
            }
        }
    }
}

/// Where a box's contents lie.
fn inside(at: usize, head: Head) -> Result<(usize, usize), NotTaken> {
    let place = |offset: u64| Some(at + usize::try_from(offset).ok()?);
    place(head.inside).zip(place(head.size)).ok_or(BROKEN)
}
