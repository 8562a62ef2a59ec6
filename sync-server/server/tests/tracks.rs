//! Fixes are known by their names, however chunks were cut.
#![allow(clippy::expect_used, reason = "what fails here fails the test")]

mod common;

use common::phone::{chunk, walk};
use common::{BASE, MORNING, world};
use gridwalk_domain::EntityId;
use gridwalk_domain::wire::tracks::NamedChunk;
use gridwalk_domain::wire::{ReceiptOf, TrackOutcome};
use gridwalk_store::{HeldChunkRow, StoreError};
use serde_json::json;

fn word(outcome: &TrackOutcome) -> String {
    match outcome {
        TrackOutcome::Stored => "stored".into(),
        TrackOutcome::Duplicate => "duplicate".into(),
        TrackOutcome::Deferred => "deferred".into(),
        TrackOutcome::Quarantined { reason } => format!("quarantined {}", reason.code),
        TrackOutcome::Rejected { reason } => format!("rejected {}", reason.code),
        TrackOutcome::Purged => "purged".into(),
        TrackOutcome::Unknown => "unknown".into(),
    }
}

fn words(outcomes: &[TrackOutcome]) -> Vec<String> {
    outcomes.iter().map(word).collect()
}

fn held(world: &common::World) -> Vec<HeldChunkRow> {
    gridwalk_store::read::<_, StoreError>(world.service.store(), |tx| {
        tx.held_chunks(world.tenant, None)
    })
    .expect("reads")
}

/// Fixes that do not differ take next to no bytes: what they unfold to has a bound
/// of its own.
#[test]
fn a_patrol_has_at_most_a_million_fixes() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    let patrol = phone.patrol();
    let same = vec![walk(MORNING, 1)[0]; 65_535];
    let first = chunk(patrol, 7, 0, &same);
    let many: Vec<_> = (0..16)
        .map(|n| {
            let mut next = first.clone();
            next.name.first = n * 65_535;
            next
        })
        .collect();
    let block = gridwalk_domain::wire::tracks::encode(&many);
    assert!(block.len() < 100_000, "{}", block.len());
    let answer = phone.send_tracks(&many);
    assert_eq!((answer.status, answer.code().as_str()), (413, "too_large"));
    let stored = words(&phone.tracks(&many[..15]));
    assert_eq!(stored, ["stored"; 15]);
    let rest = words(&phone.tracks(&[many[15].clone(), many[0].clone()]));
    assert_eq!(rest, ["quarantined too_many_fixes", "duplicate"]);
}

#[test]
fn fixes_are_stored_once_however_they_are_cut() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    let patrol = phone.patrol();
    let fixes = walk(MORNING, 300);
    let cut = |from: usize, to: usize| {
        chunk(
            patrol,
            7,
            u32::try_from(from).expect("small"),
            &fixes[from..to],
        )
    };
    let sends = [
        (cut(60, 120), "stored"),
        (cut(60, 120), "duplicate"),
        (cut(80, 100), "duplicate"),
        // Both edges are new, the middle is there.
        (cut(0, 200), "stored"),
        (cut(0, 200), "duplicate"),
        (cut(150, 300), "stored"),
        (cut(0, 300), "duplicate"),
        (chunk(patrol, 8, 0, &fixes[..10]), "stored"),
    ];
    for (n, (chunk, expected)) in sends.into_iter().enumerate() {
        assert_eq!(words(&phone.tracks(&[chunk])), [expected], "send {n}");
    }
    let holdings = world
        .service
        .admin()
        .holdings(Some(world.tenant))
        .expect("holdings");
    let patrols = serde_json::to_value(&holdings.patrols).expect("JSON");
    assert_eq!(
        patrols,
        json!([{"id": patrol, "chunks": 5, "fixes_stored": 310, "runs": [
            {"run": "0000000000000007", "ordinals": [[0, 299]]},
            {"run": "0000000000000008", "ordinals": [[0, 9]]},
        ]}])
    );
    assert!(held(&world).is_empty());
    let receipts = phone.pull(None, &[]).receipts.items;
    let chunks = receipts
        .iter()
        .filter(|r| matches!(r.of, ReceiptOf::Chunk(_)));
    assert_eq!(
        chunks.count(),
        4,
        "one for each chunk of which something was stored"
    );
}

#[test]
fn another_content_under_the_same_name_is_kept_aside() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    let patrol = phone.patrol();
    let fixes = walk(MORNING, 60);
    phone.tracks(&[chunk(patrol, 7, 0, &fixes)]);
    let mut moved = fixes.clone();
    moved[30].fix.position.lat += 0.001;
    let strange = chunk(patrol, 7, 0, &moved);
    let expected = ["quarantined other_content"];
    assert_eq!(
        words(&phone.tracks(std::slice::from_ref(&strange))),
        expected
    );
    assert_eq!(
        words(&phone.tracks(std::slice::from_ref(&strange))),
        expected
    );
    let held = held(&world);
    assert_eq!(held.len(), 1, "the same again is no news");
    assert_eq!(held[0].body, strange.body, "untouched");
    assert_eq!(
        words(&phone.tracks(&[chunk(patrol, 7, 0, &fixes)])),
        ["duplicate"]
    );
}

