//! What all records share from the terminal: steps, photos, places.

use gridwalk_engine::{Engine, NewPhoto, Place, RecordView, Signature, StepWords};
use serde_json::{Map, json};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::args::{Take, Where};
use crate::problem::{Outcome, Problem};
use crate::run::parsed;
use crate::show::{self, time};
use crate::text::Texts;

/// Which steps may be taken, and what each asks for.
pub(crate) fn steps(engine: &Engine, id: &str, texts: &Texts, out: &mut dyn Write) -> Outcome<()> {
    let steps = engine.steps(parsed(id)?)?;
    if steps.is_empty() {
        writeln!(out, "{}", texts.say("steps.none", &[]))?;
    }
    for step in steps {
        let options = |names: &Vec<String>| {
            let options = names.iter().map(|name| option(name));
            options.collect::<Vec<_>>().join(" | ")
        };
        let needs: Vec<String> = step.needs.iter().map(options).collect();
        writeln!(out, "{}  → {}  {}", step.name, step.to, needs.join("  "))?;
    }
    Ok(())
}

/// What to type for something that a step must carry.
fn option(name: &str) -> String {
    match name {
        "photos" => "--photo".to_owned(),
        "signatures" => "--sign".to_owned(),
        "place" => "--lat --lon".to_owned(),
        "category" | "answers" => "classify".to_owned(),
        name => format!("--{name}"),
    }
}

/// Takes a step and says where the record stands then.
pub(crate) fn take(
    engine: &Engine,
    take: &Take,
    texts: &Texts,
    out: &mut dyn Write,
) -> Outcome<()> {
    let id = parsed(&take.id)?;
    let agreement = take.agreement.as_ref();
    let more = agreement.map(|text| ("agreement".to_owned(), json!(text)));
    let signatures = take.sign.iter().map(|text| signature(text));
    let words = StepWords {
        reason: take.reason.clone(),
        note: take.note.clone(),
        photos: photos(&take.photo)?,
        place: place(&take.place),
        signatures: signatures.collect::<Outcome<_>>()?,
        more: Map::from_iter(more),
    };
    engine.take(id, &take.step, words)?;
    let status = engine
        .record_of(id)?
        .status()
        .unwrap_or_default()
        .to_owned();
    Ok(writeln!(
        out,
        "{}",
        texts.say("taken", &[("step", take.step.clone()), ("status", status)])
    )?)
}

/// `NAME=FILE`.
fn signature(text: &str) -> Outcome<Signature> {
    let bad = || Problem::text("problem.bad_pair", vec![("text", text.to_owned())]);
    let (name, file) = text.split_once('=').ok_or_else(bad)?;
    Ok(Signature {
        name: name.to_owned(),
        picture: photo(Path::new(file))?,
    })
}

pub(crate) fn photo(file: &Path) -> Outcome<NewPhoto> {
    let bytes = fs::read(file).map_err(|error| Problem::reading(file, &error))?;
    Ok(NewPhoto {
        bytes,
        mime: String::new(),
    })
}

pub(crate) fn photos(files: &[PathBuf]) -> Outcome<Vec<NewPhoto>> {
    files.iter().map(|file| photo(file)).collect()
}

pub(crate) fn place(at: &Where) -> Option<Place> {
    at.lat.zip(at.lon).map(|(lat, lon)| Place {
        lat,
        lon,
        accuracy_m: None,
    })
}

/// One text with the id of what was saved.
pub(crate) fn saved(
    name: &str,
    id: impl ToString,
    texts: &Texts,
    out: &mut dyn Write,
) -> Outcome<()> {
    let said = texts.say(name, &[("id", id.to_string())]);
    Ok(writeln!(out, "{said}")?)
}

/// A record as one line of a list.
pub(crate) fn line(
    record: &RecordView,
    words: &[&str],
    texts: &Texts,
    out: &mut dyn Write,
) -> Outcome<()> {
    let (id, at) = (record.id, time(record.made_ms));
    let words = words.join("  ");
    let sent = show::sent(&record.send, texts);
    Ok(writeln!(
        out,
        "{id}  {at}  {}  {words}  {sent}",
        record.status
    )?)
}

/// What a list says where it is empty.
pub(crate) fn none_of<T>(all: &[T], name: &str, texts: &Texts, out: &mut dyn Write) -> Outcome<()> {
    if all.is_empty() {
        writeln!(out, "{}", texts.say(name, &[]))?;
    }
    Ok(())
}
