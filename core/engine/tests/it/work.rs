//! What a gridworker does beside incidents: findings, visits, tasks, notices,
//! mediations.

use gridwalk_domain::{EntityId, Intent, Sha256, StreamKey};
use gridwalk_engine::{
    Engine, EngineError, NewFinding, NewIncident, NewMediation, NewPhoto, NewVisit, Person,
    SendState, Session, Signature, StepWords,
};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

use crate::gate::goes;
use crate::server::{COMMUNITY, FakeServer, grid};
use crate::support::{Phone, START_MS, png};
use crate::talk::{elsewhere_of, sync};

const HOUR_MS: i64 = 3_600_000;

fn started() -> (Phone, FakeServer, Engine) {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    server.with(|state| state.inboxes = true);
    let engine = phone.on_patrol(&server);
    (phone, server, engine)
}

fn made(server: &FakeServer, kind: &str, n: u8, home: StreamKey, fields: Value) -> EntityId {
    let id = EntityId::from_bytes([n; 16]);
    let fields: BTreeMap<String, Value> = serde_json::from_value(fields).expect("a map");
    elsewhere_of(server, kind, id, Intent::Create { home, fields });
    id
}

fn photo(seed: u8) -> NewPhoto {
    NewPhoto {
        bytes: png(seed),
        mime: String::new(),
    }
}

fn person(name: &str) -> Person {
    Person {
        name: name.into(),
        ..Person::default()
    }
}

fn all_arrived(engine: &Engine, server: &FakeServer) {
    sync(engine, server).expect("syncs");
    let status = engine.status().expect("reads");
    assert_eq!((status.unsent.ops, status.unsent.blobs), (0, 0));
    assert_eq!(status.refused, []);
}

#[test]
fn what_was_abnormal_in_a_grid_is_an_incident_of_that_grid() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let (first, second) = (grid(0x11), grid(0x12));
    let ids = (first.id, second.id);
    server.with(|state| state.assigned.insert(server.worker.id, vec![first, second]));
    let engine = phone.enrolled(&server);
    sync(&engine, &server).expect("syncs");
    engine.start_shift(Some(ids.0)).expect("begins");
    let incident = NewIncident {
        category: "other".into(),
        ..NewIncident::default()
    };
    let incident = engine.report_incident(incident).expect("reports");
    engine.end_shift().expect("ends");
    engine.start_shift(Some(ids.1)).expect("begins");
    engine.start_patrol().expect("starts");
    let before = engine.status().expect("reads").unsent;
    let finding = NewFinding {
        category: "other".into(),
        incident: Some(incident),
        note: None,
    };
    assert!(matches!(
        engine.record_finding(&finding),
        Err(EngineError::Invalid { field, .. }) if field == "incident"
    ));
    assert_eq!(engine.status().expect("reads").unsent, before);
}

#[test]
fn nothing_abnormal_is_said_once_for_a_patrol_and_a_category() {
    let (phone, server, engine) = started();
    let patrol = engine.status().expect("reads").patrol.expect("runs").id;
    let normal = |category: &str| NewFinding {
        category: category.into(),
        ..NewFinding::default()
    };
    let first = engine.record_finding(&normal("hygiene")).expect("records");
    let unsent = engine.status().expect("reads").unsent.ops;
    assert_eq!(engine.record_finding(&normal("hygiene")), Ok(first));
    assert_eq!(engine.status().expect("reads").unsent.ops, unsent);
    let incident = NewIncident {
        category: "other".into(),
        ..NewIncident::default()
    };
    let incident = engine.report_incident(incident).expect("reports");
    let abnormal = NewFinding {
        incident: Some(incident),
        note: Some("井盖缺失".into()),
        ..normal("other")
    };
    engine.record_finding(&abnormal).expect("records");
    let nobody = EntityId::from_bytes([0xee; 16]);
    let unknown = NewFinding {
        incident: Some(nobody),
        ..normal("other")
    };
    assert_eq!(engine.record_finding(&unknown), Err(EngineError::NotFound));
    assert!(matches!(
        engine.record_finding(&normal("unheard_of")),
        Err(EngineError::UnknownCategory { .. })
    ));
    let found = engine.findings(patrol).expect("reads");
    let found: BTreeMap<_, _> = found
        .iter()
        .map(|finding| (finding.category.as_str(), finding.incident))
        .collect();
    assert_eq!(
        found,
        BTreeMap::from([("hygiene", None), ("other", Some(incident))])
    );
    all_arrived(&engine, &server);
    engine.finish_patrol().expect("finishes");
    assert_eq!(
        engine.record_finding(&normal("hygiene")),
        Err(EngineError::NoPatrol)
    );
    assert_eq!(engine.findings(patrol).expect("reads").len(), 2);
    drop(phone);
}

