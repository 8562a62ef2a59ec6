//! Ops, entities, streams, receipts.

use super::make::{
    OTHER, Result, T, applied, device, entity, entity_id, grid_id, hash, op, op_id, quarantined,
    read, receipt, records, worker, write,
};
use crate::rows::{
    EntityFilter, EntityRow, EntryRow, Listing, OpSummary, Purged, StreamHead, Tag, TagRow, Wait,
};
use crate::{Read, Store, StoreError, nested};
use gridwalk_domain::{StreamDigest, StreamKey};

pub(super) fn all<S: Store>(make: &dyn Fn() -> S) {
    ops_keep_every_body(&make());
    held_ops_are_found_by_entity(&make());
    waiting_ops_are_found_by_what_they_wait_for(&make());
    entities_are_found(&make());
    days_are_listed(&make());
    attachments_know_their_records(&make());
    what_is_due_comes_in_time(&make());
    a_stream_is_paged_in_order(&make());
    tags_age(&make());
    what_was_purged_is_remembered(&make());
    receipts_are_numbered(&make());
}

fn ops_keep_every_body(store: &impl Store) {
    let second = {
        let mut row = op(1, 1, quarantined());
        row.summary.sha256 = hash(0);
        row.body = "{}".into();
        row
    };
    write(store, |tx| {
        tx.add_ops(T, &[op(2, 1, applied(1, 2)), op(1, 1, applied(1, 1))])?;
        tx.add_ops(T, std::slice::from_ref(&second))?;
        tx.add_ops(OTHER, &[op(1, 1, applied(1, 1))])
    });
    read(store, |tx| {
        let found = tx.ops(T, &[op_id(3), op_id(2), op_id(1), op_id(1)])?;
        let summaries = [
            op(1, 1, applied(1, 1)),
            second.clone(),
            op(2, 1, applied(1, 2)),
        ];
        assert_eq!(
            found,
            summaries.map(|row| row.summary),
            "the first body first"
        );
        assert_eq!(tx.op_ids(T)?, [op_id(1), op_id(2)]);
        assert_eq!(tx.op_ids(OTHER)?, [op_id(1)]);
        Ok(())
    });
}

fn held_ops_are_found_by_entity(store: &impl Store) {
    write(store, |tx| {
        tx.add_ops(T, &[op(5, 1, quarantined()), op(4, 1, quarantined())])?;
        tx.add_ops(T, &[op(6, 1, applied(1, 1)), op(7, 2, quarantined())])
    });
    read(store, |tx| {
        let held = tx.held_ops(T, Some(entity_id(1)))?;
        assert_eq!(
            held,
            [op(5, 1, quarantined()), op(4, 1, quarantined())],
            "as they came"
        );
        assert!(tx.held_ops(OTHER, Some(entity_id(1)))?.is_empty());
        Ok(())
    });
    write(store, |tx| {
        tx.set_outcome(T, &op(5, 1, applied(1, 9)).summary)
    });
    read(store, |tx| {
        assert_eq!(
            tx.held_ops(T, Some(entity_id(1)))?,
            [op(4, 1, quarantined())]
        );
        assert_eq!(tx.ops(T, &[op_id(5)])?[0].outcome, applied(1, 9));
        Ok(())
    });
    let unknown: Result<()> = crate::write(store, |tx| {
        tx.set_outcome(T, &op(99, 1, applied(1, 9)).summary)
    });
    assert!(
        matches!(unknown, Err(StoreError::Refused(_))),
        "{unknown:?}"
    );
}

