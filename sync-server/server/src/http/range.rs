//! An attachment as an answer: all of it, or the range that was asked for
//! (RFC 9110, 13 and 14). Its hash is its tag: content never changes.

use gridwalk_store::BlobRow;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::ops::Range;

use super::message::{Body, Request, Response};
use crate::blobs::Bytes;
use crate::error::Error;

/// What is to be sent of so many bytes.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    Whole,
    Range(Range<u64>),
    /// It begins behind the end.
    Outside,
}

/// An attachment's bytes, or those of them that the request asks for.
pub(super) fn answer(request: &Request, row: &BlobRow, bytes: Bytes) -> Result<Response, Error> {
    let tag = format!("\"{}\"", row.sha256);
    let response = match part(request, &tag, row.bytes) {
        _ if is_known(request, &tag) => Response::empty(304),
        Part::Whole => sent(200, bytes, 0..row.bytes)?,
        Part::Range(range) => {
            let told = format!("bytes {}-{}/{}", range.start, range.end - 1, row.bytes);
            sent(206, bytes, range)?.with("content-range", told)
        }
        Part::Outside => {
            let told = format!("bytes */{}", row.bytes);
            return Ok(Response::empty(416).with("content-range", told));
        }
    };
    Ok(response
        .with("etag", tag)
        .with("accept-ranges", "bytes")
        .with("cache-control", "private, max-age=31536000, immutable"))
}

fn sent(status: u16, mut bytes: Bytes, range: Range<u64>) -> Result<Response, Error> {
    let length = range.end - range.start;
    bytes.seek(SeekFrom::Start(range.start))?;
    let mut response = Response::empty(status);
    response.body = Body::Stream {
        length,
        bytes: Box::new(bytes.take(length)),
    };
    Ok(response)
}

/// Whether the asker says that it has the content.
fn is_known(request: &Request, tag: &str) -> bool {
    let mut known = request.header("if-none-match").unwrap_or("").split(',');
    known.any(|known| known.trim().trim_start_matches("W/") == tag || known.trim() == "*")
}

/// A range that cannot be read, one of several, and one of other content than
/// ours are no range: all is sent.
fn part(request: &Request, tag: &str, length: u64) -> Part {
    let other = request.header("if-range").is_some_and(|same| same != tag);
    match request.header("range") {
        Some(range) if !other => read(range, length).unwrap_or(Part::Whole),
        _ => Part::Whole,
    }
}

fn read(range: &str, length: u64) -> Option<Part> {
    let (unit, range) = range.split_once('=')?;
    let (first, last) = range.trim().split_once('-')?;
    if !unit.eq_ignore_ascii_case("bytes") {
        return None;
    }
    let range = match (first, last) {
        ("", last) => length.saturating_sub(number(last)?)..length,
        (first, "") => number(first)?..length,
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            if last < first {
                return None;
            }
            first..length.min(last.saturating_add(1))
        }
    };
    Some(if range.start < length {
        Part::Range(range)
    } else {
        Part::Outside
    })
}

/// Digits and nothing else.
fn number(text: &str) -> Option<u64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_read_as_the_standard_says() {
        for (range, expected) in [
            ("bytes=0-0", Some(Part::Range(0..1))),
            ("bytes=2-5", Some(Part::Range(2..6))),
            ("Bytes=2-5", Some(Part::Range(2..6))),
            ("bytes=7-", Some(Part::Range(7..10))),
            ("bytes=-3", Some(Part::Range(7..10))),
            ("bytes=-99", Some(Part::Range(0..10))),
            ("bytes=9-99", Some(Part::Range(9..10))),
            ("bytes=0-18446744073709551615", Some(Part::Range(0..10))),
            ("bytes=10-", Some(Part::Outside)),
            ("bytes=-0", Some(Part::Outside)),
            ("bytes=5-2", None),
            ("bytes=-", None),
            ("bytes=0-1,4-5", None),
            ("bytes=+1-5", None),
            ("bytes=99999999999999999999-", None),
            ("lines=1-2", None),
            ("bytes", None),
        ] {
            assert_eq!(read(range, 10), expected, "{range}");
        }
    }
}
