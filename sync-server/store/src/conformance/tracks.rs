//! Chunks, positions, attachments.

use gridwalk_domain::Position;
use gridwalk_domain::wire::{Reason, TrackOutcome};

use super::make::{OTHER, Result, T, chunk, device, entity_id, hash, read, span, worker, write};
use crate::rows::{BlobRow, HeldChunkRow, PositionRow, TrackVersion, UploadRow, Wait};
use crate::{Store, StoreError};

pub(super) fn all<S: Store>(make: &dyn Fn() -> S) {
    chunks_are_found_by_overlap(&make());
    chunks_are_kept_aside(&make());
    a_patrols_chunks_are_forgotten(&make());
    the_last_position(&make());
    attachments_and_uploads(&make());
}

fn chunks_are_found_by_overlap(store: &impl Store) {
    let high = u64::MAX - 3;
    let stored = [
        span(1, 7, 0, 60),
        span(1, 7, 60, 40),
        span(1, 7, 200, 50),
        span(1, high, 0, 9),
    ];
    write(store, |tx| {
        for one in stored.iter().rev() {
            tx.add_chunk(T, &chunk(*one))?;
        }
        let taken = tx.add_chunk(T, &chunk(span(1, 7, 60, 2)));
        assert!(matches!(taken, Err(StoreError::Refused(_))), "{taken:?}");
        tx.add_chunk(T, &chunk(span(2, 7, 0, 5)))?;
        tx.add_chunk(OTHER, &chunk(span(1, 7, 0, 60)))
    });
    read(store, |tx| {
        let over = |first, count| -> Result<Vec<u32>> {
            let rows = tx.chunks_over(T, span(1, 7, first, count))?;
            let spans: Vec<_> = rows.iter().map(|row| row.span).collect();
            assert_eq!(tx.spans_over(T, span(1, 7, first, count))?, spans);
            Ok(spans.iter().map(|span| span.first).collect())
        };
        assert_eq!(over(0, 300)?, [0, 60, 200]);
        assert_eq!(over(59, 2)?, [0, 60]);
        assert_eq!(over(60, 1)?, [60]);
        assert!(over(100, 100)?.is_empty(), "touching is not overlapping");
        assert_eq!(over(249, u32::MAX - 249)?, [200]);
        let whole = tx.chunks(T, entity_id(1))?;
        assert_eq!(
            whole,
            stored.map(chunk),
            "runs in order, all 64 bits of them"
        );
        let versions = tx.track_versions(T, &[entity_id(9), entity_id(1)])?;
        assert_eq!(
            versions,
            [
                TrackVersion::default(),
                TrackVersion {
                    chunks: 4,
                    fixes: 159
                }
            ]
        );
        let spans = tx.spans(T)?;
        assert_eq!(spans.len(), 5);
        assert_eq!(&spans[..4], &stored);
        Ok(())
    });
}

fn chunks_are_kept_aside(store: &impl Store) {
    let held = |n: u8, why: &str| HeldChunkRow {
        span: span(1, 7, 0, 60),
        sha256: hash(n),
        device: device(1),
        received_ms: 4,
        outcome: TrackOutcome::Quarantined {
            reason: Reason {
                code: why.into(),
                text: why.into(),
            },
        },
        wait: (n == 1).then_some(Wait::Upgrade),
        body: vec![n],
    };
    write(store, |tx| {
        tx.hold_chunk(T, &held(2, "other_content"))?;
        tx.hold_chunk(T, &held(1, "unreadable"))?;
        tx.hold_chunk(T, &held(1, "unknown_version"))
    });
    read(store, |tx| {
        let all = [held(1, "unknown_version"), held(2, "other_content")];
        assert_eq!(tx.held_chunks(T, Some(entity_id(1)))?, all);
        assert_eq!(tx.held_chunks(T, None)?, all);
        assert!(tx.held_chunks(T, Some(entity_id(2)))?.is_empty());
        assert!(tx.held_chunks(OTHER, None)?.is_empty());
        let one = |n, count| tx.held_chunk(T, span(1, 7, 0, count), hash(n));
        assert_eq!(one(2, 60)?, Some(held(2, "other_content")));
        assert_eq!((one(2, 59)?, one(3, 60)?), (None, None));
        assert!(tx.chunks(T, entity_id(1))?.is_empty());
        assert_eq!(
            tx.waiting_chunks(T, &[Wait::Upgrade])?,
            [held(1, "unknown_version")]
        );
        assert!(
            tx.waiting_chunks(T, &[Wait::Entity(entity_id(1))])?
                .is_empty()
        );
        assert!(tx.waiting_chunks(OTHER, &[Wait::Upgrade])?.is_empty());
        Ok(())
    });
    write(store, |tx| {
        tx.drop_held_chunk(T, span(1, 7, 0, 60), hash(1))
    });
    let left = read(store, |tx| tx.held_chunks(T, None));
    assert_eq!(left, [held(2, "other_content")]);
}

