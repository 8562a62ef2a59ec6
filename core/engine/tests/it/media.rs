//! What is attached: of every kind, its thumbnail first, and nothing of the
//! place in it. And what is no such thing.

use gridwalk_domain::{EntityId, Sha256, kind};
use gridwalk_engine::media::Kind;
use gridwalk_engine::{
    Content, Engine, EngineError, Network, NewAttachment, NewIncident, NewPhoto, Policy, SendState,
    StepWords, SyncOptions,
};
use serde_json::json;
use std::fs::{self, File};
use std::io::Cursor;

use crate::server::FakeServer;
use crate::support::{Phone, SECRET, noise, png, secret_png};
use crate::talk::{report, sync};

fn boxed(name: &[u8; 4], contents: &[u8]) -> Vec<u8> {
    let size = u32::try_from(contents.len() + 8).expect("small");
    [&size.to_be_bytes(), name.as_slice(), contents].concat()
}

/// A film, or a recording, with the place in it; its samples have this length.
pub(crate) fn film(handler: &[u8; 4], length: usize) -> Vec<u8> {
    let hdlr = [&[0; 8], handler.as_slice(), &[0; 12]].concat();
    let mdia = boxed(b"mdia", &boxed(b"hdlr", &hdlr));
    let moov = [
        boxed(b"mvhd", &[0; 100]),
        boxed(b"trak", &mdia),
        boxed(b"udta", &boxed(b"\xa9xyz", SECRET)),
    ];
    let samples: Vec<u8> = (0..length)
        .map(|n| u8::try_from(n % 251).expect("small"))
        .collect();
    let all = [
        boxed(b"ftyp", b"isom\0\0\0\0isom"),
        boxed(b"mdat", &samples),
        boxed(b"moov", &moov.concat()),
    ];
    all.concat()
}

pub(crate) fn jpeg(width: u32, height: u32) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    let image = noise(9, width, height);
    image
        .write_to(&mut out, image::ImageFormat::Jpeg)
        .expect("writes");
    let out = out.into_inner();
    let length = u16::try_from(SECRET.len() + 8).expect("small");
    let exif = [
        &[0xff, 0xe1],
        length.to_be_bytes().as_slice(),
        b"Exif\0\0",
        SECRET,
    ]
    .concat();
    [&out[..2], &exif, &out[2..]].concat()
}

fn bytes(bytes: Vec<u8>) -> NewAttachment {
    NewAttachment::new(Content::Bytes(bytes))
}

pub(crate) fn shows(bytes: &[u8], what: &[u8]) -> bool {
    bytes.windows(what.len()).any(|window| window == what)
}

/// The files of attachments.
pub(crate) fn files(phone: &Phone) -> usize {
    fs::read_dir(phone.beside("-blobs")).map_or(0, Iterator::count)
}

