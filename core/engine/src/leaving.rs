//! Leaving: what stays of somebody on a phone that is not theirs any more
//! (docs/adr/0006).
//!
//! At a log-out, offline too, and where the server lets a phone only send, what
//! was pulled is forgotten at once, and the token with it. What was saved here
//! and not sent, or must still be kept, stays under an account that is leaving:
//! no view shows it, every sync sends it with a token that can only send, and
//! it can be exported.

use gridwalk_domain::wire::Unsent;
use rusqlite::{Connection, params};

use crate::account::{self, Leaving};
use crate::core::{Core, Shared, begin, pen};
use crate::engine::duty;
use crate::error::{Fault, Inner};
use crate::store::meta::{self, name};
use crate::{drafts, purge, retention, view};

/// What a log-out comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogOut {
    /// Nothing was changed: this would be left behind, and asks for a yes.
    Asks(Departure),
    /// It is done.
    Done,
}

/// What somebody who logs out leaves behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Departure {
    /// What is not on the server yet; it is sent from this phone all the same.
    pub unsent: Unsent,
    /// Fixes that no chunk holds yet.
    pub unsealed_fixes: u64,
    /// Whether a shift runs; it is ended.
    pub on_shift: bool,
    /// Whether a patrol runs; it is finished.
    pub on_patrol: bool,
    /// Drafts; they are not sent, and wait on this phone for their author.
    pub drafts: u64,
}

/// What is on this phone and on no screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VaultView {
    /// Why.
    pub why: VaultWhy,
    /// Since when, by the phone's wall clock; not known for a lost grid.
    pub since_ms: Option<i64>,
    /// What of it is not on the server yet.
    pub unsent: Unsent,
    /// Ops, chunks and attachments of it that the server has and that are kept
    /// until a backup has them too.
    pub kept: u64,
}

/// Why something is on no screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VaultWhy {
    /// Somebody logged out.
    LoggedOut,
    /// The server lets somebody's phone only send.
    Replaced,
    /// It belongs to a grid that is not the worker's any more.
    ScopeLost,
}

impl From<Leaving> for VaultWhy {
    fn from(why: Leaving) -> Self {
        match why {
            Leaving::LoggedOut => Self::LoggedOut,
            Leaving::Replaced => Self::Replaced,
        }
    }
}

/// What whoever uses the phone would leave behind.
pub(crate) fn departure(core: &Core) -> Inner<Departure> {
    let me = core.me()?;
    let live = core.recorder.live.as_ref();
    Ok(Departure {
        unsent: view::unsent(&core.conn, me.account)?,
        unsealed_fixes: live.map_or(0, |live| live.unsealed as u64),
        on_shift: core.shift()?.is_some(),
        on_patrol: live.is_some(),
        drafts: drafts::count(&core.conn, me.worker.id)?,
    })
}

impl Core {
    /// Whoever uses the phone leaves it: what runs is ended, in the same
    /// transaction.
    pub(crate) fn leave(&mut self, shared: &Shared, why: Leaving) -> Inner<()> {
        let now = shared.now();
        let mut me = self.me()?.clone();
        let shift = self.shift()?;
        let tx = begin(&mut self.conn)?;
        let pen = pen(Some(&me), self.synced.as_ref(), shared, now)?;
        if let Some(live) = &self.recorder.live {
            self.recorder.seal(&tx, now)?;
            unless_refused(duty::finish(&tx, &pen, live).map(drop))?;
        }
        if let Some((_, shift)) = shift {
            unless_refused(duty::end(&tx, &pen, &shift))?;
        }
        account::leave(&tx, me.account, why, now.wall_ms)?;
        me.token = None;
        account::keep(&tx, &me)?;
        tx.execute_batch(
            "DELETE FROM base; DELETE FROM listing; DELETE FROM stream WHERE key NOT LIKE 'device/%'",
        )?;
        for name in [name::SCOPE, name::CONTACT, name::SHIFT, name::PATROL] {
            meta::remove(&tx, name)?;
        }
        let watermark = account::line(&tx, me.account)?.watermark;
        if retention::let_go_of_leaving(&tx, &me, watermark)? {
            account::strike(&tx, &me)?;
        }
        purge::unclean(&tx)?;
        tx.commit()?;
        self.me = None;
        self.synced = None;
        self.contact = None;
        self.recorder.sealed();
        self.recorder.live = None;
        Ok(())
    }
}

