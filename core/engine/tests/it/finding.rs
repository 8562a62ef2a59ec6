//! Lists and searches: what is found is what is shown, whatever happened.

use gridwalk_domain::wire::{Outcome, Reason};
use gridwalk_domain::{Change, EntityId, Intent, Position, search};
use gridwalk_engine::track::geometry::distance_m;
use gridwalk_engine::{
    Engine, EngineError, IncidentQuery, IncidentView, Invitation, Near, NewIncident, Place, Sort,
};
use proptest::prelude::*;
use rusqlite::Connection;
use serde_json::json;
use std::collections::BTreeSet;

use crate::server::{FakeServer, World};
use crate::support::Phone;
use crate::talk::{elsewhere, report, sync};

const DAY_MS: i64 = 24 * 3_600_000;
const TITLES: [&str; 4] = ["三楼楼道堆放杂物", "ＡＢ座　漏水", "ab座 噪音", "楼梯灯坏"];
const CATEGORIES: [&str; 2] = ["other", "hygiene"];
const MIDDLE: Position = Position {
    lat: 35.1,
    lon: 118.35,
};

/// What the query names, found by looking at all that is shown.
fn by_a_scan(engine: &Engine, query: &IncidentQuery) -> Vec<IncidentView> {
    let distance = |near: Near, view: &IncidentView| {
        let place = view
            .place
            .map(|Place { lat, lon, .. }| Position { lat, lon });
        place.map(|place| distance_m(near.position, place))
    };
    let day = |view: &IncidentView| (view.found_ms + 8 * 3_600_000).div_euclid(DAY_MS);
    let mut all = engine.incidents().expect("reads");
    all.retain(|view| {
        let text = format!(
            "{}\n{}",
            view.title,
            view.description.as_deref().unwrap_or("")
        );
        let text = search::folded(&text);
        query
            .status
            .as_ref()
            .is_none_or(|status| *status == view.status)
            && query
                .category
                .as_ref()
                .is_none_or(|code| *code == view.category)
            && query.day.is_none_or(|asked| asked.day() == day(view))
            && query
                .text
                .as_ref()
                .is_none_or(|asked| search::matches(&text, &search::folded(asked)))
            && query
                .near
                .is_none_or(|near| distance(near, view).is_some_and(|far| far <= near.within_m))
    });
    if let (Sort::Nearest, Some(near)) = (query.sort, query.near) {
        all.sort_by(|a, b| {
            distance(near, a)
                .partial_cmp(&distance(near, b))
                .expect("numbers")
        });
    }
    all
}

fn queries() -> Vec<IncidentQuery> {
    let near = |within_m| {
        Some(Near {
            position: MIDDLE,
            within_m,
        })
    };
    let text = |text: &str| IncidentQuery {
        text: Some(text.into()),
        ..IncidentQuery::default()
    };
    let status = |status: &str| IncidentQuery {
        status: Some(status.into()),
        ..IncidentQuery::default()
    };
    let day = |day: &str| IncidentQuery {
        day: day.parse().ok(),
        ..IncidentQuery::default()
    };
    vec![
        IncidentQuery::default(),
        status("reported"),
        status("escalated"),
        IncidentQuery {
            category: Some("hygiene".into()),
            ..IncidentQuery::default()
        },
        day("2025-11-22"),
        day("2025-11-23"),
        text("楼道"),
        text("AB座"),
        text("座 水"),
        text(" "),
        IncidentQuery {
            near: near(300.0),
            ..IncidentQuery::default()
        },
        IncidentQuery {
            near: near(5_000.0),
            sort: Sort::Nearest,
            ..text("楼")
        },
    ]
}

/// Everything that is found is what a scan finds, page by page.
fn assert_found(engine: &Engine) {
    for query in queries() {
        let all = by_a_scan(engine, &query);
        let mut found = Vec::new();
        loop {
            let page = IncidentQuery {
                offset: found.len(),
                limit: 3,
                ..query.clone()
            };
            let page = engine.find_incidents(&page).expect("finds");
            assert_eq!(page.total, all.len(), "{query:?}");
            if page.incidents.is_empty() {
                break;
            }
            found.extend(page.incidents);
        }
        assert_eq!(found, all, "{query:?}");
    }
}

