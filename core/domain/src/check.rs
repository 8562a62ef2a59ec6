//! Whether a value may stand in a field: every value has a size, every text is
//! free of control characters.

use chrono::{Datelike as _, NaiveDate};
use serde_json::Value;

use crate::{GridId, Position, Sha256, Sort};

/// Checks a value; says what is wrong and what is expected.
pub type Check = fn(&Value) -> Result<(), String>;

/// The largest value of a field that this version does not know, in bytes.
const MAX_UNKNOWN_BYTES: usize = 8 * 1024;
/// The largest field that it knows and entry of a list, in bytes: a long text in
/// Chinese, and what stands beside it.
const MAX_KNOWN_BYTES: usize = 24 * 1024;
/// The largest thumbnail, in bytes.
const MOST_THUMB_BYTES: u64 = 64 * 1024;
/// The most photos that prove one step.
const MOST_PROOFS: usize = 20;

/// At most `max` characters, none of them a control character but line breaks.
pub(crate) fn text_within(value: &Value, max: usize) -> Result<(), String> {
    let Some(text) = value.as_str() else {
        return Err("expected a text".to_owned());
    };
    let length = text.chars().count();
    if length > max {
        return Err(format!("{length} characters; at most {max} are taken"));
    }
    plain(text)
}

/// No control characters but line breaks.
fn plain(text: &str) -> Result<(), String> {
    let bad = text.chars().any(|c| c.is_control() && c != '\n');
    (!bad)
        .then_some(())
        .ok_or_else(|| "has a control character".to_owned())
}

