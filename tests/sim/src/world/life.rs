//! An app's life: it opens, falls, opens again; its worker does something now
//! and then.

use gridwalk_engine::{CancelToken, Engine, EngineError, Invitation, SyncOptions, TransportError};
use std::sync::Arc;

use super::World;
use super::phone::{CallEnd, Fall, Patrol};
use crate::actions;
use crate::examine::Examined;
use crate::fiber::{Fiber, Step};
use crate::invariants::Violation;
use crate::random::Chance as _;
use crate::time::{MINUTE, SECOND};

/// A power cut may take what was recorded within ten seconds, by a monotonic
/// clock that may run a little slow.
const EXCUSED_MS: i64 = 10 * SECOND + 10;

impl World {
    /// The app opens, if it does not run.
    pub(crate) fn open(&mut self, no: usize) {
        if self.phones[no].is_open() || self.phones[no].wiped {
            return;
        }
        let config = self.phones[no].config();
        let opened = Engine::open(config);
        let phone = &mut self.phones[no];
        match opened {
            _ if phone.disk.is_dead() => {
                drop(opened);
                self.say(format_args!("p{no} opens: dies"));
                self.fall(no);
            }
            Ok(engine) => {
                phone.engine = Some(Arc::new(engine));
                phone.died_ms = None;
                phone.life += 1;
                self.opened(no);
            }
            Err(EngineError::Wiped) => self.wiped(no),
            // With a disk that is full or fails it may be tried again.
            Err(EngineError::DiskFull | EngineError::Storage { .. }) if self.busy => {
                self.say(format_args!("p{no} cannot open"));
                let ms = self.rng.about(5 * MINUTE);
                self.after(ms, move |world| world.open(no));
            }
            Err(error) => {
                let text = format!("p{no} does not open: {error}");
                self.breaks(Violation::new(
                    "every data file opens after every fall",
                    text,
                ));
            }
        }
    }

    /// What a shell looks at when the app has opened.
    fn opened(&mut self, no: usize) {
        // It may have died over the answer that sent it away.
        self.notice_departure(no);
        self.look(no);
        if self.broken.is_some() {
            return;
        }
        let status = self.call(no, "opens", Engine::status);
        let Some(super::Called::Done(status)) = status else {
            return;
        };
        if status.identity.is_some() && !self.phones[no].enrolled {
            self.send_away(self.phones[no].worker, Some(no));
        }
        let phone = &mut self.phones[no];
        phone.enrolled = status.identity.is_some();
        let grid = |id| self.district.grid(id);
        phone.shift = status
            .shift
            .and_then(|shift| Some((shift.id, grid(shift.grid.id)?)));
        phone.patrol = status.patrol.map(|patrol| Patrol {
            id: patrol.id,
            paused: patrol.paused,
        });
        if phone.patrol.is_some() {
            self.walk_on(no);
        }
        self.plan_act(no);
    }

    /// Shows what is on a phone's disk to the invariants.
    pub(crate) fn look(&mut self, no: usize) {
        match Examined::of(&self.phones[no].disk) {
            Ok(mut found) => {
                if !self.phones[no].cloned {
                    found.none_is_stranded();
                }
                self.show(|invariant, world| invariant.phone(world, no, &found));
            }
            Err(error) => {
                let text = format!("p{no} cannot be read: {error}");
                self.breaks(Violation::new("every data file can be read", text));
            }
        }
    }

    /// Plans what the worker does next.
    fn plan_act(&mut self, no: usize) {
        let (ms, life) = (self.rng.about(self.pace_ms), self.phones[no].life);
        self.after(ms, move |world| {
            if world.busy && world.phones[no].life == life && world.phones[no].is_open() {
                actions::act(world, no);
                if world.phones[no].life == life {
                    world.plan_act(no);
                }
            }
        });
    }

    /// The app dies now.
    pub(crate) fn strike_down(&mut self, no: usize, fall: Fall) {
        let phone = &mut self.phones[no];
        phone.fall = fall;
        phone.disk.die();
        self.fall(no);
    }

