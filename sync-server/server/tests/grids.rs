//! Grids that are split, merged and moved: nobody loses sight of anything.
#![allow(clippy::expect_used, reason = "what fails here fails the test")]

mod common;

use common::phone::{reason, seq};
use common::{BASE, HOUR, Phone, World, boundary, world};
use gridwalk_domain::{GridId, Intent, OpBody, StreamKey};
use gridwalk_server::admin::{AdminError, Crs, Import, Source};
use gridwalk_store::AssignmentRow;
use serde_json::json;

const EAST: &str = "371302001001005";
const WEST: &str = "371302001001006";

/// Two grids of some 500 m, side by side, west and east.
fn halves(world: &World) -> [GridId; 2] {
    for (code, name, lon) in [(WEST, "甲西", 118.30), (EAST, "甲东", 118.305)] {
        import_square(world, code, name, lon, 35.05);
    }
    [world.grid(WEST), world.grid(EAST)]
}

fn import_square(world: &World, code: &str, name: &str, lon: f64, lat: f64) {
    let map = boundary(code, "371302001001", name, lon, lat);
    let source = Source {
        name: "half.geojson",
        bytes: map.as_bytes(),
    };
    let import = Import {
        crs: Some(Crs::Wgs84),
        ..Import::default()
    };
    world
        .service
        .admin()
        .import_grids(source, &import)
        .expect("imports");
}

/// An incident at a longitude, or nowhere.
fn incident(phone: &mut Phone, title: &str, lon: Option<f64>) -> OpBody {
    let mut op = phone.incident(title);
    if let Intent::Create { fields, .. } = &mut op.intent {
        match lon {
            Some(lon) => fields.insert("place".into(), json!({"lat": 35.052, "lon": lon})),
            None => {
                fields.remove("place");
                fields.insert("address".into(), json!("某处"))
            }
        };
    }
    op
}

fn titles(phone: &Phone, grid: GridId) -> Vec<String> {
    let entities = phone.read(StreamKey::Records(grid)).into_values();
    let mut titles: Vec<String> = entities
        .filter_map(|entity| Some(entity.state?.text("title")?.to_owned()))
        .collect();
    titles.sort();
    titles
}

#[test]
fn a_split_lists_open_records_where_they_lie() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    let west = incident(&mut phone, "in the west", Some(118.302));
    let east = incident(&mut phone, "in the east", Some(118.308));
    let nowhere = incident(&mut phone, "nowhere", None);
    let outside = incident(&mut phone, "outside", Some(119.0));
    let mut closed = incident(&mut phone, "closed", Some(118.302));
    if let Intent::Create { fields, .. } = &mut closed.intent {
        // Of a category that its gridworker may close.
        fields.insert("category".into(), json!("other"));
        fields.remove("form.premises");
    }
    let step = |phone: &mut Phone, from: &str, to: &str, base| Intent::Transition {
        from: from.into(),
        to: to.into(),
        base,
        reason: Some(phone.device.to_string()),
        with: [("note".to_owned(), json!("已处理"))].into_iter().collect(),
    };
    let handled = step(&mut phone, "reported", "handled_on_site", closed.id);
    let handled = phone.body("incident", closed.entity, handled);
    let done = step(&mut phone, "handled_on_site", "closed", handled.id);
    let done = phone.body("incident", closed.entity, done);
    let all = [
        west.clone(),
        east,
        nowhere,
        outside,
        closed.clone(),
        handled,
        done,
    ];
    assert!(phone.push(&all).iter().all(|o| seq(o) > 0));
    let old = phone.grid;
    let before = phone.read(phone.records());

    let [w, e] = halves(&world);
    world.clock.turn(HOUR);
    let admin = world.service.admin();
    admin.split_grid(BASE[0], &[WEST, EAST]).expect("splits");
    // Their worker works in both now, and in the old one no more.
    let scope = phone.hello().scope.expect("a scope");
    let ids: Vec<_> = scope.grids.iter().map(|grid| grid.id).collect();
    assert_eq!(ids.len(), 2);
    assert!(ids.contains(&w) && ids.contains(&e));
    assert!(!scope.streams.contains(&StreamKey::Records(old)));
    let everywhere = ["nowhere", "outside"];
    assert_eq!(
        titles(&phone, w),
        ["in the west", everywhere[0], everywhere[1]]
    );
    assert_eq!(
        titles(&phone, e),
        ["in the east", everywhere[0], everywhere[1]]
    );
    let there = phone.read(StreamKey::Records(w));
    let (moved, was) = (&there[&west.entity], &before[&west.entity]);
    assert_eq!(
        (moved.rev, &moved.state),
        (was.rev, &was.state),
        "no change of its own"
    );

    // What still arrives for the old grid is listed where it lies, changes of the
    // closed record too, and numbered in each stream by itself.
    let edit = phone.set_title(west.entity, "in the west, edited", west.id);
    let late = incident(&mut phone, "late, in the east", Some(118.308));
    let comment = phone.append(closed.entity, "comments", json!({"text": "x"}));
    for outcome in phone.push(&[edit, late.clone(), comment]) {
        assert!(seq(&outcome) > 0, "{outcome:?}");
    }
    assert_eq!(
        titles(&phone, w),
        ["closed", "in the west, edited", "nowhere", "outside"]
    );
    assert!(titles(&phone, e).contains(&"late, in the east".to_owned()));
    assert_eq!(phone.read(StreamKey::Records(w))[&west.entity].rev, 2);
    // In the old stream the record goes on, too.
    let row = world.stored(|tx| tx.entities(world.tenant, &[west.entity]));
    assert_eq!(row[0].listed.len(), 2);
    assert_eq!(row[0].home, StreamKey::Records(old));
}

