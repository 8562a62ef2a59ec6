//! Changing incidents, one's own and colleagues'.

use gridwalk_domain::catalogue::ANSWER;
use gridwalk_domain::{Entity, EntityId};
use gridwalk_engine::{Content, Engine, EngineError, NewAttachment};
use serde_json::{Value, json};
use std::collections::BTreeMap;

use super::{Action, report};
use crate::ledger::{Fact, Token};
use crate::random::Chance as _;
use crate::steps;
use crate::world::World;
use crate::world::phone::Phone;

/// Of how many of the last records other than incidents one is taken.
const LATEST: usize = 12;
const FIELDS: [&str; 2] = ["title", "description"];

/// How likely it is that a worker changes something.
fn on_shift(phone: &Phone, weight: u32) -> u32 {
    if phone.shift.is_some() { weight } else { 0 }
}

/// Changes an incident, with a text of its own.
fn amend(
    world: &mut World,
    no: usize,
    what: &'static str,
    (record, grid): (EntityId, usize),
    change: impl FnOnce(&Engine, EntityId, Token) -> Result<(), EngineError>,
) {
    let token = world.token(grid);
    let doing = &format!("{what} {token} on {}", World::short(record));
    let Some(called) = world.call(no, doing, |engine| change(engine, record, token)) else {
        return;
    };
    let fact = Fact {
        token,
        phone: Some(no),
        at_ms: world.now_ms(),
        what,
        record: Some(record),
        photos: 0,
        saved: called.saved(),
    };
    world.ledger.add(fact);
}

/// Changes some incident that the phone shows.
fn amend_some(
    world: &mut World,
    no: usize,
    what: &'static str,
    change: impl FnOnce(&Engine, EntityId, Token) -> Result<(), EngineError>,
) {
    if let Some(which) = world.some_incident(no) {
        amend(world, no, what, which, change);
    }
}

/// Writes one or two fields.
pub(super) struct Edit;

impl Action for Edit {
    fn weight(&self, phone: &Phone) -> u32 {
        on_shift(phone, 14)
    }

    fn act(&self, world: &mut World, no: usize) {
        let (field, severe) = (FIELDS[world.rng.usize(0..2)], world.rng.happens(0.3));
        let what = if field == "title" {
            "title"
        } else {
            "description"
        };
        amend_some(world, no, what, |engine, record, token| {
            let mut values = vec![(field.to_owned(), json!(format!("改写{token}")))];
            if severe {
                values.push(("severity".to_owned(), json!("normal")));
            }
            engine.edit(record, values.into_iter().collect())
        });
    }
}

/// Says what kind of thing it is, with what the form asks for.
pub(super) struct Classify;

impl Action for Classify {
    fn weight(&self, phone: &Phone) -> u32 {
        on_shift(phone, 3)
    }

    fn act(&self, world: &mut World, no: usize) {
        let Some((record, _)) = world.some_incident(no) else {
            return;
        };
        let (category, answers) = report::class(&mut world.rng);
        let what = &format!("calls {} {category}", World::short(record));
        world.call(no, what, |engine| {
            let answers = answers.into_iter();
            let mut values: BTreeMap<String, Value> = answers
                .map(|(question, said)| (format!("{ANSWER}{question}"), said))
                .collect();
            values.insert("category".to_owned(), json!(category));
            engine.edit(record, values)
        });
    }
}

/// Says something.
pub(super) struct Comment;

impl Action for Comment {
    fn weight(&self, phone: &Phone) -> u32 {
        on_shift(phone, 6)
    }

    fn act(&self, world: &mut World, no: usize) {
        amend_some(world, no, "comment", |engine, record, token| {
            engine.comment(record, &format!("看过了{token}"))
        });
    }
}

/// Takes a step that is theirs to take, or now and then one that is not.
pub(super) struct Step;

impl Action for Step {
    fn weight(&self, phone: &Phone) -> u32 {
        on_shift(phone, 8)
    }

    fn act(&self, world: &mut World, no: usize) {
        let Some((record, grid)) = world.some_incident(no) else {
            return;
        };
        let engine = world.phones[no].engine.clone();
        let shown = engine.and_then(|engine| engine.record_of(record).ok());
        let person = world.district.person(world.phones[no].worker);
        let drawn = shown.and_then(|shown| steps::draw(world, &person, &shown));
        let Some(drawn) = drawn else { return };
        if let Some(worker) = drawn.gives_to {
            world.ledger.dispatch(record, worker);
        }
        amend(
            world,
            no,
            "step",
            (record, grid),
            |engine, record, token| {
                let reason = format!("需要处理{token}");
                engine.step(record, drawn.to, Some(&reason), drawn.with)
            },
        );
    }
}

