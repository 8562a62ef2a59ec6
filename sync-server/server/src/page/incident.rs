//! An incident in full: where it stands, what its form was answered, what else
//! may be of the same thing.

use gridwalk_domain::catalogue::{Catalogue, FormField};
use gridwalk_domain::kind::incident::duplicates::{Duplicate as Near, Report, duplicates};
use gridwalk_domain::kind::incident::{KIND, Life, PHOTOS, class_of};
use gridwalk_domain::{Entity, GridId};
use gridwalk_store::EntityRow;
use serde_json::Value;

use super::answers::{Answered, Class, Duplicate, GridRef, IncidentDetail};
use super::day::of_day;
use super::look::{Answer, json};
use super::names::Names;
use super::records::{asked, comments, incident, photos};
use super::steps::{self, steps};
use crate::error::{Error, Fault};
use crate::project;
use crate::rights::Sight;
use crate::service::Service;

/// How far above an incident's grid its like is looked for: a community's
/// neighbours are within the town.
const LEVELS_UP: usize = 2;

impl Service {
    pub(super) fn incident(&self, sight: &Sight<'_>, id: &str) -> Result<Answer, Error> {
        let row = sight.record(KIND.name, asked(id)?)?;
        let state = project::state(&row)?;
        let catalogue = sight.viewer.law.catalogue_of(&state);
        let near = alike(sight, &row, &state)?;
        let said = state.list(gridwalk_domain::kind::COMMENTS).iter();
        let authors = steps::authors(&state).chain(said.map(|entry| entry.stamp.by));
        let rows = std::iter::once(&row).chain(near.iter().map(|(_, row, _)| row));
        let names = Names::load(sight, rows, authors)?;
        let names = names.and(sight, &steps::workers(&state))?;
        let life = Life::of(&state);
        let holder = life.as_ref().and_then(|life| sight.grid(life.holder));
        json(&IncidentDetail {
            incident: incident(sight, &names, &row, &state)?,
            description: state.text("description").unwrap_or_default().to_owned(),
            address: state.text("address").map(str::to_owned),
            class: class(catalogue, &state),
            answers: answers(sight, catalogue, &state)?,
            photos: photos(sight, state.list(PHOTOS).iter().map(|entry| &entry.value))?,
            holder: holder.map(GridRef::from),
            assignee: life.as_ref().and_then(|life| steps::assignee(&names, life)),
            duplicates: near
                .iter()
                .map(|(near, row, state)| {
                    Ok(Duplicate {
                        incident: incident(sight, &names, row, state)?,
                        apart_m: near.apart_m,
                    })
                })
                .collect::<Result<_, Error>>()?,
            history: steps(sight, &names, &state)?,
            comments: comments(&names, &state),
        })
    }
}

/// What its codes say, by the version of the catalogue that it names.
fn class(catalogue: Option<&Catalogue>, state: &Entity) -> Class {
    let codes = class_of(state);
    let category = catalogue.and_then(|catalogue| catalogue.category(codes.category?));
    let sub = category.and_then(|category| category.sub(codes.subcategory?));
    Class {
        category: category.map(|category| category.name.clone()),
        subcategory: sub.map(|sub| sub.name.clone()),
    }
}

/// The answers to its form, in the form's order, in the words of the version
/// that it names.
fn answers(
    sight: &Sight<'_>,
    catalogue: Option<&Catalogue>,
    state: &Entity,
) -> Result<Vec<Answered>, Error> {
    let codes = class_of(state);
    let category = catalogue.and_then(|catalogue| catalogue.category(codes.category?));
    let questions = category
        .into_iter()
        .flat_map(|category| category.questions(codes.subcategory));
    let answered = questions.filter_map(|question| {
        let value = state.value(&format!("form.{}", question.code))?;
        Some(answer(sight, question, value))
    });
    answered.collect()
}

fn answer(sight: &Sight<'_>, question: &FormField, value: &Value) -> Result<Answered, Error> {
    let parts = value
        .as_array()
        .map_or(std::slice::from_ref(value), Vec::as_slice);
    let chosen = |code: &Value| {
        let choice = question
            .choices
            .iter()
            .find(|choice| Some(choice.code.as_str()) == code.as_str());
        choice.map(|choice| choice.name.clone())
    };
    let pictures = parts.iter().filter(|part| part.get("sha256").is_some());
    Ok(Answered {
        question: question.name.clone(),
        kind: question.kind,
        choices: parts.iter().filter_map(chosen).collect(),
        unit: question.unit.clone(),
        photos: photos(sight, pictures)?,
        value: value.clone(),
    })
}

/// The incidents that may be of the same thing, the nearest first.
fn alike(
    sight: &Sight<'_>,
    row: &EntityRow,
    state: &Entity,
) -> Result<Vec<(Near, EntityRow, Entity)>, Error> {
    let law = &sight.viewer.law;
    let near = law
        .catalogue_of(state)
        .unwrap_or(&law.catalogue)
        .duplicates();
    let (Some(report), Some(grid)) = (Report::of(state), row.grid) else {
        return Ok(vec![]);
    };
    let area = match sight.area(around(sight, grid)) {
        Ok(area) => area,
        // Of who sees this one and not its grid: they see no others.
        Err(Error::Fault(Fault { status: 403, .. })) => return Ok(vec![]),
        Err(error) => return Err(error),
    };
    let days = i32::try_from(near.hours.div_ceil(24)).unwrap_or(i32::MAX);
    let days = row.day.saturating_sub(days)..=row.day.saturating_add(days);
    let mut others = Vec::new();
    for day in days {
        for other in sight.find(&area, &of_day(KIND.name, day))? {
            let state = project::state(&other)?;
            others.push((other, state));
        }
    }
    others.retain(|(other, _)| other.id != row.id);
    let found = duplicates(&report, others.iter().map(|(_, state)| state), near);
    let found = found.into_iter().filter_map(|near| {
        let at = others
            .iter()
            .position(|(other, _)| other.id == near.incident)?;
        let (row, state) = others.swap_remove(at);
        Some((near, row, state))
    });
    Ok(found.collect())
}

/// The grid above in which others are looked for, as far as the user sees it.
fn around(sight: &Sight<'_>, grid: GridId) -> GridId {
    let mut around = grid;
    for _ in 0..LEVELS_UP {
        let above = sight.grid(around).and_then(|row| row.parent);
        match above.filter(|above| sight.grid(*above).is_some()) {
            Some(above) => around = above,
            None => break,
        }
    }
    around
}
