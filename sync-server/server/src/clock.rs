//! What a time brings about: an incident that nobody accepted goes up, a date to
//! look again becomes a task.
//!
//! A record's row says from when on the clock is to look at it (`due_ms`, written
//! with the record), so nothing else is read. The op of a step is named by the
//! step: whoever makes it again makes the same one, and the second is no other
//! than the first.

use gridwalk_domain::kind::incident::running::{clock_step, running};
use gridwalk_domain::kind::incident::{ESCALATED, KIND as INCIDENT, class_of};
use gridwalk_domain::kind::{mediation, task};
use gridwalk_domain::{Entity, EntityId, Intent, OpId, ServerPart, Sha256, TenantId};
use gridwalk_store::{EntityRow, Read, StoreError, TenantRow};

use crate::act::Act;
use crate::district::Known;
use crate::error::Error;
use crate::law::Law;
use crate::project;
use crate::service::{Service, Tools};

/// Records that are looked at in one go.
const AT_ONCE: usize = 100;
/// A record whose step was refused is looked at again after this long.
const REST_MS: i64 = 3_600_000;

/// From when on the clock is to look at a record as it is now; none where it has
/// nothing to do with it.
pub(crate) fn due_ms(entity: &Entity, law: &Law) -> Option<i64> {
    if entity.deleted.is_some() {
        return None;
    }
    if mediation::is_narrow(&entity.kind) {
        // Whether the tasks are there already is not in it.
        return (!entity.list(mediation::LOOK_AGAIN).is_empty()).then_some(0);
    }
    if entity.kind != INCIDENT.name || entity.status() != Some(ESCALATED) {
        return None;
    }
    let catalogue = law.catalogue_of(entity)?;
    if !catalogue.climbs(class_of(entity)) {
        return None;
    }
    let running = running(entity, Some(catalogue), &law.calendar)?;
    running.due_ms.map(|due| due + 1)
}

/// What is to be done with a record.
struct Plan {
    entity: EntityId,
    /// The revision that it was made for.
    rev: u64,
    acts: Vec<Act>,
    /// When to look again, where nothing is done.
    next: Option<i64>,
}

impl Service {
    /// Does what is due by now, and says how many ops that took. To be called now
    /// and then; what was done is not done again.
    ///
    /// # Errors
    /// Where the store or the journal fail; it can be called again.
    pub fn strike(&self) -> Result<usize, Error> {
        let tenants = self.read(|tx| Ok(tx.tenants()?))?;
        let mut made = 0;
        for tenant in tenants {
            loop {
                let now_ms = self.now_ms();
                let plans = self.read(|tx| plans(tx, &self.tools, &tenant, now_ms))?;
                for plan in &plans {
                    made += self.carry_out_plan(tenant.id, plan, now_ms)?;
                }
                if plans.len() < AT_ONCE {
                    break;
                }
            }
        }
        Ok(made)
    }

    fn carry_out_plan(&self, tenant: TenantId, plan: &Plan, now_ms: i64) -> Result<usize, Error> {
        let (mut made, mut next) = (0, plan.next);
        for act in &plan.acts {
            match self.act_by_itself(ServerPart::Clock, tenant, act) {
                Ok(_) => made += 1,
                Err(Error::Fault(fault)) => {
                    tracing::warn!(record = %plan.entity, code = %fault.code, "a step of the clock was refused");
                    next = Some(now_ms + REST_MS);
                }
                Err(error) => return Err(error),
            }
        }
        let (entity, rev) = (plan.entity, plan.rev);
        self.commit(move |tx| {
            // What changed it since has said itself when to look.
            let row = tx.entities(tenant, &[entity])?.into_iter().next();
            if row.is_some_and(|row| row.rev == rev) {
                tx.set_due(tenant, entity, next)?;
            }
            Ok(())
        })?;
        Ok(made)
    }
}

fn plans(
    tx: &dyn Read,
    tools: &Tools,
    tenant: &TenantRow,
    now_ms: i64,
) -> Result<Vec<Plan>, Error> {
    let rows = tx.due(tenant.id, now_ms, AT_ONCE)?;
    if rows.is_empty() {
        return Ok(vec![]);
    }
    let tenant = tx.tenant(tenant.id)?;
    let tenant = tenant.ok_or_else(|| StoreError::Damaged("there is no such district".into()))?;
    let (tree, law) = (tools.trees.get(tx, &tenant)?, tools.laws.get(tx, &tenant)?);
    let district = Known::new(tx, tenant.id, &tree, &law);
    let mut plans = Vec::with_capacity(rows.len());
    for row in rows {
        let (acts, next) = match project::state(&row) {
            Ok(entity) if mediation::is_narrow(&entity.kind) => {
                (look_again(tx, &tenant, &entity)?, None)
            }
            Ok(entity) => match clock_step(&entity, &district, &law.calendar, now_ms) {
                Some(intent) => (vec![step(&entity, intent)], None),
                // Not yet: the calendar changed. Or never: it is at the top.
                None => (vec![], due_ms(&entity, &law).filter(|due| *due > now_ms)),
            },
            Err(error) => {
                tracing::error!(%error, "the clock passes over a record");
                (vec![], None)
            }
        };
        let EntityRow { id, rev, .. } = row;
        plans.push(Plan {
            entity: id,
            rev,
            acts,
            next,
        });
    }
    district.sound()?;
    Ok(plans)
}

fn step(entity: &Entity, intent: Intent) -> Act {
    let last = entity.history.last().map(|step| step.stamp.op);
    let base = last.unwrap_or(entity.created.op);
    Act {
        op: named(base, entity.id),
        entity: entity.id,
        kind: None,
        intent,
    }
}

/// The tasks of a mediation's dates that are not there yet.
fn look_again(tx: &dyn Read, tenant: &TenantRow, entity: &Entity) -> Result<Vec<Act>, StoreError> {
    let mut tasks = mediation::look_again(entity, tenant.utc_offset_min);
    let ids: Vec<EntityId> = tasks.iter().map(|task| task.id).collect();
    for made in tx.entities(tenant.id, &ids)? {
        tasks.retain(|task| task.id != made.id);
    }
    let act = |task: mediation::LookAgain| Act {
        op: named(OpId::from_bytes(*task.id.as_bytes()), entity.id),
        entity: task.id,
        kind: Some(task::KIND.name.to_owned()),
        intent: Intent::Create {
            home: task.home,
            fields: task.fields,
        },
    };
    Ok(tasks.into_iter().map(act).collect())
}

/// The id of the clock's op that follows another op on a record: a UUID of version
/// 7, with the time part of the one before.
fn named(after: OpId, on: EntityId) -> OpId {
    let name = [b"clock".as_slice(), after.as_bytes(), on.as_bytes()].concat();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&Sha256::of(&name).0[..16]);
    bytes[..6].copy_from_slice(&after.as_bytes()[..6]);
    bytes[6] = 0x70 | (bytes[6] & 0x0f);
    bytes[8] = 0x80 | (bytes[8] & 0x3f);
    OpId::from_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_has_one_name_and_no_other_step_has_it() {
        let (op, other) = (OpId::from_bytes([1; 16]), OpId::from_bytes([2; 16]));
        let (one, two) = (EntityId::from_bytes([3; 16]), EntityId::from_bytes([4; 16]));
        assert_eq!(named(op, one), named(op, one));
        assert_ne!(named(op, one), named(other, one));
        assert_ne!(named(op, one), named(op, two));
        let text = named(op, one).to_string();
        assert_eq!(text.as_bytes()[14], b'7', "{text}");
    }
}
