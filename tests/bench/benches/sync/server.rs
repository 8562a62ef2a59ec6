//! The server of the bench: this program again, as a process of its own.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, Result, anyhow, ensure};
use gridwalk_domain::{Clock as _, GridId};
use gridwalk_engine::{Engine, HttpTransport, Invitation, Key32, SyncOptions, SystemDisk};
use gridwalk_server::admin::{self, EnrolFor, Folders, Import, Source};
use gridwalk_server::{Config, Server, Service, Settings};
use gridwalk_system::{SystemClock, SystemRng};

use crate::line::Line;
use crate::phone::Phone;

/// A server that runs.
pub(crate) struct Serving {
    child: Child,
    pub(crate) address: String,
}

/// Two workers of one grid: one reports, the other pulls.
pub(crate) struct Pulled {
    codes: [String; 2],
    grid: GridId,
    now_ms: i64,
    rng: Arc<SystemRng>,
    folder: PathBuf,
}

fn settings() -> Settings {
    Settings {
        pace: None,
        ..Settings::default()
    }
}

fn rng() -> Result<Arc<SystemRng>> {
    Ok(Arc::new(
        SystemRng::new().map_err(|why| anyhow!("{why:?}"))?,
    ))
}

/// Serves a folder until its standard input ends.
pub(crate) fn serve(folder: &Path) -> Result<()> {
    let mut config = Config::new(folder.to_owned(), ([127, 0, 0, 1], 0).into());
    config.settings = settings();
    let server = Server::start(&config, Arc::new(SystemClock::new()), rng()?)?;
    println!("{}", server.addr());
    std::io::stdin().read_to_end(&mut Vec::new())?;
    server.stop();
    Ok(())
}

/// A district with a grid and a worker for each phone, and one more of two.
pub(crate) fn begin(data: &Path, phones: usize) -> Result<(Vec<Phone>, Pulled, Serving)> {
    let (clock, rng) = (Arc::new(SystemClock::new()), rng()?);
    let now_ms = clock.now().wall_ms;
    let mut divisions = "code,parent,level,name\n371302,,district,兰山区\n371302001,371302,town,一镇\n371302001001,371302001,community,一社区\n".to_owned();
    let code = |n: usize| format!("371302001001{n:03}");
    for n in 0..=phones {
        divisions += &format!("{},371302001001,base,{n} 号网格\n", code(n));
    }
    let service = admin::open(
        &Folders::new(data.to_owned()),
        clock,
        rng.clone(),
        settings(),
    )?;
    let source = Source {
        name: "divisions",
        bytes: divisions.as_bytes(),
    };
    service.admin().import_grids(source, &Import::default())?;
    let enrol = |worker: String, n: usize| -> Result<(String, GridId)> {
        let grid = code(n);
        let whom = EnrolFor {
            worker: &worker,
            grid: Some(&grid),
        };
        let code = service.admin().enrol(whom)?.code;
        Ok((code, grid_of(&service, &grid)?))
    };
    let codes: Vec<_> = (0..phones)
        .map(|n| enrol(format!("{n} 号"), n))
        .collect::<Result<_>>()?;
    let (reporter, grid) = enrol("上报的".into(), phones)?;
    let (puller, _) = enrol("同网格的".into(), phones)?;
    drop(service);
    let serving = Serving::start(data)?;
    let mut line = Line::open(&serving.address)?;
    let phones = codes
        .iter()
        .map(|(code, grid)| Phone::enrol(&mut line, code, *grid, &rng, now_ms))
        .collect::<Result<_>>()?;
    let pulled = Pulled {
        codes: [reporter, puller],
        grid,
        now_ms,
        rng,
        folder: data.with_file_name("phone"),
    };
    Ok((phones, pulled, serving))
}

fn grid_of(service: &Service, code: &str) -> Result<GridId> {
    let code = code.parse().map_err(|why| anyhow!("{why:?}"))?;
    let found = gridwalk_store::read::<_, gridwalk_store::StoreError>(service.store(), |tx| {
        tx.grids_by_code(&code)
    })?;
    Ok(found.first().context("the grid")?.1.id)
}

impl Pulled {
    pub(crate) fn reporter(&self, line: &mut Line) -> Result<Phone> {
        Phone::enrol(line, &self.codes[0], self.grid, &self.rng, self.now_ms)
    }

    /// Entities a second that a real engine pulls into its encrypted file.
    pub(crate) fn stored(&self, address: &str, entities: usize) -> Result<f64> {
        std::fs::create_dir_all(&self.folder)?;
        let engine = Engine::open(gridwalk_engine::Config {
            path: self.folder.join("phone.db"),
            disk: Arc::new(SystemDisk),
            key: Some(Key32::new([7; 32])),
            clock: Arc::new(SystemClock::new()),
            rng: self.rng.clone(),
            platform: "bench".into(),
            app: "0".into(),
        })?;
        let url = format!("http://{address}");
        let invitation = Invitation::parse(&self.codes[1], Some(&url))?;
        let transport = HttpTransport::new(&invitation.server)?;
        engine.enrol(&transport, &invitation)?;
        let start = Instant::now();
        engine.sync(&transport, SyncOptions::default())?;
        let took = start.elapsed().as_secs_f64();
        ensure!(engine.incidents()?.len() == entities, "all are there");
        #[expect(clippy::cast_precision_loss, reason = "few")]
        Ok(entities as f64 / took)
    }
}

impl Serving {
    fn start(data: &Path) -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("--serve")
            .arg(data)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let out = child.stdout.take().context("its output")?;
        let mut address = String::new();
        BufReader::new(out).read_line(&mut address)?;
        Ok(Self {
            child,
            address: address.trim().to_owned(),
        })
    }

    /// What of it is in memory: MB.
    pub(crate) fn rss_mb(&self) -> Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib: f64 = line
            .and_then(|line| line.trim().strip_suffix("kB"))
            .context("its memory")?
            .trim()
            .parse()?;
        Ok(kib / 1024.0)
    }

    pub(crate) fn end(mut self) -> Result<()> {
        drop(self.child.stdin.take());
        ensure!(self.child.wait()?.success(), "the server ended well");
        Ok(())
    }
}
