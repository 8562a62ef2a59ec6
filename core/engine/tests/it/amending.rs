//! Records that are changed after they were made, here and elsewhere.

use gridwalk_domain::{Change, EntityId, Intent, OpId};
use gridwalk_engine::{Choice, Edit, EngineError, NewPhoto};
use serde_json::{Map, json};
use std::collections::BTreeMap;

use crate::server::FakeServer;
use crate::support::{Phone, holder, png};
use crate::talk::{elsewhere, report, sync};

fn title(text: &str) -> BTreeMap<String, serde_json::Value> {
    [("title".to_owned(), json!(text))].into()
}

fn base(server: &FakeServer, record: EntityId) -> Option<OpId> {
    server.with(|state| state.state(record).expect("there").base("title"))
}

#[test]
fn all_that_is_changed_offline_arrives_and_own_changes_do_not_conflict() {
    let (phone, server) = (Phone::new(true), FakeServer::new());
    let engine = phone.enrolled(&server);
    engine.start_shift(None).expect("begins");
    let id = report(&engine, "甲", &[]);
    engine.edit(id, title("乙")).expect("edits");
    engine.edit(id, title("丙")).expect("edits again");
    engine.comment(id, "看过了").expect("comments");
    let photo = NewPhoto {
        bytes: png(3),
        mime: String::new(),
    };
    engine.attach(id, &[photo]).expect("attaches");
    engine.add_item(id, "tags", json!("夜间")).expect("adds");
    engine.add_item(id, "tags", json!("楼道")).expect("adds");
    engine
        .remove_item(id, "tags", &json!("夜间"))
        .expect("removes");
    engine
        .step(id, "escalated", Some("需城管处理"), holder())
        .expect("steps");
    let shown = engine.record_of(id).expect("there");
    sync(&engine, &server).expect("syncs");
    let state = server.with(|state| state.state(id).expect("there").clone());
    assert_eq!(state.ops, shown.ops);
    assert_eq!((state.text("title"), state.conflicts()), (Some("丙"), 0));
    assert_eq!(state.status(), Some("escalated"));
    assert_eq!(state.list("photos").len(), 1);
    let tags: Vec<_> = state.sets["tags"].items.iter().map(|i| &i.value).collect();
    assert_eq!(tags, [&json!("楼道")]);
    assert_eq!(server.with(|state| state.blobs.len()), 1);
}

#[test]
fn changes_that_are_made_together_are_all_made_or_none() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = phone.enrolled(&server);
    engine.start_shift(None).expect("begins");
    let id = report(&engine, "甲", &[]);
    engine.add_item(id, "tags", json!("夜间")).expect("adds");
    let before = engine.record_of(id).expect("there");
    let tag = |text: &str| ("tags".to_owned(), json!(text));
    let edit = |added: &str| Edit {
        fields: title("乙"),
        add: vec![tag(added)],
        remove: vec![tag("夜间"), tag("没有")],
        seen: None,
    };
    let done = engine.edit_all(id, edit(""));
    assert!(matches!(done, Err(EngineError::Invalid { .. })), "{done:?}");
    assert_eq!(engine.record_of(id), Ok(before));
    engine.edit_all(id, edit("楼道")).expect("edits");
    let view = engine.incident(id).expect("there");
    assert_eq!(
        (view.title.as_str(), view.tags),
        ("乙", vec!["楼道".to_owned()])
    );
}

#[test]
fn what_two_wrote_stays_until_somebody_settles_it() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = phone.enrolled(&server);
    engine.start_shift(None).expect("begins");
    let id = report(&engine, "甲", &[]);
    sync(&engine, &server).expect("syncs");
    let change = Change {
        value: json!("别人写的"),
        base: base(&server, id),
    };
    elsewhere(&server, id, Intent::Set([("title".into(), change)].into()));
    engine.edit(id, title("我写的")).expect("edits");
    assert_eq!(sync(&engine, &server).expect("syncs").conflicts, 1);
    let shown = engine.record_of(id).expect("there");
    let field = &shown.fields["title"];
    assert_eq!(field.current.value, "别人写的");
    assert_eq!(field.proposals[0].value, "我写的");

    engine
        .resolve(id, "title", json!("两人说定"))
        .expect("settles");
    sync(&engine, &server).expect("syncs");
    let shown = engine.record_of(id).expect("there");
    assert_eq!(
        (shown.text("title"), shown.conflicts()),
        (Some("两人说定"), 0)
    );
}

/// A sync in the background brings a colleague's words while a form is open.
#[test]
fn what_came_while_the_form_was_open_is_kept_beside() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = phone.enrolled(&server);
    engine.start_shift(None).expect("begins");
    let id = report(&engine, "甲", &[]);
    sync(&engine, &server).expect("syncs");
    let seen = engine.record_of(id).expect("there");
    let change = Change {
        value: json!("别人写的"),
        base: base(&server, id),
    };
    elsewhere(&server, id, Intent::Set([("title".into(), change)].into()));
    sync(&engine, &server).expect("syncs");
    let edit = |record, seen| {
        let fields = title("我写的");
        let edit = Edit {
            fields,
            seen: Some(seen),
            ..Edit::default()
        };
        engine.edit_all(record, edit)
    };
    let other = report(&engine, "乙", &[]);
    assert_eq!(edit(other, seen.clone()), Err(EngineError::NotFound));
    edit(id, seen).expect("edits");
    for synced in [false, true] {
        if synced {
            sync(&engine, &server).expect("syncs");
        }
        let shown = engine.record_of(id).expect("there");
        let field = &shown.fields["title"];
        assert_eq!(field.current.value, "别人写的", "synced: {synced}");
        assert_eq!(field.proposals[0].value, "我写的", "synced: {synced}");
    }
}

