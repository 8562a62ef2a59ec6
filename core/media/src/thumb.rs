//! Small pictures of large ones, in little memory.
//!
//! A JPEG is decoded at an eighth, a quarter or half of its size, which its
//! coding allows: a photo of 50 megapixels takes 2 MB of memory so, and not
//! 150. Whatever else there is is decoded whole, within a limit that its head
//! is held to before anything is unpacked.

use image::codecs::jpeg::JpegEncoder;
use image::imageops::FilterType;
use image::metadata::Orientation;
use image::{DynamicImage, ExtendedColorType, ImageFormat, ImageReader, Limits, RgbImage};
use jpeg_decoder::{CodingProcess, Decoder, ImageInfo, PixelFormat};
use std::io::{BufRead, Cursor, Read, Seek};

use crate::{NotTaken, Type};

/// The longer side of a thumbnail, in pixels.
pub const SIDE: u32 = 320;
/// The largest thumbnail, in bytes.
pub const THUMB_BYTES: usize = 20_000;

/// The most pixels of a photo that is decoded at a part of its size.
const MOST_PIXELS: u64 = 108_000_000;
/// The most pixels of one that must be decoded whole.
const MOST_PIXELS_WHOLE: u64 = 24_000_000;
/// What decoding may take, in bytes: 24 megapixels in 16 bits and 3 colours.
const MOST_MEMORY: usize = 144_000_000;

/// A picture, decoded at some size, upright.
pub(crate) struct Picture {
    image: RgbImage,
    /// Whether the picture that it was decoded from is no larger than a
    /// thumbnail.
    small: bool,
}

impl Picture {
    pub(crate) fn is_small(&self) -> bool {
        self.small
    }

    /// A JPEG of it, within the size of a thumbnail.
    pub(crate) fn jpeg(&self) -> Result<Vec<u8>, NotTaken> {
        let mut out = Vec::new();
        // What is full of fine detail gets coarser, and at last smaller.
        for (side, quality) in [(SIDE, 75), (SIDE, 55), (SIDE, 35), (SIDE / 2, 35)] {
            let (width, height) = self.image.dimensions();
            let scale = (f64::from(side) / f64::from(width.max(height))).min(1.0);
            let [width, height] = [width, height].map(|n| scaled(n, scale));
            let small = image::imageops::resize(&self.image, width, height, FilterType::Triangle);
            out.clear();
            JpegEncoder::new_with_quality(&mut out, quality)
                .encode(&small, width, height, ExtendedColorType::Rgb8)
                .map_err(|_| NotTaken::Broken)?;
            if out.len() <= THUMB_BYTES {
                break;
            }
        }
        Ok(out)
    }
}

/// A side that is made smaller; one pixel at least.
fn scaled(n: u32, scale: f64) -> u32 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "no larger than n"
    )]
    let scaled = (f64::from(n) * scale).round() as u32;
    scaled.max(1)
}

fn check_pixels(width: u32, height: u32, most: u64) -> Result<(), NotTaken> {
    match u64::from(width) * u64::from(height) {
        0 => Err(NotTaken::Broken),
        pixels if pixels > most => Err(NotTaken::TooManyPixels {
            width,
            height,
            most,
        }),
        _ => Ok(()),
    }
}

/// Decodes a picture.
pub(crate) fn decode(bytes: &[u8], kind: Type, orientation: u8) -> Result<Picture, NotTaken> {
    let ((width, height), mut image) = match kind {
        Type::Jpeg => jpeg(bytes)?,
        Type::Png => whole(bytes, ImageFormat::Png)?,
        Type::WebP => whole(bytes, ImageFormat::WebP)?,
        _ => return Err(NotTaken::UnknownType),
    };
    if let Some(orientation) = Orientation::from_exif(orientation) {
        let mut turned = DynamicImage::ImageRgb8(image);
        turned.apply_orientation(orientation);
        image = turned.into_rgb8();
    }
    let small = width.max(height) <= SIDE;
    Ok(Picture { image, small })
}

/// Whether a picture may be unpacked, by what its head says: nothing else of it is
/// looked at, and it is not unpacked.
///
/// # Errors
/// `TooManyPixels`; `Broken` where the head says nothing, `UnknownType` where it
/// is no picture.
pub fn check_picture(picture: impl BufRead + Seek, kind: Type) -> Result<(), NotTaken> {
    let format = match kind {
        Type::Jpeg => return jpeg_info(&mut Decoder::new(picture)).map(drop),
        Type::Png => ImageFormat::Png,
        Type::WebP => ImageFormat::WebP,
        _ => return Err(NotTaken::UnknownType),
    };
    whole_size(picture, format).map(drop)
}

