//! `act`: what somebody on the page would do, from the command line. What stands
//! now counts as what they saw.
//!
//! A value may be `grid:CODE` or `worker:NAME` for the id of either.

use clap::Subcommand;
use gridwalk_domain::kind::COMMENTS;
use gridwalk_domain::kind::incident::{HOLDER, Life, PHOTOS};
use gridwalk_domain::kind::{self, Kind};
use gridwalk_domain::wire::Outcome;
use gridwalk_domain::{Change, Clock, Entity, EntityId, Intent, OpBody, OpId, Rng, Sort};
use gridwalk_media::check_size;
use gridwalk_server::blobs::Given;
use gridwalk_server::{Act, Service};
use gridwalk_store::{StoreError, UserRow, read};
use serde_json::{Map, Value, json};
use std::fmt::Display;
use std::path::{Path, PathBuf};
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
    /// 新建记录，打印其编号 · make a record; prints its id
    Create {
        /// 类型：task、notice、incident… · its kind
        kind: String,
        /// 字段=值；值可为 JSON · FIELD=VALUE, JSON or text
        #[arg(required = true)]
        fields: Vec<String>,
        /// 记录编号，默认新编 · its id; a new one by default
        #[arg(long)]
        id: Option<String>,
    },
    /// 按名称走一步：accept、dispatch、return… · take a step by its name
    Step {
        /// 记录编号 · the record's id
        entity: String,
        /// 步骤名称 · the step's name
        name: String,
        /// 理由 · why
        #[arg(long)]
        reason: Option<String>,
        /// 名称=值 · what else the step says: NAME=VALUE
        #[arg(long)]
        with: Vec<String>,
        /// 作为凭证的照片，可重复 · a photo that proves it; repeatable
        #[arg(long)]
        photo: Vec<PathBuf>,
    },
    /// 在列表中追加 · append to a list
    Append {
        /// 记录编号 · the record's id
        entity: String,
        /// 列表 · the list
        list: String,
        /// 值；可为 JSON · the value, JSON or text
        value: String,
    },
    /// 加入集合 · add to a set
    Add {
        /// 记录编号 · the record's id
        entity: String,
        /// 集合 · the set
        set: String,
        /// 值；可为 JSON · the value, JSON or text
        value: String,
    },
    /// 从集合中去掉 · take out of a set
    Remove {
        /// 记录编号 · the record's id
        entity: String,
        /// 集合 · the set
        set: String,
        /// 值；可为 JSON · the value, JSON or text
        value: String,
    },
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
        /// 作为凭证的照片，可重复 · a photo that proves it; repeatable
        #[arg(long)]
        photo: Vec<PathBuf>,
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

/// The store, as the district of whoever acts.
struct District<'a> {
    service: &'a Service,
    user: &'a UserRow,
}