#[test]
fn a_worker_of_a_successor_may_write_for_the_old_grid() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    let mut stranger = world.phone("李", BASE[1]);
    let create = phone.incident("v1");
    phone.push_one(&create);
    halves(&world);
    world.clock.turn(HOUR);
    let admin = world.service.admin();
    admin.split_grid(BASE[0], &[WEST, EAST]).expect("splits");
    let mut colleague = world.phone("赵", EAST);
    world.clock.turn(HOUR);
    let edit = colleague.append(create.entity, "comments", json!({"text": "x"}));
    assert!(seq(&colleague.push_one(&edit)) > 0);
    let theirs = stranger.append(create.entity, "comments", json!({"text": "x"}));
    assert_eq!(
        reason(&stranger.push_one(&theirs)),
        "quarantined out_of_scope"
    );
    // A split of a split.
    for (code, name, lon) in [
        ("371302001001007", "东一", 118.305),
        ("371302001001008", "东二", 118.307),
    ] {
        import_square(&world, code, name, lon, 35.05);
    }
    let into = ["371302001001007", "371302001001008"];
    admin.split_grid(EAST, &into).expect("splits again");
    world.clock.turn(HOUR);
    let edit = colleague.append(create.entity, "comments", json!({"text": "y"}));
    assert!(seq(&colleague.push_one(&edit)) > 0);
    let row = world.stored(|tx| tx.entities(world.tenant, &[create.entity]));
    let streams: Vec<_> = row[0].listed.iter().map(|one| one.stream).collect();
    let west = StreamKey::Records(world.grid(WEST));
    assert!(
        streams.contains(&west) && !streams.contains(&StreamKey::Records(world.grid(into[0]))),
        "its place lies in the west: {streams:?}"
    );
}

