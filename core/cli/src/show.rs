//! Views as text and JSON.

use gridwalk_domain::Author;
use gridwalk_domain::kind::incident::Assignee;
use gridwalk_engine::{
    Advice, DuplicateView, IncidentView, PatrolView, Person, PhotoView, Place, RefusedItem,
    SendState, Status, StepView,
};
use serde_json::{Value, json};
use std::io::Write;

use crate::problem::Outcome;
use crate::text::Texts;
use crate::work::due_text;

/// A time in UTC.
pub(crate) fn time(ms: i64) -> String {
    match chrono::DateTime::from_timestamp_millis(ms) {
        Some(time) => time.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
        None => format!("{ms} ms"),
    }
}

pub(crate) fn place_text(place: &Place) -> String {
    let Place { lat, lon, .. } = place;
    match place.accuracy_m {
        Some(accuracy) => format!("{lat:.6}, {lon:.6} (±{accuracy:.0} m)"),
        None => format!("{lat:.6}, {lon:.6}"),
    }
}

/// A person with what is known of them.
pub(crate) fn person_text(person: &Person) -> String {
    let known = [
        Some(&person.name),
        person.phone.as_ref(),
        person.note.as_ref(),
    ];
    let known: Vec<&str> = known.into_iter().flatten().map(String::as_str).collect();
    known.join(" ")
}

/// Lines of one value each.
pub(crate) fn facts(
    facts: Vec<(&str, Option<String>)>,
    texts: &Texts,
    out: &mut dyn Write,
) -> Outcome<()> {
    for (name, value) in facts {
        if let Some(value) = value {
            writeln!(out, "{}", texts.say(name, &[("value", value)]))?;
        }
    }
    Ok(())
}

/// What a file is, and what to fetch it by.
pub(crate) fn photo_text(one: &PhotoView) -> String {
    let said = format!("{} {} {}", one.sha256, one.mime, one.bytes);
    match &one.name {
        Some(name) => format!("{said} {name}"),
        None => said,
    }
}

fn send_name(send: &SendState) -> &'static str {
    match send {
        SendState::Saved => "saved",
        SendState::Waiting => "waiting",
        SendState::Sent => "sent",
        SendState::Refused { .. } => "refused",
        SendState::Parked { .. } => "parked",
    }
}

fn send(send: &SendState, texts: &Texts) -> [String; 2] {
    let state = texts.both(&format!("send.{}", send_name(send)), &[]);
    let (SendState::Refused { why, advice, .. } | SendState::Parked { why, advice, .. }) = send
    else {
        return state;
    };
    let ([zh, en], [zh_advice, en_advice]) = (state, advised(*advice, texts));
    [
        format!("{zh}：{why}（{zh_advice}）"),
        format!("{en}: {why} ({en_advice})"),
    ]
}

pub(crate) fn sent(state: &SendState, texts: &Texts) -> String {
    let [zh, en] = send(state, texts);
    texts.choose(zh, en)
}

fn advice_name(advice: Advice) -> &'static str {
    match advice {
        Advice::AskSupervisor => "ask_supervisor",
        Advice::WaitForReview => "wait_for_review",
        Advice::Upgrade => "upgrade",
        Advice::RetriedDaily => "retried_daily",
    }
}

fn advised(advice: Advice, texts: &Texts) -> [String; 2] {
    texts.both(&format!("advice.{}", advice_name(advice)), &[])
}

pub(crate) fn patrols(patrols: &[PatrolView], texts: &Texts, out: &mut dyn Write) -> Outcome<()> {
    if patrols.is_empty() {
        writeln!(out, "{}", texts.say("patrol.none", &[]))?;
    }
    for patrol in patrols {
        let (at, state) = (time(patrol.started_ms), sent(&patrol.send, texts));
        writeln!(
            out,
            "{}  {at}  {}  {}  {state}",
            patrol.id, patrol.status, patrol.fixes
        )?;
    }
    Ok(())
}

pub(crate) fn incidents(
    incidents: &[IncidentView],
    texts: &Texts,
    out: &mut dyn Write,
) -> Outcome<()> {
    for incident in incidents {
        let (at, state) = (time(incident.found_ms), sent(&incident.send, texts));
        let IncidentView {
            id,
            status,
            category,
            title,
            ..
        } = incident;
        writeln!(out, "{id}  {at}  {status}  {category}  {title}  {state}")?;
    }
    Ok(())
}

/// A hint at what may be of the same thing.
pub(crate) fn duplicates(
    found: &[DuplicateView],
    texts: &Texts,
    out: &mut dyn Write,
) -> Outcome<()> {
    for duplicate in found {
        let values = [
            ("id", duplicate.incident.id.to_string()),
            ("title", duplicate.incident.title.clone()),
            ("metres", format!("{:.0}", duplicate.apart_m)),
            ("hours", (duplicate.apart_ms / 3_600_000).to_string()),
        ];
        writeln!(out, "{}", texts.say("duplicate.hint", &values))?;
    }
    Ok(())
}

