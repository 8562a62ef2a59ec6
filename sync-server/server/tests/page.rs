//! What the page is told, and what it is not.
#![allow(clippy::expect_used, reason = "what fails here fails the test")]

mod common;

use common::phone::{chunk, state, walk};
use common::{BASE, HOUR, MINUTE, MORNING, Phone, World, world};
use gridwalk_domain::{EntityId, Intent, Text};
use gridwalk_server::admin::Settings;
use gridwalk_server::http::Request;
use gridwalk_store::{Role, StoreError};
use serde_json::{Value, json};

const DAY: &str = "2026-11-21";
/// The smallest JPEG that is told by its head: 640 × 480 pixels.
const JPEG: &[u8] = b"\xff\xd8\xff\xc0\0\x0b\x08\x01\xe0\x02\x80\x01\x01\x11\0 a photo";

/// A morning: a patrol of 20 min with a pause, an incident with a photo.
struct Morning {
    patrol: EntityId,
    incident: EntityId,
    photo: gridwalk_domain::Sha256,
    other: Option<EntityId>,
}

fn morning(world: &World, phone: &mut Phone) -> Morning {
    phone.hello();
    let patrol = phone.patrol();
    phone.tracks(&[chunk(patrol, 7, 0, &walk(MORNING, 600))]);
    world.clock.turn(10 * MINUTE);
    let step = |phone: &mut Phone, from: &str, to: &str, base| {
        let intent = Intent::Transition {
            from: from.into(),
            to: to.into(),
            base,
            reason: None,
            with: serde_json::Map::new(),
        };
        let op = phone.body("patrol", patrol, intent);
        phone.push_one(&op);
        op.id
    };
    let stream = phone.records();
    let page = phone
        .pull(None, &[(stream, None)])
        .streams
        .remove(&stream)
        .expect("the stream");
    let created = page
        .entities
        .iter()
        .find(|e| e.id == patrol)
        .expect("there");
    let created = state(created).created.op;
    let paused = step(phone, "active", "paused", created);
    world.clock.turn(5 * MINUTE);
    let resumed = step(phone, "paused", "active", paused);
    let mut rest = walk(MORNING + 15 * MINUTE, 300);
    for stored in &mut rest {
        stored.fix.position.lat += 0.003;
    }
    phone.tracks(&[chunk(patrol, 7, 600, &rest)]);
    world.clock.turn(6 * MINUTE);
    let mut op = phone.incident("楼道堆放杂物");
    if let Intent::Create { fields, .. } = &mut op.intent {
        fields.insert("patrol".into(), json!(patrol));
        fields.insert("description".into(), json!("三楼"));
    }
    phone.push_one(&op);
    let photo = phone.upload(JPEG);
    let entry = json!({"sha256": photo, "mime": "image/png", "bytes": JPEG.len()});
    let photos = phone.append(op.entity, "photos", entry);
    let comment = phone.append(op.entity, "comments", json!({"text": "已劝离"}));
    phone.push(&[photos, comment]);
    step(phone, "active", "finished", resumed);
    Morning {
        patrol,
        incident: op.entity,
        photo,
        other: None,
    }
}