fn waiting_ops_are_found_by_what_they_wait_for(store: &impl Store) {
    let waiting = |n: u8, wait| {
        let mut row = op(n, 1, quarantined());
        row.summary.wait = wait;
        row
    };
    let waits = [
        Wait::Op(op_id(9)),
        Wait::Entity(entity_id(9)),
        Wait::Assignment(worker(9)),
        Wait::App(device(9)),
        Wait::Upgrade,
    ];
    write(store, |tx| {
        for (n, wait) in (1..).zip(waits) {
            tx.add_ops(T, &[waiting(10 - n, Some(wait))])?;
        }
        tx.add_ops(T, &[waiting(20, None)])
    });
    let found = |waits: &[Wait]| -> Vec<u8> {
        let rows = read(store, |tx| tx.waiting_ops(T, waits));
        rows.iter()
            .map(|row| row.summary.id.as_bytes()[0])
            .collect()
    };
    assert_eq!(found(&waits), [9, 8, 7, 6, 5], "as they came");
    assert_eq!(found(&[waits[3], waits[1], waits[1]]), [8, 6]);
    assert!(found(&[Wait::Op(op_id(8)), Wait::Entity(entity_id(8))]).is_empty());
    let reissued = OpSummary {
        outcome: applied(1, 3),
        reissued: Some(op_id(77)),
        wait: None,
        ..waiting(9, None).summary
    };
    write(store, |tx| {
        tx.set_outcome(T, &waiting(8, Some(waits[0])).summary)?;
        tx.set_outcome(T, &reissued)?;
        tx.drop_body(T, op_id(7), hash(7))
    });
    assert_eq!(found(&waits), [8, 7, 6, 5]);
    assert_eq!(found(&waits[..1]), [8]);
    read(store, |tx| {
        assert_eq!(
            tx.held_ops(T, None)?.len(),
            6,
            "one that stands elsewhere too"
        );
        let rows = tx.op_rows(T, op_id(7))?;
        assert_eq!((rows.len(), rows[0].body.as_str()), (1, ""));
        assert_eq!(
            tx.op_rows(T, op_id(8))?[0].body,
            op(8, 1, quarantined()).body
        );
        assert_eq!(tx.ops(T, &[op_id(9)])?, std::slice::from_ref(&reissued));
        assert_eq!(tx.ops_on(T, entity_id(1))?.len(), 6);
        assert!(tx.ops_on(OTHER, entity_id(1))?.is_empty());
        assert!(tx.waiting_ops(OTHER, &waits)?.is_empty());
        Ok(())
    });
}

fn entities_are_found(store: &impl Store) {
    let mut changed = entity(1, "patrol", 3, 1_000);
    write(store, |tx| {
        let mut gone = entity(4, "patrol", 3, 1_000);
        gone.deleted = true;
        let mut child = entity(5, "incident", 4, 500);
        child.parent = Some(entity_id(1));
        child.status = None;
        child.worker = None;
        tx.put_entities(
            T,
            &[
                entity(2, "patrol", 4, 2_000),
                entity(3, "patrol", 3, 1_500),
                changed.clone(),
                gone,
                child,
            ],
        )?;
        tx.put_entities(OTHER, &[entity(1, "patrol", 3, 1_000)])
    });
    changed.rev = 2;
    changed.status = Some("ended".into());
    changed.state = Some("{\"长\":\"…\"}".into());
    changed.listed.push(Listing {
        stream: StreamKey::Inbox(worker(9)),
        seq: 1 << 40,
    });
    write(store, |tx| {
        tx.put_entities(T, std::slice::from_ref(&changed))
    });
    read(store, |tx| {
        assert_eq!(
            tx.entities(T, &[entity_id(9), entity_id(1)])?,
            [changed.clone()]
        );
        assert_eq!(
            tx.entities(T, &[entity_id(4)])?.len(),
            1,
            "deleted ones too"
        );
        let ids = |filter: EntityFilter<'_>| -> Result<Vec<u8>> {
            let rows = tx.find(T, &filter)?;
            Ok(rows.iter().map(|row| row.id.as_bytes()[0]).collect())
        };
        let all = EntityFilter::default;
        assert_eq!(ids(all())?, [5, 1, 3, 2], "by time, none deleted");
        assert_eq!(
            ids(EntityFilter {
                kind: Some("patrol"),
                ..all()
            })?,
            [1, 3, 2]
        );
        let (three, none) = ([grid_id(3)], []);
        assert_eq!(
            ids(EntityFilter {
                grids: Some(&three),
                ..all()
            })?,
            [1, 3]
        );
        assert!(
            ids(EntityFilter {
                grids: Some(&none),
                ..all()
            })?
            .is_empty()
        );
        assert_eq!(
            ids(EntityFilter {
                day: Some(1),
                ..all()
            })?,
            [1, 3]
        );
        assert_eq!(
            ids(EntityFilter {
                status: Some("on"),
                ..all()
            })?,
            [3, 2]
        );
        assert_eq!(
            ids(EntityFilter {
                parent: Some(entity_id(1)),
                ..all()
            })?,
            [5]
        );
        let both = EntityFilter {
            day: Some(1),
            status: Some("on"),
            grids: Some(&three),
            ..all()
        };
        assert_eq!(ids(both)?, [3]);
        Ok(())
    });
}

