//! What several fuzz targets share: inputs made of bytes, and a server in
//! memory.

use arbitrary::{Arbitrary as _, Result, Unstructured};
use gridwalk_domain::wire::EnrolRequest;
use gridwalk_domain::{BootId, Clock, Fix, GapCause, Mark, MarkKind, Moment, Position, Rng};
use gridwalk_domain::{DeviceId, GridId};
use gridwalk_server::admin::{Crs, EnrolFor, Import, Source};
use gridwalk_server::blobs::MemoryBlobs;
use gridwalk_server::http::{Request, Response};
use gridwalk_server::keep::MemoryKeep;
use gridwalk_server::{Parts, Service, Settings};
use gridwalk_store::memory::MemoryStore;
use gridwalk_track::{Keep, Refusal, StoredFix, quantise_keeping};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A fix: anything at all, or a step from the one before as sensors make them.
pub fn fix(u: &mut Unstructured<'_>, before: Option<&Fix>) -> Result<Fix> {
    let (time_ms, position) = match before {
        Some(before) if u.ratio(7, 8)? => {
            let near = |u: &mut Unstructured<'_>, v: f64| -> Result<f64> {
                Ok(v + f64::from(i16::arbitrary(u)?) * 1e-6)
            };
            let seconds = i64::from(i8::arbitrary(u)?) / 4;
            let position = Position {
                lat: near(u, before.position.lat)?,
                lon: near(u, before.position.lon)?,
            };
            (before.time_ms.wrapping_add(seconds * 1000), position)
        }
        _ => {
            let position = Position {
                lat: f64::arbitrary(u)?,
                lon: f64::arbitrary(u)?,
            };
            (i64::arbitrary(u)?, position)
        }
    };
    Ok(Fix {
        time_ms,
        position,
        accuracy_m: Option::arbitrary(u)?,
        altitude_m: Option::arbitrary(u)?,
        speed_mps: Option::arbitrary(u)?,
        bearing_deg: None,
        mocked: u.ratio(1, 16)?,
    })
}

/// Fixes as a phone would store them, quantised.
pub fn stored(u: &mut Unstructured<'_>) -> Result<Vec<StoredFix>> {
    let mut fixes: Vec<StoredFix> = Vec::new();
    while !u.is_empty() && fixes.len() < 2_000 {
        let before = fixes.last().map(|s| s.fix);
        let refused = u
            .ratio(1, 8)?
            .then(|| u.choose(&Refusal::ALL))
            .transpose()?;
        fixes.push(StoredFix {
            fix: quantise_keeping(&fix(u, before.as_ref())?, Keep::ALL),
            refused: refused.copied(),
        });
    }
    Ok(fixes)
}

/// A mark near a time, or anywhere.
pub fn mark(u: &mut Unstructured<'_>, near_ms: i64) -> Result<Mark> {
    let at_ms = match u.ratio(7, 8)? {
        true => near_ms.wrapping_add(i64::from(i32::arbitrary(u)? / 1000)),
        false => i64::arbitrary(u)?,
    };
    let kinds = [
        MarkKind::Started,
        MarkKind::Paused,
        MarkKind::Resumed,
        MarkKind::Finished,
        MarkKind::Opened {
            rebooted: bool::arbitrary(u)?,
        },
        MarkKind::Lost {
            cause: GapCause::LocationOff,
        },
        MarkKind::Found,
        MarkKind::Asked {
            every_ms: u32::arbitrary(u)?,
        },
    ];
    let kind = *u.choose(&kinds)?;
    Ok(Mark { at_ms, kind })
}

fn service() -> Service {
    let parts = Parts {
        store: Arc::new(MemoryStore::new()),
        blobs: Arc::new(MemoryBlobs::new()),
        keep: Arc::new(MemoryKeep::new()),
        clock: Arc::new(Still),
        rng: Arc::new(Counting::default()),
    };
    let service = Service::open(parts, Settings::default());
    service.unwrap_or_else(|error| panic!("a service in memory does not open: {error}"))
}

const GRIDS: &[u8] = b"code,parent,level,name\n371302,,district,a\n371302001,371302,town,b\n\
371302001001,371302001,community,c\n371302001001001,371302001001,base,d\n";
const TOKEN: &str = "11";

/// A server in memory with one phone, whose ids are those of the examples in
/// docs/protocol.md.
pub struct Phoned(Arc<Service>);

impl Phoned {
    /// Opens it and enrols the phone.
    pub fn new() -> Self {
        let service = Arc::new(service());
        let admin = service.admin();
        let source = Source {
            name: "grids.csv",
            bytes: GRIDS,
        };
        let done = admin.import_grids(source, &Import::default());
        done.unwrap_or_else(|error| panic!("four grids: {error}"));
        let whom = EnrolFor {
            worker: "w",
            grid: Some("371302001001001"),
        };
        let code = admin.enrol(whom);
        let code = code.unwrap_or_else(|error| panic!("a code: {error}")).code;
        let request = EnrolRequest {
            v: 1,
            code,
            device: DeviceId::from_bytes([7; 16]),
            token: TOKEN.repeat(32),
            send_token: "22".repeat(32),
            platform: "fuzz".into(),
            worker: None,
        };
        let body = serde_json::to_vec(&request).unwrap_or_default();
        let phoned = Self(service);
        let answer = phoned.ask("POST", "/v1/enrol", &[], body);
        assert_eq!(answer.status, 200);
        phoned
    }

