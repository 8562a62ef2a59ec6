//! The verbs: thin over the library.

mod act;
mod backups;
mod law;
mod orders;
mod say;
mod serve;

use clap::{Parser, Subcommand};
use gridwalk_domain::{Clock, DepartmentId, Rng, TeamId, Text};
use gridwalk_server::admin::{
    self, AdminError, Crs, EnrolFor, Folders, Import, Settings, Source, message,
};
use gridwalk_server::{Service, Settings as ServiceSettings};
use gridwalk_store::{BadRole, Role};
use gridwalk_system::{SystemClock, SystemRng};
use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use say::{Say, Tongue};

/// 巡格服务器 · Gridwalk's sync server and the supervisor's page.
#[derive(Parser)]
#[command(name = "gridwalk-server", version)]
pub(crate) struct Cli {
    /// 数据目录 · the data folder
    #[arg(
        long,
        global = true,
        env = "GRIDWALK_DATA",
        default_value = "./gridwalk-data"
    )]
    data: PathBuf,
    /// 日志目录，最好在另一块磁盘；默认在数据目录里 · the journal's folder, best on another disk
    #[arg(long, global = true, env = "GRIDWALK_JOURNAL")]
    journal: Option<PathBuf>,
    /// 原日志目录已丢失，改用新的 · the journal's folder is lost, use this one from now on
    #[arg(long, global = true)]
    new_journal: bool,
    /// 输出语言：both、zh、en · the language of messages
    #[arg(long, global = true, env = "GRIDWALK_LANG", default_value = "both")]
    lang: Tongue,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// 启动服务 · serve until stopped
    Serve(Serve),
    /// 导入网格或必到点 · import grids (CSV of divisions, GeoJSON of boundaries) or sites (CSV)
    Import {
        /// 只有 grids 可省略 · `grids` or `sites`; `grids` may be left out
        #[arg(num_args = 1..=2, value_names = ["grids|sites", "FILE"], required = true)]
        what: Vec<String>,
        /// 坐标系：wgs84、gcj02、bd09 · the coordinate system of boundaries and sites
        #[arg(long)]
        crs: Option<Crs>,
        /// 必到点以该用户的名义导入 · the user who makes the sites
        #[arg(long = "as", value_name = "USER")]
        user: Option<String>,
        #[command(flatten)]
        notice: Notice,
    },
    /// 区县设置 · a district's settings
    Settings {
        /// 区县编码 · the district's code; not needed while there is one only
        #[arg(long)]
        district: Option<String>,
        #[command(flatten)]
        notice: Notice,
        /// 与 UTC 的时差（分钟） · minutes ahead of UTC
        #[arg(long, allow_negative_numbers = true)]
        utc_offset_min: Option<i32>,
    },
    /// 页面用户 · users of the page
    User {
        #[command(subcommand)]
        verb: UserVerb,
    },
    /// 网格员 · gridworkers
    Worker {
        #[command(subcommand)]
        verb: WorkerVerb,
    },
    /// 注册手机：打印一次性注册码和二维码 · a one-time code for a phone, as text and QR
    Enrol(Enrol),
    /// 服务器持有的记录（JSON） · what the server holds, as JSON
    Holdings,
    /// 以页面用户的身份操作 · act on a record as a user of the page
    Act(act::ActArgs),
    /// 分配网格 · give a worker a grid, for good or for a time
    Assign(orders::AssignArgs),
    /// 收回网格 · end a worker's time in a grid
    Unassign(orders::UnassignArgs),
    /// 拆分、合并、移动网格 · split, merge and move grids
    Grid {
        #[command(subcommand)]
        verb: orders::GridVerb,
    },
    /// 事件分类目录 · the catalogue of what can be reported
    Catalogue(law::CatalogueArgs),
    /// 工作日历 · the calendar of working time
    Calendar(law::CalendarArgs),
    /// 调解记录的查阅日志（JSON） · who read mediations, as JSON
    Readings(law::ReadingsArgs),
    /// 手机 · phones
    Device {
        #[command(subcommand)]
        verb: orders::DeviceVerb,
    },
    /// 隔离区 · quarantine: what waits for a person
    Quarantine {
        #[command(subcommand)]
        verb: orders::QuarantineVerb,
    },
    /// 彻底删除 · purge a record or an attachment for good
    Purge {
        #[command(subcommand)]
        verb: orders::PurgeVerb,
    },
    /// 备份，服务不停 · copy all data while it is served
    Backup(backups::BackupArgs),
    /// 校验备份 · check a backup; only then does it count
    VerifyBackup(backups::VerifyArgs),
    /// 恢复备份 · go back to a backup
    Restore(backups::RestoreArgs),
}

