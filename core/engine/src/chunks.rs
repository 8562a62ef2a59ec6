//! Sealed runs of fixes.

use gridwalk_domain::wire::tracks::NamedChunk;
use gridwalk_domain::wire::{ChunkName, Reason, TrackOutcome};
use gridwalk_domain::{EntityId, RunId};
use gridwalk_track::{StoredFix, codec};
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};
use std::collections::BTreeMap;

use crate::error::{Fault, Inner};
use crate::outbox::{RESTS, Word};
use crate::purge;

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

/// Whose patrol it is; nobody's once it was purged.
fn owner(conn: &Connection, patrol: EntityId) -> Inner<Option<i64>> {
    let mut query =
        conn.prepare_cached("SELECT account FROM op WHERE entity = ?1 ORDER BY n LIMIT 1")?;
    let account = query.query_row([patrol.as_bytes()], |row| row.get(0));
    Ok(account.optional()?)
}

/// Seals fixes that follow each other from ordinal `first`; those of a patrol
/// that was purged go.
pub(crate) fn seal(
    tx: &Transaction<'_>,
    patrol: EntityId,
    run: RunId,
    first: u32,
    fixes: &[StoredFix],
    now_ms: i64,
) -> Inner<()> {
    let Some(account) = owner(tx, patrol)? else {
        return Ok(());
    };
    let mut first = first;
    let mut insert = tx.prepare_cached(
        "INSERT INTO chunk (account, patrol, run, first, count, body, saved_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    for part in fixes.chunks(CHUNK_FIXES) {
        let body = codec::encode(part).map_err(|_| Fault::Row("a chunk"))?;
        let count = u32::try_from(part.len()).map_err(|_| Fault::Row("a chunk"))?;
        insert.execute(params![
            account,
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

/// The chunks of an account that the server has not taken.
pub(crate) fn untaken(conn: &Connection, account: i64) -> Inner<Vec<NamedChunk>> {
    let mut query = conn.prepare(
        "SELECT patrol, run, first, count, body FROM chunk
         WHERE account = ?1 AND state <> 'taken' ORDER BY patrol, run, first",
    )?;
    let rows = query.query_map([account], named)?;
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

/// A chunk that is due to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Due {
    pub(crate) n: i64,
    pub(crate) chunk: NamedChunk,
    pub(crate) tries: i64,
}

/// The next chunks of an account to send after row `after`: oldest first, at
/// most `items` and `bytes`, but one at least. Those of a patrol that the server was not
/// told of yet wait for it.
pub(crate) fn due(
    conn: &Connection,
    account: i64,
    server_ms: i64,
    after: i64,
    items: usize,
    bytes: usize,
) -> Inner<Vec<Due>> {
    let mut query = conn.prepare_cached(&format!(
        "SELECT patrol, run, first, count, body, n, tries FROM chunk
         WHERE account = ?1 AND state = 'ready' AND NOT coalesce({RESTS}, 0) AND n > ?3
           AND NOT EXISTS (SELECT 1 FROM op WHERE op.entity = chunk.patrol AND op.account = ?1
                           AND op.state = 'ready' AND op.prev IS NULL)
         ORDER BY n LIMIT ?4"
    ))?;
    let limit = i64::try_from(items.max(1)).unwrap_or(i64::MAX);
    let mut rows = query.query(params![account, server_ms, after, limit])?;
    let (mut out, mut used) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        let chunk = named(row)?;
        used += chunk.body.len() + 48;
        if used > bytes && !out.is_empty() {
            break;
        }
        out.push(Due {
            n: row.get(5)?,
            chunk,
            tries: row.get(6)?,
        });
    }
    Ok(out)
}

/// Notes that these are about to be sent.
pub(crate) fn tried(tx: &Transaction<'_>, chunks: &[Due]) -> Inner<()> {
    let mut update = tx.prepare_cached("UPDATE chunk SET tries = tries + 1 WHERE n = ?1")?;
    for chunk in chunks {
        update.execute([chunk.n])?;
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

/// Keeps the outcome of a chunk.
pub(crate) fn settle(
    tx: &Transaction<'_>,
    word: &Word,
    name: &ChunkName,
    outcome: &TrackOutcome,
) -> Inner<()> {
    let refused = |state: &str, reason: &Reason| {
        update(
            tx,
            name,
            "state = ?5, doubted = 0, parked_ms = NULL, code = ?6, why = ?7",
            params![state, reason.code, reason.text],
        )
    };
    match outcome {
        TrackOutcome::Stored | TrackOutcome::Duplicate => update(
            tx,
            name,
            "state = 'taken', doubted = 0, parked_ms = NULL, code = NULL, why = NULL,
             taken_ms = CASE state WHEN 'taken' THEN coalesce(taken_ms, ?5) ELSE ?5 END",
            params![word.lifetime_ms],
        ),
        // It holds the patrol as sent, perhaps, and the server lacks it.
        TrackOutcome::Deferred => {
            tx.prepare_cached(
                "UPDATE op SET state = 'ready' WHERE entity = ?1 AND account = ?2 AND state = 'taken'",
            )?
            .execute(params![name.patrol.as_bytes(), word.account])?;
            Ok(())
        }
        TrackOutcome::Quarantined { reason } => refused("quarantined", reason),
        TrackOutcome::Rejected { reason } => refused("rejected", reason),
        TrackOutcome::Purged => purge::entity(tx, name.patrol),
        TrackOutcome::Unknown => Ok(()),
    }
}

/// Notes the number of a chunk's receipt.
pub(crate) fn receipt(tx: &Transaction<'_>, name: &ChunkName, n: u64) -> Inner<()> {
    let n = i64::try_from(n).unwrap_or(i64::MAX);
    update(tx, name, "receipt = ?5", params![n])
}

/// A chunk that was held as sent waits to be sent again: the server lost it.
pub(crate) fn send_again(tx: &Transaction<'_>, name: &ChunkName) -> Inner<()> {
    let set = "state = 'ready', doubted = 0, receipt = NULL, code = NULL, why = NULL";
    update(tx, name, set, params![])
}

/// The server refuses even a request with this chunk alone: tried again later.
/// Returns its patrol.
pub(crate) fn park(
    tx: &Transaction<'_>,
    n: i64,
    server_ms: i64,
    code: &str,
    why: &str,
) -> Inner<Option<EntityId>> {
    let patrol: Option<[u8; 16]> = tx
        .prepare_cached(
            "UPDATE chunk SET parked_ms = ?2, code = ?3, why = ?4
             WHERE n = ?1 AND state = 'ready' RETURNING patrol",
        )?
        .query_row(params![n, server_ms, code, why], |row| row.get(0))
        .optional()?;
    Ok(patrol.map(EntityId::from_bytes))
}