#[test]
fn a_visit_is_recorded_with_whom_and_what_was_found() {
    let (phone, server, engine) = started();
    phone.walk(&engine, 3);
    let new = NewVisit {
        household: "3 号楼 2 单元 501".into(),
        person: Some(Person {
            phone: Some("0539-1234567".into()),
            ..person("独居老人")
        }),
        purpose: Some("elder".into()),
        found: Some("身体好，煤气已关".into()),
        photos: vec![photo(1)],
        ..NewVisit::default()
    };
    let id = engine.record_visit(&new).expect("records");
    let view = engine.visit(id).expect("there");
    assert_eq!(
        (view.household.as_str(), view.visited_ms),
        (new.household.as_str(), phone.clock.true_ms() + 5000),
        "by the server's clock"
    );
    assert_eq!((&view.person, view.place.is_some()), (&new.person, true));
    assert_eq!(view.record.photos.len(), 1);
    assert!(matches!(
        engine.record_visit(&NewVisit::default()),
        Err(EngineError::Invalid { field, .. }) if field == "household"
    ));
    let wrong = NewVisit {
        household: "甲".into(),
        person: Some(Person {
            phone: Some("abc".into()),
            ..person("乙")
        }),
        ..NewVisit::default()
    };
    assert!(matches!(
        engine.record_visit(&wrong),
        Err(EngineError::Invalid { field, .. }) if field == "person"
    ));
    all_arrived(&engine, &server);
    assert_eq!(
        engine.visits().expect("reads")[0].record.send,
        SendState::Sent
    );
    // A phone whose clock is at 1970 and never met a server.
    phone.clock.turn(-phone.clock.true_ms());
    engine.record_visit(&new).expect("is saved all the same");
}

#[test]
fn a_task_is_seen_accepted_and_done_with_proof() {
    let (phone, server, engine) = started();
    engine.finish_patrol().expect("finishes");
    engine.end_shift().expect("ends");
    let me = server.worker.id;
    let fields = |due: i64, title: &str| {
        json!({"worker": me, "grid": server.grid.id, "work": "inspect",
        "title": title, "due_ms": START_MS + due})
    };
    let inbox = StreamKey::Inbox(me);
    let later = made(&server, "task", 1, inbox, fields(9 * HOUR_MS, "检查灭火器"));
    let soon = made(&server, "task", 2, inbox, fields(HOUR_MS, "核实群租"));
    let all = json!({"grid": server.grid.id, "work": "verify", "title": "谁去都行"});
    let open = made(&server, "task", 3, StreamKey::Records(server.grid.id), all);
    sync(&engine, &server).expect("syncs");
    let listed = engine.tasks().expect("reads");
    let ids: Vec<_> = listed.iter().map(|task| task.record.id).collect();
    assert_eq!(ids, [soon, later, open], "the most urgent first");
    assert!(listed.iter().all(|task| !task.overdue));

    // Off duty too.
    let bare = StepWords::default;
    engine.take(soon, "see", bare()).expect("sees");
    engine.take(soon, "accept", bare()).expect("accepts");
    let steps = engine.steps(soon).expect("reads");
    assert_eq!(steps[0].needs, [["photos", "note"]]);
    assert!(matches!(
        engine.take(soon, "finish", bare()),
        Err(EngineError::Invalid { .. })
    ));
    let done = StepWords {
        photos: vec![photo(2)],
        ..bare()
    };
    engine.take(soon, "finish", done).expect("finishes");
    let back = StepWords {
        reason: Some("不在我的网格".into()),
        ..bare()
    };
    engine.take(later, "return", back).expect("gives back");
    engine.take(open, "see", bare()).expect("of the grid");
    phone.clock.pass(10 * HOUR_MS);
    assert!(engine.task(later).expect("there").overdue);
    assert!(!engine.task(soon).expect("there").overdue, "it is done");
    assert!(matches!(
        engine.take(soon, "withdraw", bare()),
        Err(EngineError::Invalid { .. })
    ));
    assert!(matches!(
        engine.take(
            open,
            "withdraw",
            StepWords {
                reason: Some("x".into()),
                ..bare()
            }
        ),
        Err(EngineError::NotAllowed {
            rule: "not_for_you",
            ..
        })
    ));
    all_arrived(&engine, &server);
    server.with(|state| {
        assert_eq!(state.state(soon).expect("there").status(), Some("done"));
        assert_eq!(state.blobs.len(), 1);
    });
}