#[derive(clap::Args)]
struct Serve {
    /// 监听地址 · where to listen
    #[arg(long, env = "GRIDWALK_LISTEN", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// 手机和浏览器使用的网址 · the address that phones and browsers use
    #[arg(long, env = "GRIDWALK_PUBLIC_URL")]
    public_url: Option<String>,
    /// TLS 证书链（PEM） · the certificate chain
    #[arg(long, requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// TLS 私钥（PEM） · the private key
    #[arg(long, requires = "tls_cert")]
    tls_key: Option<PathBuf>,
}

#[derive(clap::Args)]
struct Notice {
    /// 页面上的公告 · what the page shows to everybody
    #[arg(long)]
    notice_zh: Option<String>,
    /// The same in English
    #[arg(long)]
    notice_en: Option<String>,
}

impl Notice {
    fn text(self) -> Option<Text> {
        let (zh, en) = (self.notice_zh, self.notice_en);
        let given = zh.is_some() || en.is_some();
        given.then(|| {
            let zh_or_en = zh.clone().or_else(|| en.clone()).unwrap_or_default();
            let en_or_zh = en.or(zh).unwrap_or_default();
            Text {
                zh: zh_or_en,
                en: en_or_zh,
            }
        })
    }
}

#[derive(Subcommand)]
enum UserVerb {
    /// 添加用户，打印一次密码 · add a user; prints the password once
    Add {
        /// 登录名 · the name they log in with
        #[arg(long)]
        name: String,
        /// 角色：community、town、district、department、team、system、administrator；department 和 team 可带编号（department/编号） · the role; department or team alone makes a new one
        #[arg(long)]
        role: String,
        /// 网格编码 · the code of the grid
        #[arg(long)]
        grid: String,
    },
}

#[derive(Subcommand)]
enum WorkerVerb {
    /// 添加网格员 · add a gridworker
    Add {
        /// 姓名 · the name
        #[arg(long)]
        name: String,
        /// 基础网格编码 · the code of the base grid
        #[arg(long)]
        grid: String,
    },
}

#[derive(clap::Args)]
struct Enrol {
    /// 网格员姓名或编号 · the worker's name or id
    #[arg(long)]
    worker: Option<String>,
    /// 同 --worker · the same as --worker
    #[arg(
        value_name = "WORKER",
        conflicts_with = "worker",
        required_unless_present = "worker"
    )]
    name: Option<String>,
    /// 新网格员的基础网格编码 · where a new worker belongs
    #[arg(long)]
    grid: Option<String>,
    /// 手机使用的网址 · the address that phones use
    #[arg(
        long,
        alias = "public-url",
        env = "GRIDWALK_PUBLIC_URL",
        default_value = "http://127.0.0.1:8080"
    )]
    url: String,
    /// 私有 CA 证书 · the certificate of a private CA, to be pinned
    #[arg(long)]
    ca: Option<PathBuf>,
    /// 输出 JSON · as JSON
    #[arg(long)]
    json: bool,
}

/// What a verb can end with.
enum Failure {
    Admin(AdminError),
    /// Already said in both languages: a key of the messages and what fills it.
    Said(&'static str, Vec<(&'static str, String)>),
}

impl From<AdminError> for Failure {
    fn from(error: AdminError) -> Self {
        Self::Admin(error)
    }
}

type Done = Result<(), Failure>;

/// Runs a verb; an error is one line on standard error.
pub(crate) fn run(cli: Cli) -> ExitCode {
    let say = Say::new(cli.lang);
    let place = Place {
        folders: Folders {
            data: cli.data,
            journal: cli.journal,
        },
        settings: ServiceSettings {
            new_keep: cli.new_journal,
            ..ServiceSettings::default()
        },
    };
    match run_verb(&place, cli.verb, &say) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Admin(error)) => {
            say.error(|lang| error.message(lang));
            ExitCode::FAILURE
        }
        Err(Failure::Said(key, values)) => {
            let values: Vec<_> = values
                .iter()
                .map(|(name, value)| (*name, value.as_str()))
                .collect();
            say.error(|lang| message(key, lang, &values));
            ExitCode::FAILURE
        }
    }
}

