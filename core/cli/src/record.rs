//! `patrol record`: a file at once, standard input as it comes.

use gridwalk_domain::Fix;
use gridwalk_engine::Engine;
use gridwalk_track::read;
use std::fs;
use std::io::{self, BufRead, Write};
use std::path::Path;

use crate::problem::{Outcome, Problem};

/// Fixes of one call, where a file gives all of them at once.
const AT_ONCE: usize = 20;

/// What was recorded.
#[derive(Default)]
pub(crate) struct Done {
    pub(crate) fixes: u64,
    pub(crate) refused: u64,
}

/// Records a file, or standard input for `-`. A file is read whole before its
/// first fix is recorded: a malformed one changes nothing.
pub(crate) fn run(engine: &Engine, file: &Path, out: &mut dyn Write) -> Outcome<Done> {
    let mut done = Done::default();
    if file.as_os_str() == "-" {
        stream(engine, file, &mut io::stdin().lock(), out, &mut done)?;
        return Ok(done);
    }
    let bytes = fs::read(file).map_err(|error| Problem::reading(file, &error))?;
    let fixes = read::any(&bytes).map_err(|error| Problem::track(file, &error))?;
    for part in fixes.chunks(AT_ONCE) {
        keep(engine, part, out, &mut done)?;
    }
    Ok(done)
}

/// Records some fixes and says so, flushed: who reads the line may rely on it.
fn keep(engine: &Engine, fixes: &[Fix], out: &mut dyn Write, done: &mut Done) -> Outcome<()> {
    if fixes.is_empty() {
        return Ok(());
    }
    let recorded = engine.record(fixes)?;
    done.fixes += fixes.len() as u64;
    done.refused += recorded.refused.len() as u64;
    writeln!(out, "acked {}", recorded.acked)?;
    Ok(out.flush()?)
}

/// CSV is recorded line by line as it comes; GPX has no lines and is read whole.
fn stream(
    engine: &Engine,
    file: &Path,
    input: &mut impl BufRead,
    out: &mut dyn Write,
    done: &mut Done,
) -> Outcome<()> {
    let unreadable = |error: io::Error| Problem::reading(file, &error);
    if input
        .fill_buf()
        .map_err(unreadable)?
        .iter()
        .find(|byte| !byte.is_ascii_whitespace())
        == Some(&b'<')
    {
        let mut bytes = Vec::new();
        input.read_to_end(&mut bytes).map_err(unreadable)?;
        let fixes = read::gpx(&bytes).map_err(|error| Problem::track(file, &error))?;
        return fixes
            .chunks(AT_ONCE)
            .try_for_each(|part| keep(engine, part, out, done));
    }
    let mut header = Vec::new();
    input.read_until(b'\n', &mut header).map_err(unreadable)?;
    let mut number = 1;
    loop {
        // All lines that have come already go in one call.
        let mut lines = header.clone();
        let mut count = 0;
        while count < AT_ONCE {
            let before = lines.len();
            if input.read_until(b'\n', &mut lines).map_err(unreadable)? == 0 {
                break;
            }
            count += 1;
            let more = input.fill_buf().map_err(unreadable);
            let waiting = lines.len() > before && more.is_ok_and(|buffer| buffer.contains(&b'\n'));
            if !waiting {
                break;
            }
        }
        let fixes = read::csv(&lines).map_err(|mut error| {
            // Of the whole input, not of this piece.
            if error.line > 1 {
                error.line += number - 1;
            }
            Problem::track(file, &error)
        })?;
        if count == 0 {
            return Ok(());
        }
        number += count as u64;
        keep(engine, &fixes, out, done)?;
    }
}
