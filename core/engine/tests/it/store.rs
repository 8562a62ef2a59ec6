//! The file: keys, damage, two openers, a full disk.

use gridwalk_engine::{Engine, EngineError, Key32, NewIncident};
use std::fs;

use crate::media::files;
use crate::server::FakeServer;
use crate::support::Phone;
use crate::talk::report;

#[test]
fn two_engines_do_not_share_a_file() {
    let phone = Phone::new(false);
    let engine = phone.open();
    assert_eq!(Engine::open(phone.config()).err(), Some(EngineError::InUse));
    drop(engine);
    phone.open();
}

#[test]
fn a_wrong_key_is_told_and_touches_nothing() {
    for (made_with, opened_with) in [
        (Some(Key32::new([7; 32])), Some(Key32::new([8; 32]))),
        (Some(Key32::new([7; 32])), None),
        (None, Some(Key32::new([8; 32]))),
    ] {
        for lock_kept in [true, false] {
            let mut phone = Phone::new(false);
            phone.key = made_with.clone();
            let server = FakeServer::new();
            let engine = phone.on_patrol(&server);
            phone.walk(&engine, 5);
            drop(engine);
            if !lock_kept {
                fs::remove_file(phone.beside("-lock")).expect("there");
            }
            phone.key = opened_with.clone();
            assert_eq!(
                Engine::open(phone.config()).err(),
                Some(EngineError::WrongKey)
            );
            phone.key = made_with.clone();
            assert_eq!(
                phone
                    .open()
                    .status()
                    .expect("reads")
                    .patrol
                    .expect("running")
                    .fixes,
                5
            );
        }
    }
}

#[test]
fn nothing_on_disk_shows_under_a_key() {
    let (phone, server) = (Phone::new(true), FakeServer::new());
    let engine = phone.on_patrol(&server);
    phone.walk(&engine, 10);
    let title = "SECRET-TITLE-SECRET";
    let new = NewIncident {
        category: "other".into(),
        title: title.into(),
        ..NewIncident::default()
    };
    engine.report_incident(new).expect("reports");
    for entry in fs::read_dir(phone.folder()).expect("lists") {
        let path = entry.expect("an entry").path();
        if path.is_file() {
            let bytes = fs::read(&path).expect("reads");
            assert!(
                !bytes.windows(6).any(|window| window == b"SECRET"),
                "{}",
                path.display()
            );
            assert!(!bytes.starts_with(b"SQLite"), "{}", path.display());
        }
    }
}

#[test]
fn a_damaged_file_is_set_aside_whole_and_a_new_one_begins() {
    for keyed in [false, true] {
        for at in [20, 4096 * 3] {
            let (phone, server) = (Phone::new(keyed), FakeServer::new());
            let engine = phone.on_patrol(&server);
            phone.walk(&engine, 320);
            drop(engine);
            let mut bytes = fs::read(phone.path()).expect("reads");
            assert!(bytes.len() > 4096 * 5);
            bytes[at..at + 4000].fill(0xa5);
            fs::write(phone.path(), &bytes).expect("writes");
            let error = Engine::open(phone.config()).err().expect("damaged");
            let EngineError::Damaged { set_aside } = error else {
                panic!("{keyed} {at} {error}")
            };
            assert_eq!(
                fs::read(&set_aside).expect("kept"),
                bytes,
                "as it was found"
            );
            let engine = phone.open();
            assert_eq!(engine.identity(), Ok(None));
            assert!(fs::exists(&set_aside).expect("asks"));
        }
    }
}

#[test]
fn a_newer_file_is_left_alone() {
    let phone = Phone::new(false);
    drop(phone.open());
    let file = rusqlite::Connection::open(phone.path()).expect("opens");
    file.pragma_update(None, "user_version", 99)
        .expect("writes");
    drop(file);
    assert_eq!(
        Engine::open(phone.config()).err(),
        Some(EngineError::TooNew {
            found: 99,
            known: 3
        })
    );
}

#[cfg(unix)]
#[test]
fn every_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = phone.on_patrol(&server);
    phone.walk(&engine, 3);
    let mut seen = 0;
    for entry in fs::read_dir(phone.folder()).expect("lists") {
        let entry = entry.expect("an entry");
        let mode = entry.metadata().expect("told").permissions().mode();
        assert_eq!(mode & 0o077, 0, "{}", entry.path().display());
        seen += 1;
    }
    assert!(seen >= 4, "data, log, lock, journal: {seen}");
}

/// Whether the data file is gone, or empty.
fn lose(phone: &Phone, gone: bool) {
    match gone {
        true => fs::remove_file(phone.path()).expect("removes"),
        false => fs::write(phone.path(), b"").expect("empties"),
    }
}

fn told_as_damaged(phone: &Phone) -> String {
    match Engine::open(phone.config()).err() {
        Some(EngineError::Damaged { set_aside }) => set_aside,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_data_file_that_is_gone_is_told_and_what_belonged_to_it_is_kept() {
    for (keyed, gone) in [(false, false), (false, true), (true, false), (true, true)] {
        let (phone, server) = (Phone::new(keyed), FakeServer::new());
        let engine = phone.on_patrol(&server);
        report(&engine, "甲", &[1, 2]);
        phone.walk(&engine, 5);
        let log = fs::read(phone.beside("-wal")).expect("there");
        assert!(!log.is_empty());
        drop(engine);
        fs::write(phone.beside("-wal"), &log).expect("as after a kill");
        let journal = fs::read(phone.beside("-journal.gw")).expect("there");
        lose(&phone, gone);
        let aside = told_as_damaged(&phone);
        let kept = |suffix: &str| fs::read(format!("{aside}{suffix}")).expect("kept");
        assert_eq!(kept(""), b"");
        assert!(kept("-wal") == log && kept("-journal.gw") == journal);
        assert_eq!(files(&phone), 2);
        let engine = phone.open();
        assert_eq!(engine.identity(), Ok(None));
        assert_eq!(files(&phone), 2, "nobody else's to remove");
    }
}

#[test]
fn attachments_or_a_journal_alone_tell_that_the_data_file_is_gone() {
    for gone in [false, true] {
        let (phone, server) = (Phone::new(true), FakeServer::new());
        let engine = phone.on_patrol(&server);
        report(&engine, "甲", &[1]);
        drop(engine);
        lose(&phone, gone);
        let _ = fs::remove_file(phone.beside("-wal"));
        let aside = told_as_damaged(&phone);
        assert!(fs::exists(aside).expect("asks"));
        drop(phone.open());
        assert_eq!(files(&phone), 1);

        let phone = Phone::new(true);
        let engine = phone.on_patrol(&server);
        phone.walk(&engine, 5);
        drop(engine);
        lose(&phone, gone);
        let _ = fs::remove_file(phone.beside("-wal"));
        let aside = told_as_damaged(&phone);
        assert!(
            fs::metadata(format!("{aside}-journal.gw"))
                .expect("kept")
                .len()
                > 0
        );
        phone.open();
    }
}

#[test]
fn under_another_key_nothing_is_set_aside() {
    let (mut phone, server) = (Phone::new(true), FakeServer::new());
    let engine = phone.on_patrol(&server);
    report(&engine, "甲", &[1]);
    drop(engine);
    lose(&phone, true);
    phone.key = Some(Key32::new([8; 32]));
    let wrong = Engine::open(phone.config()).err();
    assert_eq!(wrong, Some(EngineError::WrongKey));
    assert!(!fs::exists(phone.path()).expect("asks"));
    phone.key = Some(Key32::new([7; 32]));
    told_as_damaged(&phone);
}
