//! What supervisors do on the page: acts of theirs through the service, beside
//! the phones. Where the server dies over one, they ask for the same again.

use gridwalk_domain::{Change, Entity, EntityId, Intent, OpId};
use gridwalk_server::{Act, Error};
use serde_json::json;
use std::collections::BTreeSet;

use crate::faults::restart;
use crate::ledger::{Deed, Fact, Saved, Token};
use crate::random::Chance as _;
use crate::steps;
use crate::world::district::Supervisor;
use crate::world::{SeenOp, World};

/// How many of the last incidents they look at.
const LATEST: usize = 12;
/// How often they ask for an act over which the server dies.
const TRIES: usize = 3;

impl World {
    /// Plans what somebody on the page does next.
    pub(crate) fn plan_desk(&mut self) {
        let ms = self.rng.about(self.pace_ms);
        self.after(ms, |world| {
            if world.busy {
                work(world);
                world.plan_desk();
            }
        });
    }
}

/// Somebody does something to an incident that they see.
fn work(world: &mut World) {
    let known = world.ledger.incidents();
    let latest = known[known.len().saturating_sub(LATEST)..].to_vec();
    let Some((record, grid)) = world.rng.one_of(&latest) else {
        return;
    };
    let here = world.district.supervisors.iter();
    let tenant = world.district.grids[grid].tenant;
    let fitting: Vec<usize> = here
        .enumerate()
        .filter(|(_, one)| one.tenant == tenant)
        .map(|(n, _)| n)
        .collect();
    let (Some(who), Some(shown)) = (world.rng.one_of(&fitting), standing(world, grid, record))
    else {
        return;
    };
    let who = world.district.supervisors[who].clone();
    let token = world.token(grid);
    let asked = match world.rng.u8(0..10) {
        0 => edit(&shown, token),
        1 => comment(token),
        _ => match step(world, &who, &shown, token) {
            Some(step) => step,
            None => return,
        },
    };
    act(world, &who, (record, token), asked);
}

/// The record as the server has it, where it is there.
fn standing(world: &World, grid: usize, record: EntityId) -> Option<Entity> {
    let tenant = world.district.grids[grid].tenant;
    let rows = world.server.read(|tx| tx.entities(tenant, &[record]));
    let state = rows.ok()?.into_iter().next()?.state?;
    let state: Entity = serde_json::from_str(&state).ok()?;
    state.deleted.is_none().then_some(state)
}

/// What is done, in words and as an intent.
type Asked = (&'static str, Intent);

fn edit(shown: &Entity, token: Token) -> Asked {
    let change = Change {
        value: json!(format!("页面改写{token}")),
        base: shown.base("description"),
    };
    let changes = [("description".to_owned(), change)].into();
    ("description", Intent::Set(changes))
}

fn comment(token: Token) -> Asked {
    let list = gridwalk_domain::kind::COMMENTS.to_owned();
    let value = json!({ "text": format!("页面留言{token}") });
    ("comment", Intent::Append { list, value })
}

fn step(world: &mut World, who: &Supervisor, shown: &Entity, token: Token) -> Option<Asked> {
    let drawn = steps::draw(world, &who.person(), shown)?;
    if let Some(worker) = drawn.gives_to {
        world.ledger.dispatch(shown.id, worker);
    }
    let last = shown.history.last()?;
    let step = Intent::Transition {
        from: last.to.clone(),
        to: drawn.to.to_owned(),
        base: last.stamp.op,
        reason: Some(format!("页面{token}")),
        with: drawn.with,
    };
    Some((drawn.to, step))
}

/// Somebody asks for an act until the server says yes or no.
fn act(world: &mut World, who: &Supervisor, (record, token): (EntityId, Token), asked: Asked) {
    let (what, intent) = asked;
    let op = OpId::from_bytes(world.rng.u128(..).to_be_bytes());
    let act = Act {
        op,
        entity: record,
        kind: None,
        intent,
    };
    let mut saved = Saved::Perhaps;
    for _ in 0..TRIES {
        let done = world.server.service().act(who.id, &act);
        let dead = world.server.is_dead();
        if dead {
            restart(world);
        }
        let (said, word) = match &done {
            _ if dead => (Saved::Perhaps, "the server dies".to_owned()),
            Ok(_) => (Saved::Yes, "done".to_owned()),
            Err(Error::Fault(fault)) if fault.status < 500 => {
                (Saved::No, format!("{} {}", fault.status, fault.code))
            }
            Err(error) => (Saved::Perhaps, error.to_string()),
        };
        let name = World::short(record);
        world.say(format_args!("the page: {what} {token} on {name}: {word}"));
        saved = said;
        if saved != Saved::Perhaps {
            break;
        }
    }
    note_op(world, who, op);
    let at_ms = world.now_ms();
    world.ledger.add_deed(Deed { op, record, saved });
    world.ledger.add(Fact {
        token,
        phone: None,
        at_ms,
        what,
        record: Some(record),
        photos: 0,
        saved,
    });
}

/// Remembers what the op of an act says, as the network does with phones'.
fn note_op(world: &mut World, who: &Supervisor, op: OpId) {
    let rows = world.server.read(|tx| tx.op_rows(who.tenant, op));
    let body = rows.unwrap_or_default().into_iter().next();
    if let Some(body) = body.and_then(|row| serde_json::from_str(&row.body).ok()) {
        let phones = BTreeSet::new();
        world.ops.insert(op, SeenOp { body, phones });
    }
}
