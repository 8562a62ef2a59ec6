//! Sites: how they stand, and checking in.

use gridwalk_engine::track::coverage::duty::{By, Miss, Reason, Unit};
use gridwalk_engine::{CoverageView, Engine, NewCheckIn};
use std::io::Write;

use crate::args::SiteVerb;
use crate::problem::Outcome;
use crate::run::parsed;
use crate::text::Texts;

pub(crate) fn run(
    engine: &Engine,
    verb: &SiteVerb,
    texts: &Texts,
    out: &mut dyn Write,
) -> Outcome<()> {
    match verb {
        SiteVerb::List => list(&engine.coverage()?, texts, out),
        SiteVerb::CheckIn { site, missed, note } => {
            let id = engine.check_in(NewCheckIn {
                site: parsed(site)?,
                missed: missed.clone(),
                note: note.clone(),
                place: None,
            })?;
            let said = if missed.is_some() {
                "site.missed"
            } else {
                "site.checked_in"
            };
            Ok(writeln!(
                out,
                "{}",
                texts.say(said, &[("id", id.to_string())])
            )?)
        }
    }
}

fn list(view: &CoverageView, texts: &Texts, out: &mut dyn Write) -> Outcome<()> {
    if view.sites.is_empty() {
        return Ok(writeln!(out, "{}", texts.say("site.none", &[]))?);
    }
    let values = [("met", view.met.to_string()), ("due", view.due.to_string())];
    writeln!(out, "{}", texts.say("site.coverage", &values))?;
    for site in &view.sites {
        let state = match &site.unit {
            None => texts.say("site.not_due", &[]),
            Some(unit) => standing(unit, texts),
        };
        writeln!(out, "{}  {}  {state}", site.site.id, site.site.name)?;
    }
    Ok(())
}

fn standing(unit: &Unit, texts: &Texts) -> String {
    let metres = |m: f64| ("metres", format!("{m:.0}"));
    match &unit.reason {
        None => match unit.visits.last().map(|visit| visit.by) {
            Some(By::Route(m)) => texts.say("site.passed", &[metres(m)]),
            _ => texts.say("site.by_hand", &[]),
        },
        Some(Reason::Said(word, note)) => {
            let note = note.clone().unwrap_or_default();
            texts.say(
                "site.said",
                &[("why", format!("{word} {note}").trim().to_owned())],
            )
        }
        Some(Reason::NotYet) => texts.say("site.not_yet", &[]),
        Some(Reason::TooFew) => texts.say("site.too_few", &[("times", unit.times.to_string())]),
        Some(Reason::NoPatrol) => texts.say("site.no_patrol", &[]),
        Some(Reason::Route(Miss::Vague)) => texts.say("site.vague", &[]),
        Some(Reason::Route(Miss::Gap(_))) => texts.say("site.gap", &[]),
        Some(Reason::Route(Miss::NotNear(Some(m)))) => texts.say("site.not_near", &[metres(*m)]),
        Some(Reason::Route(Miss::NotNear(None))) => texts.say("site.no_route", &[]),
    }
}