/// Who did something, by their id: names of others are not on a phone.
fn author(by: &Author, texts: &Texts) -> [String; 2] {
    let (name, id) = match by {
        Author::Worker { worker, .. } => ("who.worker", worker.to_string()),
        Author::User { user } => ("who.user", user.to_string()),
        Author::Server { .. } => ("who.server", String::new()),
    };
    texts.both(name, &[("id", id)])
}

/// To whom something is dispatched.
fn assigned(to: &Assignee, texts: &Texts) -> [String; 2] {
    let (name, id) = match to {
        Assignee::Worker(id) => ("who.worker", id.to_string()),
        Assignee::Department(id) => ("who.department", id.to_string()),
        Assignee::Team(id) => ("who.team", id.to_string()),
    };
    texts.both(name, &[("id", id)])
}

/// A step, and what was said with it.
fn step_lines(step: &StepView, texts: &Texts) -> Vec<(&'static str, [String; 2])> {
    let from = step.from.as_deref().unwrap_or("–");
    let at = time(step.at_ms);
    let taken = author(&step.by, texts).map(|by| format!("{at} {from} → {}  {by}", step.to));
    let said = [
        ("show.step_reason", step.reason.clone()),
        ("show.step_note", step.note.clone()),
        ("show.step_place", step.place.as_ref().map(place_text)),
        ("show.step_limit", step.limit_ms.map(time)),
    ];
    let said = said
        .into_iter()
        .filter_map(|(name, value)| Some((name, plain(value?))));
    let proof = step.proof.iter();
    let proof = proof.map(|one| ("show.step_proof", plain(photo_text(one))));
    let taken = std::iter::once(("show.step", taken));
    taken.chain(said).chain(proof).collect()
}

/// What is the same in both languages.
fn plain(text: String) -> [String; 2] {
    [text.clone(), text]
}

/// Files, a line each.
pub(crate) fn files(all: &[PhotoView], texts: &Texts, out: &mut dyn Write) -> Outcome<()> {
    for one in all {
        let said = texts.say("show.media", &[("value", photo_text(one))]);
        writeln!(out, "{said}")?;
    }
    Ok(())
}

pub(crate) fn incident(incident: &IncidentView, texts: &Texts, out: &mut dyn Write) -> Outcome<()> {
    writeln!(out, "{}  {}", incident.id, incident.title)?;
    writeln!(out, "{}", sent(&incident.send, texts))?;
    let place = incident.place.as_ref().map(place_text);
    let assignee = incident.assignee.as_ref();
    let due = incident.due_ms;
    let due = due.map(|due| due_text(due, incident.overdue, texts));
    let facts = [
        ("show.status", Some(incident.status.clone())),
        ("show.category", Some(incident.category.clone())),
        ("show.sub", incident.subcategory.clone()),
        ("show.severity", incident.severity.clone()),
        ("show.found", Some(time(incident.found_ms))),
        ("show.place", place),
        ("show.address", incident.address.clone()),
        ("show.holder", incident.holder.map(|grid| grid.to_string())),
        ("show.due", due),
        ("show.description", incident.description.clone()),
    ];
    let mut lines: Vec<(&str, [String; 2])> = facts
        .into_iter()
        .filter_map(|(name, value)| Some((name, plain(value?))))
        .collect();
    lines.extend(assignee.map(|one| ("show.assignee", assigned(one, texts))));
    for (code, answer) in &incident.answers {
        let said = match incident.pictures.get(code) {
            None => vec![answer.to_string()],
            Some(pictures) => pictures.iter().map(photo_text).collect(),
        };
        lines.extend(
            said.iter()
                .map(|said| ("show.answer", plain(format!("{code} = {said}")))),
        );
    }
    lines.extend(
        incident
            .tags
            .iter()
            .map(|tag| ("show.tag", plain(tag.clone()))),
    );
    lines.extend(
        incident
            .photos
            .iter()
            .map(|one| ("show.photo", plain(photo_text(one)))),
    );
    lines.extend(
        incident
            .media
            .iter()
            .map(|one| ("show.media", plain(photo_text(one)))),
    );
    for step in &incident.history {
        lines.extend(step_lines(step, texts));
    }
    lines.extend(incident.comments.iter().map(|said| {
        let (at, text) = (time(said.at_ms), &said.text);
        let by = author(&said.by, texts);
        ("show.comment", by.map(|by| format!("{at} {by} {text}")))
    }));
    for (name, value) in lines {
        writeln!(out, "{}", texts.say_of(name, &[("value", value)]))?;
    }
    Ok(())
}