    /// What comes of a death: the call ends, the disk is as the fall left it, and
    /// after a while the app opens again.
    pub(crate) fn fall(&mut self, no: usize) {
        let now_ms = self.now_ms();
        let phone = &mut self.phones[no];
        if let Some(mut call) = phone.call.take() {
            // The dead process hears nothing more and writes nothing more.
            loop {
                let gone = TransportError::Unreachable {
                    message: "dead".to_owned(),
                };
                match call.resume(Err(gone)) {
                    (same, Step::Asks(_)) => call = same,
                    (_, Step::Ended(_)) => break,
                }
            }
        }
        phone.engine = None;
        phone.life += 1;
        phone.asked += 1;
        // A power cut some time after the app's death takes what the app had no
        // time to sync.
        let died_ms = *phone.died_ms.get_or_insert(now_ms);
        let fall = std::mem::replace(&mut phone.fall, Fall::Kill);
        match fall {
            Fall::Kill => phone.disk.revive(),
            Fall::PowerCut => {
                phone.disk.power_cut();
                phone.boot();
                self.ledger.excuse_since(no, died_ms - EXCUSED_MS);
            }
        }
        self.say(format_args!("p{no} fell: {fall:?}"));
        if self.busy && self.rng.happens(0.3) {
            // Once more, while it recovers or soon after.
            let fall = self.some_fall();
            self.fall_soon(no, 12, fall);
        }
        let ms = self.rng.about(3 * MINUTE);
        self.after(ms, move |world| world.open(no));
    }

    /// The phone will fall at one of so many steps on its disk from now on, or at
    /// one of the syncs among them.
    pub(crate) fn fall_soon(&mut self, no: usize, within: u64, fall: Fall) {
        const STEPS_A_SYNC: u64 = 8;
        let (disk, rng) = (&self.phones[no].disk, &mut self.rng);
        let what = if rng.bool() {
            let step = disk.steps() + rng.u64(0..within);
            disk.die_at(step);
            format!("step {step}")
        } else {
            let after = rng.u64(0..=within / STEPS_A_SYNC);
            disk.die_at_sync(after);
            format!("a sync after {after} others")
        };
        self.phones[no].fall = fall;
        self.say(format_args!("p{no} will fall at {what}: {fall:?}"));
    }

    /// One fall or the other.
    pub(crate) fn some_fall(&mut self) -> Fall {
        if self.rng.bool() {
            Fall::Kill
        } else {
            Fall::PowerCut
        }
    }

    /// The phone becomes its worker's.
    pub(crate) fn enrol(&mut self, no: usize) {
        let invitation = format!(
            "gridwalk://enrol?server=https%3A%2F%2Fdistrict&code={}",
            self.phones[no].code
        );
        let Ok(invitation) = Invitation::parse(&invitation, None) else {
            return;
        };
        self.begin(no, "enrols", move |engine, line| {
            CallEnd::Enrolled(engine.enrol(line, &invitation))
        });
    }

    /// A sync begins, if none runs.
    pub(crate) fn sync(&mut self, no: usize) {
        let cancel = CancelToken::new();
        if self.phones[no].call.is_none() {
            self.phones[no].cancel = cancel.clone();
        }
        let options = SyncOptions {
            cancel,
            ..SyncOptions::default()
        };
        self.begin(no, "syncs", |engine, line| {
            CallEnd::Synced(engine.sync(line, options))
        });
    }

    fn begin(
        &mut self,
        no: usize,
        what: &str,
        work: impl FnOnce(&Engine, &dyn gridwalk_engine::Transport) -> CallEnd + Send + 'static,
    ) {
        let phone = &mut self.phones[no];
        let (Some(engine), None) = (phone.engine.clone(), &phone.call) else {
            return;
        };
        phone.synced = None;
        self.say(format_args!("p{no} {what}"));
        let (call, step) = Fiber::start(move |line| work(&engine, line));
        self.drive(no, call, step);
    }

