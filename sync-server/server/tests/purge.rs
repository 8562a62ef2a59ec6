//! A purge beats everything: states, ops, chunks, attachments, quarantine,
//! journal, what comes later, and backups that are restored.
#![allow(clippy::expect_used, reason = "what fails here fails the test")]

mod common;

use common::phone::{Line, chunk, reason, seq, state, walk};
use common::{BASE, HOUR, MORNING, Phone, TestClock, World, parts, settings, world, world_on};
use gridwalk_domain::wire::{BlobState, HaveRequest, Outcome, ReceiptOf, TrackOutcome};
use gridwalk_domain::{EntityId, Intent, OpBody, OpId, Sha256, UserId};
use gridwalk_server::admin::{AdminError, PurgeReport};
use gridwalk_server::blobs::{Blobs, Bytes, FolderBlobs, MemoryBlobs};
use gridwalk_server::keep::{Book, FolderKeep};
use gridwalk_server::{Act, Parts};
use gridwalk_store::Role;
use gridwalk_store_sqlite::SqliteStore;
use serde_json::{Value, json};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

fn photo(bytes: &[u8]) -> Value {
    json!({"sha256": Sha256::of(bytes), "mime": "image/jpeg", "bytes": bytes.len()})
}

fn jpeg(n: u8) -> Vec<u8> {
    [&[0xff, 0xd8, 0xff, 0xe0, n][..], "私密照片".as_bytes()].concat()
}

/// An incident with a photo, as two ops.
fn with_photo(phone: &mut Phone, title: &str, bytes: &[u8]) -> [OpBody; 2] {
    let create = phone.incident(title);
    let append = phone.append(create.entity, "photos", photo(bytes));
    [create, append]
}

fn here(phone: &Phone, blob: Sha256) -> Option<BlobState> {
    let request = HaveRequest {
        v: 1,
        ops: vec![],
        chunks: vec![],
        blobs: vec![blob],
    };
    phone.have(&request).blobs.remove(0)
}

#[test]
fn a_purged_record_is_a_number_without_a_state() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    let other = phone.incident("stays");
    phone.push_one(&other);
    let bytes = jpeg(1);
    let ops = with_photo(&mut phone, "秘密", &bytes);
    phone.push(&ops);
    let blob = phone.upload(&bytes);
    let entity = ops[0].entity;
    let before = phone.read(phone.records())[&entity].clone();
    let report = world
        .service
        .admin()
        .purge_entity(entity, None)
        .expect("purges");
    assert_eq!((report.ops, report.blobs), (2, 1));

    let after = phone.read(phone.records());
    assert_eq!(after.len(), 2, "it stays listed and counted");
    let gone = &after[&entity];
    assert_eq!((gone.state.as_ref(), gone.rev), (None, before.rev + 1));
    assert!(gone.seq > before.seq);
    assert!(after[&other.entity].state.is_some());
    // Its sender is told of each op and of the attachment, also where it may not
    // pull the stream any more.
    for op in &ops {
        assert_eq!(phone.told(op.id).last().expect("told"), "Purged");
    }
    let told = phone.receipts().into_iter().any(
        |receipt| matches!(receipt.of, ReceiptOf::Blob { sha256, purged } if sha256 == blob && purged),
    );
    assert!(told);
    assert!(!world.parts.blobs.has(blob).expect("asks"));
    let rows = world.stored(|tx| tx.op_rows(world.tenant, ops[0].id));
    assert_eq!(
        (rows[0].body.as_str(), &rows[0].summary.outcome),
        ("", &Outcome::Purged)
    );
    // A repeat hears of it; a late op, too, and what needs one of them goes on.
    let again = phone.push_one(&ops[0]);
    assert_eq!(
        again,
        Outcome::Duplicate {
            first: Box::new(Outcome::Purged)
        }
    );
    let late = phone.set_title(entity, "late secret", ops[0].id);
    let mut needs = phone.incident("needs it");
    needs.needs = vec![late.id, ops[0].id];
    let outcomes = phone.push(&[late.clone(), needs]);
    assert_eq!(outcomes[0], Outcome::Purged);
    assert!(seq(&outcomes[1]) > 0);
    assert_eq!(phone.have_ops(&[late])[0], Some(Outcome::Purged));
    let page = world.login("督导", Role::Administrator, "371302");
    assert_eq!(
        world.get(&page, &format!("/api/incidents/{entity}")).status,
        404
    );
    assert!(
        world.service.admin().purge_entity(entity, None).is_ok(),
        "again changes nothing"
    );
    assert_eq!(phone.read(phone.records())[&entity].rev, gone.rev);
}

