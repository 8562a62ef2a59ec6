//! What people on the page do: ops of theirs, through the same batch as phones'.
//!
//! Committed first, then written into the journal, then answered. An op of a
//! phone that the database loses is sent again by the phone; one of these is in
//! the journal.

use gridwalk_domain::rights::{Actor, Person};
use gridwalk_domain::wire::Outcome;
use gridwalk_domain::{
    Author, EntityId, Intent, Moment, OP_VERSION, OpBody, OpId, Rng, SealedOp, ServerPart, Sha256,
    TenantId, UserId,
};
use gridwalk_store::{BlobRow, Read, StoreError, Write};

use crate::batch::{Batch, Incoming};
use crate::blobs::{Given, keep_given, remove_unkept};
use crate::district;
use crate::error::{Error, Fault};
use crate::keep::{Book, Entry, append};
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
    /// 403 with the reason where the user may not, 404 where there is no such record, 422 with
    /// the reason where a rule is broken, 409 where the op's id was used for
    /// something else. Nothing is stored then.
    pub fn act(&self, user: UserId, act: &Act) -> Result<Outcome, Error> {
        self.act_with(user, act, &[])
    }

    /// The same with photos that the act refers to ([`Given::reference`]): they and
    /// the act are stored together, or nothing is.
    ///
    /// # Errors
    /// As [`Self::act`], and 410 or 423 where such a photo was purged.
    pub fn act_with(&self, user: UserId, act: &Act, given: &[Given]) -> Result<Outcome, Error> {
        let photos = self.put_given(given)?;
        let hashes: Vec<Sha256> = photos.iter().map(|row| row.sha256).collect();
        let done = self.carry_out(Author::User { user }, act, photos, move |tx| {
            let row = tx.user(user)?.ok_or_else(Fault::forbidden)?;
            Ok((row.tenant, district::user(&row)))
        });
        if done.is_err() {
            for sha256 in hashes {
                remove_unkept(&self.tools, sha256)?;
            }
        }
        done
    }

    /// Takes an act of the server itself: what it alone may derive.
    ///
    /// # Errors
    /// As [`Self::act`]: the server has its rights, too.
    pub fn act_by_itself(
        &self,
        server: ServerPart,
        tenant: TenantId,
        act: &Act,
    ) -> Result<Outcome, Error> {
        let actor = Actor::Server(server);
        let rights = vec![];
        self.carry_out(Author::Server { server }, act, vec![], move |_| {
            let rights = rights.clone();
            Ok((tenant, Person { actor, rights }))
        })
    }

    fn carry_out(
        &self,
        by: Author,
        act: &Act,
        photos: Vec<BlobRow>,
        who: impl Fn(&dyn Read) -> Result<(TenantId, Person), Error> + Send + 'static,
    ) -> Result<Outcome, Error> {
        let at = self.tools.clock.now();
        let act = act.clone();
        let (tenant, op, outcome) = self.commit_with(move |tx, tools| {
            let (tenant, person) = who(tx)?;
            if let Some(done) = done_before(tx, tenant, by, &act)? {
                return Ok((tenant, done.0, done.1));
            }
            keep_given(tx, tools, tenant, &photos)?;
            let kind = kind_of(tx, tenant, &act)?;
            let body = act.op(tenant, kind, by, at, &*tools.rng);
            let sealed = body
                .seal()
                .map_err(|why| Fault::new(422, "too_large", why.to_string()))?;
            check_here(tx, tenant, &sealed)?;
            let outcome = take(tx, tools, &person, &body, &sealed)?;
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

/// Nobody on the page has a photo that comes later: what an act refers to is here.
fn check_here(tx: &dyn Read, tenant: TenantId, op: &SealedOp) -> Result<(), Error> {
    let shown: Vec<Sha256> = op.blobs().into_iter().collect();
    if tx.blobs(tenant, &shown)?.len() == shown.len() {
        return Ok(());
    }
    let text = "It refers to an attachment that is not here. Give the file with the act.";
    Err(Fault::new(422, "unfit", text).into())
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
    person: &Person,
    body: &OpBody,
    sealed: &SealedOp,
) -> Result<Outcome, Error> {
    let unreadable = |_| StoreError::Failed("an op of our own cannot be read".into());
    let op = Incoming::open(sealed.clone()).map_err(unreadable)?;
    let mut batch = Batch::open(tx, tools, body.tenant, body.at.wall_ms)?;
    batch.load(tx, std::iter::once(&op))?;
    batch.check_act(tx, person, body)?;
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
