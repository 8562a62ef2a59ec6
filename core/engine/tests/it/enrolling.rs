//! Enrolling, and enrolling again.

use gridwalk_domain::DeviceId;
use gridwalk_domain::wire::Standing;
use gridwalk_engine::{Engine, EngineError, Invitation, SendState};

use crate::server::{FakeServer, Fault};
use crate::support::Phone;
use crate::talk::{report, sync};

fn invitation(code: &str) -> Invitation {
    Invitation::parse(code, Some("https://test")).expect("reads")
}

/// A phone whose token the server does not know any more, with a report unsent.
fn signed_out(phone: &Phone, server: &FakeServer) -> Engine {
    let engine = phone.enrolled(server);
    engine.start_shift(None).expect("begins");
    sync(&engine, server).expect("syncs");
    report(&engine, "甲", &[1]);
    server.fail("/v1/hello", Fault::Status(401, vec![]));
    assert_eq!(sync(&engine, server), Err(EngineError::SignedOut));
    engine
}

#[test]
fn a_phone_that_was_signed_out_is_enrolled_again_with_what_it_holds() {
    let (phone, server) = (Phone::new(true), FakeServer::new());
    let engine = signed_out(&phone, &server);
    let before = engine.identity().expect("reads").expect("enrolled");
    let status = engine.status().expect("reads");
    assert!(status.signed_out && status.unsent.ops == 2);
    server.hire(0x22, "AGAIN");
    // The answer is lost, and the app dies: the same request again.
    server.fail("/v1/enrol", Fault::AnswerLost);
    assert!(engine.enrol(&server, &invitation("AGAIN")).is_err());
    drop(engine);
    let engine = phone.open();
    let after = engine
        .enrol(&server, &invitation("AGAIN"))
        .expect("enrols again");
    assert_eq!(after, before, "the same phone of the same worker");
    let status = engine.status().expect("reads");
    assert!(!status.signed_out && status.shift.is_some());
    sync(&engine, &server).expect("syncs");
    let incidents = engine.incidents().expect("reads");
    assert_eq!(incidents[0].send, SendState::Sent);
    assert_eq!(
        engine.enrol(&server, &invitation("AGAIN")),
        Err(EngineError::AlreadyEnrolled)
    );
}

#[test]
fn a_code_for_somebody_else_is_refused_and_changes_nothing() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = signed_out(&phone, &server);
    server.hire(0x66, "OTHER");
    let before = engine.status().expect("reads");
    assert_eq!(
        engine.enrol(&server, &invitation("OTHER")),
        Err(EngineError::OtherWorker)
    );
    assert_eq!(engine.status().expect("reads"), before);
    assert!(matches!(
        engine.enrol(&server, &invitation("NONE")),
        Err(EngineError::EnrolRefused { code, .. }) if code == "wrong_code"
    ));
    // The code is good still, for the one whose it is.
    let theirs = Phone::new(false).open();
    theirs.enrol(&server, &invitation("OTHER")).expect("enrols");
}

#[test]
fn a_device_id_that_is_somebody_elses_is_drawn_anew() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    server.hire(0x66, "OTHER");
    let theirs = Phone::new(false);
    let theirs_engine = theirs.open();
    theirs_engine
        .enrol(&server, &invitation("OTHER"))
        .expect("enrols");
    // Two phones whose system draws the same numbers: a cloned installation.
    let engine = phone.open();
    let identity = engine.enrol(&server, &invitation("CODE")).expect("enrols");
    let other = theirs_engine.identity().expect("reads").expect("enrolled");
    assert_ne!(identity.device, other.device);
    assert_eq!(identity.worker.id, server.worker.id);
}

#[test]
fn both_tokens_are_drawn_and_differ_and_neither_is_the_servers_to_choose() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = phone.enrolled(&server);
    let device: DeviceId = engine.identity().expect("reads").expect("enrolled").device;
    server.with(|state| {
        let known = &state.devices[&device];
        let (token, send_token) = known.tokens();
        assert_eq!((token.len(), send_token.len()), (64, 64));
        assert_ne!(token, send_token);
        assert_eq!(known.standing, Standing::Active);
    });
}
