//! The recorder: the patrol that runs, fix by fix.
//!
//! A fix goes through the filter, into the journal, and every few minutes with
//! its neighbours into a sealed chunk. All fixes of the running patrol are also
//! held in memory (a day at 1 Hz is under 2 MB), so that distance and status
//! cost no decoding.

use gridwalk_domain::{Clock, Entity, EntityId, Fix, Mark, MarkKind, Moment, Rng, RunId};
use gridwalk_track::filter::{Arrived, Filter};
use gridwalk_track::route::{Route, Rules};
use gridwalk_track::{Refusal, StoredFix};
use rusqlite::{Connection, Transaction};
use std::collections::BTreeMap;

use crate::error::{Fault, Inner};
use crate::journal::Journal;
use crate::{boots, chunks};

/// Unsealed fixes live at most this long in the journal.
const SEAL_AFTER_MS: i64 = 5 * 60_000;
/// A power cut loses at most the fixes of ten seconds: no fix may be older than
/// this before it is synced. The rest is for a monotonic clock that runs slow.
const SYNC_WITHIN_MS: i64 = 9_500;

/// Fixes that were recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    /// The patrol they belong to.
    pub patrol: EntityId,
    /// The run that they were recorded in.
    pub run: RunId,
    /// The ordinal in the run of the first fix of this call.
    pub first: u32,
    /// How many fixes of this patrol, in all its runs, are durable against a
    /// kill of the app.
    pub acked: u64,
    /// Those of this call that the route does not use. They are kept.
    pub refused: Vec<RefusedFix>,
}

/// A fix that is kept but not used for the route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefusedFix {
    /// Its ordinal in the run.
    pub ordinal: u32,
    /// Why.
    pub why: Refusal,
}

pub(crate) struct Recorder {
    /// Drawn at each opening.
    pub(crate) run: RunId,
    pub(crate) journal: Journal,
    pub(crate) live: Option<Live>,
}

/// The patrol that runs.
pub(crate) struct Live {
    pub(crate) id: EntityId,
    pub(crate) paused: bool,
    /// What is to be marked before this run records anything.
    pub(crate) opened: Option<Mark>,
    /// All fixes, run by run; the last `unsealed` of this run are in the
    /// journal alone.
    pub(crate) runs: BTreeMap<RunId, Vec<StoredFix>>,
    pub(crate) unsealed: usize,
    pub(crate) total: u64,
    pub(crate) refused: u64,
    pub(crate) last_used: Option<Fix>,
    filter: Filter,
    unsealed_since: i64,
    /// When the oldest fix came that a power cut would take.
    unsynced_since: Option<i64>,
    /// When the recorder was last called.
    called_at: Option<i64>,
    /// After a seal that failed: not tried again below this many.
    seal_at: usize,
    walked: Option<Walked>,
}

/// Distance and time so far, and from how much they were computed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Walked {
    fixes: u64,
    marks: usize,
    pub(crate) distance_m: f64,
    pub(crate) moving_s: i64,
}

impl Live {
    pub(crate) fn new(id: EntityId) -> Self {
        Self {
            id,
            paused: false,
            opened: None,
            runs: BTreeMap::new(),
            unsealed: 0,
            total: 0,
            refused: 0,
            last_used: None,
            filter: Filter::default(),
            unsealed_since: 0,
            unsynced_since: None,
            called_at: None,
            seal_at: 0,
            walked: None,
        }
    }

    /// Takes up a patrol that was running when the app ended.
    pub(crate) fn resumed(
        id: EntityId,
        runs: BTreeMap<RunId, Vec<StoredFix>>,
        now: Moment,
    ) -> Self {
        let fixes = || runs.values().flatten();
        let used = fixes()
            .filter(|stored| stored.refused.is_none())
            .map(|stored| stored.fix);
        let last_used = used.max_by_key(|fix| fix.time_ms);
        let mut live = Self::new(id);
        live.total = fixes().count() as u64;
        live.refused = fixes().filter(|stored| stored.refused.is_some()).count() as u64;
        live.last_used = last_used;
        live.runs = runs;
        if let Some(last) = last_used {
            live.filter.resume_after(
                &last,
                Arrived {
                    wall_ms: last.time_ms,
                    mono_ms: now.mono_ms,
                },
            );
        }
        live
    }

