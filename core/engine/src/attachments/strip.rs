//! What of a photo leaves the phone: the picture.

use exif::{In, Reader, Tag};
use gridwalk_domain::Sha256;
use img_parts::jpeg::{Jpeg, JpegSegment, markers};
use img_parts::png::Png;
use img_parts::webp::WebP;
use img_parts::{Bytes, ImageEXIF as _};

/// A photo as it will leave the phone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Photo {
    pub(crate) bytes: Vec<u8>,
    pub(crate) mime: &'static str,
}

impl Photo {
    /// A reference to it, as records hold it.
    pub(crate) fn reference(&self, sha256: Sha256) -> serde_json::Value {
        serde_json::json!({ "sha256": sha256, "mime": self.mime, "bytes": self.bytes.len() })
    }
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

/// Takes everything but the picture out of a photo: position, serial numbers,
/// comments, thumbnails, pictures hidden behind the picture. How the camera was
/// held stays, else it would be shown lying on its side.
///
/// # Errors
/// Why the bytes are no photo that can be taken.
pub(crate) fn clean(bytes: Vec<u8>) -> Result<Photo, &'static str> {
    if bytes.starts_with(&[0xff, 0xd8, 0xff]) {
        jpeg(bytes).map(|bytes| Photo {
            bytes,
            mime: "image/jpeg",
        })
    } else if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        png(bytes).map(|bytes| Photo {
            bytes,
            mime: "image/png",
        })
    } else if bytes.len() > 12 && bytes.starts_with(b"RIFF") && &bytes[8..12] == b"WEBP" {
        webp(bytes).map(|bytes| Photo {
            bytes,
            mime: "image/webp",
        })
    } else {
        Err("its bytes are of no known type")
    }
}

const BROKEN: &str = "its bytes are broken";

fn jpeg(mut bytes: Vec<u8>) -> Result<Vec<u8>, &'static str> {
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
    Ok(jpeg.encoder().bytes().to_vec())
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

fn png(bytes: Vec<u8>) -> Result<Vec<u8>, &'static str> {
    let mut png = Png::from_bytes(Bytes::from(bytes)).map_err(|_| BROKEN)?;
    if png.dimensions().is_none() {
        return Err(BROKEN);
    }
    png.chunks_mut()
        .retain(|chunk| PNG_KEPT.contains(&&chunk.kind()));
    Ok(png.encoder().bytes().to_vec())
}

fn webp(bytes: Vec<u8>) -> Result<Vec<u8>, &'static str> {
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
#[path = "strip_tests.rs"]
mod tests;
