use super::*;
use crate::store::in_memory;
use gridwalk_domain::wire::{OpOutcome, Outcome, Receipt};
use gridwalk_domain::*;
use proptest::prelude::*;
use rusqlite::Connection;
use std::collections::BTreeMap;

const STREAMS: [StreamKey; 2] = [
    StreamKey::Records(GridId::from_bytes([1; 16])),
    StreamKey::Records(GridId::from_bytes([2; 16])),
];

const WORD: Word = Word {
    account: 1,
    epoch: EPOCH,
    lifetime_ms: 0,
};
const EPOCH: Epoch = Epoch::from_bytes([1; 16]);

fn entity(n: u8) -> Entity {
    let by = Author::User {
        user: UserId::from_bytes([1; 16]),
    };
    let op = OpId::from_bytes([n; 16]);
    Entity {
        id: EntityId::from_bytes([n; 16]),
        kind: "incident".into(),
        tenant: TenantId::from_bytes([1; 16]),
        home: STREAMS[0],
        created: Stamp { op, by, at_ms: 0 },
        created_clock: Moment {
            wall_ms: 0,
            boot: BootId::from_bytes([1; 16]),
            mono_ms: 0,
        },
        fields: BTreeMap::new(),
        history: vec![],
        lists: BTreeMap::new(),
        sets: BTreeMap::new(),
        deleted: None,
        delete_proposed: vec![],
        ops: vec![op],
        unknown: serde_json::Map::new(),
    }
}

/// A server's stream: who is listed, at which revision and number.
#[derive(Clone, Debug, Default)]
struct Stream {
    seq: u64,
    listed: BTreeMap<u8, (u64, u64)>,
}