#[test]
fn merged_grids_go_on_as_one() {
    let world = world();
    let mut one = world.phone("王", BASE[0]);
    let mut two = world.phone("李", BASE[1]);
    let stand_in = AssignmentRow {
        worker: one.worker,
        grid: two.grid,
        from_ms: world.clock.wall_ms(),
        until_ms: Some(world.clock.wall_ms() + 5 * HOUR),
    };
    gridwalk_store::write::<_, gridwalk_store::StoreError>(&*world.parts.store, |tx| {
        tx.put_assignment(world.tenant, &stand_in)
    })
    .expect("writes");
    let a = one.incident("a");
    let b = two.incident("b");
    one.push_one(&a);
    two.push_one(&b);
    world.clock.turn(HOUR);
    let admin = world.service.admin();
    let into = "371302001001009";
    import_square(&world, into, "甲合", 118.30, 35.05);
    admin
        .merge_grids(&[BASE[0], BASE[1]], into)
        .expect("merges");
    let merged = world.grid(into);
    for phone in [&one, &two] {
        assert_eq!(titles(phone, merged), ["a", "b"]);
    }
    // A stand-in's end stays what it was.
    let rows = world.stored(|tx| tx.assignments(world.tenant, Some(one.worker)));
    let begun: Vec<_> = rows.iter().filter(|row| row.grid == merged).collect();
    assert_eq!(begun.len(), 1, "{rows:?}");
    assert!(
        rows.iter()
            .filter(|row| row.grid != merged)
            .all(|row| row.until_ms.is_some())
    );
    // The code of a closed grid is free again.
    assert!(matches!(
        admin.split_grid(BASE[0], &[into]),
        Err(AdminError::UnknownGrid(_))
    ));
    import_square(&world, BASE[0], "甲一", 118.30, 35.05);
    assert_ne!(world.grid(BASE[0]), one.grid);
}

#[test]
fn a_moved_grid_keeps_its_records_and_is_told_of() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    let op = phone.incident("stays");
    phone.push_one(&op);
    let before = phone.hello();
    let admin = world.service.admin();
    admin.move_grid(BASE[0], "371302002001").expect("moves");
    let after = phone.hello();
    assert_ne!(after.scope_tag, before.scope_tag);
    let scope = after.scope.expect("a scope");
    assert_eq!(scope.grids[0].parent, Some(world.grid("371302002001")));
    let new = StreamKey::Notices(world.grid("371302002"));
    let old = StreamKey::Notices(world.grid("371302001"));
    assert!(scope.streams.contains(&new) && !scope.streams.contains(&old));
    assert!(phone.read(phone.records()).contains_key(&op.entity));
    // Who stands above it now sees it, and who did does not.
    let sees = |name: &str, grid: &str| {
        let user = world.login(name, gridwalk_store::Role::Town, grid);
        world
            .get(&user, &format!("/api/incidents/{}", op.entity))
            .status
    };
    assert_eq!(sees("新街道", "371302002"), 200);
    assert_eq!(sees("旧街道", "371302001"), 403);
    let changes = world.stored(|tx| tx.grid_changes(world.tenant, phone.grid));
    assert_eq!(changes.len(), 2, "what it was is kept");
    assert_eq!(changes[0].parent, Some(world.grid("371302001001")));
    assert!(changes[0].at_ms <= changes[1].at_ms);
    let refused = admin.move_grid("371302002", "371302001");
    assert!(
        matches!(refused, Err(AdminError::BadParent(_))),
        "{refused:?}"
    );
}

#[test]
fn what_cannot_be_split_or_merged_changes_nothing() {
    let world = world();
    let admin = world.service.admin();
    let before = world.stored(|tx| tx.grids(world.tenant));
    let bad = [
        admin.split_grid(BASE[0], &[BASE[0], BASE[1]]),
        admin.split_grid(BASE[0], &["371302001001"]),
        admin.merge_grids(&[BASE[0], BASE[1]], "371312001001001"),
    ];
    for refused in bad {
        assert!(
            matches!(refused, Err(AdminError::BadSuccessor(_))),
            "{refused:?}"
        );
    }
    let parent = admin.merge_grids(&["371302001001"], "371302001002");
    assert!(matches!(parent, Err(AdminError::HasChildren(code)) if code == "371302001001"));
    let unknown = admin.split_grid(BASE[0], &["371302999"]);
    assert!(matches!(unknown, Err(AdminError::UnknownGrid(_))));
    assert!(admin.split_grid(BASE[0], &[]).is_err());
    assert_eq!(world.stored(|tx| tx.grids(world.tenant)), before);
}
