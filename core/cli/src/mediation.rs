//! `mediation`.

use gridwalk_domain::Clock as _;
use gridwalk_domain::rights::Actor;
use gridwalk_engine::{Engine, MediationView, NewMediation, Person, Session};
use gridwalk_system::SystemClock;
use std::io::Write;

use crate::args::Mediation;
use crate::edit;
use crate::life::{self, line, none_of, place, saved};
use crate::problem::{Outcome, Problem};
use crate::run::parsed;
use crate::show::{facts, person_text, photo_text, place_text, time};
use crate::text::Texts;

pub(crate) fn run(
    engine: &Engine,
    verb: &Mediation,
    texts: &Texts,
    out: &mut dyn Write,
) -> Outcome<()> {
    match verb {
        Mediation::New {
            title,
            incident,
            cause,
            address,
            party,
            place: at,
        } => {
            let new = NewMediation {
                title: title.clone(),
                incident: incident.as_deref().map(parsed).transpose()?,
                cause: cause.clone(),
                place: place(at),
                address: address.clone(),
                parties: party.iter().map(|name| person(name)).collect(),
            };
            saved("mediation.opened", engine.open_mediation(&new)?, texts, out)
        }
        Mediation::List => {
            let all = engine.mediations()?;
            none_of(&all, "mediation.none", texts, out)?;
            let mut all = all.iter();
            all.try_for_each(|one| line(&one.record, &[&one.title], texts, out))
        }
        Mediation::Show { id } => show(&engine.mediation(parsed(id)?)?, texts, out),
        Mediation::Edit {
            id,
            title,
            cause,
            address,
            place: at,
        } => {
            let id = engine.mediation(parsed(id)?)?.record.id;
            let said = [("title", title), ("cause", cause), ("address", address)];
            edit::write(engine, id, edit::fields(&said, at))?;
            saved("mediation.saved", id, texts, out)
        }
        Mediation::Party {
            id,
            name,
            phone,
            note,
        } => {
            let party = Person {
                name: name.clone(),
                phone: phone.clone(),
                note: note.clone(),
            };
            let id = parsed(id)?;
            engine.add_party(id, &party)?;
            saved("mediation.saved", id, texts, out)
        }
        Mediation::Reader {
            id,
            worker,
            user,
            remove,
        } => {
            let id = parsed(id)?;
            let reader = reader(worker.as_deref(), user.as_deref())?;
            let named = engine.mediation(id)?.readers.contains(&reader);
            match (remove, named) {
                (true, false) => return Err(Problem::text("problem.no_reader", vec![])),
                (true, true) => engine.unname_reader(id, reader)?,
                (false, false) => engine.name_reader(id, reader)?,
                (false, true) => {}
            }
            saved("mediation.saved", id, texts, out)
        }
        Mediation::Session {
            id,
            said,
            present,
            at,
            from,
            to,
            remote,
        } => {
            let id = parsed(id)?;
            let from = from.as_deref().map(instant).transpose()?;
            let session = Session {
                from_ms: from.unwrap_or_else(|| SystemClock::new().now().wall_ms),
                to_ms: to.as_deref().map(instant).transpose()?,
                at: at.clone(),
                remote: *remote,
                present: present.iter().map(|name| person(name)).collect(),
                said: said.clone(),
            };
            engine.add_session(id, &session)?;
            saved("mediation.saved", id, texts, out)
        }
        Mediation::Again { id, date, note } => {
            let id = parsed(id)?;
            let bad = |_| Problem::text("problem.bad_day", vec![("day", date.clone())]);
            engine.look_again(id, date.parse().map_err(bad)?, note.as_deref())?;
            saved("mediation.saved", id, texts, out)
        }
        Mediation::Steps { id } => life::steps(engine, id, texts, out),
        Mediation::Take(take) => life::take(engine, take, texts, out),
    }
}

fn person(name: &str) -> Person {
    Person {
        name: name.to_owned(),
        ..Person::default()
    }
}

/// A worker, or somebody on the page: one of them is named.
fn reader(worker: Option<&str>, user: Option<&str>) -> Outcome<Actor> {
    let text = worker.or(user).unwrap_or_default();
    let bad = |_| Problem::text("problem.person_id", vec![("text", text.to_owned())]);
    match worker {
        Some(id) => Ok(Actor::Worker(id.parse().map_err(bad)?)),
        None => Ok(Actor::User(text.parse().map_err(bad)?)),
    }
}

/// An instant in milliseconds since 1970.
fn instant(text: &str) -> Outcome<i64> {
    let bad = |_| Problem::text("problem.bad_time", vec![("time", text.to_owned())]);
    let time = chrono::DateTime::parse_from_rfc3339(text).map_err(bad)?;
    Ok(time.timestamp_millis())
}

fn show(view: &MediationView, texts: &Texts, out: &mut dyn Write) -> Outcome<()> {
    line(&view.record, &[&view.title], texts, out)?;
    let mut lines = vec![
        ("mediation.incident", view.incident.map(|id| id.to_string())),
        ("mediation.cause", view.cause.clone()),
        ("show.place", view.place.as_ref().map(place_text)),
        ("show.address", view.address.clone()),
    ];
    let parties = view.parties.iter();
    lines.extend(parties.map(|party| ("mediation.party", Some(person_text(party)))));
    lines.extend(view.sessions.iter().flat_map(|one| session(one, texts)));
    if let Some(agreement) = &view.agreement {
        let signed = agreement.signatures.iter().map(|(name, _)| name.as_str());
        let signed: Vec<&str> = signed.collect();
        let text = format!("{}（{}）", agreement.text, signed.join("、"));
        lines.push(("mediation.agreement", Some(text)));
    }
    lines.extend(view.look_again.iter().map(|again| {
        let note = again.note.as_deref().unwrap_or_default();
        ("mediation.again", Some(format!("{} {note}", again.date)))
    }));
    lines.extend(view.readers.iter().filter_map(|reader| match reader {
        Actor::Worker(id) => Some(("mediation.reader_worker", Some(id.to_string()))),
        Actor::User(id) => Some(("mediation.reader_user", Some(id.to_string()))),
        Actor::Server(_) => None,
    }));
    let photos = view.record.photos.iter();
    lines.extend(photos.map(|photo| ("show.photo", Some(photo_text(photo)))));
    facts(lines, texts, out)
}

/// When and where people met, who was there, and what was said.
fn session(session: &Session, texts: &Texts) -> Vec<(&'static str, Option<String>)> {
    let until = session.to_ms.map(|to| format!(" – {}", time(to)));
    let when = time(session.from_ms) + &until.unwrap_or_default();
    let remote = session.remote.then(|| texts.say("mediation.remote", &[]));
    let met: Vec<String> = [Some(when), session.at.clone(), remote]
        .into_iter()
        .flatten()
        .collect();
    let present: Vec<String> = session.present.iter().map(person_text).collect();
    vec![
        ("mediation.session", Some(met.join("  "))),
        ("mediation.present", Some(present.join("、"))),
        ("mediation.said", Some(session.said.clone())),
    ]
}
