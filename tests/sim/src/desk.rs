//! What supervisors do on the page: acts of theirs through the service, beside
//! the phones. Where the server dies over one, they ask for the same again.

use gridwalk_domain::{Change, Entity, EntityId, GridId, Intent, OpId, kind};
use gridwalk_server::{Act, Error};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

use crate::faults::restart;
use crate::ledger::{Audience, Deed, Fact, Made, Saved, Token};
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

/// Somebody sends something down, or does something to what is there.
fn work(world: &mut World) {
    if world.rng.happens(0.15) {
        return send_down(world);
    }
    let incidents = world.ledger.incidents().iter().map(|(id, _)| *id);
    let others = world.ledger.others().iter().copied();
    let known: Vec<EntityId> = if world.rng.happens(0.8) {
        incidents.collect()
    } else {
        others.collect()
    };
    let latest = &known[known.len().saturating_sub(LATEST)..];
    let Some(record) = world.rng.one_of(latest) else {
        return;
    };
    let grid = world.ledger.made(record).map_or(0, |made| made.grid);
    let (Some(who), Some(shown)) = (somebody(world, grid), standing(world, grid, record)) else {
        return;
    };
    let token = world.token(grid);
    let asked = match world.rng.u8(0..10) {
        0 => edit(&shown, token),
        1 => comment(token),
        _ => match step(world, &who, &shown, token) {
            Some(step) => step,
            None => return,
        },
    };
    act(world, &who, (record, token), (None, asked));
}

/// Somebody of a grid's district.
fn somebody(world: &mut World, grid: usize) -> Option<Supervisor> {
    let tenant = world.district.grids[grid].tenant;
    let all = world.district.supervisors.iter().enumerate();
    let fitting = all.filter(|(_, one)| one.tenant == tenant);
    let fitting: Vec<usize> = fitting.map(|(n, _)| n).collect();
    let who = world.rng.one_of(&fitting)?;
    Some(world.district.supervisors[who].clone())
}

/// A task for a worker or for whoever walks a grid, or a notice to a grid and all
/// below it.
fn send_down(world: &mut World) {
    let all: Vec<usize> = (0..world.district.grids.len()).collect();
    let Some(grid) = world.rng.one_of(&all) else {
        return;
    };
    let Some(who) = somebody(world, grid) else {
        return;
    };
    let record = EntityId::from_bytes(world.rng.u128(..).to_be_bytes());
    let token = world.token(grid);
    let (kind, fields, audience) = match world.rng.u8(0..3) {
        0 => notice(world, grid, token),
        n => task(world, (record, grid), token, n == 1),
    };
    let made = Made {
        author: None,
        grid,
        audience,
    };
    world.ledger.add_record(record, made);
    let Some(home) = kind::find(kind).and_then(|kind| kind.home_of(&fields)) else {
        return;
    };
    let create = Intent::Create { home, fields };
    act(world, &who, (record, token), (Some(kind), (kind, create)));
}

type Sent = (&'static str, BTreeMap<String, Value>, Audience);

fn fields(of: Value) -> BTreeMap<String, Value> {
    serde_json::from_value(of).unwrap_or_default()
}

/// To a base grid, or to one above it.
fn notice(world: &mut World, grid: usize, token: Token) -> Sent {
    let chain = world.district.chain(world.district.grids[grid].id);
    let chain: Vec<GridId> = chain.collect();
    let grid = chain[world.rng.usize(0..chain.len())];
    let of = json!({ "grid": grid, "title": "通知", "text": format!("请知悉{token}") });
    (kind::notice::KIND.name, fields(of), Audience::Below(grid))
}

/// For a worker, who mostly walks there, or for the grid.
fn task(world: &mut World, (record, grid): (EntityId, usize), token: Token, named: bool) -> Sent {
    let id = world.district.grids[grid].id;
    let mut of = json!({ "grid": id, "work": "visit", "title": format!("任务{token}") });
    let (kind, mut audience) = (kind::task::KIND.name, Audience::Grid);
    let workers: Vec<usize> = (0..world.district.workers.len()).collect();
    let now_ms = world.now_ms();
    let there = workers.iter().copied();
    let there: Vec<usize> = there
        .filter(|worker| world.district.has(*worker, grid, now_ms))
        .collect();
    let fitting = if world.rng.happens(0.9) {
        there
    } else {
        workers
    };
    if let Some(worker) = world.rng.one_of(&fitting).filter(|_| named) {
        of["worker"] = json!(world.district.workers[worker].id);
        world.ledger.dispatch(record, worker);
        audience = Audience::Author;
    }
    (kind, fields(of), audience)
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
/// The kind of what is made, and what is done.
type Making = (Option<&'static str>, Asked);

fn edit(shown: &Entity, token: Token) -> Asked {
    let change = Change {
        value: json!(format!("页面改写{token}")),
        base: shown.base("description"),
    };
    let changes = [("description".to_owned(), change)].into();
    ("description", Intent::Set(changes))
}

fn comment(token: Token) -> Asked {
    let list = kind::COMMENTS.to_owned();
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
fn act(world: &mut World, who: &Supervisor, (record, token): (EntityId, Token), asked: Making) {
    let (kind, (what, intent)) = asked;
    let op = OpId::from_bytes(world.rng.u128(..).to_be_bytes());
    let act = Act {
        op,
        entity: record,
        kind: kind.map(str::to_owned),
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