fn refused(engine: &Engine, record: EntityId, new: Vec<NewAttachment>) -> (u32, &'static str) {
    match engine.attach_all(record, new) {
        Err(EngineError::NotTaken { index, why }) => (index, why.code()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_no_such_file_is_refused_by_name_and_nothing_is_stored() {
    let (phone, server) = (Phone::new(true), FakeServer::new());
    let engine = phone.enrolled(&server);
    engine.start_shift(None).expect("begins");
    let record = report(&engine, "甲", &[]);
    let before = engine.status().expect("reads").unsent;

    // 200 MB of film, of which the disk holds the head alone.
    let long = phone.folder().join("long.mp4");
    fs::write(&long, film(b"vide", 10)).expect("writes");
    let file = File::options().write(true).open(&long).expect("opens");
    file.set_len(200_000_000).expect("grows");
    // A few bytes that say they are 2.5 gigapixels.
    let mut bomb = png(1);
    bomb[16..24].copy_from_slice(&[50_000_u32.to_be_bytes(); 2].concat());
    let crc = img_parts::png::PngChunk::new(*b"IHDR", bomb[16..29].to_vec().into());
    let crc = crc.encoder().bytes();
    bomb[29..33].copy_from_slice(&crc[crc.len() - 4..]);
    let text = phone.folder().join("photo.jpg");
    fs::write(&text, "这是一段文字").expect("writes");
    let [picture, clip] = [jpeg(400, 300), film(b"vide", 1000)];

    for (new, code) in [
        (NewAttachment::new(Content::File(long)), "file_too_large"),
        (bytes(vec![7; 21_000_000]), "file_unknown_type"),
        (
            bytes([png(1), vec![0; 20_000_000]].concat()),
            "file_too_large",
        ),
        (bytes(bomb), "file_too_many_pixels"),
        (NewAttachment::new(Content::File(text)), "file_unknown_type"),
        (bytes(picture[..picture.len() / 2].to_vec()), "file_broken"),
        (bytes(clip[..clip.len() - 1].to_vec()), "file_broken"),
        (bytes(vec![]), "file_empty"),
        (
            NewAttachment::new(Content::File(phone.folder().join("gone"))),
            "file_unreadable",
        ),
        (bytes(boxed(b"ftyp", b"heic\0\0\0\0")), "file_unknown_type"),
        (
            NewAttachment {
                wanted: Some(Kind::Photo),
                ..bytes(clip)
            },
            "file_wrong_kind",
        ),
        (
            NewAttachment::signature(jpeg(2000, 1500), "某人".to_owned()),
            "file_too_large",
        ),
    ] {
        // A good one before it is not stored either.
        let all = vec![bytes(picture.clone()), new];
        assert_eq!(refused(&engine, record, all), (1, code));
    }
    assert_eq!(engine.status().expect("reads").unsent, before);
    assert_eq!(files(&phone), 0);
}

#[test]
fn of_photos_recordings_and_films_the_place_stays_on_the_phone() {
    let (phone, server) = (Phone::new(true), FakeServer::new());
    let engine = phone.on_patrol(&server);
    let record = report(&engine, "甲", &[]);
    phone.walk(&engine, 3);
    let clip = phone.folder().join("clip.mp4");
    fs::write(&clip, film(b"vide", 300_000)).expect("writes");
    let wave = [
        b"RIFF\0\0\0\0WAVE".to_vec(),
        [b"fmt \x10\0\0\0".as_slice(), &[1; 16]].concat(),
        [b"LIST\x16\0\0\0".as_slice(), SECRET].concat(),
        [b"data\x04\0\0\0".as_slice(), &[1; 4]].concat(),
    ];
    let named = NewAttachment {
        name: Some("门口.mp4".to_owned()),
        taken_ms: Some(phone.clock.true_ms() - 60_000),
        poster: Some(jpeg(640, 360)),
        ..NewAttachment::new(Content::File(clip.clone()))
    };
    let all = vec![
        bytes(jpeg(800, 600)),
        bytes(secret_png(&noise(1, 400, 300))),
        named,
        bytes(film(b"soun", 5000)),
        bytes(wave.concat()),
        bytes(b"%PDF-1.4\n%%EOF\n".to_vec()),
    ];
    let hashes = engine.attach_all(record, all).expect("attaches");
    let view = engine.incident(record).expect("there");
    let types = |all: &[gridwalk_engine::PhotoView]| {
        let mut types: Vec<_> = all.iter().map(|one| one.mime.clone()).collect();
        types.sort_unstable();
        types
    };
    assert_eq!(types(&view.photos), ["image/jpeg", "image/png"]);
    assert_eq!(
        types(&view.media),
        ["application/pdf", "audio/mp4", "audio/wav", "video/mp4"]
    );
    for one in view.photos.iter().chain(&view.media) {
        let seen = one.mime.starts_with("image/") || one.mime.starts_with("video/");
        assert_eq!(one.thumb.is_some(), seen, "{}", one.mime);
        let named = (one.sha256 == hashes[2]).then_some("门口.mp4");
        assert_eq!(one.name.as_deref(), named);
    }
    let done = sync(&engine, &server).expect("syncs");
    assert_eq!(done.blobs_sent, 6, "thumbnails aside");
    server.with(|state| {
        assert_eq!(state.blobs.len(), 9);
        for bytes in state.blobs.values() {
            assert!(!shows(bytes, SECRET) && !shows(bytes, b"Exif"));
        }
        let film = &state.blobs[&hashes[2]];
        let file = fs::read(&clip).expect("reads");
        assert_eq!(film.len(), file.len());
        assert!(shows(&file, SECRET), "the worker's own file is left alone");
        for thumb in view.photos.iter().filter_map(|photo| photo.thumb.as_ref()) {
            assert!(state.blobs[&thumb.sha256].len() <= 20_000);
        }
        let taken = state
            .state(record)
            .expect("there")
            .list(kind::incident::MEDIA);
        let film = taken.iter().map(|entry| &entry.value);
        let film = film.clone().find(|value| value["mime"] == "video/mp4");
        let minute_ago = json!(phone.clock.true_ms() - 60_000);
        assert_eq!(film.expect("there")["taken_ms"], minute_ago);
        // Where it was taken is told by us, of what was taken now.
        let photos = state.state(record).expect("there").list("photos");
        for entry in photos {
            assert!((entry.value["place"]["lat"].as_f64().expect("told") - 35.1).abs() < 0.01);
        }
        for entry in taken {
            let placed = entry.value["mime"]
                .as_str()
                .is_some_and(|mime| mime.starts_with("audio/"));
            assert_eq!(entry.value["place"].is_object(), placed, "{}", entry.value);
        }
    });
    assert_eq!(
        engine.incident(record).expect("there").send,
        SendState::Sent
    );
    let mut out = Vec::new();
    let count = engine.copy_attachment(hashes[2], &mut out).expect("reads");
    assert_eq!((count, Sha256::of(&out)), (out.len() as u64, hashes[2]));
}

/// A report with a photo of its own size, and what the phone calls them.
fn with_thumb(engine: &Engine, title: &str) -> (EntityId, Sha256, Sha256) {
    let new = NewIncident {
        category: "hygiene".into(),
        title: title.into(),
        photos: vec![gridwalk_engine::NewPhoto {
            bytes: jpeg(1000, 750),
            mime: String::new(),
        }],
        ..NewIncident::default()
    };
    let id = engine.report_incident(new).expect("reports");
    let photo = engine.incident(id).expect("there").photos.remove(0);
    (id, photo.sha256, photo.thumb.expect("has one").sha256)
}

#[test]
fn thumbnails_go_first_and_over_any_network() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = phone.enrolled(&server);
    engine.start_shift(None).expect("begins");
    let small = report(&engine, "没有缩略图", &[1]);
    let (id, photo, thumb) = with_thumb(&engine, "甲");
    let unsent = engine.status().expect("reads").unsent;
    assert_eq!(unsent.blobs, 2, "a picture and its thumbnail are one");
    let metered = SyncOptions {
        network: Network::Metered,
        ..SyncOptions::default()
    };
    let done = engine.sync(&server, metered.clone()).expect("syncs");
    assert_eq!(done.blobs_sent, 0);
    server.with(|state| {
        assert!(state.blobs.contains_key(&thumb) && !state.blobs.contains_key(&photo));
        let shown = state.state(id).expect("there").blobs();
        assert_eq!(shown, [photo, thumb].into(), "both are named");
    });
    assert_eq!(engine.incident(id).expect("there").send, SendState::Waiting);
    assert_eq!(engine.status().expect("reads").unsent.blobs, 2);
    let next = engine.next_sync(Network::Metered).expect("reads");
    assert!(
        matches!(next, gridwalk_engine::NextSync::In { .. }),
        "{next:?}"
    );

    // Another one, and all may go: its thumbnail is before the older photos.
    let (later, ..) = with_thumb(&engine, "乙");
    let next = engine.next_sync(Network::Metered).expect("reads");
    assert_eq!(next, gridwalk_engine::NextSync::Now);
    engine.sync(&server, SyncOptions::default()).expect("syncs");
    for id in [small, id, later] {
        assert_eq!(engine.incident(id).expect("there").send, SendState::Sent);
    }
    assert_eq!(engine.status().expect("reads").unsent.blobs, 0);
}

#[test]
fn a_record_is_sent_when_the_proofs_of_its_steps_are_too() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = phone.enrolled(&server);
    engine.start_shift(None).expect("begins");
    let id = report(&engine, "甲", &[]);
    let proven = |picture: Vec<u8>| StepWords {
        note: Some("已清理".into()),
        photos: vec![NewPhoto {
            bytes: picture,
            mime: String::new(),
        }],
        ..StepWords::default()
    };
    engine
        .take(id, "handle", proven(jpeg(640, 480)))
        .expect("steps");
    let proofs = engine.record_of(id).expect("there").history[1].with["photos"].clone();
    assert_eq!(proofs.as_array().map(Vec::len), Some(1));
    assert!(proofs[0]["thumb"]["sha256"].is_string());
    let metered = SyncOptions {
        network: Network::Metered,
        ..SyncOptions::default()
    };
    engine.sync(&server, metered).expect("syncs");
    assert_eq!(engine.incident(id).expect("there").send, SendState::Waiting);
    sync(&engine, &server).expect("syncs");
    assert_eq!(engine.incident(id).expect("there").send, SendState::Sent);
    assert_eq!(server.with(|state| state.blobs.len()), 2);
    // A step that is not allowed stores no row of its proofs.
    let wrong = engine.take(id, "verify", proven(jpeg(500, 480)));
    assert!(
        matches!(wrong, Err(EngineError::Invalid { .. })),
        "{wrong:?}"
    );
    assert_eq!(engine.status().expect("reads").unsent.blobs, 0);
}

#[test]
fn a_photo_that_is_purged_takes_its_thumbnail_with_it() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = phone.enrolled(&server);
    engine.start_shift(None).expect("begins");
    let (id, photo, thumb) = with_thumb(&engine, "甲");
    sync(&engine, &server).expect("syncs");
    assert_eq!(files(&phone), 2);
    server.with(|state| state.purge_blob(photo));
    sync(&engine, &server).expect("syncs");
    assert_eq!(files(&phone), 0);
    for gone in [photo, thumb] {
        assert_eq!(engine.photo(gone), Err(EngineError::NotFound));
    }
    assert!(!engine.incident(id).expect("there").photos[0].here);
}

#[test]
fn a_file_that_a_record_has_no_place_for_is_refused() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = phone.on_patrol(&server);
    let patrol = engine.status().expect("reads").patrol.expect("runs").id;
    let wrong = engine.attach_all(patrol, vec![bytes(jpeg(400, 300))]);
    assert!(
        matches!(&wrong, Err(EngineError::Invalid { field, .. }) if field == "attachment"),
        "{wrong:?}"
    );
    assert_eq!(engine.status().expect("reads").unsent.blobs, 0);
}

#[test]
fn the_policy_of_an_older_version_keeps_fetched_files_too() {
    let old = r#"{"routes_on_metered":false,"photos_on_metered":true,"keep_routes_days":20}"#;
    let read: Policy = serde_json::from_str(old).expect("reads");
    assert_eq!(read.keep_fetched_mb, Policy::default().keep_fetched_mb);
}