#[test]
fn an_attachment_goes_with_the_last_record_that_shows_it() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    let bytes = jpeg(2);
    let one = with_photo(&mut phone, "one", &bytes);
    let two = with_photo(&mut phone, "two", &bytes);
    phone.push(&[one.clone(), two.clone()].concat());
    let blob = phone.upload(&bytes);
    let admin = world.service.admin();
    assert_eq!(
        admin
            .purge_entity(one[0].entity, None)
            .expect("purges")
            .blobs,
        0
    );
    assert_eq!(here(&phone, blob), Some(BlobState::Whole));
    assert_eq!(
        admin
            .purge_entity(two[0].entity, None)
            .expect("purges")
            .blobs,
        1
    );
    assert_eq!(here(&phone, blob), None);
    // A phone that has not heard of it offers it again: not before another record
    // shows it.
    let waits = phone.begin_upload(blob, bytes.len());
    assert_eq!((waits.status, waits.code().as_str()), (423, "unshown"));
    let three = with_photo(&mut phone, "three", &bytes);
    phone.push(&three);
    phone.upload(&bytes);
    assert_eq!(here(&phone, blob), Some(BlobState::Whole));
    // What is in quarantine may show it one day: it stays.
    let mut away = phone.clone();
    away.grid = world.grid(BASE[3]);
    let held = with_photo(&mut away, "held", &bytes);
    assert_eq!(reason(&phone.push(&held)[0]), "quarantined out_of_scope");
    assert_eq!(
        admin
            .purge_entity(three[0].entity, None)
            .expect("purges")
            .blobs,
        0
    );
    assert_eq!(here(&phone, blob), Some(BlobState::Whole));
    admin.purge_entity(held[0].entity, None).expect("purges");
    assert!(admin.quarantine(None).expect("lists").ops.is_empty());
}

#[test]
fn an_attachment_that_is_purged_by_itself_is_struck_everywhere() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    let mut other = world.phone("李", BASE[0]);
    let bytes = jpeg(3);
    let hash = Sha256::of(&bytes);
    let ops = with_photo(&mut phone, "shows it", &bytes);
    phone.push(&ops);
    phone.upload(&bytes);
    other.upload(&bytes);
    world
        .service
        .admin()
        .purge_blob(hash, None)
        .expect("purges");
    let record = phone.read(phone.records())[&ops[0].entity].clone();
    let entry = &state(&record).list("photos")[0].value;
    assert_eq!(*entry, json!({"sha256": hash, "purged": true}));
    assert_eq!(record.rev, 3);
    assert!(!world.parts.blobs.has(hash).expect("asks"));
    for phone in [&phone, &other] {
        assert_eq!(here(phone, hash), Some(BlobState::Purged));
        let told = phone.receipts().into_iter().any(
            |receipt| matches!(receipt.of, ReceiptOf::Blob { sha256, purged } if sha256 == hash && purged),
        );
        assert!(told, "everybody who sent it is told");
        let gone = phone.begin_upload(hash, bytes.len());
        assert_eq!((gone.status, gone.code().as_str()), (410, "purged"));
    }
    // What comes later keeps the hash alone.
    let late = with_photo(&mut other, "late", &bytes);
    other.push(&late);
    let late = other.state(late[0].entity);
    let entry = &late.list("photos")[0].value;
    assert_eq!(*entry, json!({"sha256": hash, "purged": true}));
}

#[test]
fn an_attachment_goes_in_every_district_that_knows_it_or_in_the_one_that_is_named() {
    let world = world();
    let admin = world.service.admin();
    let mut phones = [
        world.phone("王", BASE[0]),
        world.phone("张", "371312001001001"),
    ];
    let [both, one] = [jpeg(9), jpeg(10)];
    for (phone, title) in phones.iter_mut().zip(["here", "there"]) {
        for bytes in [&both, &one] {
            let ops = with_photo(phone, title, bytes);
            phone.push(&ops);
            phone.upload(bytes);
        }
    }
    let [both, one] = [&both, &one].map(|bytes| Sha256::of(bytes));
    admin.purge_blob(both, None).expect("purges");
    admin.purge_blob(one, Some("371312")).expect("purges");
    let [here, there] = phones
        .each_ref()
        .map(|phone| [here(phone, both), here(phone, one)]);
    assert_eq!(here, [Some(BlobState::Purged), Some(BlobState::Whole)]);
    assert_eq!(there, [Some(BlobState::Purged); 2]);
    assert!(world.parts.blobs.has(one).expect("asks"), "it is another's");
    assert!(!world.parts.blobs.has(both).expect("asks"));
}