impl District<'_> {
    /// JSON where it reads as such, an id where it names a grid or worker, else
    /// text.
    fn value(&self, text: &str) -> Result<Value, Failure> {
        match text.split_once(':') {
            Some(("grid", code)) => self.grid(code),
            Some(("worker", name)) => self.worker(name),
            _ => Ok(serde_json::from_str(text).unwrap_or_else(|_| Value::from(text))),
        }
    }

    fn pair(&self, text: &str) -> Result<(String, Value), Failure> {
        let (name, given) = text
            .split_once('=')
            .ok_or_else(|| refused(format!("{text}: NAME=VALUE")))?;
        Ok((name.to_owned(), self.value(given)?))
    }

    fn pairs<T: FromIterator<(String, Value)>>(&self, texts: &[String]) -> Result<T, Failure> {
        texts.iter().map(|text| self.pair(text)).collect()
    }

    fn grid(&self, code: &str) -> Result<Value, Failure> {
        let tenant = self.user.tenant;
        let grids = read::<_, StoreError>(self.service.store(), |tx| tx.grids(tenant));
        let grids = grids.map_err(|why| refused(why.to_string()))?.into_iter();
        let mut open = grids.filter(|row| row.closed_ms.is_none());
        let found = open.find(|row| row.code.as_str() == code);
        found.map_or_else(
            || Err(refused(format!("grid:{code}: 404"))),
            |row| Ok(json!(row.id)),
        )
    }

    fn worker(&self, name: &str) -> Result<Value, Failure> {
        let tenant = self.user.tenant;
        let workers = read::<_, StoreError>(self.service.store(), |tx| tx.workers(tenant, None));
        let workers = workers.map_err(|why| refused(why.to_string()))?.into_iter();
        let bear: Vec<_> = workers.filter(|row| row.name == name).collect();
        match bear.as_slice() {
            [one] => Ok(json!(one.id)),
            several => Err(refused(format!("worker:{name}: {}", several.len()))),
        }
    }

    /// The grid above the one that holds an incident: where a step up leads.
    fn above(&self, state: &Entity) -> Result<Option<Value>, Failure> {
        let tenant = self.user.tenant;
        let holder = Life::of(state).map(|life| life.holder);
        let grids = read::<_, StoreError>(self.service.store(), |tx| tx.grids(tenant));
        let grids = grids.map_err(|why| refused(why.to_string()))?.into_iter();
        let mut holding = grids.filter(|row| Some(row.id) == holder);
        Ok(holding.find_map(|row| row.parent).map(|id| json!(id)))
    }

    /// The record as it stands.
    fn entity(&self, id: EntityId) -> Result<Entity, Failure> {
        let tenant = self.user.tenant;
        let found = read::<_, StoreError>(self.service.store(), |tx| tx.entities(tenant, &[id]));
        let found = found.map_err(|why| refused(why.to_string()))?.pop();
        let state = found.and_then(|row| row.state);
        let state = state.ok_or_else(|| refused(format!("{id}: 404")))?;
        serde_json::from_str(&state).map_err(|why| refused(why.to_string()))
    }

    /// What an op asked for that was stored before: to repeat it is not to read
    /// the record again.
    fn done_before(&self, op: OpId) -> Result<Option<OpBody>, Failure> {
        let tenant = self.user.tenant;
        let found = read::<_, StoreError>(self.service.store(), |tx| tx.op_rows(tenant, op));
        let found = found.map_err(|why| refused(why.to_string()))?;
        let body = found.into_iter().next().map(|row| row.body);
        let body = body.map(|body| serde_json::from_str::<OpBody>(&body));
        body.transpose().map_err(|why| refused(why.to_string()))
    }
}

fn known(kind: &str) -> Result<&'static Kind, Failure> {
    kind::find(kind).ok_or_else(|| refused(format!("{kind}: unknown_kind")))
}

impl ActVerb {
    /// The record, where it is named.
    fn entity(&self) -> Option<&String> {
        match self {
            Self::Create { id, .. } => id.as_ref(),
            Self::Step { entity, .. }
            | Self::Append { entity, .. }
            | Self::Add { entity, .. }
            | Self::Remove { entity, .. }
            | Self::Set { entity, .. }
            | Self::Comment { entity, .. }
            | Self::Transition { entity, .. }
            | Self::Resolve { entity, .. }
            | Self::Delete { entity } => Some(entity),
        }
    }

    /// The kind of what is to be made.
    const fn made(&self) -> Option<&String> {
        match self {
            Self::Create { kind, .. } => Some(kind),
            _ => None,
        }
    }

    /// The files of photos that prove a step.
    fn photos(&self) -> &[PathBuf] {
        match self {
            Self::Step { photo, .. } | Self::Transition { photo, .. } => photo,
            _ => &[],
        }
    }

    /// What makes a record.
    fn creation(&self, district: &District<'_>) -> Result<Intent, Failure> {
        let Self::Create { kind, fields, .. } = self else {
            return Err(refused("404"));
        };
        let fields = district.pairs(fields)?;
        let home = known(kind)?.home_of(&fields);
        let home = home.ok_or_else(|| refused("grid, worker: misplaced"))?;
        Ok(Intent::Create { home, fields })
    }

