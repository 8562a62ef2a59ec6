//! Sites come from a file, are credited where a route passes, and what is missed
//! has its reason.
#![allow(clippy::expect_used, reason = "what fails here fails the test")]

mod common;

use common::phone::{chunk, walk};
use common::{BASE, HOUR, MINUTE, MORNING, World, world};
use gridwalk_domain::wire::Outcome;
use gridwalk_domain::{EntityId, Intent, OpId, Position};
use gridwalk_server::Act;
use gridwalk_server::admin::{AdminError, Crs, FileFault, SitesReport, Source};
use gridwalk_store::Role;
use gridwalk_track::coordinates::wgs84_to_gcj02;
use serde_json::{Value, json};

const HEADER: &str = "grid,name,lat,lon,radius_m,every,times,sort\n";

fn import(world: &World, text: &str, crs: Crs, user: &str) -> Result<SitesReport, AdminError> {
    let source = Source {
        name: "sites.csv",
        bytes: text.as_bytes(),
    };
    world.service.admin().import_sites(source, crs, user)
}

/// Where the walk of the tests is after so many seconds.
fn on_the_way(seconds: usize) -> Position {
    walk(MORNING, 600)[seconds].fix.position
}

fn line(grid: &str, name: &str, at: Position, rest: &str) -> String {
    format!("{grid},{name},{},{},{rest}\n", at.lat, at.lon)
}

fn counts(value: &Value) -> (u64, u64) {
    let number = |name: &str| value[name].as_u64().expect("a number");
    (number("due"), number("met"))
}

fn unit<'a>(answer: &'a Value, name: &str) -> &'a Value {
    let site = answer["sites"].as_array().expect("sites").iter();
    let site = site
        .clone()
        .find(|site| site["name"] == name)
        .expect("listed");
    let units = answer["units"].as_array().expect("units");
    units
        .iter()
        .find(|unit| unit["site"] == site["id"])
        .expect("due")
}

#[test]
fn the_same_file_again_changes_nothing_and_a_changed_line_changes_its_site() {
    let world = world();
    world.login("town", Role::Town, "371302001");
    let text = format!(
        "{HEADER}{}{}",
        line(BASE[0], "菜市场", on_the_way(100), "30,day,2,market"),
        line(BASE[1], "小学", on_the_way(200), "50,week,,")
    );
    let report = |added, updated, unchanged| SitesReport {
        added,
        updated,
        unchanged,
    };
    assert_eq!(
        import(&world, &text, Crs::Wgs84, "town"),
        Ok(report(2, 0, 0))
    );
    assert_eq!(
        import(&world, &text, Crs::Wgs84, "town"),
        Ok(report(0, 0, 2))
    );
    let wider = text.replace("30,day", "40,day");
    assert_eq!(
        import(&world, &wider, Crs::Wgs84, "town"),
        Ok(report(0, 1, 1))
    );
    // A map of Amap's: another place by its numbers, the same on the ground.
    let gcj = wgs84_to_gcj02(on_the_way(200));
    let text = format!("{HEADER}{}", line(BASE[1], "小学", gcj, "50,week,,"));
    assert_eq!(
        import(&world, &text, Crs::Gcj02, "town"),
        Ok(report(0, 0, 1))
    );
}

#[test]
fn a_file_that_cannot_stand_changes_nothing_and_names_its_line() {
    let world = world();
    let cookie = world.login("town", Role::Town, "371302001");
    let good = line(BASE[0], "菜市场", on_the_way(100), "30,day,,");
    let at = |line, why| AdminError::File {
        file: "sites.csv".into(),
        line,
        why,
    };
    let unknown = |code: &str| FileFault::UnknownGrid(code.into());
    for (bad, line, why) in [
        (
            line("371302999", "甲", on_the_way(0), "30,day,,"),
            3,
            Some(unknown("371302999")),
        ),
        // Of another town: not below this user.
        (
            line(BASE[3], "甲", on_the_way(0), "30,day,,"),
            3,
            Some(unknown(BASE[3])),
        ),
        (good.clone(), 3, Some(FileFault::Twice("菜市场".into()))),
        (line(BASE[0], "甲", on_the_way(0), "2,day,,"), 3, None),
        (line(BASE[0], "甲", on_the_way(0), "30,month,,"), 3, None),
        (line(BASE[0], "", on_the_way(0), "30,day,,"), 3, None),
        (line(BASE[0], "甲", on_the_way(0), "30,day,99,"), 3, None),
        (format!("{},甲,north,118,30,day,,\n", BASE[0]), 3, None),
        (format!("{},甲,35,181,30,day,,\n", BASE[0]), 3, None),
        (format!("{},甲,35\n", BASE[0]), 3, None),
    ] {
        let error = import(&world, &format!("{HEADER}{good}{bad}"), Crs::Wgs84, "town");
        match (error, why) {
            (Err(error), Some(why)) => assert_eq!(error, at(line, why), "{bad}"),
            (
                Err(AdminError::File {
                    line: found, why, ..
                }),
                None,
            ) => {
                assert_eq!(found, line, "{bad}");
                assert!(
                    matches!(why, FileFault::BadValue(_) | FileFault::Unreadable(_)),
                    "{bad} {why:?}"
                );
            }
            (other, _) => panic!("{bad} {other:?}"),
        }
    }
    assert!(matches!(
        import(&world, &good, Crs::Wgs84, "town"),
        Err(AdminError::File { line: 1, .. })
    ));
    let text = format!("{HEADER}{good}");
    assert_eq!(
        import(&world, &text, Crs::Wgs84, "nobody"),
        Err(AdminError::UnknownUser("nobody".into()))
    );
    let day = world.look(&cookie, "/api/coverage?date=2026-11-21");
    assert_eq!(day["sites"], json!([]));
}

