//! A district for tests: its grids and people, and records told as tales.

use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

use crate::rights::{Actor, District, Person, Right, Rights, Role};
use crate::rules::{self, Breach};
use crate::{
    Author, BootId, Calendar, Catalogue, Change, DepartmentId, DeviceId, Effect, Entity, EntityId,
    GridId, Intent, Moment, OP_VERSION, OpBody, OpId, Refusal, TeamId, TenantId, UserId, WorkerId,
    apply, kind,
};

/// Monday, 2026-03-02, 09:00 in China.
pub(crate) const T0: i64 = 1_772_413_200_000;
pub(crate) const HOUR: i64 = 3_600_000;
pub(crate) const DAY: i64 = 24 * HOUR;

pub(crate) const fn grid(n: u8) -> GridId {
    GridId::from_bytes([n; 16])
}

pub(crate) const fn worker(n: u8) -> WorkerId {
    WorkerId::from_bytes([n; 16])
}

/// An id, as it stands in a field.
pub(crate) fn id(n: u8) -> String {
    grid(n).to_string()
}

// One district, two towns; the first has two communities, the second one.
pub(crate) const DISTRICT: GridId = grid(1);
pub(crate) const TOWN: GridId = grid(11);
pub(crate) const OTHER_TOWN: GridId = grid(12);
pub(crate) const COMMUNITY: GridId = grid(21);
pub(crate) const OTHER_COMMUNITY: GridId = grid(22);
/// The base grid that the tales happen in.
pub(crate) const BASE: GridId = grid(31);
pub(crate) const NEXT_BASE: GridId = grid(32);
pub(crate) const FAR_BASE: GridId = grid(34);

pub(crate) const PARENTS: [(GridId, GridId); 8] = [
    (TOWN, DISTRICT),
    (OTHER_TOWN, DISTRICT),
    (COMMUNITY, TOWN),
    (OTHER_COMMUNITY, TOWN),
    (grid(23), OTHER_TOWN),
    (BASE, COMMUNITY),
    (NEXT_BASE, COMMUNITY),
    (FAR_BASE, grid(23)),
];

pub(crate) const FIRE: DepartmentId = DepartmentId::from_bytes([71; 16]);
pub(crate) const CITY: DepartmentId = DepartmentId::from_bytes([72; 16]);
pub(crate) const SQUAD: TeamId = TeamId::from_bytes([81; 16]);

/// Everybody, by what they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum P {
    /// Gridworker of the base grid.
    Worker,
    /// Another gridworker of the base grid.
    Colleague,
    /// Stands in until a day after the start.
    StandIn,
    /// Walked the base grid until a day before the start.
    Former,
    /// Gridworker of the next grid, in the same community.
    Neighbour,
    /// Gridworker of a grid in the other town.
    Stranger,
    Community,
    OtherCommunity,
    Town,
    OtherTown,
    District,
    /// Of the fire department, for the whole district.
    Fire,
    /// Of the city management, for the whole district.
    City,
    Squad,
    System,
    Administrator,
    Clock,
}

impl P {
    pub(crate) const ALL: [Self; 17] = [
        Self::Worker,
        Self::Colleague,
        Self::StandIn,
        Self::Former,
        Self::Neighbour,
        Self::Stranger,
        Self::Community,
        Self::OtherCommunity,
        Self::Town,
        Self::OtherTown,
        Self::District,
        Self::Fire,
        Self::City,
        Self::Squad,
        Self::System,
        Self::Administrator,
        Self::Clock,
    ];

