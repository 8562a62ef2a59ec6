//! What operators do, and what they are told when it cannot be done.
#![allow(clippy::expect_used, reason = "what fails here fails the test")]

mod common;

use common::{BASE, LANSHAN, World, boundary, world};
use gridwalk_domain::{GridId, Position, Text};
use gridwalk_server::admin::{
    AdminError, Crs, EnrolFor, FileFault, Import, ImportReport, Settings, Source,
};
use gridwalk_store::{GridRow, Role, StoreError};
use gridwalk_track::geometry::distance_m;

fn import(world: &World, text: &str, crs: Option<Crs>) -> Result<ImportReport, AdminError> {
    let source = Source {
        name: "file",
        bytes: text.as_bytes(),
    };
    world
        .service
        .admin()
        .import_grids(source, &Import { crs, notice: None })
}

fn grids(world: &World) -> Vec<GridRow> {
    gridwalk_store::read::<_, StoreError>(world.service.store(), |tx| tx.grids(world.tenant))
        .expect("reads")
}

#[test]
fn the_same_file_again_changes_nothing_and_a_new_one_keeps_the_ids() {
    let world = world();
    let before = grids(&world);
    let again = import(&world, LANSHAN, None).expect("imports");
    assert_eq!((again.added, again.updated, again.unchanged), (0, 0, 10));
    assert_eq!(grids(&world), before);

    let moved = LANSHAN.replace(
        "371302001002001,371302001002,base,乙一",
        "371302001002001,371302002001,base,乙一改",
    );
    let report = import(&world, &moved, None).expect("imports");
    assert_eq!((report.added, report.updated, report.unchanged), (0, 1, 9));
    let after = grids(&world);
    let find = |rows: &[GridRow], code: &str| {
        rows.iter()
            .find(|row| row.code.as_str() == code)
            .expect("there")
            .clone()
    };
    let (old, new) = (find(&before, BASE[2]), find(&after, BASE[2]));
    assert_eq!(old.id, new.id);
    assert_eq!(new.parent, Some(find(&after, "371302002001").id));
    assert_eq!(new.name, "乙一改");
    // Rights follow the parent at once, not the code's first digits.
    let cookie = world.login("town-2", Role::Town, "371302002");
    let seen = world.look(&cookie, "/api/grids").to_string();
    assert!(seen.contains(&new.id.to_string()));
}

#[test]
fn children_may_come_before_their_parents() {
    let world = world();
    let text = "code,parent,level,name,synthetic\n371302009009009,371302009009,base,新一,true\n\
                371302009009,371302009,community,新社区,\n371302009,371302,town,新镇,false\n";
    let report = import(&world, text, None).expect("imports");
    assert_eq!((report.added, report.tenant), (3, world.tenant));
    let synthetic: Vec<_> = grids(&world)
        .iter()
        .filter(|row| row.synthetic)
        .map(|row| row.name.clone())
        .collect();
    assert_eq!(synthetic, ["甲一", "新一"]);
}

#[test]
fn a_bad_file_says_where_and_changes_nothing() {
    let world = world();
    let before = grids(&world);
    let head = "code,parent,level,name\n";
    let cases: Vec<(String, usize, FileFault)> = vec![
        (
            format!("{head}371302010,371302,town,好\n371302011,371399,town,坏\n"),
            3,
            FileFault::UnknownParent("371399".into()),
        ),
        (
            format!("{head}37-1302,371302,town,x\n"),
            2,
            FileFault::BadCode("37-1302".into()),
        ),
        (
            format!("{head}371302010,371302,village,x\n"),
            2,
            FileFault::BadLevel("village".into()),
        ),
        (
            format!("{head}371302010,371302,town,\n"),
            2,
            FileFault::BadName,
        ),
        (
            format!("{head}371302010,,town,x\n"),
            2,
            FileFault::ParentMissing,
        ),
        (
            format!("{head}371302,371302001,district,x\n"),
            2,
            FileFault::ParentMissing,
        ),
        (
            format!("{head}371302010,371302001001,town,x\n"),
            2,
            FileFault::ParentNotAbove("371302001001".into()),
        ),
        (
            format!("{head}371302010,371302,town,x\n371302010,371302,town,y\n"),
            3,
            FileFault::Twice("371302010".into()),
        ),
        (
            format!("{head}371302,,district,x\n371313,,district,y\n"),
            3,
            FileFault::SecondDistrict("371313".into()),
        ),
        (
            format!("{head}371302001,371302,town,x\n371312009,371312,town,y\n"),
            3,
            FileFault::UnknownParent("371312".into()),
        ),
        (head.to_owned(), 1, FileFault::Empty),
    ];
    for (text, line, why) in cases {
        let expected = AdminError::File {
            file: "file".into(),
            line,
            why,
        };
        assert_eq!(import(&world, &text, None), Err(expected), "{text}");
    }
    for unreadable in ["a,b\n1,2\n", "code,parent,level,name\nx\n", ""] {
        let error = import(&world, unreadable, None).expect_err("refused");
        assert!(matches!(error, AdminError::File { .. }), "{error}");
    }
    assert_eq!(grids(&world), before);
}

