//! Saying hello: who asks, with what clocks and what in hand; how things stand.

use gridwalk_domain::StreamKey;
use gridwalk_domain::wire::{HelloRequest, HelloResponse, PROTOCOL_VERSION, Standing, place_of};
use std::collections::BTreeMap;

use super::call::{Halt, Step};
use super::{Phase, Run};
use crate::account::Leaving;
use crate::core::{Core, begin};
use crate::error::{EngineError, Inner};
use crate::identity::{Contact, Me, Synced};
use crate::observe::Touched;
use crate::store::meta::{self, name};
use crate::timeline::{self, TimeLine};
use crate::{account, boots, outbox, pull, view, wipe};

/// All is pulled to its end at least this often, whatever the server says: a
/// difference of count or hash is found then.
const PULL_MS: i64 = 24 * 3_600_000;

/// What comes after a hello.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum After {
    /// Sending and pulling.
    Go,
    /// Nothing: whoever used the phone has left it, by the server's word.
    Left,
}

impl Run<'_> {
    /// Says hello, and keeps what the server says of its time line, the worker,
    /// the time and the limits.
    pub(super) fn hello(&mut self) -> Step<After> {
        self.tell(Phase::Hello);
        let (request, told) = self.shared.with(|core| self.asking(core))?;
        self.line.receipt = None;
        let answer: HelloResponse = self.line.post("/v1/hello", &request)?;
        let now = self.shared.now();
        // The server read its clock somewhere between; the middle is the best
        // guess.
        let middle = request.at.wall_ms + (now.mono_ms - request.at.mono_ms).max(0) / 2;
        let contact = Contact {
            at_ms: now.wall_ms,
            skew_ms: answer.server_ms - middle,
            upgrade_needed: answer.min_v > PROTOCOL_VERSION,
        };
        self.server = (answer.server_ms, now.mono_ms);
        self.limits = answer.limits;
        self.epoch = answer.epoch;
        self.too_old = contact.upgrade_needed;
        self.report.upgrade_needed |= self.too_old;
        self.standing = answer.standing;
        let misfit = std::mem::take(&mut self.misfit);
        let (me, app) = (&self.me, &self.shared.app);
        let (line, again) = self.shared.change(|core| {
            self.still_there(core)?;
            let tx = begin(&mut core.conn)?;
            let mut line = account::line(&tx, me.account)?;
            let begins = misfit || line.epoch != Some(answer.epoch);
            let again = begins && line.epoch.is_some();
            if begins {
                timeline::begin(&tx, me, &mut line, answer.epoch, answer.watermark)?;
            }
            line.watermark = answer.watermark;
            line.rereads = line.rereads.saturating_sub(request.rereads);
            line.signed_out = false;
            if !again {
                line.boots_told = told;
            }
            // What one version refuses another may take.
            let met = Some((answer.server.clone(), app.clone()));
            if line.met != met {
                outbox::unpark(&tx, me.account)?;
                line.met = met;
            }
            account::keep_line(&tx, me.account, &line)?;
            let mut touched = Touched::status();
            let synced = answer.scope.map(|scope| Synced {
                tag: answer.scope_tag,
                scope,
            });
            if me.is_present() {
                meta::put(&tx, name::CONTACT, &contact)?;
                if let Some(synced) = &synced {
                    meta::put(&tx, name::SCOPE, synced)?;
                    touched.records = pull::follow(&tx, &synced.scope.streams)?;
                }
            }
            tx.commit()?;
            if me.is_present() {
                core.contact = Some(contact);
                core.synced = synced.or(core.synced.take());
            }
            Ok(((line, again), touched))
        })?;
        if self.stand()? == After::Left {
            return Ok(After::Left);
        }
        self.news = answer.news || self.is_time_to_pull(&line);
        self.line.receipt = line.receipt;
        // The new time line is to be told of the phone's starts before ops of
        // theirs come.
        if again {
            Err(Halt::HelloAgain)
        } else {
            Ok(After::Go)
        }
    }

    /// Does what the server says of the phone's standing.
    fn stand(&mut self) -> Step<After> {
        if !self.me.is_present() {
            return Ok(After::Go);
        }
        match self.standing {
            Standing::Active => Ok(After::Go),
            Standing::SendOnly => {
                self.report.left = Some(Leaving::Replaced);
                self.shared.change(|core| {
                    core.leave(self.shared, Leaving::Replaced)?;
                    Ok(((), Touched::all()))
                })?;
                Ok(After::Left)
            }
            // Written down before anything else is done: a kill saves nothing.
            Standing::Wipe => {
                self.wipe = true;
                let (disk, path) = (&*self.shared.disk, &self.shared.path);
                wipe::order(disk, path).map_err(EngineError::from)?;
                Ok(After::Go)
            }
        }
    }

    fn is_time_to_pull(&self, line: &TimeLine) -> bool {
        line.pulled_ms
            .is_none_or(|at| !(0..PULL_MS).contains(&(self.server_ms() - at)))
    }

    /// The request, and the number of the last start of the system that it
    /// tells of.
    fn asking(&self, core: &mut Core) -> Inner<(HelloRequest, i64)> {
        let at = self.shared.now();
        core.note_boot(at)?;
        let line = account::line(&core.conn, self.me.account)?;
        let (boots, told) = boots::untold(&core.conn, line.boots_told)?;
        let place = match line.pulled_ms {
            None => None,
            Some(_) => Some(place_of(&cursors(core, &self.me)?)),
        };
        let request = HelloRequest {
            v: PROTOCOL_VERSION,
            app: self.shared.app.clone(),
            at,
            unsent: view::unsent(&core.conn, self.me.account)?,
            scope_tag: core
                .synced
                .as_ref()
                .map(|synced| synced.tag)
                .filter(|_| self.me.is_present()),
            place,
            boots,
            rereads: line.rereads,
        };
        Ok((request, told))
    }
}

/// The streams that an account follows: none once it is leaving.
pub(super) fn followed<'a>(core: &'a Core, me: &Me) -> impl Iterator<Item = &'a StreamKey> {
    let synced = core.synced.iter().filter(|_| me.is_present());
    synced.flat_map(|synced| &synced.scope.streams)
}

/// Where the phone stands in an account's receipts and the streams it follows.
fn cursors(core: &Core, me: &Me) -> Inner<BTreeMap<StreamKey, gridwalk_domain::wire::Cursor>> {
    let followed = followed(core, me);
    let receipts = StreamKey::Receipts(me.device);
    let mut out = BTreeMap::new();
    for key in followed.chain([&receipts]) {
        if let Some(cursor) = pull::cursor(&core.conn, *key)? {
            out.insert(*key, cursor);
        }
    }
    Ok(out)
}
