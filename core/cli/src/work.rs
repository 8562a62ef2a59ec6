//! `finding`, `visit`, `task`, `notice`.

use gridwalk_engine::{Engine, NewFinding, NewVisit, Person, TaskView, VisitView};
use std::io::Write;

use crate::args::{Finding, Notice, Task, Visit};
use crate::edit;
use crate::life::{self, line, none_of, photos, place, saved};
use crate::problem::Outcome;
use crate::run::{parsed, patrol_of};
use crate::show::{facts, files, person_text, photo_text, place_text, time};
use crate::text::Texts;

pub(crate) fn finding(
    engine: &Engine,
    verb: &Finding,
    texts: &Texts,
    out: &mut dyn Write,
) -> Outcome<()> {
    match verb {
        Finding::New {
            category,
            incident,
            note,
        } => {
            let new = NewFinding {
                category: category.clone(),
                incident: incident.as_deref().map(parsed).transpose()?,
                note: note.clone(),
            };
            saved("finding.saved", engine.record_finding(&new)?, texts, out)
        }
        Finding::List { patrol } => {
            let all = engine.findings(patrol_of(engine, patrol)?)?;
            none_of(&all, "finding.none", texts, out)?;
            for finding in all {
                let result = match finding.incident {
                    None => texts.say("finding.normal", &[]),
                    Some(id) => texts.say("finding.abnormal", &[("id", id.to_string())]),
                };
                let note = finding.note.unwrap_or_default();
                line(
                    &finding.record,
                    &[&finding.category, &result, &note],
                    texts,
                    out,
                )?;
            }
            Ok(())
        }
    }
}

pub(crate) fn visit(
    engine: &Engine,
    verb: &Visit,
    texts: &Texts,
    out: &mut dyn Write,
) -> Outcome<()> {
    match verb {
        Visit::New {
            household,
            person,
            phone,
            purpose,
            found,
            task,
            photo,
            address,
            place: at,
        } => {
            let person = person.as_ref().map(|name| Person {
                name: name.clone(),
                phone: phone.clone(),
                note: None,
            });
            let new = NewVisit {
                household: household.clone(),
                person,
                purpose: purpose.clone(),
                found: found.clone(),
                task: task.as_deref().map(parsed).transpose()?,
                place: place(at),
                address: address.clone(),
                photos: photos(photo)?,
            };
            saved("visit.saved", engine.record_visit(&new)?, texts, out)
        }
        Visit::List => {
            let all = engine.visits()?;
            none_of(&all, "visit.none", texts, out)?;
            for visit in all {
                let found = visit.found.unwrap_or_default();
                line(&visit.record, &[&visit.household, &found], texts, out)?;
            }
            Ok(())
        }
        Visit::Edit {
            id,
            household,
            purpose,
            found,
            address,
            place: at,
        } => {
            let id = engine.visit(parsed(id)?)?.record.id;
            let said = [
                ("household", household),
                ("purpose", purpose),
                ("found", found),
                ("address", address),
            ];
            edit::write(engine, id, edit::fields(&said, at))?;
            saved("visit.saved", id, texts, out)
        }
        Visit::Show { id } => of_visit(&engine.visit(parsed(id)?)?, texts, out),
    }
}

fn of_visit(visit: &VisitView, texts: &Texts, out: &mut dyn Write) -> Outcome<()> {
    line(&visit.record, &[&visit.household], texts, out)?;
    let mut lines = vec![
        ("visit.at", Some(time(visit.visited_ms))),
        ("visit.person", visit.person.as_ref().map(person_text)),
        ("visit.purpose", visit.purpose.clone()),
        ("visit.found", visit.found.clone()),
        ("visit.task", visit.task.map(|id| id.to_string())),
        ("show.place", visit.place.as_ref().map(place_text)),
        ("show.address", visit.address.clone()),
    ];
    let photos = visit.record.photos.iter();
    lines.extend(photos.map(|photo| ("show.photo", Some(photo_text(photo)))));
    facts(lines, texts, out)
}

pub(crate) fn task(
    engine: &Engine,
    verb: &Task,
    texts: &Texts,
    out: &mut dyn Write,
) -> Outcome<()> {
    match verb {
        Task::List => {
            let all = engine.tasks()?;
            none_of(&all, "task.none", texts, out)?;
            all.iter().try_for_each(|task| of_task(task, texts, out))
        }
        Task::Show { id } => {
            let task = engine.task(parsed(id)?)?;
            of_task(&task, texts, out)?;
            let lines = vec![
                ("show.description", task.description),
                ("task.about", task.about.map(|id| id.to_string())),
                ("show.place", task.place.as_ref().map(place_text)),
                ("show.address", task.address),
            ];
            facts(lines, texts, out)
        }
        Task::Steps { id } => life::steps(engine, id, texts, out),
        Task::Take(take) => life::take(engine, take, texts, out),
    }
}

fn of_task(task: &TaskView, texts: &Texts, out: &mut dyn Write) -> Outcome<()> {
    let due = task.due_ms.map(|due| due_text(due, task.overdue, texts));
    let due = due.unwrap_or_default();
    line(&task.record, &[&task.work, &task.title, &due], texts, out)
}

/// Until when, and whether that is over.
pub(crate) fn due_text(due_ms: i64, overdue: bool, texts: &Texts) -> String {
    let name = if overdue { "due.over" } else { "due.until" };
    texts.say(name, &[("at", time(due_ms))])
}

pub(crate) fn notice(
    engine: &Engine,
    verb: &Notice,
    texts: &Texts,
    out: &mut dyn Write,
) -> Outcome<()> {
    match verb {
        Notice::List => {
            let all = engine.notices()?;
            none_of(&all, "notice.none", texts, out)?;
            for notice in all {
                let name = if notice.unread {
                    "notice.unread"
                } else {
                    "notice.read"
                };
                let mark = texts.say(name, &[]);
                line(&notice.record, &[&mark, &notice.title], texts, out)?;
            }
            Ok(())
        }
        Notice::Read { id } => {
            let id = parsed(id)?;
            engine.read_notice(id)?;
            let all = engine.notices()?;
            for notice in all.iter().filter(|notice| notice.record.id == id) {
                writeln!(out, "{}\n{}", notice.title, notice.text)?;
                let until = notice.until_ms.map(time);
                facts(vec![("notice.until", until)], texts, out)?;
                files(&notice.files, texts, out)?;
            }
            Ok(())
        }
    }
}
