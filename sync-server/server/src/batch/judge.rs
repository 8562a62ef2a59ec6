//! What becomes of one op.

use gridwalk_domain::wire::Outcome;
use gridwalk_domain::{
    Author, DeviceId, Effect, Entity, EntityId, Intent, OpBody, OpId, Refusal, StreamKey, apply,
    apply_decided, kind,
};
use gridwalk_store::{OpSummary, Purged, Read, StoreError, Wait};

use super::incoming::{Incoming, reason};
use super::{Batch, Loaded};
use crate::audience;
use crate::states::States;

/// What becomes of an op, and what it waits for where it is in quarantine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) outcome: Outcome,
    pub(super) wait: Option<Wait>,
}

/// Why judging ends: it is decided, or the store failed.
pub(super) enum End {
    Not(Verdict),
    Store(StoreError),
}

impl From<StoreError> for End {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Verdict> for End {
    fn from(verdict: Verdict) -> Self {
        Self::Not(verdict)
    }
}

impl Verdict {
    pub(super) fn taken(outcome: Outcome) -> Self {
        let wait = None;
        Self { outcome, wait }
    }

    pub(super) fn quarantined(code: &str, text: &str, wait: Option<Wait>) -> Self {
        let reason = reason(code, &text);
        Self {
            outcome: Outcome::Quarantined { reason },
            wait,
        }
    }
}

impl Batch<'_> {
    /// Judges an op of a phone, or of somebody on the page, that comes now.
    pub(super) fn judge(
        &mut self,
        tx: &dyn Read,
        op: &Incoming,
        device: Option<DeviceId>,
    ) -> Result<Verdict, StoreError> {
        let stopped = match device {
            Some(device) if !self.is_purged(op) => self.check_phone(tx, device)?,
            _ => None,
        };
        match stopped {
            Some(verdict) => Ok(verdict),
            None => self.judge_again(tx, op, device),
        }
    }

    /// Judges an op that came before: how it is with the phone today is not asked.
    pub(super) fn judge_again(
        &mut self,
        tx: &dyn Read,
        op: &Incoming,
        device: Option<DeviceId>,
    ) -> Result<Verdict, StoreError> {
        match self.try_judge(tx, op, device) {
            Ok(verdict) | Err(End::Not(verdict)) => Ok(verdict),
            Err(End::Store(error)) => Err(error),
        }
    }

    fn try_judge(
        &mut self,
        tx: &dyn Read,
        op: &Incoming,
        device: Option<DeviceId>,
    ) -> Result<Verdict, End> {
        if self.is_purged(op) {
            return Ok(Verdict::taken(Outcome::Purged));
        }
        if self.is_second(op) {
            let text = "another op of this id is stored; both are kept";
            return Err(Verdict::quarantined("same_id_other_hash", text, None).into());
        }
        self.check_author(tx, op, device)?;
        self.check_lane(op)?;
        let body = readable(op)?;
        let at_ms = self.when(tx, op)?;
        if let Some(device) = device {
            self.check_scope(tx, body, device, at_ms)?;
            if let Some(person) = self
                .senders
                .worker(tx, self.tenant.id, device, &self.tree)?
            {
                self.check_rules(tx, &person, body, at_ms)?;
            }
        }
        self.apply(tx, body, at_ms, apply)
    }

    /// Takes an op because a person says so: whose it is, where, and what it
    /// builds on is not asked.
    ///
    /// # Errors
    /// The outer: the store's. The inner: the verdict that stands in the way.
    pub(super) fn take_decided(
        &mut self,
        tx: &dyn Read,
        op: &Incoming,
        body: &OpBody,
    ) -> Result<Result<Outcome, Verdict>, StoreError> {
        let at_ms = self.when(tx, op)?;
        match self.apply(tx, body, at_ms, apply_decided) {
            Ok(verdict) => Ok(Ok(verdict.outcome)),
            Err(End::Not(verdict)) => Ok(Err(verdict)),
            Err(End::Store(error)) => Err(error),
        }
    }

    /// When an op was made: by its author's phone's clocks, or the server's own.
    fn when(&mut self, tx: &dyn Read, op: &Incoming) -> Result<i64, StoreError> {
        let (tenant, now_ms, at) = (self.tenant.id, self.now_ms, &op.head.at);
        let Author::Worker { device, .. } = op.head.by else {
            return Ok(at.wall_ms);
        };
        match self.senders.get(tx, tenant, device)? {
            Some(sender) => sender.correct(tx, at, now_ms),
            None => Ok(now_ms.min(at.wall_ms)),
        }
    }

