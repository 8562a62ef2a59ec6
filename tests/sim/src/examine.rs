//! What is on a phone's disk, read without its engine: a copy is opened, so that
//! the phone notices nothing.

use gridwalk_domain::wire::Cursor;
use gridwalk_domain::{EntityId, Epoch, OpId, RunId, Sha256, StreamKey};
use gridwalk_engine::Disk as _;
use rusqlite::{Connection, OpenFlags, Row};
use std::collections::BTreeMap;

use crate::disk::SimDisk;
use crate::ledger::{Token, tokens};

/// An op in the outbox.
#[derive(Clone, Debug)]
pub struct OpRow {
    /// Which.
    pub id: OpId,
    /// The record.
    pub entity: EntityId,
    /// Its exact bytes.
    pub body: String,
    /// Their hash.
    pub sha256: Sha256,
    /// `ready`, `taken`, `rejected`, `quarantined`.
    pub state: String,
    /// Why it was not taken, or not yet.
    pub code: Option<String>,
    /// It is of somebody who left, and whose token is void: a clone of this phone
    /// was enrolled again. The phone lists it, and it can be exported.
    pub stranded: bool,
}

/// A sealed chunk.
#[derive(Clone, Debug)]
pub struct ChunkRow {
    /// The patrol.
    pub patrol: EntityId,
    /// The run.
    pub run: RunId,
    /// The ordinal of its first fix.
    pub first: u32,
    /// How many fixes.
    pub count: u32,
    /// The fixes, packed.
    pub body: Vec<u8>,
    /// As an op's.
    pub state: String,
    /// As an op's.
    pub code: Option<String>,
    /// As an op's.
    pub stranded: bool,
}

/// An attachment.
#[derive(Clone, Debug)]
pub struct BlobRow {
    /// Its content's hash.
    pub sha256: Sha256,
    /// As an op's.
    pub state: String,
    /// As an op's.
    pub code: Option<String>,
    /// As an op's.
    pub stranded: bool,
}

/// What a phone has of the server's.
#[derive(Clone, Debug)]
pub struct BaseRow {
    /// At which revision.
    pub rev: u64,
    /// The state, as JSON.
    pub state: String,
}

/// All that is on a phone's disk.
#[derive(Clone, Debug, Default)]
pub struct Examined {
    /// The outbox, in the order of the saves.
    pub ops: Vec<OpRow>,
    /// The texts in it, each with the row it is in.
    pub tokens: BTreeMap<Token, usize>,
    /// A text that is in two rows.
    pub twice: Option<Token>,
    /// Sealed chunks.
    pub chunks: Vec<ChunkRow>,
    /// Attachments.
    pub blobs: Vec<BlobRow>,
    /// The attachments' files, with their sizes.
    pub files: BTreeMap<Sha256, u64>,
    /// Who uses the phone or left it, and where each stands with the server.
    pub accounts: Vec<String>,
    /// The server's states.
    pub base: BTreeMap<EntityId, BaseRow>,
    /// Which stream lists what, at which revision.
    pub listing: BTreeMap<StreamKey, BTreeMap<EntityId, u64>>,
    /// Where it stands in each stream.
    pub cursors: BTreeMap<StreamKey, Cursor>,
}

fn id(row: &Row<'_>, at: usize) -> rusqlite::Result<EntityId> {
    row.get(at).map(EntityId::from_bytes)
}

fn unsigned(row: &Row<'_>, at: usize) -> rusqlite::Result<u64> {
    let number: i64 = row.get(at)?;
    Ok(u64::try_from(number).unwrap_or(0))
}

fn all<T>(
    file: &Connection,
    sql: &str,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    file.prepare(sql)?.query_map([], read)?.collect()
}

fn parsed<T: std::str::FromStr>(row: &Row<'_>, at: usize) -> rusqlite::Result<T> {
    let text: String = row.get(at)?;
    let kind = rusqlite::types::Type::Text;
    text.parse()
        .map_err(|_| rusqlite::Error::InvalidColumnType(at, text, kind))
}

