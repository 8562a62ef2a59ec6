use super::*;
use gridwalk_store::{conformance, read, write};

/// A store whose folder lives as long as it.
struct Kept {
    store: SqliteStore,
    _folder: tempfile::TempDir,
}

impl Store for Kept {
    fn read(
        &self,
        run: &mut dyn FnMut(&dyn Read) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.store.read(run)
    }

    fn write(
        &self,
        run: &mut dyn FnMut(&mut dyn Write) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.store.write(run)
    }

    fn copy(&self, folder: &Path) -> Result<Arc<dyn Store>, StoreError> {
        self.store.copy(folder)
    }

    fn replace(&self, copy: &dyn Store) -> Result<(), StoreError> {
        self.store.replace(copy)
    }

    fn check(&self) -> Result<(), StoreError> {
        self.store.check()
    }

    fn scrub(&self) -> Result<(), StoreError> {
        self.store.scrub()
    }

    fn as_any(&self) -> &dyn Any {
        self.store.as_any()
    }
}

#[test]
fn it_keeps_the_contract() {
    let copies = tempfile::tempdir().expect("a folder");
    let make = || {
        let folder = tempfile::tempdir().expect("a folder");
        let store = SqliteStore::open(folder.path()).expect("opens");
        Kept {
            store,
            _folder: folder,
        }
    };
    conformance::run(&make, copies.path());
}

#[test]
fn the_migrations_are_valid() {
    migrations().validate().expect("valid");
}

#[test]
fn what_was_committed_is_there_after_opening_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let epoch = gridwalk_domain::Epoch::from_bytes([3; 16]);
    let first = SqliteStore::open(folder.path()).expect("opens");
    write::<_, StoreError>(&first, |tx| tx.set_epoch(epoch)).expect("writes");
    // Two processes may have it open.
    let second = SqliteStore::open(folder.path()).expect("opens");
    let found = |store: &SqliteStore| read::<_, StoreError>(store, |tx| tx.epoch()).expect("reads");
    assert_eq!(found(&second), Some(epoch));
    drop(first);
    drop(second);
    let third = SqliteStore::open(folder.path()).expect("opens");
    assert_eq!(found(&third), Some(epoch));
}

#[test]
fn a_file_that_is_no_database_is_left_as_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(FILE_NAME);
    let text = "not a database, but perhaps dear to somebody ".repeat(50);
    std::fs::write(&path, &text).expect("writes");
    let error = SqliteStore::open(folder.path())
        .err()
        .expect("refused")
        .to_string();
    assert!(error.contains("gridwalk.sqlite"), "{error}");
    assert_eq!(std::fs::read_to_string(&path).expect("reads"), text);
}

#[test]
fn a_newer_database_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    drop(SqliteStore::open(folder.path()).expect("opens"));
    let connection = Connection::open(folder.path().join(FILE_NAME)).expect("opens");
    connection
        .pragma_update(None, "user_version", 999)
        .expect("sets");
    drop(connection);
    let error = SqliteStore::open(folder.path()).err().expect("refused");
    assert!(matches!(error, OpenError::Newer { .. }), "{error}");
}

fn noted(store: &SqliteStore) -> Option<String> {
    read::<_, StoreError>(store, |tx| tx.note("what")).expect("reads")
}

fn note(store: &SqliteStore, text: &str) {
    write::<_, StoreError>(store, |tx| tx.put_note("what", text)).expect("writes");
}

#[test]
fn a_file_is_replaced_under_its_readers_and_another_process() {
    let folder = tempfile::tempdir().expect("a folder");
    let live = SqliteStore::open(&folder.path().join("live")).expect("opens");
    let other = SqliteStore::open(&folder.path().join("live")).expect("opens");
    note(&live, "old");
    let copy = live.copy_into(&folder.path().join("copy")).expect("copies");
    note(&live, "new");
    assert_eq!(noted(&other).as_deref(), Some("new"));
    read::<_, StoreError>(&other, |tx| {
        assert_eq!(tx.note("what")?.as_deref(), Some("new"));
        live.replace(&copy)?;
        assert_eq!(
            tx.note("what")?.as_deref(),
            Some("new"),
            "one state throughout"
        );
        Ok(())
    })
    .expect("reads");
    assert_eq!(noted(&other).as_deref(), Some("old"));
    note(&other, "and on");
    assert_eq!(noted(&live).as_deref(), Some("and on"));
    assert_eq!(live.check(), Ok(()));
}

