//! Where an account stands with its server's time line.
//!
//! A server can go back in time. Then it is of a new epoch, and what this phone
//! holds as sent may be gone there: it doubts all of it, asks for it, and sends
//! again what is missing. A crash in the middle loses nothing: what is doubted
//! stays so until the server has said that it has it, or until it waits to be
//! sent again.

use gridwalk_domain::wire::{
    BlobState, ChunkName, Cursor, HaveRequest, HaveResponse, MAX_HAVE, OpRef, PROTOCOL_VERSION,
    TrackOutcome,
};
use gridwalk_domain::{EntityId, Epoch, OpId, RunId, Sha256, StreamKey};
use rusqlite::{Connection, Transaction, params};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

use crate::error::Inner;
use crate::identity::Me;
use crate::outbox::{self, Word};
use crate::{account, attachments, chunks, pull};

/// Where an account stands with its server.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct TimeLine {
    /// The server's time line, as far as the phone was told.
    pub(crate) epoch: Option<Epoch>,
    /// What has a receipt up to here is in every backup that can be restored.
    pub(crate) watermark: u64,
    /// The highest receipt seen in this epoch.
    pub(crate) receipt: Option<Cursor>,
    /// The number of the last start of the system that this epoch was told of.
    pub(crate) boots_told: i64,
    /// When all was last pulled to its end, by the server's clock.
    pub(crate) pulled_ms: Option<i64>,
    /// How often a stream had to be read again since the last hello.
    pub(crate) rereads: u64,
    /// The versions of server and app when they last met.
    pub(crate) met: Option<(String, String)>,
    /// Whether the server does not know the token any more.
    pub(crate) signed_out: bool,
    /// When it was last asked for somebody who left, by the phone's lifetime.
    pub(crate) asked_ms: Option<i64>,
}

impl TimeLine {
    /// Notes the highest receipt that an answer names; says whether it is of
    /// this time line.
    pub(crate) fn see(&mut self, receipt: Cursor) -> bool {
        if self.epoch != Some(receipt.epoch) {
            return false;
        }
        if self.receipt.is_none_or(|known| known.seq <= receipt.seq) {
            self.receipt = Some(receipt);
        }
        true
    }
}

/// Begins a time line: the old one's cursors are dropped, all that was held as
/// sent is doubted, receipts above the watermark are forgotten (they are of the
/// dead time line), and the server is told of every start of the system again.
pub(crate) fn begin(
    tx: &Transaction<'_>,
    me: &Me,
    line: &mut TimeLine,
    epoch: Epoch,
    watermark: u64,
) -> Inner<()> {
    let watermark = i64::try_from(watermark).unwrap_or(i64::MAX);
    for table in ["op", "chunk", "blob"] {
        tx.execute(
            &format!("UPDATE {table} SET doubted = 1 WHERE account = ?1 AND state <> 'ready'"),
            [me.account],
        )?;
        tx.execute(
            &format!("UPDATE {table} SET receipt = NULL WHERE account = ?1 AND receipt > ?2"),
            params![me.account, watermark],
        )?;
    }
    let receipts = StreamKey::Receipts(me.device).to_string();
    let cursors = "UPDATE stream SET epoch = NULL, seq = 0, tag = 0 WHERE key = ?1";
    tx.execute(cursors, [receipts])?;
    if me.is_present() {
        tx.execute(&format!("{} WHERE key NOT LIKE 'device/%'", pull::ANEW), [])?;
        // A server that went back twice may be of an epoch again that it was of
        // before: what is held now does not compare to what comes.
        tx.execute("UPDATE base SET epoch = zeroblob(16)", [])?;
    }
    line.epoch = Some(epoch);
    line.receipt = None;
    line.boots_told = 0;
    line.pulled_ms = None;
    Ok(())
}

/// A page of what is doubted, and how far it goes.
pub(crate) struct Doubts {
    pub(crate) request: HaveRequest,
    pub(crate) to: Asked,
}

/// Up to which rows the server was asked, so that what it has no word for is
/// not asked for twice in one sync.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Asked {
    op: i64,
    chunk: i64,
    blob: i64,
}

/// How much is doubted.
pub(crate) fn doubted(conn: &Connection, account: i64) -> Inner<u64> {
    let mut query = conn.prepare_cached(
        "SELECT (SELECT count(*) FROM op WHERE account = ?1 AND doubted = 1)
              + (SELECT count(*) FROM chunk WHERE account = ?1 AND doubted = 1)
              + (SELECT count(*) FROM blob WHERE account = ?1 AND doubted = 1)",
    )?;
    let count: i64 = query.query_row([account], |row| row.get(0))?;
    Ok(u64::try_from(count).unwrap_or(0))
}