fn days_are_listed(store: &impl Store) {
    write(store, |tx| {
        let mut gone = entity(4, "patrol", 3, 9_000);
        gone.deleted = true;
        tx.put_entities(
            T,
            &[
                entity(1, "patrol", 3, 1_000),
                entity(2, "patrol", 3, 1_001),
                entity(3, "incident", 4, 3_000),
                entity(5, "shift", 3, 5_000),
                gone,
            ],
        )
    });
    read(store, |tx| {
        let kinds = ["patrol", "incident"];
        assert_eq!(tx.days(T, None, &kinds, 60)?, [3, 1]);
        assert_eq!(tx.days(T, None, &kinds, 1)?, [3]);
        assert_eq!(tx.days(T, Some(&[grid_id(3)]), &kinds, 60)?, [1]);
        assert!(tx.days(OTHER, None, &kinds, 60)?.is_empty());
        Ok(())
    });
}

fn attachments_know_their_records(store: &impl Store) {
    let with = |n: u8, rev, blobs: &[u8]| {
        let mut row = entity(n, "incident", n, 1_000);
        row.rev = rev;
        row.blobs = blobs.iter().map(|n| hash(*n)).collect();
        row
    };
    write(store, |tx| {
        tx.put_entities(T, &[with(1, 1, &[1, 2]), with(2, 1, &[2])])?;
        tx.put_entities(T, &[with(1, 2, &[2, 3])])
    });
    read(store, |tx| {
        let holders = |n| -> Result<Vec<u8>> {
            let rows = tx.holders(T, hash(n))?;
            Ok(rows.iter().map(|row| row.entity.as_bytes()[0]).collect())
        };
        assert!(holders(1)?.is_empty());
        assert_eq!(holders(2)?, [1, 2]);
        assert_eq!(holders(3)?, [1]);
        let row = &tx.holders(T, hash(3))?[0];
        assert_eq!(
            (row.kind.as_str(), row.grid),
            ("incident", Some(grid_id(1)))
        );
        assert!(tx.holders(OTHER, hash(2))?.is_empty());
        assert_eq!(tx.entities(T, &[entity_id(1)])?, [with(1, 2, &[2, 3])]);
        Ok(())
    });
}