/// What ends by itself, because somebody else ended it, is no reason to stay.
fn unless_refused(ended: Inner<()>) -> Inner<()> {
    match ended {
        Err(Fault::Said(_)) => Ok(()),
        other => other,
    }
}

/// Ops that left the screen with their grid: `?1` is the account.
const HIDDEN: &str = "
    SELECT entity FROM op WHERE account = ?1
    AND home NOT IN (SELECT key FROM stream)
    AND entity NOT IN (SELECT entity FROM base)";

/// What is on this phone and on no screen.
pub(crate) fn vault(core: &Core) -> Inner<Vec<VaultView>> {
    let mut out = Vec::new();
    let mut query = core.conn.prepare_cached(
        "SELECT n, leaving, left_ms FROM account WHERE leaving IS NOT NULL ORDER BY n",
    )?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let (account, word): (i64, String) = (row.get(0)?, row.get(1)?);
        let (unsent, kept) = count(&core.conn, account, None)?;
        out.push(VaultView {
            why: Leaving::from_word(&word)?.into(),
            since_ms: row.get(2)?,
            unsent,
            kept,
        });
    }
    let (unsent, kept) = count(&core.conn, core.account(), Some(HIDDEN))?;
    if unsent != Unsent::default() || kept > 0 {
        out.push(VaultView {
            why: VaultWhy::ScopeLost,
            since_ms: None,
            unsent,
            kept,
        });
    }
    Ok(out)
}

/// How much is unsent of all but the one who uses the phone.
pub(crate) fn unsent(conn: &Connection, present: i64) -> Inner<u64> {
    let mut query = conn.prepare_cached(
        "SELECT (SELECT count(*) FROM op WHERE account <> ?1 AND state = 'ready')
              + (SELECT count(*) FROM chunk WHERE account <> ?1 AND state = 'ready')
              + (SELECT count(DISTINCT coalesce(thumb_of, sha256)) FROM blob
                 WHERE account <> ?1 AND state = 'ready')",
    )?;
    let count: i64 = query.query_row([present], |row| row.get(0))?;
    Ok(u64::try_from(count).unwrap_or(0))
}

/// How much of an account, or of some of its entities, is unsent, and how much
/// is only kept.
fn count(conn: &Connection, account: i64, entities: Option<&str>) -> Inner<(Unsent, u64)> {
    let among = |column: &str| match entities {
        None => String::new(),
        Some(which) => format!("AND {column} IN ({which})"),
    };
    let shown = match entities {
        None => String::new(),
        Some(which) => format!(
            "AND sha256 IN (SELECT sha256 FROM attachment WHERE account = ?1 AND entity IN ({which}))"
        ),
    };
    let sql = format!(
        "SELECT count(*) FILTER (WHERE what = 'op' AND state = 'ready'),
                count(*) FILTER (WHERE what = 'chunk' AND state = 'ready'),
                count(DISTINCT content) FILTER (WHERE state = 'ready'),
                min(saved_ms) FILTER (WHERE state = 'ready'),
                count(*) FILTER (WHERE state <> 'ready')
         FROM (SELECT 'op' AS what, state, saved_ms, NULL AS content FROM op WHERE account = ?1 {}
               UNION ALL
               SELECT 'chunk', state, saved_ms, NULL FROM chunk WHERE account = ?1 {}
               UNION ALL
               SELECT 'blob', state, saved_ms, coalesce(thumb_of, sha256) FROM blob WHERE account = ?1 {shown})",
        among("entity"),
        among("patrol"),
    );
    let number = |row: &rusqlite::Row<'_>, at: usize| {
        row.get::<_, i64>(at).map(|n| u64::try_from(n).unwrap_or(0))
    };
    let mut query = conn.prepare_cached(&sql)?;
    Ok(query.query_row(params![account], |row| {
        let unsent = Unsent {
            ops: number(row, 0)?,
            chunks: number(row, 1)?,
            blobs: number(row, 2)?,
            oldest_ms: row.get(3)?,
        };
        Ok((unsent, number(row, 4)?))
    })?)
}
