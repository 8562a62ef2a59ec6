//! How far records are on their way, and what was not taken.

use gridwalk_domain::EntityId;
use gridwalk_domain::wire::Unsent;
use rusqlite::{Connection, params};

use crate::error::Inner;

/// How far a record is on its way to the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SendState {
    /// On this phone; sending was not tried yet.
    Saved,
    /// Tried, or parts of it are under way.
    Waiting,
    /// All of it is on the server, photos and track included, by the server's
    /// word for each part.
    Sent,
    /// The server does not take a part of it. It is kept on this phone.
    Refused {
        /// The server's word.
        code: String,
        /// The server's sentence.
        why: String,
        /// What to do.
        advice: Advice,
    },
}

/// What to do about something that the server did not take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Advice {
    /// Ask the supervisor.
    AskSupervisor,
    /// Nothing: the server keeps it, and a supervisor decides.
    WaitForReview,
    /// Install the newest app.
    Upgrade,
    /// Nothing: it is tried again every day.
    RetriedDaily,
}

/// What of a record was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RefusedWhat {
    /// A change.
    Op,
    /// A piece of a track.
    Chunk,
    /// An attachment.
    Blob,
}

/// Something that the server did not take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedItem {
    /// The record it belongs to.
    pub record: EntityId,
    /// What that record is: `incident`, `patrol` …
    pub kind: String,
    /// What of it.
    pub what: RefusedWhat,
    /// The server's word.
    pub code: String,
    /// The server's sentence.
    pub why: String,
    /// What to do.
    pub advice: Advice,
}

/// All parts of records: ops, chunks, attachments, with their states.
const PARTS: &str = "
    SELECT entity, kind, 'op' AS what, state, tries, code, why, saved_ms, n FROM op
    UNION ALL
    SELECT patrol, 'patrol', 'chunk', state, tries, code, why, saved_ms, 0 FROM chunk
    UNION ALL
    SELECT a.entity, 'incident', 'blob', b.state, b.tries, b.code, b.why, b.saved_ms, 0
    FROM attachment a JOIN blob b USING (sha256)";

pub(super) fn state_of(conn: &Connection, id: EntityId) -> Inner<SendState> {
    let sql = format!("SELECT state, tries, code, why FROM ({PARTS}) WHERE entity = ?1 ORDER BY n");
    let mut query = conn.prepare_cached(&sql)?;
    let mut rows = query.query([id.as_bytes()])?;
    let (mut taken, mut waiting, mut tried) = (0, 0, 0);
    while let Some(row) = rows.next()? {
        let state: String = row.get(0)?;
        let code: Option<String> = row.get(2)?;
        if let Some(code) = code {
            let why: Option<String> = row.get(3)?;
            return Ok(SendState::Refused {
                advice: advice(&state, &code),
                code,
                why: why.unwrap_or_default(),
            });
        }
        match state.as_str() {
            "taken" => taken += 1,
            _ => waiting += 1,
        }
        tried += row.get::<_, i64>(1)?;
    }
    Ok(match (taken, waiting) {
        (_, 0) => SendState::Sent,
        (0, _) if tried == 0 => SendState::Saved,
        _ => SendState::Waiting,
    })
}

fn advice(state: &str, code: &str) -> Advice {
    match (state, code) {
        (_, "unknown_kind" | "unknown_part" | "unknown_intent" | "unknown_version") => {
            Advice::Upgrade
        }
        ("quarantined", _) => Advice::WaitForReview,
        ("ready", _) => Advice::RetriedDaily,
        _ => Advice::AskSupervisor,
    }
}

pub(super) fn refused(conn: &Connection) -> Inner<Vec<RefusedItem>> {
    let sql = format!(
        "SELECT entity, kind, what, code, why, state FROM ({PARTS}) WHERE code IS NOT NULL ORDER BY saved_ms, n"
    );
    let mut query = conn.prepare_cached(&sql)?;
    let rows = query.query_map([], |row| {
        let what: String = row.get(2)?;
        let code: String = row.get(3)?;
        let state: String = row.get(5)?;
        Ok(RefusedItem {
            record: EntityId::from_bytes(row.get(0)?),
            kind: row.get(1)?,
            what: match what.as_str() {
                "op" => RefusedWhat::Op,
                "chunk" => RefusedWhat::Chunk,
                _ => RefusedWhat::Blob,
            },
            advice: advice(&state, &code),
            code,
            why: row.get::<_, Option<String>>(4)?.unwrap_or_default(),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What is not on the server yet.
pub(crate) fn unsent(conn: &Connection) -> Inner<Unsent> {
    let mut query = conn.prepare_cached(
        "SELECT (SELECT count(*) FROM op WHERE state = 'ready'),
                (SELECT count(*) FROM chunk WHERE state = 'ready'),
                (SELECT count(*) FROM blob WHERE state = 'ready'),
                (SELECT min(saved_ms) FROM (
                    SELECT saved_ms FROM op WHERE state = 'ready'
                    UNION ALL SELECT saved_ms FROM chunk WHERE state = 'ready'
                    UNION ALL SELECT saved_ms FROM blob WHERE state = 'ready'))",
    )?;
    let count = |row: &rusqlite::Row<'_>, at: usize| {
        row.get::<_, i64>(at).map(|n| u64::try_from(n).unwrap_or(0))
    };
    Ok(query.query_row(params![], |row| {
        Ok(Unsent {
            ops: count(row, 0)?,
            chunks: count(row, 1)?,
            blobs: count(row, 2)?,
            oldest_ms: row.get(3)?,
        })
    })?)
}
