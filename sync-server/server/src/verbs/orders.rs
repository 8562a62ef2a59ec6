//! What an operator orders: who works where, grids, phones, quarantine, purges.

use chrono::DateTime;
use clap::Subcommand;
use gridwalk_domain::{EntityId, Sha256};
use gridwalk_server::Service;
use gridwalk_server::admin::{AdminError, Assign, Held, Revoke};

use super::say::Say;
use super::{Done, Failure, json};

/// A time: RFC 3339, or milliseconds since 1970.
fn time(text: &str) -> Result<i64, AdminError> {
    let ms = text.parse().ok();
    let ms = ms.or_else(|| {
        DateTime::parse_from_rfc3339(text)
            .ok()
            .map(|at| at.timestamp_millis())
    });
    ms.ok_or_else(|| AdminError::BadTime(text.to_owned()))
}

fn maybe_time(text: Option<&str>) -> Result<Option<i64>, AdminError> {
    text.map(time).transpose()
}

#[derive(clap::Args)]
pub(super) struct AssignArgs {
    /// 网格员姓名或编号 · the worker's name or id
    #[arg(long)]
    worker: String,
    /// 基础网格编码 · the code of the base grid
    #[arg(long)]
    grid: String,
    /// 开始时间，默认现在 · from when on (RFC 3339); now by default
    #[arg(long)]
    from: Option<String>,
    /// 结束时间（替班） · until when, for a stand-in
    #[arg(long)]
    until: Option<String>,
}

pub(super) fn assign(service: &Service, args: &AssignArgs, say: &Say) -> Done {
    service.admin().assign(Assign {
        worker: &args.worker,
        grid: &args.grid,
        from_ms: maybe_time(args.from.as_deref())?,
        until_ms: maybe_time(args.until.as_deref())?,
    })?;
    say.line(
        "assign.done",
        &[("worker", &args.worker), ("grid", &args.grid)],
    );
    Ok(())
}

#[derive(clap::Args)]
pub(super) struct UnassignArgs {
    /// 网格员姓名或编号 · the worker's name or id
    #[arg(long)]
    worker: String,
    /// 基础网格编码 · the code of the base grid
    #[arg(long)]
    grid: String,
    /// 结束时间，默认现在 · when (RFC 3339); now by default
    #[arg(long)]
    at: Option<String>,
}

pub(super) fn unassign(service: &Service, args: &UnassignArgs, say: &Say) -> Done {
    let at_ms = maybe_time(args.at.as_deref())?;
    service.admin().unassign(&args.worker, &args.grid, at_ms)?;
    say.line(
        "unassign.done",
        &[("worker", &args.worker), ("grid", &args.grid)],
    );
    Ok(())
}

#[derive(Subcommand)]
pub(super) enum GridVerb {
    /// 拆分 · split a grid into others of its level, which must be imported first
    Split {
        /// 被拆分的网格编码 · the code of the grid
        grid: String,
        /// 接替的网格编码 · the codes of those that take its place
        #[arg(long, required = true, num_args = 1.., value_delimiter = ',')]
        into: Vec<String>,
    },
    /// 合并 · merge grids into another one of their level
    Merge {
        /// 被合并的网格编码 · the codes of the grids
        #[arg(required = true)]
        grids: Vec<String>,
        /// 接替的网格编码 · the code of the one that takes their place
        #[arg(long)]
        into: String,
    },
    /// 移到另一个上级 · move a grid under another one
    Move {
        /// 网格编码 · the code of the grid
        grid: String,
        /// 新上级的编码 · the code of its new parent
        #[arg(long)]
        under: String,
    },
}

pub(super) fn grid(service: &Service, verb: &GridVerb, say: &Say) -> Done {
    let admin = service.admin();
    let codes = |codes: &[String]| codes.join(", ");
    fn texts(codes: &[String]) -> Vec<&str> {
        codes.iter().map(String::as_str).collect()
    }
    match verb {
        GridVerb::Split { grid, into } => {
            admin.split_grid(grid, &texts(into))?;
            say.line("grid.closed", &[("grids", grid), ("into", &codes(into))]);
        }
        GridVerb::Merge { grids, into } => {
            admin.merge_grids(&texts(grids), into)?;
            say.line("grid.closed", &[("grids", &codes(grids)), ("into", into)]);
        }
        GridVerb::Move { grid, under } => {
            admin.move_grid(grid, under)?;
            say.line("grid.moved", &[("grid", grid), ("under", under)]);
        }
    }
    Ok(())
}

