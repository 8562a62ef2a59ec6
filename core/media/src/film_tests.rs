use super::*;
use std::io::Cursor;

/// Where the worker stood, as phones write it.
const SECRET: &[u8] = b"+35.1045+118.3567/ serial 4711";

fn boxed(name: &[u8; 4], contents: &[u8]) -> Vec<u8> {
    let size = u32::try_from(contents.len() + 8).expect("small");
    [&size.to_be_bytes(), name.as_slice(), contents].concat()
}

fn numbers(all: &[u32]) -> Vec<u8> {
    all.iter().flat_map(|n| n.to_be_bytes()).collect()
}

/// A track whose samples lie in chunks at these places, each of two samples.
fn track(handler: &[u8; 4], chunks: &[u32], sizes: &[u32]) -> Vec<u8> {
    let count = |n: usize| u32::try_from(n).expect("small");
    let mut stsz = numbers(&[0, 0, count(sizes.len())]);
    stsz.extend(numbers(sizes));
    let mut stco = numbers(&[0, count(chunks.len())]);
    stco.extend(numbers(chunks));
    let stbl = [
        boxed(b"stsd", &numbers(&[0, 0])),
        boxed(b"stsz", &stsz),
        boxed(b"stsc", &numbers(&[0, 1, 1, 2, 1])),
        boxed(b"stco", &stco),
        boxed(b"zzzz", SECRET),
    ];
    let url = boxed(b"url ", &numbers(&[1]));
    let dref = boxed(b"dref", &[numbers(&[0, 1]), url].concat());
    let minf = [boxed(b"dinf", &dref), boxed(b"stbl", &stbl.concat())];
    let hdlr = [&[0; 8], handler.as_slice(), &[0; 12], SECRET].concat();
    let mdia = [
        boxed(b"mdhd", &[0; 24]),
        boxed(b"hdlr", &hdlr),
        boxed(b"minf", &minf.concat()),
    ];
    let trak = [
        boxed(b"tkhd", &[0; 84]),
        boxed(b"mdia", &mdia.concat()),
        boxed(b"udta", &boxed(b"name", SECRET)),
    ];
    boxed(b"trak", &trak.concat())
}

/// A film as a phone writes it: samples first, tables behind; and everything
/// that tells of the place. Pictures are `P`, what else there is `M`.
fn film_of(brand: &[u8; 4], handler: &[u8; 4]) -> Vec<u8> {
    let ftyp = boxed(b"ftyp", &[brand.as_slice(), &[0; 4], brand].concat());
    let start = u32::try_from(ftyp.len() + 8).expect("small");
    let mdat = [[b'P'; 40], [b'M'; 40], [b'P'; 40], [b'M'; 40]].concat();
    let tracks = [
        track(handler, &[start, start + 80], &[30, 10, 15, 25]),
        track(b"meta", &[start + 40, start + 120], &[20, 20, 39, 1]),
    ];
    let place = boxed(b"\xa9xyz", SECRET);
    let moov = [
        boxed(b"mvhd", &[0; 100]),
        tracks.concat(),
        boxed(b"udta", &[place, boxed(b"loci", SECRET)].concat()),
        boxed(b"meta", SECRET),
    ];
    let all = [
        ftyp,
        boxed(b"mdat", &mdat),
        boxed(b"moov", &moov.concat()),
        boxed(b"uuid", &[[7; 16].as_slice(), SECRET].concat()),
        boxed(b"free", SECRET),
    ];
    all.concat()
}

fn shows(bytes: &[u8], what: &[u8]) -> bool {
    bytes.windows(what.len()).any(|window| window == what)
}

fn cleaned(bytes: &[u8]) -> Result<(Film, Vec<u8>), NotTaken> {
    let mut file = Cursor::new(bytes);
    let film = film(&mut file)?;
    let mut out = Vec::new();
    file.set_position(0);
    film.leaving(file).read_to_end(&mut out).expect("reads");
    Ok((film, out))
}

#[test]
fn a_film_loses_the_place_and_the_tracks_that_are_no_picture_and_no_sound() {
    let whole = film_of(b"isom", b"vide");
    assert!(shows(&whole, SECRET) && shows(&whole, b"MMMM"));
    let (film, out) = cleaned(&whole).expect("a film");
    assert_eq!((film.mime(), film.kind()), ("video/mp4", Kind::Video));
    assert_eq!(out.len(), whole.len(), "no offset changes");
    for gone in [SECRET, &SECRET[1..8], b"\xa9xyz", b"udta", b"M", b"meta"] {
        assert!(!shows(&out, gone), "{gone:?}");
    }
    for kept in [&[b'P'; 40][..], b"ftyp", b"moov", b"stsd", b"vide"] {
        assert!(shows(&out, kept), "{kept:?}");
    }
    let (_, again) = cleaned(&out).expect("a film still");
    assert_eq!(again, out, "cleaning twice changes nothing");
    assert_eq!(film.of_bytes(whole), out, "in memory it is the same");
}

