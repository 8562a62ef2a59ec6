//! The people on the page: supervisors of communities, street and district, and
//! a department. What they do goes through the server's rules like everything
//! else.

use anyhow::{Context as _, Result};
use gridwalk_domain::kind::incident::Life;
use gridwalk_domain::{
    DepartmentId, Entity, EntityId, GridId, Intent, OpId, Rng, TenantId, UserId, WorkerId, kind,
};
use gridwalk_server::{Act, Service};
use gridwalk_store::{EntityFilter, Role, StoreError, read};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::plan::Day;
use crate::story::{self, Deed, Office};

/// The codes of the district, and of a community within a base grid's.
const DISTRICT: &str = "371302";
const COMMUNITY_DIGITS: usize = 12;

/// Everybody on the page, and what is still to be done.
pub(crate) struct Desk {
    tenant: TenantId,
    rng: Arc<dyn Rng>,
    department: DepartmentId,
    users: BTreeMap<String, UserId>,
    /// The names and grids of the twelve.
    workers: Vec<(String, String)>,
    town: &'static str,
    midnight_ms: i64,
    todo: std::vec::IntoIter<(u32, Office)>,
}

/// Who a user of the page is.
struct Who<'a> {
    name: String,
    role: Role,
    grid: &'a str,
}

impl Desk {
    /// Adds whom the story names; `street` is there already.
    ///
    /// # Errors
    /// What the server says.
    pub(crate) fn open(
        service: &Service,
        tenant: TenantId,
        rng: Arc<dyn Rng>,
        days: &[Day],
        street: (&'static str, UserId),
    ) -> Result<Self> {
        let todo = story::office()?;
        let mut desk = Self {
            tenant,
            department: DepartmentId::draw(&*rng),
            rng,
            users: [("street".to_owned(), street.1)].into(),
            workers: days
                .iter()
                .map(|day| (day.worker.clone(), day.grid.clone()))
                .collect(),
            town: street.0,
            midnight_ms: days.first().context("twelve days")?.midnight_ms,
            todo: Vec::new().into_iter(),
        };
        for deed in &todo {
            let who = desk.who(deed)?;
            if !desk.users.contains_key(&who.name) {
                let added = service.admin().add_user(&who.name, who.role, who.grid)?;
                let name = who.name;
                desk.users.insert(name, added.id);
            }
        }
        let timed = todo.into_iter().map(|deed| Ok((deed.minute()?, deed)));
        desk.todo = timed.collect::<Result<Vec<_>>>()?.into_iter();
        Ok(desk)
    }

    fn who(&self, deed: &Office) -> Result<Who<'_>> {
        let (_, base) = self.workers.get(deed.of).context("one of the twelve")?;
        let community = base.get(..COMMUNITY_DIGITS).context("a base grid's code")?;
        Ok(match deed.by.as_str() {
            "community" => Who {
                name: format!("community-{community}"),
                role: Role::Community,
                grid: community,
            },
            "district" => Who {
                name: "district".to_owned(),
                role: Role::District,
                grid: DISTRICT,
            },
            "department" => Who {
                name: "department".to_owned(),
                role: Role::Department(self.department),
                grid: DISTRICT,
            },
            other => Who {
                name: other.to_owned(),
                role: Role::Town,
                grid: self.town,
            },
        })
    }

    /// Does what is due by a minute of the day.
    ///
    /// # Errors
    /// What the server says.
    pub(crate) fn live(&mut self, service: &Service, minute: u32) -> Result<()> {
        while self
            .todo
            .as_slice()
            .first()
            .is_some_and(|(at, _)| *at <= minute)
        {
            let Some((_, deed)) = self.todo.next() else {
                break;
            };
            let who = self.who(&deed)?.name;
            let user = *self.users.get(&who).context("somebody on the page")?;
            let act = match &deed.act {
                Deed::Make { .. } => self.make(service, &deed.act)?,
                Deed::Take { of, .. } => self
                    .take(service, &deed.act)
                    .with_context(|| format!("{who}: {of}"))?,
            };
            service
                .act(user, &act)
                .map_err(|why| anyhow::anyhow!("{who} may not: {why}"))?;
        }
        Ok(())
    }

    /// A time of the day, `17:00`, or of a later one, `2d 17:00`.
    fn at_ms(&self, at: &str) -> Result<i64> {
        let (days, at) = at.split_once("d ").unwrap_or(("0", at));
        let minutes = days.parse::<i64>()? * 24 * 60 + i64::from(story::minute(at)?);
        Ok(self.midnight_ms + minutes * 60_000)
    }

