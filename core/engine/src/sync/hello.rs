//! Saying hello: who asks, with what clocks and what in hand; how things stand.

use gridwalk_domain::StreamKey;
use gridwalk_domain::wire::{HelloRequest, HelloResponse, PROTOCOL_VERSION, place_of};
use std::collections::BTreeMap;

use super::call::{Halt, Step};
use super::{Phase, Run};
use crate::core::{Core, begin};
use crate::error::Inner;
use crate::identity::{Contact, Me, Synced};
use crate::observe::Touched;
use crate::store::meta::{self, name};
use crate::timeline::{self, TimeLine};
use crate::{account, boots, outbox, pull, view};

/// All is pulled to its end at least this often, whatever the server says: a
/// difference of count or hash is found then.
const PULL_MS: i64 = 24 * 3_600_000;

impl Run<'_> {
    /// Says hello, and keeps what the server says of its time line, the worker,
    /// the time and the limits.
    pub(super) fn hello(&mut self) -> Step<()> {
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
        self.report.upgrade_needed = contact.upgrade_needed;
        let (me, app) = (&self.me, &self.shared.app);
        let (line, again) = self.shared.change(|core| {
            let tx = begin(&mut core.conn)?;
            let mut line = account::line(&tx, me.account)?;
            let again = line.epoch.is_some_and(|epoch| epoch != answer.epoch);
            if line.epoch != Some(answer.epoch) {
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
            meta::put(&tx, name::CONTACT, &contact)?;
            if let Some(synced) = &synced {
                meta::put(&tx, name::SCOPE, synced)?;
                touched.records = pull::follow(&tx, &synced.scope.streams)?;
            }
            tx.commit()?;
            core.contact = Some(contact);
            core.synced = synced.or(core.synced.take());
            Ok(((line, again), touched))
        })?;
        self.news = answer.news || self.is_time_to_pull(&line);
        self.line.receipt = line.receipt;
        // The new time line is to be told of the phone's starts before ops of
        // theirs come.
        if again { Err(Halt::HelloAgain) } else { Ok(()) }
    }

    fn is_time_to_pull(&self, line: &TimeLine) -> bool {
        line.pulled_ms
            .is_none_or(|at| !(0..PULL_MS).contains(&(self.server_ms() - at)))
    }

    /// The request, and the number of the last start of the system that it
    /// tells of.
    fn asking(&self, core: &mut Core) -> Inner<(HelloRequest, i64)> {
        let at = self.shared.now();
        if !boots::known(&core.conn, at)? {
            let tx = begin(&mut core.conn)?;
            boots::note(&tx, at)?;
            tx.commit()?;
        }
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
            scope_tag: core.synced.as_ref().map(|synced| synced.tag),
            place,
            boots,
            rereads: line.rereads,
        };
        Ok((request, told))
    }
}

/// Where the phone stands in an account's receipts and the streams it follows.
fn cursors(core: &Core, me: &Me) -> Inner<BTreeMap<StreamKey, gridwalk_domain::wire::Cursor>> {
    let followed = core.synced.iter().flat_map(|synced| &synced.scope.streams);
    let receipts = StreamKey::Receipts(me.device);
    let mut out = BTreeMap::new();
    for key in followed.chain([&receipts]) {
        if let Some(cursor) = pull::cursor(&core.conn, *key)? {
            out.insert(*key, cursor);
        }
    }
    Ok(out)
}