#[test]
fn what_has_not_come_is_purged_in_the_district_that_is_named() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    let create = phone.incident("never shown");
    let admin = world.service.admin();
    let unnamed = admin.purge_entity(create.entity, None);
    assert_eq!(unnamed, Err(AdminError::ChooseDistrict));
    let wrong = admin.purge_entity(create.entity, Some("371399"));
    assert!(matches!(wrong, Err(AdminError::UnknownGrid { .. })));
    let named = admin.purge_entity(create.entity, Some("371302"));
    assert_eq!(named, Ok(PurgeReport::default()));
    assert_eq!(phone.push(&[create])[0], Outcome::Purged);
}

#[test]
fn who_need_not_send_an_attachment_again_hears_of_its_purge_too() {
    let world = world();
    let phones = [world.phone("王", BASE[0]), world.phone("李", BASE[0])];
    let bytes = jpeg(11);
    let hash = Sha256::of(&bytes);
    phones[0].upload(&bytes);
    // As after a restore: this phone asks, and what it sent is here by another one.
    assert_eq!(here(&phones[1], hash), Some(BlobState::Whole));
    assert_eq!(here(&phones[1], hash), Some(BlobState::Whole));
    let admin = world.service.admin();
    admin.purge_blob(hash, None).expect("purges");
    let told: Vec<bool> = phones[1]
        .receipts()
        .into_iter()
        .filter_map(|receipt| match receipt.of {
            ReceiptOf::Blob { sha256, purged } if sha256 == hash => Some(purged),
            _ => None,
        })
        .collect();
    assert_eq!(
        told,
        [false, true],
        "that it is here, once, and that it went"
    );
}

#[test]
fn a_thumbnail_goes_with_its_picture_also_where_it_comes_later() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    let [picture, thumb] = [jpeg(5), jpeg(6)];
    let [hash, small] = [&picture, &thumb].map(|bytes| Sha256::of(bytes));
    let mut reference = photo(&picture);
    reference["thumb"] = photo(&thumb);
    let create = phone.incident("shows it");
    let append = phone.append(create.entity, "photos", reference.clone());
    phone.push(&[create, append.clone()]);
    phone.upload(&picture);
    phone.upload(&thumb);
    world
        .service
        .admin()
        .purge_blob(hash, None)
        .expect("purges");
    let struck = json!({
        "sha256": hash, "purged": true, "thumb": {"sha256": small, "purged": true},
    });
    let record = phone.state(append.entity);
    assert_eq!(record.list("photos")[0].value, struck);
    for gone in [hash, small] {
        assert_eq!(here(&phone, gone), Some(BlobState::Purged));
        assert!(!world.parts.blobs.has(gone).expect("asks"));
    }

    // A picture that was purged before any record showed it: its thumbnail is
    // known by the record alone.
    let [picture, thumb] = [jpeg(7), jpeg(8)];
    let [hash, small] = [&picture, &thumb].map(|bytes| Sha256::of(bytes));
    phone.upload(&picture);
    world
        .service
        .admin()
        .purge_blob(hash, None)
        .expect("purges");
    phone.upload(&thumb);
    let mut reference = photo(&picture);
    reference["thumb"] = photo(&thumb);
    // And a circle, which no phone of ours writes.
    reference["thumb"]["thumb"] = photo(&picture);
    let create = phone.incident("late");
    let append = phone.append(create.entity, "photos", reference);
    phone.push(&[create, append]);
    for gone in [hash, small] {
        assert_eq!(here(&phone, gone), Some(BlobState::Purged));
        assert_eq!(phone.begin_upload(gone, 9).status, 410);
    }
}

#[test]
fn an_upload_under_way_is_dropped() {
    let world = world();
    let phone = world.phone("王", BASE[0]);
    let bytes = jpeg(4);
    let hash = Sha256::of(&bytes);
    let begun = phone.begin_upload(hash, bytes.len());
    let path = begun.header("location").expect("a location").to_owned();
    assert_eq!(phone.patch(&path, 0, &bytes[..6]).status, 204);
    world
        .service
        .admin()
        .purge_blob(hash, None)
        .expect("purges");
    assert!(
        world.parts.blobs.uploads().expect("lists").is_empty(),
        "its bytes, too"
    );
    assert_eq!(phone.patch(&path, 6, &bytes[6..]).status, 404);
    assert_eq!(phone.begin_upload(hash, bytes.len()).status, 410);
}

