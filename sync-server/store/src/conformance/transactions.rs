//! Whole or not at all; one state throughout; one order.

use gridwalk_domain::Epoch;
use std::path::Path;
use std::sync::Barrier;

use super::make::{Result, T, device, op, op_id, read, receipt, records, tenant, write};
use super::make::{applied, grid};
use crate::{Store, StoreError, StreamHead, Write, nested};
use gridwalk_domain::GridLevel;

pub(super) fn all<S: Store>(make: &dyn Fn() -> S, folder: &Path) {
    a_new_store_is_empty(&make());
    an_error_stores_nothing(&make());
    a_savepoint_undoes_itself_alone(&make());
    savepoints_nest(&make());
    a_refused_call_in_a_savepoint_leaves_the_transaction_usable(&make());
    a_transaction_sees_its_own_writes(&make());
    notes_are_kept(&make());
    a_copy_is_a_store_of_its_own(&make(), &folder.join("one"));
    a_store_becomes_what_a_copy_holds(&make(), &folder.join("two"));
    readers_see_whole_transactions(&make());
    eight_writers_lose_nothing(&make());
}

fn a_new_store_is_empty(store: &impl Store) {
    read(store, |tx| {
        assert_eq!(tx.epoch()?, None);
        assert!(tx.tenants()?.is_empty());
        assert_eq!(tx.heads(T, &[records(1)])?, [StreamHead::default()]);
        Ok(())
    });
    let epoch = Epoch::from_bytes([4; 16]);
    write(store, |tx| tx.set_epoch(epoch));
    assert_eq!(read(store, |tx| tx.epoch()), Some(epoch));
}

fn an_error_stores_nothing(store: &impl Store) {
    write(store, |tx| tx.put_tenant(&tenant(T)));
    let result: Result<()> = crate::write(store, |tx| {
        tx.set_epoch(Epoch::from_bytes([1; 16]))?;
        tx.put_grid(T, &grid(1, "371302", GridLevel::District, None), None)?;
        tx.add_ops(T, &[op(1, 1, applied(1, 1))])?;
        Err(StoreError::Refused("no".into()))
    });
    assert_eq!(result, Err(StoreError::Refused("no".into())));
    read(store, |tx| {
        assert_eq!(tx.epoch()?, None);
        assert!(tx.grids(T)?.is_empty());
        assert!(tx.op_ids(T)?.is_empty());
        assert_eq!(tx.tenants()?.len(), 1, "what was committed before stays");
        Ok(())
    });
}

fn fails(tx: &mut dyn Write) -> Result<()> {
    nested(tx, |tx| {
        tx.add_ops(T, &[op(2, 1, applied(1, 2))])?;
        tx.put_heads(
            T,
            &[(
                records(1),
                StreamHead {
                    seq: 9,
                    ..Default::default()
                },
            )],
        )?;
        Err(StoreError::Refused("poison".into()))
    })
}

fn a_savepoint_undoes_itself_alone(store: &impl Store) {
    write(store, |tx| {
        nested(tx, |tx| tx.add_ops(T, &[op(1, 1, applied(1, 1))]))?;
        assert!(fails(tx).is_err());
        nested(tx, |tx| tx.add_ops(T, &[op(3, 1, applied(1, 3))]))
    });
    read(store, |tx| {
        assert_eq!(tx.op_ids(T)?, [op_id(1), op_id(3)]);
        assert_eq!(tx.heads(T, &[records(1)])?[0].seq, 0);
        Ok(())
    });
}

fn savepoints_nest(store: &impl Store) {
    write(store, |tx| {
        let outer: Result<()> = nested(tx, |tx| {
            nested(tx, |tx| tx.add_ops(T, &[op(1, 1, applied(1, 1))]))?;
            assert!(fails(tx).is_err());
            assert_eq!(tx.op_ids(T)?, [op_id(1)]);
            Err(StoreError::Refused("outer".into()))
        });
        assert!(outer.is_err());
        assert!(
            tx.op_ids(T)?.is_empty(),
            "the inner one's writes went with the outer one"
        );
        assert!(tx.release().is_err(), "none is open");
        tx.add_ops(T, &[op(4, 1, applied(1, 4))])
    });
    assert_eq!(read(store, |tx| tx.op_ids(T)), [op_id(4)]);
}

fn a_refused_call_in_a_savepoint_leaves_the_transaction_usable(store: &impl Store) {
    write(store, |tx| {
        tx.add_ops(T, &[op(1, 1, applied(1, 1))])?;
        let ops = [op(2, 1, applied(1, 2)), op(1, 1, applied(1, 1))];
        let twice: Result<()> = nested(tx, |tx| tx.add_ops(T, &ops));
        assert!(matches!(twice, Err(StoreError::Refused(_))), "{twice:?}");
        assert_eq!(
            tx.op_ids(T)?,
            [op_id(1)],
            "a refused list is undone with its savepoint"
        );
        tx.add_ops(T, &[op(3, 1, applied(1, 3))])
    });
    assert_eq!(read(store, |tx| tx.op_ids(T)), [op_id(1), op_id(3)]);
}