#[test]
fn what_cannot_be_read_is_kept_untouched() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    let patrol = phone.patrol();
    let good = chunk(patrol, 7, 0, &walk(MORNING, 60));
    let mut newer = good.clone();
    newer.body[0] = 0xfe;
    let mut damaged = good.clone();
    let last = damaged.body.len() - 1;
    damaged.body[last] ^= 0xff;
    let mut miscounted = good.clone();
    miscounted.name.count = 59;
    let empty = NamedChunk {
        body: vec![],
        ..good.clone()
    };
    let mut none = good.clone();
    none.name.count = 0;
    let mut high = good.clone();
    high.name.first = u32::MAX;
    let outcomes =
        words(&phone.tracks(&[newer.clone(), damaged, miscounted, empty, none, high, good]));
    let unreadable = "quarantined unreadable";
    assert_eq!(outcomes[1..4], [unreadable; 3]);
    assert_eq!(
        outcomes[4..],
        ["rejected bad_name", "rejected bad_name", "stored"]
    );
    assert!(outcomes[0].starts_with("quarantined "), "{}", outcomes[0]);
    assert!(held(&world).iter().any(|row| row.body == newer.body));
}

#[test]
fn chunks_wait_for_their_patrol_and_follow_its_fate() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    let fixes = walk(MORNING, 10);
    let unknown = EntityId::from_bytes([7; 16]);
    assert_eq!(
        words(&phone.tracks(&[chunk(unknown, 1, 0, &fixes)])),
        ["deferred"]
    );

    let mut other = world.phone("李", BASE[0]);
    let theirs = other.patrol();
    assert_eq!(
        words(&phone.tracks(&[chunk(theirs, 1, 0, &fixes)])),
        ["quarantined foreign_author"]
    );

    let refused = phone.create(
        "patrol",
        json!({"worker": phone.worker, "grid": phone.grid}),
    );
    phone.push_one(&refused);
    assert_eq!(
        words(&phone.tracks(&[chunk(refused.entity, 1, 0, &fixes)])),
        ["quarantined depends_on_refused"]
    );
    let patrols = world
        .service
        .admin()
        .holdings(None)
        .expect("holdings")
        .patrols;
    assert_eq!(patrols.iter().map(|p| p.fixes_stored).sum::<u64>(), 0);
}

#[test]
fn a_block_that_cannot_be_read_changes_nothing() {
    let world = world();
    let phone = world.phone("王", BASE[0]);
    let token = format!("Bearer {}", phone.token);
    let kind = gridwalk_domain::wire::tracks::CONTENT_TYPE;
    let send = |kind: &str, body: &[u8]| {
        let headers = [("authorization", token.as_str()), ("content-type", kind)];
        phone.line.send("POST", "/v1/tracks", &headers, body)
    };
    let bad = send(kind, b"GWT1 and then nonsense");
    assert_eq!((bad.status, bad.code().as_str()), (400, "bad_block"));
    assert_eq!(send("application/json", b"GWT1").status, 415);
    assert_eq!(send(kind, &vec![0; 1024 * 1024 + 1]).status, 413);
}

#[test]
fn sent_newest_first_and_twice_the_fixes_are_the_same_at_their_own_times() {
    let fixes = walk(MORNING, 300);
    let cuts: Vec<_> = (0..6).map(|n| (n * 50, n * 50 + 50)).collect();
    let mut ends = Vec::new();
    for order in [
        vec![0, 1, 2, 3, 4, 5],
        vec![5, 4, 3, 2, 1, 0],
        vec![3, 0, 5, 3, 1, 4, 2, 0],
    ] {
        let world = world();
        let mut phone = world.phone("王", BASE[0]);
        let patrol = phone.patrol();
        for n in order {
            let (from, to): (usize, usize) = cuts[n];
            let first = u32::try_from(from).expect("small");
            phone.tracks(&[chunk(patrol, 7, first, &fixes[from..to])]);
            world.clock.turn(60_000);
        }
        let stored = gridwalk_store::read::<_, StoreError>(world.service.store(), |tx| {
            Ok((
                tx.chunks(world.tenant, patrol)?,
                tx.positions(world.tenant)?,
            ))
        });
        let (chunks, positions) = stored.expect("reads");
        let read: Vec<_> = chunks
            .iter()
            .flat_map(|row| gridwalk_track::codec::decode(&row.body).expect("reads"))
            .collect();
        assert_eq!(read, fixes, "each once, in order");
        ends.push((positions[0].at_ms, positions[0].at));
    }
    assert!(ends.iter().all(|end| *end == ends[0]), "{ends:?}");
    assert_eq!(
        ends[0].0, fixes[299].fix.time_ms,
        "the time of the fix, not of its arrival"
    );
}

#[test]
fn a_fix_from_the_future_does_not_freeze_the_last_position() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    let patrol = phone.patrol();
    let year = 365 * 24 * 3_600_000;
    phone.tracks(&[chunk(patrol, 7, 0, &walk(MORNING + year, 10))]);
    let last = || {
        gridwalk_store::read::<_, StoreError>(world.service.store(), |tx| {
            tx.positions(world.tenant)
        })
        .expect("reads")
    };
    assert!(last().is_empty(), "it is stored, but says nothing of today");
    phone.tracks(&[chunk(patrol, 8, 0, &walk(MORNING, 10))]);
    assert_eq!(last()[0].at_ms, MORNING + 9_000);
    assert_eq!(last()[0].patrol, patrol);
}
