//! The verbs.

use gridwalk_domain::EntityId;
use gridwalk_engine::{
    Config, Engine, EngineError, Format, HttpTransport, Invitation, Network, SyncOptions,
    SystemDisk,
};
use gridwalk_system::{SystemClock, SystemRng};
use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use crate::args::{Args, FileFormat, Patrol, Shift, Vault, Verb};
use crate::problem::{Outcome, Problem, shown};
use crate::text::Texts;
use crate::{
    attach, catalogue, conflict, incident, key, leave, mediation, record, show, sites, sync, work,
};

pub(crate) fn run(args: &Args, texts: &Texts) -> Outcome<()> {
    let out = &mut io::stdout().lock();
    let engine = open(args, texts)?;
    match &args.verb {
        Verb::Enrol { invitation } => enrol(args, &engine, invitation, texts, out)?,
        Verb::Shift(verb) => shift(&engine, verb, texts, out)?,
        Verb::Patrol(verb) => patrol(&engine, verb, texts, out)?,
        Verb::Incident(verb) => incident::run(&engine, verb, texts, out)?,
        Verb::Draft(verb) => incident::draft(&engine, verb, texts, out)?,
        Verb::Finding(verb) => work::finding(&engine, verb, texts, out)?,
        Verb::Visit(verb) => work::visit(&engine, verb, texts, out)?,
        Verb::Task(verb) => work::task(&engine, verb, texts, out)?,
        Verb::Notice(verb) => work::notice(&engine, verb, texts, out)?,
        Verb::Mediation(verb) => mediation::run(&engine, verb, texts, out)?,
        Verb::Sync { metered, budget } => {
            let options = SyncOptions {
                network: if *metered {
                    Network::Metered
                } else {
                    Network::Unmetered
                },
                budget_bytes: *budget,
                ..SyncOptions::default()
            };
            sync::run(args.server.as_deref(), &engine, options, texts, out)?;
        }
        Verb::Logout { yes } => leave::log_out(&engine, *yes, texts, out)?,
        Verb::Vault { verb: None } => leave::vault(&engine.vault()?, texts, out)?,
        Verb::Vault {
            verb: Some(Vault::Export { folder }),
        } => leave::export(&engine, folder, texts, out)?,
        Verb::Conflicts => conflict::list(&engine.conflicts()?, texts, out)?,
        Verb::Resolve {
            record,
            field,
            keep,
            text,
        } => {
            let asked = conflict::Asked {
                record: parsed(record)?,
                field,
                keep: keep.as_deref(),
                text: text.as_deref(),
            };
            conflict::resolve(&engine, &asked, texts, out)?;
        }
        Verb::Catalogue { code } => catalogue::run(&engine, code.as_deref(), texts, out)?,
        Verb::Attachment(verb) => {
            attach::run(&engine, verb, args.server.as_deref(), texts, out)?;
        }
        Verb::Site(verb) => sites::run(&engine, verb, texts, out)?,
        Verb::Status { json: true } => writeln!(out, "{}", show::status_json(&engine.status()?))?,
        Verb::Status { json: false } => show::status(&engine.status()?, texts, out)?,
        Verb::Export {
            patrol,
            format,
            out: file,
        } => {
            export(&engine, patrol, *format, file.as_deref(), texts, out)?;
        }
    }
    engine.close();
    Ok(out.flush()?)
}

fn open(args: &Args, texts: &Texts) -> Outcome<Engine> {
    let rng = SystemRng::new().map_err(|_| Problem::text("problem.entropy", vec![]))?;
    let config = Config {
        path: args.db.clone(),
        disk: Arc::new(SystemDisk),
        key: args
            .key_file
            .as_deref()
            .map(|file| key::read(file, texts))
            .transpose()?,
        clock: Arc::new(SystemClock::new()),
        rng: Arc::new(rng),
        platform: "terminal".to_owned(),
        app: env!("CARGO_PKG_VERSION").to_owned(),
    };
    Engine::open(config).map_err(|error| Problem::from(error).at(shown(&args.db)))
}