#[test]
fn boundaries_name_their_system_and_arrive_in_wgs84() {
    let world = world();
    let map = boundary(BASE[1], "371302001001", "甲二", 118.35, 35.06);
    assert_eq!(
        import(&world, &map, None),
        Err(AdminError::NoCrs {
            file: "file".into()
        })
    );
    let corner = |crs| {
        import(&world, &map, Some(crs)).expect("imports");
        let id = world.grid(BASE[1]);
        let found = gridwalk_store::read::<_, StoreError>(world.service.store(), |tx| {
            tx.boundaries(world.tenant, Some(&[id]))
        });
        let (_, json): &(GridId, String) = &found.expect("reads")[0];
        let rings: Vec<Vec<Vec<[f64; 2]>>> = serde_json::from_str(json).expect("reads");
        let ring = &rings[0][0];
        assert_eq!((ring.len(), ring.first()), (5, ring.last()));
        Position {
            lat: ring[0][1],
            lon: ring[0][0],
        }
    };
    let named = Position {
        lat: 35.06,
        lon: 118.35,
    };
    assert!(distance_m(corner(Crs::Wgs84), named) < 0.01);
    let shifted = distance_m(corner(Crs::Gcj02), named);
    assert!((100.0..1_000.0).contains(&shifted), "{shifted} m");
    let shifted = distance_m(corner(Crs::Bd09), named);
    assert!((300.0..2_000.0).contains(&shifted), "{shifted} m");

    let ring = |coordinates: &str| {
        let feature = serde_json::json!({"type": "FeatureCollection", "features": [{"type": "Feature",
            "properties": {"code": BASE[1], "parent": "371302001001", "level": "base", "name": "x"},
            "geometry": serde_json::from_str::<serde_json::Value>(coordinates).expect("JSON")}]});
        import(&world, &feature.to_string(), Some(Crs::Wgs84))
    };
    let bad = |why| {
        Err(AdminError::File {
            file: "file".into(),
            line: 1,
            why,
        })
    };
    let open = r#"{"type":"Polygon","coordinates":[[[1,1],[2,1],[2,2],[1,2]]]}"#;
    assert_eq!(ring(open), bad(FileFault::BadRing));
    let off = r#"{"type":"Polygon","coordinates":[[[1,1],[2,1],[2,95],[1,1]]]}"#;
    assert_eq!(ring(off), bad(FileFault::BadRing));
    assert_eq!(
        ring(r#"{"type":"Point","coordinates":[1,1]}"#),
        bad(FileFault::NoPolygon)
    );
    assert!(ring("null").is_ok(), "a grid without a boundary");
    let error = import(&world, "{\"type\":", Some(Crs::Wgs84)).expect_err("refused");
    assert!(matches!(error, AdminError::File { .. }), "{error}");
}

#[test]
fn people_need_a_grid_of_their_level() {
    let world = world();
    let admin = world.service.admin();
    let unknown = || AdminError::UnknownGrid("371399".into());
    assert_eq!(admin.add_user("a", Role::Town, "371399"), Err(unknown()));
    assert_eq!(admin.add_worker("a", "371399"), Err(unknown()));
    let wrong = admin.add_user("a", Role::Town, "371302");
    assert!(
        matches!(wrong, Err(AdminError::WrongLevel { .. })),
        "{wrong:?}"
    );
    let wrong = admin.add_worker("a", "371302001001");
    assert!(
        matches!(wrong, Err(AdminError::WrongLevel { .. })),
        "{wrong:?}"
    );
    for bad in ["", "  ", "a\nb", &"长".repeat(101)] {
        assert_eq!(
            admin.add_worker(bad, BASE[0]),
            Err(AdminError::BadName),
            "{bad}"
        );
    }
    let user = admin
        .add_user("a", Role::Town, "371302001")
        .expect("a user");
    assert_eq!(user.password.len(), 19);
    let again = admin.add_user("a", Role::Town, "371302001");
    assert_eq!(again, Err(AdminError::UserExists("a".into())));
}

#[test]
fn a_code_is_for_a_worker_who_is_known_or_made() {
    let world = world();
    let admin = world.service.admin();
    let whom = |worker, grid| EnrolFor { worker, grid };
    assert_eq!(
        admin.enrol(whom("王", None)),
        Err(AdminError::UnknownWorker("王".into()))
    );
    let made = admin.enrol(whom("王", Some(BASE[0]))).expect("a code");
    let again = admin.enrol(whom("王", None)).expect("a code");
    assert_eq!(made.worker, again.worker);
    assert_ne!(made.code, again.code);
    let id = made.worker.to_string();
    let by_id = admin.enrol(whom(&id, None)).expect("a code");
    assert_eq!((by_id.worker, by_id.name.as_str()), (made.worker, "王"));
    admin
        .add_worker("王", BASE[1])
        .expect("another one of the name");
    assert_eq!(
        admin.enrol(whom("王", None)),
        Err(AdminError::AmbiguousWorker("王".into()))
    );
}

#[test]
fn settings_are_the_districts() {
    let world = world();
    let admin = world.service.admin();
    let notice = Text {
        zh: "演示".into(),
        en: "Demo".into(),
    };
    let set = Settings {
        notice: Some(notice.clone()),
        utc_offset_min: Some(360),
    };
    assert_eq!(
        admin.settings_of(None, &set),
        Err(AdminError::ChooseDistrict)
    );
    admin.settings_of(Some("371312"), &set).expect("sets");
    let rows = admin.tenants().expect("reads");
    let row = |id| rows.iter().find(|row| row.id == id).expect("there");
    assert_eq!(
        (&row(world.other).notice, row(world.other).utc_offset_min),
        (&Some(notice), 360)
    );
    assert_eq!(
        (&row(world.tenant).notice, row(world.tenant).utc_offset_min),
        (&None, 480)
    );
    let empty = Text {
        zh: String::new(),
        en: String::new(),
    };
    let clear = Settings {
        notice: Some(empty),
        utc_offset_min: None,
    };
    admin.settings_of(Some("371312"), &clear).expect("sets");
    assert_eq!(
        admin
            .tenants()
            .expect("reads")
            .iter()
            .filter(|r| r.notice.is_some())
            .count(),
        0
    );
}