#[test]
fn a_day_is_shown_as_it_was() {
    let world = world();
    let mut phone = world.phone("王网格员", BASE[0]);
    let told = morning(&world, &mut phone);
    let notice = Text {
        zh: "合成数据".into(),
        en: "Synthetic data".into(),
    };
    let settings = Settings {
        notice: Some(notice),
        utc_offset_min: None,
    };
    world
        .service
        .admin()
        .settings(world.tenant, &settings)
        .expect("sets");
    let cookie = world.login("督导", Role::Community, "371302001001");

    let me = world.look(&cookie, "/api/me");
    assert_eq!(
        (&me["name"], &me["role"]),
        (&json!("督导"), &json!("community"))
    );
    assert_eq!(me["grid"]["code"], "371302001001");
    assert_eq!(
        me["grid"]["parent"],
        Value::Null,
        "what stands above is not theirs to see"
    );
    assert_eq!(
        (&me["latest_day"], &me["utc_offset_min"]),
        (&json!(DAY), &json!(480))
    );
    assert_eq!(me["notice"]["zh"], "合成数据");

    let grid = world.grid("371302001001");
    let day = world.look(&cookie, &format!("/api/day?date={DAY}&grid={grid}"));
    let (patrols, incidents) = (&day["patrols"], &day["incidents"]);
    assert_eq!(
        (
            patrols.as_array().map(Vec::len),
            incidents.as_array().map(Vec::len)
        ),
        (Some(1), Some(1))
    );
    let patrol = &patrols[0];
    assert_eq!(patrol["id"], json!(told.patrol));
    assert_eq!(
        patrol["worker"],
        json!({"id": phone.worker, "name": "王网格员"})
    );
    assert_eq!(patrol["grid"]["code"], BASE[0]);
    assert_eq!(
        (&patrol["status"], &patrol["fixes"]),
        (&json!("finished"), &json!(900))
    );
    assert_eq!(patrol["started_ms"], json!(MORNING));
    assert_eq!(patrol["ended_ms"], json!(MORNING + 21 * MINUTE));
    let distance = patrol["distance_m"].as_f64().expect("a number");
    // 900 s at 1.2 m/s, less what the estimator takes for standing.
    assert!((900.0..1_150.0).contains(&distance), "{distance}");
    assert!(patrol["gaps"].as_u64() >= Some(1) && patrol["gap_s"].as_u64() >= Some(280));
    let bbox = patrol["bbox"].as_array().expect("a box");
    assert!(bbox[0].as_f64() < bbox[2].as_f64() && bbox[1].as_f64() < bbox[3].as_f64());

    let incident = &incidents[0];
    assert_eq!(incident["title"], "楼道堆放杂物");
    assert_eq!(
        (&incident["status"], &incident["severity"]),
        (&json!("reported"), &json!("normal"))
    );
    assert_eq!(
        (&incident["photos"], &incident["patrol"]),
        (&json!(1), &json!(told.patrol))
    );
    assert_eq!(
        incident["place"],
        json!({"lat": 35.052, "lon": 118.302, "accuracy_m": 8.0})
    );

    let detail = world.look(&cookie, &format!("/api/patrols/{}", told.patrol));
    assert_eq!(detail["patrol"], *patrol);
    assert_eq!(detail["incidents"], *incidents);
    let segments = detail["segments"].as_array().expect("segments");
    assert_eq!(segments.len(), 2, "a gap is not a line");
    let points: usize = segments
        .iter()
        .map(|s| s["points"].as_array().map_or(0, Vec::len))
        .sum();
    assert!((4..100).contains(&points), "simplified: {points}");
    let causes: Vec<_> = detail["gaps"]
        .as_array()
        .expect("gaps")
        .iter()
        .map(|g| &g["cause"])
        .collect();
    assert!(causes.contains(&&json!("paused")), "{causes:?}");

    let routes = world.look(&cookie, &format!("/api/day/routes?date={DAY}&grid={grid}"));
    assert_eq!(routes["routes"][0]["patrol"], json!(told.patrol));
    assert_eq!(routes["routes"][0]["worker"], json!(phone.worker));
    assert_eq!(
        routes["routes"][0]["segments"].as_array().map(Vec::len),
        Some(2)
    );

    let detail = world.look(&cookie, &format!("/api/incidents/{}", told.incident));
    assert_eq!(detail["description"], "三楼");
    let photo =
        json!({"sha256": told.photo, "mime": "image/jpeg", "bytes": JPEG.len(), "here": true});
    assert_eq!(
        detail["photos"],
        json!([photo]),
        "the type is sniffed, not believed"
    );
    assert_eq!(detail["comments"][0]["text"], "已劝离");
    assert_eq!(detail["history"][0]["by"]["name"], "王网格员");
    let bytes = world.get(&cookie, &format!("/api/blobs/{}", told.photo));
    assert_eq!(bytes.header("content-type"), Some("image/jpeg"));
    assert_eq!(bytes.header("content-disposition"), Some("inline"));
    assert_eq!(bytes.body.into_bytes().expect("reads"), JPEG);

    let days = world.look(&cookie, "/api/days");
    assert_eq!(days["days"], json!([DAY]));
    let other_day = world.look(&cookie, "/api/day?date=2026-11-20");
    assert_eq!(
        (&other_day["patrols"], &other_day["incidents"]),
        (&json!([]), &json!([]))
    );

    let workers = world.look(&cookie, "/api/workers");
    let worker = &workers["workers"][0];
    assert_eq!(
        (&worker["name"], &worker["on_shift"]),
        (&json!("王网格员"), &json!(true))
    );
    assert_eq!(worker["grids"][0]["code"], BASE[0]);
    assert_eq!(worker["unsent"]["ops"], 0, "what the last pull said");
    assert_eq!(worker["last_contact_ms"], worker["unsent"]["reported_ms"]);
    assert_eq!(
        worker["last_position"]["at_ms"],
        json!(MORNING + 15 * MINUTE + 299_000)
    );
    let catalogue = world.look(&cookie, "/api/catalogue");
    assert_eq!(catalogue["categories"][0]["code"], "hygiene");
}