#[derive(Clone, Debug)]
enum Step {
    Report {
        title: usize,
        category: usize,
        metres: Option<u32>,
        refused: bool,
    },
    Retitle(usize, usize),
    Up(usize),
    Delete(usize),
    Elsewhere(usize, usize),
    Purge(usize),
    Sync,
    Days(u8),
    BackUp,
    Restore,
    LoseGrid,
    GainGrid,
    LogOut,
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    let at = || 0_usize..6;
    let title = || 0..TITLES.len();
    let report = (
        title(),
        0_usize..2,
        proptest::option::of(0_u32..2_000),
        proptest::bool::weighted(0.1),
    );
    prop_oneof![
        6 => report.prop_map(|(title, category, metres, refused)| Step::Report { title, category, metres, refused }),
        3 => (at(), title()).prop_map(|(at, title)| Step::Retitle(at, title)),
        2 => at().prop_map(Step::Up),
        2 => at().prop_map(Step::Delete),
        3 => (at(), title()).prop_map(|(at, title)| Step::Elsewhere(at, title)),
        1 => at().prop_map(Step::Purge),
        6 => Just(Step::Sync),
        2 => (1_u8..16).prop_map(Step::Days),
        1 => Just(Step::BackUp),
        1 => Just(Step::Restore),
        1 => Just(Step::LoseGrid),
        2 => Just(Step::GainGrid),
        1 => Just(Step::LogOut),
        2 => Just(Step::Reopen),
    ]
}

struct Walk {
    phone: Phone,
    server: FakeServer,
    engine: Option<Engine>,
    made: Vec<EntityId>,
    backup: Option<World>,
    users: u8,
    changes: usize,
}

impl Walk {
    fn new() -> Self {
        let (phone, server) = (Phone::new(false), FakeServer::new());
        let engine = Some(phone.enrolled(&server));
        Self {
            phone,
            server,
            engine,
            made: vec![],
            backup: None,
            users: 0,
            changes: 0,
        }
    }

    fn engine(&self) -> &Engine {
        self.engine.as_ref().expect("open")
    }

    fn at(&self, at: usize) -> Option<EntityId> {
        self.made.iter().rev().nth(at).copied()
    }

    /// Does it; what cannot be done now is refused, and that is as good.
    fn step(&mut self, step: &Step) {
        self.phone.clock.pass(60_000);
        let engine = self.engine.as_ref().expect("open");
        match step {
            Step::Report {
                title,
                category,
                metres,
                refused,
            } => {
                let _ = engine.start_shift(None);
                let place = metres.map(|metres| Place {
                    lat: MIDDLE.lat + f64::from(metres) / 111_195.0,
                    lon: MIDDLE.lon,
                    accuracy_m: None,
                });
                let title = TITLES[*title].to_owned();
                if *refused {
                    let reason = Reason {
                        code: "bad_value".into(),
                        text: "no".into(),
                    };
                    let outcome = Outcome::Rejected { reason };
                    self.server
                        .with(|state| state.refuse.insert(title.clone(), outcome));
                }
                let new = NewIncident {
                    category: CATEGORIES[*category].into(),
                    title,
                    place,
                    ..NewIncident::default()
                };
                self.made.extend(engine.report_incident(new));
            }
            Step::Retitle(at, title) => {
                let Some(id) = self.at(*at) else { return };
                let _ = engine.edit(id, [("title".to_owned(), json!(TITLES[*title]))].into());
            }
            Step::Up(at) => {
                let Some(id) = self.at(*at) else { return };
                let _ = engine.step(id, "escalated", Some("需要"), crate::support::holder());
            }
            Step::Delete(at) => {
                let Some(id) = self.at(*at) else { return };
                let _ = engine.delete(id);
            }
            Step::Elsewhere(at, title) => self.elsewhere(*at, *title),
            Step::Purge(at) => {
                let Some(id) = self.at(*at) else { return };
                self.server.with(|state| state.purge(id));
            }
            Step::Sync => drop(sync(engine, &self.server)),
            Step::Days(days) => {
                self.server.verify_backup();
                self.phone.clock.pass_days(i64::from(*days));
            }
            Step::BackUp => self.backup = Some(self.server.back_up()),
            Step::Restore => {
                if let Some(backup) = self.backup.take() {
                    self.server.restore(backup, true);
                }
            }
            Step::LoseGrid => self
                .server
                .with(|state| state.assigned.values_mut().for_each(Vec::clear)),
            Step::GainGrid => self.server.with(|state| {
                let grid = self.server.grid.clone();
                state
                    .assigned
                    .values_mut()
                    .for_each(|grids| *grids = vec![grid.clone()]);
            }),
            Step::LogOut => {
                let _ = engine.log_out(true);
                assert_found(engine);
                self.users += 1;
                let code = format!("NEXT{}", self.users);
                self.server.hire(0x60 + self.users, &code);
                let invitation = Invitation::parse(&code, Some("https://test")).expect("reads");
                let _ = engine.enrol(&self.server, &invitation);
            }
            Step::Reopen => {
                self.engine = None;
                self.engine = Some(self.phone.open());
            }
        }
    }

