//! The floor: the rows that the server wrote for a run of ops, written again
//! into a copy of its database by prepared statements alone, a commit for each
//! batch. Nothing is parsed, judged or answered.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result};
use rusqlite::types::Value;
use rusqlite::{Connection, Row, params_from_iter};

use crate::phone::BATCH;

type Cells = Vec<Value>;

/// What the server wrote for one op.
struct Written {
    op: Cells,
    entity: Cells,
    receipt: Cells,
    stream: Value,
}

const OP: &str =
    "tenant, id, sha256, entity, creates, held, outcome, wait, reissued, device, received_ms, body";
const ENTITY: &str = "tenant, id, kind, rev, listed, grid, worker, parent, at_ms, day, status, deleted, blobs, state";

/// The highest number of an op.
pub(crate) fn last_op(data: &Path) -> Result<i64> {
    let server = open(data)?;
    Ok(server.query_row("SELECT coalesce(max(n), 0) FROM ops", [], |row| row.get(0))?)
}

/// A copy of the server's database, made while it stands still.
pub(crate) fn copy(data: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    let to = to.join(gridwalk_store_sqlite::FILE_NAME);
    let to = to.to_str().context("a path in UTF-8")?;
    open(data)?.execute("VACUUM INTO ?1", [to])?;
    Ok(())
}

/// Ops a second by prepared statements: those after `after` up to `until`, into
/// the copy.
pub(crate) fn run(data: &Path, copy: &Path, after: i64, until: i64) -> Result<f64> {
    let written = read(&open(data)?, after, until)?;
    let mut to = open(copy)?;
    to.pragma_update(None, "journal_mode", "wal")?;
    to.pragma_update(None, "synchronous", "full")?;
    to.pragma_update(None, "wal_autocheckpoint", 4096)?;
    to.pragma_update(None, "cache_size", -65_536)?;
    to.set_prepared_statement_cache_capacity(16);
    let start = Instant::now();
    let mut seq = 1_000_000_i64;
    for batch in written.chunks(BATCH) {
        write(&mut to, batch, &mut seq)?;
    }
    #[expect(clippy::cast_precision_loss, reason = "few")]
    Ok(written.len() as f64 / start.elapsed().as_secs_f64())
}

fn open(data: &Path) -> Result<Connection> {
    Ok(Connection::open(
        data.join(gridwalk_store_sqlite::FILE_NAME),
    )?)
}

fn cells(row: &Row<'_>, from: usize, count: usize) -> rusqlite::Result<Cells> {
    (from..from + count).map(|at| row.get(at)).collect()
}

fn read(server: &Connection, after: i64, until: i64) -> Result<Vec<Written>> {
    let list = |table: &str, columns: &str| {
        let columns = columns
            .split(", ")
            .map(|column| format!("{table}.{column}"));
        columns.collect::<Vec<_>>().join(", ")
    };
    // Any receipt of the same device is as long as the op's own.
    let sql = format!(
        "SELECT {}, {}, receipt.tenant, receipt.device, receipt.n, receipt.tag, receipt.what
         FROM ops JOIN entities ON entities.tenant = ops.tenant AND entities.id = ops.entity
         JOIN (SELECT tenant, device, max(n) AS n, tag, what FROM receipts GROUP BY tenant, device)
              AS receipt ON receipt.tenant = ops.tenant AND receipt.device = ops.device
         WHERE ops.n > ?1 AND ops.n <= ?2 ORDER BY ops.n",
        list("ops", OP),
        list("entities", ENTITY)
    );
    let mut query = server.prepare(&sql)?;
    let rows = query.query_map([after, until], |row| {
        let entity = cells(row, 12, 14)?;
        let Value::Blob(listed) = &entity[4] else {
            return Err(rusqlite::Error::InvalidQuery);
        };
        Ok(Written {
            op: cells(row, 0, 12)?,
            stream: Value::Blob(listed.iter().copied().take(17).collect()),
            entity,
            receipt: cells(row, 26, 5)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn write(to: &mut Connection, batch: &[Written], seq: &mut i64) -> Result<()> {
    let tx = to.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let marks = |n: usize| vec!["?"; n].join(", ");
    let mut op = tx.prepare_cached(&format!("INSERT INTO ops ({OP}) VALUES ({})", marks(12)))?;
    let mut entity = tx.prepare_cached(
        "UPDATE entities SET kind = ?3, rev = ?4, listed = ?5, grid = ?6, worker = ?7, parent = ?8,
            at_ms = ?9, day = ?10, status = ?11, deleted = ?12, blobs = ?13, state = ?14
         WHERE tenant = ?1 AND id = ?2",
    )?;
    let mut gone = tx.prepare_cached(
        "DELETE FROM entries WHERE tenant = ?1 AND stream = ?2 AND seq = (
            SELECT min(seq) FROM entries WHERE tenant = ?1 AND stream = ?2)",
    )?;
    let mut entry = tx.prepare_cached(
        "INSERT INTO entries (tenant, stream, seq, entity) VALUES (?1, ?2, ?3, ?4)",
    )?;
    let mut receipt = tx.prepare_cached(
        "INSERT INTO receipts (tenant, device, n, tag, what) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    for row in batch {
        *seq += 1;
        op.execute(params_from_iter(&row.op))?;
        entity.execute(params_from_iter(&row.entity))?;
        let tenant = &row.op[0];
        gone.execute([tenant, &row.stream])?;
        entry.execute([tenant, &row.stream, &Value::Integer(*seq), &row.op[3]])?;
        let [tenant, device, _, tag, what] = row.receipt.as_slice() else {
            anyhow::bail!("a receipt has five cells")
        };
        receipt.execute([tenant, device, &Value::Integer(*seq), tag, what])?;
    }
    if let Some(row) = batch.first() {
        let tenant = &row.op[0];
        let number = Value::Integer(*seq);
        tx.prepare_cached("UPDATE heads SET seq = ?3, tag = ?3 WHERE tenant = ?1 AND stream = ?2")?
            .execute([tenant, &row.stream, &number])?;
        tx.prepare_cached("INSERT OR REPLACE INTO tags (tenant, stream, first, tag, at_ms) VALUES (?1, ?2, ?3, ?3, ?3)")?
            .execute([tenant, &row.stream, &number])?;
    }
    drop((op, entity, gone, entry, receipt));
    tx.commit()?;
    Ok(())
}
