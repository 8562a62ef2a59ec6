//! `mediation`.

use gridwalk_domain::Clock as _;
use gridwalk_engine::{Engine, MediationView, NewMediation, Person, Session};
use gridwalk_system::SystemClock;
use std::io::Write;

use crate::args::Mediation;
use crate::life::{self, line, none_of, saved};
use crate::problem::{Outcome, Problem};
use crate::run::parsed;
use crate::show::time;
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
        } => {
            let new = NewMediation {
                title: title.clone(),
                incident: incident.as_deref().map(parsed).transpose()?,
                cause: cause.clone(),
                place: None,
                address: address.clone(),
                parties: party.iter().map(|name| person(name, None)).collect(),
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
        Mediation::Party { id, name, phone } => {
            let id = parsed(id)?;
            engine.add_party(id, &person(name, phone.clone()))?;
            saved("mediation.saved", id, texts, out)
        }
        Mediation::Session {
            id,
            said,
            present,
            at,
            from,
            remote,
        } => {
            let id = parsed(id)?;
            let session = Session {
                from_ms: began(from.as_deref())?,
                to_ms: None,
                at: at.clone(),
                remote: *remote,
                present: present.iter().map(|name| person(name, None)).collect(),
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

fn person(name: &str, phone: Option<String>) -> Person {
    Person {
        name: name.to_owned(),
        phone,
        note: None,
    }
}

/// When a session began: milliseconds since 1970; now where nobody says.
fn began(text: Option<&str>) -> Outcome<i64> {
    let Some(text) = text else {
        return Ok(SystemClock::new().now().wall_ms);
    };
    let bad = |_| Problem::text("problem.bad_time", vec![("time", text.to_owned())]);
    let time = chrono::DateTime::parse_from_rfc3339(text).map_err(bad)?;
    Ok(time.timestamp_millis())
}

fn show(view: &MediationView, texts: &Texts, out: &mut dyn Write) -> Outcome<()> {
    line(&view.record, &[&view.title], texts, out)?;
    let mut say = |name: &str, value: String| -> Outcome<()> {
        Ok(writeln!(out, "{}", texts.say(name, &[("value", value)]))?)
    };
    if let Some(text) = &view.cause {
        say("mediation.cause", text.clone())?;
    }
    for party in &view.parties {
        let phone = party.phone.as_deref().unwrap_or_default();
        say("mediation.party", format!("{} {phone}", party.name))?;
    }
    for session in &view.sessions {
        say(
            "mediation.session",
            format!("{} {}", time(session.from_ms), session.said),
        )?;
    }
    if let Some(agreement) = &view.agreement {
        let signed = agreement.signatures.iter().map(|(name, _)| name.as_str());
        let signed: Vec<&str> = signed.collect();
        say(
            "mediation.agreement",
            format!("{}（{}）", agreement.text, signed.join("、")),
        )?;
    }
    for again in &view.look_again {
        let note = again.note.as_deref().unwrap_or_default();
        say("mediation.again", format!("{} {note}", again.date))?;
    }
    Ok(())
}
