//! The recorder: the patrol that runs, fix by fix.
//!
//! A fix goes through the filter, into the journal, and every few minutes with
//! its neighbours into a sealed chunk. All fixes of the running patrol are also
//! held in memory (a day at 1 Hz is under 2 MB), so that distance and status
//! cost no decoding.

use gridwalk_domain::{Clock, Entity, EntityId, Fix, Mark, MarkKind, Moment, Rng, RunId};
use gridwalk_track::filter::{Arrived, Filter};
use gridwalk_track::plan::Planner;
use gridwalk_track::route::{Route, Rules};
use gridwalk_track::{Refusal, StoredFix};
use rusqlite::{Connection, Transaction};
use std::collections::BTreeMap;

use crate::error::{Fault, Inner};
use crate::journal::Journal;
use crate::{boots, chunks};

/// Unsealed fixes live at most this long in the journal.
const SEAL_AFTER_MS: i64 = 10 * 60_000;
/// A power cut loses at most the fixes of ten seconds: no fix may be older than
/// this before it is synced. The rest is for a monotonic clock that runs slow.
const SYNC_AFTER_MS: i64 = 9_500;

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
    pub(crate) planner: Planner,
    filter: Filter,
    /// The time of the last used fix of this process, and the monotonic clock
    /// when it came.
    seen: Option<(i64, i64)>,
    unsealed_since: i64,
    /// When the oldest fix came that a power cut would take.
    unsynced_since: Option<i64>,
    /// The monotonic clock at the last call.
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
            planner: Planner::default(),
            filter: Filter::default(),
            seen: None,
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

    /// A patrol that begins now.
    pub(crate) fn begun(id: EntityId, now: Moment) -> Self {
        let mut live = Self::new(id);
        live.filter.begin(now.wall_ms);
        live
    }

    pub(crate) fn break_off(&mut self) {
        self.filter.break_off();
        self.planner = Planner::default();
    }

    /// The time by the fixes' clock: what happens now is told to lie between
    /// the right two fixes, however wrong the phone's own clock is. Later than
    /// the last fix; the wall clock where this process has seen none.
    pub(crate) fn fix_ms(&self, now: Moment) -> i64 {
        self.seen.map_or(now.wall_ms, |(fix_ms, mono_ms)| {
            fix_ms.saturating_add((now.mono_ms - mono_ms).max(1))
        })
    }

    /// The time of the first of these fixes that the route would use.
    pub(crate) fn first_used(&self, now: Moment, fixes: &[Fix]) -> Option<i64> {
        let mut filter = self.filter.clone();
        let stored = fixes.iter().map(|fix| filter.take(fix, arrived(now)));
        let mut used = stored.filter(|fix| fix.refused.is_none());
        used.next().map(|stored| stored.fix.time_ms)
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
        let left = journal.read()?;
        let now_ms = clock.now().wall_ms;
        let damaged = match &left {
            Some(left) => left.damaged,
            None => journal.holds_more()?,
        };
        // It alarms nobody: a power cut too may tear what was not synced yet, the
        // head of a journal that was just begun among it. It costs a small file.
        if damaged {
            journal.copy_aside(&format!(".damaged-{now_ms}"))?;
        }
        if let Some(left) = left {
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
        let mut filter = live.filter.clone();
        let take = |fix| filter.take(fix, arrived(now));
        let stored: Vec<StoredFix> = fixes.iter().map(take).collect();
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
            for used in stored.iter().filter(|fix| fix.refused.is_none()) {
                live.planner.saw(&used.fix, now.mono_ms);
                live.seen = Some((used.fix.time_ms, now.mono_ms));
                live.last_used = Some(used.fix);
            }
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

    /// Syncs and seals where it is time to: where the next call, if it comes as
    /// late as this one did, would be too late. The fixes are in the journal and
    /// acknowledged whatever happens here, so a failure is not the caller's:
    /// it is tried again, and a disk that is full shows at the next fix.
    pub(crate) fn keep_up(&mut self, conn: &mut Connection, now: Moment) {
        let Some(live) = &mut self.live else { return };
        let due =
            live.unsealed >= chunks::CHUNK_FIXES || waited(live.unsealed_since, now, SEAL_AFTER_MS);
        if live.unsealed > 0 && due && live.unsealed >= live.seal_at {
            let sealed = crate::core::begin(conn).and_then(|tx| {
                self.seal(&tx, now)?;
                tx.commit()
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
        let interval = live.called_at.map_or(SYNC_AFTER_MS, |at| now.mono_ms - at);
        live.called_at = Some(now.mono_ms);
        self.settle(now, interval);
    }

    /// Syncs what would be older than it may be after this many milliseconds.
    pub(crate) fn settle(&mut self, now: Moment, ahead_ms: i64) {
        let Some(live) = &mut self.live else { return };
        let due = |since: i64| waited(since.saturating_sub(ahead_ms), now, SYNC_AFTER_MS);
        if live.unsynced_since.is_some_and(due) && self.journal.sync().is_ok() {
            live.unsynced_since = None;
        }
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
            live.unsynced_since = None;
            live.seal_at = 0;
        }
    }
}

fn contiguous(fixes: &[(u32, StoredFix)]) -> impl Iterator<Item = &[(u32, StoredFix)]> {
    fixes.chunk_by(|a, b| a.0.checked_add(1) == Some(b.0))
}

/// Whether this long has passed since a time; a clock that was set back did.
fn waited(since: i64, now: Moment, limit: i64) -> bool {
    !(0..limit).contains(&now.mono_ms.saturating_sub(since))
}

fn arrived(now: Moment) -> Arrived {
    Arrived {
        wall_ms: now.wall_ms,
        mono_ms: now.mono_ms,
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use gridwalk_domain::{BootId, EntityId, Position};
    use std::path::Path;

    const BOOT: BootId = BootId::from_bytes([1; 16]);

    fn at(ms: i64) -> Moment {
        Moment {
            wall_ms: 1_763_769_600_000 + ms,
            boot: BOOT,
            mono_ms: ms,
        }
    }

    fn fix(now: Moment) -> Fix {
        Fix {
            time_ms: now.wall_ms,
            position: Position {
                lat: 35.1,
                lon: 118.35,
            },
            accuracy_m: Some(5.0),
            altitude_m: None,
            speed_mps: None,
            bearing_deg: None,
            mocked: false,
        }
    }

    fn recording(folder: &Path) -> Recorder {
        Recorder {
            run: RunId(7),
            journal: Journal::new(&crate::config::for_tests(folder.join("db"), None)),
            live: Some(Live::begun(EntityId::from_bytes([3; 16]), at(0))),
        }
    }

    /// However often a plan asks: when the next fix comes, none that is not
    /// synced is older than ten seconds; and at one a second a sync serves ten.
    #[test]
    fn a_power_cut_loses_at_most_ten_seconds() {
        for (every_ms, most_syncs) in [(1_000, 61), (5_000, 60), (20_000, 30), (300, 63)] {
            let folder = tempfile::tempdir().expect("a folder");
            let mut conn = crate::store::in_memory();
            let mut recorder = recording(folder.path());
            let (mut now, mut syncs) = (0, 0);
            // No chunk is old enough; at three a second some are full.
            while now < 590_000 {
                let before = recorder.live.as_ref().and_then(|live| live.unsynced_since);
                if let Some(since) = before {
                    assert!(
                        now - since <= SYNC_AFTER_MS,
                        "every {every_ms}: {}",
                        now - since
                    );
                }
                let fixes = [fix(at(now))];
                let done = recorder.record(&mut conn, at(now), &fixes);
                assert!(done.is_ok_and(|done| done.is_some()));
                let after = recorder.live.as_ref().and_then(|live| live.unsynced_since);
                syncs += i32::from(after.is_none());
                now += every_ms;
            }
            assert!(syncs <= most_syncs, "every {every_ms}: {syncs} syncs");
        }
    }

    #[test]
    fn what_waits_alone_is_synced_when_the_shell_asks_for_its_plan() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut conn = crate::store::in_memory();
        let mut recorder = recording(folder.path());
        for second in 0..15 {
            let now = at(second * 1000);
            recorder
                .record(&mut conn, now, &[fix(now)])
                .map(drop)
                .unwrap_or_default();
        }
        let unsynced = |r: &Recorder| r.live.as_ref().and_then(|live| live.unsynced_since);
        assert!(unsynced(&recorder).is_some());
        recorder.settle(at(16_000), 0);
        assert!(unsynced(&recorder).is_some(), "not yet");
        recorder.settle(at(40_000), 0);
        assert_eq!(unsynced(&recorder), None);
    }
}
