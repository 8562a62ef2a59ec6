//! Subscriptions.

use gridwalk_engine::{Change, NewIncident, Observer, SyncOptions};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::server::FakeServer;
use crate::support::Phone;

struct Post(Mutex<Sender<Change>>);

impl Observer for Post {
    fn changed(&self, change: Change) {
        // After the test has ended nobody listens.
        let _ = self.0.lock().expect("no panic").send(change);
    }
}

const LONG: Duration = Duration::from_secs(20);

#[test]
fn a_snapshot_then_changes_then_the_end() {
    let (phone, server) = (Phone::new(true), FakeServer::new());
    let engine = phone.on_patrol(&server);
    let (post, inbox) = channel();
    let subscription = engine
        .observe(Arc::new(Post(Mutex::new(post))))
        .expect("subscribes");
    let first = inbox.recv_timeout(LONG).expect("told");
    assert!(
        matches!(first, Change::Snapshot { patrols, incidents, .. } if patrols.len() == 1 && incidents.is_empty())
    );

    let until = |wanted: &dyn Fn(&Change) -> bool| {
        while !wanted(&inbox.recv_timeout(LONG).expect("told")) {}
    };
    phone.walk(&engine, 3);
    until(&|change| {
        matches!(change, Change::Status(status)
        if status.patrol.as_ref().is_some_and(|patrol| patrol.fixes == 3))
    });
    let new = NewIncident {
        category: "other".into(),
        title: "甲".into(),
        ..NewIncident::default()
    };
    let id = engine.report_incident(new).expect("reports");
    until(&|change| matches!(change, Change::Incident(view) if view.id == id));
    engine.sync(&server, SyncOptions::default()).expect("syncs");
    until(&|change| {
        matches!(change, Change::Incident(view)
        if view.id == id && view.send == gridwalk_engine::SendState::Sent)
    });
    until(&|change| matches!(change, Change::Status(status) if status.unsent.ops == 0));
    engine.close();
    until(&|change| matches!(change, Change::Closed));
    subscription.close();
}

#[test]
fn after_close_nothing_is_told() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = phone.on_patrol(&server);
    let (post, inbox) = channel();
    let subscription = engine
        .observe(Arc::new(Post(Mutex::new(post))))
        .expect("subscribes");
    inbox.recv_timeout(LONG).expect("the snapshot");
    subscription.close();
    phone.walk(&engine, 5);
    // The thread has ended and its sender is gone: the channel is closed.
    assert!(inbox.recv().is_err());
}

#[test]
fn a_slow_observer_delays_nobody_and_sees_the_latest() {
    struct Slow(Mutex<Sender<Change>>, Mutex<std::sync::mpsc::Receiver<()>>);
    impl Observer for Slow {
        fn changed(&self, change: Change) {
            let _ = self.0.lock().expect("no panic").send(change);
            let _ = self.1.lock().expect("no panic").recv();
        }
    }
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = phone.on_patrol(&server);
    let ((post, inbox), (go, gate)) = (channel(), channel());
    let subscription = engine
        .observe(Arc::new(Slow(Mutex::new(post), Mutex::new(gate))))
        .expect("subscribes");
    inbox.recv_timeout(LONG).expect("the snapshot");
    phone.walk(&engine, 200);
    drop(go);
    let mut told = 0;
    loop {
        told += 1;
        let Change::Status(status) = inbox.recv_timeout(LONG).expect("told") else {
            continue;
        };
        if status.patrol.expect("running").fixes == 200 {
            break;
        }
    }
    assert!(told <= 4, "{told}: coalesced");
    subscription.close();
}
