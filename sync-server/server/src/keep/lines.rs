//! What the lines say: JSON, ids and hashes but for the journal's ops and the
//! names of workers.

use gridwalk_domain::wire::{OpRef, WorkerRef};
use gridwalk_domain::{DeviceId, EntityId, SealedOp, Sha256, TenantId};
use gridwalk_store::StoreError;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use super::{Book, Keep};

/// An op that was made here and not on a phone, so that no phone could send it
/// again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) tenant: TenantId,
    pub(crate) at_ms: i64,
    pub(crate) op: SealedOp,
    /// The op of a phone that it says the same as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) instead_of: Option<Instead>,
}

/// An op that a person let in under another id, and the phone it came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Instead {
    #[serde(flatten)]
    pub(crate) op: OpRef,
    pub(crate) device: Option<DeviceId>,
}

/// A phone that became somebody's. Its tokens are hashes, as in the database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Enrolment {
    pub(crate) tenant: TenantId,
    pub(crate) at_ms: i64,
    pub(crate) device: DeviceId,
    pub(crate) worker: WorkerRef,
    pub(crate) token: Sha256,
    pub(crate) send_token: Sha256,
    pub(crate) platform: String,
    /// The hash of the code that it used up.
    pub(crate) code: Sha256,
}

/// What was ordered for good, and which phones are known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "order", rename_all = "snake_case")]
pub(crate) enum Order {
    /// A record is purged, with its ops, and with the attachments that no other
    /// record showed.
    PurgeEntity {
        tenant: TenantId,
        at_ms: i64,
        entity: EntityId,
        ops: Vec<OpRef>,
        blobs: Vec<Sha256>,
    },
    /// An attachment is purged by itself.
    PurgeBlob {
        tenant: TenantId,
        at_ms: i64,
        blob: Sha256,
    },
    /// Ops on a purged record that came later.
    Late {
        tenant: TenantId,
        at_ms: i64,
        entity: EntityId,
        ops: Vec<OpRef>,
    },
    /// A phone is a worker's from now on.
    Enrol(Enrolment),
    /// A phone may only send from now on, or was stolen.
    Revoke {
        tenant: TenantId,
        at_ms: i64,
        device: DeviceId,
        stolen: bool,
    },
}

impl Order {
    /// Whose it is.
    pub(crate) const fn tenant(&self) -> TenantId {
        match self {
            Self::Enrol(Enrolment { tenant, .. })
            | Self::PurgeEntity { tenant, .. }
            | Self::PurgeBlob { tenant, .. }
            | Self::Late { tenant, .. }
            | Self::Revoke { tenant, .. } => *tenant,
        }
    }
}

/// The highest receipt of a phone that a backup has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Watermark {
    pub(crate) n: u64,
    pub(crate) tag: u64,
}

/// A backup that was checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kept {
    pub(crate) backup: String,
    pub(crate) made_ms: i64,
    pub(crate) receipts: BTreeMap<DeviceId, Watermark>,
    /// The ops of the journal that it has: by the hashes of their bodies.
    #[serde(default)]
    pub(crate) acts: Vec<Sha256>,
}

/// The backups that may be restored without being forced, oldest first. The
/// first one is the floor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Floor {
    pub(crate) kept: Vec<Kept>,
    /// What phones were told that they may forget.
    #[serde(default)]
    pub(crate) told: BTreeMap<DeviceId, Watermark>,
}

impl Floor {
    /// What every one of these backups has of each phone's receipts.
    fn watermarks(&self) -> BTreeMap<DeviceId, Watermark> {
        let Some((floor, rest)) = self.kept.split_first() else {
            return BTreeMap::new();
        };
        let mut lowest = floor.receipts.clone();
        for kept in rest {
            lowest.retain(|device, mark| match kept.receipts.get(device) {
                Some(other) if other.n < mark.n => {
                    *mark = *other;
                    true
                }
                other => other.is_some(),
            });
        }
        lowest
    }

    /// Adds a backup that was checked, as one of at most `most`; then phones may
    /// be told more.
    pub(crate) fn add(&mut self, now: Kept, most: usize) {
        self.kept.retain(|other| other.backup != now.backup);
        self.kept.push(now);
        // All are of one time line: the older one has the fewer receipts.
        let age = |kept: &Kept| {
            let receipts = kept.receipts.values().map(|mark| mark.n);
            (receipts.sum::<u64>(), kept.made_ms)
        };
        self.kept.sort_by_key(age);
        let surplus = self.kept.len().saturating_sub(most.max(1));
        self.kept.drain(..surplus);
        for (device, mark) in self.watermarks() {
            let told = self.told.entry(device).or_insert(mark);
            if told.n < mark.n {
                *told = mark;
            }
        }
    }
}

fn failed(why: &dyn std::fmt::Display) -> StoreError {
    StoreError::Failed(format!("the journal's folder: {why}"))
}