/// The next page to ask for: at most `most` ops, chunks and attachments.
pub(crate) fn doubts(
    conn: &Connection,
    account: i64,
    after: Asked,
    most: usize,
) -> Inner<Option<Doubts>> {
    let mut to = after;
    let mut left = most.min(MAX_HAVE);
    let mut ops = Vec::new();
    let mut query = conn.prepare_cached(
        "SELECT n, id, sha256 FROM op WHERE account = ?1 AND doubted = 1 AND n > ?2 ORDER BY n LIMIT ?3",
    )?;
    let mut rows = query.query(params![account, after.op, limit(left)])?;
    while let Some(row) = rows.next()? {
        to.op = row.get(0)?;
        ops.push(OpRef {
            id: OpId::from_bytes(row.get(1)?),
            sha256: Sha256(row.get(2)?),
        });
    }
    left -= ops.len();
    let mut chunks = Vec::new();
    let mut query = conn.prepare_cached(
        "SELECT n, patrol, run, first, count FROM chunk
         WHERE account = ?1 AND doubted = 1 AND n > ?2 ORDER BY n LIMIT ?3",
    )?;
    let mut rows = query.query(params![account, after.chunk, limit(left)])?;
    while let Some(row) = rows.next()? {
        to.chunk = row.get(0)?;
        chunks.push(ChunkName {
            patrol: EntityId::from_bytes(row.get(1)?),
            run: RunId(u64::from_be_bytes(row.get(2)?)),
            first: row.get(3)?,
            count: row.get(4)?,
        });
    }
    left -= chunks.len();
    let mut blobs = Vec::new();
    let mut query = conn.prepare_cached(
        "SELECT n, sha256 FROM blob WHERE account = ?1 AND doubted = 1 AND n > ?2 ORDER BY n LIMIT ?3",
    )?;
    let mut rows = query.query(params![account, after.blob, limit(left)])?;
    while let Some(row) = rows.next()? {
        to.blob = row.get(0)?;
        blobs.push(Sha256(row.get(1)?));
    }
    if ops.is_empty() && chunks.is_empty() && blobs.is_empty() {
        return Ok(None);
    }
    let request = HaveRequest {
        v: PROTOCOL_VERSION,
        ops,
        chunks,
        blobs,
    };
    Ok(Some(Doubts { request, to }))
}

fn limit(left: usize) -> i64 {
    i64::try_from(left).unwrap_or(i64::MAX)
}

/// Keeps what the server says of a page: what it has is no longer doubted, what
/// it does not have waits to be sent again. Returns the records concerned.
pub(crate) fn keep(
    tx: &Transaction<'_>,
    word: &Word,
    asked: &HaveRequest,
    answer: &HaveResponse,
) -> Inner<BTreeSet<EntityId>> {
    let mut touched = BTreeSet::new();
    for (op, said) in asked.ops.iter().zip(&answer.ops) {
        let entity = match said {
            Some(outcome) => {
                outbox::settle(tx, word, op.id, op.sha256, outcome)?.map(|(entity, _)| entity)
            }
            None => outbox::send_again(tx, word.account, op.id)?,
        };
        touched.extend(entity);
    }
    for (name, said) in asked.chunks.iter().zip(&answer.chunks) {
        match said {
            None | Some(TrackOutcome::Deferred) => chunks::send_again(tx, name)?,
            Some(outcome) => chunks::settle(tx, word, name, outcome)?,
        }
        touched.insert(name.patrol);
    }
    for (sha256, said) in asked.blobs.iter().zip(&answer.blobs) {
        touched.extend(attachments::shown_by(tx, word.account, *sha256)?);
        match said {
            None => attachments::send_again(tx, word.account, *sha256)?,
            Some(BlobState::Whole) => attachments::take(tx, word, *sha256)?,
            Some(BlobState::Purged) => crate::purge::blob(tx, *sha256)?,
        }
    }
    Ok(touched)
}

/// Keeps the highest receipt that an answer names; says whether it is of the
/// account's time line.
pub(crate) fn see(tx: &Transaction<'_>, account: i64, receipt: Cursor) -> Inner<bool> {
    let mut line = account::line(tx, account)?;
    let before = line.receipt;
    let ours = line.see(receipt);
    if line.receipt != before {
        account::keep_line(tx, account, &line)?;
    }
    Ok(ours)
}