fn a_patrols_chunks_are_forgotten(store: &impl Store) {
    let position = |n: u8, patrol| PositionRow {
        worker: worker(n),
        patrol: entity_id(patrol),
        at_ms: 5,
        at: Position {
            lat: 35.0,
            lon: 118.0,
        },
    };
    let held = |patrol| HeldChunkRow {
        span: span(patrol, 9, 0, 1),
        sha256: hash(1),
        device: device(1),
        received_ms: 4,
        outcome: TrackOutcome::Deferred,
        wait: None,
        body: vec![1],
    };
    write(store, |tx| {
        for patrol in [1, 2] {
            tx.add_chunk(T, &chunk(span(patrol, 7, 0, 60)))?;
            tx.hold_chunk(T, &held(patrol))?;
            tx.put_position(T, &position(patrol, patrol))?;
        }
        tx.drop_chunks(T, entity_id(1))
    });
    read(store, |tx| {
        assert_eq!(tx.spans(T)?, [span(2, 7, 0, 60)]);
        assert_eq!(tx.held_chunks(T, None)?, [held(2)]);
        assert_eq!(tx.positions(T)?, [position(2, 2)]);
        Ok(())
    });
}

fn the_last_position(store: &impl Store) {
    let row = |at_ms, lat| PositionRow {
        worker: worker(1),
        patrol: entity_id(4),
        at_ms,
        at: Position { lat, lon: 118.25 },
    };
    write(store, |tx| {
        tx.put_position(T, &row(1, 35.0))?;
        tx.put_position(T, &row(2, 35.062_514_9))
    });
    assert_eq!(read(store, |tx| tx.positions(T)), [row(2, 35.062_514_9)]);
    assert!(read(store, |tx| tx.positions(OTHER)).is_empty());
    let one = |tenant| read(store, |tx| tx.position(tenant, worker(1)));
    assert_eq!((one(T), one(OTHER)), (Some(row(2, 35.062_514_9)), None));
}

fn attachments_and_uploads(store: &impl Store) {
    let blob = |n: u8| BlobRow {
        sha256: hash(n),
        bytes: 12,
        mime: "image/jpeg".into(),
        received_ms: 3,
    };
    let upload = |id: &str, n: u8, offset, at_ms| UploadRow {
        id: id.into(),
        tenant: T,
        device: device(1),
        sha256: hash(n),
        length: 100,
        offset,
        at_ms,
    };
    write(store, |tx| {
        tx.put_blob(T, &blob(2))?;
        tx.put_blob(T, &blob(1))?;
        for n in [2, 1, 2] {
            tx.add_blob_sender(T, hash(1), device(n))?;
        }
        tx.put_upload(&upload("a", 1, 0, 1))?;
        tx.put_upload(&upload("b", 2, 0, 1))?;
        tx.put_upload(&upload("a", 1, 64, 9))
    });
    read(store, |tx| {
        assert_eq!(
            tx.blobs(T, &[hash(3), hash(1), hash(2)])?,
            [blob(1), blob(2)]
        );
        assert!(tx.blobs(OTHER, &[hash(1)])?.is_empty());
        assert_eq!(tx.blob_hashes(T)?, [hash(1), hash(2)]);
        assert_eq!(tx.upload("a")?, Some(upload("a", 1, 64, 9)));
        assert_eq!(
            tx.upload_of(T, device(1), hash(1))?,
            Some(upload("a", 1, 64, 9))
        );
        assert_eq!(tx.upload_of(T, device(2), hash(1))?, None);
        assert_eq!(tx.upload_of(OTHER, device(1), hash(1))?, None);
        assert_eq!(tx.stale_uploads(5)?, [upload("b", 2, 0, 1)]);
        assert_eq!(tx.uploads_of(T, hash(1))?, [upload("a", 1, 64, 9)]);
        assert!(tx.uploads_of(OTHER, hash(1))?.is_empty());
        assert_eq!(tx.blob_senders(T, hash(1))?, [device(1), device(2)]);
        assert!(tx.blob_senders(T, hash(2))?.is_empty());
        Ok(())
    });
    write(store, |tx| tx.drop_blob(T, hash(1)));
    read(store, |tx| {
        assert_eq!(tx.blob_hashes(T)?, [hash(2)]);
        assert!(tx.blob_senders(T, hash(1))?.is_empty());
        Ok(())
    });
    write(store, |tx| tx.drop_upload("a"));
    assert_eq!(read(store, |tx| tx.upload("a")), None);
}