fn a_transaction_sees_its_own_writes(store: &impl Store) {
    write(store, |tx| {
        tx.put_tenant(&tenant(T))?;
        assert!(tx.tenant(T)?.is_some());
        tx.add_receipts(T, device(1), &[receipt(1)])?;
        assert_eq!(tx.receipts(T, device(1), 0, 9)?, [receipt(1)]);
        Ok(())
    });
}

fn notes_are_kept(store: &impl Store) {
    write(store, |tx| {
        tx.put_note("a", "一")?;
        tx.put_note("b", "")?;
        tx.put_note("a", "二")
    });
    read(store, |tx| {
        assert_eq!(tx.note("a")?.as_deref(), Some("二"));
        assert_eq!(tx.note("b")?.as_deref(), Some(""));
        assert_eq!(tx.note("c")?, None);
        Ok(())
    });
}

fn epoch(n: u8) -> Epoch {
    Epoch::from_bytes([n; 16])
}

fn a_copy_is_a_store_of_its_own(store: &impl Store, folder: &Path) {
    write(store, |tx| {
        tx.set_epoch(epoch(1))?;
        tx.add_ops(T, &[op(1, 1, applied(1, 1))])
    });
    let copy = store.copy(folder).unwrap();
    write(store, |tx| tx.set_epoch(epoch(2)));
    crate::write::<_, StoreError>(&*copy, |tx| tx.put_note("copy", "yes")).unwrap();
    let of_copy = crate::read::<_, StoreError>(&*copy, |tx| {
        Ok((tx.epoch()?, tx.op_ids(T)?, tx.note("copy")?))
    });
    let expected = (Some(epoch(1)), vec![op_id(1)], Some("yes".to_owned()));
    assert_eq!(of_copy, Ok(expected));
    assert_eq!(read(store, |tx| tx.note("copy")), None);
    assert_eq!(read(store, |tx| tx.epoch()), Some(epoch(2)));
    assert_eq!((copy.check(), store.check()), (Ok(()), Ok(())));
}

fn a_store_becomes_what_a_copy_holds<S: Store>(store: &S, folder: &Path) {
    write(store, |tx| {
        tx.set_epoch(epoch(1))?;
        tx.add_ops(T, &[op(1, 1, applied(1, 1))])
    });
    let copy = store.copy(folder).unwrap();
    write(store, |tx| {
        tx.set_epoch(epoch(2))?;
        tx.add_ops(T, &[op(2, 1, applied(1, 2)), op(3, 1, applied(1, 3))])
    });
    // Whoever reads meanwhile goes on with what they began to read.
    read(store, |tx| {
        assert_eq!(tx.epoch()?, Some(epoch(2)));
        Ok(())
    });
    store.replace(&*copy).unwrap();
    let holds = |store: &S| read(store, |tx| Ok((tx.epoch()?, tx.op_ids(T)?)));
    assert_eq!(holds(store), (Some(epoch(1)), vec![op_id(1)]));
    write(store, |tx| tx.add_ops(T, &[op(4, 1, applied(1, 2))]));
    assert_eq!(holds(store).1, [op_id(1), op_id(4)], "and it goes on");
    let of_copy = crate::read::<_, StoreError>(&*copy, |tx| tx.op_ids(T)).unwrap();
    assert_eq!(of_copy, [op_id(1)], "apart from the copy");
    store.scrub().unwrap();
    assert_eq!(holds(store).1, [op_id(1), op_id(4)]);
}

/// Two heads are always written together: a reader that sees one without the
/// other has seen a part of a transaction.
fn readers_see_whole_transactions(store: &impl Store) {
    let rounds = 50;
    let start = Barrier::new(3);
    let head = |seq| StreamHead {
        seq,
        ..Default::default()
    };
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                start.wait();
                let mut last = 0;
                while last < rounds {
                    last = read(store, |tx| {
                        let first = tx.heads(T, &[records(1)])?[0].seq;
                        let second = tx.heads(T, &[records(2)])?[0].seq;
                        assert_eq!(first, second);
                        assert!(first >= last, "committed states do not go back");
                        Ok(first)
                    });
                }
            });
        }
        start.wait();
        for seq in 1..=rounds {
            write(store, |tx| {
                tx.put_heads(T, &[(records(1), head(seq))])?;
                tx.put_heads(T, &[(records(2), head(seq))])
            });
        }
    });
}

fn eight_writers_lose_nothing(store: &impl Store) {
    let each = 25;
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..each {
                    write(store, |tx| {
                        let head = tx.heads(T, &[records(1)])?[0];
                        let next = StreamHead {
                            seq: head.seq + 1,
                            ..head
                        };
                        tx.put_heads(T, &[(records(1), next)])
                    });
                }
            });
        }
    });
    assert_eq!(
        read(store, |tx| tx.heads(T, &[records(1)]))[0].seq,
        8 * each
    );
}
