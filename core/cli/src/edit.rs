//! Changing what was saved.

use gridwalk_domain::EntityId;
use gridwalk_engine::{Edit, Engine, Place};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write;

use crate::args::{EditIncident, Where};
use crate::life::{place, saved};
use crate::problem::{Outcome, Problem};
use crate::run::parsed;
use crate::text::Texts;

const TAGS: &str = "tags";

/// Makes all changes of an incident that are asked for, or none.
pub(crate) fn incident(
    engine: &Engine,
    asked: &EditIncident,
    texts: &Texts,
    out: &mut dyn Write,
) -> Outcome<()> {
    let view = engine.incident(parsed(&asked.id)?)?;
    let mut edit = Edit {
        fields: fields(
            &[
                ("title", &asked.title),
                ("description", &asked.description),
                ("address", &asked.address),
            ],
            &asked.place,
        ),
        ..Edit::default()
    };
    for text in &asked.tag {
        let tag = |tag: &str| (TAGS.to_owned(), json!(tag));
        match text.split_at_checked(1) {
            Some(("+", name)) => edit.add.push(tag(name)),
            Some(("-", name)) if view.tags.iter().any(|one| one == name) => {
                edit.remove.push(tag(name));
            }
            Some(("-", name)) => return Err(about("problem.no_tag", name)),
            _ => return Err(about("problem.bad_tag", text)),
        }
    }
    make(engine, view.id, edit)?;
    saved("incident.edited", view.id, texts, out)
}

fn about(name: &'static str, tag: &str) -> Problem {
    Problem::text(name, vec![("tag", tag.to_owned())])
}

/// Makes the changes of fields of a record that was looked up.
pub(crate) fn write(engine: &Engine, id: EntityId, fields: BTreeMap<String, Value>) -> Outcome<()> {
    let edit = Edit {
        fields,
        ..Edit::default()
    };
    make(engine, id, edit)
}

/// Makes the changes; none at all are a mistake of who typed.
fn make(engine: &Engine, id: EntityId, edit: Edit) -> Outcome<()> {
    if edit == Edit::default() {
        return Err(Problem::text("problem.no_change", vec![]));
    }
    Ok(engine.edit_all(id, edit)?)
}

/// The fields to write: texts by their names, and the place.
pub(crate) fn fields(texts: &[(&str, &Option<String>)], at: &Where) -> BTreeMap<String, Value> {
    let said = texts.iter();
    let said = said.filter_map(|(name, said)| Some((*name, text(said.as_deref()?))));
    let at = place(at).map(|Place { lat, lon, .. }| json!({ "lat": lat, "lon": lon }));
    let all = said.chain(at.map(|place| ("place", place)));
    all.map(|(name, value)| (name.to_owned(), value)).collect()
}

/// A text as a field holds it: an empty one is nothing.
fn text(said: &str) -> Value {
    if said.is_empty() {
        Value::Null
    } else {
        json!(said)
    }
}
