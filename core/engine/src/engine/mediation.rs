//! Family disputes: how they were mediated. What the parties agreed on, that
//! they did not, and that it goes elsewhere are steps of [`Engine::take`]:
//! `agree` with the text in `more` as `agreement` and the signatures, `fail`,
//! `refer`, `close`, `reopen`.

use gridwalk_domain::calendar::Date;
use gridwalk_domain::kind::mediation::{
    AGREED, KIND, LOOK_AGAIN, PARTIES, READERS, SESSIONS, readers,
};
use gridwalk_domain::rights::Actor;
use gridwalk_domain::{Entity, EntityId, Sha256, kind};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::Engine;
use super::incident::{grid, place_value};
use super::make::{Making, me};
use crate::core::Core;
use crate::error::{Inner, Result};
use crate::view::{self, Person, Place, RecordView, one_of, shown_of, value};

/// A mediation to begin.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewMediation {
    /// One line, 1 to 100 characters.
    pub title: String,
    /// The incident that it belongs to.
    pub incident: Option<EntityId>,
    /// What the dispute is about: at most 5,000 characters.
    pub cause: Option<String>,
    /// Where.
    pub place: Option<Place>,
    /// Where, in words: at most 200 characters.
    pub address: Option<String>,
    /// Between whom.
    pub parties: Vec<Person>,
}

/// A session of a mediation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// When it began, in milliseconds since 1970.
    pub from_ms: i64,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_ms: Option<i64>,
    /// Where: at most 200 characters.
    #[serde(default, rename = "where", skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// Whether they met by video.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub remote: bool,
    /// Who was there: 1 to 30.
    pub present: Vec<Person>,
    /// What was said: at most 5,000 characters.
    pub said: String,
}

/// A date to look again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LookAgain {
    /// The day.
    pub date: String,
    /// What to look at: at most 200 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// What the parties agreed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreement {
    /// Its text.
    pub text: String,
    /// Who signed, and the content of each signature's picture.
    pub signatures: Vec<(String, Sha256)>,
}

/// A mediation.
#[derive(Clone, Debug, PartialEq)]
pub struct MediationView {
    /// What every record has.
    pub record: RecordView,
    /// Its title.
    pub title: String,
    /// The incident that it belongs to.
    pub incident: Option<EntityId>,
    /// What the dispute is about.
    pub cause: Option<String>,
    /// Where.
    pub place: Option<Place>,
    /// Where, in words.
    pub address: Option<String>,
    /// Between whom.
    pub parties: Vec<Person>,
    /// The sessions, in the order of their saving.
    pub sessions: Vec<Session>,
    /// The dates to look again.
    pub look_again: Vec<LookAgain>,
    /// Who may read it besides its maker and the community's supervisor.
    pub readers: Vec<Actor>,
    /// What they last agreed on.
    pub agreement: Option<Agreement>,
}

impl Engine {
    /// Begins a mediation, of an incident or by itself, in the grid of the
    /// shift. Durable when it returns.
    ///
    /// # Errors
    /// `NotEnrolled`, `NoShift`, `OutOfScope`; `NotFound` for an incident that
    /// this phone does not know; `Invalid`, `DiskFull`, `Storage`.
    pub fn open_mediation(&self, new: &NewMediation) -> Result<EntityId> {
        let plan = |core: &Core, _| {
            let grid = grid(core)?;
            if let Some(incident) = new.incident {
                one_of(core, incident, kind::incident::KIND.name)?;
            }
            let fields = [
                ("worker", me(core)?),
                ("grid", Some(json!(grid.id))),
                ("incident", new.incident.map(|id| json!(id))),
                ("title", Some(json!(new.title))),
                ("cause", new.cause.as_ref().map(|text| json!(text))),
                ("place", new.place.map(place_value)),
                ("address", new.address.as_ref().map(|text| json!(text))),
            ];
            let parties = new.parties.iter().map(|person| json!(person));
            let making = Making::new(&KIND, fields).after(new.incident);
            Ok(making.with_items(PARTIES, parties))
        };
        self.make(self.draw_id(), &[], plan, |_| Ok(()))
    }

