//! Ops, entities, streams, receipts.

use super::make::{
    OTHER, Result, T, applied, device, entity, entity_id, grid_id, hash, op, op_id, quarantined,
    read, receipt, records, write,
};
use crate::rows::{EntityFilter, EntryRow, StreamHead, TagRow};
use crate::{Read, Store, StoreError};
use gridwalk_domain::{StreamDigest, StreamKey};

pub(super) fn all<S: Store>(make: &dyn Fn() -> S) {
    ops_keep_every_body(&make());
    held_ops_are_found_by_entity(&make());
    entities_are_found(&make());
    days_are_listed(&make());
    attachments_know_their_records(&make());
    a_stream_is_paged_in_order(&make());
    tags_age(&make());
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
        let held = tx.held_ops(T, entity_id(1))?;
        assert_eq!(
            held,
            [op(5, 1, quarantined()), op(4, 1, quarantined())],
            "as they came"
        );
        assert!(tx.held_ops(OTHER, entity_id(1))?.is_empty());
        Ok(())
    });
    write(store, |tx| {
        tx.set_outcome(T, &op(5, 1, applied(1, 9)).summary)
    });
    read(store, |tx| {
        assert_eq!(tx.held_ops(T, entity_id(1))?, [op(4, 1, quarantined())]);
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
    changed.state = "{\"长\":\"…\"}".into();
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

fn a_stream_is_paged_in_order(store: &impl Store) {
    let entry = |stream, n: u8, seq| EntryRow {
        stream,
        entity: entity_id(n),
        seq,
    };
    let mut digest = StreamDigest::default();
    digest.add(entity_id(1), 1);
    let head = StreamHead {
        seq: 4,
        count: 3,
        digest,
    };
    write(store, |tx| {
        let rows = [1, 2, 3].map(|n| entity(n, "incident", 3, 1_000));
        tx.put_entities(T, &rows)?;
        tx.put_entities(OTHER, &rows)?;
        tx.put_entries(T, &[1, 2, 3].map(|n| entry(records(3), n, u64::from(n))))?;
        tx.put_entries(T, &[entry(records(4), 1, 1), entry(records(3), 1, 4)])?;
        tx.put_entries(T, &[entry(StreamKey::Notices(grid_id(3)), 2, 1)])?;
        tx.put_entries(OTHER, &[entry(records(3), 1, 9)])?;
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
        let size = entity(1, "incident", 3, 1_000).state.len();
        assert_eq!(seqs(0, 2 * size)?, [2, 3]);
        assert_eq!(
            tx.page(T, records(3), 3, 0)?[0].state,
            entity(1, "incident", 3, 0).state
        );
        assert_eq!(tx.page(T, StreamKey::Notices(grid_id(3)), 0, 0)?.len(), 1);
        let heads = tx.heads(T, &[records(9), records(3)])?;
        assert_eq!(heads, [StreamHead::default(), head], "in the order asked");
        Ok(())
    });
}

fn tags_age(store: &impl Store) {
    let tag = |seq, at_ms| TagRow {
        stream: records(3),
        seq,
        tag: u64::MAX - seq,
        at_ms,
    };
    write(store, |tx| {
        tx.add_tags(T, &[tag(1, 10), tag(2, 20), tag(3, 30)])?;
        tx.put_heads(
            T,
            &[(
                records(3),
                StreamHead {
                    seq: 3,
                    ..Default::default()
                },
            )],
        )?;
        tx.prune_tags(100)
    });
    let tags = |tx: &dyn Read| -> Result<Vec<Option<u64>>> {
        [1, 2, 3]
            .into_iter()
            .map(|seq| tx.tag(T, records(3), seq))
            .collect()
    };
    read(store, |tx| {
        assert_eq!(
            tags(tx)?,
            [None, None, Some(u64::MAX - 3)],
            "the head's tag stays"
        );
        assert_eq!(tx.tag(OTHER, records(3), 3)?, None);
        Ok(())
    });
}

fn receipts_are_numbered(store: &impl Store) {
    write(store, |tx| {
        tx.add_receipts(T, device(1), &[receipt(1), receipt(2), receipt(3)])?;
        let taken = tx.add_receipts(T, device(1), &[receipt(4), receipt(2)]);
        assert!(matches!(taken, Err(StoreError::Refused(_))), "{taken:?}");
        tx.add_receipts(T, device(2), &[receipt(1)])
    });
    read(store, |tx| {
        assert_eq!(tx.receipts(T, device(1), 1, 10)?, [receipt(2), receipt(3)]);
        assert_eq!(tx.receipts(T, device(1), 0, 1)?, [receipt(1)]);
        assert_eq!(
            tx.tag(T, StreamKey::Receipts(device(1)), 2)?,
            Some(receipt(2).tag)
        );
        assert_eq!(tx.tag(T, StreamKey::Receipts(device(2)), 2)?, None);
        Ok(())
    });
}
