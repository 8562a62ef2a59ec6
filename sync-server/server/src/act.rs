//! What people on the page do: ops of theirs, through the same batch as phones'.
//!
//! Committed first, then written into the journal, then answered. An op of a
//! phone that the database loses is sent again by the phone; one of these is in
//! the journal.

use gridwalk_domain::wire::Outcome;
use gridwalk_domain::{
    Author, EntityId, Intent, Moment, OP_VERSION, OpBody, OpId, Rng, SealedOp, ServerPart,
    TenantId, UserId,
};
use gridwalk_store::{Read, StoreError, Write};

use crate::batch::{Batch, Incoming};
use crate::error::{Error, Fault};
use crate::keep::{Book, Entry, append};
use crate::rights::may_act;
use crate::service::{Service, Tools};

/// Something that somebody on the page does to a record.
#[derive(Clone, Debug, PartialEq)]
pub struct Act {
    /// The op, drawn by whoever asks: the same one again is the same act.
    pub op: OpId,
    /// The record.
    pub entity: EntityId,
    /// What it is; needed where it is to be made.
    pub kind: Option<String>,
    /// What is asked for, with its bases: what the author saw.
    pub intent: Intent,
}

impl Act {
    /// The op that it is, made now by whoever does it.
    pub(crate) fn op(
        &self,
        tenant: TenantId,
        kind: String,
        by: Author,
        at: Moment,
        rng: &dyn Rng,
    ) -> OpBody {
        OpBody {
            v: OP_VERSION,
            id: self.op,
            tenant,
            entity: self.entity,
            kind,
            by,
            prev: None,
            needs: Vec::new(),
            at,
            nonce: OpBody::draw_nonce(rng),
            intent: self.intent.clone(),
        }
    }
}

impl Service {
    /// Takes an act of a user; on return it is durable, in the database and in the
    /// journal.
    ///
    /// # Errors
    /// 403 where the user may not, 404 where there is no such record, 422 with
    /// the reason where a rule is broken, 409 where the op's id was used for
    /// something else. Nothing is stored then.
    pub fn act(&self, user: UserId, act: &Act) -> Result<Outcome, Error> {
        let asked = act.clone();
        self.carry_out(Author::User { user }, act, move |tx, tools| {
            may(tx, tools, user, &asked)
        })
    }

    /// Takes an act of the server itself: what it alone may derive.
    ///
    /// # Errors
    /// As [`Self::act`], but never 403.
    pub fn act_by_itself(
        &self,
        server: ServerPart,
        tenant: TenantId,
        act: &Act,
    ) -> Result<Outcome, Error> {
        self.carry_out(Author::Server { server }, act, move |_, _| Ok(tenant))
    }

    fn carry_out(
        &self,
        by: Author,
        act: &Act,
        allowed: impl Fn(&dyn Read, &Tools) -> Result<TenantId, Error> + Send + 'static,
    ) -> Result<Outcome, Error> {
        let at = self.tools.clock.now();
        let act = act.clone();
        let (tenant, op, outcome) = self.commit_with(move |tx, tools| {
            let tenant = allowed(tx, tools)?;
            if let Some(done) = done_before(tx, tenant, by, &act)? {
                return Ok((tenant, done.0, done.1));
            }
            let kind = kind_of(tx, tenant, &act)?;
            let sealed = act
                .op(tenant, kind, by, at, &*tools.rng)
                .seal()
                .map_err(|why| Fault::new(422, "too_large", why.to_string()))?;
            let outcome = take(tx, tools, tenant, &sealed, at.wall_ms)?;
            Ok((tenant, sealed, outcome))
        })?;
        // Again for a repeat: the first time may have failed after the commit.
        let entry = Entry {
            tenant,
            at_ms: at.wall_ms,
            op,
            instead_of: None,
        };
        append(&*self.tools.keep, Book::Journal, &[entry])?;
        Ok(outcome)
    }
}

/// Asks for the user's rights on the record; their district.
fn may(tx: &dyn Read, tools: &Tools, user: UserId, act: &Act) -> Result<TenantId, Error> {
    let forbidden = || Error::from(Fault::forbidden());
    let row = tx.user(user)?.ok_or_else(forbidden)?;
    let missing = || StoreError::Damaged("a user without a district".into());
    let tenant = tx.tenant(row.tenant)?.ok_or_else(missing)?;
    let tree = tools.trees.get(tx, &tenant)?;
    let entity = tx.entities(tenant.id, &[act.entity])?.into_iter().next();
    may_act(&row, &tree, entity.as_ref(), &act.intent)?;
    Ok(tenant.id)
}

/// What became of the same act, where it was done before.
fn done_before(
    tx: &dyn Read,
    tenant: TenantId,
    by: Author,
    act: &Act,
) -> Result<Option<(SealedOp, Outcome)>, Error> {
    let Some(row) = tx.op_rows(tenant, act.op)?.into_iter().next() else {
        return Ok(None);
    };
    let other = || Fault::new(409, "exists", "This op's id was used for something else.");
    let sealed = SealedOp {
        sha256: row.summary.sha256,
        body: row.body,
    };
    let body = sealed.open().map_err(|_| other())?;
    let same = body.by == by && body.entity == act.entity && body.intent == act.intent;
    if same {
        Ok(Some((sealed, row.summary.outcome)))
    } else {
        Err(other().into())
    }
}

fn kind_of(tx: &dyn Read, tenant: TenantId, act: &Act) -> Result<String, Error> {
    let entity = tx.entities(tenant, &[act.entity])?.into_iter().next();
    match (entity, &act.kind) {
        (Some(row), _) => Ok(row.kind),
        (None, Some(kind)) if matches!(act.intent, Intent::Create { .. }) => Ok(kind.clone()),
        _ => Err(Fault::not_found().into()),
    }
}

fn take(
    tx: &mut dyn Write,
    tools: &Tools,
    tenant: TenantId,
    sealed: &SealedOp,
    now_ms: i64,
) -> Result<Outcome, Error> {
    let unreadable = |_| StoreError::Failed("an op of our own cannot be read".into());
    let op = Incoming::open(sealed.clone()).map_err(unreadable)?;
    let mut batch = Batch::open(tx, tools, tenant, now_ms)?;
    batch.load(tx, std::iter::once(&op))?;
    batch.take(tx, &op, None, false)?;
    batch.free(tx)?;
    let outcome = batch.outcome(op.head.id, op.sha256).cloned();
    match outcome {
        Some(taken @ (Outcome::Applied { .. } | Outcome::ConflictKept { .. })) => {
            batch.store(tx)?;
            Ok(taken)
        }
        Some(Outcome::Rejected { reason } | Outcome::Quarantined { reason }) => {
            Err(Fault::refused(reason).into())
        }
        _ => Err(Fault::not_found().into()),
    }
}