fn what_is_due_comes_in_time(store: &impl Store) {
    let due = |n: u8, due_ms| EntityRow {
        due_ms,
        ..entity(n, "incident", 3, 1_000)
    };
    let deleted = EntityRow {
        deleted: true,
        ..due(5, Some(1))
    };
    write(store, |tx| {
        let rows = [due(1, Some(30)), due(2, None), due(3, Some(10))];
        tx.put_entities(T, &rows)?;
        tx.put_entities(T, &[due(4, Some(20)), deleted.clone()])?;
        tx.put_entities(OTHER, &[due(6, Some(1))])
    });
    let due_by = |at_ms, limit| {
        let rows = read(store, |tx| tx.due(T, at_ms, limit));
        rows.iter().map(|row| row.id).collect::<Vec<_>>()
    };
    assert_eq!(due_by(30, 9), [3, 4, 1].map(entity_id));
    assert_eq!(due_by(29, 9), [3, 4].map(entity_id));
    assert_eq!(due_by(30, 1), [entity_id(3)]);
    write(store, |tx| {
        tx.set_due(T, entity_id(3), None)?;
        tx.set_due(T, entity_id(2), Some(5))?;
        tx.set_due(T, entity_id(99), Some(5))?;
        // A change that leaves all else alone.
        let moved = EntityRow {
            rev: 2,
            ..due(1, Some(7))
        };
        tx.put_entities(T, &[moved])
    });
    assert_eq!(due_by(20, 9), [2, 1, 4].map(entity_id));
}

fn a_stream_is_paged_in_order(store: &impl Store) {
    let entry = |stream, n: u8, seq, before| EntryRow {
        stream,
        entity: entity_id(n),
        seq,
        before,
    };
    let mut digest = StreamDigest::default();
    digest.add(entity_id(1), 1);
    let head = StreamHead {
        seq: 4,
        count: 3,
        digest,
        tag: u64::MAX - 1,
    };
    let purged = EntityRow {
        state: None,
        rev: 7,
        ..entity(3, "", 3, 0)
    };
    write(store, |tx| {
        let rows = [1, 2, 3].map(|n| entity(n, "incident", 3, 1_000));
        tx.put_entities(T, &rows)?;
        tx.put_entities(OTHER, &rows)?;
        let new = [1, 2, 3].map(|n| entry(records(3), n, u64::from(n), None));
        tx.put_entries(T, &new)?;
        let moved = entry(records(3), 1, 4, Some(1));
        tx.put_entries(T, &[entry(records(4), 1, 1, None), moved])?;
        tx.put_entries(T, &[entry(StreamKey::Notices(grid_id(3)), 2, 1, None)])?;
        tx.put_entries(OTHER, &[entry(records(3), 1, 9, None)])?;
        tx.put_entities(T, std::slice::from_ref(&purged))?;
        tx.put_heads(T, &[(records(3), head)])
    });
    read(store, |tx| {
        let seqs = |after, bytes| -> Result<Vec<u64>> {
            let page = tx.page(T, records(3), after, bytes)?;
            Ok(page.iter().map(|row| row.seq).collect())
        };
        assert_eq!(seqs(0, 10_000)?, [2, 3, 4], "each once, at its last change");
        assert_eq!(seqs(3, 10_000)?, [4]);
        assert!(seqs(4, 10_000)?.is_empty());
        assert_eq!(seqs(0, 0)?, [2], "always one");
        let size = entity(1, "incident", 3, 1_000).state.unwrap().len() + 64;
        assert_eq!(seqs(0, size + 64)?, [2, 3]);
        let page = tx.page(T, records(3), 2, 1_000)?;
        assert_eq!(page[1].state, entity(1, "incident", 3, 0).state);
        assert_eq!((page[1].entity, page[1].rev), (entity_id(1), 1));
        assert_eq!(
            (page[0].entity, page[0].rev, &page[0].state),
            (entity_id(3), 7, &None),
            "a purged one is a number without a state"
        );
        assert_eq!(tx.page(T, StreamKey::Notices(grid_id(3)), 0, 0)?.len(), 1);
        let heads = tx.heads(T, &[records(9), records(3)])?;
        assert_eq!(heads, [StreamHead::default(), head], "in the order asked");
        assert_eq!(tx.streams(T)?, [(records(3), head)]);
        assert!(tx.streams(OTHER)?.is_empty());
        let listed = tx.listed(T, records(3))?;
        let expected = [(entity_id(2), 1), (entity_id(3), 7), (entity_id(1), 1)];
        assert_eq!(listed, expected);
        assert_eq!(
            tx.entities(T, &[entity_id(3)])?,
            std::slice::from_ref(&purged)
        );
        Ok(())
    });
}

