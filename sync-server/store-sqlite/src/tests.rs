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
}

#[test]
fn it_keeps_the_contract() {
    conformance::run(&|| {
        let folder = tempfile::tempdir().expect("a folder");
        let store = SqliteStore::open(folder.path()).expect("opens");
        Kept {
            store,
            _folder: folder,
        }
    });
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
