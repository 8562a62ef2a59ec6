//! From the storm to the calm: faults end, workers go home, phones sync, and
//! then everything must be where it belongs.

use super::World;
use super::phone::Patrol;
use super::setup::NEWER;
use gridwalk_engine::EngineError;

use crate::invariants::{At, Violation};
use crate::random::Chance as _;
use crate::server::view::View;
use crate::time::{DAY, HOUR, MINUTE, SECOND};

/// How often each phone syncs in the calm. What a clone sends for its twin, whose
/// line refuses it, is heard of by one sync; what needs it goes with the next and
/// is seen by all with the one after.
const ROUNDS: usize = 6;
/// The round after which the clock strikes: days have passed, and phones have time
/// to hear of it.
const STRIKES_AFTER: usize = 1;
/// On a good line, with small requests and pages.
const LONGEST_SYNC_MS: i64 = 10 * MINUTE;

impl World {
    /// The fault phase, then the calm; what does not hold is in `broken`.
    pub fn run(&mut self) {
        let storm_ms = HOUR + self.rng.about(HOUR).min(3 * HOUR);
        self.run_until(self.now_ms() + storm_ms);
        self.mend();
        self.end();
    }

    /// What must hold once nothing goes wrong any more.
    pub(crate) fn end(&mut self) {
        self.evening();
        self.calm();
        self.show(|invariant, world| invariant.at(world, At::End));
    }

    /// No fault strikes any more; what was broken is whole again.
    fn mend(&mut self) {
        self.say(format_args!("the storm is over"));
        self.busy = false;
        self.server.mend();
        crate::faults::finish_purges(self);
        // It may have died over what the operator did, where no request came since.
        if self.server.is_dead()
            && let Err(error) = self.server.crash()
        {
            let name = "the server starts after every crash";
            self.breaks(Violation::new(name, error.to_string()));
        }
        for no in 0..self.phones.len() {
            self.phones[no].link.mend();
            self.phones[no].speaks = NEWER;
            self.phones[no].disk.mend();
        }
        // What is on its way arrives, who fell gets up.
        self.run_until(self.now_ms() + HOUR);
        for no in 0..self.phones.len() {
            self.open(no);
        }
    }

    /// Workers finish what they are at: the last writes.
    fn evening(&mut self) {
        for no in 0..self.phones.len() {
            if self.broken.is_some() {
                return;
            }
            if !self.phones[no].enrolled && !self.phones[no].left {
                self.enrol(no);
                self.run_until(self.now_ms() + MINUTE);
            }
            if let Some(Patrol { id, .. }) = self.phones[no].patrol {
                crate::actions::duty::finish(self, no, id);
            }
            if let Some((id, _)) = self.phones[no].shift {
                crate::actions::duty::end_shift(self, no, id);
            }
        }
    }

    /// Time passes until a phone's call has ended.
    fn hear(&mut self, no: usize) {
        let end_ms = self.now_ms() + LONGEST_SYNC_MS;
        while self.phones[no].call.is_some() && self.now_ms() < end_ms && self.broken.is_none() {
            self.run_until(self.now_ms() + SECOND);
        }
    }

    /// Every phone syncs, several times; nobody writes but the clock.
    fn calm(&mut self) {
        for round in 0..ROUNDS {
            for no in 0..self.phones.len() {
                self.sync(no);
                self.hear(no);
                if matches!(self.phones[no].synced, Some(Err(EngineError::SignedOut))) {
                    // Its clone was enrolled again.
                    self.enrol(no);
                    self.hear(no);
                    self.sync(no);
                    self.hear(no);
                }
                if self.broken.is_some() {
                    return;
                }
                let phone = &self.phones[no];
                let sends_only =
                    phone.left && matches!(phone.synced, Some(Err(EngineError::NotEnrolled)));
                if (phone.enrolled || phone.left && !phone.wiped && !sends_only)
                    && !matches!(phone.synced, Some(Ok(_)))
                {
                    let text = match &phone.synced {
                        Some(Err(error)) => format!("p{no} in round {round}: {error}"),
                        _ => format!("p{no} in round {round}: it does not end"),
                    };
                    self.breaks(Violation::new("in the calm every sync succeeds", text));
                    return;
                }
            }
            self.round = Some(round);
            for no in 0..self.phones.len() {
                if self.phones[no].link.poison.is_some() && !self.phones[no].wiped {
                    self.look(no);
                }
            }
            self.show(|invariant, world| invariant.at(world, At::Round(round)));
            // What is tried again daily is due by the last rounds, and those who
            // left a phone ask once an hour.
            let rest_ms = match round {
                0 => MINUTE,
                1 => 2 * DAY,
                _ => HOUR + MINUTE,
            };
            self.run_until(self.now_ms() + rest_ms);
            if round == STRIKES_AFTER {
                self.strike_in_the_calm();
            }
        }
        for grid in &self.district.grids {
            match View::of(&self.server, grid.tenant) {
                Ok(view) => self.views.insert(grid.tenant, view),
                Err(error) => {
                    let text = error.to_string();
                    let name = "the server's data can be read";
                    return self.breaks(Violation::new(name, text));
                }
            };
        }
        for no in 0..self.phones.len() {
            if !self.phones[no].wiped {
                self.look(no);
            }
        }
    }
}