#[test]
fn the_map_has_every_grid_below_and_a_tag() {
    let world = world();
    let cookie = world.login("town", Role::Town, "371302001");
    let grids = world.look(&cookie, "/api/grids");
    let codes: Vec<_> = grids["grids"]
        .as_array()
        .expect("grids")
        .iter()
        .map(|g| &g["code"])
        .collect();
    assert_eq!(codes.len(), 6);
    assert_eq!(codes[0], "371302001", "parents before children");
    let path = format!("/api/grids/{}/map", world.grid("371302001"));
    let map = world.look(&cookie, &path);
    assert_eq!(map["type"], "FeatureCollection");
    let features = map["features"].as_array().expect("features");
    assert_eq!(features.len(), 6);
    let drawn: Vec<_> = features
        .iter()
        .filter(|f| !f["geometry"].is_null())
        .collect();
    assert_eq!(drawn.len(), 1);
    assert_eq!(drawn[0]["geometry"]["type"], "MultiPolygon");
    assert_eq!(drawn[0]["properties"]["code"], BASE[0]);
    assert_eq!(drawn[0]["id"], drawn[0]["properties"]["id"]);

    let tag = world
        .get(&cookie, &path)
        .header("etag")
        .expect("a tag")
        .to_owned();
    let again = |tag: &str| {
        let headers = vec![
            ("cookie".into(), cookie.clone()),
            ("if-none-match".into(), tag.into()),
        ];
        let request = Request {
            method: "GET".into(),
            path: path.clone(),
            headers,
            ..Request::default()
        };
        world.service.handle(&request).status
    };
    assert_eq!(
        (again(&tag), again(&format!("W/{tag}")), again("\"x\"")),
        (304, 304, 200)
    );
    let map = common::boundary(BASE[1], "371302001001", "甲二改", 118.31, 35.05);
    let source = gridwalk_server::admin::Source {
        name: "m",
        bytes: map.as_bytes(),
    };
    let import = gridwalk_server::admin::Import {
        crs: Some(gridwalk_server::admin::Crs::Wgs84),
        notice: None,
    };
    world
        .service
        .admin()
        .import_grids(source, &import)
        .expect("imports");
    assert_eq!(again(&tag), 200, "another map, another tag");
}

/// Every endpoint that tells something, as asked about these records.
fn paths(world: &World, told: &Morning, code: &str) -> Vec<String> {
    let grid = world.grid(code);
    let other = told.other.map(|id| format!("/api/incidents/{id}"));
    let fixed = [
        "/api/me".into(),
        "/api/catalogue".into(),
        "/api/grids".into(),
        format!("/api/grids/{grid}/map"),
        format!("/api/day?date={DAY}&grid={grid}"),
        format!("/api/day?date={DAY}"),
        format!("/api/day/routes?date={DAY}&grid={grid}"),
        format!("/api/day/routes?date={DAY}"),
        format!("/api/days?grid={grid}"),
        "/api/days".into(),
        format!("/api/patrols/{}", told.patrol),
        format!("/api/incidents/{}", told.incident),
        format!("/api/records?date={DAY}&grid={grid}"),
        format!("/api/records?date={DAY}"),
        format!("/api/workers?grid={grid}"),
        "/api/workers".into(),
        format!("/api/blobs/{}", told.photo),
        "/api/holdings".into(),
    ];
    fixed.into_iter().chain(other).collect()
}