#[test]
fn a_notice_is_read_once() {
    let (_phone, server, engine) = started();
    let fields = |grid| json!({"grid": grid, "title": "防汛通知", "text": "今晚有大雨"});
    let own = StreamKey::Notices(server.grid.id);
    let first = made(&server, "notice", 1, own, fields(server.grid.id));
    let above = StreamKey::Notices(COMMUNITY);
    let second = made(&server, "notice", 2, above, fields(COMMUNITY));
    let file = json!({"sha256": Sha256([7; 32]), "mime": "application/pdf", "bytes": 9_000,
        "name": "防汛.pdf"});
    let list = Intent::Append {
        list: "files".into(),
        value: file,
    };
    elsewhere_of(&server, "notice", first, list);
    sync(&engine, &server).expect("syncs");
    let files = |id: EntityId| {
        let all = engine.notices().expect("reads").into_iter();
        let mut of_it = all.filter(|notice| notice.record.id == id);
        of_it.next().expect("there").files
    };
    assert_eq!(files(first)[0].name.as_deref(), Some("防汛.pdf"));
    assert_eq!((files(first).len(), files(second).len()), (1, 0));
    let unread = || {
        let all = engine.notices().expect("reads");
        all.iter().filter(|notice| notice.unread).count()
    };
    assert_eq!(unread(), 2);
    engine.read_notice(second).expect("reads");
    engine.read_notice(second).expect("is no error");
    assert_eq!(unread(), 1);
    let notices = engine.notices().expect("reads");
    let read = notices.iter().find(|notice| notice.record.id == second);
    assert_eq!(read.expect("there").read_ms, Some(START_MS));
    all_arrived(&engine, &server);
    assert_eq!(unread(), 1, "the server says the same");
    server.with(|state| {
        let readings = state
            .states()
            .filter(|state| state.kind == "notice_reading");
        let readings: Vec<_> = readings.collect();
        assert_eq!(readings.len(), 1);
        let grid = server.grid.id.to_string();
        assert_eq!(readings[0].text("grid"), Some(grid.as_str()));
    });
    goes(&server, first, "withdrawn", Map::new());
    sync(&engine, &server).expect("syncs");
    assert_eq!(unread(), 0, "what was taken back need not be read");
    let nobody = EntityId::from_bytes([0xee; 16]);
    assert_eq!(engine.read_notice(nobody), Err(EngineError::NotFound));
}

#[test]
fn a_dispute_is_mediated_signed_and_looked_at_again() {
    let (_phone, server, engine) = started();
    let incident = NewIncident {
        category: "family_dispute".into(),
        answers: [("hurt".to_owned(), json!("no"))].into(),
        ..NewIncident::default()
    };
    let incident = engine.report_incident(incident).expect("reports");
    let new = NewMediation {
        title: "婆媳纠纷".into(),
        incident: Some(incident),
        parties: vec![person("婆婆")],
        ..NewMediation::default()
    };
    let id = engine.open_mediation(&new).expect("opens");
    engine.add_party(id, &person("儿媳")).expect("names");
    let session = Session {
        from_ms: START_MS,
        present: vec![person("婆婆"), person("儿媳")],
        said: "各说各的".into(),
        ..Session::default()
    };
    engine.add_session(id, &session).expect("records");
    let backwards = Session {
        to_ms: Some(START_MS - 1),
        ..session.clone()
    };
    assert!(matches!(
        engine.add_session(id, &backwards),
        Err(EngineError::Invalid { field, .. }) if field == "sessions"
    ));
    let bare = engine.take(id, "agree", StepWords::default());
    assert!(matches!(bare, Err(EngineError::Invalid { .. })));
    let signed = StepWords {
        more: Map::from_iter([("agreement".to_owned(), json!("轮流做饭"))]),
        signatures: vec![
            Signature {
                name: "婆婆".into(),
                picture: photo(1),
            },
            Signature {
                name: "儿媳".into(),
                picture: photo(2),
            },
        ],
        ..StepWords::default()
    };
    engine.take(id, "agree", signed).expect("agrees");
    let day = "2026-12-10".parse().expect("a day");
    engine.look_again(id, day, Some("看看")).expect("sets");
    let view = engine.mediation(id).expect("there");
    assert_eq!(view.record.status, "agreed");
    assert_eq!((view.parties.len(), view.sessions.len()), (2, 1));
    assert_eq!(view.look_again[0].date, "2026-12-10");
    let agreement = view.agreement.expect("they agreed");
    assert_eq!(agreement.text, "轮流做饭");
    assert_eq!(agreement.signatures[1].0, "儿媳");
    all_arrived(&engine, &server);
    server.with(|state| {
        assert_eq!(state.blobs.len(), 2, "the signatures arrive");
        let known = state.state(id).expect("there");
        assert_eq!(known.home, StreamKey::Inbox(server.worker.id));
    });
    assert_eq!(engine.mediations().expect("reads").len(), 1);
}
