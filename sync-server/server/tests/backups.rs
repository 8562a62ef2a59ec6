//! Copies, their check, and the way back: nothing is lost that some phone or some
//! checked backup has.
#![allow(clippy::expect_used, reason = "what fails here fails the test")]

mod common;

use common::phone::{Line, chunk, seq, walk};
use common::{BASE, HOUR, MORNING, Phone, World, parts, settings, world, world_on};
use gridwalk_domain::wire::Outcome;
use gridwalk_domain::{Epoch, Intent, OpId};
use gridwalk_server::admin::{AdminError, Backup, open_backup};
use gridwalk_server::blobs::{FolderBlobs, Given, MemoryBlobs};
use gridwalk_server::keep::{Book, FolderKeep, MemoryKeep};
use gridwalk_server::{Act, OpenError, Parts, Service};
use gridwalk_store::{Role, StoreError, write};
use gridwalk_store_sqlite::{FILE_NAME, SqliteStore};
use serde_json::json;
use std::path::Path;
use std::sync::Arc;

fn epoch(world: &World) -> Option<Epoch> {
    world.stored(|tx| tx.epoch())
}

fn copied(world: &World) -> Backup {
    let blobs = Arc::new(MemoryBlobs::new());
    let admin = world.service.admin();
    admin
        .back_up_into(Path::new("nowhere"), blobs)
        .expect("copies")
}

fn restore(world: &World, backup: &Backup, force: bool) -> Result<(), AdminError> {
    let admin = world.service.admin();
    admin
        .restore_from(backup, Path::new("nowhere"), force)
        .map(drop)
}

fn forgets_what_it_saw(phone: &Phone) {
    *phone.seen.lock().expect("a lock") = None;
}

/// A phone with a record, a photo and a track.
fn busy(world: &World) -> Phone {
    let mut phone = world.phone("王", BASE[0]);
    let patrol = phone.patrol();
    phone.tracks(&[chunk(patrol, 7, 0, &walk(MORNING, 60))]);
    phone.upload(&[0xff, 0xd8, 0xff, 0xe0, 1]);
    phone
}

#[test]
fn only_a_checked_backup_raises_what_phones_may_forget() {
    let world = world();
    let mut phone = busy(&world);
    assert_eq!(phone.hello().watermark, 0);
    let first = copied(&world);
    let op = phone.incident("after the first");
    phone.push_one(&op);
    assert_eq!(phone.hello().watermark, 0, "to make one is not enough");
    let admin = world.service.admin();
    let verified = admin.verify(&first, 2).expect("is whole");
    assert_eq!(
        (verified.blobs, verified.floor.as_str()),
        (1, verified.backup.as_str())
    );
    assert_eq!(phone.hello().watermark, 4, "what the backup has");
    let second = copied(&world);
    admin.verify(&second, 2).expect("is whole");
    assert_eq!(
        phone.hello().watermark,
        4,
        "both can be restored: what the older one has"
    );
    let third = copied(&world);
    admin.verify(&third, 2).expect("is whole");
    assert_eq!(phone.hello().watermark, 5);
    // The first one is older than what phones rely on now.
    let old = restore(&world, &first, false);
    assert!(
        matches!(old, Err(AdminError::NotRestorable { .. })),
        "{old:?}"
    );
    assert!(
        matches!(
            admin.verify(&first, 2),
            Err(AdminError::NotRestorable { .. })
        ),
        "nor does it count again"
    );
    restore(&world, &second, false).expect("restores");
}

