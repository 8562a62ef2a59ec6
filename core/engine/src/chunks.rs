//! Sealed runs of fixes.

use gridwalk_domain::wire::ChunkName;
use gridwalk_domain::wire::tracks::NamedChunk;
use gridwalk_domain::{EntityId, RunId};
use gridwalk_track::{StoredFix, codec};
use rusqlite::{Connection, Transaction, params};
use std::collections::BTreeMap;

use crate::error::{Fault, Inner};
use crate::outbox::PARKED_MS;

/// Fixes of one chunk. Larger ones pack a little better, smaller ones lose
/// less time when a connection breaks.
pub(crate) const CHUNK_FIXES: usize = 600;

/// How many ordinals of a run are sealed: the ordinal of the next fix, since
/// chunks follow each other without a hole.
pub(crate) fn sealed_to(conn: &Connection, patrol: EntityId, run: RunId) -> Inner<u32> {
    let mut query =
        conn.prepare_cached("SELECT max(first + count) FROM chunk WHERE patrol = ?1 AND run = ?2")?;
    let to: Option<u32> = query
        .query_row(params![patrol.as_bytes(), run.0.to_be_bytes()], |row| {
            row.get(0)
        })?;
    Ok(to.unwrap_or(0))
}

/// Seals fixes that follow each other from ordinal `first`.
pub(crate) fn seal(
    tx: &Transaction<'_>,
    patrol: EntityId,
    run: RunId,
    first: u32,
    fixes: &[StoredFix],
    now_ms: i64,
) -> Inner<()> {
    let mut first = first;
    let mut insert = tx.prepare_cached(
        "INSERT INTO chunk (patrol, run, first, count, body, saved_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    for part in fixes.chunks(CHUNK_FIXES) {
        let body = codec::encode(part).map_err(|_| Fault::Row("a chunk"))?;
        let count = u32::try_from(part.len()).map_err(|_| Fault::Row("a chunk"))?;
        insert.execute(params![
            patrol.as_bytes(),
            run.0.to_be_bytes(),
            first,
            count,
            body,
            now_ms
        ])?;
        first += count;
    }
    Ok(())
}

/// How many fixes of each run of a patrol are sealed.
pub(crate) fn runs(conn: &Connection, patrol: EntityId) -> Inner<BTreeMap<RunId, u64>> {
    let mut query =
        conn.prepare_cached("SELECT run, sum(count) FROM chunk WHERE patrol = ?1 GROUP BY run")?;
    let rows = query.query_map([patrol.as_bytes()], |row| {
        let run = RunId(u64::from_be_bytes(row.get(0)?));
        Ok((run, u64::try_from(row.get::<_, i64>(1)?).unwrap_or(0)))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The sealed chunks of a patrol, by run and ordinal.
pub(crate) fn bodies(conn: &Connection, patrol: EntityId) -> Inner<Vec<NamedChunk>> {
    let mut query = conn.prepare_cached(
        "SELECT patrol, run, first, count, body FROM chunk WHERE patrol = ?1 ORDER BY run, first",
    )?;
    let rows = query.query_map([patrol.as_bytes()], named)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn named(row: &rusqlite::Row<'_>) -> rusqlite::Result<NamedChunk> {
    let name = ChunkName {
        patrol: EntityId::from_bytes(row.get(0)?),
        run: RunId(u64::from_be_bytes(row.get(1)?)),
        first: row.get(2)?,
        count: row.get(3)?,
    };
    Ok(NamedChunk {
        name,
        body: row.get(4)?,
    })
}

/// The fixes of chunks, run by run. Decodes; needs no lock. One that this
/// version cannot read stays where it is and is sent on as it is: what it holds
/// is a gap here, and no reason to refuse the rest.
pub(crate) fn decode(chunks: &[NamedChunk]) -> Inner<BTreeMap<RunId, Vec<StoredFix>>> {
    let mut runs: BTreeMap<RunId, Vec<StoredFix>> = BTreeMap::new();
    for chunk in chunks {
        if let Ok(fixes) = codec::decode(&chunk.body) {
            runs.entry(chunk.name.run).or_default().extend(fixes);
        }
    }
    Ok(runs)
}

/// The next chunks to send: oldest first, at most `bytes`, but one at least.
pub(crate) fn due(
    conn: &Connection,
    skip: &[ChunkName],
    now_ms: i64,
    bytes: usize,
) -> Inner<Vec<NamedChunk>> {
    let mut query = conn.prepare_cached(
        "SELECT patrol, run, first, count, body FROM chunk
         WHERE state = 'ready' AND (next_ms <= ?1 OR next_ms > ?1 + ?2) ORDER BY saved_ms, patrol, run, first",
    )?;
    let mut rows = query.query(params![now_ms, PARKED_MS])?;
    let (mut out, mut used) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        let chunk = named(row)?;
        if skip.contains(&chunk.name) {
            continue;
        }
        used += chunk.body.len() + 48;
        if used > bytes && !out.is_empty() {
            break;
        }
        out.push(chunk);
    }
    Ok(out)
}

/// Notes that these are about to be sent.
pub(crate) fn tried(tx: &Transaction<'_>, chunks: &[NamedChunk]) -> Inner<()> {
    for chunk in chunks {
        update(tx, &chunk.name, "tries = tries + 1", params![])?;
    }
    Ok(())
}

fn update(
    tx: &Transaction<'_>,
    name: &ChunkName,
    set: &str,
    values: &[&dyn rusqlite::ToSql],
) -> Inner<()> {
    let sql = format!(
        "UPDATE chunk SET {set} WHERE patrol = ?1 AND run = ?2 AND first = ?3 AND count = ?4"
    );
    let (patrol, run) = (name.patrol.as_bytes(), name.run.0.to_be_bytes());
    let mut all: Vec<&dyn rusqlite::ToSql> = vec![patrol, &run, &name.first, &name.count];
    all.extend_from_slice(values);
    tx.prepare_cached(&sql)?.execute(all.as_slice())?;
    Ok(())
}

/// A chunk stands on the server.
pub(crate) fn take(tx: &Transaction<'_>, name: &ChunkName) -> Inner<()> {
    update(
        tx,
        name,
        "state = 'taken', code = NULL, why = NULL",
        params![],
    )
}

/// A chunk was set aside or refused there; it is kept here.
pub(crate) fn refuse(
    tx: &Transaction<'_>,
    name: &ChunkName,
    state: &str,
    code: &str,
    why: &str,
) -> Inner<()> {
    update(
        tx,
        name,
        "state = ?5, code = ?6, why = ?7",
        params![state, code, why],
    )
}

/// The server refuses even a request with this chunk alone: tried again later.
pub(crate) fn park(
    tx: &Transaction<'_>,
    name: &ChunkName,
    until_ms: i64,
    code: &str,
    why: &str,
) -> Inner<()> {
    update(
        tx,
        name,
        "next_ms = ?5, code = ?6, why = ?7",
        params![until_ms, code, why],
    )
}