#[test]
fn it_reads_the_same_in_pieces_of_any_size() {
    let whole = film_of(b"isom", b"vide");
    let (film, out) = cleaned(&whole).expect("a film");
    for size in [1, 3, 7, 64, 1000] {
        let mut leaving = film.leaving(Cursor::new(&whole));
        let (mut all, mut piece) = (Vec::new(), vec![0; size]);
        loop {
            match leaving.read(&mut piece).expect("reads") {
                0 => break,
                count => all.extend_from_slice(&piece[..count]),
            }
        }
        assert_eq!(all, out, "{size}");
    }
}

#[test]
fn the_tracks_and_the_brand_tell_the_type() {
    for (brand, handler, mime) in [
        (b"isom", b"vide", "video/mp4"),
        (b"qt  ", b"vide", "video/quicktime"),
        (b"3gp5", b"vide", "video/3gpp"),
        (b"M4A ", b"soun", "audio/mp4"),
        (b"3gp4", b"soun", "audio/3gpp"),
    ] {
        let (film, _) = cleaned(&film_of(brand, handler)).expect("a film");
        assert_eq!(film.mime(), mime);
    }
    let silent = cleaned(&film_of(b"isom", b"text"));
    assert_eq!(silent.err(), Some(NotTaken::UnknownType));
}

#[test]
fn a_film_that_was_cut_anywhere_is_refused() {
    let whole = film_of(b"isom", b"vide");
    let moov = whole.windows(4).position(|w| w == b"moov").expect("there");
    for length in 1..moov + 900 {
        assert!(cleaned(&whole[..length]).is_err(), "{length}");
    }
    assert_eq!(cleaned(b"").err(), Some(NotTaken::Empty));
}

#[test]
fn what_cannot_be_taken_out_is_refused() {
    let ftyp = boxed(b"ftyp", b"isom\0\0\0\0");
    let mdat = boxed(b"mdat", b"x");
    let fragments = [
        ftyp.clone(),
        boxed(b"moov", &boxed(b"mvex", &[])),
        boxed(b"moof", &[]),
        mdat.clone(),
    ];
    let elsewhere = boxed(b"url ", &[numbers(&[0]), b"file:///home".to_vec()].concat());
    let dref = boxed(b"dref", &[numbers(&[0, 1]), elsewhere].concat());
    let hdlr = boxed(b"hdlr", &[&[0; 8], b"vide".as_slice(), &[0; 12]].concat());
    let minf = boxed(b"minf", &boxed(b"dinf", &dref));
    let mdia = boxed(b"mdia", &[hdlr, minf].concat());
    let refers = [ftyp, boxed(b"moov", &boxed(b"trak", &mdia)), mdat];
    for file in [fragments.concat(), refers.concat()] {
        assert!(matches!(cleaned(&file), Err(NotTaken::Fixed { .. })));
    }
}

#[test]
fn samples_that_lie_nowhere_are_refused() {
    let whole = film_of(b"isom", b"vide");
    let last = whole.windows(4).rposition(|w| w == b"stco").expect("there");
    let mut wrong = whole.clone();
    wrong[last + 12..last + 16].copy_from_slice(&u32::MAX.to_be_bytes());
    assert_eq!(cleaned(&wrong).err(), Some(NotTaken::Broken));
    // Samples that would be its own tables.
    let moov = u32::try_from(whole.windows(4).position(|w| w == b"mvhd").expect("there"));
    let mut wrong = whole;
    wrong[last + 12..last + 16].copy_from_slice(&moov.expect("small").to_be_bytes());
    assert_eq!(cleaned(&wrong).err(), Some(NotTaken::Broken));
}

/// A film of this length that is only zeros behind its head: no disk is needed.
struct Long(u64, u64);

impl Read for Long {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        out.fill(0);
        Ok(out.len())
    }
}

impl Seek for Long {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.1 = match to {
            SeekFrom::Start(at) => at,
            SeekFrom::End(_) => self.0,
            SeekFrom::Current(_) => self.1,
        };
        Ok(self.1)
    }
}

#[test]
fn a_film_of_200_mb_is_refused_by_its_size() {
    let (bytes, most) = (200_000_000, 100_000_000);
    assert_eq!(
        film(&mut Long(bytes, 0)),
        Err(NotTaken::TooLarge {
            kind: Kind::Video,
            bytes,
            most
        })
    );
}