/// Every text within a value, whatever newer versions put into it.
pub(crate) fn texts(value: &Value) -> Result<(), String> {
    match value {
        Value::String(text) => plain(text),
        Value::Array(all) => all.iter().try_for_each(texts),
        Value::Object(parts) => parts.iter().try_for_each(|(name, part)| {
            plain(name)?;
            texts(part)
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
    }
}

/// A title: one line, 1 to 100 characters.
pub(crate) fn title(value: &Value) -> Result<(), String> {
    text_within(value, 100)?;
    match value.as_str() {
        Some(text) if text.trim().is_empty() => Err("is empty".to_owned()),
        Some(text) if text.contains('\n') => Err("has more than one line".to_owned()),
        _ => Ok(()),
    }
}

/// A long text: at most 5,000 characters.
pub(crate) fn long_text(value: &Value) -> Result<(), String> {
    text_within(value, 5_000)
}

/// A line of at most 200 characters: an address, a remark.
pub(crate) fn line(value: &Value) -> Result<(), String> {
    text_within(value, 200)?;
    match value.as_str() {
        Some(text) if text.contains('\n') => Err("has more than one line".to_owned()),
        _ => Ok(()),
    }
}

/// A code of the catalogue, or another word of ours: 1 to 64 of `a-z 0-9 _ . -`.
pub(crate) fn word(value: &Value) -> Result<(), String> {
    let fits = value.as_str().is_some_and(|text| {
        (1..=64).contains(&text.len())
            && text.bytes().all(|b| {
                b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'.' | b'-')
            })
    });
    fits.then_some(())
        .ok_or_else(|| "expected a code of small letters, digits, _ . -".to_owned())
}

/// An id of ours.
pub(crate) fn id(value: &Value) -> Result<(), String> {
    let fits = value
        .as_str()
        .is_some_and(|text| text.parse::<GridId>().is_ok());
    fits.then_some(())
        .ok_or_else(|| "expected an id (UUID)".to_owned())
}

/// A count or a duration: a whole number from 0 to 10¹⁵.
pub(crate) fn count(value: &Value) -> Result<(), String> {
    let fits = value.as_u64().is_some_and(|n| n <= 1_000_000_000_000_000);
    fits.then_some(())
        .ok_or_else(|| "expected a whole number from 0".to_owned())
}

/// A length in metres: 0 to 10⁷.
pub(crate) fn metres(value: &Value) -> Result<(), String> {
    let fits = value.as_f64().is_some_and(|m| (0.0..=1e7).contains(&m));
    fits.then_some(())
        .ok_or_else(|| "expected metres from 0 to 10,000,000".to_owned())
}

/// A time: milliseconds since 1970, between 2020 and 2100. Phones' clocks are
/// wrong, but a time in a field was meant by its author.
pub(crate) fn time_ms(value: &Value) -> Result<(), String> {
    const FROM_2020: i64 = 1_577_836_800_000;
    const TO_2100: i64 = 4_102_444_800_000;
    let fits = value
        .as_i64()
        .is_some_and(|ms| (FROM_2020..TO_2100).contains(&ms));
    fits.then_some(())
        .ok_or_else(|| "expected a time between 2020 and 2100, in milliseconds".to_owned())
}

/// A place: `{"lat","lon"}` in degrees, WGS-84, with `accuracy_m` where known.
pub(crate) fn place(value: &Value) -> Result<(), String> {
    let position: Position =
        serde_json::from_value(value.clone()).map_err(|_| "expected lat and lon".to_owned())?;
    if !position.is_valid() {
        return Err("lies outside −90…90 and −180…180 degrees".to_owned());
    }
    match value.get("accuracy_m") {
        Some(accuracy) if !accuracy.is_null() => metres(accuracy),
        _ => Ok(()),
    }
}

/// A reference to a photo ([`attachment`]).
pub(crate) fn photo(value: &Value) -> Result<(), String> {
    attachment(value, &[Sort::Photo])
}

/// A reference to a signature: a small picture ([`attachment`]).
pub(crate) fn signature(value: &Value) -> Result<(), String> {
    attachment(value, &[Sort::Signature])
}

/// A reference to a photo, a recording, a film or a document ([`attachment`]).
pub(crate) fn media(value: &Value) -> Result<(), String> {
    attachment(value, &Sort::MEDIA)
}

/// A reference to an attachment: its hash, type and size, of one of these
/// sorts. Where known, the `place` and the time (`taken_ms`) at which it was
/// taken, the `name` of the file or of who signed, and its thumbnail (`thumb`),
/// a reference to a photo.
fn attachment(value: &Value, sorts: &[Sort]) -> Result<(), String> {
    content(value, sorts)?;
    let part = |name| value.get(name).filter(|part| !part.is_null());
    part("place").map_or(Ok(()), place)?;
    part("taken_ms").map_or(Ok(()), time_ms)?;
    part("name").map_or(Ok(()), line)?;
    let small = |thumb: &Value| {
        content(thumb, &[Sort::Photo])?;
        let bytes = thumb.get("bytes").and_then(Value::as_u64);
        let fits = bytes.is_some_and(|bytes| bytes <= MOST_THUMB_BYTES);
        fits.then_some(())
            .ok_or_else(|| format!("bytes: at most {MOST_THUMB_BYTES} are taken"))
    };
    part("thumb").map_or(Ok(()), |thumb| {
        small(thumb).map_err(|why| format!("thumb: {why}"))
    })
}

/// A content by its hash, with its type and size, as one of these sorts has.
fn content(value: &Value, sorts: &[Sort]) -> Result<(), String> {
    let hash = value
        .get("sha256")
        .and_then(Value::as_str)
        .map(str::parse::<Sha256>);
    if !matches!(hash, Some(Ok(_))) {
        return Err("expected sha256 as 64 hex digits".to_owned());
    }
    let mime = value.get("mime").and_then(Value::as_str).unwrap_or("");
    let sort = sorts.iter().find(|sort| sort.types().contains(&mime));
    let Some(sort) = sort else {
        let types: Vec<&str> = sorts
            .iter()
            .flat_map(|sort| sort.types())
            .copied()
            .collect();
        return Err(format!("mime: expected one of {}", types.join(", ")));
    };
    count(value.get("bytes").unwrap_or(&Value::Null)).map_err(|why| format!("bytes: {why}"))?;
    let (bytes, most) = (
        value.get("bytes").and_then(Value::as_u64),
        sort.most_bytes(),
    );
    match bytes {
        Some(bytes) if bytes > most => Err(format!(
            "bytes: {bytes}, and at most {most} are taken ({sort})"
        )),
        _ => Ok(()),
    }
}

/// 1 to `most` references to attachments, each as `one` says.
pub(crate) fn each(value: &Value, most: usize, one: Check) -> Result<(), String> {
    let all = value.as_array().map_or(&[][..], Vec::as_slice);
    if !(1..=most).contains(&all.len()) {
        return Err(format!("expected a list of 1 to {most} attachments"));
    }
    all.iter().try_for_each(one)
}

/// The photos that prove a step.
pub(crate) fn proofs(value: &Value) -> Result<(), String> {
    each(value, MOST_PROOFS, photo)
}

/// A person: `{"name"}`, 1 to 50 characters, with `phone` and `note` where
/// known.
pub(crate) fn person(value: &Value) -> Result<(), String> {
    let part = |name| value.get(name).filter(|part| !part.is_null());
    let name = part("name").unwrap_or(&Value::Null);
    title(name)?;
    text_within(name, 50)?;
    let dialled = |text: &str| {
        (3..=20).contains(&text.len())
            && text
                .bytes()
                .all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b' '))
    };
    if part("phone").is_some_and(|phone| !phone.as_str().is_some_and(dialled)) {
        return Err("expected a telephone number of 3 to 20 digits".to_owned());
    }
    part("note").map_or(Ok(()), line)
}

