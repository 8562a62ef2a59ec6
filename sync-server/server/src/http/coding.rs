//! zstd, both ways, with bounds: a small body must not unfold into a large one.

use std::borrow::Cow;
use std::io::Read as _;

use crate::error::Fault;

/// The largest window that is unfolded, as a power of two: 8 MiB.
const MOST_WINDOW_LOG: u32 = 23;
/// Smaller answers are not worth it.
const LEAST_ANSWER: usize = 300;
const LEVEL: i32 = 3;

/// A request's body, uncompressed.
pub(super) fn decode<'a>(
    encoding: Option<&str>,
    body: &'a [u8],
    most: usize,
) -> Result<Cow<'a, [u8]>, Fault> {
    let plain = match encoding.map(str::trim) {
        None | Some("" | "identity") => Cow::Borrowed(body),
        Some(name) if name.eq_ignore_ascii_case("zstd") => Cow::Owned(unfold(body, most)?),
        Some(_) => {
            let text = "Content-Encoding: only zstd is taken.";
            return Err(Fault::new(415, "bad_encoding", text));
        }
    };
    if plain.len() > most {
        return Err(Fault::too_large(most));
    }
    Ok(plain)
}

fn unfold(body: &[u8], most: usize) -> Result<Vec<u8>, Fault> {
    let bad = |_| Fault::bad_request("The body cannot be read as zstd.");
    let mut decoder = zstd::stream::read::Decoder::with_buffer(body).map_err(bad)?;
    decoder.window_log_max(MOST_WINDOW_LOG).map_err(bad)?;
    let mut plain = Vec::new();
    // One byte more than is taken, so that more can be told from just enough.
    decoder
        .take(most as u64 + 1)
        .read_to_end(&mut plain)
        .map_err(bad)?;
    Ok(plain)
}

/// An answer's body, compressed where the phone takes it and it is worth it.
pub(super) fn encode(accepted: Option<&str>, body: &[u8]) -> Option<Vec<u8>> {
    let takes = accepted.is_some_and(|list| {
        list.split(',').any(|name| {
            name.split(';')
                .next()
                .is_some_and(|n| n.trim().eq_ignore_ascii_case("zstd"))
        })
    });
    if !takes || body.len() < LEAST_ANSWER {
        return None;
    }
    zstd::stream::encode_all(body, LEVEL)
        .ok()
        .filter(|packed| packed.len() < body.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_unpacked_within_its_bound() {
        let body = b"patrol ".repeat(1000);
        let packed = encode(Some("gzip, zstd;q=0.5"), &body).expect("worth it");
        assert!(packed.len() < 100);
        assert_eq!(
            decode(Some("zstd"), &packed, body.len()).as_deref(),
            Ok(&body[..])
        );
        let error = decode(Some("zstd"), &packed, body.len() - 1).expect_err("too large");
        assert_eq!(error.status, 413);
        assert_eq!(decode(None, &body, 10).expect_err("too large").status, 413);
        assert_eq!(
            decode(Some("zstd"), b"no zstd", 10)
                .expect_err("bad")
                .status,
            400
        );
        assert_eq!(
            decode(Some("br"), b"", 10).expect_err("unknown").status,
            415
        );
        assert!(encode(None, &body).is_none() && encode(Some("zstd"), b"short").is_none());
    }

    #[test]
    fn a_bomb_is_not_unfolded() {
        let bomb = zstd::stream::encode_all(std::io::repeat(0).take(256 << 20), 3).expect("packs");
        assert!(bomb.len() < 64 * 1024, "{}", bomb.len());
        assert_eq!(
            decode(Some("zstd"), &bomb, 1 << 20)
                .expect_err("refused")
                .status,
            413
        );
    }
}
