//! Districts, grids, workers, users, phones.

use gridwalk_domain::wire::Unsent;
use gridwalk_domain::{BootId, GridLevel, Text, UserId};

use super::make::{OTHER, T, device, entity_id, grid, grid_id, hash, read, tenant, worker, write};
use crate::rows::{
    AssignmentRow, AuditRow, BootRow, CodeRow, ContactRow, DeviceRow, DeviceStanding,
    GridChangeRow, GridRow, LawRow, LawSort, ReadingRow, Role, SessionRow, SuccessionRow, UserRow,
    WorkerRow,
};
use crate::{Store, StoreError};

pub(super) fn all<S: Store>(make: &dyn Fn() -> S) {
    districts_and_grids(&make());
    a_closed_grid_gives_its_code_free(&make());
    workers_and_assignments(&make());
    users_and_sessions(&make());
    phones(&make());
    the_audit_log(&make());
    laws_by_version(&make());
    who_was_shown_what(&make());
}

fn districts_and_grids(store: &impl Store) {
    let mut district = tenant(T);
    write(store, |tx| {
        tx.put_tenant(&district)?;
        tx.put_tenant(&tenant(OTHER))?;
        tx.put_grid(
            T,
            &grid(3, "371302001", GridLevel::Town, Some(grid_id(1))),
            Some("[[1]]"),
        )?;
        tx.put_grid(T, &grid(1, "371302", GridLevel::District, None), None)?;
        tx.put_grid(
            T,
            &grid(2, "371302002", GridLevel::Town, Some(grid_id(1))),
            None,
        )?;
        tx.put_grid(OTHER, &grid(4, "371302", GridLevel::District, None), None)
    });
    district.notice = Some(Text {
        zh: "合成数据".into(),
        en: "synthetic".into(),
    });
    district.grids_version = 8;
    district.law_version = 9;
    write(store, |tx| {
        tx.put_tenant(&district)?;
        let mut moved = grid(3, "371302003", GridLevel::Town, Some(grid_id(1)));
        moved.name = "新名".into();
        tx.put_grid(T, &moved, None)?;
        let taken = tx.put_grid(T, &grid(9, "371302", GridLevel::District, None), None);
        assert!(matches!(taken, Err(StoreError::Refused(_))), "{taken:?}");
        Ok(())
    });
    read(store, |tx| {
        assert_eq!(tx.tenant(T)?, Some(district.clone()));
        assert_eq!(tx.tenants()?.len(), 2);
        let grids = tx.grids(T)?;
        let ids: Vec<_> = grids.iter().map(|row| row.id).collect();
        assert_eq!(
            ids,
            [grid_id(1), grid_id(2), grid_id(3)],
            "by level and code"
        );
        assert_eq!(grids[2].name, "新名");
        assert_eq!(grids[2].parent, Some(grid_id(1)));
        assert!(grids[1].synthetic && !grids[2].synthetic);
        let code = "371302".parse().unwrap();
        let found = tx.grids_by_code(&code)?;
        assert_eq!(
            found.iter().map(|(tenant, _)| *tenant).collect::<Vec<_>>(),
            [T, OTHER]
        );
        let kept = [(grid_id(3), "[[1]]".to_owned())];
        assert_eq!(
            tx.boundaries(T, None)?,
            kept,
            "a boundary stays where none is given"
        );
        assert_eq!(tx.boundaries(T, Some(&[grid_id(3), grid_id(1)]))?, kept);
        assert!(tx.boundaries(T, Some(&[grid_id(1)]))?.is_empty());
        assert!(tx.boundaries(OTHER, None)?.is_empty());
        Ok(())
    });
}

fn a_closed_grid_gives_its_code_free(store: &impl Store) {
    let old = grid(1, "371302001", GridLevel::Base, None);
    let new = grid(2, "371302001", GridLevel::Base, None);
    let closed = GridRow {
        closed_ms: Some(50),
        ..old.clone()
    };
    let succession = |successor: u8| SuccessionRow {
        grid: grid_id(1),
        successor: grid_id(successor),
        at_ms: 50,
    };
    let change = |at_ms, closed| GridChangeRow {
        grid: grid_id(1),
        at_ms,
        code: old.code.clone(),
        parent: None,
        name: format!("网格 {at_ms}"),
        closed,
    };
    write(store, |tx| {
        tx.put_grid(T, &old, None)?;
        let taken = tx.put_grid(T, &new, None);
        assert!(matches!(taken, Err(StoreError::Refused(_))), "{taken:?}");
        tx.put_grid(T, &closed, None)?;
        tx.put_grid(T, &new, None)?;
        tx.add_succession(T, succession(3))?;
        tx.add_succession(T, succession(2))?;
        tx.add_succession(T, succession(2))?;
        tx.add_grid_change(T, &change(9, false))?;
        tx.add_grid_change(T, &change(5, true))
    });
    read(store, |tx| {
        assert_eq!(tx.grids(T)?.len(), 2);
        assert!(tx.grids(T)?.contains(&closed));
        assert_eq!(tx.grids_by_code(&old.code)?, [(T, new.clone())]);
        assert_eq!(tx.successions(T)?, [succession(2), succession(3)]);
        assert!(tx.successions(OTHER)?.is_empty());
        let changes = tx.grid_changes(T, grid_id(1))?;
        assert_eq!(changes, [change(9, false), change(5, true)], "as they came");
        assert!(tx.grid_changes(T, grid_id(2))?.is_empty());
        Ok(())
    });
}

