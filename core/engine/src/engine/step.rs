//! The life of records: which steps the worker may take, and taking one.

use gridwalk_domain::kind::incident::{HOLDER, above, class_of};
use gridwalk_domain::kind::steps::{Need, StepRule};
use gridwalk_domain::{Catalogue, Entity, EntityId, Intent, kind};
use serde_json::{Map, Value, json};

use super::amend::{amendable, shown};
use super::incident::{near, place_value};
use super::{Engine, NewAttachment, NewPhoto};
use crate::attachments::{self, Kept, pretence};
use crate::core::{Core, pen};
use crate::error::{EngineError, Inner, Result};
use crate::gate::Gate;
use crate::view::Place;

/// A step that the worker may take: a button.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepOffer {
    /// What it is called: `handle`, `escalate`, `verify` …
    pub name: String,
    /// The status after.
    pub to: String,
    /// What the worker must say with it: of each list at least one, by the names
    /// of [`StepWords`]. `category` says that the incident must be classified
    /// first, `answers` that its form must be filled in. What the engine knows by
    /// itself is not asked.
    pub needs: Vec<Vec<String>>,
}

/// A signature under an agreement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// Who signed.
    pub name: String,
    /// The picture of it.
    pub picture: NewPhoto,
}

/// What somebody says with a step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StepWords {
    /// Why.
    pub reason: Option<String>,
    /// What was done or seen.
    pub note: Option<String>,
    /// What proves it.
    pub photos: Vec<NewPhoto>,
    /// Where; without one, the last fix of the running patrol, if it is younger
    /// than two minutes.
    pub place: Option<Place>,
    /// Who signed an agreement.
    pub signatures: Vec<Signature>,
    /// What else the step carries: `agreement`, `cause`, `duplicate_of` …
    pub more: Map<String, Value>,
}

/// # Errors
/// Both: `NotEnrolled`, `NotFound`, `Closed`, `Storage`.
#[expect(clippy::missing_errors_doc, reason = "said once, above")]
impl Engine {
    /// The steps that the worker may take from where the record stands, as this
    /// phone knows it: the buttons to show.
    pub fn steps(&self, record: EntityId) -> Result<Vec<StepOffer>> {
        let now_ms = self.shared.now().wall_ms;
        self.shared.with(|core| {
            let entity = shown(core, record)?;
            let gate = Gate::new(core.me()?, core.synced.as_ref());
            let place = near(core, now_ms).is_some();
            let at_ms = core.server_ms(now_ms);
            let steps = gate.rights_at(at_ms).steps(&entity).into_iter();
            let steps = steps.filter(|_| !has_own_calls(&entity));
            Ok(steps
                .map(|row| StepOffer {
                    name: row.name.to_owned(),
                    to: row.to.to_owned(),
                    needs: needs(core, &gate, &entity, row, place),
                })
                .collect())
        })
    }

    /// Takes a step by its name, with what its author says; what the engine
    /// knows it fills in: the grid above for a step up, the place of the last
    /// fix. The step and its photos are durable when it returns.
    ///
    /// # Errors
    /// `NoShift`; `NotAllowed` where the rules say no; `Invalid` where the
    /// record's status has no such step or a value is not allowed;
    /// `NotTaken`, `DiskFull` besides.
    pub fn take(&self, record: EntityId, step: &str, words: StepWords) -> Result<()> {
        let now = self.shared.now();
        let place = self.shared.with(|core| {
            let place = words.place.or_else(|| near(core, now.wall_ms));
            let entity = amendable(core, record)?;
            let pen = pen(core.me.as_ref(), core.synced.as_ref(), &self.shared, now)?;
            let photos = vec![pretence(); words.photos.len()];
            let signed = words.signatures.iter().map(|signed| {
                let mut signature = pretence();
                signature["name"] = json!(signed.name);
                signature
            });
            let signed = signed.collect();
            let intent = intent(&pen.gate, &entity, step, &words, place, photos, signed)?;
            pen.would(&core.conn, record, &entity.kind, intent)?;
            Ok(place)
        })?;
        let signed = words.signatures.iter().map(|signed| {
            let bytes = signed.picture.bytes.clone();
            NewAttachment::signature(bytes, signed.name.clone())
        });
        let signed = self.keep(signed.collect(), None)?;
        let photos = words.photos.iter().cloned().map(Into::into).collect();
        let photos = self.keep(photos, place)?;
        self.amend(record, |tx, pen, shown| {
            photos.ensure()?;
            signed.ensure()?;
            let references = |kept: &[Kept]| kept.iter().map(Kept::reference).collect();
            let [proofs, names] = [&photos, &signed].map(|kept| references(kept));
            let intent = intent(&pen.gate, shown, step, &words, place, proofs, names)?;
            pen.amend(tx, shown, intent)?;
            let mut kept = photos.iter().chain(signed.iter());
            kept.try_for_each(|one| {
                attachments::refer(tx, pen.me.account, record, one, pen.at.wall_ms)
            })
        })
    }
}