impl Stream {
    fn page(&self, after: Option<u64>, size: usize) -> StreamPage<Raw> {
        let reset = after.is_none();
        let after = after.unwrap_or(0);
        let mut changed: Vec<_> = self
            .listed
            .iter()
            .filter(|(_, (_, seq))| *seq > after)
            .collect();
        changed.sort_by_key(|(_, (_, seq))| *seq);
        let more = changed.len() > size;
        changed.truncate(size);
        let to = if more {
            changed.last().map_or(after, |(_, (_, seq))| *seq)
        } else {
            self.seq
        };
        let mut end = StreamEnd {
            count: self.listed.len() as u64,
            hash: StreamDigest::default(),
        };
        for (n, (rev, _)) in &self.listed {
            end.hash.add(EntityId::from_bytes([*n; 16]), *rev);
        }
        let entities = changed
            .into_iter()
            .map(|(n, (rev, seq))| Revised {
                id: EntityId::from_bytes([*n; 16]),
                seq: *seq,
                rev: *rev,
                state: Some(serde_json::value::to_raw_value(&entity(*n)).expect("writes")),
            })
            .collect();
        let cursor = Cursor {
            epoch: EPOCH,
            seq: to,
            tag: 1,
        };
        StreamPage {
            entities,
            cursor: Some(cursor),
            more,
            reset,
            end: (!more).then_some(end),
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    /// An entity changes in a stream.
    Change(usize, u8),
    /// An entity leaves a stream, whose cursors are of no use any more.
    Leave(usize, u8),
    /// A page of this size is pulled.
    Pull(usize, usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0_usize..2, 1_u8..8).prop_map(|(stream, n)| Step::Change(stream, n)),
        1 => (0_usize..2, 1_u8..8).prop_map(|(stream, n)| Step::Leave(stream, n)),
        3 => (0_usize..2, 1_usize..4).prop_map(|(stream, size)| Step::Pull(stream, size)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever happens in between, once both streams are read to their end the
    /// phone holds what they list, each at its revision, and nothing else.
    #[test]
    fn what_is_held_is_what_the_streams_list(steps in proptest::collection::vec(step(), 1..60)) {
        let mut conn = in_memory();
        let mut streams = [Stream::default(), Stream::default()];
        let mut revs = [0_u64; 8];
        // Streams whose cursor the server would refuse.
        let mut stale = [false; 2];
        let pull = |conn: &mut Connection, stale: &mut [bool; 2], streams: &[Stream; 2], at: usize, size: usize| {
            let known = cursor(conn, STREAMS[at]).expect("reads").filter(|_| !stale[at]);
            let page = streams[at].page(known.map(|cursor| cursor.seq), size);
            stale[at] = false;
            let tx = conn.transaction().expect("begins");
            let kept = keep_page(&tx, STREAMS[at], &page, EPOCH, 0).expect("keeps");
            tx.commit().expect("commits");
            (page.more, kept.differs)
        };
        for step in steps {
            match step {
                Step::Change(at, n) => {
                    revs[usize::from(n)] += 1;
                    streams[at].seq += 1;
                    let entry = (revs[usize::from(n)], streams[at].seq);
                    streams[at].listed.insert(n, entry);
                }
                Step::Leave(at, n) => {
                    if streams[at].listed.remove(&n).is_some() {
                        stale[at] = true;
                    }
                }
                Step::Pull(at, size) => {
                    pull(&mut conn, &mut stale, &streams, at, size);
                }
            }
        }
        for at in 0..2 {
            loop {
                let (more, differs) = pull(&mut conn, &mut stale, &streams, at, 2);
                prop_assert!(!differs, "the server's count and hash are ours");
                if !more {
                    break;
                }
            }
        }
        let mut expected: BTreeMap<u8, u64> = BTreeMap::new();
        for (n, (rev, _)) in streams.iter().flat_map(|stream| &stream.listed) {
            let held = expected.entry(*n).or_default();
            *held = (*held).max(*rev);
        }
        let mut query = conn.prepare("SELECT entity, rev FROM base").expect("reads");
        let rows = query.query_map([], |row| Ok((row.get::<_, [u8; 16]>(0)?[0], row.get::<_, i64>(1)?)));
        let held: BTreeMap<u8, u64> = rows
            .expect("reads")
            .map(|row| row.map(|(n, rev)| (n, u64::try_from(rev).expect("positive"))).expect("reads"))
            .collect();
        // An entity that left one stream at a newer revision than another still
        // lists is held at the newer one.
        prop_assert_eq!(held.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
        for (n, rev) in &expected {
            prop_assert!(held[n] >= *rev);
        }
    }
}

#[test]
fn receipts_of_others_and_of_other_bytes_change_nothing() {
    let mut conn = in_memory();
    let ours = Sha256::of(b"ours");
    conn.execute(
        "INSERT INTO op (account, id, entity, kind, home, body, sha256, saved_ms)
         VALUES (1, ?1, ?2, 'incident', '', '{}', ?3, 0)",
        params![[9_u8; 16], [1_u8; 16], ours.0],
    )
    .expect("writes");
    let receipt = |n, op: u8, sha256| {
        let outcome = Outcome::Applied {
            stream: STREAMS[0],
            seq: n,
        };
        let op = Some(OpId::from_bytes([op; 16]));
        Receipt {
            n,
            of: ReceiptOf::Op(OpOutcome {
                op,
                sha256,
                outcome,
            }),
        }
    };
    let page = |items| ReceiptPage {
        items,
        cursor: None,
        more: false,
    };
    let key = StreamKey::Receipts(DeviceId::from_bytes([1; 16]));
    let state = |conn: &Connection| -> String {
        conn.query_row("SELECT state FROM op", [], |row| row.get(0))
            .expect("reads")
    };
    let tx = conn.transaction().expect("begins");
    let strangers = page(vec![
        receipt(1, 9, Sha256::of(b"another")),
        receipt(2, 8, ours),
    ]);
    assert_eq!(
        keep_receipts(&tx, &WORD, key, &strangers).expect("keeps"),
        BTreeSet::new()
    );
    tx.commit().expect("commits");
    assert_eq!(state(&conn), "ready");
    let tx = conn.transaction().expect("begins");
    let touched = keep_receipts(&tx, &WORD, key, &page(vec![receipt(3, 9, ours)])).expect("keeps");
    tx.commit().expect("commits");
    assert_eq!(touched, BTreeSet::from([EntityId::from_bytes([1; 16])]));
    assert_eq!(state(&conn), "taken");
}

fn one_page(id: u8, rev: u64, state: &str) -> StreamPage<Raw> {
    StreamPage {
        entities: vec![Revised {
            id: EntityId::from_bytes([id; 16]),
            seq: rev,
            rev,
            state: Some(serde_json::from_str(state).expect("JSON")),
        }],
        cursor: Some(Cursor {
            epoch: EPOCH,
            seq: rev,
            tag: 1,
        }),
        more: true,
        reset: false,
        end: None,
    }
}

fn kept(conn: &mut Connection, epoch: Epoch, page: &StreamPage<Raw>) -> (String, i64) {
    let tx = conn.transaction().expect("begins");
    keep_page(&tx, STREAMS[0], page, epoch, 0).expect("keeps");
    tx.commit().expect("commits");
    conn.query_row("SELECT state, rev FROM base", [], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })
    .expect("reads")
}

#[test]
fn a_state_is_kept_as_the_text_that_came() {
    let mut conn = in_memory();
    let text = serde_json::to_string(&entity(1)).expect("writes");
    // Spaces, an order of its own, a number that no float holds, fields that
    // are unknown at every depth.
    let text = text
        .replacen('{', "{ \"newer\": [1.0, 12345678901234567890123],", 1)
        .replace("\"at_ms\":0", "\"at_ms\":0,\"seen_by\":{\"a\":null}");
    assert_eq!(kept(&mut conn, EPOCH, &one_page(1, 1, &text)).0, text);
    let id = EntityId::from_bytes([1; 16]);
    let shown = crate::entities::load(&conn, 1, id).expect("reads");
    assert!(shown.expect("shown").unknown.contains_key("newer"));
}

#[test]
fn a_state_that_cannot_be_read_is_kept_and_spoils_no_list() {
    let mut conn = in_memory();
    for text in [r#"{"kind":"incident","fields":7}"#, r#"{"kind":9}"#, "[]"] {
        assert_eq!(kept(&mut conn, EPOCH, &one_page(1, 1, text)).0, text);
        let id = EntityId::from_bytes([1; 16]);
        assert_eq!(crate::entities::load(&conn, 1, id).expect("reads"), None);
    }
}

#[test]
fn within_a_time_line_the_highest_revision_stays_and_another_replaces_it() {
    let mut conn = in_memory();
    let text = serde_json::to_string(&entity(1)).expect("writes");
    let rev = |conn: &mut Connection, epoch, rev| kept(conn, epoch, &one_page(1, rev, &text)).1;
    assert_eq!(rev(&mut conn, EPOCH, 7), 7);
    assert_eq!(rev(&mut conn, EPOCH, 5), 7);
    let other = Epoch::from_bytes([2; 16]);
    assert_eq!(rev(&mut conn, other, 3), 3);
    assert_eq!(rev(&mut conn, other, 4), 4);
}

#[test]
fn what_this_phone_reads_anew_by_itself_does_not_keep_what_does_not_come_again() {
    // Another time line, and a count that differs; the server was asked without
    // a cursor, and sees no reason to say `reset`.
    for why in ["time line", "difference"] {
        let mut conn = in_memory();
        let mut stream = Stream::default();
        for n in 1..4 {
            stream.seq += 1;
            stream.listed.insert(n, (1, stream.seq));
        }
        let pull = |conn: &mut Connection, stream: &Stream| {
            let after = cursor(conn, STREAMS[0]).expect("reads");
            let page = stream.page(after.map(|cursor| cursor.seq), 2);
            let page = StreamPage {
                reset: false,
                ..page
            };
            let tx = conn.transaction().expect("begins");
            let kept = keep_page(&tx, STREAMS[0], &page, EPOCH, 0).expect("keeps");
            tx.commit().expect("commits");
            page.more || kept.differs
        };
        while pull(&mut conn, &stream) {}
        stream.listed.remove(&2);
        if why == "time line" {
            conn.execute(ANEW, []).expect("drops");
        }
        while pull(&mut conn, &stream) {}
        let ids: Vec<u8> = conn
            .prepare("SELECT entity FROM base ORDER BY entity")
            .and_then(|mut query| {
                let rows = query.query_map([], |row| Ok(row.get::<_, [u8; 16]>(0)?[0]))?;
                rows.collect()
            })
            .expect("reads");
        assert_eq!(ids, [1, 3], "{why}");
        let unclean = crate::store::meta::get::<bool>(&conn, crate::store::meta::name::UNCLEAN);
        assert_eq!(
            unclean.expect("reads"),
            Some(true),
            "the file is to be written anew"
        );
    }
}

#[test]
fn a_cursor_never_runs_ahead_of_the_page_that_did_not_fit_on_the_disk() {
    let mut conn = in_memory();
    let small = serde_json::to_string(&entity(1)).expect("writes");
    kept(&mut conn, EPOCH, &one_page(1, 1, &small));
    let pages: u32 = conn
        .pragma_query_value(None, "page_count", |row| row.get(0))
        .expect("told");
    conn.pragma_update_and_check(None, "max_page_count", pages + 3, |_| Ok(()))
        .expect("set");
    let mut large = entity(2);
    let text = serde_json::json!("长".repeat(60_000));
    large.unknown.insert("text".to_owned(), text);
    let mut page = one_page(2, 2, &serde_json::to_string(&large).expect("writes"));
    page.entities.extend(one_page(3, 3, &small).entities);
    page.cursor = page.cursor.map(|cursor| Cursor { seq: 9, ..cursor });
    let tx = crate::core::begin(&mut conn).expect("begins");
    let fault = keep_page(&tx, STREAMS[0], &page, EPOCH, 0).expect_err("no room");
    assert_eq!(
        crate::EngineError::from(fault),
        crate::EngineError::DiskFull
    );
    drop(tx);
    let at = cursor(&conn, STREAMS[0]).expect("reads");
    assert_eq!(at.map(|cursor| cursor.seq), Some(1));
    let held: i64 = conn
        .query_row("SELECT count(*) FROM listing", [], |row| row.get(0))
        .expect("counts");
    assert_eq!(held, 1);
}
