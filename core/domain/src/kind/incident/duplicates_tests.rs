use super::*;
use crate::testing::{HOUR, T0, entity, id};
use serde_json::json;

/// Metres north of a place in Lanshan.
fn north(metres: f64) -> Position {
    Position {
        lat: 35.05 + metres / 111_195.0,
        lon: 118.34,
    }
}

fn incident(n: u8, metres: f64, hours: i64, category: Option<&str>) -> Entity {
    let place = north(metres);
    let fields = json!({"grid": id(1), "catalogue": 1, "category": category,
        "place": {"lat": place.lat, "lon": place.lon}, "found_ms": T0 - hours * HOUR});
    let mut incident = entity("incident", fields, T0);
    incident.id = EntityId::from_bytes([n; 16]);
    incident
}

const NEAR: Nearness = Nearness {
    metres: 50,
    hours: 72,
};

fn found(report: &Report<'_>, others: &[Entity]) -> Vec<u8> {
    let hints = duplicates(report, others, NEAR);
    hints
        .iter()
        .map(|hint| hint.incident.as_bytes()[0])
        .collect()
}

#[test]
fn what_is_near_in_place_time_and_category_may_be_one_thing() {
    let report = Report {
        place: north(0.0),
        accuracy_m: 0.0,
        found_ms: T0,
        category: Some("hygiene"),
    };
    let others = [
        incident(1, 40.0, 1, Some("hygiene")),
        incident(2, 10.0, 71, Some("hygiene")),
        incident(3, 60.0, 1, Some("hygiene")),
        incident(4, 10.0, 73, Some("hygiene")),
        incident(5, 10.0, 1, Some("fire_safety")),
        incident(6, 20.0, 1, None),
    ];
    assert_eq!(found(&report, &others), [2, 6, 1], "the nearest first");
    let hints = duplicates(&report, &others, NEAR);
    assert!((hints[0].apart_m - 10.0).abs() < 0.1, "{hints:?}");
    assert_eq!(hints[0].apart_ms, 71 * HOUR);

    let unclassified = Report {
        category: None,
        ..report.clone()
    };
    assert_eq!(found(&unclassified, &others), [2, 5, 6, 1]);
    let inexact = Report {
        accuracy_m: 15.0,
        ..report
    };
    assert_eq!(found(&inexact, &others), [2, 6, 1, 3]);
}

#[test]
fn what_was_rejected_or_deleted_is_no_duplicate_and_what_has_no_place_neither() {
    let report = incident(9, 0.0, 0, Some("hygiene"));
    let report = Report::of(&report).expect("a place");
    let mut rejected = incident(1, 0.0, 0, Some("hygiene"));
    rejected.history[0].to = REJECTED.into();
    let mut deleted = incident(2, 0.0, 0, Some("hygiene"));
    deleted.deleted = Some(deleted.created.clone());
    let mut nowhere = incident(3, 0.0, 0, Some("hygiene"));
    nowhere.fields.remove("place");
    let mut patrol = incident(4, 0.0, 0, Some("hygiene"));
    patrol.kind = "patrol".into();
    let mut closed = incident(5, 0.0, 0, Some("hygiene"));
    closed.history[0].to = "closed".into();
    assert_eq!(
        found(&report, &[rejected, deleted, nowhere, patrol, closed]),
        [5]
    );
}
