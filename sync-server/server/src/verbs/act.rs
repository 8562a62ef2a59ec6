//! `act`: what somebody on the page would do, from the command line. What stands
//! now counts as what they saw.

use clap::Subcommand;
use gridwalk_domain::kind::COMMENTS;
use gridwalk_domain::wire::Outcome;
use gridwalk_domain::{Change, Clock, Entity, EntityId, Intent, OpBody, OpId, Rng};
use gridwalk_server::{Act, Service};
use gridwalk_store::{StoreError, read};
use serde_json::{Map, Value, json};
use std::sync::Arc;

use super::say::Say;
use super::{Done, Failure};

#[derive(clap::Args)]
pub(super) struct ActArgs {
    /// 登录名 · the user who acts
    #[arg(long = "as")]
    user: String,
    /// 操作编号；重复同一编号就是同一操作 · the op's id, to repeat an act safely
    #[arg(long, global = true)]
    op: Option<String>,
    #[command(subcommand)]
    verb: ActVerb,
}

#[derive(Subcommand)]
enum ActVerb {
    /// 修改字段 · write fields
    Set {
        /// 记录编号 · the record's id
        entity: String,
        /// 字段=值；值可为 JSON · FIELD=VALUE, JSON or text
        #[arg(required = true)]
        fields: Vec<String>,
    },
    /// 评论 · comment
    Comment {
        /// 记录编号 · the record's id
        entity: String,
        /// 内容 · the text
        text: String,
    },
    /// 改变状态 · move the status
    Transition {
        /// 记录编号 · the record's id
        entity: String,
        /// 新状态 · the status after
        to: String,
        /// 理由 · why
        #[arg(long)]
        reason: Option<String>,
        /// 名称=值 · what else the step says: NAME=VALUE
        #[arg(long)]
        with: Vec<String>,
    },
    /// 解决一个字段的冲突 · settle a field that was written twice
    Resolve {
        /// 记录编号 · the record's id
        entity: String,
        /// 字段 · the field
        field: String,
        /// 值；可为 JSON · the value, JSON or text
        value: String,
    },
    /// 删除 · delete
    Delete {
        /// 记录编号 · the record's id
        entity: String,
    },
}

fn refused(why: impl Into<String>) -> Failure {
    Failure::Said("refused", vec![("why", why.into())])
}

/// JSON where it reads as such, else text.
fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::from(text))
}

fn pair(text: &str) -> Result<(String, Value), Failure> {
    let (name, given) = text
        .split_once('=')
        .ok_or_else(|| refused(format!("{text}: NAME=VALUE")))?;
    Ok((name.to_owned(), value(given)))
}

/// The record as it stands.
fn entity(service: &Service, id: EntityId) -> Result<Entity, Failure> {
    let found = read::<_, StoreError>(service.store(), |tx| {
        for tenant in tx.tenants()? {
            if let Some(row) = tx.entities(tenant.id, &[id])?.into_iter().next() {
                return Ok(row.state);
            }
        }
        Ok(None)
    });
    let state = found.map_err(|why| refused(why.to_string()))?;
    let state = state.ok_or_else(|| refused(format!("{id}: 404")))?;
    serde_json::from_str(&state).map_err(|why| refused(why.to_string()))
}

/// What an op asked for that was stored before: to repeat it is not to read the
/// record again.
fn done_before(service: &Service, op: OpId) -> Result<Option<Intent>, Failure> {
    let found = read::<_, StoreError>(service.store(), |tx| {
        for tenant in tx.tenants()? {
            if let Some(row) = tx.op_rows(tenant.id, op)?.into_iter().next() {
                return Ok(Some(row.body));
            }
        }
        Ok(None)
    });
    let body = found.map_err(|why| refused(why.to_string()))?;
    let body = body.map(|body| serde_json::from_str::<OpBody>(&body));
    let body = body.transpose().map_err(|why| refused(why.to_string()))?;
    Ok(body.map(|body| body.intent))
}

impl ActVerb {
    const fn entity(&self) -> &String {
        match self {
            Self::Set { entity, .. }
            | Self::Comment { entity, .. }
            | Self::Transition { entity, .. }
            | Self::Resolve { entity, .. }
            | Self::Delete { entity } => entity,
        }
    }

    fn intent(&self, state: &Entity) -> Result<Intent, Failure> {
        Ok(match self {
            Self::Set { fields, .. } => {
                let change = |text: &String| {
                    let (name, value) = pair(text)?;
                    let base = state.base(&name);
                    Ok((name, Change { value, base }))
                };
                Intent::Set(fields.iter().map(change).collect::<Result<_, Failure>>()?)
            }
            Self::Comment { text, .. } => Intent::Append {
                list: COMMENTS.to_owned(),
                value: json!({ "text": text }),
            },
            Self::Transition {
                to, reason, with, ..
            } => {
                let last = state.history.last();
                let last = last.ok_or_else(|| refused("it has no status"))?;
                let with = with.iter().map(|text| pair(text));
                Intent::Transition {
                    from: last.to.clone(),
                    to: to.clone(),
                    base: last.stamp.op,
                    reason: reason.clone(),
                    with: with.collect::<Result<Map<_, _>, Failure>>()?,
                }
            }
            Self::Resolve {
                field, value: text, ..
            } => {
                let kept = state.fields.get(field).map(|field| &field.proposals);
                let replaces = kept.into_iter().flatten().map(|kept| kept.stamp.op);
                Intent::Resolve {
                    field: field.clone(),
                    value: value(text),
                    base: state.base(field),
                    replaces: replaces.collect(),
                }
            }
            Self::Delete { .. } => {
                let last = state.ops.last().copied();
                let base = last.ok_or_else(|| refused("it has no ops"))?;
                Intent::Delete { base }
            }
        })
    }
}

pub(super) fn act(
    service: &Service,
    (clock, rng): &(Arc<dyn Clock>, Arc<dyn Rng>),
    args: &ActArgs,
    say: &Say,
) -> Done {
    let user = read::<_, StoreError>(service.store(), |tx| tx.user_by_name(&args.user));
    let user = user.map_err(|why| refused(why.to_string()))?;
    let user = user.ok_or_else(|| refused(format!("{}: 404", args.user)))?;
    let id: EntityId = args
        .verb
        .entity()
        .parse()
        .map_err(|_| refused(args.verb.entity()))?;
    let op = match &args.op {
        Some(text) => text.parse().map_err(|_| refused(text))?,
        None => OpId::draw(clock.now().wall_ms, &**rng),
    };
    let intent = match done_before(service, op)? {
        Some(intent) => intent,
        None => args.verb.intent(&entity(service, id)?)?,
    };
    let act = Act {
        op,
        entity: id,
        kind: None,
        intent,
    };
    let outcome = service
        .act(user.id, &act)
        .map_err(|why| refused(why.to_string()))?;
    let key = match outcome {
        Outcome::ConflictKept { .. } => "act.conflict",
        _ => "act.done",
    };
    say.line(key, &[("op", &op.to_string())]);
    Ok(())
}