#[test]
fn after_a_restore_phones_send_again_what_the_server_lost() {
    let world = world();
    let mut phone = busy(&world);
    let kept = phone.incident("in the backup");
    phone.push_one(&kept);
    let backup = copied(&world);
    world.service.admin().verify(&backup, 1).expect("is whole");
    let lost = phone.incident("lost");
    phone.push_one(&lost);
    let photo = phone.upload(&[0xff, 0xd8, 0xff, 0xe0, 2]);
    let (before, stream) = (epoch(&world), phone.records());
    let cursor = phone.pull(None, &[(stream, None)]).streams[&stream].cursor;

    restore(&world, &backup, false).expect("restores");
    assert_ne!(epoch(&world), before);
    let answer = phone.post("push", &json!({"v": 1, "ops": []}));
    assert_eq!((answer.status, answer.code().as_str()), (409, "epoch"));
    let answer = phone.post(
        "pull",
        &json!({"v": 1, "streams": {stream.to_string(): cursor}, "unsent": {"ops": 0, "chunks": 0, "blobs": 0}}),
    );
    assert_eq!(answer.status, 409);
    let hello = phone.hello();
    assert_eq!((Some(hello.epoch), hello.watermark), (epoch(&world), 5));
    forgets_what_it_saw(&phone);
    let have = phone.have_ops(&[kept, lost.clone()]);
    assert!(matches!(have[0], Some(Outcome::Applied { .. })) && have[1].is_none());
    assert!(seq(&phone.push_one(&lost)) > 0);
    phone.upload(&[0xff, 0xd8, 0xff, 0xe0, 2]);
    assert!(world.parts.blobs.has(photo).expect("asks"));
    assert_eq!(phone.read(stream).len(), 4);
    let lines = world.stored(|tx| tx.audit(world.tenant, 20));
    assert!(lines.iter().any(|line| line.what == "restore"));
}

#[test]
fn what_was_done_on_the_page_since_is_brought_back() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    let create = phone.incident("v1");
    phone.push_one(&create);
    let admin = world.service.admin();
    let user = admin
        .add_user("督导", Role::District, "371302")
        .expect("a user")
        .id;
    let comment = |n: u8| Act {
        op: OpId::from_bytes([n; 16]),
        entity: create.entity,
        kind: None,
        intent: Intent::Append {
            list: "comments".into(),
            value: json!({ "text": n.to_string() }),
        },
    };
    world.service.act(user, &comment(1)).expect("acts");
    let backup = copied(&world);
    world.service.act(user, &comment(2)).expect("acts");
    admin.verify(&backup, 1).expect("is whole");
    let journal = || world.keep().lines(Book::Journal).expect("reads");
    assert_eq!(
        journal().len(),
        1,
        "what the floor has is not needed any more"
    );
    restore(&world, &backup, false).expect("restores");
    forgets_what_it_saw(&phone);
    let state = phone.state(create.entity);
    let texts: Vec<_> = state
        .list("comments")
        .iter()
        .map(|c| &c.value["text"])
        .collect();
    assert_eq!(texts, ["1", "2"]);
    assert_eq!(journal().len(), 1);
}

#[test]
fn an_unchecked_backup_is_restored_only_by_force_and_nothing_may_be_forgotten_then() {
    let world = world();
    let mut phone = busy(&world);
    let early = copied(&world);
    let op = phone.incident("one");
    phone.push_one(&op);
    let late = copied(&world);
    let admin = world.service.admin();
    admin.verify(&late, 1).expect("is whole");
    assert_eq!(phone.hello().watermark, 5);
    let refused = restore(&world, &early, false);
    assert!(matches!(refused, Err(AdminError::NotRestorable { .. })));
    assert_eq!(phone.hello().watermark, 5, "a refusal changes nothing");
    restore(&world, &early, true).expect("is forced");
    assert_eq!(
        phone.hello().watermark,
        0,
        "no checked backup has what phones hold"
    );
    // From here on the old checked one is of a dead time line.
    forgets_what_it_saw(&phone);
    assert!(seq(&phone.push_one(&op)) > 0);
    assert!(matches!(
        restore(&world, &late, false),
        Err(AdminError::NotRestorable { .. })
    ));
    let now = copied(&world);
    admin.verify(&now, 1).expect("is whole");
    assert_eq!(phone.hello().watermark, 5);
}