/// Takes a step of a task, or of whatever else was sent down or is one's own.
pub(super) struct Work;

impl Action for Work {
    fn weight(&self, phone: &Phone) -> u32 {
        on_shift(phone, 5)
    }

    fn act(&self, world: &mut World, no: usize) {
        let known = world.ledger.others();
        let known: Vec<EntityId> = known.iter().rev().take(LATEST).copied().collect();
        let engine = world.phones[no].engine.clone();
        let shown = |id: &EntityId| engine.as_ref().and_then(|e| e.record_of(*id).ok());
        let shown: Vec<Entity> = known.iter().filter_map(shown).collect();
        if shown.is_empty() {
            return;
        }
        let shown = &shown[world.rng.usize(0..shown.len())];
        let person = world.district.person(world.phones[no].worker);
        let made = world.ledger.made(shown.id).map(|made| made.grid);
        let (Some(drawn), Some(grid)) = (steps::draw(world, &person, shown), made) else {
            return;
        };
        amend(
            world,
            no,
            "work",
            (shown.id, grid),
            |engine, record, token| {
                let reason = format!("情况{token}");
                engine.step(record, drawn.to, Some(&reason), drawn.with)
            },
        );
    }
}

/// Puts a tag on.
pub(super) struct Tag;

impl Action for Tag {
    fn weight(&self, phone: &Phone) -> u32 {
        on_shift(phone, 3)
    }

    fn act(&self, world: &mut World, no: usize) {
        amend_some(world, no, "tag", |engine, record, token| {
            engine.add_item(record, "tags", json!(format!("夜间{token}")))
        });
    }
}

/// Takes a tag off.
pub(super) struct Untag;

impl Action for Untag {
    fn weight(&self, phone: &Phone) -> u32 {
        on_shift(phone, 1)
    }

    fn act(&self, world: &mut World, no: usize) {
        let Some((record, _)) = world.some_incident(no) else {
            return;
        };
        let what = &format!("takes a tag off {}", World::short(record));
        world.call(no, what, |engine| {
            let shown = engine.record_of(record)?;
            let tags = shown.sets.get("tags").and_then(|set| set.items.first());
            match tags {
                Some(tag) => engine.remove_item(record, "tags", &tag.value),
                None => Ok(()),
            }
        });
    }
}

/// Adds a photo.
pub(super) struct Attach;

impl Action for Attach {
    fn weight(&self, phone: &Phone) -> u32 {
        on_shift(phone, 3)
    }

    fn act(&self, world: &mut World, no: usize) {
        let Some((record, _)) = world.some_incident(no) else {
            return;
        };
        let photo = report::photo(world, no);
        let what = &format!("adds a photo to {}", World::short(record));
        world.call(no, what, |engine| engine.attach(record, &[photo]));
    }
}

/// Adds what was said, to be listened to.
pub(super) struct Record;

impl Action for Record {
    fn weight(&self, phone: &Phone) -> u32 {
        on_shift(phone, 2)
    }

    fn act(&self, world: &mut World, no: usize) {
        let Some((record, _)) = world.some_incident(no) else {
            return;
        };
        let recording = NewAttachment::new(Content::Bytes(report::recording(world)));
        let what = &format!("adds a recording to {}", World::short(record));
        world.call(no, what, |engine| {
            engine.attach_all(record, vec![recording])
        });
    }
}

/// Settles a field that was written twice.
pub(super) struct Resolve;

impl Action for Resolve {
    fn weight(&self, phone: &Phone) -> u32 {
        on_shift(phone, 4)
    }

    fn act(&self, world: &mut World, no: usize) {
        let field = FIELDS[world.rng.usize(0..2)];
        amend_some(world, no, "resolve", |engine, record, token| {
            engine.resolve(record, field, json!(format!("说定{token}")))
        });
    }
}

/// Deletes an incident.
pub(super) struct Delete;

impl Action for Delete {
    fn weight(&self, phone: &Phone) -> u32 {
        on_shift(phone, 1)
    }

    fn act(&self, world: &mut World, no: usize) {
        let Some((record, _)) = world.some_incident(no) else {
            return;
        };
        let what = &format!("deletes {}", World::short(record));
        world.call(no, what, |engine| engine.delete(record));
    }
}