#[test]
fn a_still_copy_keeps_every_byte() {
    let folder = tempfile::tempdir().expect("a folder");
    let live = SqliteStore::open(&folder.path().join("live")).expect("opens");
    note(&live, "old");
    let place = folder.path().join("a copy #1?");
    drop(live.copy_into(&place).expect("copies"));
    assert!(live.copy_into(&place).is_err(), "nothing is written over");
    let bytes = std::fs::read(place.join(FILE_NAME)).expect("reads");
    let still = SqliteStore::open_still(&place).expect("opens");
    assert_eq!(noted(&still).as_deref(), Some("old"));
    assert_eq!(still.check(), Ok(()));
    let refused = write::<_, StoreError>(&still, |tx| tx.put_note("what", "x"));
    assert!(refused.is_err() && still.scrub().is_err());
    note(&live, "new");
    live.replace(&still).expect("replaces");
    assert_eq!(noted(&live).as_deref(), Some("old"));
    drop(still);
    let files = std::fs::read_dir(&place).expect("lists").count();
    let after = std::fs::read(place.join(FILE_NAME)).expect("reads");
    assert_eq!((files, after), (1, bytes));

    std::fs::write(place.join(FILE_NAME), b"SQLite format 3\0 not").expect("writes");
    assert!(SqliteStore::open_still(&place).is_err());
}

#[test]
fn what_was_dropped_is_in_no_file_after_a_scrub() {
    use gridwalk_domain::wire::Outcome;
    use gridwalk_domain::{EntityId, OpId, Sha256, TenantId};
    use gridwalk_store::{OpRow, OpSummary};

    const TENANT: TenantId = TenantId::from_bytes([1; 16]);
    let folder = tempfile::tempdir().expect("a folder");
    let store = SqliteStore::open(folder.path()).expect("opens");
    let op = |n: u16| {
        let bytes = Sha256::of(&n.to_be_bytes()).0;
        let mut id = [0; 16];
        id.copy_from_slice(&bytes[..16]);
        // Sizes that make pages split, merge and overflow.
        let body = format!("secret-{n} ").repeat(1 + usize::from(n) * 7 % 600);
        OpRow {
            summary: OpSummary {
                id: OpId::from_bytes(id),
                sha256: Sha256(bytes),
                entity: EntityId::from_bytes(id),
                creates: false,
                outcome: Outcome::Purged,
                wait: None,
                reissued: None,
            },
            device: None,
            received_ms: 1,
            body,
        }
    };
    for chunk in (0..600).collect::<Vec<u16>>().chunks(50) {
        let rows: Vec<_> = chunk.iter().map(|n| op(*n)).collect();
        write::<_, StoreError>(&store, |tx| tx.add_ops(TENANT, &rows)).expect("writes");
    }
    let purged = |n: u16| n.is_multiple_of(3);
    write::<_, StoreError>(&store, |tx| {
        (0..600).filter(|n| purged(*n)).try_for_each(|n| {
            let op = op(n).summary;
            tx.drop_body(TENANT, op.id, op.sha256)
        })
    })
    .expect("writes");
    store.scrub().expect("scrubs");
    let mut bytes = Vec::new();
    for file in std::fs::read_dir(folder.path()).expect("lists") {
        bytes.extend(std::fs::read(file.expect("a file").path()).expect("reads"));
    }
    let text = String::from_utf8_lossy(&bytes);
    for n in 0..600 {
        let found = text.contains(&format!("secret-{n} "));
        assert_eq!(found, !purged(n), "{n}");
    }
    assert_eq!(store.check(), Ok(()));
}

#[test]
fn what_stood_before_the_clock_is_looked_at_once_and_has_its_grid() {
    let mut connection = rusqlite::Connection::open_in_memory().expect("opens");
    let all = migrations();
    all.to_version(&mut connection, 1).expect("the first one");
    for (n, kind, status) in [
        (1_u8, "incident", "escalated"),
        (2, "incident", "reported"),
        (3, "mediation", "open"),
    ] {
        let grid = gridwalk_domain::GridId::from_bytes([n; 16]);
        let state =
            (n != 2).then(|| format!("{{\"fields\":{{\"grid\":{{\"value\":\"{grid}\"}}}}}}"));
        let values = rusqlite::params![[9_u8; 16], [n; 16], kind, status, state];
        let sql = "INSERT INTO entities (tenant, id, kind, rev, listed, at_ms, day, status, deleted, blobs, state)
             VALUES (?1, ?2, ?3, 1, x'', 0, 0, ?4, 0, x'', ?5)";
        connection.execute(sql, values).expect("inserts");
    }
    all.to_latest(&mut connection).expect("the others");
    let due: Vec<[u8; 16]> = connection
        .prepare("SELECT id FROM entities WHERE due_ms <= 0 ORDER BY id")
        .expect("prepares")
        .query_map([], |row| row.get(0))
        .expect("asks")
        .collect::<Result<_, _>>()
        .expect("reads");
    assert_eq!(due, [[1; 16], [3; 16]]);
    let of_a_grid = "SELECT count(*) FROM entities WHERE grid = id AND state IS NOT NULL";
    let of_a_grid: i64 = connection
        .query_row(of_a_grid, [], |row| row.get(0))
        .expect("asks");
    assert_eq!(of_a_grid, 2);
}