#[test]
fn a_backup_of_a_dead_time_line_says_nothing_of_the_present() {
    let world = world();
    let mut phone = busy(&world);
    let admin = world.service.admin();
    let first = copied(&world);
    admin.verify(&first, 2).expect("is whole");
    let lost = phone.incident("lost");
    phone.push_one(&lost);
    let dead = copied(&world);
    let checked = copied(&world);
    admin.verify(&checked, 2).expect("is whole");
    restore(&world, &first, false).expect("restores");
    forgets_what_it_saw(&phone);
    // The same number is another record's now.
    let other = phone.incident("other");
    phone.push_one(&other);
    assert!(matches!(
        admin.verify(&dead, 2),
        Err(AdminError::NotRestorable { .. })
    ));
    assert_eq!(phone.hello().watermark, 4);
    let now = copied(&world);
    let verified = admin.verify(&now, 2).expect("is whole");
    assert_eq!(
        verified.floor,
        admin.verify(&first, 2).expect("is whole").floor
    );
    assert_eq!(
        phone.hello().watermark,
        4,
        "the first one is still restorable"
    );
    restore(&world, &first, false).expect("restores");
    assert!(matches!(
        restore(&world, &checked, false),
        Err(AdminError::NotRestorable { .. })
    ));
}

#[test]
fn what_was_purged_since_does_not_come_back_with_a_backup() {
    let world = world();
    let mut phone = busy(&world);
    let blob = world.stored(|tx| tx.blob_hashes(world.tenant))[0];
    let create = phone.incident("secret");
    let photo = json!({"sha256": blob, "mime": "image/jpeg", "bytes": 5});
    let append = phone.append(create.entity, "photos", photo);
    phone.push(&[create.clone(), append]);
    let backup = copied(&world);
    let admin = world.service.admin();
    admin.verify(&backup, 1).expect("is whole");
    admin.purge_entity(create.entity, None).expect("purges");
    assert!(!world.parts.blobs.has(blob).expect("asks"));
    restore(&world, &backup, false).expect("restores");
    forgets_what_it_saw(&phone);
    assert_eq!(phone.read(phone.records())[&create.entity].state, None);
    assert!(
        !world.parts.blobs.has(blob).expect("asks"),
        "its bytes neither"
    );
    assert!(
        backup.blobs.has(blob).expect("asks"),
        "the backup itself still holds it"
    );
    assert_eq!(
        phone.push_one(&create),
        Outcome::Duplicate {
            first: Box::new(Outcome::Purged),
        }
    );
}

#[test]
fn a_photo_given_with_an_act_outlives_an_older_backup() {
    let world = world();
    let mut phone = busy(&world);
    let create = phone.incident("井盖");
    phone.push_one(&create);
    let backup = copied(&world);
    let admin = world.service.admin();
    admin.verify(&backup, 1).expect("is whole");
    let town = admin.add_user("街道", Role::Town, "371302001");
    let mut bytes = std::io::Cursor::new(Vec::new());
    let picture = image::RgbImage::new(8, 8);
    let written = picture.write_to(&mut bytes, image::ImageFormat::Jpeg);
    written.expect("writes");
    let given = [Given::photo(bytes.into_inner()).expect("a photo")];
    let value = given[0].reference().clone();
    let path = format!("/v1/blobs/{}", value["sha256"].as_str().expect("a hash"));
    let act = Act {
        op: OpId::from_bytes([1; 16]),
        entity: create.entity,
        kind: None,
        intent: Intent::Append {
            list: "photos".into(),
            value,
        },
    };
    let done = world
        .service
        .act_with(town.expect("a user").id, &act, &given);
    done.expect("acts");
    assert_eq!(phone.send("GET", &path, &[], b"").status, 200);
    restore(&world, &backup, false).expect("restores");
    forgets_what_it_saw(&phone);
    assert_eq!(phone.send("GET", &path, &[], b"").status, 200);
}