    pub(crate) fn break_off(&mut self) {
        self.filter.break_off();
    }

    fn this_run(&self, run: RunId) -> &[StoredFix] {
        self.runs.get(&run).map_or(&[], Vec::as_slice)
    }

    /// The route of all that was recorded.
    pub(crate) fn route(&self, patrol: &Entity) -> Route {
        route(self.runs.values(), patrol)
    }

    /// Distance and time so far. Computed anew once enough fixes came in: a
    /// long patrol's every thousandth part.
    pub(crate) fn walked(&mut self, patrol: &Entity) -> Walked {
        let marks = marks(patrol).len();
        match self.walked {
            Some(known)
                if known.marks == marks && self.total - known.fixes <= known.fixes / 1000 =>
            {
                known
            }
            _ => {
                let route = self.route(patrol);
                let walked = Walked {
                    fixes: self.total,
                    marks,
                    distance_m: route.distance_m,
                    moving_s: route.moving_ms / 1000,
                };
                self.walked = Some(walked);
                walked
            }
        }
    }
}

/// What happened during a patrol, in the order of time.
pub(crate) fn marks(patrol: &Entity) -> Vec<Mark> {
    gridwalk_domain::kind::patrol::marks(patrol)
}

pub(crate) fn route<'a>(runs: impl Iterator<Item = &'a Vec<StoredFix>>, patrol: &Entity) -> Route {
    let runs: Vec<&Vec<StoredFix>> = runs.filter(|run| !run.is_empty()).collect();
    Route::build_with(&runs, &marks(patrol), &Rules::default())
}

impl Recorder {
    /// Seals what an earlier process left in the journal, and draws the run.
    pub(crate) fn open(
        conn: &mut Connection,
        mut journal: Journal,
        clock: &dyn Clock,
        rng: &dyn Rng,
    ) -> Inner<Self> {
        if let Some(left) = journal.read()? {
            let now_ms = clock.now().wall_ms;
            if left.damaged {
                journal.copy_aside(&format!(".damaged-{now_ms}"))?;
            }
            let tx = crate::core::begin(conn)?;
            for piece in contiguous(&left.fixes) {
                let sealed = chunks::sealed_to(&tx, left.patrol, left.run)?;
                // The app may have died after the seal and before the journal
                // was emptied.
                let new = piece.iter().position(|(ordinal, _)| *ordinal >= sealed);
                let Some(new) = new.map(|at| &piece[at..]) else {
                    continue;
                };
                let fixes: Vec<StoredFix> = new.iter().map(|(_, fix)| *fix).collect();
                chunks::seal(&tx, left.patrol, left.run, new[0].0, &fixes, now_ms)?;
            }
            tx.commit()?;
        }
        journal.clear()?;
        Ok(Self {
            run: RunId::draw(rng),
            journal,
            live: None,
        })
    }

    /// Records fixes of the running patrol; the caller has seen to its state.
    pub(crate) fn record(
        &mut self,
        conn: &mut Connection,
        now: Moment,
        fixes: &[Fix],
    ) -> Inner<Option<Recorded>> {
        let Some(live) = &mut self.live else {
            return Ok(None);
        };
        let first =
            u32::try_from(live.this_run(self.run).len()).map_err(|_| Fault::Row("the run"))?;
        let arrived = Arrived {
            wall_ms: now.wall_ms,
            mono_ms: now.mono_ms,
        };
        let mut filter = live.filter.clone();
        let stored: Vec<StoredFix> = fixes.iter().map(|fix| filter.take(fix, arrived)).collect();
        if !stored.is_empty() {
            if let Err(fault) = self.journal.append(live.id, self.run, first, &stored) {
                // Those of earlier calls are due all the same.
                self.keep_up(conn, now);
                return Err(fault);
            }
            if live.unsealed == 0 {
                live.unsealed_since = now.mono_ms;
            }
            live.unsynced_since.get_or_insert(now.mono_ms);
            live.filter = filter;
            live.unsealed += stored.len();
            live.total += stored.len() as u64;
            live.refused += stored.iter().filter(|fix| fix.refused.is_some()).count() as u64;
            let used = stored.iter().rev().find(|fix| fix.refused.is_none());
            live.last_used = used.map(|fix| fix.fix).or(live.last_used);
            live.runs
                .entry(self.run)
                .or_default()
                .extend_from_slice(&stored);
        }
        let recorded = Recorded {
            patrol: live.id,
            run: self.run,
            first,
            acked: live.total,
            refused: (first..)
                .zip(&stored)
                .filter_map(|(ordinal, fix)| {
                    Some(RefusedFix {
                        ordinal,
                        why: fix.refused?,
                    })
                })
                .collect(),
        };
        self.keep_up(conn, now);
        Ok(Some(recorded))
    }

