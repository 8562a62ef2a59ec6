use super::*;

fn clean(bytes: Vec<u8>) -> Result<Stripped, NotTaken> {
    let kind = crate::sniff(&bytes).ok_or(NotTaken::UnknownType)?;
    strip(bytes, kind)
}

/// Where the worker stood, as a camera would write it: it must never leave.
const SECRET: &[u8] = b"35.104512N 118.356781E serial 4711";

fn segment(marker: u8, contents: &[u8]) -> Vec<u8> {
    let length = u16::try_from(contents.len() + 2)
        .expect("small")
        .to_be_bytes();
    [&[0xff, marker], length.as_slice(), contents].concat()
}

fn exif(orientation: u8) -> Vec<u8> {
    [
        b"Exif\0\0".as_slice(),
        &orientation_only(orientation),
        SECRET,
    ]
    .concat()
}

/// A JPEG with everything that phones put into one.
fn photo(orientation: u8) -> Vec<u8> {
    let parts: Vec<Vec<u8>> = vec![
        vec![0xff, 0xd8],
        segment(0xe0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0"),
        segment(0xe1, &exif(orientation)),
        segment(
            0xe1,
            &[b"http://ns.adobe.com/xap/1.0/\0".as_slice(), SECRET].concat(),
        ),
        segment(
            0xe2,
            &[b"ICC_PROFILE\0\x01\x01".as_slice(), &[7; 20]].concat(),
        ),
        segment(0xe2, &[b"MPF\0".as_slice(), SECRET].concat()),
        segment(0xed, SECRET),
        segment(0xfe, SECRET),
        segment(0xc0, &[8, 0, 4, 0, 5, 1, 1, 0x11, 0]),
        segment(0xda, &[1, 1, 0, 0, 0x3f, 0]),
        // Stuffing, a restart, a table between two scans, the second scan.
        vec![1, 2, 0xff, 0x00, 3, 0xff, 0xd0, 4],
        segment(0xc4, &[0xff, 0xd9, 5]),
        segment(0xda, &[1, 1, 0, 0, 0x3f, 0]),
        vec![9, 9, 0xff, 0xd9],
        // A second picture behind the end, with its own metadata.
        vec![0xff, 0xd8],
        segment(0xe1, &exif(1)),
        vec![0xff, 0xd9],
    ];
    parts.concat()
}

fn shows(bytes: &[u8], what: &[u8]) -> bool {
    bytes.windows(what.len()).any(|window| window == what)
}

#[test]
fn a_jpeg_keeps_the_picture_the_colours_and_the_orientation() {
    let cleaned = clean(photo(6)).expect("a photo");
    assert!(
        !shows(&cleaned.bytes, SECRET),
        "metadata must not leave the phone"
    );
    assert!(shows(&cleaned.bytes, b"ICC_PROFILE") && shows(&cleaned.bytes, b"JFIF"));
    assert!(
        cleaned.bytes.ends_with(&[9, 9, 0xff, 0xd9]),
        "nothing lies behind the end"
    );
    assert!(
        shows(&cleaned.bytes, &[3, 0xff, 0xd0, 4]),
        "the scans are untouched"
    );
    let kept = Jpeg::from_bytes(cleaned.bytes.clone().into())
        .expect("a JPEG")
        .exif()
        .expect("EXIF");
    assert_eq!(kept.len(), 26);
    assert_eq!(orientation(kept.to_vec()), Some(6));
    assert_eq!(cleaned.orientation, 6);
    assert_eq!(
        clean(cleaned.bytes.clone()).expect("a photo"),
        cleaned,
        "cleaning twice changes nothing"
    );
}

#[test]
fn an_upright_jpeg_has_no_exif_at_all() {
    let cleaned = clean(photo(1)).expect("a photo");
    assert!(!shows(&cleaned.bytes, b"Exif") && !shows(&cleaned.bytes, SECRET));
}

#[test]
fn a_cut_jpeg_is_refused() {
    let whole = photo(1);
    let end = whole
        .windows(4)
        .position(|w| w == [9, 9, 0xff, 0xd9])
        .expect("there");
    for len in 0..end + 3 {
        assert!(clean(whole[..len].to_vec()).is_err(), "{len}");
    }
    assert!(clean(whole[..end + 4].to_vec()).is_ok());
}

fn png_chunk(kind: [u8; 4], contents: &[u8]) -> Vec<u8> {
    let chunk = img_parts::png::PngChunk::new(kind, Bytes::copy_from_slice(contents));
    chunk.encoder().bytes().to_vec()
}

#[test]
fn a_png_keeps_what_makes_the_picture() {
    let head = [0, 0, 0, 5, 0, 0, 0, 4, 8, 2, 0, 0, 0];
    let png = [
        b"\x89PNG\r\n\x1a\n".to_vec(),
        png_chunk(*b"IHDR", &head),
        png_chunk(*b"tEXt", SECRET),
        png_chunk(*b"eXIf", SECRET),
        png_chunk(*b"gAMA", &[0, 0, 1, 0]),
        png_chunk(*b"IDAT", b"pixels"),
        png_chunk(*b"IEND", b""),
    ]
    .concat();
    let cleaned = clean(png).expect("a photo");
    assert!(!shows(&cleaned.bytes, SECRET));
    assert!(shows(&cleaned.bytes, b"pixels") && shows(&cleaned.bytes, b"gAMA"));
}

#[test]
fn a_webp_loses_exif_and_xmp() {
    let chunk = |id: &[u8; 4], data: &[u8]| {
        let len = u32::try_from(data.len()).expect("small").to_le_bytes();
        [
            id.as_slice(),
            &len,
            data,
            if data.len() % 2 == 1 { &[0] } else { &[] },
        ]
        .concat()
    };
    let vp8x = [0x0c, 0, 0, 0, 4, 0, 0, 3, 0, 0];
    let body = [
        b"WEBP".to_vec(),
        chunk(b"VP8X", &vp8x),
        chunk(b"VP8L", &[0x2f, 4, 0xc0, 0, 0, 1, 2, 3]),
        chunk(b"EXIF", SECRET),
        chunk(b"XMP ", SECRET),
    ]
    .concat();
    let len = u32::try_from(body.len()).expect("small").to_le_bytes();
    let cleaned = clean([b"RIFF".as_slice(), &len, &body].concat()).expect("a photo");
    assert!(!shows(&cleaned.bytes, SECRET) && shows(&cleaned.bytes, b"VP8L"));
}

#[test]
fn the_type_is_read_from_the_bytes() {
    for none in [&b""[..], b"GIF89a", b"not a photo", b"\xff\xd8"] {
        assert!(clean(none.to_vec()).is_err());
    }
}
