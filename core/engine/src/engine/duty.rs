//! Shifts and patrols.

use gridwalk_domain::{
    Change, Entity, EntityId, Fix, GridId, Intent, Mark, MarkKind, OpId, StreamKey, kind,
};
use rusqlite::Transaction;
use serde_json::{Map, Value, json};

use super::Engine;
use crate::core::{Core, begin, pen};
use crate::error::{EngineError, Fault, Inner, Result};
use crate::identity::{RunningPatrol, RunningShift, choose_grid};
use crate::observe::Touched;
use crate::outbox::{self, Pen};
use crate::recorder::{Live, Recorded, Recorder};
use crate::store::meta::{self, name};
use crate::{GridRef, entities};

/// What a patrol came to.
#[derive(Clone, Debug, PartialEq)]
pub struct PatrolSummary {
    /// The patrol.
    pub patrol: EntityId,
    /// When it began, in milliseconds since 1970.
    pub started_ms: i64,
    /// When it ended.
    pub ended_ms: i64,
    /// Metres walked.
    pub distance_m: f64,
    /// Seconds in motion.
    pub moving_s: i64,
    /// Fixes recorded.
    pub fixes: u64,
    /// Fixes that the route uses.
    pub used: u64,
    /// Stretches of which nothing is known.
    pub gaps: u64,
    /// Seconds of them.
    pub gap_s: i64,
    /// Stops.
    pub stops: u64,
}

impl Engine {
    /// Begins a shift in a grid of the worker's; without one, in the only one.
    ///
    /// # Errors
    /// `NotEnrolled`, `ShiftRunning`, `ChooseGrid`, `UnknownGrid`, `OutOfScope`.
    pub fn start_shift(&self, grid: Option<GridId>) -> Result<EntityId> {
        self.shared.change(|core| {
            let pen = pen(
                core.me.as_ref(),
                core.synced.as_ref(),
                &self.shared,
                self.shared.now(),
            )?;
            if core.shift()?.is_some() {
                return Err(EngineError::ShiftRunning.into());
            }
            let grid = choose_grid(core.synced.as_ref(), grid)?;
            let id = EntityId::draw(&*self.shared.rng);
            let fields = [
                ("worker".to_owned(), json!(pen.me.worker.id)),
                ("grid".to_owned(), json!(grid.id)),
            ];
            let home = StreamKey::Records(grid.id);
            let running = RunningShift {
                id,
                grid: GridRef::from(&grid),
            };
            let tx = begin(&mut core.conn)?;
            pen.write(
                &tx,
                id,
                kind::shift::KIND.name,
                vec![],
                Intent::Create {
                    home,
                    fields: fields.into(),
                },
            )?;
            meta::put(&tx, name::SHIFT, &running)?;
            tx.commit()?;
            Ok((id, Touched::records([id])))
        })
    }

    /// Ends the shift.
    ///
    /// # Errors
    /// `NoShift`; `PatrolRunning`: finish the patrol first.
    pub fn end_shift(&self) -> Result<()> {
        self.shared.change(|core| {
            let pen = pen(
                core.me.as_ref(),
                core.synced.as_ref(),
                &self.shared,
                self.shared.now(),
            )?;
            if core.recorder.live.is_some() {
                return Err(EngineError::PatrolRunning.into());
            }
            let (_, shift) = core.shift()?.ok_or(EngineError::NoShift)?;
            let tx = begin(&mut core.conn)?;
            end(&tx, &pen, &shift)?;
            tx.commit()?;
            Ok(((), Touched::records([shift.id])))
        })
    }

    /// Starts a patrol in the grid of the shift.
    ///
    /// # Errors
    /// `NoShift`, `PatrolRunning`, `OutOfScope`.
    pub fn start_patrol(&self) -> Result<EntityId> {
        self.shared.change(|core| {
            let now = self.shared.now();
            let pen = pen(core.me.as_ref(), core.synced.as_ref(), &self.shared, now)?;
            if core.recorder.live.is_some() {
                return Err(EngineError::PatrolRunning.into());
            }
            let (running, _) = core.shift()?.ok_or(EngineError::NoShift)?;
            let grid = choose_grid(core.synced.as_ref(), Some(running.grid.id))?.id;
            let id = EntityId::draw(&*self.shared.rng);
            let fields = [
                ("worker".to_owned(), json!(pen.me.worker.id)),
                ("grid".to_owned(), json!(grid)),
                ("shift".to_owned(), json!(running.id)),
            ];
            let home = StreamKey::Records(grid);
            let tx = begin(&mut core.conn)?;
            let needs = outbox::first(&tx, pen.me.account, running.id)?
                .into_iter()
                .collect();
            pen.write(
                &tx,
                id,
                kind::patrol::KIND.name,
                needs,
                Intent::Create {
                    home,
                    fields: fields.into(),
                },
            )?;
            meta::put(&tx, name::PATROL, &RunningPatrol { id, boot: now.boot })?;
            tx.commit()?;
            core.recorder.live = Some(Live::begun(id, now));
            Ok((id, Touched::records([id])))
        })
    }