fn tags_age(store: &impl Store) {
    let tag = |first, at_ms| TagRow {
        stream: records(3),
        first,
        tag: u64::MAX - first,
        at_ms,
    };
    write(store, |tx| {
        tx.add_tags(T, &[tag(1, 10), tag(5, 30), tag(7, 20), tag(8, 40)])?;
        tx.add_tags(
            T,
            &[TagRow {
                stream: records(4),
                ..tag(1, 10)
            }],
        )
    });
    let tags = |tx: &dyn Read| -> Result<Vec<Option<Tag>>> {
        [1, 4, 5, 7, 9]
            .into_iter()
            .map(|seq| tx.tag(T, records(3), seq))
            .collect()
    };
    let of = |first: u64| Some(Tag::Own(u64::MAX - first));
    let common = Some(Tag::Common(u64::MAX - 1));
    read(store, |tx| {
        let all = [of(1), of(1), of(5), of(7), of(8)];
        assert_eq!(tags(tx)?, all, "numbers that were given at once share one");
        assert_eq!(tx.tag(OTHER, records(3), 3)?, None);
        Ok(())
    });
    write(store, |tx| tx.prune_tags(25));
    read(store, |tx| {
        let kept = [common, common, common, common, of(8)];
        assert_eq!(tags(tx)?, kept, "no hole, though a clock was set back");
        assert_eq!(
            tx.tag(T, records(4), 2)?,
            of(1),
            "a stream's last one stays"
        );
        assert_eq!(tx.tag(T, records(5), 2)?, None);
        Ok(())
    });
    write(store, |tx| {
        tx.add_tags(T, &[tag(9, 50), tag(11, 60)])?;
        tx.prune_tags(55)?;
        tx.prune_tags(55)
    });
    read(store, |tx| {
        assert_eq!(tx.tag(T, records(3), 9)?, common, "always the same");
        assert_eq!(tx.tag(T, records(3), 11)?, of(11));
        Ok(())
    });
}

fn what_was_purged_is_remembered(store: &impl Store) {
    let (gone, blob) = (Purged::Entity(entity_id(1)), Purged::Blob(hash(1)));
    write(store, |tx| {
        tx.add_purged(T, blob)?;
        tx.add_purged(T, gone)?;
        tx.add_purged(T, gone)
    });
    read(store, |tx| {
        let asked = [
            Purged::Unshown(hash(1)),
            blob,
            gone,
            Purged::Entity(entity_id(2)),
        ];
        assert_eq!(tx.purged(T, &asked)?, [gone, blob]);
        assert!(tx.purged(OTHER, &asked)?.is_empty());
        Ok(())
    });
}

fn receipts_are_numbered(store: &impl Store) {
    write(store, |tx| {
        tx.add_receipts(T, device(1), &[receipt(1), receipt(2), receipt(3)])?;
        let receipts = [receipt(4), receipt(2)];
        let taken: Result<()> = nested(tx, |tx| tx.add_receipts(T, device(1), &receipts));
        assert!(matches!(taken, Err(StoreError::Refused(_))), "{taken:?}");
        tx.add_receipts(T, device(2), &[receipt(1)])
    });
    read(store, |tx| {
        assert_eq!(tx.receipts(T, device(1), 1, 10)?, [receipt(2), receipt(3)]);
        assert_eq!(tx.receipts(T, device(1), 0, 1)?, [receipt(1)]);
        assert_eq!(tx.receipt_tag(T, device(1), 2)?, Some(receipt(2).tag));
        assert_eq!(tx.receipt_tag(T, device(2), 2)?, None);
        let last = Some((3, receipt(3).tag));
        assert_eq!(tx.last_receipt(T, device(1))?, last);
        assert_eq!(tx.last_receipt(T, device(3))?, None);
        Ok(())
    });
}
