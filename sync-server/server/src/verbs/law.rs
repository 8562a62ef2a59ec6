//! `catalogue` and `calendar`: what can be reported, and when people work;
//! `readings`: who read what has narrow readers.

use clap::Subcommand;
use gridwalk_domain::EntityId;
use gridwalk_server::Service;
use gridwalk_server::admin::Source;
use std::path::{Path, PathBuf};

use super::say::Say;
use super::{Done, Failure, json, read};

#[derive(clap::Args)]
pub(super) struct District {
    /// 区县编码 · the district's code; not needed while there is one only
    #[arg(long, global = true)]
    district: Option<String>,
}

impl District {
    fn code(&self) -> Option<&str> {
        self.district.as_deref()
    }
}

#[derive(clap::Args)]
pub(super) struct CatalogueArgs {
    #[command(flatten)]
    district: District,
    #[command(subcommand)]
    verb: CatalogueVerb,
}

#[derive(Subcommand)]
enum CatalogueVerb {
    /// 导入（版本号须高于现行版本） · import one, of a higher version than the one in force
    Import {
        /// JSON 文件 · the file
        file: PathBuf,
    },
    /// 列出各版本（JSON） · the versions that are known, as JSON
    List,
    /// 导出 · one as JSON; the one in force by default
    Export {
        /// 版本号 · its version
        version: Option<u32>,
    },
}

#[derive(clap::Args)]
pub(super) struct CalendarArgs {
    #[command(flatten)]
    district: District,
    #[command(subcommand)]
    verb: CalendarVerb,
}

#[derive(Subcommand)]
enum CalendarVerb {
    /// 导入（版本号须高于现行版本） · import one, of a higher version than the one in force
    Import {
        /// JSON 文件 · the file
        file: PathBuf,
    },
    /// 导出现行日历 · the one in force as JSON
    Export,
}

#[derive(clap::Args)]
pub(super) struct ReadingsArgs {
    #[command(flatten)]
    district: District,
    /// 只看一条记录 · of one record alone
    #[arg(long)]
    record: Option<EntityId>,
}

pub(super) fn readings(service: &Service, args: &ReadingsArgs, say: &Say) -> Done {
    let admin = service.admin();
    let readings = admin.readings(args.record, args.district.code())?;
    say.plain(&json(&readings));
    Ok(())
}

/// Imports a file of either sort.
fn import<T>(
    file: &Path,
    import: impl FnOnce(Source<'_>) -> Result<T, gridwalk_server::admin::AdminError>,
) -> Result<T, Failure> {
    let (bytes, name) = (read(file)?, file.display().to_string());
    let source = Source {
        name: &name,
        bytes: &bytes,
    };
    Ok(import(source)?)
}

pub(super) fn catalogue(service: &Service, args: &CatalogueArgs, say: &Say) -> Done {
    let (admin, district) = (service.admin(), args.district.code());
    match &args.verb {
        CatalogueVerb::Import { file } => {
            let version = import(file, |source| admin.import_catalogue(source, district))?;
            say.line("catalogue.imported", &[("version", &version.to_string())]);
        }
        CatalogueVerb::List => say.plain(&json(&admin.catalogues(district)?)),
        CatalogueVerb::Export { version } => {
            say.plain(&admin.export_catalogue(*version, district)?);
        }
    }
    Ok(())
}

pub(super) fn calendar(service: &Service, args: &CalendarArgs, say: &Say) -> Done {
    let (admin, district) = (service.admin(), args.district.code());
    match &args.verb {
        CalendarVerb::Import { file } => {
            let version = import(file, |source| admin.import_calendar(source, district))?;
            say.line("calendar.imported", &[("version", &version.to_string())]);
        }
        CalendarVerb::Export => say.plain(&admin.export_calendar(district)?),
    }
    Ok(())
}