    /// Records fixes of the running patrol, as the sensor gave them and in any
    /// number. When it returns, a kill of the app loses none of them; a power
    /// cut loses at most those of ten seconds.
    ///
    /// # Errors
    /// `NoShift`, `NoPatrol`, `PatrolPaused`, `DiskFull`, `Storage`: none of
    /// this call's fixes was recorded.
    pub fn record(&self, fixes: &[Fix]) -> Result<Recorded> {
        let now = self.shared.now();
        self.shared.change(|core| {
            let live = running(core)?;
            if live.paused {
                return Err(EngineError::PatrolPaused.into());
            }
            // By the fixes' clock, so that it lies in the silence it explains.
            let opened = live.opened.zip(live.first_used(now, fixes));
            let opened = opened.map(|(mark, at_ms)| Mark { at_ms, ..mark });
            let id = live.id;
            let mut touched = Touched::status();
            if opened.is_some() {
                touched.records.insert(id);
                let pen = pen(core.me.as_ref(), core.synced.as_ref(), &self.shared, now)?;
                let marked = begin(&mut core.conn).and_then(|tx| {
                    mark_opened(&tx, &pen, id, opened)?;
                    tx.commit()?;
                    Ok(())
                });
                if let Err(fault) = marked {
                    // What earlier calls acknowledged is due all the same.
                    core.recorder.keep_up(&mut core.conn, now);
                    return Err(fault);
                }
                running(core)?.opened = None;
            }
            let recorded = core.recorder.record(&mut core.conn, now, fixes)?;
            Ok((recorded.ok_or(EngineError::NoPatrol)?, touched))
        })
    }

    /// Notes what bears on the route: `Lost` and `Found`, `Asked`.
    ///
    /// # Errors
    /// `NoShift`, `NoPatrol`; `Invalid` for a mark that the engine makes itself.
    pub fn mark(&self, mark: MarkKind) -> Result<()> {
        if !matches!(
            mark,
            MarkKind::Lost { .. } | MarkKind::Found | MarkKind::Asked { .. }
        ) {
            let why = "expected lost, found or asked".to_owned();
            return Err(EngineError::Invalid {
                field: "mark".to_owned(),
                why,
            });
        }
        let save = |tx: &Transaction<'_>, pen: &Pen<'_>, live: &Live| {
            append_mark(
                tx,
                pen,
                live.id,
                Mark {
                    at_ms: live.fix_ms(pen.at),
                    kind: mark,
                },
            )?;
            Ok(())
        };
        self.on_patrol(save, |_| {})
    }

    /// Pauses the patrol: until it is resumed nothing is recorded.
    ///
    /// # Errors
    /// `NoShift`, `NoPatrol`, `PatrolPaused`.
    pub fn pause_patrol(&self) -> Result<()> {
        let save = |tx: &Transaction<'_>, pen: &Pen<'_>, live: &Live| {
            if live.paused {
                return Err(EngineError::PatrolPaused.into());
            }
            move_to(tx, pen, live, kind::patrol::PAUSED)
        };
        self.on_patrol(save, |recorder| {
            if let Some(live) = &mut recorder.live {
                live.paused = true;
                live.break_off();
            }
        })
    }

    /// Goes on with a paused patrol.
    ///
    /// # Errors
    /// `NoShift`, `NoPatrol`, `PatrolNotPaused`.
    pub fn resume_patrol(&self) -> Result<()> {
        let save = |tx: &Transaction<'_>, pen: &Pen<'_>, live: &Live| {
            if !live.paused {
                return Err(EngineError::PatrolNotPaused.into());
            }
            move_to(tx, pen, live, kind::patrol::ACTIVE)
        };
        self.on_patrol(save, |recorder| {
            if let Some(live) = &mut recorder.live {
                live.paused = false;
            }
        })
    }

    /// Finishes the patrol and sums it up, also where it was finished elsewhere
    /// meanwhile.
    ///
    /// # Errors
    /// `NoShift`, `NoPatrol`.
    pub fn finish_patrol(&self) -> Result<PatrolSummary> {
        self.on_patrol(finish, |recorder| recorder.live = None)
    }

    /// One transaction on the running patrol; what is unsealed is sealed along
    /// with it. `after` runs once it is committed.
    fn on_patrol<T>(
        &self,
        save: impl FnOnce(&Transaction<'_>, &Pen<'_>, &Live) -> Inner<T>,
        after: impl FnOnce(&mut Recorder),
    ) -> Result<T> {
        let now = self.shared.now();
        self.shared.change(|core| {
            let id = running(core)?.id;
            let pen = pen(core.me.as_ref(), core.synced.as_ref(), &self.shared, now)?;
            let tx = begin(&mut core.conn)?;
            let live = core.recorder.live.as_ref().ok_or(EngineError::NoPatrol)?;
            mark_opened(&tx, &pen, id, live.opened)?;
            core.recorder.seal(&tx, now)?;
            let out = save(&tx, &pen, live)?;
            tx.commit()?;
            core.recorder.sealed();
            if let Some(live) = &mut core.recorder.live {
                live.opened = None;
            }
            after(&mut core.recorder);
            Ok((out, Touched::records([id])))
        })
    }
}

