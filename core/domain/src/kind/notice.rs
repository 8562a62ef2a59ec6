//! `Notice` (通知): text sent down to the workers of a grid and all below it,
//! and `NoticeReading` (已读回执): that a worker read one.
//!
//! A reading is a record of its own, in the worker's inbox: were it an entry
//! of the notice, each of a district's two thousand readers would send the
//! notice to all the others once more.

use super::steps::{Need::Reason, row};
use super::{Access, Home, Kind, worker_of};
use crate::check;
use crate::entity::Entity;
use crate::rights::Who;
use crate::{EntityId, WorkerId};
use std::collections::BTreeMap;

/// 已发布: to be read.
pub const PUBLISHED: &str = "published";
/// 已撤回: taken back.
pub const WITHDRAWN: &str = "withdrawn";

/// The list of files.
pub const FILES: &str = "files";

/// The table of notices.
pub const KIND: Kind = Kind {
    name: "notice",
    home: Home::Notices,
    initial: Some(PUBLISHED),
    fields: &[
        ("grid", check::id),
        ("title", check::title),
        ("text", check::long_text),
        ("until_ms", check::time_ms),
    ],
    required: &["grid", "title", "text"],
    fixed: &["grid"],
    lists: &[(FILES, check::media)],
    steps: &[row(
        "withdraw",
        PUBLISHED,
        WITHDRAWN,
        &[Who::Supervisor],
        &[Reason],
    )],
    access: Access {
        create: &[Who::Supervisor],
        read: &[Who::Below, Who::Supervisor, Who::Administrator],
        write: &[Who::Supervisor],
        append: &[Who::Supervisor],
        delete: &[],
    },
    ..Kind::RECORD
};

/// The table of readings.
pub const READING: Kind = Kind {
    name: "notice_reading",
    home: Home::Inbox,
    fields: &[
        ("worker", check::id),
        ("grid", check::id),
        ("notice", check::id),
    ],
    required: &["worker", "grid", "notice"],
    fixed: &["worker", "grid", "notice"],
    access: Access {
        create: &[Who::Gridworker],
        read: &[Who::Owner, Who::Supervisor, Who::Administrator],
        write: &[],
        append: &[Who::Owner],
        delete: &[],
    },
    ..Kind::RECORD
};

/// Who read a notice, and when for the first time: milliseconds since 1970
/// (UTC). Two phones of one worker count once.
pub fn read_by<'a>(
    notice: EntityId,
    readings: impl IntoIterator<Item = &'a Entity>,
) -> BTreeMap<WorkerId, i64> {
    let mut first: BTreeMap<WorkerId, i64> = BTreeMap::new();
    for reading in readings {
        let of = reading.text("notice").and_then(|id| id.parse().ok());
        if reading.kind != READING.name || of != Some(notice) {
            continue;
        }
        if let Some(worker) = worker_of(reading) {
            let at_ms = reading.created.at_ms;
            let known = first.entry(worker).or_insert(at_ms);
            *known = at_ms.min(*known);
        }
    }
    first
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{T0, entity, id};
    use serde_json::json;

    #[test]
    fn a_notice_is_read_once_by_each_worker() {
        let notice = EntityId::from_bytes([9; 16]);
        let reading = |worker: u8, of: EntityId, at_ms| {
            let fields = json!({"worker": id(worker), "grid": id(1), "notice": of});
            entity("notice_reading", fields, at_ms)
        };
        let other = EntityId::from_bytes([8; 16]);
        let all = [
            reading(1, notice, T0 + 5),
            reading(1, notice, T0 + 2),
            reading(2, notice, T0 + 3),
            reading(3, other, T0),
        ];
        let read = read_by(notice, &all);
        let worker = |n: u8| WorkerId::from_bytes([n; 16]);
        assert_eq!(
            read,
            BTreeMap::from([(worker(1), T0 + 2), (worker(2), T0 + 3)])
        );
    }
}
