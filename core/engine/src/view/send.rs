//! How far records are on their way, and what was not taken.

use gridwalk_domain::EntityId;
use gridwalk_domain::wire::Unsent;
use rusqlite::{Connection, params};

use crate::attachments::Which;
use crate::core::Core;
use crate::error::Inner;

/// How far a record is on its way to the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SendState {
    /// On this phone; sending was not tried yet.
    Saved,
    /// Tried, or parts of it are under way.
    Waiting,
    /// All of it is on the server, by the server's word for each part: its track,
    /// and what is attached to it anywhere, thumbnails too.
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
    /// The server refuses even a request with a part of it alone: it rests, and
    /// is tried again daily and when server or app are of another version.
    Parked {
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

/// All parts of an account's records: ops, chunks, attachments, with their
/// states.
const PARTS: &str = "
    SELECT entity, kind, 'op' AS what, state, tries, code, why, saved_ms, n
    FROM op WHERE account = ?1
    UNION ALL
    SELECT patrol, 'patrol', 'chunk', state, tries, code, why, saved_ms, 0
    FROM chunk WHERE account = ?1
    UNION ALL
    SELECT a.entity,
           coalesce((SELECT kind FROM op WHERE op.entity = a.entity LIMIT 1),
                    (SELECT kind FROM base WHERE base.entity = a.entity), ''),
           'blob', b.state, b.tries, b.code, b.why, b.saved_ms, 0
    FROM attachment a JOIN blob b USING (account, sha256) WHERE a.account = ?1";

pub(super) fn state_of(core: &Core, id: EntityId) -> Inner<SendState> {
    let sql = format!("SELECT state, tries, code, why FROM ({PARTS}) WHERE entity = ?2 ORDER BY n");
    let mut query = core.conn.prepare_cached(&sql)?;
    let mut rows = query.query(params![core.account(), id.as_bytes()])?;
    let (mut taken, mut waiting, mut tried) = (0, 0, 0);
    let mut parked = None;
    while let Some(row) = rows.next()? {
        let state: String = row.get(0)?;
        let code: Option<String> = row.get(2)?;
        if let Some(code) = code {
            let advice = advice(&state, &code);
            let why = row.get::<_, Option<String>>(3)?.unwrap_or_default();
            if state != "ready" {
                return Ok(SendState::Refused { code, why, advice });
            }
            parked = parked.or(Some(SendState::Parked { code, why, advice }));
        }
        match state.as_str() {
            "taken" => taken += 1,
            _ => waiting += 1,
        }
        tried += row.get::<_, i64>(1)?;
    }
    Ok(match (parked, taken, waiting) {
        (Some(parked), ..) => parked,
        (None, _, 0) => SendState::Sent,
        (None, 0, _) if tried == 0 => SendState::Saved,
        _ => SendState::Waiting,
    })
}

fn advice(state: &str, code: &str) -> Advice {
    match (state, code) {
        (
            _,
            "unknown_kind" | "unknown_part" | "unknown_intent" | "unknown_version" | "old_version",
        ) => Advice::Upgrade,
        ("quarantined", _) => Advice::WaitForReview,
        ("ready", _) => Advice::RetriedDaily,
        _ => Advice::AskSupervisor,
    }
}

/// What the server did not take of this phone's worker's.
pub(super) fn refused(core: &Core) -> Inner<Vec<RefusedItem>> {
    let sql = format!(
        "SELECT entity, kind, what, code, why, state FROM ({PARTS}) WHERE code IS NOT NULL ORDER BY saved_ms, n"
    );
    let mut query = core.conn.prepare_cached(&sql)?;
    let rows = query.query_map([core.account()], |row| {
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

/// How many things, and how many bytes of content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Amount {
    pub(crate) items: u64,
    pub(crate) bytes: u64,
}

/// How much of an account is not on the server yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Amounts {
    pub(crate) ops: Amount,
    pub(crate) chunks: Amount,
    pub(crate) blobs: Amount,
}

/// How much of an account is not on the server yet, and is to be sent now.
pub(crate) fn amount(conn: &Connection, account: i64, which: Which) -> Inner<Amounts> {
    let one = |sql: &str| -> Inner<Amount> {
        let mut query = conn.prepare_cached(sql)?;
        let number = |n: i64| u64::try_from(n).unwrap_or(0);
        Ok(query.query_row([account], |row| {
            Ok(Amount {
                items: number(row.get(0)?),
                bytes: number(row.get(1)?),
            })
        })?)
    };
    Ok(Amounts {
        ops: one("SELECT count(*), coalesce(sum(length(body)), 0) FROM op
             WHERE account = ?1 AND state = 'ready'")?,
        chunks: one("SELECT count(*), coalesce(sum(length(body)), 0) FROM chunk
             WHERE account = ?1 AND state = 'ready'")?,
        blobs: one(match which {
            Which::All => {
                "SELECT count(*), coalesce(sum(bytes), 0) FROM blob
                 WHERE account = ?1 AND state = 'ready'"
            }
            Which::Thumbs => {
                "SELECT count(*), coalesce(sum(bytes), 0) FROM blob
                 WHERE account = ?1 AND state = 'ready' AND thumb_of IS NOT NULL"
            }
        })?,
    })
}

/// What of an account is not on the server yet; a picture and its thumbnail are
/// one attachment.
pub(crate) fn unsent(conn: &Connection, account: i64) -> Inner<Unsent> {
    let mut query = conn.prepare_cached(
        "SELECT count(*) FILTER (WHERE what = 'op'), count(*) FILTER (WHERE what = 'chunk'),
                count(DISTINCT content), min(saved_ms)
         FROM (SELECT 'op' AS what, saved_ms, NULL AS content FROM op
               WHERE account = ?1 AND state = 'ready'
               UNION ALL
               SELECT 'chunk', saved_ms, NULL FROM chunk WHERE account = ?1 AND state = 'ready'
               UNION ALL
               SELECT 'blob', saved_ms, coalesce(thumb_of, sha256) FROM blob
               WHERE account = ?1 AND state = 'ready')",
    )?;
    let count = |row: &rusqlite::Row<'_>, at: usize| {
        row.get::<_, i64>(at).map(|n| u64::try_from(n).unwrap_or(0))
    };
    Ok(query.query_row([account], |row| {
        Ok(Unsent {
            ops: count(row, 0)?,
            chunks: count(row, 1)?,
            blobs: count(row, 2)?,
            oldest_ms: row.get(3)?,
        })
    })?)
}