/// A date: `YYYY-MM-DD`, between 2020 and 2100.
pub(crate) fn date(value: &Value) -> Result<(), String> {
    let date = value.as_str().and_then(parse_date);
    let fits = date.is_some_and(|date| (2020..2100).contains(&date.year()));
    fits.then_some(())
        .ok_or_else(|| "expected a date between 2020 and 2100, as YYYY-MM-DD".to_owned())
}

/// One of these words.
pub(crate) fn one_of(value: &Value, words: &[&str]) -> Result<(), String> {
    let fits = value.as_str().is_some_and(|word| words.contains(&word));
    fits.then_some(())
        .ok_or_else(|| format!("expected one of {}", words.join(", ")))
}

/// Yes, where it is said at all.
pub(crate) fn yes(value: &Value) -> Result<(), String> {
    (value == &Value::Bool(true))
        .then_some(())
        .ok_or_else(|| "expected true".to_owned())
}

/// A comment: `{"text"}`.
pub(crate) fn comment(value: &Value) -> Result<(), String> {
    long_text(value.get("text").unwrap_or(&Value::Null))
}

/// What a newer version wrote: kept as it is, within a size.
pub(crate) fn unknown(value: &Value) -> Result<(), String> {
    texts(value)?;
    bytes_within(value, MAX_UNKNOWN_BYTES)
}

/// A date as `YYYY-MM-DD`, and in no other way.
pub(crate) fn parse_date(text: &str) -> Option<NaiveDate> {
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    (date.to_string() == text).then_some(date)
}

/// What stands in a field that is known, or in a list, whatever newer versions
/// put into it besides.
pub(crate) fn known(value: &Value) -> Result<(), String> {
    texts(value)?;
    bytes_within(value, MAX_KNOWN_BYTES)
}

