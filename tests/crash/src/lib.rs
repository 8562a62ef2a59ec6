//! Phones for the tests that kill `gridwalk` or take its disk away.
//!
//! A phone is a folder; it is enrolled by a server of a few lines in this
//! process, and then used by real processes.

pub mod office;
pub mod terminal;

use gridwalk_domain::wire::{EnrolResponse, HelloResponse, Limits, Scope, Standing, WorkerRef};
use gridwalk_domain::{
    Catalogue, Clock, Epoch, Grid, GridId, GridLevel, Sha256, StreamKey, TenantId, WorkerId,
};
use gridwalk_engine::{
    Config, Engine, HttpTransport, Invitation, Key32, Request, Response, SystemDisk, Transport,
    TransportError,
};
use gridwalk_system::{SystemClock, SystemRng};
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder as _};
use rusqlite::Connection;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

/// How often a test kills: 20 times, or as often as `GRIDWALK_CRASH_LOOPS` says.
#[must_use]
pub fn loops() -> u64 {
    std::env::var("GRIDWALK_CRASH_LOOPS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(20)
}

/// A PNG whose pixels are these bytes, as large as they are.
///
/// # Panics
/// Where it cannot be written into memory.
#[must_use]
#[expect(clippy::expect_used, reason = "a test fails by panicking")]
pub fn png(pixels: &[u8]) -> Vec<u8> {
    const WIDTH: u32 = 320;
    let rows = u32::try_from(pixels.len()).expect("small") / WIDTH;
    let pixels = &pixels[..(WIDTH * rows) as usize];
    let mut out = Vec::new();
    let whole = PngEncoder::new_with_quality(
        &mut out,
        CompressionType::Uncompressed,
        FilterType::NoFilter,
    );
    whole
        .write_image(pixels, WIDTH, rows, ExtendedColorType::L8)
        .expect("writes");
    out
}

/// A phone in a folder.
pub struct Phone {
    folder: PathBuf,
    key: Option<[u8; 32]>,
}

/// Answers `enrol` and `hello`, nothing else.
struct Greeter;

impl Transport for Greeter {
    fn send(&self, request: &Request) -> Result<Response, TransportError> {
        let worker = WorkerRef {
            id: WorkerId::from_bytes([2; 16]),
            name: "01 号网格员".to_owned(),
        };
        let body = if request.path == "/v1/enrol" {
            serde_json::to_vec(&EnrolResponse {
                tenant: TenantId::from_bytes([3; 16]),
                worker,
            })
        } else {
            serde_json::to_vec(&hello(worker)?)
        };
        let body = body.map_err(|error| interrupted(&error))?;
        Ok(Response {
            status: 200,
            headers: vec![],
            body,
        })
    }
}

fn interrupted(error: &dyn std::error::Error) -> TransportError {
    TransportError::Interrupted {
        message: error.to_string(),
    }
}

fn hello(worker: WorkerRef) -> Result<HelloResponse, TransportError> {
    let grid = Grid {
        id: GridId::from_bytes([1; 16]),
        code: "371302001201003"
            .parse()
            .map_err(|error| interrupted(&error))?,
        parent: Some(GridId::from_bytes([9; 16])),
        level: GridLevel::Base,
        name: "第三网格".to_owned(),
        synthetic: true,
        boundary: None,
    };
    let scope = Scope {
        streams: vec![
            StreamKey::Records(grid.id),
            StreamKey::Notices(grid.id),
            StreamKey::Inbox(worker.id),
        ],
        worker,
        grids: vec![grid],
        catalogue: Catalogue::shipped(),
        older_catalogues: Vec::new(),
        calendar: None,
        utc_offset_min: 480,
    };
    Ok(HelloResponse {
        min_v: 1,
        max_v: 1,
        server_ms: 0,
        epoch: Epoch::from_bytes([4; 16]),
        server: "crash".to_owned(),
        standing: Standing::Active,
        watermark: 0,
        news: false,
        scope_tag: Sha256::of(b"scope"),
        scope: Some(scope),
        limits: Limits::default(),
    })
}

impl Phone {
    /// A phone that is enrolled, on shift and on patrol.
    ///
    /// # Errors
    /// What the disk or the engine says.
    pub fn on_patrol(folder: &Path, keyed: bool) -> io::Result<Self> {
        Self::on_patrol_at(folder, keyed, Arc::new(SystemClock::new()))
    }

    /// The same, by another clock.
    ///
    /// # Errors
    /// What the disk or the engine says.
    pub fn on_patrol_at(folder: &Path, keyed: bool, clock: Arc<dyn Clock>) -> io::Result<Self> {
        let invitation =
            Invitation::parse("CODE", Some("https://test")).map_err(io::Error::other)?;
        let phone = Self::at(folder, keyed)?;
        phone.begin(&Greeter, &invitation, clock)?;
        Ok(phone)
    }

    /// A phone that a real server enrolled, on shift and on patrol.
    ///
    /// # Errors
    /// What the disk, the network or the engine says.
    pub fn enrolled(folder: &Path, keyed: bool, invitation: &str) -> io::Result<Self> {
        let invitation = Invitation::parse(invitation, None).map_err(io::Error::other)?;
        let line = HttpTransport::new(&invitation.server).map_err(io::Error::other)?;
        let phone = Self::at(folder, keyed)?;
        phone.begin(&line, &invitation, Arc::new(SystemClock::new()))?;
        Ok(phone)
    }

    /// A phone that is nobody's yet.
    ///
    /// # Errors
    /// What the disk says.
    pub fn at(folder: &Path, keyed: bool) -> io::Result<Self> {
        let phone = Self {
            folder: folder.to_owned(),
            key: keyed.then_some([0xc5; 32]),
        };
        if let Some(key) = phone.key {
            std::fs::write(phone.key_file(), hex::encode(key))?;
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt as _;
                std::fs::set_permissions(phone.key_file(), std::fs::Permissions::from_mode(0o600))?;
            }
        }
        Ok(phone)
    }

    fn begin(
        &self,
        line: &dyn Transport,
        invitation: &Invitation,
        clock: Arc<dyn Clock>,
    ) -> io::Result<()> {
        let engine = self.open_at(clock).map_err(io::Error::other)?;
        engine.enrol(line, invitation).map_err(io::Error::other)?;
        engine.start_shift(None).map_err(io::Error::other)?;
        engine.start_patrol().map_err(io::Error::other)?;
        Ok(())
    }

    /// The data file.
    #[must_use]
    pub fn db(&self) -> PathBuf {
        self.folder.join("phone.db")
    }

    fn key_file(&self) -> PathBuf {
        self.folder.join("key")
    }

    /// Opens it in this process.
    ///
    /// # Errors
    /// What the engine says.
    pub fn open(&self) -> gridwalk_engine::Result<Engine> {
        self.open_at(Arc::new(SystemClock::new()))
    }

    /// The same, by another clock.
    ///
    /// # Errors
    /// What the engine says.
    pub fn open_at(&self, clock: Arc<dyn Clock>) -> gridwalk_engine::Result<Engine> {
        let rng = SystemRng::new().map_err(|error| gridwalk_engine::EngineError::Storage {
            message: error.to_string(),
        })?;
        Engine::open(Config {
            path: self.db(),
            disk: Arc::new(SystemDisk),
            key: self.key.map(Key32::new),
            clock,
            rng: Arc::new(rng),
            platform: "terminal".to_owned(),
            app: "crash".to_owned(),
        })
    }

    /// `program` on this phone's data file, with its key.
    #[must_use]
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .arg("--db")
            .arg(self.db())
            .env_remove("GRIDWALK_KEY_FILE");
        if self.key.is_some() {
            command.env("GRIDWALK_KEY_FILE", self.key_file());
        }
        command
    }

    /// What SQLite says of the file's integrity: `ok` where it is whole.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn integrity(&self) -> rusqlite::Result<String> {
        let file = Connection::open(self.db())?;
        if let Some(key) = self.key {
            file.pragma_update(None, "key", format!("x'{}'", hex::encode(key)))?;
            // One row for each page whose checksum is wrong.
            let mut bad = file.prepare("PRAGMA cipher_integrity_check")?;
            if let Some(row) = bad.query([])?.next()? {
                return row.get(0);
            }
        }
        file.query_row("PRAGMA integrity_check", [], |row| row.get(0))
    }
}