#[test]
fn no_byte_of_a_foreign_grid_in_any_answer() {
    let world = world();
    let places = [BASE[0], BASE[2], BASE[3], "371312001001001"];
    let mut records = Vec::new();
    for (n, code) in places.into_iter().enumerate() {
        let mut phone = world.phone(&format!("worker-{n}"), code);
        // Each has a photo of its own.
        let mut told = morning(&world, &mut phone);
        let bytes = [JPEG, code.as_bytes()].concat();
        told.photo = phone.upload(&bytes);
        let entry = json!({"sha256": told.photo, "mime": "image/jpeg", "bytes": bytes.len()});
        let photo = phone.append(told.incident, "photos", entry);
        phone.push_one(&photo);
        world.clock.turn(-21 * MINUTE);
        records.push((code, phone, told));
    }
    // A record may name another one that its readers may not see.
    let theirs = records[2].2.patrol;
    let mut strange = records[0].1.incident("names a foreign patrol");
    if let Intent::Create { fields, .. } = &mut strange.intent {
        fields.insert("patrol".into(), json!(theirs));
    }
    records[0].1.push_one(&strange);
    records[0].2.other = Some(strange.entity);
    world.clock.turn(HOUR);
    let users = [
        ("community", Role::Community, "371302001001"),
        ("town", Role::Town, "371302001"),
        ("district", Role::District, "371302"),
        ("admin", Role::Administrator, "371302"),
        ("other-community", Role::Community, "371302002001"),
        ("other-district", Role::District, "371312"),
        ("other-admin", Role::Administrator, "371312"),
    ];
    let mut seen = 0;
    for (name, role, top) in users {
        let cookie = world.login(name, role, top);
        for (code, phone, told) in &records {
            let theirs = code.starts_with(top);
            let foreign: Vec<_> = records
                .iter()
                .filter(|(code, ..)| !code.starts_with(top))
                .collect();
            for path in paths(&world, told, code) {
                let answer = world.get(&cookie, &path);
                let status = answer.status;
                let bytes = answer.body.into_bytes().expect("reads");
                let text = String::from_utf8_lossy(&bytes);
                for (code, phone, told) in &foreign {
                    let ids = [
                        phone.worker.to_string(),
                        phone.device.to_string(),
                        phone.grid.to_string(),
                        told.patrol.to_string(),
                        told.incident.to_string(),
                        told.photo.to_string(),
                        format!("\"{code}\""),
                    ];
                    for id in ids {
                        let asked = path.contains(&id) && status >= 400;
                        assert!(
                            !text.contains(&id) || asked,
                            "{name} asked {path} and got {id}"
                        );
                    }
                }
                let about = path.contains(&told.patrol.to_string())
                    || path.contains(&told.incident.to_string())
                    || path.contains(&told.photo.to_string())
                    || told.other.is_some_and(|id| path.contains(&id.to_string()))
                    || path.contains(&phone.grid.to_string());
                let expected = match (about, theirs, path.as_str()) {
                    (_, _, "/api/holdings") if role == Role::Administrator => [200, 200],
                    (_, _, "/api/holdings") => [403, 403],
                    (true, false, _) => [403, 404],
                    _ => [200, 200],
                };
                assert!(expected.contains(&status), "{name} asked {path}: {status}");
                seen += usize::from(theirs && text.contains(&told.patrol.to_string()));
            }
        }
    }
    assert!(seen > 20, "those who may see do see: {seen}");
    // Without a session there is nothing.
    for path in paths(&world, &records[0].2, BASE[0]) {
        for cookie in ["", "gridwalk=", "gridwalk=0000", "other=1"] {
            assert_eq!(world.get(cookie, &path).status, 401, "{path}");
        }
    }
}

