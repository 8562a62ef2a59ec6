use super::*;
use crate::core::begin;

fn config(path: PathBuf, keyed: bool) -> Config {
    crate::config::for_tests(path, keyed.then(|| Key32::new([1; 32])))
}

#[test]
fn the_file_is_set_up_to_keep_what_it_is_given() {
    for keyed in [false, true] {
        let folder = tempfile::tempdir().expect("a folder");
        let config = config(folder.path().join("db"), keyed);
        for _ in 0..2 {
            let (conn, _lock) = open(&config).expect("opens");
            let text = |name: &str| -> String {
                conn.pragma_query_value(None, name, |row| row.get::<_, rusqlite::types::Value>(0))
                    .map(|value| format!("{value:?}"))
                    .expect("told")
            };
            assert_eq!(text("journal_mode"), r#"Text("wal")"#);
            assert_eq!(text("synchronous"), "Integer(2)", "FULL");
            assert_eq!(text("locking_mode"), r#"Text("exclusive")"#);
            assert_eq!(text("secure_delete"), "Integer(1)", "ON");
            assert!(text("page_size").contains("4096"));
            assert_eq!(text("foreign_keys"), "Integer(0)");
            assert_eq!(
                text("user_version"),
                format!("Integer({})", schema::VERSION)
            );
        }
    }
}

#[test]
fn a_full_disk_rolls_the_whole_transaction_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut conn, _lock) = open(&config(folder.path().join("db"), true)).expect("opens");
    let pages: u32 = conn
        .pragma_query_value(None, "page_count", |row| row.get(0))
        .expect("told");
    conn.pragma_update_and_check(None, "max_page_count", pages + 4, |_| Ok(()))
        .expect("set");
    let tx = begin(&mut conn).expect("begins");
    meta::put(&tx, meta::name::SHIFT, &"a small one").expect("fits");
    let error = meta::put(&tx, meta::name::PATROL, &"x".repeat(100_000)).expect_err("does not fit");
    assert_eq!(EngineError::from(error), EngineError::DiskFull);
    drop(tx);
    let small: Option<String> = meta::get(&conn, meta::name::SHIFT).expect("reads");
    assert_eq!(small, None, "nothing of it was changed");
    let tx = begin(&mut conn).expect("begins");
    meta::put(&tx, meta::name::SHIFT, &"a small one").expect("fits");
    tx.commit().expect("commits: the file goes on");
}

/// SQLite moves cells when its trees grow and shrink, and leaves copies behind.
#[test]
fn what_was_deleted_is_in_no_file_once_it_was_written_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    let (conn, _lock) = open(&config(folder.path().join("db"), false)).expect("opens");
    let id = |n: u32| gridwalk_domain::Sha256::of(&n.to_be_bytes()).0[..16].to_vec();
    for n in 0..600_u32 {
        // Sizes that make pages split, merge and overflow.
        let state = format!("secret-{n} ").repeat(1 + n as usize * 7 % 600);
        let sql = "INSERT INTO base (entity, kind, epoch, rev, conflicts, state)
                   VALUES (?1, 'x', ?1, 1, 0, ?2)";
        conn.execute(sql, rusqlite::params![id(n), state])
            .expect("inserts");
    }
    for n in (0..600).step_by(3) {
        conn.execute("DELETE FROM base WHERE entity = ?1", [id(n)])
            .expect("deletes");
    }
    rewrite(&conn).expect("rewrites");
    let mut bytes = Vec::new();
    for file in std::fs::read_dir(folder.path()).expect("lists") {
        bytes.extend(std::fs::read(file.expect("a file").path()).expect("reads"));
    }
    let text = String::from_utf8_lossy(&bytes);
    for n in 0..600 {
        let there = text.contains(&format!("secret-{n} "));
        assert_eq!(there, n % 3 != 0, "{n}");
    }
}