#[test]
fn a_day_a_patrol_and_a_week_have_their_coverage_with_a_reason_for_each_miss() {
    let world = world();
    let cookie = world.login("town", Role::Town, "371302001");
    let far = Position {
        lat: 35.2,
        lon: 118.6,
    };
    let text = format!(
        "{HEADER}{}{}{}{}{}",
        line(BASE[0], "passed", on_the_way(100), "30,patrol,,market"),
        line(BASE[0], "in the gap", on_the_way(400), "30,day,,"),
        line(BASE[0], "by hand", far, "30,day,,"),
        line(BASE[0], "said", far, "30,week,,"),
        line(BASE[1], "nobody went", on_the_way(0), "30,day,,")
    );
    import(&world, &text, Crs::Wgs84, "town").expect("imports");
    world.clock.turn(MINUTE);
    let mut phone = world.phone("王", BASE[0]);

    // The sites come down like every record.
    let hello = phone.hello();
    let streams = hello.scope.expect("a scope").streams;
    let pulled = phone.pull(
        None,
        &streams.iter().map(|s| (*s, None)).collect::<Vec<_>>(),
    );
    let states: Vec<_> = pulled
        .streams
        .values()
        .flat_map(|page| &page.entities)
        .collect();
    let site = |name: &str| -> EntityId {
        let mut found = states.iter().filter_map(|e| e.state.as_ref());
        let site = found.find(|site| site.text("name") == Some(name));
        site.expect("pulled").id
    };
    let by_hand = site("by hand");
    let said = site("said");

    let patrol = phone.patrol();
    let fixes = walk(MORNING + MINUTE, 600);
    let sent = phone.tracks(&[
        chunk(patrol, 7, 0, &fixes[..300]),
        chunk(patrol, 8, 0, &fixes[500..]),
    ]);
    assert_eq!(sent.len(), 2);
    let checkin = |phone: &common::Phone, site: EntityId, more: Value| {
        let (worker, grid) = (phone.worker, phone.grid);
        let mut fields = json!({"worker": worker, "grid": grid, "site": site, "patrol": patrol});
        let fields_of = fields.as_object_mut().expect("an object");
        fields_of.extend(more.as_object().expect("an object").clone());
        fields
    };
    let visit = checkin(&phone, by_hand, json!({}));
    let why = json!({"missed": "locked", "note": "大门上锁"});
    let why = checkin(&phone, said, why);
    let ops = [phone.create("checkin", visit), phone.create("checkin", why)];
    for outcome in phone.push(&ops) {
        assert!(matches!(outcome, Outcome::Applied { .. }), "{outcome:?}");
    }

    // In mid-day nothing that is due is missed yet.
    let today = world.look(&cookie, "/api/coverage?date=2026-11-21");
    assert_eq!(unit(&today, "in the gap")["reason"]["why"], "not_yet");

    world.clock.turn(20 * HOUR);
    let cookie = world.login("town-later", Role::Town, "371302001");
    let day = world.look(&cookie, "/api/coverage?date=2026-11-21");
    assert_eq!(counts(&day["day"]), (4, 2));
    let passed = unit(&day, "passed");
    assert_eq!(
        (&passed["met"], &passed["period"]),
        (&json!(true), &json!("patrol"))
    );
    assert_eq!(passed["visits"][0]["by"], "route");
    assert_eq!(passed["patrol"], json!(patrol));
    let hand = unit(&day, "by hand");
    assert_eq!(
        (&hand["met"], &hand["visits"][0]["by"]),
        (&json!(true), &json!("hand"))
    );
    let gap = &unit(&day, "in the gap")["reason"];
    assert_eq!(
        (&gap["why"], &gap["cause"]),
        (&json!("gap"), &json!("app_killed"))
    );
    assert_eq!(unit(&day, "nobody went")["reason"]["why"], "no_patrol");
    let said = &unit(&day, "said")["reason"];
    assert_eq!(
        (&said["why"], &said["word"], &said["note"]),
        (&json!("said"), &json!("locked"), &json!("大门上锁"))
    );
    // The week: one of its own, and each day's up to now.
    let week = &day["week"];
    assert_eq!(
        (&week["from"], &week["to"]),
        (&json!("2026-11-16"), &json!("2026-11-22"))
    );
    assert!(counts(week).0 > counts(&day["day"]).0);

    // One's own grid alone.
    let grid = world.grid(BASE[1]);
    let other = world.look(
        &cookie,
        &format!("/api/coverage?date=2026-11-21&grid={grid}"),
    );
    assert_eq!(counts(&other["day"]), (1, 0));

    let detail = world.look(&cookie, &format!("/api/patrols/{patrol}"));
    let coverage = &detail["coverage"];
    assert_eq!(counts(coverage), (1, 1));
    assert_eq!(coverage["visits"].as_array().map(Vec::len), Some(2));
    assert_eq!(coverage["sites"].as_array().map(Vec::len), Some(4));
    assert!(
        coverage["inside_s"].as_i64().is_some_and(|s| s > 0),
        "{coverage}"
    );
    assert!(coverage["outside_s"].is_i64());

    // What the credits were computed from changed: they follow.
    let smaller = text.replace("30,patrol,,market", "5,patrol,,market");
    let moved = smaller.replace(
        &format!("passed,{}", on_the_way(100).lat),
        &format!("passed,{}", on_the_way(100).lat + 0.01),
    );
    import(&world, &moved, Crs::Wgs84, "town").expect("imports");
    let detail = world.look(&cookie, &format!("/api/patrols/{patrol}"));
    assert_eq!(counts(&detail["coverage"]), (1, 0));
    assert_eq!(
        unit(&detail["coverage"], "passed")["reason"]["why"],
        "not_yet",
        "it goes on"
    );
}

