//! Other records than incidents: visits, findings, mediations, notices read.

use chrono::DateTime;
use gridwalk_domain::EntityId;
use gridwalk_engine::{Engine, EngineError, NewFinding, NewMediation, NewVisit, Person, Session};

use super::{Action, report};
use crate::ledger::{Audience, Fact, Made, Token};
use crate::random::Chance as _;
use crate::time::DAY;
use crate::world::phone::Phone;
use crate::world::{Called, World};

/// What a mediation is called in the ledger.
pub(crate) const MEDIATION: &str = "mediation";

fn on_shift(phone: &Phone, weight: u32) -> u32 {
    if phone.shift.is_some() { weight } else { 0 }
}

/// Makes a record in the grid of the shift.
fn make(
    world: &mut World,
    no: usize,
    (what, audience, photos): (&'static str, Audience, usize),
    work: impl FnOnce(&Engine, Token) -> Result<EntityId, EngineError>,
) {
    let Some((_, grid)) = world.phones[no].shift else {
        return;
    };
    let token = world.token(grid);
    let doing = &format!("{what} {token}");
    let Some(called) = world.call(no, doing, |engine| work(engine, token)) else {
        return;
    };
    let record = match called {
        Called::Done(id) => Some(id),
        Called::Refused(_) | Called::Died => None,
    };
    if let Some(id) = record {
        world.say(format_args!("{token} is {}", World::short(id)));
        let made = Made {
            author: Some(world.phones[no].worker),
            grid,
            audience,
        };
        world.ledger.add_record(id, made);
    }
    let fact = Fact {
        token,
        phone: Some(no),
        at_ms: world.now_ms(),
        what,
        record,
        photos,
        saved: called.saved(),
    };
    world.ledger.add(fact);
}

/// Records a visit.
pub(super) struct Visit;

impl Action for Visit {
    fn weight(&self, phone: &Phone) -> u32 {
        on_shift(phone, 4)
    }

    fn act(&self, world: &mut World, no: usize) {
        let photos = report::photos(world, no);
        let as_what = ("visit", Audience::Grid, photos.len());
        make(world, no, as_what, |engine, token| {
            engine.record_visit(&NewVisit {
                household: "三单元".to_owned(),
                found: Some(format!("一切正常{token}")),
                address: Some("三单元四楼".to_owned()),
                photos,
                ..NewVisit::default()
            })
        });
    }
}

/// Opens a mediation, which is its author's alone.
pub(super) struct Mediate;

impl Action for Mediate {
    fn weight(&self, phone: &Phone) -> u32 {
        on_shift(phone, 3)
    }

    fn act(&self, world: &mut World, no: usize) {
        make(
            world,
            no,
            (MEDIATION, Audience::Author, 0),
            |engine, token| {
                engine.open_mediation(&NewMediation {
                    title: "邻里纠纷".to_owned(),
                    cause: Some(format!("楼上漏水{token}")),
                    ..NewMediation::default()
                })
            },
        );
    }
}

/// A mediation of the phone's worker, and its grid.
fn own_mediation(world: &mut World, no: usize) -> Option<(EntityId, usize)> {
    let worker = world.phones[no].worker;
    let own = |id: &EntityId| {
        let made = world.ledger.made(*id);
        made.filter(|made| made.author == Some(worker) && made.audience == Audience::Author)
            .map(|made| (*id, made.grid))
    };
    let own: Vec<_> = world.ledger.others().iter().filter_map(own).collect();
    world.rng.one_of(&own)
}

/// Adds a session to an own mediation.
pub(super) struct Meet;

impl Action for Meet {
    fn weight(&self, phone: &Phone) -> u32 {
        on_shift(phone, 3)
    }

    fn act(&self, world: &mut World, no: usize) {
        let Some((record, grid)) = own_mediation(world, no) else {
            return;
        };
        let token = world.token(grid);
        let from_ms = world.now_ms();
        let doing = &format!("session {token} of {}", World::short(record));
        let called = world.call(no, doing, |engine| {
            let who = Person {
                name: "当事人".to_owned(),
                ..Person::default()
            };
            let session = Session {
                from_ms,
                present: vec![who],
                said: format!("各说各话{token}"),
                ..Session::default()
            };
            engine.add_session(record, &session)
        });
        let Some(called) = called else { return };
        world.ledger.add(Fact {
            token,
            phone: Some(no),
            at_ms: from_ms,
            what: "session",
            record: Some(record),
            photos: 0,
            saved: called.saved(),
        });
    }
}

/// Says when to look at an own mediation again: the clock makes a task of it.
pub(super) struct LookAgain;

impl Action for LookAgain {
    fn weight(&self, phone: &Phone) -> u32 {
        on_shift(phone, 2)
    }

    fn act(&self, world: &mut World, no: usize) {
        let Some((record, _)) = own_mediation(world, no) else {
            return;
        };
        let on_ms = world.now_ms() + world.rng.i64(0..3) * DAY;
        let date = DateTime::from_timestamp_millis(on_ms).unwrap_or_default();
        let Ok(date) = date.format("%F").to_string().parse() else {
            return;
        };
        let what = &format!("looks at {} again", World::short(record));
        world.call(no, what, |engine| engine.look_again(record, date, None));
    }
}

/// Records what the running patrol found of a category: nothing, or an incident.
pub(super) struct Find;

impl Action for Find {
    fn weight(&self, phone: &Phone) -> u32 {
        if phone.patrol.is_some() { 3 } else { 0 }
    }

    fn act(&self, world: &mut World, no: usize) {
        let (category, _) = report::class(&mut world.rng);
        let incident = if world.rng.bool() {
            world.some_incident(no).map(|(id, _)| id)
        } else {
            None
        };
        let what = &format!("finds of {category}: {:?}", incident.map(World::short));
        let found = NewFinding {
            category: category.to_owned(),
            incident,
            note: None,
        };
        world.call(no, what, |engine| engine.record_finding(&found));
    }
}

/// Reads a notice.
pub(super) struct ReadNotice;

impl Action for ReadNotice {
    fn weight(&self, phone: &Phone) -> u32 {
        if phone.enrolled { 3 } else { 0 }
    }

    fn act(&self, world: &mut World, no: usize) {
        let Some(engine) = world.phones[no].engine.clone() else {
            return;
        };
        let notices = engine.notices().unwrap_or_default();
        let unread = notices.iter().find(|notice| notice.read_ms.is_none());
        let Some(id) = unread.map(|notice| notice.record.id) else {
            return;
        };
        drop(engine);
        world.ledger.add_reading(world.phones[no].worker, id);
        let what = &format!("reads {}", World::short(id));
        world.call(no, what, |engine| engine.read_notice(id));
    }
}