    /// Goes on with a call up to its next request.
    pub(crate) fn resume(&mut self, no: usize, answer: crate::fiber::Answer) {
        if let Some(call) = self.phones[no].call.take() {
            let (call, step) = call.resume(answer);
            self.drive(no, call, step);
        }
    }

    fn drive(&mut self, no: usize, call: Fiber<CallEnd>, step: Step<CallEnd>) {
        let dead = self.phones[no].disk.is_dead();
        match step {
            Step::Asks(request) => {
                self.phones[no].call = Some(call);
                if !dead {
                    self.send(no, request);
                }
            }
            Step::Ended(end) if !dead => self.call_ended(no, end),
            Step::Ended(_) => {}
        }
        if dead {
            self.say(format_args!("p{no} dies on the line"));
            self.fall(no);
        }
    }

    /// The supervisor gives the phone's worker another code.
    fn renew_code(&mut self, no: usize) {
        if let Ok(code) = self.new_code(self.phones[no].worker) {
            self.phones[no].code = code;
        }
    }

    /// Nothing is left on this phone, and nobody uses it any more.
    fn wiped(&mut self, no: usize) {
        self.say(format_args!("p{no} is wiped"));
        let phone = &mut self.phones[no];
        phone.wiped = true;
        phone.enrolled = false;
        phone.engine = None;
        phone.life += 1;
        phone.shift = None;
        phone.patrol = None;
    }

    /// The server lets a worker's phones, but for one, only send from now on.
    pub(crate) fn send_away(&mut self, worker: usize, but: Option<usize>) {
        for phone in self
            .phones
            .iter_mut()
            .filter(|phone| phone.worker == worker)
        {
            phone.to_leave = Some(phone.no) != but;
        }
    }

    /// Whether the server let this phone only send from now on.
    fn notice_departure(&mut self, no: usize) {
        let phone = &self.phones[no];
        let status = phone
            .engine
            .as_ref()
            .and_then(|engine| engine.status().ok());
        if !phone.enrolled || status.is_none_or(|status| status.identity.is_some()) {
            return;
        }
        self.say(format_args!("p{no} may only send"));
        let phone = &mut self.phones[no];
        phone.left = true;
        phone.enrolled = false;
        phone.shift = None;
        phone.patrol = None;
        self.renew_code(no);
    }

    /// The server does not know the phone's token. It forgets none, however far
    /// it goes back; but of a phone that was cloned each is enrolled again under
    /// the same name, and voids what the others have.
    fn signed_out(&mut self, no: usize) {
        if !self.phones[no].cloned {
            let name = "a phone that was enrolled is known for ever";
            let text = format!("p{no} is signed out");
            return self.breaks(Violation::new(name, text));
        }
        self.phones[no].enrolled = false;
        self.renew_code(no);
    }

    fn call_ended(&mut self, no: usize, end: CallEnd) {
        match end {
            CallEnd::Enrolled(Ok(_)) => {
                self.phones[no].enrolled = true;
                self.send_away(self.phones[no].worker, Some(no));
                self.say(format_args!("p{no} is enrolled"));
            }
            CallEnd::Enrolled(Err(error)) => {
                self.say(format_args!("p{no} is not enrolled: {}", error.code()));
                if matches!(error, EngineError::EnrolRefused { .. }) {
                    self.renew_code(no);
                }
            }
            CallEnd::Synced(result) => {
                match &result {
                    Ok(report) => self.say(format_args!(
                        "p{no} synced: {} ops, {} refused, {} deferred, {} chunks, {} blobs, {} pulled",
                        report.ops_sent,
                        report.refused,
                        report.deferred,
                        report.chunks_sent,
                        report.blobs_sent,
                        report.entities_pulled,
                    )),
                    Err(error) => self.say(format_args!("p{no} did not sync: {}", error.code())),
                }
                match &result {
                    Err(EngineError::Wiped) => self.wiped(no),
                    _ => self.notice_departure(no),
                }
                if result == Err(EngineError::SignedOut) {
                    self.signed_out(no);
                }
                self.phones[no].synced = Some(result);
            }
        }
    }
}