    /// Names another party of the dispute.
    ///
    /// # Errors
    /// Those of [`Engine::add_item`].
    pub fn add_party(&self, mediation: EntityId, party: &Person) -> Result<()> {
        self.add_item(mediation, PARTIES, json!(party))
    }

    /// Lets somebody read it besides its maker and the community's supervisor:
    /// a worker gets it with their next sync, a user finds it on the page.
    ///
    /// # Errors
    /// Those of [`Engine::add_item`].
    pub fn name_reader(&self, mediation: EntityId, reader: Actor) -> Result<()> {
        self.add_item(mediation, READERS, json!(reader))
    }

    /// Lets somebody read it no more: what they have read they have read.
    ///
    /// # Errors
    /// Those of [`Engine::remove_item`].
    pub fn unname_reader(&self, mediation: EntityId, reader: Actor) -> Result<()> {
        self.remove_item(mediation, READERS, &json!(reader))
    }

    /// Records a session.
    ///
    /// # Errors
    /// Those of [`Engine::comment`].
    pub fn add_session(&self, mediation: EntityId, session: &Session) -> Result<()> {
        self.append(mediation, SESSIONS, json!(session))
    }

    /// Sets a date to look again; the server makes a task of it.
    ///
    /// # Errors
    /// Those of [`Engine::comment`].
    pub fn look_again(&self, mediation: EntityId, date: Date, note: Option<&str>) -> Result<()> {
        let again = LookAgain {
            date: date.to_string(),
            note: note.map(str::to_owned),
        };
        self.append(mediation, LOOK_AGAIN, json!(again))
    }

    /// The mediations that the worker may read, the newest first.
    ///
    /// # Errors
    /// `Closed`, `Storage`.
    pub fn mediations(&self) -> Result<Vec<MediationView>> {
        self.shared.with(|core| {
            let all = shown_of(core, KIND.name)?.into_iter();
            all.map(|entity| of(core, &entity)).collect()
        })
    }

    /// One mediation.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn mediation(&self, id: EntityId) -> Result<MediationView> {
        self.shared
            .with(|core| of(core, &one_of(core, id, KIND.name)?))
    }
}

fn of(core: &Core, entity: &Entity) -> Inner<MediationView> {
    let parties = entity.sets.get(PARTIES).into_iter();
    let parties = parties.flat_map(|set| &set.items);
    let agreed = entity.history.iter().rev().find(|step| step.to == AGREED);
    Ok(MediationView {
        record: view::record(core, entity)?,
        title: value(entity, "title").unwrap_or_default(),
        incident: value(entity, "incident"),
        cause: value(entity, "cause"),
        place: value(entity, "place"),
        address: value(entity, "address"),
        parties: parties.filter_map(|item| read(&item.value)).collect(),
        sessions: list(entity, SESSIONS),
        look_again: list(entity, LOOK_AGAIN),
        readers: readers(entity).collect(),
        agreement: agreed.map(|step| agreement(&step.with)),
    })
}

fn agreement(with: &Map<String, Value>) -> Agreement {
    let text = with.get("agreement").and_then(Value::as_str);
    let signed = with.get("signatures").and_then(Value::as_array);
    let signed = signed.into_iter().flatten();
    Agreement {
        text: text.unwrap_or_default().to_owned(),
        signatures: signed
            .filter_map(|signed| Some((read(signed.get("name")?)?, read(signed.get("sha256")?)?)))
            .collect(),
    }
}

fn list<T: serde::de::DeserializeOwned>(entity: &Entity, name: &str) -> Vec<T> {
    let entries = entity.list(name).iter();
    entries.filter_map(|entry| read(&entry.value)).collect()
}

fn read<T: serde::de::DeserializeOwned>(value: &Value) -> Option<T> {
    serde_json::from_value(value.clone()).ok()
}
