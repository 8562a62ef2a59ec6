//! A day on the phone, with and without a key.

use gridwalk_domain::{GapCause, GridId, MarkKind};
use gridwalk_engine::track::Refusal;
use gridwalk_engine::{
    EngineError, Format, Invitation, NewIncident, NewPhoto, Place, SendState, SyncOptions,
};

use crate::server::{FakeServer, Fault};
use crate::support::{Phone, png};

fn invitation(code: &str) -> Invitation {
    Invitation::parse(code, Some("https://test")).expect("reads")
}

fn incident(title: &str) -> NewIncident {
    NewIncident {
        category: "hygiene".into(),
        title: title.into(),
        ..NewIncident::default()
    }
}

#[test]
fn a_wrong_code_changes_nothing_and_a_lost_answer_repeats_the_same_request() {
    let (phone, server) = (Phone::new(true), FakeServer::new());
    let engine = phone.open();
    let wrong = engine.enrol(&server, &invitation("WRONG"));
    assert!(matches!(wrong, Err(EngineError::EnrolRefused { code, .. }) if code == "wrong_code"));
    assert_eq!(engine.identity(), Ok(None));
    assert_eq!(engine.start_shift(None), Err(EngineError::NotEnrolled));

    server.fail("/v1/enrol", Fault::AnswerLost);
    assert!(matches!(
        engine.enrol(&server, &invitation("CODE")),
        Err(EngineError::Unreachable { .. })
    ));
    drop(engine);
    // The server holds device and token already: another pair would be refused.
    let engine = phone.open();
    let identity = engine.enrol(&server, &invitation("CODE")).expect("enrols");
    assert_eq!(identity.worker.name, "01 号网格员");
    assert_eq!(
        engine.grid_by_code("371302001201003").expect("known").id,
        server.grid.id
    );
    assert_eq!(
        engine.enrol(&server, &invitation("CODE")),
        Err(EngineError::AlreadyEnrolled)
    );
}

#[test]
fn outside_a_shift_and_outside_the_grids_nothing_is_recorded() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = phone.enrolled(&server);
    assert_eq!(engine.start_patrol(), Err(EngineError::NoShift));
    assert_eq!(engine.record(&[phone.fix()]), Err(EngineError::NoShift));
    assert_eq!(
        engine.report_incident(incident("x")),
        Err(EngineError::NoShift)
    );
    assert_eq!(engine.end_shift(), Err(EngineError::NoShift));
    let elsewhere = GridId::from_bytes([9; 16]);
    assert!(matches!(
        engine.start_shift(Some(elsewhere)),
        Err(EngineError::OutOfScope { .. })
    ));
    assert!(matches!(
        engine.grid_by_code("371302999"),
        Err(EngineError::UnknownGrid { .. })
    ));
    assert_eq!(
        engine.status().expect("reads").unsent.ops,
        0,
        "nothing was written"
    );

    engine.start_shift(None).expect("begins");
    assert_eq!(engine.start_shift(None), Err(EngineError::ShiftRunning));
    assert_eq!(engine.record(&[phone.fix()]), Err(EngineError::NoPatrol));
    engine.start_patrol().expect("starts");
    assert_eq!(engine.start_patrol(), Err(EngineError::PatrolRunning));
    assert_eq!(engine.end_shift(), Err(EngineError::PatrolRunning));
    assert_eq!(engine.resume_patrol(), Err(EngineError::PatrolNotPaused));
    engine.pause_patrol().expect("pauses");
    assert_eq!(
        engine.record(&[phone.fix()]),
        Err(EngineError::PatrolPaused)
    );
    assert_eq!(engine.pause_patrol(), Err(EngineError::PatrolPaused));
    engine.finish_patrol().expect("finishes");
    engine.end_shift().expect("ends");
    assert_eq!(engine.record(&[phone.fix()]), Err(EngineError::NoShift));
}