    pub(crate) fn person(self) -> Person {
        if self == Self::Clock {
            return Person::clock();
        }
        let (role, grid) = match self {
            Self::Worker | Self::Colleague | Self::StandIn | Self::Former => {
                (Role::Gridworker, BASE)
            }
            Self::Neighbour => (Role::Gridworker, NEXT_BASE),
            Self::Stranger => (Role::Gridworker, FAR_BASE),
            Self::Community => (Role::Community, COMMUNITY),
            Self::OtherCommunity => (Role::Community, OTHER_COMMUNITY),
            Self::Town => (Role::Town, TOWN),
            Self::OtherTown => (Role::Town, OTHER_TOWN),
            Self::District => (Role::District, DISTRICT),
            Self::Fire => (Role::Department(FIRE), DISTRICT),
            Self::City => (Role::Department(CITY), DISTRICT),
            Self::Squad => (Role::Team(SQUAD), TOWN),
            Self::System => (Role::System, DISTRICT),
            Self::Administrator | Self::Clock => (Role::Administrator, DISTRICT),
        };
        let until_ms = match self {
            Self::StandIn => Some(T0 + DAY),
            Self::Former => Some(T0 - DAY),
            _ => None,
        };
        let n = 100 + self as u8;
        let actor = match role {
            Role::Gridworker => Actor::Worker(worker(n)),
            _ => Actor::User(UserId::from_bytes([n; 16])),
        };
        let right = Right {
            role,
            grid,
            from_ms: T0 - 365 * DAY,
            until_ms,
        };
        Person {
            actor,
            rights: vec![right],
        }
    }

    pub(crate) fn worker(self) -> WorkerId {
        match self.person().actor {
            Actor::Worker(worker) => worker,
            actor => panic!("{actor:?} is no worker"),
        }
    }

    pub(crate) fn author(self) -> Author {
        match self.person().actor {
            Actor::Worker(worker) => Author::Worker {
                worker,
                device: DeviceId::from_bytes([5; 16]),
            },
            Actor::User(user) => Author::User { user },
            Actor::Server(server) => Author::Server { server },
        }
    }
}

/// The district, with the catalogue and the calendar that ship.
pub(crate) struct Lanshan {
    pub(crate) catalogue: Catalogue,
    pub(crate) calendar: Calendar,
}

impl Lanshan {
    pub(crate) fn new() -> Self {
        Self {
            catalogue: Catalogue::shipped(),
            calendar: Calendar::shipped(),
        }
    }
}

impl District for Lanshan {
    fn parent(&self, grid: GridId) -> Option<GridId> {
        PARENTS
            .iter()
            .find(|(child, _)| *child == grid)
            .map(|(_, parent)| *parent)
    }

    fn grids_of(&self, worker: WorkerId, at_ms: i64) -> Vec<GridId> {
        let all = P::ALL.into_iter().map(P::person);
        all.filter(|person| person.actor == Actor::Worker(worker))
            .flat_map(|person| person.rights)
            .filter(|right| right.holds_at(at_ms))
            .map(|right| right.grid)
            .collect()
    }

    fn catalogue(&self, version: u32) -> Option<&Catalogue> {
        (version == self.catalogue.version).then_some(&self.catalogue)
    }
}

/// Why an op was not taken.
#[derive(Debug, PartialEq, thiserror::Error)]
pub(crate) enum No {
    #[error(transparent)]
    Breach(Breach),
    #[error(transparent)]
    Refusal(Refusal),
}

impl No {
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Breach(breach) => breach.code(),
            Self::Refusal(refusal) => refusal.code(),
        }
    }
}

/// A record and the time: each op passes the gate and is applied, as phone and
/// server do it.
pub(crate) struct Tale {
    pub(crate) district: Lanshan,
    pub(crate) state: Option<Entity>,
    pub(crate) now: i64,
    /// The ops that were taken.
    pub(crate) log: Vec<OpBody>,
    /// The number of the last op.
    pub(crate) ops: u8,
    kind: &'static str,
}

impl Tale {
    pub(crate) fn of(kind: &'static str) -> Self {
        Self {
            district: Lanshan::new(),
            state: None,
            now: T0,
            log: vec![],
            ops: 0,
            kind,
        }
    }

    /// A reported fire hazard, made by the worker of the base grid.
    pub(crate) fn reported() -> Self {
        let mut tale = Self::of("incident");
        let fields = json!({
            "worker": P::Worker.worker(), "grid": BASE, "catalogue": 1,
            "category": "fire_safety", "subcategory": "stairs_blocked", "severity": "normal",
            "form.premises": "dwelling", "title": "楼道堆物",
            "place": {"lat": 35.05, "lon": 118.34}, "found_ms": T0,
        });
        tale.make(P::Worker, fields).expect("a report");
        tale
    }

