//! What the server has not taken, as files.
//!
//! Mediations of others stay out of it: their readers are few, and the files are
//! for whoever has the phone. They stay on it and are sent by every sync.

use gridwalk_domain::kind::mediation::KIND as MEDIATION;
use gridwalk_domain::wire::tracks::{NamedChunk, encode};
use gridwalk_domain::{SealedOp, Sha256};
use rusqlite::{Connection, params};
use std::path::Path;

use crate::chunks;
use crate::core::Shared;
use crate::disk::{self, OpenFor};
use crate::error::{EngineError, Fault, Inner, Result};

/// How much was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// Ops.
    pub ops: u64,
    /// Chunks of tracks.
    pub chunks: u64,
    /// Attachments.
    pub blobs: u64,
    /// Attachments that were left out: their files do not read as they were
    /// written.
    pub unreadable: u64,
}

/// What of one account is not taken.
struct Untaken {
    account: i64,
    ops: Vec<SealedOp>,
    chunks: Vec<NamedChunk>,
    blobs: Vec<(Sha256, u64)>,
}

pub(crate) fn write(shared: &Shared, folder: &Path) -> Result<Exported> {
    let all = shared.with(|core| {
        let accounts = {
            let mut query = core.conn.prepare("SELECT n FROM account ORDER BY n")?;
            let rows = query.query_map([], |row| row.get::<_, i64>(0))?;
            rows.collect::<rusqlite::Result<Vec<_>>>()?
        };
        let present = core.account();
        let untaken = accounts
            .into_iter()
            .map(|n| untaken(&core.conn, n, n == present));
        untaken.collect::<Inner<Vec<_>>>()
    })?;
    let mut written = Exported::default();
    for account in all {
        written.ops += account.ops.len() as u64;
        written.chunks += account.chunks.len() as u64;
        let unreadable = write_account(shared, folder, &account)?;
        written.blobs += account.blobs.len() as u64 - unreadable;
        written.unreadable += unreadable;
    }
    Ok(written)
}

fn untaken(conn: &Connection, account: i64, own: bool) -> Inner<Untaken> {
    let mut ops = conn.prepare(
        "SELECT sha256, body FROM op WHERE account = ?1 AND state <> 'taken'
           AND (?2 OR kind <> ?3) ORDER BY n",
    )?;
    let ops = ops.query_map(params![account, own, MEDIATION.name], |row| {
        Ok(SealedOp {
            sha256: Sha256(row.get(0)?),
            body: row.get(1)?,
        })
    })?;
    // What a mediation alone shows stays out with it.
    let of_kind = |comparison: &str| {
        format!(
            "EXISTS (SELECT 1 FROM attachment a
               JOIN op o ON o.entity = a.entity AND o.account = a.account
             WHERE a.sha256 = blob.sha256 AND a.account = blob.account AND o.kind {comparison} ?3)"
        )
    };
    let (narrow, other) = (of_kind("="), of_kind("<>"));
    let mut blobs = conn.prepare(&format!(
        "SELECT sha256, bytes FROM blob WHERE account = ?1 AND state <> 'taken'
           AND (?2 OR NOT {narrow} OR {other})"
    ))?;
    let blobs = blobs.query_map(params![account, own, MEDIATION.name], |row| {
        let bytes: i64 = row.get(1)?;
        Ok((Sha256(row.get(0)?), u64::try_from(bytes).unwrap_or(0)))
    })?;
    Ok(Untaken {
        account,
        ops: ops.collect::<rusqlite::Result<_>>()?,
        chunks: chunks::untaken(conn, account)?,
        blobs: blobs.collect::<rusqlite::Result<_>>()?,
    })
}

/// Gives how many attachments could not be read.
fn write_account(shared: &Shared, folder: &Path, account: &Untaken) -> Result<u64> {
    if account.ops.is_empty() && account.chunks.is_empty() && account.blobs.is_empty() {
        return Ok(0);
    }
    let inside = folder.join(account.account.to_string());
    let disk = &*shared.disk;
    disk.make_folder(&inside).map_err(Fault::from)?;
    let file = |name: &str, bytes: &[u8]| -> Inner<()> {
        let path = inside.join(name);
        let mut file = disk.open(&path, OpenFor::New)?;
        file.write_at(0, bytes)?;
        Ok(file.sync()?)
    };
    let mut lines = Vec::new();
    for op in &account.ops {
        serde_json::to_writer(&mut lines, op).map_err(|_| Fault::Row("an op"))?;
        lines.push(b'\n');
    }
    if !lines.is_empty() {
        file("ops.jsonl", &lines)?;
    }
    if !account.chunks.is_empty() {
        file("tracks.gwt", &encode(&account.chunks))?;
    }
    let mut unreadable = 0;
    for (sha256, bytes) in &account.blobs {
        let len = usize::try_from(*bytes).map_err(|_| EngineError::NotFound)?;
        if !shared.vault.reads(*sha256, len) {
            unreadable += 1;
            continue;
        }
        let path = inside.join(sha256.to_string());
        let mut file = disk.open(&path, OpenFor::New).map_err(Fault::from)?;
        let mut at = 0;
        shared.vault.copy(*sha256, len, &mut |piece| {
            file.write_at(at, piece)?;
            at += piece.len() as u64;
            Ok(())
        })?;
        file.sync().map_err(Fault::from)?;
    }
    disk::sync_name(disk, &inside.join("ops.jsonl")).map_err(Fault::from)?;
    Ok(unreadable)
}