fn workers_and_assignments(store: &impl Store) {
    let row = |n: u8, grid: u8, from_ms, until_ms| AssignmentRow {
        worker: worker(n),
        grid: grid_id(grid),
        from_ms,
        until_ms,
    };
    write(store, |tx| {
        for n in [2, 1] {
            tx.put_worker(
                T,
                &WorkerRow {
                    id: worker(n),
                    name: format!("网格员 {n}"),
                },
            )?;
        }
        tx.put_assignment(T, &row(1, 5, 10, None))?;
        tx.put_assignment(T, &row(1, 5, 10, Some(20)))?;
        tx.put_assignment(T, &row(1, 6, 10, None))?;
        tx.put_assignment(T, &row(2, 5, 20, None))
    });
    read(store, |tx| {
        assert_eq!(tx.workers(T, None)?.len(), 2);
        assert_eq!(
            tx.workers(T, Some(&[worker(2), worker(3)]))?[0].name,
            "网格员 2"
        );
        assert!(tx.workers(OTHER, None)?.is_empty());
        let of_one = tx.assignments(T, Some(worker(1)))?;
        assert_eq!(of_one, [row(1, 5, 10, Some(20)), row(1, 6, 10, None)]);
        assert_eq!(tx.assignments(T, None)?.len(), 3);
        assert!(tx.assignments(OTHER, None)?.is_empty());
        Ok(())
    });
    assert!(row(1, 5, 10, Some(20)).holds_at(10) && !row(1, 5, 10, Some(20)).holds_at(20));
}

fn users_and_sessions(store: &impl Store) {
    let user = |n: u8, name: &str| UserRow {
        id: UserId::from_bytes([n; 16]),
        tenant: T,
        name: name.into(),
        password: "$argon2id$…".into(),
        role: Role::Town,
        grid: grid_id(3),
    };
    let session = |n, used_ms| SessionRow {
        token: hash(n),
        user: user(1, "").id,
        tenant: T,
        used_ms,
    };
    write(store, |tx| {
        tx.put_user(&user(1, "督导"))?;
        tx.put_user(&user(2, "second"))?;
        let taken = tx.put_user(&user(3, "second"));
        assert!(matches!(taken, Err(StoreError::Refused(_))), "{taken:?}");
        tx.put_session(&session(1, 10))?;
        tx.put_session(&session(2, 20))?;
        tx.put_session(&session(3, 30))?;
        tx.put_session(&session(3, 31))?;
        tx.drop_session(hash(2))
    });
    read(store, |tx| {
        assert_eq!(tx.user_by_name("督导")?, Some(user(1, "督导")));
        assert_eq!(tx.user_by_name("DROP TABLE users")?, None);
        let ids = [user(2, "").id, user(1, "").id, user(3, "").id];
        assert_eq!(tx.users(T, &ids)?, [user(1, "督导"), user(2, "second")]);
        assert!(tx.users(OTHER, &ids)?.is_empty());
        assert_eq!(tx.user(ids[1])?, Some(user(1, "督导")));
        assert_eq!(tx.user(ids[2])?, None);
        assert_eq!(tx.session(hash(2))?, None);
        assert_eq!(tx.session(hash(3))?, Some(session(3, 31)));
        Ok(())
    });
    write(store, |tx| tx.prune_logins(31));
    read(store, |tx| {
        assert_eq!(
            (tx.session(hash(1))?, tx.session(hash(3))?.is_some()),
            (None, true)
        );
        Ok(())
    });
}

