//! The arguments of what is recorded and done.

use clap::{Args as Group, Subcommand};
use std::path::PathBuf;

use super::FindIncidents;

#[derive(Debug, Subcommand)]
pub(crate) enum Incident {
    /// 上报 · report one; a few words or a photo are enough
    New(NewIncident),
    /// 列出、查找 · list and search; what is named must all fit
    List(FindIncidents),
    /// 查看 · show one
    Show {
        /// 事件编号 · the incident's id
        id: String,
    },
    /// 现在能做什么 · which steps may be taken, and what each asks for
    Steps {
        /// 事件编号 · the incident's id
        id: String,
    },
    /// 办理一步 · take a step: handle, escalate, begin, resolve, verify, close, reopen …
    Take(Take),
    /// 归类 · say what a quick capture is
    Classify {
        /// 事件编号 · the incident's id
        id: String,
        #[command(flatten)]
        class: Class,
    },
    /// 修改已上报的 · change a report
    Edit(EditIncident),
    /// 删除自己上报、无人处理过的 · delete one's own report that nobody has acted on
    Delete {
        /// 事件编号 · the incident's id
        id: String,
    },
    /// 留言 · say something about it
    Comment {
        /// 事件编号 · the incident's id
        id: String,
        /// 内容 · what
        text: String,
    },
    /// 添加照片、录音、视频、文件 · attach photos, recordings, films, documents
    Attach {
        /// 事件编号 · the incident's id
        id: String,
        /// 文件 · the files
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// 可能重复的事件 · what may be of the same thing
    Duplicates {
        /// 事件编号 · the incident's id
        id: String,
    },
}

/// How it is classified.
#[derive(Debug, Group)]
pub(crate) struct Class {
    /// 类别代码 · the category's code: hygiene, fire_safety, public_order, family_dispute, other
    #[arg(long, value_name = "CODE")]
    pub(crate) category: Option<String>,
    /// 小类代码 · the sub-category's code
    #[arg(long, value_name = "CODE", requires = "category")]
    pub(crate) sub: Option<String>,
    /// 程度 · the severity's code
    #[arg(long, value_name = "CODE")]
    pub(crate) severity: Option<String>,
    /// 表单答案（可多次；多选用逗号，位置用 纬度,经度，照片和签名用文件） · an answer; many by commas, a place as LAT,LON, a photo or a signature as FILE
    #[arg(long, value_name = "CODE=ANSWER")]
    pub(crate) answer: Vec<String>,
}

#[derive(Debug, Group)]
pub(crate) struct NewIncident {
    #[command(flatten)]
    pub(crate) class: Class,
    /// 标题 · one line
    #[arg(long, default_value = "")]
    pub(crate) title: String,
    /// 描述 · what was seen
    #[arg(long)]
    pub(crate) description: Option<String>,
    /// 照片（可多次） · a photo; may be repeated
    #[arg(long, value_name = "FILE")]
    pub(crate) photo: Vec<PathBuf>,
    /// 地址 · where, in words
    #[arg(long)]
    pub(crate) address: Option<String>,
    #[command(flatten)]
    pub(crate) place: Where,
}

/// A place, WGS-84.
#[derive(Debug, Group)]
pub(crate) struct Where {
    /// 纬度 · latitude, WGS-84
    #[arg(long, requires = "lon", allow_negative_numbers = true)]
    pub(crate) lat: Option<f64>,
    /// 经度 · longitude, WGS-84
    #[arg(long, requires = "lat", allow_negative_numbers = true)]
    pub(crate) lon: Option<f64>,
}

#[derive(Debug, Group)]
pub(crate) struct EditIncident {
    /// 事件编号 · the incident's id
    pub(crate) id: String,
    /// 标题 · one line; empty takes it away
    #[arg(long)]
    pub(crate) title: Option<String>,
    /// 描述 · what was seen; empty takes it away
    #[arg(long)]
    pub(crate) description: Option<String>,
    /// 地址 · where, in words; empty takes it away
    #[arg(long)]
    pub(crate) address: Option<String>,
    #[command(flatten)]
    pub(crate) place: Where,
    /// 加标签 +词，去标签 -词（可多次） · put a tag on or take it off; may be repeated
    #[arg(long, value_name = "+TAG|-TAG", allow_hyphen_values = true)]
    pub(crate) tag: Vec<String>,
}

#[derive(Debug, Group)]
pub(crate) struct Take {
    /// 记录编号 · the record's id
    pub(crate) id: String,
    /// 哪一步 · the step's name, as `steps` lists it
    pub(crate) step: String,
    /// 原因 · why
    #[arg(long)]
    pub(crate) reason: Option<String>,
    /// 说明 · what was done or seen
    #[arg(long)]
    pub(crate) note: Option<String>,
    /// 照片（可多次） · a photo that proves it; may be repeated
    #[arg(long, value_name = "FILE")]
    pub(crate) photo: Vec<PathBuf>,
    /// 协议内容 · what was agreed on
    #[arg(long)]
    pub(crate) agreement: Option<String>,
    /// 签名（可多次） · who signed, and the picture of it; may be repeated
    #[arg(long, value_name = "NAME=FILE")]
    pub(crate) sign: Vec<String>,
    #[command(flatten)]
    pub(crate) place: Where,
}

#[derive(Debug, Subcommand)]
#[expect(clippy::large_enum_variant, reason = "there is one a process")]
pub(crate) enum Draft {
    /// 保存 · save one; it need not be right yet
    Save {
        /// 替换这一份 · in place of this one
        #[arg(long, value_name = "ID")]
        draft: Option<String>,
        #[command(flatten)]
        new: NewIncident,
    },
    /// 列出 · list
    List,
    /// 上报 · make the report of it
    Submit {
        /// 草稿编号 · the draft's id
        id: String,
    },
    /// 丢弃 · throw it away
    Discard {
        /// 草稿编号 · the draft's id
        id: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Finding {
    /// 记录本次巡查一个类别的结果 · what the running patrol found of a category
    New {
        /// 类别代码 · the category's code
        category: String,
        /// 异常：对应的事件；不写为正常 · the incident; without it nothing was abnormal
        #[arg(long, value_name = "ID")]
        incident: Option<String>,
        /// 说明 · what else there is to say
        #[arg(long)]
        note: Option<String>,
    },
    /// 列出一次巡查的结果 · list those of a patrol
    List {
        /// 巡查编号，或 last · the patrol's id, or `last`
        #[arg(default_value = "last")]
        patrol: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Visit {
    /// 记录一次走访 · record a visit
    New {
        /// 哪一户 · whose door
        household: String,
        /// 见到谁 · whom the worker spoke with
        #[arg(long)]
        person: Option<String>,
        /// 电话 · their telephone number
        #[arg(long, requires = "person")]
        phone: Option<String>,
        /// 目的代码 · what for: routine, elder, tenant …
        #[arg(long, value_name = "WORD")]
        purpose: Option<String>,
        /// 情况 · what was found
        #[arg(long)]
        found: Option<String>,
        /// 对应的任务 · the task that asked for it
        #[arg(long, value_name = "ID")]
        task: Option<String>,
        /// 照片（可多次） · a photo; may be repeated
        #[arg(long, value_name = "FILE")]
        photo: Vec<PathBuf>,
        /// 地址 · where, in words
        #[arg(long)]
        address: Option<String>,
        #[command(flatten)]
        place: Where,
    },
    /// 列出 · list
    List,
    /// 修改 · change what was written
    Edit {
        /// 走访编号 · the visit's id
        id: String,
        /// 哪一户 · whose door
        #[arg(long)]
        household: Option<String>,
        /// 目的代码 · what for; empty takes it away
        #[arg(long, value_name = "WORD")]
        purpose: Option<String>,
        /// 情况 · what was found; empty takes it away
        #[arg(long)]
        found: Option<String>,
        /// 地址 · where, in words; empty takes it away
        #[arg(long)]
        address: Option<String>,
        #[command(flatten)]
        place: Where,
    },
    /// 查看 · show one
    Show {
        /// 走访编号 · the visit's id
        id: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Task {
    /// 列出 · list, the most urgent first
    List,
    /// 查看 · show one
    Show {
        /// 任务编号 · the task's id
        id: String,
    },
    /// 现在能做什么 · which steps may be taken
    Steps {
        /// 任务编号 · the task's id
        id: String,
    },
    /// 办理一步 · see, accept, finish (with --note or --photo), return (with --reason)
    Take(Take),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Notice {
    /// 列出 · list
    List,
    /// 阅读，并记为已读 · read one, and say so
    Read {
        /// 通知编号 · the notice's id
        id: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Mediation {
    /// 开始调解 · begin one
    New {
        /// 标题 · one line
        title: String,
        /// 对应的事件 · the incident
        #[arg(long, value_name = "ID")]
        incident: Option<String>,
        /// 起因 · what it is about
        #[arg(long)]
        cause: Option<String>,
        /// 地址 · where, in words
        #[arg(long)]
        address: Option<String>,
        /// 当事人（可多次） · a party; may be repeated
        #[arg(long, value_name = "NAME")]
        party: Vec<String>,
        #[command(flatten)]
        place: Where,
    },
    /// 列出 · list
    List,
    /// 查看 · show one
    Show {
        /// 调解编号 · the mediation's id
        id: String,
    },
    /// 修改 · change what was written
    Edit {
        /// 调解编号 · the mediation's id
        id: String,
        /// 标题 · one line
        #[arg(long)]
        title: Option<String>,
        /// 起因 · what it is about; empty takes it away
        #[arg(long)]
        cause: Option<String>,
        /// 地址 · where, in words; empty takes it away
        #[arg(long)]
        address: Option<String>,
        #[command(flatten)]
        place: Where,
    },
    /// 增加当事人 · name another party
    Party {
        /// 调解编号 · the mediation's id
        id: String,
        /// 姓名 · their name
        name: String,
        /// 电话 · their telephone number
        #[arg(long)]
        phone: Option<String>,
        /// 是什么人 · who they are
        #[arg(long)]
        note: Option<String>,
    },
    /// 允许或不再允许谁阅读 · let somebody read it, or no more
    Reader {
        /// 调解编号 · the mediation's id
        id: String,
        /// 网格员编号 · a gridworker, by their id
        #[arg(
            long,
            value_name = "ID",
            conflicts_with = "user",
            required_unless_present = "user"
        )]
        worker: Option<String>,
        /// 管理端用户编号 · somebody on the page, by their id
        #[arg(long, value_name = "ID")]
        user: Option<String>,
        /// 不再允许 · no more
        #[arg(long)]
        remove: bool,
    },
    /// 记录一次会谈 · record a session
    Session {
        /// 调解编号 · the mediation's id
        id: String,
        /// 谈了什么 · what was said
        said: String,
        /// 在场的人（可多次） · who was there; may be repeated
        #[arg(long, value_name = "NAME", required = true)]
        present: Vec<String>,
        /// 地点 · where
        #[arg(long = "where", value_name = "TEXT")]
        at: Option<String>,
        /// 开始时间 · when it began, RFC 3339; now without it
        #[arg(long, value_name = "TIME")]
        from: Option<String>,
        /// 结束时间 · when it ended, RFC 3339
        #[arg(long, value_name = "TIME")]
        to: Option<String>,
        /// 视频会谈 · they met by video
        #[arg(long)]
        remote: bool,
    },
    /// 定回访日期 · set a date to look again
    Again {
        /// 调解编号 · the mediation's id
        id: String,
        /// 日期 · the day, YYYY-MM-DD
        date: String,
        /// 看什么 · what to look at
        #[arg(long)]
        note: Option<String>,
    },
    /// 现在能做什么 · which steps may be taken
    Steps {
        /// 调解编号 · the mediation's id
        id: String,
    },
    /// 办理一步 · agree (with --agreement and --sign), fail, refer, reopen (with --reason), close
    Take(Take),
}
