//! Catalogues and calendars: imported, in force at once, kept for ever.
#![allow(clippy::expect_used, reason = "what fails here fails the test")]

mod common;

use common::phone::{reason, seq};
use common::{BASE, World, settings, world};
use gridwalk_domain::{Calendar, Catalogue, Intent, OpBody};
use gridwalk_server::admin::{AdminError, Source};
use serde_json::{Value, json};

const LANSHAN: Option<&str> = Some("371302");

fn catalogue(version: u32, category: &str) -> String {
    let mut value = serde_json::to_value(Catalogue::shipped()).expect("JSON");
    value["version"] = json!(version);
    value["categories"][4]["code"] = json!(category);
    serde_json::to_string_pretty(&value).expect("JSON")
}

fn calendar(version: u32) -> String {
    let mut value = serde_json::to_value(Calendar::shipped()).expect("JSON");
    value["version"] = json!(version);
    serde_json::to_string_pretty(&value).expect("JSON")
}

fn import(world: &World, text: &str) -> Result<u32, AdminError> {
    let source = Source {
        name: "catalogue.json",
        bytes: text.as_bytes(),
    };
    world.service.admin().import_catalogue(source, LANSHAN)
}

fn with(op: &mut OpBody, field: &str, value: Value) {
    if let Intent::Create { fields, .. } = &mut op.intent {
        fields.remove("form.premises");
        fields.insert(field.into(), value);
    }
}

#[test]
fn an_import_is_in_force_at_once_and_what_waited_for_it_is_judged() {
    let mut world = world();
    let mut phone = world.phone("王", BASE[0]);
    let scope = phone.hello().scope.expect("a scope");
    assert_eq!(scope.catalogue.version, 1);
    assert!(scope.older_catalogues.is_empty());
    let mut ahead = phone.incident("先有报告");
    with(&mut ahead, "catalogue", json!(3));
    with(&mut ahead, "category", json!("moon_dust"));
    let told = phone.push_one(&ahead);
    assert_eq!(reason(&told), "quarantined unknown_catalogue");
    // The same folder, by another process.
    let other = gridwalk_server::Service::open(world.parts.clone(), settings()).expect("opens");
    let text = catalogue(3, "moon_dust");
    let source = Source {
        name: "catalogue.json",
        bytes: text.as_bytes(),
    };
    assert_eq!(other.admin().import_catalogue(source, LANSHAN), Ok(3));
    // The server that runs sees it: states, scope, gate.
    assert_eq!(
        phone.state(ahead.entity).text("category"),
        Some("moon_dust")
    );
    let scope = phone.hello().scope.expect("a scope");
    assert_eq!(scope.catalogue.version, 3);
    let older: Vec<u32> = scope
        .older_catalogues
        .iter()
        .map(|one| one.version)
        .collect();
    assert_eq!(older, [1]);
    for (version, category, code) in [
        (1, "moon_dust", Some("rejected unknown_code")),
        (1, "other", None),
        (3, "other", Some("rejected unknown_code")),
        (3, "moon_dust", None),
    ] {
        let mut op = phone.incident("一件");
        with(&mut op, "catalogue", json!(version));
        with(&mut op, "category", json!(category));
        let outcome = phone.push_one(&op);
        match code {
            Some(code) => assert_eq!(reason(&outcome), code, "{version} {category}"),
            None => assert!(seq(&outcome) > 0, "{version} {category}: {outcome:?}"),
        }
    }
    // The other district has its own.
    let elsewhere = world.phone("张", "371312001001001");
    let scope = elsewhere.hello().scope.expect("a scope");
    assert_eq!(scope.catalogue.version, 1);
    world.restart(settings());
    let infos = world.service.admin().catalogues(LANSHAN).expect("lists");
    let infos: Vec<_> = infos
        .iter()
        .map(|one| (one.version, one.in_force))
        .collect();
    assert_eq!(infos, [(1, false), (3, true)]);
}

#[test]
fn a_bad_one_is_refused_with_line_and_column_and_changes_nothing() {
    let world = world();
    let good = catalogue(2, "other");
    let line = good
        .lines()
        .position(|line| line.contains("\"severities\""))
        .expect("there")
        + 1;
    let bad = good.replacen("\"severities\"", "\"severityes\"", 1);
    let refused = import(&world, &bad).expect_err("refused");
    let AdminError::BadLaw { file, fault } = &refused else {
        panic!("{refused:?}");
    };
    assert_eq!(file, "catalogue.json");
    assert!(fault.line >= line && fault.column > 0, "{fault:?}");
    assert!(
        refused
            .to_string()
            .contains(&format!("line {}", fault.line))
    );
    let latin = [b"{\n  \"version\": \"\xe9".as_slice()].concat();
    let source = Source {
        name: "latin.json",
        bytes: &latin,
    };
    let refused = world.service.admin().import_catalogue(source, LANSHAN);
    assert!(
        refused
            .expect_err("refused")
            .to_string()
            .contains("line 2, column 15")
    );
    for version in [0, 1] {
        let refused = import(&world, &catalogue(version, "other"));
        assert!(refused.is_err(), "version {version}");
    }
    let old = import(&world, &catalogue(1, "other")).expect_err("not newer");
    assert_eq!(
        old,
        AdminError::NotNewer {
            version: 1,
            in_force: 1
        }
    );
    let unnamed = world.service.admin().export_catalogue(None, None);
    assert_eq!(unnamed, Err(AdminError::ChooseDistrict));
    let infos = world.service.admin().catalogues(LANSHAN).expect("lists");
    assert_eq!(infos.len(), 1);
}

#[test]
fn what_is_exported_can_be_imported_again() {
    let world = world();
    let admin = world.service.admin();
    import(&world, &catalogue(5, "moon_dust")).expect("imports");
    let text = admin.export_catalogue(None, LANSHAN).expect("exports");
    let again = Catalogue::parse(&text).expect("reads");
    assert_eq!(Ok(again), Catalogue::parse(&catalogue(5, "moon_dust")));
    let shipped = admin.export_catalogue(Some(1), LANSHAN).expect("exports");
    assert_eq!(Catalogue::parse(&shipped), Ok(Catalogue::shipped()));
    let none = admin.export_catalogue(Some(4), LANSHAN);
    assert_eq!(none, Err(AdminError::UnknownVersion(4)));
    let in_force = Calendar::shipped().version;
    let text = calendar(in_force + 1);
    let source = Source {
        name: "calendar.json",
        bytes: text.as_bytes(),
    };
    assert_eq!(admin.import_calendar(source, LANSHAN), Ok(in_force + 1));
    let not_newer = admin.import_calendar(source, LANSHAN);
    assert!(matches!(not_newer, Err(AdminError::NotNewer { .. })));
    let text = admin.export_calendar(LANSHAN).expect("exports");
    assert_eq!(Calendar::parse(&text).expect("reads").version, in_force + 1);
}
