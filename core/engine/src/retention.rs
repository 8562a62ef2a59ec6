//! Keeping what was sent, and letting it go.
//!
//! What the server took stays until a backup that was checked has it (its
//! receipt is at or below the watermark) and it was taken fourteen days ago by
//! the phone's lifetime, a clock that nobody can set ([`crate::boots`]). A
//! patrol's chunks stay longer, for as long as the policy says, so that its
//! route can be shown here; what is on top of a pulled state stays until that
//! state has it. What was refused stays: the worker is to see it.
//!
//! Of somebody who left nothing is shown; it stays until the backup has it.

use gridwalk_domain::Sha256;
use rusqlite::{Transaction, params};

use crate::error::Inner;
use crate::identity::{Me, RunningPatrol, RunningShift};
use crate::policy::Policy;
use crate::purge;
use crate::store::meta::{self, name};

const DAY_MS: i64 = 24 * 3_600_000;
/// What was sent stays at least so long.
const DAYS: i64 = 14;

/// Lets go of what need not be kept any more of whoever uses the phone.
pub(crate) fn let_go(
    tx: &Transaction<'_>,
    me: &Me,
    watermark: u64,
    lifetime_ms: i64,
    policy: Policy,
) -> Inner<()> {
    let watermark = i64::try_from(watermark).unwrap_or(i64::MAX);
    let since = lifetime_ms - DAYS * DAY_MS;
    let running_patrol = meta::get::<RunningPatrol>(tx, name::PATROL)?.map(|running| running.id);
    let running_shift = meta::get::<RunningShift>(tx, name::SHIFT)?.map(|running| running.id);
    let running = [running_patrol, running_shift].map(|id| id.map(|id| id.as_bytes().to_vec()));
    let ops = tx
        .prepare_cached(
            "DELETE FROM op WHERE account = ?1 AND state = 'taken' AND doubted = 0
                 AND receipt <= ?2 AND taken_ms <= ?3
                 AND entity IS NOT ?4 AND entity IS NOT ?5
                 AND NOT EXISTS (SELECT 1 FROM stream WHERE key = op.stream
                                 AND NOT coalesce(resetting = 0 AND epoch = op.epoch AND seq >= op.seq, 0))",
        )?
        .execute(params![me.account, watermark, since, running[0], running[1]])?;
    if ops > 0 {
        forget_needs(tx)?;
    }
    let routes_since = lifetime_ms - DAYS.max(i64::from(policy.keep_routes_days)) * DAY_MS;
    tx.prepare_cached(
        "DELETE FROM chunk WHERE account = ?1 AND state = 'taken' AND doubted = 0
             AND receipt <= ?2 AND taken_ms <= ?3 AND patrol IS NOT ?4",
    )?
    .execute(params![me.account, watermark, routes_since, running[0]])?;
    let blobs =
        "account = ?1 AND state = 'taken' AND doubted = 0 AND receipt <= ?2 AND taken_ms <= ?3";
    let_blobs_go(tx, blobs, params![me.account, watermark, since])?;
    Ok(())
}

/// Lets go of what need not be kept any more of somebody who left; says whether
/// that was all.
pub(crate) fn let_go_of_leaving(tx: &Transaction<'_>, me: &Me, watermark: u64) -> Inner<bool> {
    let watermark = i64::try_from(watermark).unwrap_or(i64::MAX);
    let which = "account = ?1 AND state <> 'ready' AND doubted = 0 AND receipt <= ?2";
    let values = params![me.account, watermark];
    // Whoever left hears of no purge of what was let go here.
    if tx.execute(&format!("DELETE FROM op WHERE {which}"), values)? > 0 {
        purge::unclean(tx)?;
    }
    forget_needs(tx)?;
    tx.execute(&format!("DELETE FROM chunk WHERE {which}"), values)?;
    let_blobs_go(tx, which, values)?;
    let left: bool = tx.query_row(
        "SELECT EXISTS (SELECT 1 FROM op WHERE account = ?1)
             OR EXISTS (SELECT 1 FROM chunk WHERE account = ?1)
             OR EXISTS (SELECT 1 FROM blob WHERE account = ?1)",
        [me.account],
        |row| row.get(0),
    )?;
    if left {
        return Ok(false);
    }
    tx.execute("DELETE FROM attachment WHERE account = ?1", [me.account])?;
    purge::unclean(tx)?;
    Ok(true)
}

/// Erases all of an account.
pub(crate) fn erase(tx: &Transaction<'_>, me: &Me) -> Inner<()> {
    tx.execute("DELETE FROM op WHERE account = ?1", [me.account])?;
    forget_needs(tx)?;
    tx.execute("DELETE FROM chunk WHERE account = ?1", [me.account])?;
    let gone = let_blobs_go(tx, "account = ?1", params![me.account])?;
    purge::ordered(tx, &gone)?;
    tx.execute("DELETE FROM attachment WHERE account = ?1", [me.account])?;
    purge::unclean(tx)
}

fn forget_needs(tx: &Transaction<'_>) -> Inner<()> {
    tx.execute("DELETE FROM need WHERE op NOT IN (SELECT id FROM op)", [])?;
    Ok(())
}

/// Gives those that went.
fn let_blobs_go(
    tx: &Transaction<'_>,
    which: &str,
    values: &[&dyn rusqlite::ToSql],
) -> Inner<Vec<Sha256>> {
    let mut delete = tx.prepare_cached(&format!(
        "DELETE FROM blob WHERE {which} RETURNING account, sha256"
    ))?;
    let rows = delete.query_map(values, |row| {
        Ok((row.get::<_, i64>(0)?, Sha256(row.get(1)?)))
    })?;
    let gone: Vec<_> = rows.collect::<rusqlite::Result<_>>()?;
    for (account, sha256) in &gone {
        tx.prepare_cached("DELETE FROM attachment WHERE account = ?1 AND sha256 = ?2")?
            .execute(params![account, sha256.0])?;
        purge::unwanted(tx, *sha256)?;
    }
    Ok(gone.into_iter().map(|(_, sha256)| sha256).collect())
}
