//! The demo itself, step by step.

use anyhow::{Context as _, Result, bail};
use gridwalk_domain::{BootId, Clock, Rng, TenantId, UserId};
use gridwalk_engine::{HttpTransport, Method, Request, ServerAddress, Transport as _};
use gridwalk_server::{Config, RunningServer, Server, admin};
use gridwalk_store::Role;
use gridwalk_system::{SystemClock, SystemRng};
use gridwalk_world::{Walks, World};
use serde::Serialize;
use serde_json::json;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use crate::clock::WorldClock;
use crate::ledger::{Event, Ledger};
use crate::line::{self, Counters};
use crate::office::Desk;
use crate::phone::{Phone, Setup};
use crate::plan::{self, BEGIN, Day, END, KILLED, TOWN, UTC_OFFSET_MIN};
use crate::puppet::Puppet;
use crate::{say, sites};

/// The seed of the synthetic world: any would do, this one is in the docs.
const WORLD_SEED: u64 = 1;
/// Whose phone loses the network at the end, where the demo stays up.
const OUT_OF_SIGHT: usize = 2;
/// After how many minutes the server's clock looks what is due.
const CLOCK_MIN: u32 = 10;
/// How many fixes of its last minute the killed app acknowledges.
const LAST_WORDS: usize = 3;

/// How the demo is to run.
pub(crate) struct Options {
    /// End after the count.
    pub(crate) once: bool,
    /// Where the page is served.
    pub(crate) listen: SocketAddr,
    /// Where all data goes; made anew.
    pub(crate) data: PathBuf,
    /// Where address and logins are written.
    pub(crate) ready_file: Option<PathBuf>,
}

/// Runs the demo.
///
/// # Errors
/// Whatever failed, and any record lost or twice.
pub(crate) fn run(options: &Options) -> Result<()> {
    let started = SystemClock::new().now();
    fresh_folder(&options.data)?;
    say::step(
        "准备兰山区：真实的街道和社区名，合成的 1956 个基础网格",
        "Lanshan: real names, 1,956 synthetic base grids",
    );
    let world = World::lanshan(WORLD_SEED)?;
    let date = plan::last_day(started.wall_ms)?;
    let days = plan::plan(&world, &Walks::shipped()?, date)?;

    let rng = Arc::new(SystemRng::new()?);
    let begin_ms = days.first().context("twelve days")?.time_ms(BEGIN);
    let boot = BootId::draw(rng.as_ref());
    let clock = Arc::new(WorldClock::new(begin_ms, boot));
    let stage = Stage::open(options, &world, clock, rng)?;
    stage.import_sites(&days)?;

    say::step("十二台手机登记", "twelve phones enrol");
    let mut desk = stage.desk(&days)?;
    let mut ledger = Ledger::default();
    let mut phones = stage.enrol(&options.data, days, begin_ms, boot, &mut ledger)?;
    say::step(&format!("回放 {date} 的一天"), "the day is replayed");
    replay(&stage, &mut phones, &mut desk, &mut ledger)?;
    stage.clock.go_live();
    for phone in &mut phones {
        phone.catch_up()?;
    }

    say::step("向服务器核对", "the server is asked what it holds");
    let server = Ledger::of_server(&stage.holdings()?)?;
    let took =
        Duration::from_millis((SystemClock::new().now().mono_ms - started.mono_ms).unsigned_abs());
    let (lost, duplicates) = (ledger.lost_on(&server), ledger.duplicated_on(&server));
    let result = Count {
        workers: phones.len(),
        patrols: server.patrols(),
        fixes_recorded: ledger.fixes(),
        fixes_on_server: server.fixes(),
        incidents_recorded: ledger.incidents(),
        incidents_on_server: server.incidents(),
        attachments_recorded: ledger.attachments(),
        attachments_on_server: server.attachments(),
        lost,
        duplicates,
        bytes_up: stage.counters.up(),
        bytes_down: stage.counters.down(),
        seconds: took.as_secs(),
    };
    if !options.once && lost == 0 && duplicates == 0 {
        stage.stay(options, &mut phones, took)?;
    }
    drop(phones);
    stage.server.stop();
    say::result(&serde_json::to_string(&result)?);
    if lost != 0 || duplicates != 0 {
        bail!(
            "{lost} records lost, {duplicates} twice; the databases are in {}",
            options.data.display()
        );
    }
    Ok(())
}

/// The demo's last line.
#[derive(Serialize)]
struct Count {
    workers: usize,
    patrols: usize,
    fixes_recorded: usize,
    fixes_on_server: usize,
    incidents_recorded: usize,
    incidents_on_server: usize,
    attachments_recorded: usize,
    attachments_on_server: usize,
    lost: usize,
    duplicates: u64,
    /// HTTP heads and bodies from phones to server; there is no TLS.
    bytes_up: u64,
    bytes_down: u64,
    seconds: u64,
}

