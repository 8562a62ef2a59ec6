//! Writing ops.

use gridwalk_domain::{Entity, EntityId, Intent, Moment, OP_VERSION, OpBody, OpId, Rng, apply};
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

use crate::error::{EngineError, Inner};
use crate::gate::Gate;
use crate::identity::Me;
use crate::{boots, entities};

/// Writes ops for one author at one instant.
pub(crate) struct Pen<'a> {
    pub(crate) me: &'a Me,
    pub(crate) at: Moment,
    pub(crate) rng: &'a dyn Rng,
    pub(crate) gate: Gate<'a>,
}

impl Pen<'_> {
    /// Saves one op, after asking the gate and [`apply`] whether it can be taken
    /// by what this phone shows.
    pub(crate) fn write(
        &self,
        tx: &Transaction<'_>,
        entity: EntityId,
        kind: &str,
        needs: Vec<OpId>,
        intent: Intent,
    ) -> Inner<OpId> {
        let account = self.me.account;
        let body = self.draw(tx, entity, kind, needs, intent)?;
        let home = self.judge(tx, &body)?.home;
        let sealed = body.seal().map_err(|bad| EngineError::Invalid {
            field: kind.to_owned(),
            why: bad.to_string(),
        })?;
        boots::note(tx, self.at)?;
        tx.prepare_cached(
            "INSERT INTO op (account, id, entity, kind, home, prev, body, sha256, saved_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![
            account,
            body.id.as_bytes(),
            entity.as_bytes(),
            kind,
            home.to_string(),
            body.prev.as_ref().map(OpId::as_bytes),
            sealed.body,
            sealed.sha256.0,
            self.at.wall_ms
        ])?;
        for need in &body.needs {
            tx.prepare_cached("INSERT INTO need (op, need) VALUES (?1, ?2)")?
                .execute([body.id.as_bytes(), need.as_bytes()])?;
        }
        Ok(body.id)
    }

    /// Whether an op could be saved; nothing is.
    pub(crate) fn would(
        &self,
        conn: &Connection,
        entity: EntityId,
        kind: &str,
        intent: Intent,
    ) -> Inner<()> {
        let body = self.draw(conn, entity, kind, vec![], intent)?;
        self.judge(conn, &body).map(drop)
    }

    fn draw(
        &self,
        conn: &Connection,
        entity: EntityId,
        kind: &str,
        needs: Vec<OpId>,
        intent: Intent,
    ) -> Inner<OpBody> {
        Ok(OpBody {
            v: OP_VERSION,
            id: OpId::draw(self.at.wall_ms, self.rng),
            tenant: self.me.tenant,
            entity,
            kind: kind.to_owned(),
            by: self.me.author(),
            prev: tail(conn, self.me.account, entity)?,
            needs,
            at: self.at,
            nonce: OpBody::draw_nonce(self.rng),
            intent,
        })
    }

    /// The record as the op would leave it.
    fn judge(&self, conn: &Connection, body: &OpBody) -> Inner<Entity> {
        let mut state = entities::load(conn, self.me.account, body.entity)?;
        self.gate.check(state.as_ref(), body)?;
        apply(&mut state, body, self.at.wall_ms).map_err(|refusal| invalid(&refusal))?;
        Ok(state.ok_or(EngineError::NotFound)?)
    }
}

fn invalid(refusal: &gridwalk_domain::Refusal) -> EngineError {
    match refusal {
        gridwalk_domain::Refusal::BadValue { field, why } => EngineError::Invalid {
            field: field.clone(),
            why: why.clone(),
        },
        other => EngineError::Invalid {
            field: "status".to_owned(),
            why: other.to_string(),
        },
    }
}

/// An account's last op on an entity: the `prev` of the next.
fn tail(conn: &Connection, account: i64, entity: EntityId) -> Inner<Option<OpId>> {
    one(
        conn,
        "SELECT id FROM op WHERE entity = ?1 AND account = ?2 ORDER BY n DESC LIMIT 1",
        account,
        entity,
    )
}

/// An account's first op on an entity: where the phone made it, its `create`.
pub(crate) fn first(conn: &Connection, account: i64, entity: EntityId) -> Inner<Option<OpId>> {
    one(
        conn,
        "SELECT id FROM op WHERE entity = ?1 AND account = ?2 ORDER BY n LIMIT 1",
        account,
        entity,
    )
}

fn one(conn: &Connection, query: &str, account: i64, entity: EntityId) -> Inner<Option<OpId>> {
    let id: Option<[u8; 16]> = conn
        .prepare_cached(query)?
        .query_row(params![entity.as_bytes(), account], |row| row.get(0))
        .optional()?;
    Ok(id.map(OpId::from_bytes))
}
