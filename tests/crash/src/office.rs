//! A real server with a community's supervisor: what it holds, and what it sends
//! down to phones.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use gridwalk_domain::{
    Clock as _, Entity, EntityId, GridId, Intent, OpId, TenantId, UserId, WorkerId, kind,
};
use gridwalk_server::admin::{EnrolFor, Import, Source};
use gridwalk_server::{Act, Config, RunningServer, Server};
use gridwalk_store::{EntityFilter, EntityRow, Read, Role, StoreError};
use gridwalk_system::{SystemClock, SystemRng};
use serde_json::Value;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

const GRIDS: &[u8] = b"code,parent,level,name
371302,,district,a
371302001,371302,town,b
371302001001,371302001,community,c
371302001001001,371302001001,base,d
";
const COMMUNITY: &str = "371302001001";
/// The code of the base grid in which all phones are.
pub const BASE: &str = "371302001001001";
/// The supervisor's name.
pub const SUPERVISOR: &str = "社区";

/// The server, and who sends things down from it.
pub struct Office {
    /// The server.
    pub server: RunningServer,
    supervisor: UserId,
    tenant: TenantId,
    /// The base grid.
    pub grid: GridId,
}

impl Office {
    /// Opens one that keeps its data in a folder.
    #[must_use]
    pub fn open(folder: &Path) -> Self {
        let listen = ([127, 0, 0, 1], 0).into();
        let mut config = Config::new(folder.join("server"), listen);
        config.settings.pace = None;
        let rng = Arc::new(SystemRng::new().expect("entropy"));
        let server = Server::start(&config, Arc::new(SystemClock::new()), rng).expect("starts");
        let admin = server.service().admin();
        let source = Source {
            name: "grids.csv",
            bytes: GRIDS,
        };
        let imported = admin.import_grids(source, &Import::default());
        let tenant = imported.expect("imports").tenant;
        let supervisor = admin.add_user(SUPERVISOR, Role::Community, COMMUNITY);
        let supervisor = supervisor.expect("a user").id;
        let store = server.service().store();
        let grids = gridwalk_store::read::<_, StoreError>(store, |tx| tx.grids(tenant));
        let mut grids = grids.expect("reads").into_iter();
        let grid = grids.find(|grid| grid.code.to_string() == BASE);
        Self {
            supervisor,
            tenant,
            grid: grid.expect("imported").id,
            server,
        }
    }

    /// Who a worker of the base grid is, and what enrols a phone of theirs that
    /// reaches the server at `addr`.
    #[must_use]
    pub fn invites(&self, worker: &str, addr: SocketAddr) -> (WorkerId, String) {
        let grid = Some(BASE);
        let code = self
            .server
            .service()
            .admin()
            .enrol(EnrolFor { worker, grid });
        let code = code.expect("a code");
        (code.worker, code.uri(&format!("http://{addr}"), None))
    }

    /// The supervisor makes a record.
    #[must_use]
    pub fn sends(&self, kind: &str, fields: &Value) -> EntityId {
        let fields = serde_json::from_value(fields.clone()).expect("an object");
        let home = kind::find(kind).expect("a kind").home_of(&fields);
        let home = home.expect("a home");
        let rng = SystemRng::new().expect("entropy");
        let op = OpId::draw(SystemClock::new().now().wall_ms, &rng);
        let act = Act {
            op,
            entity: EntityId::draw(&rng),
            kind: Some(kind.to_owned()),
            intent: Intent::Create { home, fields },
        };
        self.server
            .service()
            .act(self.supervisor, &act)
            .expect("acts");
        act.entity
    }

    /// A record as the server has it.
    #[must_use]
    pub fn state(&self, record: EntityId) -> Entity {
        let found = self.read(|tx| tx.entities(self.tenant, &[record]));
        found.into_iter().next().expect("the server has it")
    }

    /// All records of a kind.
    #[must_use]
    pub fn all(&self, kind: &str) -> Vec<Entity> {
        let filter = EntityFilter {
            kind: Some(kind),
            ..EntityFilter::default()
        };
        self.read(|tx| tx.find(self.tenant, &filter))
    }

    fn read(&self, rows: impl Fn(&dyn Read) -> Result<Vec<EntityRow>, StoreError>) -> Vec<Entity> {
        let rows =
            gridwalk_store::read::<_, StoreError>(self.server.service().store(), |tx| rows(tx));
        let states = rows.expect("reads").into_iter().filter_map(|row| row.state);
        states
            .map(|state| serde_json::from_str(&state).expect("a state"))
            .collect()
    }
}
