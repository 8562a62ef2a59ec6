//! Data that people write: a catalogue, a calendar. It is read strictly, and
//! whatever is wrong with it is told with the line at fault.
//!
//! The same data on its way from the server to a phone is read leniently by
//! serde alone, so that an older phone takes what a newer server says.

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use std::collections::HashMap;
use std::fmt;

/// The largest text that is read, in bytes.
pub const MAX_IMPORT_BYTES: usize = 512 * 1024;

/// What is wrong with imported data, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}: line {line}, column {column}, at {at}: {why}")]
pub struct BadData {
    /// `catalogue`, `calendar`.
    pub what: &'static str,
    /// 1-based.
    pub line: usize,
    /// 1-based, in bytes.
    pub column: usize,
    /// The value at fault, such as `categories[2].subs[0].code`.
    pub at: String,
    /// What is wrong with it and what is expected.
    pub why: String,
}

/// One step from a JSON value to a value in it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Key(String),
    Index(usize),
}

/// The way from the whole to one value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Path(Vec<Part>);

impl Path {
    /// The value of a key of this object.
    pub(crate) fn key(&self, name: &str) -> Self {
        self.and(Part::Key(name.to_owned()))
    }

    /// An element of this list.
    pub(crate) fn index(&self, index: usize) -> Self {
        self.and(Part::Index(index))
    }

    fn and(&self, part: Part) -> Self {
        Self(self.0.iter().cloned().chain([part]).collect())
    }

    /// Complains about this value.
    pub(crate) fn fault<T>(&self, why: impl Into<String>) -> Result<T, Fault> {
        Err(Fault {
            at: self.clone(),
            why: why.into(),
        })
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("the whole");
        }
        for (n, part) in self.0.iter().enumerate() {
            match part {
                Part::Index(index) => write!(f, "[{index}]")?,
                Part::Key(name) if n == 0 => f.write_str(name)?,
                Part::Key(name) => write!(f, ".{name}")?,
            }
        }
        Ok(())
    }
}

impl From<&serde_ignored::Path<'_>> for Path {
    fn from(path: &serde_ignored::Path<'_>) -> Self {
        use serde_ignored::Path as P;
        match path {
            P::Root => Self::default(),
            P::Seq { parent, index } => Self::from(*parent).index(*index),
            P::Map { parent, key } => Self::from(*parent).key(key),
            P::Some { parent } | P::NewtypeStruct { parent } | P::NewtypeVariant { parent } => {
                Self::from(*parent)
            }
        }
    }
}

/// Something that is wrong with a value, wherever that is in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    at: Path,
    why: String,
}

/// Reads `json` and has it checked. A key that nobody reads is a fault too: it
/// is a word that somebody mistyped.
pub(crate) fn read<T: DeserializeOwned>(
    what: &'static str,
    json: &str,
    check: impl FnOnce(&T) -> Result<(), Fault>,
) -> Result<T, BadData> {
    let json = json.strip_prefix('\u{feff}').unwrap_or(json);
    let bad = |(line, column), at: &Path, why: String| BadData {
        what,
        line,
        column,
        at: at.to_string(),
        why,
    };
    let whole = Path::default();
    if json.len() > MAX_IMPORT_BYTES {
        let why = format!("{} bytes; at most {MAX_IMPORT_BYTES} are read", json.len());
        return Err(bad((1, 1), &whole, why));
    }
    let unread = &mut None;
    let mut reader = serde_json::Deserializer::from_str(json);
    let value: Result<T, _> = serde_ignored::deserialize(&mut reader, |path| {
        unread.get_or_insert_with(|| Path::from(&path));
    });
    let value = value.and_then(|value| reader.end().map(|()| value));
    let value = value.map_err(|error| {
        let place = (error.line(), error.column());
        bad(place, &whole, without_place(&error))
    })?;
    let known = match unread {
        Some(path) => path.fault("is not a word that is known here"),
        None => Ok(()),
    };
    match known.and_then(|()| check(&value)) {
        Ok(()) => Ok(value),
        Err(fault) => Err(bad(place_of(json, &fault.at), &fault.at, fault.why)),
    }
}

/// The message of serde alone: the place is told apart.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let end = text.rfind(" at line ").unwrap_or(text.len());
    text[..end].to_owned()
}