    pub(crate) fn entity(&self) -> &Entity {
        self.state.as_ref().expect("it was made")
    }

    pub(crate) fn rights<'a>(&'a self, person: &'a Person) -> Rights<'a> {
        Rights::new(person, &self.district, self.now)
    }

    pub(crate) fn op(&self, by: P, intent: Intent) -> OpBody {
        OpBody {
            v: OP_VERSION,
            id: OpId::from_bytes([self.ops + 1; 16]),
            tenant: TenantId::from_bytes([2; 16]),
            entity: EntityId::from_bytes([3; 16]),
            kind: self.kind.into(),
            by: by.author(),
            prev: None,
            needs: vec![],
            at: Moment {
                wall_ms: self.now,
                boot: BootId::from_bytes([6; 16]),
                mono_ms: 0,
            },
            nonce: "0000000000000000".into(),
            intent,
        }
    }

    pub(crate) fn try_op(&self, by: P, intent: Intent) -> Result<(Option<Entity>, Effect), No> {
        let op = self.op(by, intent);
        let person = by.person();
        let mut state = self.state.clone();
        rules::check(&self.rights(&person), state.as_ref(), &op).map_err(No::Breach)?;
        let effect = apply(&mut state, &op, self.now).map_err(No::Refusal)?;
        Ok((state, effect))
    }

    /// Takes an op a second later.
    pub(crate) fn take(&mut self, by: P, intent: Intent) -> Result<Effect, No> {
        self.now += 1000;
        let (state, effect) = self.try_op(by, intent.clone())?;
        self.log.push(self.op(by, intent));
        self.state = state;
        self.ops += 1;
        Ok(effect)
    }

    pub(crate) fn make(&mut self, by: P, fields: Value) -> Result<Effect, No> {
        let intent = self.creation(fields);
        self.take(by, intent)
    }

    pub(crate) fn creation(&self, fields: Value) -> Intent {
        let fields: BTreeMap<String, Value> = serde_json::from_value(fields).expect("a map");
        let kind = kind::find(self.kind).expect("a kind");
        let home = kind.home_of(&fields).expect("a home");
        Intent::Create { home, fields }
    }

    pub(crate) fn set(&mut self, by: P, name: &str, value: Value) -> Result<Effect, No> {
        let base = self.entity().base(name);
        let change = Change { value, base };
        self.take(by, Intent::Set([(name.to_owned(), change)].into()))
    }

    pub(crate) fn append(&mut self, by: P, list: &str, value: Value) -> Result<Effect, No> {
        let list = list.to_owned();
        self.take(by, Intent::Append { list, value })
    }

    /// The step from where the record stands, with a reason of its own.
    pub(crate) fn transition(&self, to: &str, with: Value) -> Intent {
        let last = self.entity().history.last().expect("a status");
        let with: Map<String, Value> = serde_json::from_value(with).expect("a map");
        Intent::Transition {
            from: last.to.clone(),
            to: to.to_owned(),
            base: last.stamp.op,
            reason: Some(format!("理由 {}", self.ops)),
            with,
        }
    }

    pub(crate) fn step(&mut self, by: P, to: &str, with: Value) -> Result<Effect, No> {
        let intent = self.transition(to, with);
        self.take(by, intent)
    }

    /// Steps that must be taken.
    pub(crate) fn goes(mut self, steps: &[(P, &str, Value)]) -> Self {
        for (by, to, with) in steps {
            let taken = self.step(*by, to, with.clone());
            assert_eq!(taken, Ok(Effect::Applied), "{by:?} → {to}");
        }
        self
    }
}

/// A photo's reference.
pub(crate) fn photo() -> Value {
    json!({"sha256": "ab".repeat(32), "mime": "image/jpeg", "bytes": 10})
}

/// A record with these fields, however it came about.
pub(crate) fn entity(kind: &'static str, fields: Value, at_ms: i64) -> Entity {
    let tale = Tale::of(kind);
    let op = tale.op(P::Worker, tale.creation(fields));
    let mut state = None;
    apply(&mut state, &op, at_ms).expect("a record");
    state.expect("made")
}