    fn elsewhere(&mut self, at: usize, title: usize) {
        let Some(id) = self.at(at) else { return };
        let base = self
            .server
            .with(|state| state.state(id).and_then(|state| state.base("title")));
        if base.is_none()
            || self
                .server
                .with(|state| state.purged_entities.contains(&id))
        {
            return;
        }
        self.changes += 1;
        let value = json!(format!("{}{}", TITLES[title], self.changes));
        elsewhere(
            &self.server,
            id,
            Intent::Set([("title".into(), Change { value, base })].into()),
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_is_found_is_what_is_shown_after_anything(steps in proptest::collection::vec(step(), 1..40)) {
        let mut walk = Walk::new();
        for step in &steps {
            walk.step(step);
            assert_found(walk.engine());
        }
    }
}

/// Titles in the index, as the file has them.
fn in_the_file(phone: &Phone) -> BTreeSet<String> {
    let conn = Connection::open(phone.path()).expect("opens");
    let mut query = conn.prepare("SELECT text FROM found").expect("reads");
    let rows = query.query_map([], |row| row.get(0)).expect("reads");
    rows.collect::<Result<_, _>>().expect("reads")
}

#[test]
fn what_left_the_screen_is_out_of_the_index_in_the_same_transaction() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = phone.enrolled(&server);
    engine.start_shift(None).expect("begins");
    let purged = report(&engine, "甲", &[]);
    report(&engine, "乙", &[]);
    sync(&engine, &server).expect("syncs");
    server.with(|state| state.purge(purged));
    sync(&engine, &server).expect("syncs");
    drop(engine);
    assert_eq!(in_the_file(&phone), ["乙".to_owned()].into());
    let engine = phone.open();
    engine.log_out(true).expect("logs out");
    drop(engine);
    assert_eq!(in_the_file(&phone), [].into());
}

#[test]
fn another_version_of_the_app_makes_the_index_anew() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = phone.enrolled(&server);
    engine.start_shift(None).expect("begins");
    report(&engine, "甲", &[]);
    drop(engine);
    let conn = Connection::open(phone.path()).expect("opens");
    conn.execute("DELETE FROM found", []).expect("deletes");
    drop(conn);
    let mut config = phone.config();
    config.app = "1".into();
    let engine = Engine::open(config).expect("opens");
    assert_found(&engine);
    assert_eq!(
        engine
            .find_incidents(&IncidentQuery::default())
            .expect("finds")
            .total,
        1
    );
}

#[test]
fn a_query_that_cannot_be_meant_says_which_part() {
    let phone = Phone::new(false);
    let engine = phone.open();
    let near = |lat, within_m| Near {
        position: Position { lat, lon: 0.0 },
        within_m,
    };
    let all = IncidentQuery::default;
    let bad = [
        (
            "status",
            IncidentQuery {
                status: Some("gone".into()),
                ..all()
            },
        ),
        (
            "text",
            IncidentQuery {
                text: Some("楼".repeat(101)),
                ..all()
            },
        ),
        (
            "near",
            IncidentQuery {
                near: Some(near(91.0, 1.0)),
                ..all()
            },
        ),
        (
            "near",
            IncidentQuery {
                near: Some(near(0.0, -1.0)),
                ..all()
            },
        ),
        (
            "near",
            IncidentQuery {
                near: Some(near(0.0, f64::NAN)),
                ..all()
            },
        ),
        (
            "sort",
            IncidentQuery {
                sort: Sort::Nearest,
                ..all()
            },
        ),
        ("limit", IncidentQuery { limit: 0, ..all() }),
        (
            "limit",
            IncidentQuery {
                limit: 501,
                ..all()
            },
        ),
    ];
    for (part, query) in bad {
        let said = engine.find_incidents(&query);
        let Err(EngineError::Invalid { field, .. }) = said else {
            panic!("{part}: {said:?}");
        };
        assert_eq!(field, part);
    }
}
