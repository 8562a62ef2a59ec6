//! `incident` and `draft`.

use gridwalk_domain::Catalogue;
use gridwalk_domain::catalogue::FieldKind;
use gridwalk_engine::{Classification, Engine, NewIncident, PictureAnswer};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use crate::args::{self, Class, Draft, Incident};
use crate::life::{none_of, photo, photos, place, saved};
use crate::problem::{Outcome, Problem};
use crate::run::parsed;
use crate::show::{self, time};
use crate::text::Texts;
use crate::{attach, edit, find, life};

pub(crate) fn run(
    engine: &Engine,
    verb: &Incident,
    texts: &Texts,
    out: &mut dyn Write,
) -> Outcome<()> {
    match verb {
        Incident::New(new) => {
            let new = new_incident(engine, new)?;
            let hints = engine.possible_duplicates(&new)?;
            saved(
                "incident.reported",
                engine.report_incident(new)?,
                texts,
                out,
            )?;
            show::duplicates(&hints, texts, out)
        }
        Incident::List(asked) => find::list(engine, asked, texts, out),
        Incident::Show { id } => show::incident(&engine.incident(parsed(id)?)?, texts, out),
        Incident::Steps { id } => life::steps(engine, id, texts, out),
        Incident::Take(take) => life::take(engine, take, texts, out),
        Incident::Classify { id, class } => {
            let id = parsed(id)?;
            let catalogue = engine
                .catalogue_of(id)?
                .map_or_else(|| engine.catalogue(), Ok)?;
            engine.classify(id, &classification(&catalogue, class)?)?;
            saved("incident.classified", id, texts, out)
        }
        Incident::Edit(asked) => edit::incident(engine, asked, texts, out),
        Incident::Delete { id } => {
            let id = engine.incident(parsed(id)?)?.id;
            engine.delete(id)?;
            saved("incident.deleted", id, texts, out)
        }
        Incident::Comment { id, text } => {
            let id = parsed(id)?;
            engine.comment(id, text)?;
            saved("incident.commented", id, texts, out)
        }
        Incident::Attach { id, files } => attach::attach(engine, id, files, texts, out),
        Incident::Duplicates { id } => {
            let found = engine.duplicates_of(parsed(id)?)?;
            none_of(&found, "duplicate.none", texts, out)?;
            show::duplicates(&found, texts, out)
        }
    }
}

pub(crate) fn draft(
    engine: &Engine,
    verb: &Draft,
    texts: &Texts,
    out: &mut dyn Write,
) -> Outcome<()> {
    match verb {
        Draft::Save { draft, new } => {
            let earlier = draft.as_deref().map(parsed).transpose()?;
            let id = engine.save_draft(earlier, new_incident(engine, new)?)?;
            saved("draft.saved", id, texts, out)
        }
        Draft::List => {
            let all = engine.drafts()?;
            none_of(&all, "draft.none", texts, out)?;
            for draft in all {
                let (id, at) = (draft.id, time(draft.found_ms));
                let photos = texts.say("draft.photos", &[("n", draft.photos.to_string())]);
                writeln!(
                    out,
                    "{id}  {at}  {}  {}  {photos}",
                    draft.category, draft.title
                )?;
            }
            Ok(())
        }
        Draft::Submit { id } => {
            let id = engine.submit_draft(parsed(id)?)?;
            saved("incident.reported", id, texts, out)
        }
        Draft::Discard { id } => {
            let id = parsed(id)?;
            engine.discard_draft(id)?;
            saved("draft.discarded", id, texts, out)
        }
    }
}

fn new_incident(engine: &Engine, new: &args::NewIncident) -> Outcome<NewIncident> {
    let class = classification(&engine.catalogue()?, &new.class)?;
    Ok(NewIncident {
        category: class.category,
        subcategory: class.subcategory,
        severity: class.severity,
        title: new.title.clone(),
        description: new.description.clone(),
        answers: class.answers,
        pictures: class.pictures,
        place: place(&new.place),
        address: new.address.clone(),
        photos: photos(&new.photo)?,
    })
}

fn classification(catalogue: &Catalogue, class: &Class) -> Outcome<Classification> {
    let category = class.category.clone().unwrap_or_default();
    let (mut answers, mut pictures) = (BTreeMap::new(), Vec::new());
    for text in &class.answer {
        let bad = || Problem::text("problem.bad_pair", vec![("text", text.clone())]);
        let (code, said) = text.split_once('=').ok_or_else(bad)?;
        let kind = kind(catalogue, &category, class.sub.as_deref(), code);
        if let Some(FieldKind::Photo | FieldKind::Signature) = kind {
            pictures.push(PictureAnswer {
                question: code.to_owned(),
                picture: photo(Path::new(said))?,
            });
        } else {
            answers.insert(code.to_owned(), answer(kind, said));
        }
    }
    Ok(Classification {
        category,
        subcategory: class.sub.clone(),
        severity: class.severity.clone(),
        answers,
        pictures,
    })
}

/// What the answer to a question is.
fn kind(catalogue: &Catalogue, category: &str, sub: Option<&str>, code: &str) -> Option<FieldKind> {
    let mut questions = catalogue.category(category)?.questions(sub);
    Some(questions.find(|question| question.code == code)?.kind)
}

/// An answer as the form takes it; what cannot be read as one stays a text, and
/// the rules say what is wrong.
fn answer(kind: Option<FieldKind>, said: &str) -> Value {
    let text = json!(said);
    let number = |text: &str| text.trim().parse::<f64>().ok();
    match kind {
        Some(FieldKind::Number) => number(said).map_or(text, |number| json!(number)),
        Some(FieldKind::Many) => said.split(',').map(str::trim).collect(),
        Some(FieldKind::Person) => json!({ "name": said }),
        Some(FieldKind::Place) => match said.split(',').map(number).collect::<Vec<_>>()[..] {
            [Some(lat), Some(lon)] => json!({ "lat": lat, "lon": lon }),
            _ => text,
        },
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_as_its_question_asks() {
        let read = |kind, said| answer(Some(kind), said);
        assert_eq!(read(FieldKind::Number, "3"), json!(3.0));
        assert_eq!(read(FieldKind::Number, "三"), json!("三"));
        assert_eq!(read(FieldKind::Text, "110"), json!("110"));
        assert_eq!(
            read(FieldKind::Many, "told, notice"),
            json!(["told", "notice"])
        );
        assert_eq!(
            read(FieldKind::Place, "35.1,118.3"),
            json!({"lat": 35.1, "lon": 118.3})
        );
        assert_eq!(read(FieldKind::Place, "here"), json!("here"));
        assert_eq!(read(FieldKind::Person, "某人"), json!({"name": "某人"}));
        assert_eq!(answer(None, "x"), json!("x"));
    }
}
