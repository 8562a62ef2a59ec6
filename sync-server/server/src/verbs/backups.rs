//! `backup`, `verify-backup`, `restore`.

use gridwalk_server::Service;
use gridwalk_server::admin::KEPT_BACKUPS;
use std::path::{Path, PathBuf};

use super::Done;
use super::say::Say;

#[derive(clap::Args)]
pub(super) struct BackupArgs {
    /// 新建的备份目录 · a new folder
    folder: PathBuf,
}

#[derive(clap::Args)]
pub(super) struct VerifyArgs {
    /// 备份目录 · the backup's folder
    folder: PathBuf,
    /// 保留多少个可恢复的备份 · how many checked backups stay restorable
    #[arg(long, default_value_t = KEPT_BACKUPS)]
    keep: usize,
}

#[derive(clap::Args)]
pub(super) struct RestoreArgs {
    /// 备份目录 · the backup's folder
    folder: PathBuf,
    /// 强制恢复未校验或过旧的备份（可能丢失记录） · take one that was not checked or is too old
    #[arg(long)]
    force: bool,
}

pub(super) fn backup(service: &Service, args: &BackupArgs, say: &Say) -> Done {
    let manifest = service.admin().backup(&args.folder)?;
    let (folder, bytes) = (
        args.folder.display().to_string(),
        manifest.bytes.to_string(),
    );
    say.line("backup.done", &[("folder", &folder), ("bytes", &bytes)]);
    Ok(())
}

pub(super) fn verify(service: &Service, args: &VerifyArgs, say: &Say) -> Done {
    let verified = service.admin().verify_backup(&args.folder, args.keep)?;
    let (streams, blobs) = (verified.streams.to_string(), verified.blobs.to_string());
    let values = [
        ("backup", verified.backup.as_str()),
        ("floor", &verified.floor),
        ("streams", &streams),
        ("blobs", &blobs),
    ];
    say.line("verify.done", &values);
    Ok(())
}

pub(super) fn restore(service: &Service, data: &Path, args: &RestoreArgs, say: &Say) -> Done {
    let restored = service.admin().restore(&args.folder, data, args.force)?;
    say.line("restore.done", &[("backup", &restored.backup)]);
    Ok(())
}