/// Whether a record's status is moved by calls of its own.
pub(super) fn has_own_calls(entity: &Entity) -> bool {
    [kind::shift::KIND.name, kind::patrol::KIND.name].contains(&entity.kind.as_str())
}

/// What the worker must say with a step.
fn needs(
    core: &Core,
    gate: &Gate<'_>,
    entity: &Entity,
    row: &StepRule,
    place_known: bool,
) -> Vec<Vec<String>> {
    let word = |name: &str| vec![name.to_owned()];
    let mut needs: Vec<Vec<String>> = row
        .needs
        .iter()
        .filter_map(|need| match need {
            Need::With(name) if *name == HOLDER || *name == "place" && place_known => None,
            Need::Reason => Some(word("reason")),
            Need::With(name) => Some(word(name)),
            Need::OneOf(names) => Some(names.iter().map(|name| (*name).to_owned()).collect()),
        })
        .collect();
    if entity.kind == kind::incident::KIND.name {
        let catalogue = kind::incident::catalogue_of(gate.district(), entity);
        let catalogue = catalogue.or_else(|| core.synced.as_ref().map(|s| &s.scope.catalogue));
        if ["handle", "escalate"].contains(&row.name) {
            let answered = |catalogue: &Catalogue| {
                let value = |name: &str| entity.value(name);
                catalogue.check_answered(value).is_ok()
            };
            if entity.text("category").is_none() {
                needs.push(word("category"));
            } else if !catalogue.is_none_or(answered) {
                needs.push(word("answers"));
            }
        }
        let proof = catalogue.map(|catalogue| catalogue.proof(class_of(entity), row.name));
        let proof = proof.into_iter().flatten();
        needs.extend(proof.filter_map(|proof| proof.carried_as()).map(word));
    }
    needs
}

/// The row of the table that a step of this name is taken by from where the
/// record stands.
fn row(gate: &Gate<'_>, entity: &Entity, step: &str) -> Inner<&'static StepRule> {
    let kind = kind::find(&entity.kind).filter(|_| !has_own_calls(entity));
    let kind = kind.ok_or(EngineError::NotFound)?;
    let row = kind.open_steps(entity).find(|row| row.name == step);
    let row = row.ok_or_else(|| {
        let from = entity.status().unwrap_or_default();
        EngineError::Invalid {
            field: "status".to_owned(),
            why: format!("there is no step of this name from {from}"),
        }
    })?;
    let may = gate.rights().may_step(entity, row);
    may.map_err(EngineError::from)?;
    Ok(row)
}

fn intent(
    gate: &Gate<'_>,
    entity: &Entity,
    step: &str,
    words: &StepWords,
    place: Option<Place>,
    photos: Vec<Value>,
    signed: Vec<Value>,
) -> Inner<Intent> {
    let row = row(gate, entity, step)?;
    let last = entity.history.last().ok_or(EngineError::NotFound)?;
    let holder = (row.name == "escalate").then(|| above(gate.district(), entity));
    let filled = [
        (HOLDER, holder.flatten().map(|holder| json!(holder))),
        ("place", place.map(place_value)),
        ("note", words.note.as_ref().map(|note| json!(note))),
        ("photos", (!photos.is_empty()).then(|| json!(photos))),
        ("signatures", (!signed.is_empty()).then(|| json!(signed))),
    ];
    let filled = filled
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)));
    let mut with = words.more.clone();
    with.extend(filled);
    Ok(Intent::Transition {
        from: row.from.to_owned(),
        to: row.to.to_owned(),
        base: last.stamp.op,
        reason: words.reason.clone(),
        with,
    })
}