#[derive(Subcommand)]
pub(super) enum DeviceVerb {
    /// 列出手机（JSON） · the phones, as JSON
    List {
        /// 网格员姓名或编号 · only this worker's
        #[arg(long)]
        worker: Option<String>,
    },
    /// 收回权限：此后只能上传 · take a phone's rights: it may only send from now on
    Revoke {
        /// 手机编号 · the phone's id
        #[arg(required_unless_present = "worker", conflicts_with = "worker")]
        device: Option<String>,
        /// 网格员的所有手机 · all phones of this worker
        #[arg(long)]
        worker: Option<String>,
        /// 手机被盗：上传的记录进隔离区，并让手机销毁密钥 · it was stolen
        #[arg(long)]
        stolen: bool,
    },
}

pub(super) fn device(service: &Service, verb: &DeviceVerb, say: &Say) -> Done {
    match verb {
        DeviceVerb::List { worker } => {
            say.plain(&json(&service.admin().devices(worker.as_deref())?));
        }
        DeviceVerb::Revoke {
            device,
            worker,
            stolen,
        } => {
            let whose = match (device, worker) {
                (Some(device), _) => Revoke::Device(device),
                (None, worker) => Revoke::Worker(worker.as_deref().unwrap_or_default()),
            };
            let ids = service.admin().revoke(whose, *stolen)?;
            say.line("device.revoked", &[("count", &ids.len().to_string())]);
        }
    }
    Ok(())
}

#[derive(Subcommand)]
pub(super) enum QuarantineVerb {
    /// 列出 · list what is there
    List {
        /// 输出 JSON，含内容（调解除外） · as JSON, with what it says, mediations aside
        #[arg(long)]
        json: bool,
        /// 登录名：含此人有权查阅的调解，并记入查阅日志 · with the mediations that this user may read; it is written down
        #[arg(long = "as", requires = "json")]
        user: Option<String>,
    },
    /// 接受 · take it
    Accept {
        /// 哈希 · the hash that `list` shows
        hash: String,
    },
    /// 拒绝 · refuse it for good
    Refuse {
        /// 哈希 · the hash that `list` shows
        hash: String,
    },
}

fn hash(text: &str) -> Result<Sha256, AdminError> {
    text.parse()
        .map_err(|_| AdminError::NotHeld(text.to_owned()))
}

fn list(held: &Held, say: &Say) {
    let waits = |waits: bool| if waits { "waits" } else { "person" };
    for op in &held.ops {
        let (id, code) = (op.entity, &op.code);
        say.plain(&format!(
            "{} op {code} {} entity/{id}",
            op.hash,
            waits(op.waits)
        ));
    }
    for chunk in &held.chunks {
        let (id, code) = (chunk.chunk.patrol, &chunk.code);
        say.plain(&format!(
            "{} chunk {code} {} patrol/{id}",
            chunk.hash,
            waits(chunk.waits)
        ));
    }
}

pub(super) fn quarantine(service: &Service, verb: &QuarantineVerb, say: &Say) -> Done {
    let admin = service.admin();
    match verb {
        QuarantineVerb::List {
            json: as_json,
            user,
        } => {
            let held = match user {
                Some(user) => admin.quarantine_as(user)?,
                None => admin.quarantine(None)?,
            };
            if *as_json {
                say.plain(&json(&held));
            } else {
                list(&held, say);
            }
        }
        QuarantineVerb::Accept { hash: text } => {
            admin.accept(hash(text)?)?;
            say.line("quarantine.accepted", &[]);
        }
        QuarantineVerb::Refuse { hash: text } => {
            admin.refuse(hash(text)?)?;
            say.line("quarantine.refused", &[]);
        }
    }
    Ok(())
}

#[derive(Subcommand)]
pub(super) enum PurgeVerb {
    /// 彻底删除一条记录 · a record, with its ops, tracks and photos
    Entity {
        /// 记录编号 · the record's id
        id: String,
        /// 区县编码 · the code of its district, where the record has not come yet
        #[arg(long)]
        district: Option<String>,
    },
    /// 彻底删除一个附件 · an attachment, by the hash of its content
    Blob {
        /// 内容的 SHA-256 · the content's SHA-256
        sha256: String,
        /// 只在此区县删除（编码） · in the district of this code alone
        #[arg(long)]
        district: Option<String>,
    },
}

pub(super) fn purge(service: &Service, verb: &PurgeVerb, say: &Say) -> Done {
    let bad = |text: &str| Failure::Said("purge.bad_id", vec![("id", text.to_owned())]);
    let report = match verb {
        PurgeVerb::Entity { id, district } => {
            let entity: EntityId = id.parse().map_err(|_| bad(id))?;
            service.admin().purge_entity(entity, district.as_deref())?
        }
        PurgeVerb::Blob { sha256, district } => {
            let blob: Sha256 = sha256.parse().map_err(|_| bad(sha256))?;
            service.admin().purge_blob(blob, district.as_deref())?
        }
    };
    let (ops, blobs) = (report.ops.to_string(), report.blobs.to_string());
    say.line("purge.done", &[("ops", &ops), ("blobs", &blobs)]);
    Ok(())
}