/// The system's clock and entropy.
type Seams = (Arc<dyn Clock>, Arc<dyn Rng>);

fn seams() -> Result<Seams, Failure> {
    let rng = SystemRng::new()
        .map_err(|why| Failure::Said("serve.failed", vec![("why", format!("{why:?}"))]))?;
    Ok((Arc::new(SystemClock::new()), Arc::new(rng)))
}

/// Where everything is, and what is set.
struct Place {
    folders: Folders,
    settings: ServiceSettings,
}

impl Place {
    fn open(&self) -> Result<Service, Failure> {
        let (clock, rng) = seams()?;
        Ok(admin::open(
            &self.folders,
            clock,
            rng,
            self.settings.clone(),
        )?)
    }

    /// Opens what is there: a mistyped folder is not made.
    fn open_existing(&self) -> Result<Service, Failure> {
        let data = &self.folders.data;
        if !data.join(gridwalk_store_sqlite::FILE_NAME).is_file() {
            return Err(Failure::Said(
                "no_data",
                vec![("data", data.display().to_string())],
            ));
        }
        self.open()
    }
}

fn run_verb(place: &Place, verb: Verb, say: &Say) -> Done {
    match verb {
        Verb::Serve(options) => serve::run(place, options, say),
        Verb::Import {
            what, crs, user, ..
        } if what.first().is_some_and(|word| word == "sites") => {
            import_sites(place, &what, crs, user.as_deref(), say)
        }
        Verb::Import {
            what, crs, notice, ..
        } => import(place, &what, crs, notice, say),
        Verb::Act(args) => act::act(&place.open_existing()?, &seams()?, &args, say),
        Verb::Assign(args) => orders::assign(&place.open_existing()?, &args, say),
        Verb::Unassign(args) => orders::unassign(&place.open_existing()?, &args, say),
        Verb::Grid { verb } => orders::grid(&place.open_existing()?, &verb, say),
        Verb::Catalogue(args) => law::catalogue(&place.open_existing()?, &args, say),
        Verb::Calendar(args) => law::calendar(&place.open_existing()?, &args, say),
        Verb::Readings(args) => law::readings(&place.open_existing()?, &args, say),
        Verb::Device { verb } => orders::device(&place.open_existing()?, &verb, say),
        Verb::Quarantine { verb } => orders::quarantine(&place.open_existing()?, &verb, say),
        Verb::Purge { verb } => orders::purge(&place.open_existing()?, &verb, say),
        Verb::Backup(args) => backups::backup(&place.open_existing()?, &args, say),
        Verb::VerifyBackup(args) => backups::verify(&place.open_existing()?, &args, say),
        // Onto a new machine, too.
        Verb::Restore(args) => backups::restore(&place.open()?, &place.folders.data, &args, say),
        Verb::Settings {
            district,
            notice,
            utc_offset_min,
        } => {
            let settings = Settings {
                notice: notice.text(),
                utc_offset_min,
            };
            place
                .open_existing()?
                .admin()
                .settings_of(district.as_deref(), &settings)?;
            say.line("settings.done", &[]);
            Ok(())
        }
        Verb::User {
            verb: UserVerb::Add { name, role, grid },
        } => {
            let role = role_of(&role)?;
            let user = place
                .open_existing()?
                .admin()
                .add_user(&name, role, &grid)?;
            if matches!(role, Role::Department(_) | Role::Team(_)) {
                say.plain(&role.to_string());
            }
            say.line("user.added", &[("name", &name)]);
            say.plain(&user.password);
            Ok(())
        }
        Verb::Worker {
            verb: WorkerVerb::Add { name, grid },
        } => {
            let id = place
                .open_existing()?
                .admin()
                .add_worker(&name, &grid)?
                .to_string();
            say.line("worker.added", &[("name", &name), ("id", &id)]);
            Ok(())
        }
        Verb::Enrol(options) => enrol(place, &options, say),
        Verb::Holdings => {
            let holdings = place.open_existing()?.admin().holdings(None)?;
            say.plain(&json(&holdings));
            Ok(())
        }
    }
}