/// Attachments in memory, and something that happens once in the middle of an
/// upload.
#[derive(Default)]
struct Interrupted {
    inner: MemoryBlobs,
    before_write: Mutex<Option<Box<dyn FnOnce() + Send>>>,
    after_finish: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

fn happen(what: &Mutex<Option<Box<dyn FnOnce() + Send>>>) {
    let what = what.lock().expect("a lock").take();
    if let Some(what) = what {
        what();
    }
}

impl Blobs for Interrupted {
    fn write(&self, upload: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        happen(&self.before_write);
        self.inner.write(upload, offset, bytes)
    }
    fn sync(&self, upload: &str) -> io::Result<()> {
        self.inner.sync(upload)
    }
    fn written(&self, upload: &str) -> io::Result<Bytes> {
        self.inner.written(upload)
    }
    fn finish(&self, upload: &str, sha256: Sha256) -> io::Result<()> {
        self.inner.finish(upload, sha256)?;
        happen(&self.after_finish);
        Ok(())
    }
    fn discard(&self, upload: &str) -> io::Result<()> {
        self.inner.discard(upload)
    }
    fn uploads(&self) -> io::Result<Vec<String>> {
        self.inner.uploads()
    }
    fn open(&self, sha256: Sha256) -> io::Result<Option<Bytes>> {
        self.inner.open(sha256)
    }
    fn has(&self, sha256: Sha256) -> io::Result<bool> {
        self.inner.has(sha256)
    }
    fn remove(&self, sha256: Sha256) -> io::Result<()> {
        self.inner.remove(sha256)
    }
    fn file(&self, sha256: Sha256) -> Option<PathBuf> {
        self.inner.file(sha256)
    }
}

fn interrupted() -> (World, Arc<Interrupted>) {
    let clock = TestClock::new(200);
    let blobs = Arc::new(Interrupted::default());
    let parts = Parts {
        blobs: Arc::<Interrupted>::clone(&blobs),
        ..parts(&clock)
    };
    (world_on(parts, clock, settings()), blobs)
}

#[test]
fn a_piece_that_comes_while_its_upload_is_purged_leaves_nothing() {
    for sent in [0, 6] {
        let (world, blobs) = interrupted();
        let phone = world.phone("王", BASE[0]);
        let bytes = jpeg(4);
        let hash = Sha256::of(&bytes);
        let begun = phone.begin_upload(hash, bytes.len());
        let path = begun.header("location").expect("a location").to_owned();
        if sent > 0 {
            assert_eq!(phone.patch(&path, 0, &bytes[..sent]).status, 204);
        }
        let service = Arc::clone(&world.service);
        *blobs.before_write.lock().expect("a lock") = Some(Box::new(move || {
            service.admin().purge_blob(hash, None).expect("purges");
        }));
        let next = &bytes[sent..sent + 2];
        assert_eq!(phone.patch(&path, sent as u64, next).status, 404);
        assert!(blobs.uploads().expect("lists").is_empty(), "{sent}");
    }
}

#[test]
fn pieces_that_no_row_tells_of_are_discarded_in_time() {
    let world = world();
    let blobs = &world.parts.blobs;
    blobs.write("abcd", 0, b"left behind").expect("writes");
    world.service.maintain().expect("maintains");
    assert!(blobs.uploads().expect("lists").is_empty());
}

#[test]
fn what_another_purge_takes_in_mid_upload_is_not_acknowledged() {
    let (world, blobs) = interrupted();
    let mut phone = world.phone("王", BASE[0]);
    let bytes = jpeg(5);
    let hash = Sha256::of(&bytes);
    // It went with a record, and is shown by another one.
    let first = with_photo(&mut phone, "first", &bytes);
    phone.push(&first);
    phone.upload(&bytes);
    let admin = world.service.admin();
    admin.purge_entity(first[0].entity, None).expect("purges");
    let second = with_photo(&mut phone, "second", &bytes);
    phone.push(&second);
    let other = phone.incident("another");
    phone.push_one(&other);
    let service = Arc::clone(&world.service);
    *blobs.after_finish.lock().expect("a lock") = Some(Box::new(move || {
        let admin = service.admin();
        admin.purge_entity(other.entity, None).expect("purges");
    }));
    let begun = phone.begin_upload(hash, bytes.len());
    let path = begun.header("location").expect("a location").to_owned();
    assert_eq!(phone.patch(&path, 0, &bytes).status, 460);
    assert!(
        world
            .stored(|tx| tx.blobs(world.tenant, &[hash]))
            .is_empty(),
        "no row tells of bytes that are not here"
    );
    phone.upload(&bytes);
    assert!(blobs.has(hash).expect("asks"));
}

#[test]
fn a_purged_patrol_takes_its_tracks_along() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    let patrol = phone.patrol();
    let chunks = [chunk(patrol, 7, 0, &walk(MORNING, 60))];
    phone.tracks(&chunks);
    let mut moved = walk(MORNING, 60);
    moved[3].fix.position.lat += 0.01;
    phone.tracks(&[chunk(patrol, 7, 0, &moved)]);
    let admin = world.service.admin();
    admin.purge_entity(patrol, None).expect("purges");
    assert!(world.stored(|tx| tx.spans(world.tenant)).is_empty());
    assert!(
        world
            .stored(|tx| tx.held_chunks(world.tenant, None))
            .is_empty()
    );
    assert!(world.stored(|tx| tx.positions(world.tenant)).is_empty());
    assert_eq!(phone.tracks(&chunks), [TrackOutcome::Purged]);
    let name = chunks[0].name;
    let request = HaveRequest {
        v: 1,
        ops: vec![],
        chunks: vec![name],
        blobs: vec![],
    };
    assert_eq!(phone.have(&request).chunks, [Some(TrackOutcome::Purged)]);
}