fn bytes_within(value: &Value, max: usize) -> Result<(), String> {
    let bytes = value.to_string().len();
    if bytes > max {
        return Err(format!("{bytes} bytes; at most {max} are taken"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn good_values_pass_and_bad_ones_say_why() {
        let cases: [(Check, Value, Value); 9] = [
            (title, json!("楼道堆物"), json!("")),
            (title, json!("a"), json!("长".repeat(10_000))),
            (long_text, json!("两行\n字"), json!("\u{7}")),
            (word, json!("fire.stairs"), json!("消防")),
            (
                id,
                json!("0198c5a2-6c1e-4d31-9f0a-3b6f0c1d2e4f"),
                json!("371302"),
            ),
            (count, json!(3), json!(-1)),
            (metres, json!(12.5), json!("12")),
            (time_ms, json!(1_763_769_600_000_i64), json!(0)),
            (
                place,
                json!({"lat": 35.1, "lon": 118.3, "accuracy_m": null}),
                json!({"lat": 91, "lon": 0}),
            ),
        ];
        for (check, good, bad) in cases {
            assert_eq!(check(&good), Ok(()), "{good}");
            let why = check(&bad).expect_err("must be refused");
            assert!(!why.is_empty() && !why.contains("长长"), "{why}");
        }
    }

    #[test]
    fn an_attachment_needs_hash_type_and_size() {
        let good = json!({"sha256": "ab".repeat(32), "mime": "image/jpeg", "bytes": 10});
        assert_eq!(media(&good), Ok(()));
        for missing in ["sha256", "mime", "bytes"] {
            let mut bad = good.clone();
            bad.as_object_mut().expect("an object").remove(missing);
            assert!(media(&bad).is_err(), "{missing}");
        }
    }

    #[test]
    fn what_else_is_told_of_an_attachment_has_its_size_too() {
        let thumb = json!({"sha256": "cd".repeat(32), "mime": "image/jpeg", "bytes": 8_000});
        let good = json!({
            "sha256": "ab".repeat(32), "mime": "video/mp4", "bytes": 10, "thumb": thumb,
            "taken_ms": 1_763_769_600_000_i64, "place": {"lat": 35.1, "lon": 118.3}, "name": "门口.mp4",
        });
        assert_eq!(media(&good), Ok(()));
        for (part, bad) in [
            ("thumb", json!({"sha256": "cd".repeat(32)})),
            (
                "thumb",
                json!({"sha256": "cd".repeat(32), "mime": "image/jpeg", "bytes": 70_000}),
            ),
            ("taken_ms", json!(0)),
            ("place", json!({"lat": 91, "lon": 0})),
            ("name", json!("两\n行")),
        ] {
            let mut wrong = good.clone();
            wrong[part] = bad;
            assert!(media(&wrong).is_err(), "{part}");
            wrong[part] = Value::Null;
            assert_eq!(media(&wrong), Ok(()), "{part}");
        }
    }

    #[test]
    fn a_list_takes_the_types_and_sizes_of_its_sorts() {
        let of = |mime: &str, bytes: u64| json!({"sha256": "ab".repeat(32), "mime": mime, "bytes": bytes});
        let cases: [(Check, &str, u64, &str); 4] = [
            (photo, "image/webp", 20_000_000, "application/pdf"),
            (signature, "image/png", 1_000_000, "image/gif"),
            (media, "video/mp4", 100_000_000, "text/html"),
            (media, "application/pdf", 20_000_000, "image/svg+xml"),
        ];
        for (check, mime, most, never) in cases {
            assert_eq!(check(&of(mime, most)), Ok(()), "{mime}");
            let why = check(&of(mime, most + 1)).expect_err("too large");
            assert!(why.contains(&most.to_string()), "{why}");
            let why = check(&of(never, 1)).expect_err("of another type");
            assert!(why.contains(mime), "{why}");
        }
        let mut film = of("video/mp4", 5);
        film["thumb"] = of("video/mp4", 5);
        assert!(media(&film).is_err(), "a thumbnail is a picture");
    }

    #[test]
    fn nothing_hides_a_control_character() {
        for good in [json!({"a": ["一\n二", 1, null, {"b": true}]}), json!("")] {
            assert_eq!(unknown(&good), Ok(()));
            assert_eq!(known(&good), Ok(()));
        }
        for bad in [
            json!("\u{0}"),
            json!({"a": ["\u{1b}[2J"]}),
            json!([{"\u{0}": 1}]),
        ] {
            assert!(unknown(&bad).is_err() && known(&bad).is_err(), "{bad}");
        }
    }
}
