//! `conflicts` and `resolve`.

use gridwalk_domain::{EntityId, OpId};
use gridwalk_engine::{Choice, ConflictView, Engine, EngineError, VersionView};
use std::io::Write;

use crate::problem::{Outcome, Problem};
use crate::show::time;
use crate::text::Texts;

/// What of a field shall stand.
pub(crate) struct Asked<'a> {
    pub(crate) record: EntityId,
    pub(crate) field: &'a str,
    pub(crate) keep: Option<&'a str>,
    pub(crate) text: Option<&'a str>,
}

fn text_of(version: &VersionView) -> String {
    let text = version.value.as_str().map(str::to_owned);
    text.unwrap_or_else(|| version.value.to_string())
}

pub(crate) fn list(conflicts: &[ConflictView], texts: &Texts, out: &mut dyn Write) -> Outcome<()> {
    if conflicts.is_empty() {
        writeln!(out, "{}", texts.say("conflict.none", &[]))?;
    }
    for conflict in conflicts {
        let (record, field) = (conflict.record, &conflict.field);
        let title = conflict.title.as_deref().unwrap_or_default();
        writeln!(out, "{record}  {field}  {title}")?;
        let mut version = |name: &str, version: &VersionView| {
            let values = [
                ("id", version.op.to_string()),
                ("at", time(version.at_ms)),
                ("text", text_of(version)),
            ];
            writeln!(out, "  {}", texts.say(name, &values))
        };
        version("conflict.stands", &conflict.standing)?;
        for other in &conflict.others {
            version("conflict.proposed", other)?;
        }
    }
    Ok(())
}

pub(crate) fn resolve(
    engine: &Engine,
    asked: &Asked<'_>,
    texts: &Texts,
    out: &mut dyn Write,
) -> Outcome<()> {
    let conflicts = engine.conflicts()?;
    let conflict = conflicts
        .iter()
        .find(|conflict| conflict.record == asked.record && conflict.field == asked.field)
        .ok_or(EngineError::NotFound)?;
    let choice = match (asked.keep, asked.text) {
        (Some(id), _) => Choice::Keep(
            id.parse::<OpId>()
                .map_err(|_| Problem::text("problem.id", vec![("text", id.to_owned())]))?,
        ),
        (None, text) => Choice::Write(text.unwrap_or_default().into()),
    };
    engine.settle(conflict, choice)?;
    writeln!(out, "{}", texts.say("conflict.settled", &[]))?;
    Ok(())
}
