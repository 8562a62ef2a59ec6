//! What is taken away or ended elsewhere while somebody works.

use gridwalk_domain::Intent;
use gridwalk_engine::EngineError;
use serde_json::Map;

use crate::server::FakeServer;
use crate::support::Phone;
use crate::talk::{elsewhere, report, sync};

#[test]
fn a_patrol_goes_on_to_its_end_where_the_grid_was_taken_away() {
    let (phone, server) = (Phone::new(true), FakeServer::new());
    let engine = phone.on_patrol(&server);
    phone.walk(&engine, 100);
    let other = report(&engine, "甲", &[]);
    sync(&engine, &server).expect("syncs");
    server.with(|state| state.assigned.clear());
    sync(&engine, &server).expect("syncs");
    assert_eq!(engine.record_of(other), Err(EngineError::NotFound));

    // Also for an app that opens again.
    drop(engine);
    let engine = phone.open();
    assert_eq!(phone.walk(&engine, 50), 150);
    engine.pause_patrol().expect("pauses");
    let summary = engine.finish_patrol().expect("finishes");
    assert_eq!(summary.fixes, 150);
    engine.end_shift().expect("ends");
    assert!(matches!(
        engine.start_shift(None),
        Err(EngineError::UnknownGrid { .. })
    ));
    sync(&engine, &server).expect("syncs");
    let status = engine.status().expect("reads");
    assert_eq!((status.unsent.ops, status.unsent.chunks), (0, 0));
    assert_eq!(server.fixes(), 150);
}

#[test]
fn a_patrol_that_was_finished_elsewhere_ends_here_too() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = phone.on_patrol(&server);
    phone.walk(&engine, 100);
    sync(&engine, &server).expect("syncs");
    let id = engine.status().expect("reads").patrol.expect("runs").id;
    let shown = engine.record_of(id).expect("there");
    let finish = Intent::Transition {
        from: "active".into(),
        to: "finished".into(),
        base: shown.history[0].stamp.op,
        reason: None,
        with: Map::new(),
    };
    elsewhere(&server, id, finish);
    sync(&engine, &server).expect("syncs");
    assert_eq!(phone.walk(&engine, 20), 120);
    assert_eq!(engine.finish_patrol().expect("finishes").fixes, 120);
    engine.end_shift().expect("ends");
    sync(&engine, &server).expect("syncs");
    let state = server.with(|state| state.state(id).cloned().expect("there"));
    assert_eq!((state.status(), state.conflicts()), (Some("finished"), 0));
    assert_eq!(server.fixes(), 120);
}