/// All lines of a book.
///
/// # Errors
/// Where one cannot be read: what it says must not be passed over.
pub(crate) fn read<T: DeserializeOwned>(keep: &dyn Keep, book: Book) -> Result<Vec<T>, StoreError> {
    let lines = keep.lines(book).map_err(|why| failed(&why))?;
    let read = |(n, line): (usize, &String)| {
        serde_json::from_str(line).map_err(|why| {
            let text = format!("line {} of the {book:?} cannot be read: {why}", n + 1);
            StoreError::Damaged(text)
        })
    };
    lines.iter().enumerate().map(read).collect()
}

/// The orders.
pub(crate) fn orders(keep: &dyn Keep) -> Result<Vec<Order>, StoreError> {
    read(keep, Book::Ledger)
}

fn line(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|why| failed(&why))
}

/// Appends to a book; durable on return.
pub(crate) fn append(
    keep: &dyn Keep,
    book: Book,
    values: &[impl Serialize],
) -> Result<(), StoreError> {
    if values.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = values.iter().map(line).collect::<Result<_, _>>()?;
    keep.append(book, &lines).map_err(|why| match why.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => StoreError::Full,
        _ => failed(&why),
    })
}

/// Puts other lines in the place of a book's; durable on return. A book of which
/// a line cannot be read is left as it is.
pub(crate) fn rewrite<T: DeserializeOwned + Serialize>(
    keep: &dyn Keep,
    book: Book,
    mut change: impl FnMut(Vec<T>) -> Vec<T>,
) -> Result<(), StoreError> {
    let mut unread = None;
    let done = keep.rewrite(book, &mut |lines| {
        let values: Result<Vec<T>, _> = lines
            .iter()
            .map(|line| serde_json::from_str(line))
            .collect();
        let written = match values {
            Ok(values) => change(values).iter().map(line).collect(),
            Err(why) => Err(failed(&why)),
        };
        written.unwrap_or_else(|why| {
            unread = Some(why);
            lines
        })
    });
    done.map_err(|why| failed(&why))?;
    unread.map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use super::super::MemoryKeep;
    use super::*;

    fn kept(receipts: &[(u8, u64)]) -> Kept {
        let receipts = receipts.iter().map(|(device, n)| {
            let mark = Watermark { n: *n, tag: n * 10 };
            (DeviceId::from_bytes([*device; 16]), mark)
        });
        Kept {
            backup: "b".into(),
            made_ms: 1,
            receipts: receipts.collect(),
            acts: vec![],
        }
    }

    #[test]
    fn a_watermark_is_what_every_kept_backup_has() {
        assert!(Floor::default().watermarks().is_empty());
        let floor = Floor {
            kept: vec![
                kept(&[(1, 5), (2, 7), (3, 1)]),
                kept(&[(1, 9), (2, 6), (4, 2)]),
            ],
            told: BTreeMap::new(),
        };
        let marks: Vec<_> = floor
            .watermarks()
            .iter()
            .map(|(device, mark)| (device.as_bytes()[0], mark.n, mark.tag))
            .collect();
        assert_eq!(marks, [(1, 5, 50), (2, 6, 60)]);
    }

    #[test]
    fn phones_are_never_told_less_than_before() {
        let named = |name: &str, receipts| Kept {
            backup: name.to_owned(),
            ..kept(receipts)
        };
        let mut floor = Floor::default();
        let told = |floor: &Floor| floor.told.values().map(|mark| mark.n).collect::<Vec<_>>();
        floor.add(named("a", &[(1, 5)]), 2);
        assert_eq!(told(&floor), [5]);
        floor.add(named("b", &[(1, 9), (2, 3)]), 2);
        assert_eq!((told(&floor), floor.kept.len()), (vec![5], 2));
        floor.add(named("c", &[(1, 10), (2, 4)]), 2);
        assert_eq!(told(&floor), [9, 3]);
        floor.add(named("b", &[(1, 9), (2, 3)]), 2);
        let names: Vec<_> = floor.kept.iter().map(|kept| kept.backup.as_str()).collect();
        assert_eq!(
            names,
            ["b", "c"],
            "to check one again does not make it newer"
        );
        floor.add(named("c", &[(1, 10), (2, 4)]), 0);
        assert_eq!(
            (told(&floor), floor.kept.len()),
            (vec![10, 4], 1),
            "at least one is kept"
        );
    }

    #[test]
    fn a_line_that_cannot_be_read_is_never_passed_over() {
        let keep = MemoryKeep::new();
        let order = Order::Revoke {
            tenant: TenantId::from_bytes([1; 16]),
            at_ms: 1,
            device: DeviceId::from_bytes([2; 16]),
            stolen: true,
        };
        append(&keep, Book::Ledger, std::slice::from_ref(&order)).expect("appends");
        assert_eq!(orders(&keep), Ok(vec![order]));
        let newer = vec!["{\"order\":\"of_a_newer_version\"}".to_owned()];
        keep.append(Book::Ledger, &newer).expect("appends");
        let error = orders(&keep).expect_err("refused").to_string();
        assert!(error.contains("line 2 of the Ledger"), "{error}");
        assert!(rewrite::<Order>(&keep, Book::Ledger, |_| vec![]).is_err());
        assert_eq!(
            keep.lines(Book::Ledger).expect("reads").len(),
            2,
            "left as it was"
        );
    }
}