    /// Why this phone's ops are not judged at all; nothing where they are.
    fn check_phone(
        &mut self,
        tx: &dyn Read,
        device: DeviceId,
    ) -> Result<Option<Verdict>, StoreError> {
        let Some(sender) = self.senders.get(tx, self.tenant.id, device)? else {
            return Ok(None);
        };
        if sender.is_stolen() {
            let text = "the phone was reported stolen";
            return Ok(Some(Verdict::quarantined("revoked", text, None)));
        }
        if sender.too_old {
            let text = "the app is too old; upgrade it";
            let wait = Some(Wait::App(device));
            return Ok(Some(Verdict::quarantined("old_version", text, wait)));
        }
        Ok(None)
    }

    /// The op must be of the phone that sends it; one that no phone sent was made
    /// here.
    fn check_author(
        &mut self,
        tx: &dyn Read,
        op: &Incoming,
        device: Option<DeviceId>,
    ) -> Result<(), End> {
        let fits = match (device, op.head.by) {
            (None, _) => true,
            (Some(_), Author::User { .. } | Author::Server { .. }) => false,
            (Some(sent_by), Author::Worker { worker, device }) => {
                let sender = self.senders.get(tx, self.tenant.id, sent_by)?;
                device == sent_by && sender.is_some_and(|s| s.device.worker == worker)
            }
        };
        if fits && op.head.tenant == self.tenant.id {
            return Ok(());
        }
        Err(foreign().into())
    }

