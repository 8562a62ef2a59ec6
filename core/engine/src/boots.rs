//! Starts of the phone's system, and how long the phone has lived.
//!
//! A phone's wall clock is wrong; its monotonic clock is not, but begins anew
//! with each start of the system. For each start the clocks are noted when the
//! app first ran in it and, in the same transaction, with each save; `hello`
//! tells the server of the starts, so that it can say when each save was.
//!
//! The **lifetime** is the sum, over all starts, of how long the app saw the
//! monotonic clock run. Nobody can set it, and it is never ahead of the time
//! that has really passed: what must be kept for some days is kept for so long
//! by this clock.

use gridwalk_domain::Moment;
use gridwalk_domain::wire::{BootSpan, MAX_BOOTS, Reading};
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

use crate::error::Inner;

/// Notes the clocks: something is saved now, or the app opens.
pub(crate) fn note(tx: &Transaction<'_>, now: Moment) -> Inner<()> {
    tx.prepare_cached(
        "INSERT INTO boot (id, first_wall, first_mono, last_wall, last_mono) VALUES (?1, ?2, ?3, ?2, ?3)
         ON CONFLICT (id) DO UPDATE SET last_wall = ?2, last_mono = max(last_mono, ?3)",
    )?
    .execute(params![now.boot.as_bytes(), now.wall_ms, now.mono_ms])?;
    Ok(())
}

/// Whether this start of the system was noted.
pub(crate) fn known(conn: &Connection, now: Moment) -> Inner<bool> {
    let mut query = conn.prepare_cached("SELECT 1 FROM boot WHERE id = ?1")?;
    let found = query
        .query_row([now.boot.as_bytes()], |_| Ok(()))
        .optional()?;
    Ok(found.is_some())
}

/// How long the phone has lived, in milliseconds.
pub(crate) fn lifetime(conn: &Connection, now: Moment) -> Inner<i64> {
    let mut query = conn.prepare_cached(
        "SELECT coalesce(sum(max(CASE WHEN id = ?1 THEN max(last_mono, ?2) ELSE last_mono END
                                 - first_mono, 0)), 0)
         FROM boot",
    )?;
    Ok(query.query_row(params![now.boot.as_bytes(), now.mono_ms], |row| row.get(0))?)
}

/// The starts after the one numbered `told`, in their order, the latest if they
/// are too many for one `hello`; and the number of the last one.
pub(crate) fn untold(conn: &Connection, told: i64) -> Inner<(Vec<BootSpan>, i64)> {
    let mut query = conn.prepare_cached(
        "SELECT n, id, first_wall, first_mono, last_wall, last_mono FROM boot
         WHERE n > ?1 ORDER BY n DESC LIMIT ?2",
    )?;
    let limit = i64::try_from(MAX_BOOTS).unwrap_or(i64::MAX);
    let rows = query.query_map(params![told, limit], |row| {
        let reading = |at| -> rusqlite::Result<Reading> {
            Ok(Reading {
                wall_ms: row.get(at)?,
                mono_ms: row.get(at + 1)?,
            })
        };
        let span = BootSpan {
            boot: gridwalk_domain::BootId::from_bytes(row.get(1)?),
            first: reading(2)?,
            last: reading(4)?,
        };
        Ok((row.get::<_, i64>(0)?, span))
    })?;
    let mut spans: Vec<(i64, BootSpan)> = rows.collect::<Result<_, _>>()?;
    spans.reverse();
    let last = spans.last().map_or(told, |(n, _)| *n);
    Ok((spans.into_iter().map(|(_, span)| span).collect(), last))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::begin;
    use gridwalk_domain::BootId;

    fn at(boot: u8, wall_ms: i64, mono_ms: i64) -> Moment {
        Moment {
            wall_ms,
            boot: BootId::from_bytes([boot; 16]),
            mono_ms,
        }
    }

    fn noted(moments: &[Moment]) -> Connection {
        let mut conn = crate::store::in_memory();
        let tx = begin(&mut conn).expect("begins");
        for moment in moments {
            note(&tx, *moment).expect("notes");
        }
        tx.commit().expect("commits");
        conn
    }

    #[test]
    fn the_lifetime_counts_what_ran_and_no_clock_that_somebody_set() {
        let conn = noted(&[
            at(1, 1_000_000, 500),
            at(1, 9_000_000_000, 2_500),
            // Off for years, by the wall clock; nobody knows.
            at(2, 99_000_000_000, 100),
            at(2, -7, 1_100),
        ]);
        let lived = |now| lifetime(&conn, now).expect("reads");
        assert_eq!(lived(at(2, 0, 1_100)), 3_000);
        assert_eq!(lived(at(2, i64::MAX, 1_600)), 3_500);
        // A start that was not noted yet has run for nothing.
        assert_eq!(lived(at(3, 0, 70_000_000)), 3_000);
        assert_eq!(lifetime(&noted(&[]), at(1, 0, 9)).expect("reads"), 0);
    }

    #[test]
    fn starts_are_told_in_order_each_once_and_the_latest_where_they_are_too_many() {
        let conn = noted(&[at(1, 10, 1), at(2, 20, 1), at(1, 30, 5)]);
        let (spans, last) = untold(&conn, 0).expect("reads");
        let boots: Vec<_> = spans.iter().map(|span| span.boot.as_bytes()[0]).collect();
        assert_eq!((boots.as_slice(), last), ([1, 2].as_slice(), 2));
        assert_eq!(
            (
                spans[0].first.wall_ms,
                spans[0].last.wall_ms,
                spans[0].last.mono_ms
            ),
            (10, 30, 5)
        );
        assert_eq!(untold(&conn, last).expect("reads"), (vec![], 2));
        let many: Vec<_> = (0..=u8::MAX).map(|n| at(n, i64::from(n), 0)).collect();
        let (spans, last) = untold(&noted(&many), 0).expect("reads");
        assert_eq!((spans.len(), last), (MAX_BOOTS, 256));
        assert_eq!(spans.last().map(|span| span.boot), Some(many[255].boot));
    }
}
