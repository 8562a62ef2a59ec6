//! What an incident asks of the catalogue, the grids and the people.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{ASSIGNEE, Assignee, HOLDER, Life, PROVEN, REPORTED, catalogue_of, class_of};
use crate::catalogue::{ANSWER, BadReport, Catalogue, Proof, version_named};
use crate::entity::Entity;
use crate::kind::steps::carries;
use crate::op::Intent;
use crate::rights::{District, Rights, Who};
use crate::rules::{Breach, Case};
use crate::{GridId, Position};

fn unfit<T>(what: &'static str, why: impl Into<String>) -> Result<T, Breach> {
    Err(Breach::Unfit {
        what,
        why: why.into(),
    })
}

/// The grid to which an incident is sent up next; none at the top.
#[must_use]
pub fn above(district: &dyn District, entity: &Entity) -> Option<GridId> {
    district.parent(Life::of(entity)?.holder)
}

pub(super) fn law(case: &Case<'_>) -> Result<(), Breach> {
    match (case.intent, case.state) {
        (Intent::Create { .. }, None) => {
            placed(case)?;
            report(case)
        }
        (Intent::Set(_) | Intent::Resolve { .. }, Some(_)) => {
            if case
                .written()
                .any(|field| field == "place" || field == "address")
            {
                placed(case)?;
            }
            if case.written().any(classifies) {
                report(case)?;
            }
            Ok(())
        }
        (Intent::Transition { .. }, Some(entity)) => step(case, entity),
        (Intent::Delete { .. }, Some(entity)) if entity.status() != Some(REPORTED) => unfit(
            "delete",
            "only what was reported and not touched yet; reject it instead",
        ),
        _ => Ok(()),
    }
}

/// Without a place nobody finds it: coordinates, or an address in words where
/// there is no signal.
fn placed(case: &Case<'_>) -> Result<(), Breach> {
    let fields = case.fields();
    if fields.contains_key("place") || fields.contains_key("address") {
        Ok(())
    } else {
        unfit("place", "a place or an address is required")
    }
}

fn classifies(field: &str) -> bool {
    ["catalogue", "category", "subcategory", "severity"].contains(&field)
        || field.starts_with(ANSWER)
}

/// What a report says fits the version of the catalogue that it names.
fn report(case: &Case<'_>) -> Result<(), Breach> {
    let fields = case.fields();
    let catalogue = case.catalogue()?;
    let value = |name: &str| fields.get(name).copied();
    // An edit that does not fit is kept beside; its answers are checked alone.
    let written = case.written().filter(|name| fields.contains_key(name));
    Ok(catalogue.check_report(value, written)?)
}

fn step(case: &Case<'_>, entity: &Entity) -> Result<(), Breach> {
    let Some(row) = case.row else {
        return Ok(());
    };
    let rights = case.rights;
    match row.name {
        "handle" | "escalate" => {
            if entity.text("category").is_none() {
                return unfit(
                    "category",
                    "a quick capture is classified before it goes on its way",
                );
            }
            let fields = case.fields();
            case.catalogue()?
                .check_answered(|name| fields.get(name).copied())?;
            if row.name == "escalate"
                && carried::<GridId>(case, HOLDER) != above(rights.district, entity)
            {
                return unfit(HOLDER, "expected the grid above the one that holds it");
            }
        }
        "dispatch" => within_reach(case, entity)?,
        "verify" if rights.are(Who::Gridworker, entity) => on_the_spot(case, entity)?,
        _ => {}
    }
    proof(case, row.name, entity)
}

fn carried<T: DeserializeOwned>(case: &Case<'_>, name: &str) -> Option<T> {
    serde_json::from_value(case.carried(name)?.clone()).ok()
}

/// What the catalogue asks for.
fn proof(case: &Case<'_>, step: &str, entity: &Entity) -> Result<(), Breach> {
    if !PROVEN.contains(&step) {
        return Ok(());
    }
    let Some(catalogue) = catalogue_of(case.rights.district, entity) else {
        let version = version_named(entity.value("catalogue"));
        return Err(BadReport::UnknownCatalogue(version.unwrap_or(0)).into());
    };
    let Intent::Transition { with, .. } = case.intent else {
        return Ok(());
    };
    let mut asked = catalogue.proof(class_of(entity), step).iter();
    let missing = asked.find(|proof| proof.carried_as().is_some_and(|name| !carries(with, name)));
    match missing {
        Some(Proof::Photo) => unfit("photos", "the catalogue asks for a photo with this step"),
        Some(_) => unfit("note", "the catalogue asks for a few words with this step"),
        None => Ok(()),
    }
}

/// A worker who is given the work walks a grid below the one that holds it.
fn within_reach(case: &Case<'_>, entity: &Entity) -> Result<(), Breach> {
    let Rights {
        district, at_ms, ..
    } = *case.rights;
    let (Some(life), Some(Assignee::Worker(worker))) = (Life::of(entity), carried(case, ASSIGNEE))
    else {
        return Ok(());
    };
    let grids = district.grids_of(worker, at_ms);
    if grids
        .iter()
        .any(|grid| district.is_below(*grid, life.holder))
    {
        Ok(())
    } else {
        unfit(
            ASSIGNEE,
            "this worker walks no grid below the one that holds the incident",
        )
    }
}

/// Who verifies stands where it happened, as far as positions can tell.
fn on_the_spot(case: &Case<'_>, entity: &Entity) -> Result<(), Breach> {
    let stood = case.carried("place");
    let (Some(there), Some(here)) = (entity.value("place").and_then(spot), stood.and_then(spot))
    else {
        return Ok(());
    };
    let within = catalogue_of(case.rights.district, entity).map_or(0, Catalogue::on_spot_metres);
    let apart = there.0.distance_m(&here.0) - there.1 - here.1;
    if apart <= f64::from(within) {
        Ok(())
    } else {
        unfit(
            "place",
            format!("{apart:.0} m away; verifying is done on the spot, within {within} m"),
        )
    }
}

/// A place and how far off it may be, in metres.
fn spot(value: &Value) -> Option<(Position, f64)> {
    let position = serde_json::from_value(value.clone()).ok()?;
    let accuracy = value.get("accuracy_m").and_then(Value::as_f64);
    Some((position, accuracy.unwrap_or(0.0)))
}
