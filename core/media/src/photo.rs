//! What of a photo leaves the phone: the picture.

use exif::{In, Reader, Tag};
use img_parts::jpeg::{Jpeg, JpegSegment, markers};
use img_parts::png::Png;
use img_parts::webp::WebP;
use img_parts::{Bytes, ImageEXIF as _};

use crate::{Clean, Kind, NotTaken, Type, thumb};

/// A picture alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stripped {
    pub(crate) bytes: Vec<u8>,
    /// How the camera was held, in EXIF's numbers; 1 is upright.
    pub(crate) orientation: u8,
}

/// Chunks of a PNG that make the picture, its colours and its motion.
const PNG_KEPT: [&[u8; 4]; 14] = [
    b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"sBIT",
    b"pHYs", b"acTL", b"fcTL", b"fdAT",
];

/// The same of a WebP.
const WEBP_KEPT: [&[u8; 4]; 7] = [
    b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF", b"ICCP",
];

/// A photo, cleaned, with its thumbnail where it is larger than that. It is
/// decoded: what does not show a picture is broken.
pub(crate) fn taken(bytes: Vec<u8>, kind: Type) -> Result<Clean, NotTaken> {
    let photo = strip(bytes, kind)?;
    let picture = thumb::decode(&photo.bytes, kind, photo.orientation)?;
    let thumb = (!picture.is_small()).then(|| picture.jpeg()).transpose()?;
    let mime = match kind {
        Type::Png => "image/png",
        Type::WebP => "image/webp",
        _ => "image/jpeg",
    };
    Ok(Clean {
        bytes: photo.bytes,
        kind: Kind::Photo,
        mime,
        thumb,
    })
}

/// A small JPEG of a picture, whatever its size.
pub(crate) fn small(bytes: Vec<u8>, kind: Type) -> Result<Vec<u8>, NotTaken> {
    let photo = strip(bytes, kind)?;
    thumb::decode(&photo.bytes, kind, photo.orientation)?.jpeg()
}

/// Takes everything but the picture out of a photo: position, serial numbers,
/// comments, thumbnails, pictures hidden behind the picture. How the camera was
/// held stays, else it would be shown lying on its side.
pub(crate) fn strip(bytes: Vec<u8>, kind: Type) -> Result<Stripped, NotTaken> {
    let upright = |bytes| Stripped {
        bytes,
        orientation: 1,
    };
    match kind {
        Type::Jpeg => jpeg(bytes),
        Type::Png => png(bytes).map(upright),
        Type::WebP => webp(bytes).map(upright),
        _ => Err(NotTaken::UnknownType),
    }
}

const BROKEN: NotTaken = NotTaken::Broken;

fn jpeg(mut bytes: Vec<u8>) -> Result<Stripped, NotTaken> {
    bytes.truncate(picture_end(&bytes).ok_or(BROKEN)?);
    let mut jpeg = Jpeg::from_bytes(Bytes::from(bytes)).map_err(|_| BROKEN)?;
    if jpeg.dimensions().is_none() {
        return Err(BROKEN);
    }
    let orientation = jpeg.exif().and_then(|exif| orientation(exif.to_vec()));
    let icc = b"ICC_PROFILE\0".as_slice();
    let kept = |segment: &JpegSegment| match segment.marker() {
        markers::APP0 => segment.contents().starts_with(b"JFIF\0"),
        // The colour profile, and how Adobe coded the colours.
        markers::APP2 => segment.contents().starts_with(icc),
        markers::APP14 => segment.contents().starts_with(b"Adobe"),
        markers::APP1..=markers::APP15 | markers::COM => false,
        _ => true,
    };
    let segments = jpeg.segments_mut();
    segments.retain(kept);
    if !segments
        .iter()
        .any(|segment| segment.marker() == markers::SOS)
    {
        return Err(BROKEN);
    }
    if let Some(orientation) = orientation {
        jpeg.set_exif(Some(Bytes::copy_from_slice(&orientation_only(orientation))));
    }
    Ok(Stripped {
        bytes: jpeg.encoder().bytes().to_vec(),
        orientation: orientation.unwrap_or(1),
    })
}

/// Where the picture ends: behind its end marker. What follows there (phones
/// hide second pictures and films there) has metadata of its own.
fn picture_end(data: &[u8]) -> Option<usize> {
    let mut at = 2;
    loop {
        at += data.get(at..)?.iter().position(|byte| *byte == 0xff)? + 1;
        match *data.get(at)? {
            // A stuffed byte, a restart, a fill byte.
            0x00 | 0xd0..=0xd7 => at += 1,
            0xff => {}
            0xd9 => return Some(at + 1),
            // Segments before the first scan and between scans.
            _ => {
                at += 1 + usize::from(u16::from_be_bytes([*data.get(at + 1)?, *data.get(at + 2)?]));
            }
        }
    }
}

fn orientation(exif: Vec<u8>) -> Option<u8> {
    let exif = Reader::new().read_raw(exif).ok()?;
    let value = exif
        .get_field(Tag::Orientation, In::PRIMARY)?
        .value
        .get_uint(0)?;
    // 1 is upright, which needs no saying.
    u8::try_from(value)
        .ok()
        .filter(|value| (2..=8).contains(value))
}

/// EXIF (CIPA DC-008) that says nothing else: a big-endian TIFF head, one
/// directory, one entry (tag 0x0112, one SHORT).
fn orientation_only(orientation: u8) -> [u8; 26] {
    let mut out = *b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\0\0\0\0\0\0\0";
    out[19] = orientation;
    out
}

fn png(bytes: Vec<u8>) -> Result<Vec<u8>, NotTaken> {
    let mut png = Png::from_bytes(Bytes::from(bytes)).map_err(|_| BROKEN)?;
    if png.dimensions().is_none() {
        return Err(BROKEN);
    }
    png.chunks_mut()
        .retain(|chunk| PNG_KEPT.contains(&&chunk.kind()));
    Ok(png.encoder().bytes().to_vec())
}

fn webp(bytes: Vec<u8>) -> Result<Vec<u8>, NotTaken> {
    let mut webp = WebP::from_bytes(Bytes::from(bytes)).map_err(|_| BROKEN)?;
    if webp.dimensions().is_none() {
        return Err(BROKEN);
    }
    webp.chunks_mut()
        .retain(|chunk| WEBP_KEPT.contains(&&chunk.id()));
    // Also clears the flags that announced what is gone.
    webp.set_exif(None);
    Ok(webp.encoder().bytes().to_vec())
}

#[cfg(test)]
#[path = "photo_tests.rs"]
mod tests;