#[test]
fn who_may_not_see_a_grid_sees_none_of_its_sites() {
    let world = world();
    world.login("town", Role::Town, "371302001");
    let text = format!(
        "{HEADER}{}",
        line(BASE[0], "菜市场", on_the_way(100), "30,day,,")
    );
    import(&world, &text, Crs::Wgs84, "town").expect("imports");
    let other = world.login("other", Role::Town, "371302002");
    let answer = world.look(&other, "/api/coverage?date=2026-11-21");
    assert_eq!(
        (&answer["sites"], counts(&answer["day"])),
        (&json!([]), (0, 0))
    );
    let grid = world.grid(BASE[0]);
    let path = format!("/api/coverage?date=2026-11-21&grid={grid}");
    assert_eq!(world.get(&other, &path).status, 403);
    assert_eq!(
        world.get(&other, "/api/coverage?date=yesterday").status,
        400
    );
    assert_eq!(world.get("", "/api/coverage?date=2026-11-21").status, 401);
}

#[test]
fn an_act_needs_the_right_and_is_done_once() {
    let world = world();
    world.login("town", Role::Town, "371302001");
    world.login("other", Role::Town, "371302002");
    let user = |name: &str| {
        let found =
            gridwalk_store::read::<_, gridwalk_store::StoreError>(world.service.store(), |tx| {
                tx.user_by_name(name)
            });
        found.expect("reads").expect("there").id
    };
    let grid = world.grid(BASE[0]);
    let fields = json!({
        "grid": grid, "name": "菜市场", "place": {"lat": 35.05, "lon": 118.3}, "radius_m": 30, "every": "day",
    });
    let act = Act {
        op: OpId::from_bytes([5; 16]),
        entity: EntityId::from_bytes([6; 16]),
        kind: Some("site".into()),
        intent: Intent::Create {
            home: gridwalk_domain::StreamKey::Records(grid),
            fields: serde_json::from_value(fields).expect("fields"),
        },
    };
    assert!(world.service.act(user("other"), &act).is_err());
    let first = world.service.act(user("town"), &act).expect("acts");
    assert!(matches!(first, Outcome::Applied { .. }));
    assert_eq!(world.service.act(user("town"), &act).expect("again"), first);
}
