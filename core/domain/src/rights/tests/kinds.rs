//! Reading, making, writing, appending, deleting: each kind by everybody.

use super::*;
use crate::testing::{BASE, CITY, DISTRICT, NEXT_BASE, TOWN};
use crate::{GridId, Intent};

/// What may be done with a record, and by whom.
struct Matrix {
    tale: Tale,
    read: Vec<P>,
    write: (&'static str, Value, Vec<P>),
    append: Vec<P>,
    delete: Vec<P>,
}

fn matrices() -> Vec<Matrix> {
    let base = |fields: Value| {
        let mut whole = json!({"worker": Worker.worker(), "grid": BASE});
        for (name, value) in fields.as_object().expect("an object") {
            whole[name] = value.clone();
        }
        whole
    };
    let made = |kind, by, fields: Value| {
        let mut tale = Tale::of(kind);
        tale.make(by, fields).expect(kind);
        tale
    };
    let patrol = "0198c5a2-6c1e-4d31-9f0a-3b6f0c1d2e4f";
    let readers = and(&GRIDWORKERS, &and(&ABOVE, &[Administrator]));
    let appenders = and(&GRIDWORKERS, &ABOVE);
    let own = |tale, name, value| Matrix {
        tale,
        read: readers.clone(),
        write: (name, value, vec![Worker]),
        append: appenders.clone(),
        delete: vec![Worker],
    };
    let incident = |tale, also: &[P]| Matrix {
        tale,
        read: and(&readers, also),
        write: ("title", json!("改过"), and(&GRIDWORKERS, &ABOVE)),
        append: and(&appenders, also),
        delete: vec![],
    };
    let fire = json!({"department": FIRE});
    let to_city = dispatched(&fire).goes(&[
        (Fire, ACCEPTED, json!({})),
        (Town, DISPATCHED, to(&json!({"department": CITY}))),
    ]);
    let mediation = || made("mediation", Worker, base(json!({"title": "婆媳争吵"})));
    let mut named = mediation();
    let reader = |person: P| Intent::Add {
        set: "readers".into(),
        value: serde_json::to_value(person.person().actor).expect("json"),
    };
    named.take(Worker, reader(Stranger)).expect("named");
    named.take(Worker, reader(Town)).expect("named");
    let narrow = |tale, also: &[P]| Matrix {
        tale,
        read: and(&[Worker, Community], also),
        write: ("cause", json!("改过"), vec![Worker]),
        append: and(&[Worker, Community], also),
        delete: vec![],
    };
    let task = |fields: Value, by, addressees: &[P]| Matrix {
        tale: made("task", by, fields),
        read: and(addressees, &and(&ABOVE, &[Administrator])),
        write: ("title", json!("改过"), ABOVE.to_vec()),
        append: and(addressees, &ABOVE),
        delete: vec![],
    };
    let to_grid = json!({"grid": BASE, "work": "inspect", "title": "检查灭火器"});
    let mut to_worker = to_grid.clone();
    to_worker["worker"] = json!(Worker.worker());
    let notice = |grid: GridId, read: &[P], write: &[P]| Matrix {
        tale: made(
            "notice",
            P::District,
            json!({"grid": grid, "title": "防汛通知", "text": "今夜有雨"}),
        ),
        read: read.to_vec(),
        write: ("text", json!("改过"), write.to_vec()),
        append: write.to_vec(),
        delete: vec![],
    };
    let everybody = [
        Worker,
        Colleague,
        StandIn,
        Neighbour,
        Stranger,
        Community,
        OtherCommunity,
        Town,
        OtherTown,
        P::District,
        Administrator,
    ];
    let in_town = [
        Worker,
        Colleague,
        StandIn,
        Neighbour,
        Community,
        OtherCommunity,
        Town,
        P::District,
        Administrator,
    ];
    vec![
        own(
            made("shift", Worker, base(json!({}))),
            "note",
            json!("改过"),
        ),
        own(
            made("patrol", Worker, base(json!({"shift": patrol}))),
            "distance_m",
            json!(12),
        ),
        Matrix {
            tale: made(
                "site",
                Town,
                json!({
                    "grid": BASE, "name": "菜市场", "every": "day", "radius_m": 30,
                    "place": {"lat": 35.1, "lon": 118.35},
                }),
            ),
            read: readers.clone(),
            write: ("name", json!("改过"), and(&ABOVE, &[Administrator])),
            append: appenders.clone(),
            delete: and(&ABOVE, &[Administrator]),
        },
        own(
            made("checkin", Worker, base(json!({"site": patrol}))),
            "note",
            json!("改过"),
        ),
        own(
            made(
                "finding",
                Worker,
                base(
                    json!({"patrol": patrol, "catalogue": 1, "category": "hygiene", "result": "normal"}),
                ),
            ),
            "note",
            json!("改过"),
        ),
        own(
            made(
                "visit",
                Worker,
                base(json!({"visited_ms": T0, "household": "三单元 201"})),
            ),
            "found",
            json!("改过"),
        ),
        Matrix {
            delete: vec![Worker],
            ..incident(Tale::reported(), &[])
        },
        incident(dispatched(&fire), &[Fire]),
        incident(dispatched(&worker_of(Neighbour)), &[Neighbour]),
        // Who had it once keeps it.
        incident(to_city, &[Fire, City]),
        narrow(mediation(), &[]),
        narrow(named, &[Stranger, Town]),
        task(to_grid, Town, &GRIDWORKERS),
        task(to_worker, Town, &[Worker]),
        notice(DISTRICT, &everybody, &[P::District]),
        notice(TOWN, &in_town, &TOWN_UP),
        notice(
            BASE,
            &and(&GRIDWORKERS, &and(&ABOVE, &[Administrator])),
            &ABOVE,
        ),
        Matrix {
            tale: made("notice_reading", Worker, base(json!({"notice": patrol}))),
            read: and(&[Worker], &and(&ABOVE, &[Administrator])),
            write: ("seen", json!(true), vec![]),
            append: vec![Worker],
            delete: vec![],
        },
    ]
}

fn denied(taken: &Result<(Option<Entity>, Effect), No>) -> bool {
    matches!(taken, Err(No::Breach(crate::rules::Breach::Denied(_))))
}

#[test]
fn every_kind_is_read_and_changed_by_whom_its_table_says() {
    let mut kinds = std::collections::BTreeSet::new();
    for Matrix {
        tale,
        read,
        write,
        append,
        delete,
    } in matrices()
    {
        let entity = tale.entity();
        kinds.insert(entity.kind.clone());
        for person in P::ALL {
            let what = format!("{} by {person:?}", entity.kind);
            let someone = person.person();
            let rights = tale.rights(&someone);
            assert_eq!(
                rights.may_read(entity).is_ok(),
                read.contains(&person),
                "read {what}"
            );
            let grid = kind::grid_of(entity).expect("a grid");
            let kind = kind::find(&entity.kind).expect("a kind");
            let whatever_it_says = tale.rights(&someone).may_read_in(kind, grid);
            assert!(
                whatever_it_says.is_none_or(|may| may == read.contains(&person)),
                "read {what}, by the grid alone: {whatever_it_says:?}"
            );
            let (field, value, writers) = &write;
            let base = entity.base(field);
            let change = crate::Change {
                value: value.clone(),
                base,
            };
            let set = tale.try_op(person, Intent::Set([((*field).to_owned(), change)].into()));
            assert_eq!(
                set.is_ok(),
                writers.contains(&person),
                "write {what}: {set:?}"
            );
            assert_eq!(
                denied(&set),
                !writers.contains(&person),
                "write {what}: {set:?}"
            );
            let comment = Intent::Append {
                list: kind::COMMENTS.into(),
                value: json!({"text": "好"}),
            };
            let said = tale.try_op(person, comment);
            assert_eq!(
                said.is_ok(),
                append.contains(&person),
                "append {what}: {said:?}"
            );
            let last = *entity.ops.last().expect("an op");
            let gone = tale.try_op(person, Intent::Delete { base: last });
            assert_eq!(
                gone.is_ok(),
                delete.contains(&person),
                "delete {what}: {gone:?}"
            );
            assert_eq!(
                rights.may_write(entity).is_ok(),
                writers.contains(&person),
                "{what}"
            );
            assert_eq!(
                rights.may_append(entity).is_ok(),
                append.contains(&person),
                "{what}"
            );
        }
    }
    assert_eq!(kinds.len(), kind::KINDS.len(), "a kind is missing here");
}

#[test]
fn every_kind_is_made_by_whom_its_table_says() {
    let above_town = [Town, P::District];
    let cases: Vec<(&str, GridId, Vec<P>)> = vec![
        ("shift", BASE, GRIDWORKERS.to_vec()),
        ("patrol", BASE, GRIDWORKERS.to_vec()),
        ("site", BASE, and(&ABOVE, &[Administrator])),
        ("checkin", BASE, GRIDWORKERS.to_vec()),
        ("finding", BASE, GRIDWORKERS.to_vec()),
        ("visit", BASE, GRIDWORKERS.to_vec()),
        (
            "incident",
            BASE,
            and(&GRIDWORKERS, &and(&ABOVE, &[P::System])),
        ),
        (
            "incident",
            NEXT_BASE,
            and(&[Neighbour], &and(&ABOVE, &[P::System])),
        ),
        ("mediation", BASE, GRIDWORKERS.to_vec()),
        ("task", BASE, and(&ABOVE, &[Clock])),
        ("notice", COMMUNITY, ABOVE.to_vec()),
        ("notice", TOWN, above_town.to_vec()),
        ("notice", DISTRICT, vec![P::District]),
        ("notice_reading", BASE, GRIDWORKERS.to_vec()),
    ];
    let district = crate::testing::Lanshan::new();
    for (name, grid, who) in &cases {
        let kind = kind::find(name).expect("a kind");
        for person in P::ALL {
            let someone = person.person();
            let may = Rights::new(&someone, &district, T0).may_create(kind, *grid);
            assert_eq!(
                may.is_ok(),
                who.contains(&person),
                "{name} by {person:?}: {may:?}"
            );
        }
    }
    let named: std::collections::BTreeSet<&str> = cases.iter().map(|(name, ..)| *name).collect();
    assert_eq!(named.len(), kind::KINDS.len(), "a kind is missing here");
}

#[test]
fn what_was_so_when_a_record_was_made_stays_so() {
    for Matrix { tale, .. } in matrices() {
        let entity = tale.entity();
        let kind = kind::find(&entity.kind).expect("a kind");
        for field in kind.fixed {
            let value = entity
                .value(field)
                .cloned()
                .unwrap_or(json!("0198c5a2-6c1e-4d31-9f0a-3b6f0c1d2e4f"));
            let change = crate::Change {
                value,
                base: entity.base(field),
            };
            let set = Intent::Set([((*field).to_owned(), change)].into());
            for person in P::ALL {
                let no = tale.try_op(person, set.clone()).expect_err(field);
                assert!(
                    ["fixed", "not_for_you", "not_then"].contains(&no.code()),
                    "{no:?}"
                );
            }
        }
    }
}

#[test]
fn a_record_of_an_unknown_kind_is_nobodys_to_read() {
    let mut future = Tale::reported().entity().clone();
    future.kind = "from_the_future".into();
    let tale = Tale::of("incident");
    let worker = Worker.person();
    assert_eq!(
        tale.rights(&worker).may_read(&future),
        Err(Denied::UnknownKind)
    );
}