impl Examined {
    /// Reads a disk.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn of(disk: &SimDisk) -> rusqlite::Result<Self> {
        let copy = disk.copy(0);
        let flags = OpenFlags::default();
        let path = copy.path("phone.db");
        let vfs = copy.vfs().unwrap_or_default();
        let file = Connection::open_with_flags_and_vfs(path, flags, vfs)?;
        file.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
        let mut found = Self {
            ops: ops(&file)?,
            chunks: chunks(&file)?,
            blobs: blobs(&file)?,
            ..Self::default()
        };
        found.accounts = all(
            &file,
            "SELECT n, leaving, line FROM account ORDER BY n",
            |row| {
                let (n, leaving, line): (i64, Option<String>, String) =
                    (row.get(0)?, row.get(1)?, row.get(2)?);
                Ok(format!("{n} {} {line}", leaving.unwrap_or_default()))
            },
        )?;
        let bases = all(&file, "SELECT entity, rev, state FROM base", |row| {
            let (rev, state) = (unsigned(row, 1)?, row.get(2)?);
            Ok((id(row, 0)?, BaseRow { rev, state }))
        })?;
        found.base = bases.into_iter().collect();
        let listed = all(&file, "SELECT stream, entity, rev FROM listing", |row| {
            Ok((parsed(row, 0)?, id(row, 1)?, unsigned(row, 2)?))
        })?;
        for (stream, entity, rev) in listed {
            found.listing.entry(stream).or_default().insert(entity, rev);
        }
        let cursors = all(
            &file,
            "SELECT key, epoch, seq, tag FROM stream WHERE epoch IS NOT NULL",
            |row| {
                let cursor = Cursor {
                    epoch: Epoch::from_bytes(row.get(1)?),
                    seq: row.get::<_, i64>(2)?.cast_unsigned(),
                    tag: row.get::<_, i64>(3)?.cast_unsigned(),
                };
                Ok((parsed(row, 0)?, cursor))
            },
        )?;
        found.cursors = cursors.into_iter().collect();
        for path in copy.list(&copy.path("phone.db-blobs")).unwrap_or_default() {
            let name = path
                .file_name()
                .and_then(|name| name.to_str()?.parse().ok());
            if let (Some(hash), Ok(Some(size))) = (name, copy.len(&path)) {
                found.files.insert(hash, size);
            }
        }
        for (at, op) in found.ops.iter().enumerate() {
            for token in tokens(&op.body) {
                if found
                    .tokens
                    .insert(token, at)
                    .is_some_and(|known| known != at)
                {
                    found.twice = Some(token);
                }
            }
        }
        Ok(found)
    }
}

impl Examined {
    /// Nobody is unknown to the server who had a phone of their own.
    pub(crate) fn none_is_stranded(&mut self) {
        let ops = self.ops.iter_mut().map(|op| &mut op.stranded);
        let chunks = self.chunks.iter_mut().map(|chunk| &mut chunk.stranded);
        let blobs = self.blobs.iter_mut().map(|blob| &mut blob.stranded);
        for stranded in ops.chain(chunks).chain(blobs) {
            *stranded = false;
        }
    }
}

/// Whether a row is of somebody who left and whom the server does not know.
const STRANDED: &str = "account IN (SELECT n FROM account
    WHERE leaving IS NOT NULL AND json_extract(line, '$.signed_out') = 1)";

fn ops(file: &Connection) -> rusqlite::Result<Vec<OpRow>> {
    let sql =
        format!("SELECT id, entity, body, sha256, state, code, {STRANDED} FROM op ORDER BY n");
    all(file, &sql, |row| {
        Ok(OpRow {
            id: OpId::from_bytes(row.get(0)?),
            entity: id(row, 1)?,
            body: row.get(2)?,
            sha256: Sha256(row.get(3)?),
            state: row.get(4)?,
            code: row.get(5)?,
            stranded: row.get(6)?,
        })
    })
}

fn chunks(file: &Connection) -> rusqlite::Result<Vec<ChunkRow>> {
    let sql = format!(
        "SELECT patrol, run, first, count, body, state, code, {STRANDED} FROM chunk
         ORDER BY patrol, run, first"
    );
    all(file, &sql, |row| {
        Ok(ChunkRow {
            patrol: id(row, 0)?,
            run: RunId(u64::from_be_bytes(row.get(1)?)),
            first: row.get(2)?,
            count: row.get(3)?,
            body: row.get(4)?,
            state: row.get(5)?,
            code: row.get(6)?,
            stranded: row.get(7)?,
        })
    })
}

fn blobs(file: &Connection) -> rusqlite::Result<Vec<BlobRow>> {
    let sql = format!("SELECT sha256, state, code, {STRANDED} FROM blob");
    all(file, &sql, |row| {
        Ok(BlobRow {
            sha256: Sha256(row.get(0)?),
            state: row.get(1)?,
            code: row.get(2)?,
            stranded: row.get(3)?,
        })
    })
}
