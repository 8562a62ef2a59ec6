//! `logout` and `vault`.

use gridwalk_engine::{Engine, LogOut, VaultView, VaultWhy};
use std::io::Write;
use std::path::Path;

use crate::problem::{Outcome, Problem, shown};
use crate::show::time;
use crate::text::Texts;

pub(crate) fn log_out(
    engine: &Engine,
    yes: bool,
    texts: &Texts,
    out: &mut dyn Write,
) -> Outcome<()> {
    match engine.log_out(yes)? {
        LogOut::Done => {
            writeln!(out, "{}", texts.say("logout.done", &[]))?;
            Ok(())
        }
        LogOut::Asks(departure) => {
            let values = vec![
                ("ops", departure.unsent.ops.to_string()),
                ("chunks", departure.unsent.chunks.to_string()),
                ("blobs", departure.unsent.blobs.to_string()),
            ];
            Err(Problem::text("logout.asks", values))
        }
    }
}

pub(crate) fn vault(vault: &[VaultView], texts: &Texts, out: &mut dyn Write) -> Outcome<()> {
    if vault.is_empty() {
        writeln!(out, "{}", texts.say("vault.none", &[]))?;
    }
    for view in vault {
        let name = match view.why {
            VaultWhy::LoggedOut => "vault.logged_out",
            VaultWhy::Replaced => "vault.replaced",
            VaultWhy::ScopeLost => "vault.scope_lost",
        };
        let values = [
            ("since", view.since_ms.map_or_else(|| "–".to_owned(), time)),
            ("ops", view.unsent.ops.to_string()),
            ("chunks", view.unsent.chunks.to_string()),
            ("blobs", view.unsent.blobs.to_string()),
            ("kept", view.kept.to_string()),
        ];
        writeln!(out, "{}", texts.say(name, &values))?;
    }
    Ok(())
}

pub(crate) fn export(
    engine: &Engine,
    folder: &Path,
    texts: &Texts,
    out: &mut dyn Write,
) -> Outcome<()> {
    let written = engine
        .export_unsent(folder)
        .map_err(|error| Problem::from(error).at(shown(folder)))?;
    let values = [
        ("file", shown(folder)),
        ("ops", written.ops.to_string()),
        ("chunks", written.chunks.to_string()),
        ("blobs", written.blobs.to_string()),
    ];
    writeln!(out, "{}", texts.say("vault.exported", &values))?;
    if written.unreadable > 0 {
        let values = [("blobs", written.unreadable.to_string())];
        writeln!(out, "{}", texts.say("vault.unreadable", &values))?;
    }
    Ok(())
}