fn enrol(
    args: &Args,
    engine: &Engine,
    text: &str,
    texts: &Texts,
    out: &mut dyn Write,
) -> Outcome<()> {
    let invitation = Invitation::parse(text, args.server.as_deref())?;
    let at_server = |error| Problem::from(error).at(invitation.server.url.clone());
    let transport = HttpTransport::new(&invitation.server).map_err(at_server)?;
    let identity = engine.enrol(&transport, &invitation).map_err(at_server)?;
    writeln!(
        out,
        "{}",
        texts.say("enrolled", &[("name", identity.worker.name)])
    )?;
    Ok(())
}

fn shift(engine: &Engine, verb: &Shift, texts: &Texts, out: &mut dyn Write) -> Outcome<()> {
    match verb {
        Shift::Start { grid } => {
            let grid = grid
                .as_deref()
                .map(|code| engine.grid_by_code(code))
                .transpose()?;
            let id = engine.start_shift(grid.map(|grid| grid.id))?;
            let grid = engine
                .status()?
                .shift
                .map_or_else(String::new, |shift| shift.grid.code.to_string());
            writeln!(
                out,
                "{}",
                texts.say("shift.started", &[("grid", grid), ("id", id.to_string())])
            )?;
        }
        Shift::End => {
            engine.end_shift()?;
            writeln!(out, "{}", texts.say("shift.ended", &[]))?;
        }
    }
    Ok(())
}

fn patrol(engine: &Engine, verb: &Patrol, texts: &Texts, out: &mut dyn Write) -> Outcome<()> {
    match verb {
        Patrol::Start => {
            let id = engine.start_patrol()?;
            writeln!(
                out,
                "{}",
                texts.say("patrol.started", &[("id", id.to_string())])
            )?;
        }
        Patrol::Record { file } => {
            let done = record::run(engine, file, out)?;
            let values = [
                ("fixes", done.fixes.to_string()),
                ("refused", done.refused.to_string()),
            ];
            writeln!(out, "{}", texts.say("patrol.recorded", &values))?;
        }
        Patrol::Pause => {
            engine.pause_patrol()?;
            writeln!(out, "{}", texts.say("patrol.paused", &[]))?;
        }
        Patrol::Resume => {
            engine.resume_patrol()?;
            writeln!(out, "{}", texts.say("patrol.resumed", &[]))?;
        }
        Patrol::Finish => {
            let summary = engine.finish_patrol()?;
            let values = [
                ("id", summary.patrol.to_string()),
                ("distance", format!("{:.0}", summary.distance_m)),
                ("moving", summary.moving_s.to_string()),
                ("fixes", summary.fixes.to_string()),
                ("gaps", summary.gaps.to_string()),
            ];
            writeln!(out, "{}", texts.say("patrol.finished", &values))?;
        }
        Patrol::List => show::patrols(&engine.patrols()?, texts, out)?,
    }
    Ok(())
}

pub(crate) fn parsed(id: &str) -> Outcome<EntityId> {
    id.parse()
        .map_err(|_| Problem::text("problem.id", vec![("text", id.to_owned())]))
}

/// A patrol by its id, or the last one.
pub(crate) fn patrol_of(engine: &Engine, patrol: &str) -> Outcome<EntityId> {
    match patrol {
        "last" => {
            let patrols = engine.patrols()?;
            let last = patrols.first().ok_or(EngineError::NotFound)?;
            Ok(last.id)
        }
        id => parsed(id),
    }
}

fn export(
    engine: &Engine,
    patrol: &str,
    format: FileFormat,
    file: Option<&Path>,
    texts: &Texts,
    out: &mut dyn Write,
) -> Outcome<()> {
    let id = patrol_of(engine, patrol)?;
    let format = match format {
        FileFormat::Gpx => Format::Gpx,
        FileFormat::Geojson => Format::GeoJson,
        FileFormat::Csv => Format::Csv,
    };
    let text = engine.export(id, format)?;
    match file {
        None => out.write_all(text.as_bytes())?,
        Some(file) => {
            fs::write(file, text).map_err(|error| Problem::writing(file, &error))?;
            writeln!(out, "{}", texts.say("exported", &[("file", shown(file))]))?;
        }
    }
    Ok(())
}
