//! The arguments.

mod records;

use clap::{Args as Group, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

pub(crate) use records::*;

/// 巡格终端：一个数据文件就是一部手机。
/// A gridworker's phone without a phone: one data file is one phone.
#[derive(Debug, Parser)]
#[command(name = "gridwalk", version)]
pub(crate) struct Args {
    /// 数据文件 · the data file
    #[arg(
        long,
        value_name = "FILE",
        global = true,
        default_value = "gridwalk.db"
    )]
    pub(crate) db: PathBuf,
    /// 服务器地址 · the server's address, instead of the one enrolled with
    #[arg(long, value_name = "URL", global = true)]
    pub(crate) server: Option<String>,
    /// 语言（默认两种） · the language (both without it)
    #[arg(long, value_name = "zh|en", global = true)]
    pub(crate) lang: Option<Lang>,
    /// 密钥文件：64 位十六进制或 32 字节 · the key's file: 64 hex digits or 32 raw bytes
    #[arg(
        long,
        value_name = "FILE",
        env = "GRIDWALK_KEY_FILE",
        global = true,
        hide_env_values = true
    )]
    pub(crate) key_file: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Lang {
    Zh,
    En,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// 注册：邀请码或邀请链接 · enrol this phone: a code, or gridwalk://enrol?…
    Enrol {
        /// 邀请码或链接 · the code or the link
        invitation: String,
    },
    /// 班次 · shifts
    #[command(subcommand)]
    Shift(Shift),
    /// 巡查 · patrols
    #[command(subcommand)]
    Patrol(Patrol),
    /// 事件 · incidents
    #[command(subcommand)]
    Incident(Incident),
    /// 草稿：只在本机 · drafts of reports, on this phone alone
    #[command(subcommand)]
    Draft(Draft),
    /// 巡查结果 · what a patrol found, by category
    #[command(subcommand)]
    Finding(Finding),
    /// 走访 · household visits
    #[command(subcommand)]
    Visit(Visit),
    /// 任务 · tasks
    #[command(subcommand)]
    Task(Task),
    /// 通知 · notices
    #[command(subcommand)]
    Notice(Notice),
    /// 调解 · mediations of family disputes
    #[command(subcommand)]
    Mediation(Mediation),
    /// 目录：能上报什么，要说明什么 · what can be reported, and what a report must say
    Catalogue {
        /// 类别或小类代码 · a category's code, or a sub-category's
        code: Option<String>,
    },
    /// 附件 · attachments
    #[command(subcommand)]
    Attachment(Attachment),
    /// 必到点 · sites
    #[command(subcommand)]
    Site(SiteVerb),
    /// 同步 · send what is due, pull what changed
    Sync {
        /// 按流量计费的网络 · somebody pays by the byte: routes and photos wait
        #[arg(long)]
        metered: bool,
        /// 最多用多少字节 · how many bytes it may use, both ways
        #[arg(long, value_name = "BYTES")]
        budget: Option<u64>,
    },
    /// 退出登录 · log out; what is not sent stays, and is still sent
    Logout {
        /// 确认 · yes, even where something is left behind
        #[arg(long)]
        yes: bool,
    },
    /// 看不见的内容：别人留下的、失去的网格的 · what is on no screen: of those who left, of lost grids
    Vault {
        #[command(subcommand)]
        verb: Option<Vault>,
    },
    /// 有冲突的字段 · fields that were written twice
    Conflicts,
    /// 解决一个冲突 · settle one
    Resolve {
        /// 记录编号 · the record's id
        record: String,
        /// 字段 · the field
        field: String,
        /// 保留这一个（编号） · keep this version, by its id
        #[arg(
            long,
            value_name = "ID",
            conflicts_with = "text",
            required_unless_present = "text"
        )]
        keep: Option<String>,
        /// 改写为 · write this instead
        #[arg(long)]
        text: Option<String>,
    },
    /// 状态 · how things stand
    Status {
        /// 输出 JSON · as JSON
        #[arg(long)]
        json: bool,
    },
    /// 导出一次巡查的轨迹 · write a patrol's track as a file for other programs
    Export {
        /// 巡查编号，或 last · the patrol's id, or `last`
        patrol: String,
        /// 格式 · the format
        #[arg(long, value_enum)]
        format: FileFormat,
        /// 写入的文件（默认标准输出） · the file (standard output without it)
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Vault {
    /// 导出未上传的全部内容（不加密） · write all that is not sent into a new folder, not encrypted
    Export {
        /// 文件夹 · the folder
        folder: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Shift {
    /// 上班 · begin a shift
    Start {
        /// 网格编码 · the grid's code, where the worker has several
        #[arg(long, value_name = "CODE")]
        grid: Option<String>,
    },
    /// 下班 · end the shift
    End,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Patrol {
    /// 开始 · start
    Start,
    /// 记录定位点：GPX 或 CSV 文件，- 为标准输入 · record fixes of a GPX or CSV file, `-` for standard input
    Record {
        /// 文件 · the file
        file: PathBuf,
    },
    /// 暂停 · pause
    Pause,
    /// 继续 · resume
    Resume,
    /// 结束 · finish
    Finish,
    /// 列出 · list
    List,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Attachment {
    /// 从服务器取回 · fetch one from the server
    Fetch {
        /// 附件的 SHA-256 · its SHA-256, as `incident show` gives it
        sha256: String,
        /// 写入的文件 · write it into this file too
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

#[derive(Debug, Group)]
pub(crate) struct FindIncidents {
    /// 状态 · its state: reported, escalated …
    #[arg(long, value_name = "WORD")]
    pub(crate) state: Option<String>,
    /// 类别代码 · the category's code
    #[arg(long, value_name = "CODE")]
    pub(crate) category: Option<String>,
    /// 发现日期 · the day on which it was found
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) day: Option<String>,
    /// 标题和描述中的文字 · words of its title or description, or parts of them
    #[arg(long)]
    pub(crate) text: Option<String>,
    /// 某处多少米以内，近的在前 · within so many metres of a place (WGS-84), the nearest first
    #[arg(long, value_name = "LAT,LON,M", allow_hyphen_values = true)]
    pub(crate) near: Option<String>,
    /// 第几页，每页 50 条 · which page of 50
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) page: u32,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SiteVerb {
    /// 今天的覆盖情况 · how they stand today
    List,
    /// 签到，或说明为何未到 · check in, or say why not
    CheckIn {
        /// 必到点编号 · the site's id
        site: String,
        /// 未到原因的代码 · why it was not visited: locked, no_access, nobody_home …
        #[arg(long, value_name = "WORD")]
        missed: Option<String>,
        /// 说明 · what else there is to say
        #[arg(long)]
        note: Option<String>,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum FileFormat {
    Gpx,
    Geojson,
    Csv,
}
