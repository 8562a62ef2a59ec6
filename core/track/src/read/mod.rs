//! Reads track files: CSV and GPX, whole or not at all.
//!
//! A file that cannot be read gives one [`ReadError`] that names the line, what
//! is wrong there and what to do; never a part of the fixes. Values that are
//! numbers but make no sense (a latitude of 91°, NaN) are no fault of the file:
//! they are fixes, and [`crate::filter`] has its rules for them.

mod csv_file;
mod gpx_file;

use gridwalk_domain::Fix;

/// Why a track file cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}; {advice}")]
pub struct ReadError {
    /// The line at fault, counted from 1.
    pub line: u64,
    /// What is wrong there.
    pub problem: Problem,
    /// What whoever has the file can do.
    pub advice: &'static str,
}

/// What is wrong with a line of a track file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The file is not text.
    #[error("the file is not UTF-8 text")]
    NotText,
    /// Neither CSV nor GPX.
    #[error("this is neither a GPX file nor a CSV with a column t_ms")]
    NotATrack,
    /// A column that a CSV must have.
    #[error("the column \"{0}\" is missing")]
    MissingColumn(&'static str),
    /// A line with more or fewer fields than the header.
    #[error("{found} fields where the header has {expected}")]
    WrongFields {
        /// Fields of the header.
        expected: u64,
        /// Fields of the line.
        found: u64,
    },
    /// A field that has to be a number, or an attribute that has to be there.
    #[error("\"{field}\" is {found}, not {expected}")]
    BadValue {
        /// Column or attribute.
        field: &'static str,
        /// What stands there, shortened.
        found: String,
        /// What should stand there.
        expected: &'static str,
    },
    /// The XML is broken.
    #[error("the XML is broken ({0})")]
    BadXml(String),
    /// The file ends before it is complete.
    #[error("the file ends in the middle")]
    CutShort,
    /// No fix in it.
    #[error("there is no track point in the file")]
    Empty,
}

/// Reads a track file, GPX or CSV by what it begins with.
///
/// # Errors
///
/// [`ReadError`] for a file that is neither, or that is broken anywhere.
pub fn any(bytes: &[u8]) -> Result<Vec<Fix>, ReadError> {
    let content = without_mark(bytes).trim_ascii_start();
    if content.first() == Some(&b'<') {
        gpx(bytes)
    } else {
        csv(bytes)
    }
}

/// Reads CSV with a header: `t_ms`, `lat`, `lon`, and where known `alt`, `acc`,
/// `speed`, `bearing` (empty where unknown), `mocked` (1 or 0). Other columns
/// are passed over.
///
/// # Errors
///
/// [`ReadError`] for the first line at fault.
pub fn csv(bytes: &[u8]) -> Result<Vec<Fix>, ReadError> {
    csv_file::read(without_mark(bytes))
}

/// Reads the track points of a GPX file, 1.1 or 1.0, in the order in which
/// they stand. Every point needs a time. Accuracy, speed and bearing are read
/// where one of the usual extensions has them.
///
/// # Errors
///
/// [`ReadError`] for the first place at fault.
pub fn gpx(bytes: &[u8]) -> Result<Vec<Fix>, ReadError> {
    gpx_file::read(without_mark(bytes))
}

/// The content after a byte order mark, which some editors put first.
fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

/// A value for an error message: short, on one line.
fn shown(value: &str) -> String {
    let mut text: String = value
        .chars()
        .take(24)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if value.chars().nth(24).is_some() {
        text.push('…');
    }
    if text.is_empty() {
        "empty".to_owned()
    } else {
        format!("\"{text}\"")
    }
}
