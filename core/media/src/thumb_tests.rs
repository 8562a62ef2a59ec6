use super::*;
use crate::{THUMB_SIDE, clean, thumbnail};

/// A scene: sky above, ground below, something red on the left.
fn scene(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let red = x < width / 4;
        let sky = y < height / 2;
        image::Rgb(match (red, sky) {
            (true, _) => [200, 20, 20],
            (false, true) => [120, 170, 250],
            (false, false) => [90, 110, 60],
        })
    })
}

fn noise(width: u32, height: u32) -> RgbImage {
    let mut seed = 1_u64;
    RgbImage::from_fn(width, height, |_, _| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let [a, b, c, ..] = seed.to_be_bytes();
        image::Rgb([a, b, c])
    })
}

fn coded(image: &RgbImage, format: ImageFormat) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    image.write_to(&mut out, format).expect("writes");
    out.into_inner()
}

fn shown(bytes: &[u8]) -> RgbImage {
    let image = image::load_from_memory_with_format(bytes, ImageFormat::Jpeg);
    image.expect("a JPEG").to_rgb8()
}

/// Whether a colour is mainly red.
fn is_red(image: &RgbImage, x: u32, y: u32) -> bool {
    let [r, g, b] = image.get_pixel(x, y).0;
    r > 150 && g < 80 && b < 80
}

#[test]
fn a_photo_has_a_thumbnail_that_shows_the_same_in_20_kb() {
    for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP] {
        let clean = clean(coded(&scene(1280, 960), format)).expect("a photo");
        let thumb = clean.thumb.expect("it is large");
        assert!(thumb.len() <= THUMB_BYTES, "{}", thumb.len());
        let image = shown(&thumb);
        assert_eq!(image.dimensions(), (320, 240), "{format:?}");
        assert!(is_red(&image, 10, 120) && !is_red(&image, 200, 120));
    }
}

#[test]
fn what_is_small_is_its_own_thumbnail() {
    for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP] {
        let small = clean(coded(&scene(THUMB_SIDE, 100), format)).expect("a photo");
        assert_eq!(small.thumb, None);
        let large = clean(coded(&scene(THUMB_SIDE + 1, 100), format)).expect("a photo");
        assert!(large.thumb.is_some());
    }
    let asked = thumbnail(coded(&scene(40, 30), ImageFormat::Png)).expect("a picture");
    assert_eq!(shown(&asked).dimensions(), (40, 30), "never made larger");
}

#[test]
fn a_photo_of_noise_has_a_small_thumbnail_too() {
    let clean = clean(coded(&noise(1000, 1000), ImageFormat::Jpeg)).expect("a photo");
    assert!(clean.thumb.expect("there").len() <= THUMB_BYTES);
}

#[test]
fn the_thumbnail_is_upright() {
    let bytes = coded(&scene(640, 480), ImageFormat::Jpeg);
    let picture = decode(&bytes, Type::Jpeg, 6).expect("decodes");
    let image = shown(&picture.jpeg().expect("writes"));
    assert_eq!(image.dimensions(), (240, 320));
    assert!(is_red(&image, 120, 10), "what was on the left is above");
}

#[test]
fn what_says_that_it_is_huge_is_not_unpacked() {
    // The head of a PNG of 50,000 × 50,000 pixels, and a few bytes.
    let chunk = |kind: [u8; 4], data: Vec<u8>| {
        let chunk = img_parts::png::PngChunk::new(kind, data.into());
        chunk.encoder().bytes().to_vec()
    };
    let mut head = [50_000_u32.to_be_bytes(); 2].concat();
    head.extend([8, 2, 0, 0, 0]);
    let bomb = [
        b"\x89PNG\r\n\x1a\n".to_vec(),
        chunk(*b"IHDR", head),
        chunk(*b"IDAT", vec![0x78, 0x9c, 0xed, 0xc1]),
        chunk(*b"IEND", vec![]),
    ];
    let bomb = bomb.concat();
    let refused = Err(NotTaken::TooManyPixels {
        width: 50_000,
        height: 50_000,
        most: MOST_PIXELS_WHOLE,
    });
    assert_eq!(check_picture(Cursor::new(&bomb), Type::Png), refused);
    assert_eq!(clean(bomb).map(drop), refused);
    // The same said by a JPEG: its head is made larger.
    let mut jpeg = coded(&scene(64, 64), ImageFormat::Jpeg);
    let frame = jpeg.windows(2).position(|w| w == [0xff, 0xc0]);
    let frame = frame.expect("there");
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0xff, 0xff, 0xff, 0xff]);
    let looked = check_picture(Cursor::new(&jpeg), Type::Jpeg);
    assert!(matches!(looked, Err(NotTaken::TooManyPixels { .. })));
    assert_eq!(clean(jpeg).map(drop), looked);
}

#[test]
fn what_shows_no_picture_is_broken() {
    for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP] {
        let whole = coded(&noise(200, 200), format);
        let taken = clean(whole.clone()).expect("a photo");
        assert!(taken.kind.types().contains(&taken.mime), "{}", taken.mime);
        let kind = crate::sniff(&whole).expect("known");
        assert_eq!(check_picture(Cursor::new(&whole), kind), Ok(()));
        for part in 1..8 {
            let cut = whole[..whole.len() * part / 8].to_vec();
            assert_eq!(clean(cut), Err(NotTaken::Broken), "{format:?} {part}");
        }
    }
    assert_eq!(clean(vec![]), Err(NotTaken::Empty));
    let text = b"this is a text called photo.jpg".to_vec();
    assert_eq!(clean(text.clone()), Err(NotTaken::UnknownType));
    assert_eq!(thumbnail(text), Err(NotTaken::UnknownType));
}

#[test]
fn what_one_sees_through_is_white() {
    let clear = image::RgbaImage::from_pixel(400, 400, image::Rgba([0, 0, 0, 0]));
    let mut out = Cursor::new(Vec::new());
    clear.write_to(&mut out, ImageFormat::Png).expect("writes");
    let thumb = clean(out.into_inner()).expect("a photo").thumb;
    let image = shown(&thumb.expect("there"));
    assert!(image.get_pixel(5, 5).0.iter().all(|c| *c > 240));
}
