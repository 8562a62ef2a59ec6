//! A step of a record's life: which one somebody takes, and what it carries.

use gridwalk_domain::kind::incident::{ASSIGNEE, Assignee, HOLDER, LIMIT, Life, RETURN};
use gridwalk_domain::kind::steps::StepRule;
use gridwalk_domain::kind::{self, incident};
use gridwalk_domain::rights::{District, Person, Rights};
use gridwalk_domain::{DepartmentId, Entity};
use serde_json::{Map, Value, json};

use crate::random::Chance as _;
use crate::time::HOUR;
use crate::world::World;

/// How often somebody tries what is not theirs to do.
const UNLAWFUL: f64 = 0.1;

/// A step that somebody is about to take.
pub(crate) struct Drawn {
    pub(crate) to: &'static str,
    pub(crate) with: Map<String, Value>,
    /// The worker to whom it gives the incident.
    pub(crate) gives_to: Option<usize>,
}

/// One of the steps that the law lets a person take from where the record stands
/// for them, or now and then one that it does not.
pub(crate) fn draw(world: &mut World, person: &Person, shown: &Entity) -> Option<Drawn> {
    let rights = Rights::new(person, &world.district, world.now_ms());
    let lawful = rights.steps(shown);
    let table = kind::find(&shown.kind)?.steps.iter();
    let all: Vec<&StepRule> = table
        .filter(|row| Some(row.from) == shown.status())
        .collect();
    let rows = if world.rng.happens(UNLAWFUL) {
        all
    } else {
        lawful
    };
    let row = world.rng.one_of(&rows)?;
    let mut drawn = Drawn {
        to: row.to,
        with: Map::new(),
        gives_to: None,
    };
    drawn.carry(world, row, shown)?;
    Some(drawn)
}

impl Drawn {
    /// What the row, the catalogue and the grids ask for.
    fn carry(&mut self, world: &mut World, row: &StepRule, shown: &Entity) -> Option<()> {
        let mut put = |name: &str, value: Value| self.with.insert(name.to_owned(), value);
        match (row.name, row.from) {
            ("escalate", _) => {
                put(HOLDER, json!(incident::above(&world.district, shown)?));
            }
            ("return", incident::ESCALATED) if row.to == incident::ESCALATED => {
                put(RETURN, json!(true));
            }
            ("dispatch", _) => {
                let (assignee, worker) = assignee(world, shown)?;
                put(ASSIGNEE, json!(assignee));
                put(LIMIT, json!(world.now_ms() + HOUR));
                self.gives_to = worker;
            }
            ("reject", _) => {
                put("cause", json!("not_ours"));
            }
            ("verify", _) => {
                let elsewhere = json!({"lat": 35.1, "lon": 118.3});
                let place = shown.value("place").cloned().unwrap_or(elsewhere);
                put("place", place);
                put("note", json!("已到场"));
            }
            ("finish" | "close", _) => {
                put("note", json!("已看过"));
            }
            ("handle" | "resolve", _) => {
                put("note", json!("已办"));
                if let Some(photo) = shown.list(incident::PHOTOS).last() {
                    put("photos", json!([photo.value]));
                }
            }
            _ => {}
        }
        Some(())
    }
}

/// A worker who walks below the grid that holds the incident, or now and then a
/// department.
fn assignee(world: &mut World, shown: &Entity) -> Option<(Assignee, Option<usize>)> {
    if world.rng.happens(0.1) {
        return Some((
            Assignee::Department(DepartmentId::from_bytes([7; 16])),
            None,
        ));
    }
    let (holder, now_ms) = (Life::of(shown)?.holder, world.now_ms());
    let district: &dyn District = &world.district;
    let walks = |worker: &usize| {
        let walked = district.grids_of(world.district.workers[*worker].id, now_ms);
        walked.iter().any(|grid| district.is_below(*grid, holder))
    };
    let workers: Vec<usize> = (0..world.district.workers.len()).filter(walks).collect();
    let worker = world.rng.one_of(&workers)?;
    let id = world.district.workers[worker].id;
    Some((Assignee::Worker(id), Some(worker)))
}