#[test]
fn logins_are_slow_to_guess_and_end() {
    let world = world();
    let user = world
        .service
        .admin()
        .add_user("督导", Role::Town, "371302001")
        .expect("a user");
    for _ in 0..5 {
        assert_eq!(world.try_login("督导", "wrong").status, 401);
    }
    let refused = world.try_login("督导", &user.password);
    assert_eq!(refused.status, 429, "the right password too");
    assert!(refused.header("retry-after").is_some());
    world.clock.turn(MINUTE);
    let answer = world.try_login("督导", &user.password);
    assert_eq!(answer.status, 200);
    let cookie = answer.header("set-cookie").expect("a cookie").to_owned();
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"),
        "{cookie}"
    );
    let cookie = cookie.split(';').next().expect("a pair").to_owned();

    // One address does not try many names either.
    world.clock.turn(HOUR);
    let statuses: Vec<u16> = (0..25)
        .map(|n| world.try_login(&format!("n{n}"), "x").status)
        .collect();
    assert!(statuses[..20].iter().all(|status| *status == 401) && statuses[20..].contains(&429));

    // Used now and then it lasts; twelve hours without use end it.
    for _ in 0..3 {
        world.clock.turn(10 * HOUR);
        assert_eq!(world.get(&cookie, "/api/me").status, 200);
    }
    world.clock.turn(12 * HOUR);
    assert_eq!(world.get(&cookie, "/api/me").status, 401);
}

#[test]
fn what_changes_something_needs_the_pages_header() {
    let world = world();
    let cookie = world.login("督导", Role::Town, "371302001");
    let send = |method: &str, path: &str, header: Option<&str>| {
        let mut headers = vec![("cookie".to_owned(), cookie.clone())];
        headers.extend(header.map(|value| ("X-Gridwalk".to_owned(), value.to_owned())));
        let (method, path) = (method.to_owned(), path.to_owned());
        let request = Request {
            method,
            path,
            headers,
            ..Request::default()
        };
        world.service.handle(&request).status
    };
    assert_eq!(send("POST", "/api/logout", None), 403);
    assert_eq!(send("POST", "/api/login", Some("2")), 403);
    assert_eq!(send("DELETE", "/api/me", None), 403);
    assert_eq!(send("GET", "/api/me", None), 200);
    assert_eq!(send("POST", "/api/logout", Some("1")), 204);
    assert_eq!(send("GET", "/api/me", None), 401);
}

#[test]
fn who_looked_at_a_route_is_written_down() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    let told = morning(&world, &mut phone);
    let cookie = world.login("督导", Role::Town, "371302001");
    world.look(&cookie, &format!("/api/patrols/{}", told.patrol));
    let lines = gridwalk_store::read::<_, StoreError>(world.service.store(), |tx| {
        tx.audit(world.tenant, 1)
    });
    let line = &lines.expect("reads")[0];
    assert_eq!(
        (line.what.as_str(), line.on.clone()),
        ("look", format!("patrol/{}", told.patrol))
    );
    assert!(line.who.starts_with("user/"), "{}", line.who);
}

#[test]
fn bad_questions_get_an_answer() {
    let world = world();
    let cookie = world.login("督导", Role::Town, "371302001");
    let cases = [
        ("/api/day", 400),
        ("/api/day?date=tomorrow", 400),
        ("/api/day?date=2026-11-21&grid=x", 400),
        (
            "/api/day?date=2026-11-21&grid=07070707-0707-4707-8707-070707070707",
            403,
        ),
        ("/api/patrols/x", 404),
        ("/api/patrols/07070707-0707-4707-8707-070707070707", 404),
        ("/api/blobs/x", 404),
        ("/api/nothing", 404),
        ("/api/", 404),
    ];
    for (path, status) in cases {
        let answer = world.get(&cookie, path);
        assert_eq!(answer.status, status, "{path}");
        let body: Value =
            serde_json::from_slice(&answer.body.into_bytes().expect("reads")).expect("JSON");
        assert!(body["error"]["code"].is_string() && body["error"]["text"].is_string());
    }
}
