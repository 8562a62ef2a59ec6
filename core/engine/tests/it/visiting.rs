//! Sites come from the server, are visited by walking or by hand, and what is
//! missed has its reason.

use gridwalk_domain::wire::Outcome;
use gridwalk_domain::{
    Author, BootId, DeviceId, EntityId, Every, Intent, Moment, OP_VERSION, OpBody, OpId, UserId,
};
use gridwalk_engine::track::coverage::duty::{By, Miss, Period, Reason};
use gridwalk_engine::{CoverageView, Engine, EngineError, NewCheckIn, SiteView, SyncOptions};
use serde_json::{Value, json};

use crate::server::FakeServer;
use crate::support::{Phone, START_MS};

/// Somebody on the page makes a site; `north_m` of where the walk begins.
fn give_site(server: &FakeServer, n: u8, north_m: f64, more: Value) -> EntityId {
    let id = EntityId::from_bytes([n; 16]);
    let lat = 35.1 + north_m / 111_320.0;
    let mut fields = json!({
        "grid": server.grid.id, "name": format!("必到点 {n}"), "every": "day",
        "place": { "lat": lat, "lon": 118.35 }, "radius_m": 30,
    });
    if let (Some(fields), Some(more)) = (fields.as_object_mut(), more.as_object()) {
        fields.extend(more.clone());
    }
    let fields = serde_json::from_value(fields).expect("fields");
    let body = OpBody {
        v: OP_VERSION,
        id: OpId::from_bytes([n; 16]),
        tenant: server.tenant,
        entity: id,
        kind: "site".into(),
        by: Author::User {
            user: UserId::from_bytes([8; 16]),
        },
        prev: None,
        needs: vec![],
        at: Moment {
            wall_ms: START_MS - 86_400_000,
            boot: BootId::from_bytes([8; 16]),
            mono_ms: 0,
        },
        nonce: "0".repeat(16),
        intent: Intent::Create {
            home: server.stream(),
            fields,
        },
    };
    server.with(|state| {
        let sealed = body.seal().expect("seals");
        let outcome = server.judge(state, DeviceId::from_bytes([8; 16]), &sealed, &body);
        assert!(matches!(outcome, Outcome::Applied { .. }), "{outcome:?}");
    });
    id
}

fn sync(engine: &Engine, server: &FakeServer) {
    engine.sync(server, SyncOptions::default()).expect("syncs");
}

fn coverage(engine: &Engine) -> CoverageView {
    engine.coverage().expect("reads")
}

fn site(view: &CoverageView, id: EntityId) -> &SiteView {
    view.sites.iter().find(|s| s.site.id == id).expect("listed")
}

fn here(site: EntityId) -> NewCheckIn {
    NewCheckIn {
        site,
        missed: None,
        note: None,
        place: None,
    }
}

#[test]
fn a_site_comes_down_and_is_credited_where_the_walk_passes() {
    for keyed in [false, true] {
        let (phone, server) = (Phone::new(keyed), FakeServer::new());
        let engine = phone.enrolled(&server);
        assert_eq!(
            (coverage(&engine).due, coverage(&engine).sites.len()),
            (0, 0)
        );
        let passed = give_site(&server, 21, 120.0, json!({}));
        let beyond = give_site(&server, 22, 900.0, json!({ "sort": "school" }));
        let each_patrol = give_site(&server, 23, 240.0, json!({ "every": "patrol" }));
        sync(&engine, &server);
        let before = coverage(&engine);
        assert_eq!((before.due, before.met, before.sites.len()), (2, 0, 3));
        assert_eq!(site(&before, each_patrol).unit, None, "no patrol yet");
        assert_eq!(site(&before, beyond).site.sort.as_deref(), Some("school"));

        engine.start_shift(None).expect("begins");
        engine.start_patrol().expect("starts");
        phone.walk(&engine, 300);
        let during = coverage(&engine);
        assert_eq!((during.due, during.met), (3, 2));
        let unit = site(&during, passed).unit.clone().expect("due");
        assert!(
            matches!(unit.visits[0].by, By::Route(m) if m < 2.0),
            "{unit:?}"
        );
        let unit = site(&during, beyond).unit.clone().expect("due");
        assert_eq!(unit.reason, Some(Reason::NotYet));
        let unit = site(&during, each_patrol).unit.clone().expect("due");
        assert!(unit.met() && matches!(unit.period, Period::Patrol(_)));

        // It survives the app's end, and the patrol's.
        engine.finish_patrol().expect("finishes");
        drop(engine);
        let engine = phone.open();
        let after = coverage(&engine);
        assert_eq!((after.due, after.met), (3, 2));
    }
}