    /// What changes a record.
    fn intent(
        &self,
        district: &District<'_>,
        state: &Entity,
        given: &[Given],
    ) -> Result<Intent, Failure> {
        Ok(match self {
            Self::Create { .. } => self.creation(district)?,
            Self::Set { fields, .. } => {
                let change = |text: &String| {
                    let (name, value) = district.pair(text)?;
                    let base = state.base(&name);
                    Ok((name, Change { value, base }))
                };
                Intent::Set(fields.iter().map(change).collect::<Result<_, Failure>>()?)
            }
            Self::Comment { text, .. } => Intent::Append {
                list: COMMENTS.to_owned(),
                value: json!({ "text": text }),
            },
            Self::Append { list, value, .. } => Intent::Append {
                list: list.clone(),
                value: district.value(value)?,
            },
            Self::Add { set, value, .. } => Intent::Add {
                set: set.clone(),
                value: district.value(value)?,
            },
            Self::Remove { set, value, .. } => {
                let value = district.value(value)?;
                let items = state.sets.get(set).into_iter().flat_map(|set| &set.items);
                let same = items.filter(|item| item.value == value);
                Intent::Remove {
                    set: set.clone(),
                    ids: same.map(|item| item.stamp.op).collect(),
                }
            }
            Self::Step {
                name, reason, with, ..
            } => {
                let with = proven(district.pairs(with)?, given)?;
                step(district, state, name, reason.as_deref(), with)?
            }
            Self::Transition {
                to, reason, with, ..
            } => {
                let with = proven(district.pairs(with)?, given)?;
                transition(state, to, reason.as_deref(), with)?
            }
            Self::Resolve {
                field, value: text, ..
            } => {
                let kept = state.fields.get(field).map(|field| &field.proposals);
                let replaces = kept.into_iter().flatten().map(|kept| kept.stamp.op);
                Intent::Resolve {
                    field: field.clone(),
                    value: district.value(text)?,
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

/// A photo from a file, as it will be stored.
fn photo(path: &Path) -> Result<Given, Failure> {
    let refused = |why: &dyn Display| refused(format!("{}: {why}", path.display()));
    let length = std::fs::metadata(path).map_err(|why| refused(&why))?.len();
    check_size(Sort::Photo, length).map_err(|why| refused(&why))?;
    let bytes = std::fs::read(path).map_err(|why| refused(&why))?;
    Given::photo(bytes).map_err(|why| refused(&why))
}

/// What a step says, with the photos that prove it.
fn proven(mut with: Map<String, Value>, given: &[Given]) -> Result<Map<String, Value>, Failure> {
    if !given.is_empty() {
        let photos = with.entry(PHOTOS).or_insert_with(|| json!([]));
        let photos = photos.as_array_mut();
        let photos = photos.ok_or_else(|| refused("photos: expected a list"))?;
        photos.extend(given.iter().map(|given| given.reference().clone()));
    }
    Ok(with)
}

/// The step of this name from where the record stands; of several, the one that
/// is open. A step up leads to the grid above.
fn step(
    district: &District<'_>,
    state: &Entity,
    name: &str,
    reason: Option<&str>,
    mut with: Map<String, Value>,
) -> Result<Intent, Failure> {
    let kind = known(&state.kind)?;
    let row = kind.open_steps(state).find(|row| row.name == name);
    let row = row.ok_or_else(|| {
        let status = state.status().unwrap_or_default();
        refused(format!("{status}: no_such_step {name}"))
    })?;
    if name == "escalate" && !with.contains_key(HOLDER) {
        with.extend(
            district
                .above(state)?
                .map(|above| (HOLDER.to_owned(), above)),
        );
    }
    transition(state, row.to, reason, with)
}

fn transition(
    state: &Entity,
    to: &str,
    reason: Option<&str>,
    with: Map<String, Value>,
) -> Result<Intent, Failure> {
    let last = state.history.last();
    let last = last.ok_or_else(|| refused("it has no status"))?;
    Ok(Intent::Transition {
        from: last.to.clone(),
        to: to.to_owned(),
        base: last.stamp.op,
        reason: reason.map(str::to_owned),
        with,
    })
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
    let district = District {
        service,
        user: &user,
    };
    let op = match &args.op {
        Some(text) => text.parse().map_err(|_| refused(text))?,
        None => OpId::draw(clock.now().wall_ms, &**rng),
    };
    let named = args
        .verb
        .entity()
        .map(|text| text.parse().map_err(|_| refused(text)));
    let named = named.transpose()?;
    let done = district.done_before(op)?;
    let files = args.verb.photos().iter().filter(|_| done.is_none());
    let given: Vec<Given> = files.map(|path| photo(path)).collect::<Result<_, _>>()?;
    let (entity, intent) = match (done, args.verb.made(), named) {
        (Some(done), ..) => (named.unwrap_or(done.entity), done.intent),
        (None, None, Some(id)) => {
            let state = district.entity(id)?;
            (id, args.verb.intent(&district, &state, &given)?)
        }
        (None, _, id) => {
            let id = id.unwrap_or_else(|| EntityId::draw(&**rng));
            (id, args.verb.creation(&district)?)
        }
    };
    let act = Act {
        op,
        entity,
        kind: args.verb.made().cloned(),
        intent,
    };
    let outcome = service
        .act_with(user.id, &act, &given)
        .map_err(|why| refused(why.to_string()))?;
    if args.verb.made().is_some() {
        say.plain(&entity.to_string());
    }
    let key = match outcome {
        Outcome::ConflictKept { .. } => "act.conflict",
        _ => "act.done",
    };
    say.line(key, &[("op", &op.to_string())]);
    Ok(())
}