/// The demo's folder holds nothing but the demo's data; another folder is not
/// touched.
fn fresh_folder(data: &Path) -> Result<()> {
    let mark = data.join("this-is-the-demo");
    if data.exists() {
        let ours = mark.exists() || fs::read_dir(data)?.next().is_none();
        anyhow::ensure!(
            ours,
            "{} is not a folder of the demo's; name another with --data",
            data.display()
        );
        fs::remove_dir_all(data)?;
    }
    fs::create_dir_all(data.join("phones"))?;
    fs::write(mark, "")?;
    Ok(())
}

/// The server with its people, and the line that leads to it.
struct Stage {
    server: RunningServer,
    clock: Arc<WorldClock>,
    rng: Arc<SystemRng>,
    /// What the phones take for the server.
    line: SocketAddr,
    counters: Arc<Counters>,
    tenant: TenantId,
    street: UserId,
    supervisor: (&'static str, String),
    administrator: (&'static str, String),
}

impl Stage {
    fn open(
        options: &Options,
        world: &World,
        clock: Arc<WorldClock>,
        rng: Arc<SystemRng>,
    ) -> Result<Self> {
        say::step(
            "启动服务器，导入网格",
            "the server starts and imports the grids",
        );
        let config = Config::new(options.data.join("server"), options.listen);
        let server = Server::start(&config, clock.clone(), rng.clone())?;
        let admin = server.service().admin();
        let grids = world.to_geojson().to_string();
        let source = admin::Source {
            name: "lanshan.geojson",
            bytes: grids.as_bytes(),
        };
        let import = admin::Import {
            crs: Some(admin::Crs::Wgs84),
            ..Default::default()
        };
        let tenant = admin.import_grids(source, &import)?.tenant;
        let notice: gridwalk_domain::Text =
            serde_json::from_str(include_str!("resources/notice.json"))?;
        let settings = admin::Settings {
            notice: Some(notice),
            utc_offset_min: Some(UTC_OFFSET_MIN),
        };
        admin.settings(tenant, &settings)?;
        let supervisor = admin.add_user("street", Role::Town, TOWN)?;
        let administrator = admin.add_user("admin", Role::Administrator, "371302")?;
        let (line, counters) = line::open(server.addr())?;
        Ok(Self {
            tenant,
            street: supervisor.id,
            supervisor: ("street", supervisor.password),
            administrator: ("admin", administrator.password),
            server,
            clock,
            rng,
            line,
            counters,
        })
    }

    /// Who works on the page.
    fn desk(&self, days: &[Day]) -> Result<Desk> {
        let rng = self.rng.clone();
        let street = (TOWN, self.street);
        Desk::open(self.server.service(), self.tenant, rng, days, street)
    }

    /// The street says what must be visited.
    fn import_sites(&self, days: &[Day]) -> Result<()> {
        let text = sites::file(days);
        let source = admin::Source {
            name: "sites.csv",
            bytes: text.as_bytes(),
        };
        let admin = self.server.service().admin();
        admin.import_sites(source, admin::Crs::Wgs84, self.supervisor.0)?;
        Ok(())
    }

    fn enrol(
        &self,
        data: &Path,
        days: Vec<Day>,
        clock_start_ms: i64,
        boot: BootId,
        ledger: &mut Ledger,
    ) -> Result<Vec<AnyPhone>> {
        let admin = self.server.service().admin();
        let rng: &dyn Rng = self.rng.as_ref();
        let mut phones = Vec::new();
        for (index, day) in days.into_iter().enumerate() {
            let for_whom = admin::EnrolFor {
                worker: &day.worker,
                grid: Some(&day.grid),
            };
            let code = admin.enrol(for_whom)?;
            let setup = Setup {
                database: data.join(format!("phones/{:02}.db", index + 1)),
                key: hex(&rng.bytes::<32>()),
                invitation: code.uri(&format!("http://{}", self.line), None),
                boot,
                clock_start_ms,
                day,
            };
            let tell = &mut |event| ledger.note(event);
            phones.push(if index == KILLED.0 {
                let file = data.join("phones/killed.json");
                fs::write(&file, serde_json::to_vec(&setup)?)?;
                AnyPhone::Apart(Puppet::start(file, BEGIN, tell)?)
            } else {
                AnyPhone::Here(Box::new(Phone::open(
                    setup,
                    self.clock.clone(),
                    BEGIN,
                    tell,
                )?))
            });
        }
        Ok(phones)
    }

    /// Asks over HTTP as an administrator would; not over the phones' line, so
    /// that it is not counted.
    fn holdings(&self) -> Result<Vec<u8>> {
        let address = ServerAddress {
            url: self.server.url().to_owned(),
            ca: None,
        };
        let http = HttpTransport::new(&address)?;
        let (name, password) = &self.administrator;
        let ask = |method, path: &str, cookie: Option<String>, body: Vec<u8>| -> Result<_> {
            let mut headers = vec![
                ("x-gridwalk".to_owned(), "1".to_owned()),
                ("content-type".to_owned(), "application/json".to_owned()),
            ];
            headers.extend(cookie.map(|cookie| ("cookie".to_owned(), cookie)));
            let answer = http.send(&Request {
                method,
                path: path.to_owned(),
                headers,
                body,
            })?;
            anyhow::ensure!(answer.status == 200, "{path} answered {}", answer.status);
            Ok(answer)
        };
        let login = json!({ "name": name, "password": password }).to_string();
        let login = ask(Method::Post, "/api/login", None, login.into_bytes())?;
        let cookie = login
            .headers
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("set-cookie"));
        let cookie = cookie
            .and_then(|(_, value)| value.split(';').next())
            .map(str::to_owned);
        Ok(ask(Method::Get, "/api/holdings", cookie, Vec::new())?.body)
    }

    /// Stays up until Ctrl-C.
    fn stay(&self, options: &Options, phones: &mut [AnyPhone], took: Duration) -> Result<()> {
        if let AnyPhone::Here(phone) = &mut phones[OUT_OF_SIGHT] {
            let reports: Vec<plan::Report> =
                serde_json::from_str(include_str!("resources/incidents.json"))?;
            phone.go_out_of_sight(reports.into_iter().nth(10).context("eleven reports")?)?;
        }
        let url = self.server.url();
        let (street, admin) = (&self.supervisor, &self.administrator);
        if let Some(file) = &options.ready_file {
            let ready = json!({
                "url": url, "user": street.0, "password": street.1,
                "admin": admin.0, "admin_password": admin.1,
            });
            fs::write(file, ready.to_string())?;
        }
        let logins = [
            ("兰山街道 a street", street.0, street.1.as_str()),
            ("管理员 an administrator", admin.0, &admin.1),
        ];
        say::invitation(url, &logins, took);
        let (interrupted, until) = mpsc::channel();
        ctrlc::set_handler(move || interrupted.send(()).unwrap_or_default())?;
        until.recv().context("nobody can interrupt any more")
    }
}

/// A phone of this process or of its own.
enum AnyPhone {
    Here(Box<Phone>),
    Apart(Puppet),
}

impl AnyPhone {
    fn live(&mut self, minute: u32, tell: &mut dyn FnMut(Event)) -> Result<()> {
        match self {
            Self::Here(phone) => phone.live(minute, tell),
            Self::Apart(puppet) if minute == KILLED.1.start => {
                puppet.kill_in(&minute.to_string(), LAST_WORDS, tell)
            }
            Self::Apart(_) if KILLED.1.contains(&minute) => Ok(()),
            Self::Apart(puppet) => {
                if minute == KILLED.1.end {
                    puppet.restart(minute, tell)?;
                }
                puppet.say(&minute.to_string(), tell)
            }
        }
    }

