//! Those who use this phone, or did (docs/adr/0006).
//!
//! One account at most is present: its worker sees and writes. The others are
//! leaving: what they had not sent, or must still keep, is sent with a token
//! that can only send, and nobody sees it. When all of it is on the server and
//! in a backup that was checked, the account goes.

use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};

use crate::error::{Fault, Inner};
use crate::identity::Me;
use crate::timeline::TimeLine;

/// Why somebody's records are left on the phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Leaving {
    /// They logged out.
    LoggedOut,
    /// The server lets this phone send and nothing else: they have another
    /// phone, or left.
    Replaced,
}

impl Leaving {
    const fn word(self) -> &'static str {
        match self {
            Self::LoggedOut => "logged_out",
            Self::Replaced => "replaced",
        }
    }

    pub(crate) fn from_word(word: &str) -> Inner<Self> {
        match word {
            "logged_out" => Ok(Self::LoggedOut),
            "replaced" => Ok(Self::Replaced),
            _ => Err(Fault::Row("an account")),
        }
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<(i64, String)> {
    Ok((row.get(0)?, row.get(1)?))
}

fn me((n, json): (i64, String)) -> Inner<Me> {
    let me: Me = serde_json::from_str(&json).map_err(|_| Fault::Row("an account"))?;
    Ok(Me { account: n, ..me })
}

fn json<T: serde::Serialize>(value: &T) -> Inner<String> {
    serde_json::to_string(value).map_err(|_| Fault::Row("an account"))
}

/// Whose phone this is.
pub(crate) fn present(conn: &Connection) -> Inner<Option<Me>> {
    let row = conn
        .prepare_cached("SELECT n, me FROM account WHERE leaving IS NULL")?
        .query_row([], read)
        .optional()?;
    row.map(me).transpose()
}

/// The number of whoever uses the phone; that of nobody where nobody does.
pub(crate) fn number(conn: &Connection) -> Inner<i64> {
    let n = conn
        .prepare_cached("SELECT n FROM account WHERE leaving IS NULL")?
        .query_row([], |row| row.get(0))
        .optional()?;
    Ok(n.unwrap_or(0))
}

/// Those who are leaving, the longest gone first.
pub(crate) fn leaving(conn: &Connection) -> Inner<Vec<Me>> {
    let mut query =
        conn.prepare_cached("SELECT n, me FROM account WHERE leaving IS NOT NULL ORDER BY n")?;
    let rows: Vec<_> = query.query_map([], read)?.collect::<Result<_, _>>()?;
    rows.into_iter().map(me).collect()
}

/// Makes an account for somebody new; its number is in what returns.
pub(crate) fn add(tx: &Transaction<'_>, new: Me) -> Inner<Me> {
    tx.prepare_cached("INSERT INTO account (me, line) VALUES (?1, ?2)")?
        .execute(params![json(&new)?, json(&TimeLine::default())?])?;
    Ok(Me {
        account: tx.last_insert_rowid(),
        ..new
    })
}

/// Keeps what changed of who somebody is.
pub(crate) fn keep(tx: &Transaction<'_>, me: &Me) -> Inner<()> {
    tx.prepare_cached("UPDATE account SET me = ?2 WHERE n = ?1")?
        .execute(params![me.account, json(me)?])?;
    Ok(())
}

/// Where an account stands with its server.
pub(crate) fn line(conn: &Connection, account: i64) -> Inner<TimeLine> {
    let text: String = conn
        .prepare_cached("SELECT line FROM account WHERE n = ?1")?
        .query_row([account], |row| row.get(0))?;
    serde_json::from_str(&text).map_err(|_| Fault::Row("an account"))
}

/// Keeps where an account stands with its server.
pub(crate) fn keep_line(tx: &Transaction<'_>, account: i64, line: &TimeLine) -> Inner<()> {
    tx.prepare_cached("UPDATE account SET line = ?2 WHERE n = ?1")?
        .execute(params![account, json(line)?])?;
    Ok(())
}

/// From now on an account is leaving.
pub(crate) fn leave(tx: &Transaction<'_>, account: i64, why: Leaving, now_ms: i64) -> Inner<()> {
    tx.prepare_cached("UPDATE account SET leaving = ?2, left_ms = ?3 WHERE n = ?1")?
        .execute(params![account, why.word(), now_ms])?;
    Ok(())
}

/// Strikes an account of which nothing is left.
pub(crate) fn strike(tx: &Transaction<'_>, me: &Me) -> Inner<()> {
    let receipts = gridwalk_domain::StreamKey::Receipts(me.device);
    tx.execute("DELETE FROM stream WHERE key = ?1", [receipts.to_string()])?;
    tx.execute("DELETE FROM account WHERE n = ?1", [me.account])?;
    Ok(())
}
