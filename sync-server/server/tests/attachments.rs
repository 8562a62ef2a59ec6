//! Attachments: tus's checksum and expiration, and downloads by range.
#![allow(clippy::expect_used, reason = "what fails here fails the test")]

mod common;

use base64::Engine as _;
use common::phone::Answer;
use common::{BASE, Phone, World, world};
use gridwalk_domain::Sha256;
use gridwalk_store::Role;
use serde_json::json;
use sha2::Digest as _;

const DAY_MS: i64 = 24 * 3_600_000;
/// The head of a JPEG of 16 × 16 pixels, and some bytes.
const CONTENT: &[u8] =
    b"\xff\xd8\xff\xc0\0\x0b\x08\0\x10\0\x10\x01\x01\x11\0 hello world, this is what was seen";

fn begun(phone: &Phone) -> String {
    let begun = phone.begin_upload(Sha256::of(CONTENT), CONTENT.len());
    begun.header("location").expect("a location").to_owned()
}

fn sum(name: &str, bytes: &[u8]) -> String {
    let hash = match name {
        "sha1" => sha1::Sha1::digest(bytes).to_vec(),
        _ => sha2::Sha256::digest(bytes).to_vec(),
    };
    let hash = base64::engine::general_purpose::STANDARD.encode(hash);
    format!("{name} {hash}")
}

fn summed(phone: &Phone, path: &str, offset: usize, bytes: &[u8], checksum: &str) -> Answer {
    let offset = offset.to_string();
    let headers = [
        ("content-type", "application/offset+octet-stream"),
        ("upload-offset", offset.as_str()),
        ("upload-checksum", checksum),
    ];
    phone.tus("PATCH", path, &headers, bytes)
}

#[test]
fn a_piece_with_another_checksum_is_not_kept() {
    let world = world();
    let phone = world.phone("王", BASE[0]);
    let path = begun(&phone);
    let (first, rest) = CONTENT.split_at(10);
    let kept = summed(&phone, &path, 0, first, &sum("sha256", first));
    assert_eq!((kept.status, kept.offset()), (204, 10));
    for name in ["sha1", "sha256"] {
        let mut bent = rest.to_vec();
        bent[3] ^= 1;
        let bad = summed(&phone, &path, 10, &bent, &sum(name, rest));
        assert_eq!(
            (bad.status, bad.code().as_str()),
            (460, "checksum_mismatch")
        );
        let stands = phone.tus("HEAD", &path, &[], b"");
        assert_eq!((stands.status, stands.offset()), (200, 10), "{name}");
    }
    for strange in ["md5 XrY7u+Ae7tCTyyK7j1rNww==", "sha1 x", "sha256"] {
        let refused = summed(&phone, &path, 10, rest, strange);
        assert_eq!(
            (refused.status, refused.code().as_str()),
            (400, "bad_request")
        );
    }
    let done = summed(&phone, &path, 10, rest, &sum("sha1", rest));
    assert_eq!((done.status, done.offset()), (204, CONTENT.len() as u64));
    let holdings = world.service.admin().holdings(None).expect("holdings");
    assert_eq!(holdings.attachments, [Sha256::of(CONTENT)]);
}

/// What clients do that look at no offset in the answer to POST.
#[test]
fn content_that_is_here_is_whole_for_an_empty_piece_at_its_end() {
    let world = world();
    let phone = world.phone("王", BASE[0]);
    phone.upload(CONTENT);
    let length = CONTENT.len() as u64;
    let other = world.phone("李", BASE[0]);
    let path = begun(&other);
    let again = other.patch(&path, 0, CONTENT);
    assert_eq!((again.status, again.code().as_str()), (409, "wrong_offset"));
    let done = other.patch(&path, length, b"");
    assert_eq!((done.status, done.offset()), (204, length));
    let receipt = done.header("gridwalk-receipt").expect("a receipt");
    let asked = other.tus("HEAD", &path, &[], b"");
    assert_eq!(asked.header("gridwalk-receipt"), Some(receipt));
    let more = other.patch(&path, length, b"and more");
    assert_eq!((more.status, more.code().as_str()), (400, "bad_request"));
    assert_eq!(other.tus("HEAD", &path, &[], b"").offset(), length);
}

#[test]
fn an_upload_says_when_it_expires_and_then_is_gone() {
    let world = world();
    let phone = world.phone("王", BASE[0]);
    let path = begun(&phone);
    let told = |answer: &Answer| answer.header("upload-expires").map(str::to_owned);
    let first = "Sat, 28 Nov 2026 00:00:00 GMT";
    let asked = phone.tus("HEAD", &path, &[], b"");
    assert_eq!(told(&asked).as_deref(), Some(first));
    world.clock.turn(DAY_MS);
    let again = phone.begin_upload(Sha256::of(CONTENT), CONTENT.len());
    assert_eq!(told(&again).as_deref(), Some(first), "no byte came");
    let kept = phone.patch(&path, 0, &CONTENT[..10]);
    assert_eq!(
        told(&kept).as_deref(),
        Some("Sun, 29 Nov 2026 00:00:00 GMT")
    );
    world.clock.turn(7 * DAY_MS);
    world.service.maintain().expect("maintains");
    assert_eq!(
        phone.tus("HEAD", &path, &[], b"").offset(),
        10,
        "to the end"
    );
    world.clock.turn(1);
    world.service.maintain().expect("maintains");
    assert_eq!(phone.tus("HEAD", &path, &[], b"").status, 404);
    let done = phone.patch(&begun(&phone), 0, CONTENT);
    assert_eq!(
        (done.status, told(&done)),
        (204, None),
        "what is whole stays"
    );
}