    /// The day is over: what is still on the phone goes to the server.
    fn catch_up(&mut self) -> Result<()> {
        match self {
            Self::Here(phone) => {
                phone.sync()?;
                let unsent = phone.unsent()?;
                anyhow::ensure!(
                    unsent == 0,
                    "a phone kept {unsent} records after its last sync"
                );
                Ok(())
            }
            Self::Apart(puppet) => {
                puppet.say("live", &mut |_| {})?;
                puppet.say("sync", &mut |_| {})
            }
        }
    }
}

/// All phones live through each minute side by side.
fn replay(
    stage: &Stage,
    phones: &mut [AnyPhone],
    desk: &mut Desk,
    ledger: &mut Ledger,
) -> Result<()> {
    let midnight_ms = stage.clock.now().wall_ms - i64::from(BEGIN) * 60_000;
    let shared = Mutex::new(ledger);
    for minute in BEGIN + 1..=END {
        stage
            .clock
            .advance_to(midnight_ms + i64::from(minute) * 60_000);
        let lived: Vec<Result<()>> = std::thread::scope(|scope| {
            let lives = phones.iter_mut().map(|phone| {
                scope.spawn(|| {
                    phone.live(minute, &mut |event| {
                        if let Ok(mut ledger) = shared.lock() {
                            ledger.note(event);
                        }
                    })
                })
            });
            let lives: Vec<_> = lives.collect();
            lives
                .into_iter()
                .map(|life| life.join().unwrap_or_else(|_| bail!("a phone panicked")))
                .collect()
        });
        lived.into_iter().collect::<Result<()>>()?;
        let service = stage.server.service();
        desk.live(service, minute)?;
        if minute.is_multiple_of(CLOCK_MIN) {
            service.strike().map_err(|why| anyhow::anyhow!("{why}"))?;
        }
        let (fixes, incidents) = shared
            .lock()
            .map(|ledger| (ledger.fixes(), ledger.incidents()))
            .unwrap_or_default();
        say::progress(minute, fixes, incidents, stage.counters.up());
    }
    say::line_end();
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
