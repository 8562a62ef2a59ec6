//! How things stand.

use gridwalk_domain::wire::Unsent;
use gridwalk_domain::{EntityId, Fix};

use super::conflict;
use super::send::{RefusedItem, refused, unsent};
use crate::core::Core;
use crate::error::Inner;
use crate::identity::{GridRef, Identity, Synced};
use crate::{account, entities, leaving};

/// The shift that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShiftView {
    /// Its identity.
    pub id: EntityId,
    /// Where.
    pub grid: GridRef,
    /// Since when, in milliseconds since 1970.
    pub since_ms: i64,
}

/// The patrol that runs.
#[derive(Clone, Debug, PartialEq)]
pub struct PatrolNow {
    /// Its identity.
    pub id: EntityId,
    /// Whether it is paused.
    pub paused: bool,
    /// Since when, in milliseconds since 1970.
    pub since_ms: i64,
    /// Fixes recorded.
    pub fixes: u64,
    /// Fixes among them that the route does not use.
    pub refused: u64,
    /// Metres walked so far.
    pub distance_m: f64,
    /// Seconds in motion so far.
    pub moving_s: i64,
    /// The last fix that the route uses.
    pub last_fix: Option<Fix>,
}

/// How things stand.
#[derive(Clone, Debug, PartialEq)]
pub struct Status {
    /// Who this phone is; none before enrolment.
    pub identity: Option<Identity>,
    /// The grids whose records the worker writes.
    pub grids: Vec<GridRef>,
    /// The shift that runs.
    pub shift: Option<ShiftView>,
    /// The patrol that runs.
    pub patrol: Option<PatrolNow>,
    /// What is not on the server yet.
    pub unsent: Unsent,
    /// Fixes that no chunk holds yet.
    pub unsealed_fixes: u64,
    /// When the server last answered, by this phone's clock.
    pub last_contact_ms: Option<i64>,
    /// How far the server's clock was ahead of this phone's then.
    pub skew_ms: Option<i64>,
    /// What the server did not take.
    pub refused: Vec<RefusedItem>,
    /// How many fields were written twice and wait for somebody to settle them.
    pub conflicts: u64,
    /// Whether the server wants a newer app.
    pub upgrade_needed: bool,
    /// Whether the server does not know this phone's token any more: it must be
    /// enrolled again, and keeps what it holds.
    pub signed_out: bool,
    /// What people who left this phone have not sent yet: ops, chunks and
    /// attachments.
    pub left_unsent: u64,
}

pub(crate) fn status(core: &mut Core) -> Inner<Status> {
    let shift = core.shift()?.map(|(running, shift)| ShiftView {
        id: shift.id,
        grid: running.grid,
        since_ms: shift.created.at_ms,
    });
    let patrol = match &mut core.recorder.live {
        None => None,
        Some(live) => entities::load(
            &core.conn,
            core.me.as_ref().map_or(0, |me| me.account),
            live.id,
        )?
        .map(|entity| {
            let walked = live.walked(&entity);
            PatrolNow {
                id: live.id,
                paused: live.paused,
                since_ms: entity.created.at_ms,
                fixes: live.total,
                refused: live.refused,
                distance_m: walked.distance_m,
                moving_s: walked.moving_s,
                last_fix: live.last_used,
            }
        }),
    };
    Ok(Status {
        identity: core.me.as_ref().map(crate::identity::Me::identity),
        grids: core
            .synced
            .iter()
            .flat_map(Synced::own_grids)
            .map(GridRef::from)
            .collect(),
        shift,
        patrol,
        unsent: unsent(&core.conn, core.account())?,
        unsealed_fixes: core
            .recorder
            .live
            .as_ref()
            .map_or(0, |live| live.unsealed as u64),
        last_contact_ms: core.contact.map(|contact| contact.at_ms),
        skew_ms: core.contact.map(|contact| contact.skew_ms),
        refused: refused(core)?,
        conflicts: conflict::count(core)?,
        upgrade_needed: core.contact.is_some_and(|contact| contact.upgrade_needed),
        signed_out: match &core.me {
            Some(me) => account::line(&core.conn, me.account)?.signed_out,
            None => false,
        },
        left_unsent: leaving::unsent(&core.conn, core.account())?,
    })
}
