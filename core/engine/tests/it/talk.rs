//! Phone and server talk: plainly, or with something in the way.

use gridwalk_domain::wire::Outcome;
use gridwalk_domain::*;
use gridwalk_engine::{
    CancelToken, Engine, EngineError, NewIncident, NewPhoto, Progress, Request, Response,
    SyncOptions, SyncProgress, SyncReport, Transport, TransportError,
};
use std::sync::{Arc, Mutex};

use crate::server::{FakeServer, Fault};
use crate::support::{png, premises};

pub(crate) fn sync(engine: &Engine, server: &dyn Transport) -> Result<SyncReport, EngineError> {
    engine.sync(server, SyncOptions::default())
}

pub(crate) fn report(engine: &Engine, title: &str, photos: &[u8]) -> EntityId {
    let photos = photos
        .iter()
        .map(|seed| NewPhoto {
            bytes: png(*seed),
            mime: String::new(),
        })
        .collect();
    let new = NewIncident {
        category: "fire_safety".into(),
        title: title.into(),
        answers: premises(),
        photos,
        ..NewIncident::default()
    };
    engine.report_incident(new).expect("reports")
}

/// Another phone's change, made on the server.
pub(crate) fn elsewhere(server: &FakeServer, entity: EntityId, intent: Intent) {
    let known = server.with(|state| state.state(entity).map(|known| known.kind.clone()));
    let kind = known.unwrap_or_else(|| "incident".to_owned());
    elsewhere_of(server, &kind, entity, intent);
}

/// The same, on a record of any kind.
pub(crate) fn elsewhere_of(server: &FakeServer, kind: &str, entity: EntityId, intent: Intent) {
    server.with(|state| {
        let body = OpBody {
            v: OP_VERSION,
            id: OpId::from_bytes(
                Sha256::of(format!("{entity} {intent:?}").as_bytes()).0[..16]
                    .try_into()
                    .expect("16"),
            ),
            tenant: server.tenant,
            entity,
            kind: kind.to_owned(),
            by: Author::User {
                user: UserId::from_bytes([8; 16]),
            },
            prev: None,
            needs: vec![],
            at: Moment {
                wall_ms: 1_763_769_600_000,
                boot: BootId::from_bytes([8; 16]),
                mono_ms: 0,
            },
            nonce: "0".repeat(16),
            intent,
        };
        let sealed = body.seal().expect("seals");
        let page = DeviceId::from_bytes([8; 16]);
        let outcome = server.judge(state, page, &sealed, &body);
        assert!(
            !matches!(outcome, Outcome::Rejected { .. } | Outcome::Deferred { .. }),
            "{outcome:?}"
        );
    });
}

/// Does something before each request whose path begins so.
pub(crate) struct Before<'a, F: Fn() + Send + Sync>(
    pub(crate) &'static str,
    pub(crate) &'a FakeServer,
    pub(crate) F,
);

impl<F: Fn() + Send + Sync> Transport for Before<'_, F> {
    fn send(&self, request: &Request) -> Result<Response, TransportError> {
        if request.path.starts_with(self.0) {
            self.2();
        }
        self.1.send(request)
    }
}

/// Syncs until something is told that is wanted; then it is cancelled.
pub(crate) fn progress(
    engine: &Engine,
    server: &dyn Transport,
    wanted: impl Fn(&Progress) -> bool + Send + Sync + 'static,
) -> Result<SyncReport, EngineError> {
    struct Until<F>(F, CancelToken);
    impl<F: Fn(&Progress) -> bool + Send + Sync> SyncProgress for Until<F> {
        fn progress(&self, progress: Progress) {
            if self.0(&progress) {
                self.1.cancel();
            }
        }
    }
    let cancel = CancelToken::new();
    let options = SyncOptions {
        progress: Some(Arc::new(Until(wanted, cancel.clone()))),
        cancel,
        ..SyncOptions::default()
    };
    engine.sync(server, options)
}

/// Passes on all requests but the nth, which meets the fault.
pub(crate) struct Nth<'a> {
    pub(crate) server: &'a FakeServer,
    pub(crate) nth: Mutex<u64>,
    pub(crate) fault: Fault,
}

impl Transport for Nth<'_> {
    fn send(&self, request: &Request) -> Result<Response, TransportError> {
        let mut left = self.nth.lock().expect("no panic");
        if *left == 0 {
            self.server.fail("/", self.fault.clone());
        }
        *left = left.wrapping_sub(1);
        self.server.send(request)
    }
}