pub(crate) fn status(status: &Status, texts: &Texts, out: &mut dyn Write) -> Outcome<()> {
    let mut line =
        |name: &str, values: &[(&str, String)]| writeln!(out, "{}", texts.say(name, values));
    match &status.identity {
        None => line("status.not_enrolled", &[])?,
        Some(identity) => {
            line("status.worker", &[("name", identity.worker.name.clone())])?;
            line("status.server", &[("url", identity.server.url.clone())])?;
        }
    }
    for grid in &status.grids {
        line(
            "status.grid",
            &[("code", grid.code.to_string()), ("name", grid.name.clone())],
        )?;
    }
    match &status.shift {
        None => line("status.off", &[])?,
        Some(shift) => {
            let values = [
                ("code", shift.grid.code.to_string()),
                ("since", time(shift.since_ms)),
            ];
            line("status.shift", &values)?;
        }
    }
    if let Some(patrol) = &status.patrol {
        let values = [
            ("id", patrol.id.to_string()),
            ("fixes", patrol.fixes.to_string()),
            ("distance", format!("{:.0}", patrol.distance_m)),
            ("since", time(patrol.since_ms)),
        ];
        line(
            if patrol.paused {
                "status.patrol_paused"
            } else {
                "status.patrol"
            },
            &values,
        )?;
    }
    let unsent = &status.unsent;
    let values = [
        ("ops", unsent.ops.to_string()),
        ("chunks", unsent.chunks.to_string()),
        ("blobs", unsent.blobs.to_string()),
    ];
    line("status.unsent", &values)?;
    match (status.last_contact_ms, status.skew_ms) {
        (Some(at), Some(skew)) => line(
            "status.contact",
            &[("at", time(at)), ("skew", skew.to_string())],
        )?,
        _ => line("status.never", &[])?,
    }
    for same in status
        .refused
        .chunk_by(|a, b| (a.record, &a.why) == (b.record, &b.why))
    {
        let RefusedItem {
            record,
            kind,
            why,
            advice,
            ..
        } = &same[0];
        let values = [
            ("n", plain(same.len().to_string())),
            ("kind", plain(kind.clone())),
            ("record", plain(record.to_string())),
            ("why", plain(why.clone())),
            ("advice", advised(*advice, texts)),
        ];
        writeln!(out, "{}", texts.say_of("status.refused", &values))?;
    }
    if status.conflicts > 0 {
        let n = status.conflicts.to_string();
        writeln!(out, "{}", texts.say("status.conflicts", &[("n", n)]))?;
    }
    if status.left_unsent > 0 {
        let n = status.left_unsent.to_string();
        writeln!(out, "{}", texts.say("status.left", &[("n", n)]))?;
    }
    if status.signed_out {
        writeln!(out, "{}", texts.say("status.signed_out", &[]))?;
    }
    if status.upgrade_needed {
        writeln!(out, "{}", texts.say("sync.upgrade", &[]))?;
    }
    Ok(())
}

/// For programs: names stay, new ones may come.
pub(crate) fn status_json(status: &Status) -> Value {
    json!({
        "worker": status.identity.as_ref().map(|identity| &identity.worker),
        "tenant": status.identity.as_ref().map(|identity| identity.tenant),
        "device": status.identity.as_ref().map(|identity| identity.device),
        "server": status.identity.as_ref().map(|identity| &identity.server.url),
        "grids": status.grids.iter().map(|grid| {
            json!({ "id": grid.id, "code": grid.code, "name": grid.name })
        }).collect::<Vec<_>>(),
        "shift": status.shift.as_ref().map(|shift| {
            json!({ "id": shift.id, "grid": shift.grid.code, "since_ms": shift.since_ms })
        }),
        "patrol": status.patrol.as_ref().map(|patrol| json!({
            "id": patrol.id, "paused": patrol.paused, "since_ms": patrol.since_ms, "fixes": patrol.fixes,
            "refused": patrol.refused, "distance_m": patrol.distance_m, "moving_s": patrol.moving_s,
            "last_fix": patrol.last_fix,
        })),
        "unsent": status.unsent,
        "unsealed_fixes": status.unsealed_fixes,
        "last_contact_ms": status.last_contact_ms,
        "skew_ms": status.skew_ms,
        "upgrade_needed": status.upgrade_needed,
        "signed_out": status.signed_out,
        "conflicts": status.conflicts,
        "left_unsent": status.left_unsent,
        "refused": status.refused.iter().map(|item| json!({
            "record": item.record, "kind": item.kind, "code": item.code, "why": item.why,
            "advice": advice_name(item.advice),
        })).collect::<Vec<_>>(),
    })
}