    fn make(&self, service: &Service, deed: &Deed) -> Result<Act> {
        let Deed::Make {
            kind: name,
            worker,
            due,
            fields,
        } = deed
        else {
            anyhow::bail!("something to make")
        };
        let mut fields: BTreeMap<String, Value> = fields.clone().into_iter().collect();
        let grid = match worker {
            None => self.town,
            Some(worker) => {
                let (name, grid) = self.workers.get(*worker).context("one of the twelve")?;
                fields.insert("worker".to_owned(), json!(self.worker(service, name)?));
                grid
            }
        };
        fields.insert("grid".to_owned(), json!(self.grid(service, grid)?));
        if let Some(due) = due {
            fields.insert("due_ms".to_owned(), json!(self.at_ms(due)?));
        }
        let known = kind::find(name).context("a kind")?;
        let home = known.home_of(&fields).context("a home")?;
        Ok(self.act(
            EntityId::draw(&*self.rng),
            Some(name.clone()),
            Intent::Create { home, fields },
        ))
    }

    fn act(&self, entity: EntityId, kind: Option<String>, intent: Intent) -> Act {
        // Drawn at the day's beginning: what orders acts is the server.
        let op = OpId::draw(self.midnight_ms, &*self.rng);
        Act {
            op,
            entity,
            kind,
            intent,
        }
    }

    fn take(&self, service: &Service, deed: &Deed) -> Result<Act> {
        let Deed::Take {
            of,
            step,
            reason,
            note,
            to,
            until,
        } = deed
        else {
            anyhow::bail!("a step to take")
        };
        let state = self.incident(service, of)?;
        let known = kind::find(&state.kind).context("a kind")?;
        let row = known
            .open_steps(&state)
            .find(|row| row.name == step)
            .with_context(|| format!("no {step} from {:?}", state.status()))?;
        let mut with = Map::new();
        if let Some(note) = note {
            with.insert("note".to_owned(), json!(note));
        }
        if step == "verify" {
            with.insert("place".to_owned(), json!(state.value("place")));
        }
        if step == "escalate" {
            let life = Life::of(&state).context("an incident")?;
            with.insert(
                "holder".to_owned(),
                json!(self.above(service, life.holder)?),
            );
        }
        if let Some(to) = to {
            let assignee = match to.as_str() {
                "worker" => json!({ "worker": state.value("worker") }),
                _ => json!({ "department": self.department }),
            };
            with.insert("assignee".to_owned(), assignee);
        }
        if let Some(until) = until {
            with.insert("limit_ms".to_owned(), json!(self.at_ms(until)?));
        }
        let base = state.history.last().context("a life")?.stamp.op;
        let intent = Intent::Transition {
            from: row.from.to_owned(),
            to: row.to.to_owned(),
            base,
            reason: reason.clone(),
            with,
        };
        Ok(self.act(state.id, None, intent))
    }

    fn incident(&self, service: &Service, title: &str) -> Result<Entity> {
        let filter = EntityFilter {
            kind: Some(kind::incident::KIND.name),
            ..EntityFilter::default()
        };
        let rows = read::<_, StoreError>(service.store(), |tx| tx.find(self.tenant, &filter))?;
        let states = rows.iter().filter_map(|row| row.state.as_deref());
        let mut states = states.filter_map(|state| serde_json::from_str::<Entity>(state).ok());
        let found = states.find(|state| state.text("title") == Some(title));
        found.context("an incident that has not come yet")
    }

    fn worker(&self, service: &Service, name: &str) -> Result<WorkerId> {
        let rows = read::<_, StoreError>(service.store(), |tx| tx.workers(self.tenant, None))?;
        let row = rows.into_iter().find(|row| row.name == name);
        Ok(row.context("one of the twelve")?.id)
    }

    fn grid(&self, service: &Service, code: &str) -> Result<GridId> {
        let rows = read::<_, StoreError>(service.store(), |tx| tx.grids(self.tenant))?;
        let row = rows.into_iter().find(|row| row.code.as_str() == code);
        Ok(row.context("a grid")?.id)
    }

    fn above(&self, service: &Service, grid: GridId) -> Result<GridId> {
        let rows = read::<_, StoreError>(service.store(), |tx| tx.grids(self.tenant))?;
        let row = rows.into_iter().find(|row| row.id == grid);
        row.and_then(|row| row.parent).context("a grid above")
    }
}