/// Line and column where the value at `path` begins; where it is missing, of
/// the value that should have it.
fn place_of(json: &str, path: &Path) -> (usize, usize) {
    let mut value = json;
    for part in &path.0 {
        let inner = match part {
            Part::Key(name) => serde_json::from_str::<HashMap<String, &RawValue>>(value)
                .ok()
                .and_then(|map| map.get(name).copied()),
            Part::Index(index) => serde_json::from_str::<Vec<&RawValue>>(value)
                .ok()
                .and_then(|list| list.get(*index).copied()),
        };
        match inner {
            Some(inner) => value = inner.get(),
            None => break,
        }
    }
    // Every raw value is a slice of the text.
    let start = (value.as_ptr() as usize).saturating_sub(json.as_ptr() as usize);
    let before = json.get(..start).unwrap_or_default();
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let lines = before.bytes().filter(|byte| *byte == b'\n').count();
    (lines + 1, start - line_start + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    struct Shelf {
        books: Vec<Book>,
    }

    #[derive(Debug, Deserialize)]
    struct Book {
        title: String,
        #[serde(default)]
        pages: Option<u32>,
    }

    const TEXT: &str = "{\n  \"books\": [\n    { \"title\": \"一\" },\n    { \"title\": \"二\",\n      \"pages\": 0 }\n  ]\n}";

    fn no_pages(shelf: &Shelf) -> Result<(), Fault> {
        let books = Path::default().key("books");
        for (index, book) in shelf.books.iter().enumerate() {
            if book.pages == Some(0) {
                return books.index(index).key("pages").fault("no pages");
            }
            if book.title.is_empty() {
                return books.index(index).key("subtitle").fault("no title");
            }
        }
        Ok(())
    }

    #[test]
    fn a_fault_of_meaning_is_told_with_its_line() {
        let bad = read("shelf", TEXT, no_pages).expect_err("no pages");
        assert_eq!((bad.line, bad.column), (5, 16));
        assert_eq!(
            bad.to_string(),
            "shelf: line 5, column 16, at books[1].pages: no pages"
        );
    }

    #[test]
    fn what_is_missing_is_told_with_the_line_of_what_should_have_it() {
        let text = TEXT.replace("二", "").replace(": 0", ": 1");
        let bad = read("shelf", &text, no_pages).expect_err("no title");
        assert_eq!((bad.line, bad.at.as_str()), (4, "books[1].subtitle"));
    }

    #[test]
    fn a_mistyped_key_is_told_with_its_line() {
        let text = TEXT.replace("pages", "pagse");
        let bad = read("shelf", &text, no_pages).expect_err("mistyped");
        assert_eq!((bad.line, bad.at.as_str()), (5, "books[1].pagse"));
    }

    #[test]
    fn a_fault_of_shape_is_told_with_its_line() {
        for (text, line) in [
            (TEXT.replace(": 0", ": \"many\""), 5),
            (TEXT.replace("{ \"title\": \"一\" }", "{ }"), 3),
            (TEXT.replace(" ]\n}", ""), 6),
            (format!("{TEXT}\n,"), 8),
            (String::new(), 1),
        ] {
            let bad = read("shelf", &text, no_pages).expect_err("misshapen");
            assert_eq!(bad.line, line, "{bad}");
            assert!(!bad.why.contains(" at line "), "{bad}");
        }
    }

    proptest! {
        /// Whatever becomes of a text: an answer that names a line of it.
        #[test]
        fn a_damaged_text_is_refused_with_a_line_of_it_or_still_reads(
            at in any::<prop::sample::Index>(), length in 0_usize..40, with in "\\PC{0,6}",
        ) {
            let good = include_str!("resources/catalogue.json");
            let starts: Vec<usize> = good.char_indices().map(|(start, _)| start).collect();
            let first = at.index(starts.len());
            let end = starts.get(first + length).copied().unwrap_or(good.len());
            let text = format!("{}{with}{}", &good[..starts[first]], &good[end..]);
            if let Err(bad) = crate::Catalogue::parse(&text) {
                let lines = text.lines().count();
                prop_assert!((1..=lines + 1).contains(&bad.line), "{} of {lines}", bad);
            }
        }
    }

    #[test]
    fn a_mark_before_the_text_is_skipped_and_a_giant_is_refused() {
        let marked = format!("\u{feff}{}", TEXT.replace(": 0", ": 9"));
        assert!(read("shelf", &marked, no_pages).is_ok());
        let giant = " ".repeat(MAX_IMPORT_BYTES + 1);
        assert!(read("shelf", &giant, no_pages).is_err());
    }
}