#[test]
fn conflicts_are_listed_and_settled_as_they_were_seen() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = phone.enrolled(&server);
    engine.start_shift(None).expect("begins");
    let id = report(&engine, "甲", &[]);
    sync(&engine, &server).expect("syncs");
    assert_eq!(engine.conflicts(), Ok(vec![]));
    let stale = base(&server, id);
    let change = |text: &str| Change {
        value: json!(text),
        base: stale,
    };
    for text in ["乙", "丙"] {
        elsewhere(
            &server,
            id,
            Intent::Set([("title".into(), change(text))].into()),
        );
    }
    sync(&engine, &server).expect("syncs");
    let status = engine.status().expect("reads");
    assert_eq!(status.conflicts, 1, "somebody notices");
    let conflict = engine.conflicts().expect("reads").remove(0);
    assert_eq!((conflict.record, conflict.field.as_str()), (id, "title"));
    assert_eq!(
        (&conflict.standing.value, conflict.others.len()),
        (&json!("乙"), 1)
    );
    // While the worker looks at it, a third text comes in.
    elsewhere(
        &server,
        id,
        Intent::Set([("title".into(), change("丁"))].into()),
    );
    sync(&engine, &server).expect("syncs");
    let other = conflict.others[0].op;
    engine
        .settle(&conflict, Choice::Keep(other))
        .expect("settles what was seen");
    sync(&engine, &server).expect("syncs");
    let left = engine.conflicts().expect("reads").remove(0);
    assert_eq!(left.standing.value, "丙");
    let texts: Vec<_> = left.others.iter().map(|kept| &kept.value).collect();
    assert_eq!(texts, [&json!("丁")], "what nobody saw stays");
    engine
        .settle(&left, Choice::Write(json!("说定")))
        .expect("settles");
    assert_eq!(engine.conflicts(), Ok(vec![]), "at once, offline too");
    sync(&engine, &server).expect("syncs");
    assert_eq!(engine.incident(id).expect("there").title, "说定");
    assert_eq!(engine.status().expect("reads").conflicts, 0);
    let nobody = OpId::from_bytes([0xee; 16]);
    assert_eq!(
        engine.settle(&left, Choice::Keep(nobody)),
        Err(EngineError::NotFound)
    );
}

#[test]
fn a_deleted_record_is_gone_until_somebody_else_had_edited_it() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = phone.enrolled(&server);
    engine.start_shift(None).expect("begins");
    let id = report(&engine, "甲", &[]);
    sync(&engine, &server).expect("syncs");
    engine.delete(id).expect("deletes");
    assert_eq!(engine.incidents(), Ok(vec![]));
    assert_eq!(engine.comment(id, "x"), Err(EngineError::NotFound));
    sync(&engine, &server).expect("syncs");
    let change = Change {
        value: json!("还在"),
        base: base(&server, id),
    };
    elsewhere(&server, id, Intent::Set([("title".into(), change)].into()));
    sync(&engine, &server).expect("syncs");
    assert_eq!(engine.incident(id).expect("back").title, "还在");
}

#[test]
fn what_may_not_be_changed_says_why_and_writes_nothing() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = phone.on_patrol(&server);
    let id = report(&engine, "甲", &[]);
    let patrol = engine.status().expect("reads").patrol.expect("runs").id;
    let unsent = engine.status().expect("reads").unsent;
    let nobody = EntityId::from_bytes([0xee; 16]);
    assert_eq!(engine.comment(nobody, "x"), Err(EngineError::NotFound));
    assert!(matches!(
        engine.edit(id, title("")),
        Err(EngineError::Invalid { field, .. }) if field == "title"
    ));
    let step = |record, to| engine.step(record, to, None, Map::new());
    assert!(matches!(
        step(id, "closed"),
        Err(EngineError::Invalid { field, .. }) if field == "status"
    ));
    assert_eq!(step(patrol, "finished"), Err(EngineError::NotFound));
    engine
        .remove_item(id, "tags", &json!("没有"))
        .expect("is no error");
    let photo = NewPhoto {
        bytes: b"GIF89a".to_vec(),
        mime: String::new(),
    };
    assert!(matches!(
        engine.attach(id, &[photo]),
        Err(EngineError::NotTaken { index: 0, .. })
    ));
    assert_eq!(engine.status().expect("reads").unsent, unsent);
    engine.finish_patrol().expect("finishes");
    engine.end_shift().expect("ends");
    assert_eq!(engine.comment(id, "x"), Err(EngineError::NoShift));
}
