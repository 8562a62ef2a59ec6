//! The sorts of attachments: of which types each may be, and how large. The one
//! rule, which the phone asks before it stores a file and both sides before
//! they take an op that names one.

use std::fmt;

/// What an attachment is to those who look at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sort {
    /// A picture.
    Photo,
    /// What somebody signed with, as a picture.
    Signature,
    /// A recording of sound.
    Audio,
    /// A film.
    Video,
    /// A document.
    File,
}

impl Sort {
    /// Those that a list for any media takes: a signature is given where one is
    /// asked for.
    pub const MEDIA: [Self; 4] = [Self::Photo, Self::Audio, Self::Video, Self::File];

    /// The largest attachment of any sort, in bytes.
    pub const MOST_BYTES: u64 = Self::Video.most_bytes();

    /// The largest one, in bytes.
    #[must_use]
    pub const fn most_bytes(self) -> u64 {
        const MB: u64 = 1_000_000;
        match self {
            Self::Photo | Self::Audio | Self::File => 20 * MB,
            Self::Signature => MB,
            Self::Video => 100 * MB,
        }
    }

    /// The types that it may have, as media types (RFC 6838).
    #[must_use]
    pub const fn types(self) -> &'static [&'static str] {
        match self {
            Self::Photo | Self::Signature => &["image/jpeg", "image/png", "image/webp"],
            Self::Audio => &[
                "audio/mp4",
                "audio/3gpp",
                "audio/aac",
                "audio/amr",
                "audio/mpeg",
                "audio/wav",
            ],
            Self::Video => &["video/mp4", "video/quicktime", "video/3gpp"],
            Self::File => &["application/pdf"],
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Photo => "photo",
            Self::Signature => "signature",
            Self::Audio => "audio",
            Self::Video => "video",
            Self::File => "file",
        }
    }
}

impl fmt::Display for Sort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::Sort;

    #[test]
    fn none_is_larger_than_the_largest_and_a_type_is_of_one_sort() {
        let mut types: Vec<&str> = Vec::new();
        for sort in Sort::MEDIA {
            assert!(sort.most_bytes() <= Sort::MOST_BYTES, "{sort}");
            types.extend(sort.types().iter());
        }
        let all = types.len();
        types.sort_unstable();
        types.dedup();
        assert_eq!(types.len(), all);
    }
}
