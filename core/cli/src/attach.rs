//! Attachments: put to an incident, fetched from the server.

use gridwalk_domain::Sha256;
use gridwalk_engine::media::NotTaken;
use gridwalk_engine::{
    Content, Engine, EngineError, FetchOptions, HttpTransport, NewAttachment, ServerAddress,
};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::args::Attachment;
use crate::problem::{Outcome, Problem, shown};
use crate::run::parsed;
use crate::text::Texts;

/// Attaches files to an incident.
pub(crate) fn attach(
    engine: &Engine,
    id: &str,
    files: &[PathBuf],
    texts: &Texts,
    out: &mut dyn Write,
) -> Outcome<()> {
    let new = files.iter().map(|file| NewAttachment {
        name: file
            .file_name()
            .map(|name| name.to_string_lossy().into_owned()),
        ..NewAttachment::new(Content::File(file.clone()))
    });
    let at_fault = |error: EngineError| match &error {
        EngineError::NotTaken { index, .. } => match files.get(*index as usize) {
            Some(file) => Problem::from(error).at(shown(file)),
            None => error.into(),
        },
        _ => error.into(),
    };
    let attached = engine
        .attach_all(parsed(id)?, new.collect())
        .map_err(at_fault)?;
    for (sha256, file) in attached.iter().zip(files) {
        let values = [("sha256", sha256.to_string()), ("file", shown(file))];
        writeln!(out, "{}", texts.say("attachment.kept", &values))?;
    }
    Ok(())
}

pub(crate) fn run(
    engine: &Engine,
    verb: &Attachment,
    server: Option<&str>,
    texts: &Texts,
    out: &mut dyn Write,
) -> Outcome<()> {
    let Attachment::Fetch { sha256, out: file } = verb;
    let wrong = || Problem::text("problem.sha256", vec![("text", sha256.clone())]);
    let content: Sha256 = sha256.parse().map_err(|_| wrong())?;
    fetch(engine, content, server)?;
    match file {
        Some(file) => write(engine, content, file)?,
        None => {
            let bytes = engine.photo(content)?.len();
            let values = [("sha256", sha256.clone()), ("bytes", bytes.to_string())];
            writeln!(out, "{}", texts.say("attachment.here", &values))?;
            return Ok(());
        }
    }
    let values = [("file", file.as_deref().map_or_else(String::new, shown))];
    writeln!(out, "{}", texts.say("exported", &values))?;
    Ok(())
}

/// Brings it here, unless it is.
fn fetch(engine: &Engine, sha256: Sha256, server: Option<&str>) -> Outcome<()> {
    let known = engine.servers()?.into_iter().next();
    let known = known.ok_or(EngineError::NotEnrolled)?;
    let address = match server {
        None => known,
        Some(url) => ServerAddress {
            ca: known.ca,
            ..ServerAddress::parse(url)?
        },
    };
    let at_server = |error| Problem::from(error).at(address.url.clone());
    let transport = HttpTransport::new(&address).map_err(at_server)?;
    let options = FetchOptions {
        by_person: true,
        ..FetchOptions::default()
    };
    engine
        .fetch(&transport, sha256, &options)
        .map_err(at_server)?;
    Ok(())
}

/// Writes it into a file, which bears its name once all of it is right.
fn write(engine: &Engine, sha256: Sha256, file: &Path) -> Outcome<()> {
    let mut aside = file.as_os_str().to_owned();
    aside.push(".part");
    let aside = PathBuf::from(aside);
    let wrong = |error: io::Error| Problem::writing(file, &error);
    let mut out = BufWriter::new(File::create(&aside).map_err(wrong)?);
    let copied = engine.copy_attachment(sha256, &mut out);
    let copied = copied
        .map_err(Problem::from)
        .and_then(|_| out.flush().map_err(wrong))
        .and_then(|()| std::fs::rename(&aside, file).map_err(wrong));
    if copied.is_err() {
        let _ = std::fs::remove_file(&aside);
    }
    copied
}

/// What the text of a refusal has blanks for.
pub(crate) fn values(index: u32, why: &NotTaken) -> Vec<(&'static str, String)> {
    let mut values = vec![("index", (index + 1).to_string())];
    match why {
        NotTaken::TooLarge { kind, bytes, most } => values.extend([
            ("kind", kind.to_string()),
            ("bytes", bytes.to_string()),
            ("most", most.to_string()),
        ]),
        NotTaken::TooManyPixels {
            width,
            height,
            most,
        } => values.extend([
            ("width", width.to_string()),
            ("height", height.to_string()),
            ("most", most.to_string()),
        ]),
        NotTaken::WrongKind { found, wanted } => {
            values.extend([("found", found.to_string()), ("wanted", wanted.to_string())]);
        }
        NotTaken::Fixed { what } => values.push(("what", (*what).to_owned())),
        NotTaken::Unreadable { why } => values.push(("why", why.clone())),
        NotTaken::Empty | NotTaken::UnknownType | NotTaken::Broken => {}
    }
    values
}