#[test]
fn a_record_that_never_came_can_be_purged_and_never_comes() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    let create = phone.incident("offline for a month");
    let whole = world.service.admin().purge_entity(create.entity, None);
    assert!(
        whole.is_err(),
        "there are two districts: which one cannot be told"
    );
    let mut first = phone.append(create.entity, "comments", json!({"text": "x"}));
    first.prev = None;
    assert_eq!(reason(&phone.push_one(&first)), "quarantined missing");
    world
        .service
        .admin()
        .purge_entity(create.entity, None)
        .expect("purges");
    assert_eq!(phone.push_one(&create), Outcome::Purged);
    assert!(phone.read(phone.records()).is_empty());
}

/// All that was purged, and what it took along, in a database that was set back
/// to before.
fn comes_not_back(world: &mut World, restart: bool) {
    let mut phone = world.phone("王", BASE[0]);
    let (shown, alone) = (jpeg(5), jpeg(6));
    let ops = with_photo(&mut phone, "秘密", &shown);
    let lone = with_photo(&mut phone, "keeps its record", &alone);
    phone.push(&[ops.clone(), lone.clone()].concat());
    phone.upload(&shown);
    phone.upload(&alone);
    let empty = world.stored(|tx| tx.epoch());
    let old = world.copy();
    let admin = world.service.admin();
    admin.purge_entity(ops[0].entity, None).expect("purges");
    admin.purge_blob(Sha256::of(&alone), None).expect("purges");
    let late = phone.set_title(ops[0].entity, "late", ops[0].id);
    assert_eq!(phone.push_one(&late), Outcome::Purged);
    world.go_back(&*old);
    if restart {
        world.restart(settings());
        phone.line = Line::InProcess(world.service.clone());
    } else {
        let answer = phone.post("push", &json!({"v": 1, "ops": []}));
        assert_eq!(answer.status, 409);
        assert_ne!(world.stored(|tx| tx.epoch()), empty);
    }
    *phone.seen.lock().expect("a lock") = None;
    let after = phone.read(phone.records());
    assert_eq!(after[&ops[0].entity].state, None);
    let entry = &state(&after[&lone[0].entity]).list("photos")[0].value;
    assert_eq!(entry["purged"], true);
    assert_eq!(here(&phone, Sha256::of(&alone)), Some(BlobState::Purged));
    assert!(!world.parts.blobs.has(Sha256::of(&shown)).expect("asks"));
    // What needs the late op must know of it, though it came after the copy.
    let mut needs = phone.incident("needs it");
    needs.needs = vec![late.id];
    assert!(seq(&phone.push_one(&needs)) > 0);
}

#[test]
fn a_restart_replays_the_ledger() {
    comes_not_back(&mut world(), true);
}

#[test]
fn a_misfit_replays_the_ledger_before_anybody_is_served() {
    comes_not_back(&mut world(), false);
}