/// A role; a department or team without an id is a new one.
fn role_of(text: &str) -> Result<Role, Failure> {
    let (_, rng) = seams()?;
    match text {
        "department" => Ok(Role::Department(DepartmentId::draw(&*rng))),
        "team" => Ok(Role::Team(TeamId::draw(&*rng))),
        _ => text
            .parse()
            .map_err(|why: BadRole| Failure::Said("refused", vec![("why", why.to_string())])),
    }
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(file).map_err(|why| {
        let values = vec![
            ("file", file.display().to_string()),
            ("why", why.to_string()),
        ];
        Failure::Said("file.not_read", values)
    })
}

fn import(place: &Place, what: &[String], crs: Option<Crs>, notice: Notice, say: &Say) -> Done {
    let file = match what {
        [word, file] if word == "grids" => PathBuf::from(file),
        [file] => PathBuf::from(file),
        _ => {
            let values = vec![
                ("file", what.join(" ")),
                ("why", "import grids FILE".to_owned()),
            ];
            return Err(Failure::Said("file.not_read", values));
        }
    };
    // Read before the folder is made: a wrong name changes nothing.
    let bytes = read(&file)?;
    let name = file.display().to_string();
    let import = Import {
        crs,
        notice: notice.text(),
    };
    let source = Source {
        name: &name,
        bytes: &bytes,
    };
    let report = place.open()?.admin().import_grids(source, &import)?;
    imported([report.added, report.updated, report.unchanged], say);
    Ok(())
}

fn import_sites(
    place: &Place,
    what: &[String],
    crs: Option<Crs>,
    user: Option<&str>,
    say: &Say,
) -> Done {
    let (Some(file), Some(crs), Some(user)) = (what.get(1), crs, user) else {
        return Err(Failure::Said("sites.user", vec![]));
    };
    let bytes = read(Path::new(file))?;
    let source = Source {
        name: file,
        bytes: &bytes,
    };
    let report = place
        .open_existing()?
        .admin()
        .import_sites(source, crs, user)?;
    imported([report.added, report.updated, report.unchanged], say);
    Ok(())
}

fn imported(counts: [usize; 3], say: &Say) {
    let numbers = counts.map(|n| n.to_string());
    say.line(
        "import.done",
        &[
            ("added", &numbers[0]),
            ("updated", &numbers[1]),
            ("unchanged", &numbers[2]),
        ],
    );
}

/// The pin of a private CA: the SHA-256 of its certificate in DER.
fn pin(file: &Path) -> Result<String, Failure> {
    let bytes = read(file)?;
    let bad = || Failure::Said("enrol.bad_ca", vec![("file", file.display().to_string())]);
    let der = match CertificateDer::from_pem_slice(&bytes) {
        Ok(der) => der.to_vec(),
        // DER begins with a sequence.
        Err(_) if bytes.first() == Some(&0x30) => bytes,
        Err(_) => return Err(bad()),
    };
    Ok(gridwalk_domain::Sha256::of(&der).to_string())
}

fn enrol(place: &Place, options: &Enrol, say: &Say) -> Done {
    let ca = options.ca.as_deref().map(pin).transpose()?;
    let worker = options.worker.as_ref().or(options.name.as_ref());
    let whom = EnrolFor {
        worker: worker.map_or("", String::as_str),
        grid: options.grid.as_deref(),
    };
    let code = place.open_existing()?.admin().enrol(whom)?;
    let uri = code.uri(&options.url, ca.as_deref());
    if options.json {
        let object = serde_json::json!({
            "worker": code.worker, "name": code.name, "code": code.code,
            "uri": uri, "expires_ms": code.expires_ms,
        });
        say.plain(&object.to_string());
        return Ok(());
    }
    say.line("enrol.code", &[("name", &code.name)]);
    say.plain(&code.code);
    say.plain(&uri);
    if let Ok(qr) = QrCode::new(&uri) {
        say.line("enrol.scan", &[]);
        say.plain(&qr.render::<Dense1x2>().quiet_zone(true).build());
    }
    Ok(())
}