#[test]
fn a_patrol_counts_what_was_walked_and_says_where_it_paused() {
    for keyed in [false, true] {
        let (phone, server) = (Phone::new(keyed), FakeServer::new());
        let engine = phone.on_patrol(&server);
        assert_eq!(phone.walk(&engine, 400), 400);
        phone.clock.pass(500);
        engine.pause_patrol().expect("pauses");
        phone.clock.pass(600_000);
        engine.resume_patrol().expect("resumes");
        assert_eq!(phone.walk(&engine, 200), 600);
        let status = engine.status().expect("reads").patrol.expect("running");
        assert_eq!(
            (status.fixes, status.refused, status.paused),
            (600, 0, false)
        );
        assert!(
            (600.0..760.0).contains(&status.distance_m),
            "{}",
            status.distance_m
        );
        let summary = engine.finish_patrol().expect("finishes");
        assert_eq!((summary.fixes, summary.used, summary.gaps), (600, 600, 1));
        assert!((summary.distance_m - status.distance_m).abs() < 1.0);

        let route = engine.route(summary.patrol).expect("there");
        assert_eq!(
            route.segments.iter().map(Vec::len).collect::<Vec<_>>(),
            [400, 200]
        );
        assert_eq!(route.gaps[0].cause, GapCause::Paused);
        let view = engine.patrol(summary.patrol).expect("there");
        assert_eq!(
            (view.status.as_str(), view.fixes, view.runs.len()),
            ("finished", 600, 1)
        );
        assert_eq!(view.send, SendState::Saved);
        for (format, sign) in [
            (Format::Gpx, "<trkseg"),
            (Format::GeoJson, "LineString"),
            (Format::Csv, "t_ms,lat"),
        ] {
            assert!(
                engine
                    .export(summary.patrol, format)
                    .expect("exports")
                    .contains(sign)
            );
        }
    }
}

#[test]
fn what_the_filter_refuses_is_kept_and_named_by_its_ordinal() {
    let (phone, server) = (Phone::new(true), FakeServer::new());
    let engine = phone.on_patrol(&server);
    phone.walk(&engine, 5);
    phone.clock.pass(1000);
    let mut nowhere = phone.fix();
    nowhere.position.lat = f64::NAN;
    let first = phone.fix();
    phone.clock.pass(1000);
    let mut mocked = phone.fix();
    mocked.mocked = true;
    let recorded = engine.record(&[first, nowhere, mocked]).expect("records");
    assert_eq!((recorded.first, recorded.acked), (5, 8));
    let refused: Vec<_> = recorded
        .refused
        .iter()
        .map(|fix| (fix.ordinal, fix.why))
        .collect();
    assert_eq!(refused, [(6, Refusal::OutOfRange), (7, Refusal::Mocked)]);
    assert_eq!(engine.record(&[]).expect("nothing is no error").acked, 8);
    let summary = engine.finish_patrol().expect("finishes");
    assert_eq!((summary.fixes, summary.used), (8, 6));
    let csv = engine.export(summary.patrol, Format::Csv).expect("exports");
    assert!(
        csv.contains("out_of_range") && csv.contains("mocked"),
        "{csv}"
    );
}

#[test]
fn a_killed_app_goes_on_with_a_gap_and_loses_nothing() {
    for keyed in [false, true] {
        let (phone, server) = (Phone::new(keyed), FakeServer::new());
        let engine = phone.on_patrol(&server);
        // Some sealed, some in the journal alone.
        assert_eq!(phone.walk(&engine, 750), 750);
        let before = engine.status().expect("reads");
        assert_eq!((before.unsent.chunks, before.unsealed_fixes), (1, 150));
        drop(engine);
        phone.clock.pass(1_200_000);
        phone.clock.reboot(0);
        let engine = phone.open();
        let after = engine.status().expect("reads");
        assert_eq!(after.patrol.as_ref().map(|patrol| patrol.fixes), Some(750));
        assert_eq!(
            after.unsent.ops, before.unsent.ops,
            "only looking writes nothing"
        );
        assert_eq!(phone.walk(&engine, 100), 850);
        assert_eq!(
            engine.status().expect("reads").unsent.ops,
            before.unsent.ops + 1,
            "the mark"
        );
        let summary = engine.finish_patrol().expect("finishes");
        assert_eq!((summary.fixes, summary.gaps), (850, 1));
        let route = engine.route(summary.patrol).expect("there");
        assert_eq!(route.gaps[0].cause, GapCause::PhoneOff);
        let runs = engine.patrol(summary.patrol).expect("there").runs;
        let mut fixes: Vec<_> = runs.iter().map(|run| run.fixes).collect();
        fixes.sort_unstable();
        assert_eq!(fixes, [100, 750]);
    }
}

#[test]
fn a_seal_that_the_app_died_after_is_not_repeated() {
    let (phone, server) = (Phone::new(true), FakeServer::new());
    let engine = phone.on_patrol(&server);
    phone.walk(&engine, 550);
    let journal = std::fs::read(phone.beside("-journal.gw")).expect("there");
    assert!(journal.len() > 550 * 42);
    phone.walk(&engine, 60);
    drop(engine);
    // As if the app had died between the seal's commit and the emptying.
    std::fs::write(phone.beside("-journal.gw"), journal).expect("writes");
    let engine = phone.open();
    assert_eq!(
        engine
            .status()
            .expect("reads")
            .patrol
            .expect("running")
            .fixes,
        600
    );
    assert_eq!(phone.walk(&engine, 1), 601);
}