/// Finishes the running patrol and sums it up, also where it was finished
/// elsewhere meanwhile.
pub(crate) fn finish(tx: &Transaction<'_>, pen: &Pen<'_>, live: &Live) -> Inner<PatrolSummary> {
    let before = entities::load(tx, pen.me.account, live.id)?.ok_or(EngineError::NotFound)?;
    if before.status() != Some(kind::patrol::FINISHED) {
        move_to(tx, pen, live, kind::patrol::FINISHED)?;
    }
    let patrol = entities::load(tx, pen.me.account, live.id)?.ok_or(EngineError::NotFound)?;
    let route = live.route(&patrol);
    let sums = [
        // A tenth of a metre is more than is known.
        (
            "distance_m",
            json!((route.distance_m * 10.0).round() / 10.0),
        ),
        ("moving_s", json!(route.moving_ms / 1000)),
        ("fixes", json!(live.total)),
    ];
    let sums = sums.into_iter().map(|(field, value)| {
        let base = patrol.base(field);
        (field.to_owned(), Change { value, base })
    });
    pen.write(
        tx,
        live.id,
        kind::patrol::KIND.name,
        vec![],
        Intent::Set(sums.collect()),
    )?;
    meta::remove(tx, name::PATROL)?;
    Ok(PatrolSummary {
        patrol: live.id,
        started_ms: patrol.created.at_ms,
        ended_ms: pen.at.wall_ms,
        distance_m: route.distance_m,
        moving_s: route.moving_ms / 1000,
        fixes: live.total,
        used: route.used as u64,
        gaps: route.gaps.len() as u64,
        gap_s: route.gap_ms() / 1000,
        stops: route.stops.len() as u64,
    })
}

/// Ends the running shift.
pub(crate) fn end(tx: &Transaction<'_>, pen: &Pen<'_>, shift: &Entity) -> Inner<()> {
    let ended = step(shift, kind::shift::ENDED)?;
    pen.write(tx, shift.id, kind::shift::KIND.name, vec![], ended)?;
    meta::remove(tx, name::SHIFT)
}

/// The running patrol, else why there is none.
fn running(core: &mut Core) -> Inner<&mut Live> {
    if core.recorder.live.is_none() {
        let shift = core.shift()?;
        return Err(if shift.is_some() {
            EngineError::NoPatrol
        } else {
            EngineError::NoShift
        }
        .into());
    }
    core.recorder
        .live
        .as_mut()
        .ok_or(Fault::Said(EngineError::NoPatrol))
}

fn mark_opened(
    tx: &Transaction<'_>,
    pen: &Pen<'_>,
    id: EntityId,
    opened: Option<Mark>,
) -> Inner<()> {
    if let Some(mark) = opened {
        append_mark(tx, pen, id, mark)?;
        meta::put(
            tx,
            name::PATROL,
            &RunningPatrol {
                id,
                boot: pen.at.boot,
            },
        )?;
    }
    Ok(())
}

fn append_mark(tx: &Transaction<'_>, pen: &Pen<'_>, patrol: EntityId, mark: Mark) -> Inner<OpId> {
    let value = serde_json::to_value(mark).map_err(|_| Fault::Row("a mark"))?;
    let list = kind::patrol::MARKS.to_owned();
    pen.write(
        tx,
        patrol,
        kind::patrol::KIND.name,
        vec![],
        Intent::Append { list, value },
    )
}

fn move_to(tx: &Transaction<'_>, pen: &Pen<'_>, live: &Live, to: &str) -> Inner<()> {
    let entity = entities::load(tx, pen.me.account, live.id)?.ok_or(EngineError::NotFound)?;
    let mut step = step(&entity, to)?;
    if let Intent::Transition { with, .. } = &mut step {
        let fix_ms = json!(live.fix_ms(pen.at));
        with.insert(kind::patrol::FIX_MS.to_owned(), fix_ms);
    }
    pen.write(tx, live.id, kind::patrol::KIND.name, vec![], step)?;
    Ok(())
}

/// The next step of a status, from what this phone shows.
fn step(entity: &Entity, to: &str) -> Inner<Intent> {
    let last = entity
        .history
        .last()
        .ok_or(Fault::Row("a record's history"))?;
    Ok(Intent::Transition {
        from: last.to.clone(),
        to: to.to_owned(),
        base: last.stamp.op,
        reason: None,
        with: Map::<String, Value>::new(),
    })
}