fn phones(store: &impl Store) {
    let phone = |n: u8, token: u8| DeviceRow {
        id: device(n),
        tenant: T,
        worker: worker(1),
        token: hash(token),
        send_token: hash(token + 100),
        standing: DeviceStanding::SendOnly,
        watermark: 1 << 40,
        platform: "android".into(),
        enrolled_ms: 7,
    };
    let code = |n: u8, used_by| CodeRow {
        code: hash(n),
        tenant: T,
        worker: worker(1),
        expires_ms: 100,
        used_by,
    };
    let contact = |unsent| ContactRow {
        device: device(1),
        worker: worker(1),
        last_ms: 8,
        unsent,
        reported_ms: Some(8),
        app: None,
        rereads: 3,
    };
    let boot = BootRow {
        boot: BootId::from_bytes([6; 16]),
        start_ms: -5,
    };
    let unsent = Unsent {
        ops: 3,
        chunks: 2,
        blobs: 1,
        oldest_ms: Some(1),
    };
    write(store, |tx| {
        tx.put_device(&phone(1, 1))?;
        let crossed = DeviceRow {
            send_token: hash(1),
            ..phone(2, 2)
        };
        for taken in [phone(2, 1), crossed] {
            let taken = tx.put_device(&taken);
            assert!(matches!(taken, Err(StoreError::Refused(_))), "{taken:?}");
        }
        tx.put_device(&phone(3, 3))?;
        tx.put_contact(T, &contact(None))?;
        tx.put_contact(T, &contact(Some(unsent)))?;
        tx.put_boot(T, device(1), boot)?;
        tx.put_code(&code(1, None))?;
        tx.put_code(&code(2, None))?;
        tx.put_code(&code(2, Some(device(1))))
    });
    read(store, |tx| {
        assert_eq!(tx.device(device(1))?, Some(phone(1, 1)));
        assert_eq!(tx.device_by_token(hash(1))?, Some(phone(1, 1)));
        assert_eq!(tx.device_by_token(hash(101))?, Some(phone(1, 1)));
        assert_eq!(tx.devices(T, None)?, [phone(1, 1), phone(3, 3)]);
        assert_eq!(tx.devices(T, Some(worker(1)))?.len(), 2);
        assert!(tx.devices(T, Some(worker(2)))?.is_empty());
        assert!(tx.devices(OTHER, None)?.is_empty());
        assert_eq!(
            (tx.device(device(2))?, tx.device_by_token(hash(2))?),
            (None, None)
        );
        assert_eq!(tx.contacts(T)?, [contact(Some(unsent))]);
        assert!(tx.contacts(OTHER)?.is_empty());
        assert_eq!(tx.contact(T, device(1))?, Some(contact(Some(unsent))));
        assert_eq!(
            (tx.contact(T, device(2))?, tx.contact(OTHER, device(1))?),
            (None, None)
        );
        let boots = [boot.boot, BootId::from_bytes([7; 16])];
        assert_eq!(tx.boots(T, device(1), &boots)?, [boot]);
        assert!(tx.boots(T, device(2), &boots)?.is_empty());
        assert_eq!(tx.code(hash(2))?, Some(code(2, Some(device(1)))));
        Ok(())
    });
    write(store, |tx| tx.prune_logins(101));
    read(store, |tx| {
        assert_eq!(tx.code(hash(1))?, None);
        assert!(tx.code(hash(2))?.is_some(), "a used code is remembered");
        Ok(())
    });
}

fn the_audit_log(store: &impl Store) {
    let line = |n: i64| AuditRow {
        at_ms: n,
        who: "operator".into(),
        what: "import".into(),
        on: format!("{n}"),
    };
    write(store, |tx| {
        tx.add_audit(OTHER, &line(0))?;
        (1..=3).try_for_each(|n| tx.add_audit(T, &line(n)))
    });
    assert_eq!(read(store, |tx| tx.audit(T, 2)), [line(2), line(3)]);
}

fn laws_by_version(store: &impl Store) {
    let law = |sort, version: u32| LawRow {
        sort,
        version,
        at_ms: i64::from(version),
        text: format!("{{\"version\":{version}}}"),
    };
    let (catalogue, calendar) = (LawSort::Catalogue, LawSort::Calendar);
    write(store, |tx| {
        tx.add_law(T, &law(catalogue, 10))?;
        tx.add_law(T, &law(catalogue, 9))?;
        tx.add_law(T, &law(calendar, 9))?;
        tx.add_law(OTHER, &law(catalogue, 9))?;
        let again = tx.add_law(T, &law(catalogue, 9));
        assert!(matches!(again, Err(StoreError::Refused(_))), "{again:?}");
        Ok(())
    });
    read(store, |tx| {
        let both = [law(catalogue, 9), law(catalogue, 10)];
        assert_eq!(tx.laws(T, catalogue)?, both);
        assert_eq!(tx.laws(T, calendar)?, [law(calendar, 9)]);
        assert!(tx.laws(OTHER, calendar)?.is_empty());
        Ok(())
    });
}

fn who_was_shown_what(store: &impl Store) {
    let reading = |n: u8, at_ms| ReadingRow {
        entity: entity_id(n),
        at_ms,
        who: format!("user/{n}"),
    };
    write(store, |tx| {
        tx.add_reading(T, &reading(1, 9))?;
        tx.add_reading(T, &reading(2, 5))?;
        tx.add_reading(T, &reading(1, 7))?;
        tx.add_reading(OTHER, &reading(1, 1))
    });
    read(store, |tx| {
        let all = [reading(1, 9), reading(2, 5), reading(1, 7)];
        assert_eq!(tx.readings(T, None)?, all, "as they came");
        let of_one = [reading(1, 9), reading(1, 7)];
        assert_eq!(tx.readings(T, Some(entity_id(1)))?, of_one);
        assert!(tx.readings(OTHER, Some(entity_id(2)))?.is_empty());
        Ok(())
    });
}