    /// What an op builds on must stand. A lane goes on after a refused op, but
    /// not after a refused creation.
    fn check_lane(&mut self, op: &Incoming) -> Result<(), Verdict> {
        let mut on_lane = |prev: &OpId| self.has_taken(op.head.entity, *prev);
        let prev = op.head.prev.filter(|prev| !on_lane(prev));
        let first = |id: OpId| {
            let known = self.known.get(&id).into_iter().flatten();
            let mut first = known.filter(|known| known.reissued.is_none());
            first.next()
        };
        let parks = |known: &OpSummary, lane: bool| match known.outcome {
            Outcome::Quarantined { .. } => true,
            Outcome::Rejected { .. } => !lane || known.creates,
            _ => false,
        };
        let before = prev.into_iter().map(|id| (id, true));
        let before = before.chain(op.head.needs.iter().map(|id| (*id, false)));
        for (id, lane) in before {
            match first(id) {
                None => {
                    let text = "an op that must come first is not known here";
                    return Err(Verdict::quarantined("missing", text, Some(Wait::Op(id))));
                }
                Some(known) if parks(known, lane) => {
                    let text = "it depends on an op that was refused or is in quarantine";
                    let wait = Some(Wait::Op(id));
                    return Err(Verdict::quarantined("depends_on_refused", text, wait));
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// The home stream must have been the worker's at the time of writing, or a
    /// stream of theirs lists the record.
    fn check_scope(
        &mut self,
        tx: &dyn Read,
        body: &OpBody,
        device: DeviceId,
        at_ms: i64,
    ) -> Result<(), End> {
        let home = match &body.intent {
            Intent::Create { home, .. } => Some(*home),
            _ => self.entities.get(&body.entity).and_then(Loaded::home),
        };
        let tree = std::sync::Arc::clone(&self.tree);
        let Some(sender) = self.senders.get(tx, self.tenant.id, device)? else {
            return Ok(());
        };
        let worker = sender.device.worker;
        let theirs = match home {
            // `apply` says that it is missing.
            None => true,
            // A worker of a grid that took its place, too.
            Some(StreamKey::Records(grid)) => sender
                .assignments
                .iter()
                .any(|row| row.holds_at(at_ms) && tree.is_heir(row.grid, grid)),
            Some(StreamKey::Inbox(owner)) => owner == worker,
            Some(StreamKey::Notices(_) | StreamKey::Receipts(_)) => false,
        };
        // A record that concerns them wherever it lives is in their inbox.
        let concerns = |loaded: &Loaded| loaded.is_listed_in(StreamKey::Inbox(worker));
        if !theirs && !self.entities.get(&body.entity).is_some_and(concerns) {
            let text = "the grid was not assigned to this worker then";
            let wait = Some(Wait::Assignment(worker));
            return Err(Verdict::quarantined("out_of_scope", text, wait).into());
        }
        if let Intent::Create { fields, .. } = &body.intent
            && let Some(named) = fields.get("worker")
            && named.as_str() != Some(&worker.to_string())
        {
            let text = "it would make a record of another worker";
            return Err(Verdict::quarantined("foreign_author", text, None).into());
        }
        Ok(())
    }

    fn apply(
        &mut self,
        tx: &dyn Read,
        body: &OpBody,
        at_ms: i64,
        rule: fn(&mut Option<Entity>, &OpBody, i64) -> Result<Effect, Refusal>,
    ) -> Result<Verdict, End> {
        let loaded = self.entities.entry(body.entity).or_default();
        loaded.read(&self.tools.states)?;
        let effect = rule(&mut loaded.state, body, at_ms).map_err(|refusal| {
            let wait = match refusal {
                Refusal::Missing => Some(Wait::Entity(body.entity)),
                Refusal::UnknownBase => unknown_base(loaded, body).map(Wait::Op),
                Refusal::UnknownKind => Some(Wait::Upgrade),
                _ => None,
            };
            let reason = reason(refusal.code(), &refusal);
            let outcome = match refusal {
                Refusal::Missing | Refusal::UnknownBase | Refusal::UnknownKind => {
                    Outcome::Quarantined { reason }
                }
                _ => Outcome::Rejected { reason },
            };
            Verdict { outcome, wait }
        })?;
        if effect != Effect::Repeated {
            self.strike_purged(tx, body.entity)?;
            self.publish(tx, body.entity)?;
        }
        let home = self.entities.get(&body.entity).and_then(|loaded| {
            let home = loaded.listed.first()?;
            Some((home.stream, home.seq))
        });
        let lost = || StoreError::Damaged("an entity that no stream lists".to_owned());
        let (stream, seq) = home.ok_or_else(lost)?;
        Ok(Verdict::taken(match effect {
            Effect::ConflictKept => Outcome::ConflictKept { stream, seq },
            Effect::Applied | Effect::Repeated => Outcome::Applied { stream, seq },
        }))
    }

    /// Attachments that were purged by themselves are struck from what comes
    /// later, too.
    fn strike_purged(&mut self, tx: &dyn Read, entity: EntityId) -> Result<(), StoreError> {
        let Some(state) = self
            .entities
            .get_mut(&entity)
            .and_then(|l| l.state.as_mut())
        else {
            return Ok(());
        };
        let blobs: Vec<Purged> = state.blobs().into_iter().map(Purged::Blob).collect();
        if blobs.is_empty() {
            return Ok(());
        }
        for purged in tx.purged(self.tenant.id, &blobs)? {
            if let Purged::Blob(sha256) = purged {
                self.thumbs.extend(state.thumbs_of(sha256));
                state.strike_blob(sha256);
            }
        }
        Ok(())
    }

    /// Gives a change its number in every stream that is to list the entity.
    pub(super) fn publish(&mut self, tx: &dyn Read, entity: EntityId) -> Result<(), StoreError> {
        let Some(wanted) = self.wanted(tx, entity)? else {
            return Ok(());
        };
        let Some(loaded) = self.entities.get_mut(&entity) else {
            return Ok(());
        };
        let rev = loaded.rev + 1;
        let revs = (loaded.rev, rev);
        let tenant = self.tenant.id;
        self.numbers
            .change(tx, tenant, entity, revs, &mut loaded.listed, &wanted)?;
        loaded.rev = rev;
        loaded.changed = true;
        Ok(())
    }

    /// The streams that are to list an entity, its home first; none where it does
    /// not exist.
    pub(super) fn wanted(
        &mut self,
        tx: &dyn Read,
        entity: EntityId,
    ) -> Result<Option<Vec<StreamKey>>, StoreError> {
        let Some(loaded) = self.entities.get_mut(&entity) else {
            return Ok(None);
        };
        let Some(home) = loaded.home() else {
            return Ok(None);
        };
        let mut wanted = vec![home];
        // Most grids are open, and most changes are to records that are read.
        if loaded.read(&self.tools.states).is_ok()
            && let Some(state) = &loaded.state
        {
            wanted.extend(kind::audiences(state));
            let heirs = audience::heirs(tx, self.tenant.id, &self.tree, state, home)?;
            wanted.extend(heirs);
        }
        Ok(Some(wanted))
    }
}

impl Loaded {
    /// Reads the state from its row, where that was not done yet.
    pub(super) fn read(&mut self, kept: &States) -> Result<(), Verdict> {
        if self.state.is_some() {
            return Ok(());
        }
        let Some(row) = &self.row else {
            return Ok(());
        };
        let Some(text) = &row.state else {
            return Ok(());
        };
        if let Some(state) = kept.take(row.id, text) {
            self.state = Some(state);
            return Ok(());
        }
        match serde_json::from_str(text) {
            Ok(state) => {
                self.state = Some(state);
                Ok(())
            }
            Err(_) => {
                tracing::error!(entity = %row.id, "a stored state cannot be read");
                let text = "what it changes cannot be read here";
                Err(Verdict::quarantined("unreadable_state", text, None))
            }
        }
    }
}

fn foreign() -> Verdict {
    let text = "it names another author or district than the phone that sends it";
    Verdict::quarantined("foreign_author", text, None)
}

fn readable(op: &Incoming) -> Result<&OpBody, Verdict> {
    op.body.as_ref().map_err(|code| {
        let text = "this server does not know what is asked for; an upgrade may";
        Verdict::quarantined(code, text, Some(Wait::Upgrade))
    })
}

/// The first change that an op builds on and that its entity has not seen.
fn unknown_base(loaded: &Loaded, body: &OpBody) -> Option<OpId> {
    let ops = &loaded.state.as_ref()?.ops;
    body.intent.bases().find(|base| !ops.contains(base))
}
