//! What a file is, by its first bytes.
//!
//! A table of exactly what is taken. A library knows a hundred types more, and
//! each of them would have to be refused here by name.

use crate::Kind;

/// So many bytes of a file tell its type.
pub const HEAD: usize = 16;

/// A type that is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    /// image/jpeg
    Jpeg,
    /// image/png
    Png,
    /// image/webp
    WebP,
    /// MP4, QuickTime, 3GP, M4A: a film or a recording, which its tracks tell.
    Film,
    /// audio/mpeg
    Mp3,
    /// audio/aac: frames with their heads (ADTS).
    Aac,
    /// audio/amr, narrow or wide.
    Amr,
    /// audio/wav
    Wav,
    /// application/pdf
    Pdf,
}

impl Type {
    /// What it is, where the type alone tells.
    #[must_use]
    pub const fn kind(self) -> Option<Kind> {
        match self {
            Self::Jpeg | Self::Png | Self::WebP => Some(Kind::Photo),
            Self::Mp3 | Self::Aac | Self::Amr | Self::Wav => Some(Kind::Audio),
            Self::Pdf => Some(Kind::File),
            Self::Film => None,
        }
    }

    /// What it is that may be the largest.
    #[must_use]
    pub const fn largest(self) -> Kind {
        match self.kind() {
            Some(kind) => kind,
            None => Kind::Video,
        }
    }
}

/// Brands of ISO's boxes (ISO/IEC 14496-12) that hold still pictures: they are
/// decoded by nothing that this crate may need, so what is in them cannot be
/// looked at.
const STILL: [&[u8; 4]; 7] = [
    b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1", b"avif",
];

/// The type of a file that begins with these bytes; none where it is not taken.
#[must_use]
pub fn sniff(head: &[u8]) -> Option<Type> {
    let at = |from: usize, what: &[u8]| head.get(from..from + what.len()) == Some(what);
    let sync = |mask: u8, wanted: u8| {
        head.first() == Some(&0xff) && head.get(1).is_some_and(|byte| byte & mask == wanted)
    };
    if at(0, &[0xff, 0xd8, 0xff]) {
        Some(Type::Jpeg)
    } else if at(0, b"\x89PNG\r\n\x1a\n") {
        Some(Type::Png)
    } else if at(0, b"RIFF") && at(8, b"WEBP") {
        Some(Type::WebP)
    } else if at(0, b"RIFF") && at(8, b"WAVE") {
        Some(Type::Wav)
    } else if at(4, b"ftyp") {
        (!STILL.iter().any(|brand| at(8, *brand))).then_some(Type::Film)
    } else if at(0, b"#!AMR") {
        Some(Type::Amr)
    } else if at(0, b"%PDF-") {
        Some(Type::Pdf)
    } else if at(0, b"ID3") || sync(0xe6, 0xe2) {
        // MPEG audio, layer III.
        Some(Type::Mp3)
    } else if sync(0xf6, 0xf0) {
        Some(Type::Aac)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_type_is_read_from_the_first_bytes() {
        let cases: [(&[u8], Option<Type>); 18] = [
            (b"\xff\xd8\xff\xe0", Some(Type::Jpeg)),
            (b"\x89PNG\r\n\x1a\n", Some(Type::Png)),
            (b"RIFF\0\0\0\0WEBPVP8 ", Some(Type::WebP)),
            (b"RIFF\0\0\0\0WAVEfmt ", Some(Type::Wav)),
            (b"RIFF\0\0\0\0AVI LIST", None),
            (b"\0\0\0\x18ftypisom", Some(Type::Film)),
            (b"\0\0\0\x18ftyp3gp4", Some(Type::Film)),
            (b"\0\0\0\x18ftypheic", None),
            (b"#!AMR\n\x3c", Some(Type::Amr)),
            (b"%PDF-1.7\n", Some(Type::Pdf)),
            (b"ID3\x04\0", Some(Type::Mp3)),
            (b"\xff\xfb\x90\x64", Some(Type::Mp3)),
            (b"\xff\xf1\x50\x80", Some(Type::Aac)),
            (b"\xff\xf9\x50\x80", Some(Type::Aac)),
            (b"GIF89a", None),
            (b"a text called photo.jpg", None),
            (b"", None),
            (b"\xff", None),
        ];
        for (head, expected) in cases {
            assert_eq!(sniff(head), expected, "{head:?}");
        }
    }
}