#[test]
fn marks_of_the_shell_reach_the_route_and_engine_marks_are_its_own() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = phone.on_patrol(&server);
    phone.walk(&engine, 30);
    phone.clock.pass(500);
    engine
        .mark(MarkKind::Lost {
            cause: GapCause::PermissionOff,
        })
        .expect("marks");
    phone.clock.pass(40_000);
    engine.mark(MarkKind::Found).expect("marks");
    phone.walk(&engine, 30);
    assert!(matches!(
        engine.mark(MarkKind::Finished),
        Err(EngineError::Invalid { .. })
    ));
    let summary = engine.finish_patrol().expect("finishes");
    let route = engine.route(summary.patrol).expect("there");
    assert_eq!(
        route.gaps.iter().map(|gap| gap.cause).collect::<Vec<_>>(),
        [GapCause::PermissionOff]
    );
}

#[test]
fn an_incident_has_its_photos_its_place_and_its_patrol() {
    for keyed in [false, true] {
        let (phone, server) = (Phone::new(keyed), FakeServer::new());
        let engine = phone.on_patrol(&server);
        phone.walk(&engine, 10);
        let photo = |seed| NewPhoto {
            bytes: png(seed),
            mime: "text/html".into(),
        };
        let new = NewIncident {
            photos: vec![photo(1), photo(2), photo(1)],
            ..incident("楼道堆物")
        };
        let id = engine.report_incident(new).expect("reports");
        drop(engine);

        let engine = phone.open();
        let view = engine.incident(id).expect("there");
        assert_eq!(
            (view.title.as_str(), view.severity.as_deref()),
            ("楼道堆物", Some("normal"))
        );
        assert!(view.patrol.is_some() && view.mine);
        let place = view.place.expect("the last fix");
        assert!(
            (place.lat - phone.fix().position.lat).abs() < 1e-5 && place.accuracy_m == Some(5.0)
        );
        assert_eq!(view.photos.len(), 3);
        assert!(
            view.photos
                .iter()
                .all(|photo| photo.mime == "image/png" && photo.here && !photo.sent)
        );
        assert_eq!(
            std::fs::read_dir(phone.beside("-blobs"))
                .expect("there")
                .count(),
            2,
            "one blob a content"
        );
        let bytes = engine.photo(view.photos[0].sha256).expect("reads");
        assert_eq!(bytes.len() as u64, view.photos[0].bytes);
        assert!(!bytes.windows(8).any(|window| window == b"35.10451"));

        // Later the last fix is too old to be a place.
        phone.clock.pass(180_000);
        let id = engine.report_incident(incident("无位置")).expect("reports");
        assert_eq!(engine.incident(id).expect("there").place, None);
    }
}

#[test]
fn a_report_that_cannot_stand_changes_nothing() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = phone.on_patrol(&server);
    let unsent = engine.status().expect("reads").unsent;
    let no_photo = NewPhoto {
        bytes: b"GIF89a".to_vec(),
        mime: "image/jpeg".into(),
    };
    let bad = [
        NewIncident {
            category: "unheard_of".into(),
            ..incident("x")
        },
        NewIncident {
            severity: Some("extreme".into()),
            ..incident("x")
        },
        incident("two\nlines"),
        NewIncident {
            place: Some(Place {
                lat: 95.0,
                lon: 0.0,
                accuracy_m: None,
            }),
            ..incident("x")
        },
        NewIncident {
            photos: vec![no_photo],
            ..incident("x")
        },
    ];
    for new in bad {
        let error = engine.report_incident(new).expect_err("cannot stand");
        assert!(!error.to_string().is_empty());
    }
    assert_eq!(engine.status().expect("reads").unsent, unsent);
    assert_eq!(engine.incidents(), Ok(vec![]));
}

#[test]
fn closed_is_closed() {
    let (phone, server) = (Phone::new(true), FakeServer::new());
    let engine = phone.on_patrol(&server);
    engine.close();
    engine.close();
    assert_eq!(engine.record(&[phone.fix()]), Err(EngineError::Closed));
    assert_eq!(
        engine.sync(&server, SyncOptions::default()),
        Err(EngineError::Closed)
    );
    phone.open().status().expect("another may open it now");
}