/// An incident with a photo; its path for phones.
fn photographed(phone: &mut Phone) -> String {
    let op = phone.incident("楼道堆放杂物");
    phone.push_one(&op);
    let photo = phone.upload(CONTENT);
    let entry = json!({"sha256": photo, "mime": "image/jpeg", "bytes": CONTENT.len()});
    let entry = phone.append(op.entity, "photos", entry);
    phone.push_one(&entry);
    format!("/v1/blobs/{photo}")
}

fn get(phone: &Phone, path: &str, headers: &[(&'static str, &str)]) -> Answer {
    phone.send("GET", path, headers, b"")
}

#[test]
fn a_download_goes_on_where_it_was_cut() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    let path = photographed(&mut phone);
    let whole = get(&phone, &path, &[]);
    assert_eq!((whole.status, &whole.body[..]), (200, CONTENT));
    assert_eq!(whole.header("accept-ranges"), Some("bytes"));
    assert_eq!(whole.header("content-type"), Some("image/jpeg"));
    let tag = whole.header("etag").expect("a tag").to_owned();
    assert_eq!(tag, format!("\"{}\"", Sha256::of(CONTENT)));

    let rest = get(&phone, &path, &[("range", "bytes=10-"), ("if-range", &tag)]);
    assert_eq!((rest.status, &rest.body[..]), (206, &CONTENT[10..]));
    let length = CONTENT.len();
    let told = format!("bytes 10-{}/{length}", length - 1);
    assert_eq!(rest.header("content-range"), Some(told.as_str()));
    let middle = get(&phone, &path, &[("range", "bytes=3-7")]);
    assert_eq!((middle.status, &middle.body[..]), (206, &CONTENT[3..8]));
    let last = get(&phone, &path, &[("range", "bytes=-4")]);
    assert_eq!((last.status, &last.body[..]), (206, &CONTENT[length - 4..]));

    let other = get(
        &phone,
        &path,
        &[("range", "bytes=10-"), ("if-range", "\"x\"")],
    );
    assert_eq!(
        (other.status, &other.body[..]),
        (200, CONTENT),
        "other content"
    );
    let many = get(&phone, &path, &[("range", "bytes=0-1,4-5")]);
    assert_eq!((many.status, &many.body[..]), (200, CONTENT));
    let outside = get(&phone, &path, &[("range", "bytes=999-")]);
    let told = format!("bytes */{length}");
    assert_eq!(
        (
            outside.status,
            outside.header("content-range"),
            outside.body.len()
        ),
        (416, Some(told.as_str()), 0)
    );
    let known = get(&phone, &path, &[("if-none-match", &tag)]);
    assert_eq!((known.status, known.body.len()), (304, 0));
}

fn statuses(world: &World, phone: &Phone, path: &str) -> (u16, u16) {
    let neighbour = world.phone("李", BASE[1]);
    (
        get(phone, path, &[]).status,
        get(&neighbour, path, &[]).status,
    )
}

#[test]
fn a_phone_downloads_what_its_records_show_and_nothing_else() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    let path = photographed(&mut phone);
    assert_eq!(statuses(&world, &phone, &path), (200, 404));
    let colleague = world.phone("张", BASE[0]);
    assert_eq!(get(&colleague, &path, &[]).status, 200);
    let unshown = phone.upload(b"no record shows this");
    let unshown = format!("/v1/blobs/{unshown}");
    assert_eq!(statuses(&world, &phone, &unshown), (404, 404));
    let stranger = Phone {
        token: "0".repeat(64),
        ..phone.clone()
    };
    assert_eq!(get(&stranger, &path, &[]).status, 401);
    for strange in ["/v1/blobs/x", "/v1/blobs/..%2f..%2fetc", "/v1/blobs/"] {
        assert_eq!(get(&phone, strange, &[]).status, 404, "{strange}");
    }
}

#[test]
fn the_page_reads_by_range_too() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    let path = photographed(&mut phone).replace("/v1/", "/api/");
    let cookie = world.login("督导", Role::Community, "371302001001");
    let headers = [("cookie", cookie.as_str()), ("range", "bytes=4-8")];
    let part = phone.line.send("GET", &path, &headers, b"");
    assert_eq!((part.status, &part.body[..]), (206, &CONTENT[4..9]));
    assert_eq!(part.header("content-disposition"), Some("inline"));
}