#[test]
fn a_damaged_backup_is_found_out() {
    let world = world();
    let mut phone = busy(&world);
    let op = phone.incident("one");
    phone.push_one(&op);
    let admin = world.service.admin();
    // An attachment is missing.
    let backup = copied(&world);
    let blob = world.stored(|tx| tx.blob_hashes(world.tenant))[0];
    backup.blobs.remove(blob).expect("removes");
    let error = admin.verify(&backup, 1).expect_err("found out").to_string();
    assert!(error.contains("attachment"), "{error}");
    // A stream does not list what it counts.
    let backup = copied(&world);
    write::<_, StoreError>(&*backup.store, |tx| {
        let stream = phone.records();
        let mut head = tx.heads(world.tenant, &[stream])?[0];
        head.count += 1;
        tx.put_heads(world.tenant, &[(stream, head)])
    })
    .expect("writes");
    let error = admin.verify(&backup, 1).expect_err("found out").to_string();
    assert!(error.contains("count"), "{error}");
    assert_eq!(phone.hello().watermark, 0);
    // What is no backup is not restored, not even by force.
    let no_backup = Backup {
        store: world.copy(),
        blobs: Arc::new(MemoryBlobs::new()),
    };
    assert!(restore(&world, &no_backup, true).is_err());
}

/// A world on real files.
fn on_disk(folder: &Path) -> World {
    let clock = common::TestClock::new(200);
    let (data, in_memory) = (folder.join("data"), parts(&clock));
    let parts = Parts {
        store: Arc::new(SqliteStore::open(&data).expect("opens")),
        blobs: Arc::new(FolderBlobs::open(&data.join("blobs")).expect("opens")),
        keep: Arc::new(FolderKeep::open(&folder.join("journal"), &*in_memory.rng).expect("opens")),
        ..in_memory
    };
    world_on(parts, clock, settings())
}

#[test]
fn folders_are_backed_up_checked_and_restored_while_they_are_served() {
    let folder = tempfile::tempdir().expect("a folder");
    let world = on_disk(folder.path());
    let mut phone = busy(&world);
    let kept = phone.incident("kept");
    phone.push_one(&kept);
    let admin = world.service.admin();
    let place = folder.path().join("backup");
    let manifest = admin.backup(&place).expect("backs up");
    assert!(manifest.bytes > 0 && place.join("manifest.json").is_file());
    let twice = admin.backup(&place);
    assert!(
        matches!(twice, Err(AdminError::NoBackup { .. })),
        "nothing is written over"
    );
    let files: Vec<_> = std::fs::read_dir(&place)
        .expect("lists")
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .into_string()
                .expect("text")
        })
        .collect();
    assert_eq!(files.len(), 3, "one file for the database: {files:?}");
    let before = std::fs::read(place.join(FILE_NAME)).expect("reads");
    admin.verify_backup(&place, 2).expect("is whole");
    assert_eq!(phone.hello().watermark, 5);

    // An attachment rots.
    let hash = world.stored(|tx| tx.blob_hashes(world.tenant))[0];
    let photo = world.parts.blobs.file(hash).expect("a file");
    let right = std::fs::read(&photo).expect("reads");
    std::fs::remove_file(&photo).expect("removes, since the backup has a link to it");
    std::fs::write(&photo, b"rotten").expect("writes");

    let lost = phone.incident("lost");
    phone.push_one(&lost);
    // Another process that serves the same files, as `serve` beside `restore`.
    let serving = Service::open(
        Parts {
            store: Arc::new(SqliteStore::open(&folder.path().join("data")).expect("opens")),
            ..world.parts.clone()
        },
        settings(),
    )
    .expect("opens");
    phone.line = Line::InProcess(Arc::new(serving));
    let other = phone.incident("by the other process");
    assert!(seq(&phone.push_one(&other)) > 0);
    admin
        .restore(&place, &folder.path().join("data"), false)
        .expect("restores");
    let answer = phone.post("push", &json!({"v": 1, "ops": []}));
    assert_eq!((answer.status, answer.code().as_str()), (409, "epoch"));
    forgets_what_it_saw(&phone);
    assert!(seq(&phone.push_one(&lost)) > 0);
    assert_eq!(phone.read(phone.records()).len(), 4);
    assert!(!folder.path().join("data/restoring").exists());
    assert_eq!(std::fs::read(&photo).expect("reads"), right, "it is healed");
    let after = std::fs::read(place.join(FILE_NAME)).expect("reads");
    assert_eq!(before, after, "the backup is as it was");

    // A byte of it changes: it is no backup any more.
    let mut bytes = after;
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(place.join(FILE_NAME), bytes).expect("writes");
    assert!(open_backup(&place).is_err());
    let refused = admin.restore(&place, &folder.path().join("data"), true);
    assert!(
        matches!(refused, Err(AdminError::NoBackup { .. })),
        "not even by force"
    );
}