type Decoded = ((u32, u32), RgbImage);

/// What the head of a JPEG says, where it has no more pixels than are taken.
fn jpeg_info(decoder: &mut Decoder<impl Read>) -> Result<ImageInfo, NotTaken> {
    decoder.read_info().map_err(|_| NotTaken::Broken)?;
    let info = decoder.info().ok_or(NotTaken::Broken)?;
    let most = match info.coding_process {
        CodingProcess::DctSequential => MOST_PIXELS,
        CodingProcess::DctProgressive | CodingProcess::Lossless => MOST_PIXELS_WHOLE,
    };
    check_pixels(u32::from(info.width), u32::from(info.height), most)?;
    Ok(info)
}

/// The sides of what is decoded whole, where it has no more pixels than are taken.
fn whole_size(picture: impl BufRead + Seek, format: ImageFormat) -> Result<(u32, u32), NotTaken> {
    let reader = ImageReader::with_format(picture, format);
    let (width, height) = reader.into_dimensions().map_err(|_| NotTaken::Broken)?;
    check_pixels(width, height, MOST_PIXELS_WHOLE)?;
    Ok((width, height))
}

fn jpeg(bytes: &[u8]) -> Result<Decoded, NotTaken> {
    let broken = |_| NotTaken::Broken;
    let mut decoder = Decoder::new(bytes);
    decoder.set_max_decoding_buffer_size(MOST_MEMORY);
    let info = jpeg_info(&mut decoder)?;
    let (width, height) = (u32::from(info.width), u32::from(info.height));
    let scale = (f64::from(SIDE) / f64::from(width.max(height))).min(1.0);
    let side = |n| u16::try_from(scaled(n, scale)).unwrap_or(u16::MAX);
    let (w, h) = decoder.scale(side(width), side(height)).map_err(broken)?;
    let pixels = decoder.decode().map_err(broken)?;
    let rgb = match info.pixel_format {
        PixelFormat::RGB24 => pixels,
        PixelFormat::L8 => pixels.iter().flat_map(|light| [*light; 3]).collect(),
        PixelFormat::L16 => pixels
            .chunks_exact(2)
            .flat_map(|light| [u16::from_ne_bytes([light[0], light[1]]).to_be_bytes()[0]; 3])
            .collect(),
        PixelFormat::CMYK32 => pixels.chunks_exact(4).flat_map(of_ink).collect(),
    };
    let image = RgbImage::from_raw(u32::from(w), u32::from(h), rgb);
    Ok(((width, height), image.ok_or(NotTaken::Broken)?))
}

/// Light that four inks leave; which inks exactly is no matter for a thumbnail.
fn of_ink(ink: &[u8]) -> [u8; 3] {
    let left = |n: usize| {
        let light = u16::from(255 - ink[n]) * u16::from(255 - ink[3]) / 255;
        u8::try_from(light).unwrap_or(255)
    };
    [left(0), left(1), left(2)]
}

fn whole(bytes: &[u8], format: ImageFormat) -> Result<Decoded, NotTaken> {
    let (width, height) = whole_size(Cursor::new(bytes), format)?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(MOST_MEMORY as u64);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    let image = reader.decode().map_err(|error| match error {
        image::ImageError::Limits(_) => NotTaken::TooManyPixels {
            width,
            height,
            most: MOST_PIXELS_WHOLE,
        },
        _ => NotTaken::Broken,
    })?;
    let image = match width.max(height) > 2 * SIDE {
        true => image.thumbnail(2 * SIDE, 2 * SIDE),
        false => image,
    };
    Ok(((width, height), on_white(&image)))
}

/// What one sees through is white.
fn on_white(image: &DynamicImage) -> RgbImage {
    if !image.color().has_alpha() {
        return image.to_rgb8();
    }
    let image = image.to_rgba8();
    let (width, height) = image.dimensions();
    RgbImage::from_fn(width, height, |x, y| {
        let [r, g, b, a] = image.get_pixel(x, y).0;
        let a = u16::from(a);
        let mixed = [r, g, b].map(|c| (u16::from(c) * a + 255 * (255 - a)) / 255);
        image::Rgb(mixed.map(|c| u8::try_from(c).unwrap_or(255)))
    })
}

#[cfg(test)]
#[path = "thumb_tests.rs"]
mod tests;