    /// Syncs and seals where it is time to. The fixes are in the journal and
    /// acknowledged whatever happens here, so a failure is not the caller's:
    /// it is tried again, and a disk that is full shows at the next fix.
    fn keep_up(&mut self, conn: &mut Connection, now: Moment) {
        let Some(live) = &mut self.live else { return };
        let waited = |since: i64, limit: i64| !(0..limit).contains(&(now.mono_ms - since));
        let due =
            live.unsealed >= chunks::CHUNK_FIXES || waited(live.unsealed_since, SEAL_AFTER_MS);
        if live.unsealed > 0 && due && live.unsealed >= live.seal_at {
            let sealed = crate::core::begin(conn).and_then(|tx| {
                self.seal(&tx, now)?;
                Ok(tx.commit()?)
            });
            match sealed {
                Ok(()) => self.sealed(),
                Err(_) => {
                    if let Some(live) = &mut self.live {
                        live.seal_at = live.unsealed + chunks::CHUNK_FIXES;
                    }
                }
            }
        }
        let Some(live) = &mut self.live else { return };
        // The next call may be as far away as the last one.
        let gap_ms = live.called_at.map_or(SYNC_WITHIN_MS, |at| now.mono_ms - at);
        let left_ms = SYNC_WITHIN_MS - gap_ms.clamp(0, SYNC_WITHIN_MS);
        let sync_due = live
            .unsynced_since
            .is_some_and(|since| waited(since, left_ms));
        if sync_due && self.journal.sync().is_ok() {
            live.unsynced_since = None;
        }
        live.called_at = Some(now.mono_ms);
    }

    /// Seals all that is unsealed into the transaction; [`Self::sealed`] is to
    /// be called once it is committed.
    pub(crate) fn seal(&self, tx: &Transaction<'_>, now: Moment) -> Inner<()> {
        let Some(live) = self.live.as_ref().filter(|live| live.unsealed > 0) else {
            return Ok(());
        };
        boots::note(tx, now)?;
        let fixes = live.this_run(self.run);
        let first = fixes.len() - live.unsealed;
        let ordinal = u32::try_from(first).map_err(|_| Fault::Row("the run"))?;
        chunks::seal(tx, live.id, self.run, ordinal, &fixes[first..], now.wall_ms)
    }

    /// Everything is sealed and committed.
    pub(crate) fn sealed(&mut self) {
        // A journal that cannot be emptied holds what is sealed: names tell.
        let _ = self.journal.clear();
        if let Some(live) = &mut self.live {
            live.unsealed = 0;
            live.seal_at = 0;
            live.unsynced_since = None;
        }
    }
}

fn contiguous(fixes: &[(u32, StoredFix)]) -> impl Iterator<Item = &[(u32, StoredFix)]> {
    fixes.chunk_by(|a, b| a.0.checked_add(1) == Some(b.0))
}

/// The mark that tells of an opening in mid-patrol.
pub(crate) fn opened(now: Moment, recorded_under: gridwalk_domain::BootId) -> Mark {
    Mark {
        at_ms: now.wall_ms,
        kind: MarkKind::Opened {
            rebooted: recorded_under != now.boot,
        },
    }
}