#[test]
fn a_purge_that_was_begun_is_finished_by_the_next_start() {
    let mut world = world();
    let mut phone = world.phone("王", BASE[0]);
    let ops = with_photo(&mut phone, "秘密", &jpeg(7));
    phone.push(&ops);
    let blob = phone.upload(&jpeg(7));
    // The order reached the ledger, and then the power went.
    let order = json!({
        "order": "purge_entity", "tenant": world.tenant, "at_ms": MORNING,
        "entity": ops[0].entity, "ops": [], "blobs": [],
    });
    world
        .keep()
        .append(Book::Ledger, &[order.to_string()])
        .expect("appends");
    world.restart(settings());
    phone.line = Line::InProcess(world.service.clone());
    assert_eq!(phone.read(phone.records())[&ops[0].entity].state, None);
    assert_eq!(here(&phone, blob), None);
}

#[test]
fn a_purged_record_leaves_the_journal() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    let create = phone.incident("v1");
    let other = phone.incident("other");
    phone.push(&[create.clone(), other.clone()]);
    let user = user(&world);
    for (n, entity) in [(1, create.entity), (2, other.entity)] {
        let act = comment(n, entity, &format!("text {n}"));
        world.service.act(user, &act).expect("acts");
    }
    assert_eq!(world.keep().lines(Book::Journal).expect("reads").len(), 2);
    world
        .service
        .admin()
        .purge_entity(create.entity, None)
        .expect("purges");
    let lines = world.keep().lines(Book::Journal).expect("reads");
    assert_eq!(lines.len(), 1);
    assert!(lines[0].contains("text 2"));
}

fn user(world: &World) -> UserId {
    let admin = world.service.admin();
    let user = admin.add_user("督导", Role::District, "371302");
    user.expect("a user").id
}

fn comment(op: u8, entity: EntityId, text: &str) -> Act {
    Act {
        op: OpId::from_bytes([op; 16]),
        entity,
        kind: None,
        intent: Intent::Append {
            list: "comments".into(),
            value: json!({ "text": text }),
        },
    }
}

fn all_bytes(folder: &Path, out: &mut Vec<u8>) {
    for entry in std::fs::read_dir(folder).expect("lists") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            all_bytes(&path, out);
        } else {
            out.extend(std::fs::read(&path).expect("reads"));
        }
    }
}

#[test]
fn purged_bytes_are_in_no_file_of_ours() {
    let folder = tempfile::tempdir().expect("a folder");
    let (data, journal) = (folder.path().join("data"), folder.path().join("journal"));
    let clock = common::TestClock::new(200);
    let in_memory = parts(&clock);
    let parts = Parts {
        store: Arc::new(SqliteStore::open(&data).expect("opens")),
        blobs: Arc::new(FolderBlobs::open(&data.join("blobs")).expect("opens")),
        keep: Arc::new(FolderKeep::open(&journal, &*in_memory.rng).expect("opens")),
        ..in_memory
    };
    let world = world_on(parts, clock, settings());
    let mut phone = world.phone("王", BASE[0]);
    let user = user(&world);
    let secret = |n: u8| format!("秘密-{n}-secret ").repeat(usize::from(n) * 7 % 40 + 1);
    let mut ops = Vec::new();
    for n in 0..60 {
        let bytes = [jpeg(n), secret(n).into_bytes()].concat();
        let record = with_photo(&mut phone, &format!("title-{n}-secret"), &bytes);
        let text = phone.append(record[0].entity, "comments", json!({"text": secret(n)}));
        phone.push(&[&record[..], &[text]].concat());
        phone.upload(&bytes);
        ops.push(record[0].clone());
    }
    let purged = |n: usize| n % 4 == 1;
    for (n, op) in (0_u8..).zip(&ops) {
        let act = comment(n + 100, op.entity, &format!("act-{n}-secret"));
        world.service.act(user, &act).expect("acts");
    }
    world.clock.turn(HOUR);
    for (_, op) in ops.iter().enumerate().filter(|(n, _)| purged(*n)) {
        world
            .service
            .admin()
            .purge_entity(op.entity, None)
            .expect("purges");
    }
    let mut bytes = Vec::new();
    all_bytes(folder.path(), &mut bytes);
    let text = String::from_utf8_lossy(&bytes);
    for (n, op) in ops.iter().enumerate() {
        for secret in [format!("-{n}-secret"), format!("秘密-{n}-")] {
            assert_eq!(text.contains(&secret), !purged(n), "{secret}");
        }
        let id = op.entity.to_string();
        assert!(text.contains(&id), "the ledger and the states have ids");
    }
    drop(world);
}