    /// The answer to a request in the phone's name; it is never the server's
    /// fault, and what is an error says which.
    pub fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(String, String)],
        body: Vec<u8>,
    ) -> Response {
        let own = (
            "authorization".to_owned(),
            format!("Bearer {}", TOKEN.repeat(32)),
        );
        let answer = self.0.handle(&Request {
            method: method.into(),
            path: path.into(),
            headers: [own].into_iter().chain(headers.iter().cloned()).collect(),
            body,
            peer: "10.0.0.1".into(),
            ..Request::default()
        });
        assert!(answer.status < 500, "{method} {path}: {}", answer.status);
        answer
    }

    /// The phone's grid, tenant and worker, in the place of those of examples.
    pub fn own(&self, text: &str) -> String {
        let tenants = self.0.admin().tenants();
        let tenant = tenants.unwrap_or_else(|error| panic!("{error}"))[0].id;
        let found = gridwalk_store::read::<_, gridwalk_store::StoreError>(self.0.store(), |tx| {
            let code = "371302001001001"
                .parse()
                .unwrap_or_else(|_| panic!("a code"));
            let grid: GridId = tx.grids_by_code(&code)?[0].1.id;
            let worker = tx.workers(tenant, None)?[0].id;
            Ok((grid, worker))
        });
        let (grid, worker) = found.unwrap_or_else(|error| panic!("{error}"));
        text.replace("TENANT", &tenant.to_string())
            .replace("GRID", &grid.to_string())
            .replace("WORKER", &worker.to_string())
            .replace("DEVICE", &DeviceId::from_bytes([7; 16]).to_string())
    }
}

impl Default for Phoned {
    fn default() -> Self {
        Self::new()
    }
}

/// Imports a file of sites into a server with two grids, twice: what was taken
/// once must change nothing the second time.
pub fn import_sites(bytes: &[u8]) {
    let service = service();
    let admin = service.admin();
    let grids = b"code,parent,level,name\n371302,,district,a\n371302001,371302,town,b\n";
    let source = Source {
        name: "grids.csv",
        bytes: grids,
    };
    let done = admin.import_grids(source, &Import::default());
    done.unwrap_or_else(|error| panic!("two grids: {error}"));
    let user = |tx: &mut dyn gridwalk_store::Write| {
        let tenant = tx.tenants()?[0].id;
        let grid = tx.grids(tenant)?[0].id;
        tx.put_user(&gridwalk_store::UserRow {
            id: gridwalk_domain::UserId::from_bytes([1; 16]),
            tenant,
            name: "u".into(),
            password: String::new(),
            role: gridwalk_store::Role::District,
            grid,
        })
    };
    let done = gridwalk_store::write(service.store(), user);
    done.unwrap_or_else(|error: gridwalk_store::StoreError| panic!("a user: {error}"));
    let source = || Source {
        name: "sites.csv",
        bytes,
    };
    match admin.import_sites(source(), Crs::Gcj02, "u") {
        Ok(first) => match admin.import_sites(source(), Crs::Gcj02, "u") {
            Ok(again) => assert_eq!(
                (again.added, again.updated, again.unchanged),
                (0, 0, first.added + first.updated + first.unchanged),
            ),
            Err(error) => panic!("taken once, refused again: {error}"),
        },
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// Imports a file of grids into a new server, twice: what was taken once must
/// change nothing the second time.
pub fn import_grids(name: &str, bytes: &[u8], crs: Option<Crs>) {
    let service = service();
    let import = Import { crs, notice: None };
    let source = || Source { name, bytes };
    match service.admin().import_grids(source(), &import) {
        Ok(first) => match service.admin().import_grids(source(), &import) {
            Ok(again) => assert_eq!(
                (again.added, again.updated, again.unchanged),
                (0, 0, first.added + first.updated + first.unchanged),
            ),
            Err(error) => panic!("taken once, refused again: {error}"),
        },
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

struct Still;

impl Clock for Still {
    fn now(&self) -> Moment {
        Moment {
            wall_ms: 1_795_219_200_000,
            boot: BootId::from_bytes([1; 16]),
            mono_ms: 1,
        }
    }
}

#[derive(Default)]
struct Counting(AtomicU64);

impl Rng for Counting {
    fn fill(&self, out: &mut [u8]) {
        for chunk in out.chunks_mut(8) {
            let n = self
                .0
                .fetch_add(1, Ordering::Relaxed)
                .wrapping_mul(0x9e37_79b9_7f4a_7c15);
            chunk.copy_from_slice(&n.to_be_bytes()[..chunk.len()]);
        }
    }
}