#[test]
fn a_check_in_by_hand_is_durable_counts_and_reaches_the_server() {
    let (phone, server) = (Phone::new(true), FakeServer::new());
    let site_id = give_site(&server, 21, 900.0, json!({}));
    let engine = phone.enrolled(&server);
    sync(&engine, &server);
    assert_eq!(engine.check_in(here(site_id)), Err(EngineError::NoShift));
    engine.start_shift(None).expect("begins");
    let unknown = EntityId::from_bytes([99; 16]);
    assert_eq!(engine.check_in(here(unknown)), Err(EngineError::NotFound));
    engine.start_patrol().expect("starts");
    phone.walk(&engine, 20);
    let id = engine.check_in(here(site_id)).expect("checks in");
    drop(engine);
    let engine = phone.open();
    let view = coverage(&engine);
    let unit = site(&view, site_id).unit.clone().expect("due");
    assert!(unit.met());
    // Where the patrol's last fix was, and how far that is from the site.
    assert!(matches!(unit.visits[0].by, By::Hand(Some(m)) if (860.0..900.0).contains(&m)));
    sync(&engine, &server);
    server.with(|state| {
        let record = state.state(id).expect("there");
        assert_eq!(
            (record.kind.as_str(), record.text("site")),
            ("checkin", Some(&*site_id.to_string()))
        );
        assert!(record.text("patrol").is_some() && record.value("place").is_some());
    });
    assert!(
        coverage(&engine).sites[0]
            .unit
            .as_ref()
            .is_some_and(|unit| unit.met())
    );
}

#[test]
fn why_a_site_was_missed_is_said_by_the_worker_or_by_the_route() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let locked = give_site(&server, 21, 2000.0, json!({ "every": "patrol" }));
    let in_gap = give_site(&server, 22, 200.0, json!({ "every": "patrol" }));
    let far = give_site(&server, 23, 2500.0, json!({ "every": "patrol" }));
    let engine = phone.enrolled(&server);
    sync(&engine, &server);
    engine.start_shift(None).expect("begins");
    engine.start_patrol().expect("starts");
    phone.walk(&engine, 60);
    let no_entry = NewCheckIn {
        missed: Some("locked".into()),
        note: Some("大门上锁".into()),
        ..here(locked)
    };
    engine.check_in(no_entry).expect("says so");
    let bad = NewCheckIn {
        missed: Some("Not A Word".into()),
        ..here(locked)
    };
    assert!(matches!(
        engine.check_in(bad),
        Err(EngineError::Invalid { .. })
    ));
    engine.pause_patrol().expect("pauses");
    phone.clock.pass(200_000);
    engine.resume_patrol().expect("resumes");
    phone.walk(&engine, 60);
    engine.finish_patrol().expect("finishes");
    let view = coverage(&engine);
    assert_eq!((view.due, view.met), (3, 0));
    let reason = |id| site(&view, id).unit.clone().and_then(|unit| unit.reason);
    let said = Reason::Said("locked".into(), Some("大门上锁".into()));
    assert_eq!(reason(locked), Some(said));
    let paused = Reason::Route(Miss::Gap(gridwalk_domain::GapCause::Paused));
    assert_eq!(reason(in_gap), Some(paused));
    assert!(matches!(reason(far), Some(Reason::Route(Miss::NotNear(Some(m)))) if m > 2000.0));
}

#[test]
fn a_weekly_site_that_was_visited_on_another_day_of_the_week_is_met() {
    // START_MS is a Saturday: the day after is still of the same week.
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let weekly = give_site(&server, 21, 120.0, json!({ "every": "week" }));
    let engine = phone.enrolled(&server);
    sync(&engine, &server);
    engine.start_shift(None).expect("begins");
    engine.start_patrol().expect("starts");
    phone.walk(&engine, 200);
    engine.finish_patrol().expect("finishes");
    let met = |engine: &Engine| {
        let view = coverage(engine);
        assert_eq!(site(&view, weekly).site.every, Every::Week);
        site(&view, weekly).unit.clone().expect("due").met()
    };
    assert!(met(&engine));
    phone.clock.pass(86_400_000);
    assert!(met(&engine), "on Sunday");
    phone.clock.pass(86_400_000);
    assert!(!met(&engine), "on Monday a new week begins");
}