#[test]
fn a_backup_is_restored_on_a_new_machine_with_its_journal() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().join("backup");
    let (tenant, device) = {
        let world = on_disk(folder.path());
        let phone = busy(&world);
        let admin = world.service.admin();
        admin.backup(&place).expect("backs up");
        admin.verify_backup(&place, 1).expect("is whole");
        (world.tenant, phone.device)
    };
    // The disk with the data is gone; the journal was on another one.
    std::fs::remove_dir_all(folder.path().join("data")).expect("removes");
    let clock = common::TestClock::new(200);
    clock.turn(HOUR);
    let (data, in_memory) = (folder.path().join("data"), parts(&clock));
    let new = Service::open(
        Parts {
            store: Arc::new(SqliteStore::open(&data).expect("opens")),
            blobs: Arc::new(FolderBlobs::open(&data.join("blobs")).expect("opens")),
            keep: Arc::new(
                FolderKeep::open(&folder.path().join("journal"), &*in_memory.rng).expect("opens"),
            ),
            ..in_memory
        },
        settings(),
    )
    .expect("opens");
    new.admin().restore(&place, &data, false).expect("restores");
    let found = gridwalk_store::read::<_, StoreError>(new.store(), |tx| {
        Ok((tx.tenant(tenant)?.is_some(), tx.device(device)?))
    });
    let (known, row) = found.expect("reads");
    assert!(known);
    assert_eq!(row.expect("is known").watermark, 4);
    let held = new.admin().holdings(Some(tenant)).expect("holdings");
    assert_eq!((held.attachments.len(), held.patrols.len()), (1, 1));
}

#[test]
fn data_is_not_opened_with_another_journal_by_mistake() {
    struct Other(MemoryKeep);
    impl gridwalk_server::keep::Keep for Other {
        fn id(&self) -> std::io::Result<String> {
            Ok("another one".to_owned())
        }
        fn lines(&self, book: Book) -> std::io::Result<Vec<String>> {
            self.0.lines(book)
        }
        fn append(&self, book: Book, lines: &[String]) -> std::io::Result<()> {
            self.0.append(book, lines)
        }
        fn rewrite(
            &self,
            book: Book,
            change: &mut dyn FnMut(Vec<String>) -> Vec<String>,
        ) -> std::io::Result<()> {
            self.0.rewrite(book, change)
        }
    }
    let world = world();
    let other = || Parts {
        keep: Arc::new(Other(MemoryKeep::new())),
        ..world.parts.clone()
    };
    let refused = Service::open(other(), settings()).err();
    assert_eq!(refused, Some(OpenError::OtherKeep));
    let mut said = settings();
    said.new_keep = true;
    assert!(Service::open(other(), said).is_ok());
    assert!(
        Service::open(other(), settings()).is_ok(),
        "from then on it is the right one"
    );
}
