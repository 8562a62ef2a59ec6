//! `patrol record`: a file at once, standard input as it comes.

use gridwalk_domain::Fix;
use gridwalk_engine::Engine;
use gridwalk_track::read;
use std::fs;
use std::io::{self, BufRead as _, BufReader, Read, Write};
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
        stream(
            engine,
            file,
            &mut BufReader::new(io::stdin().lock()),
            out,
            &mut done,
        )?;
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
    input: &mut BufReader<impl Read>,
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
        let (lines, count) = waiting(input).map_err(unreadable)?;
        if count == 0 && number > 1 {
            return Ok(());
        }
        if count == 0 || !lines.trim_ascii().is_empty() {
            let fixes = read::csv(&[header.as_slice(), &lines].concat()).map_err(|mut error| {
                // Of the whole input, not of this piece.
                if error.line > 1 {
                    error.line += number - 1;
                }
                Problem::track(file, &error)
            })?;
            keep(engine, &fixes, out, done)?;
        }
        number += count;
    }
}

/// The next line and those that have come already: they go in one call. How
/// many lines; none at the end.
fn waiting(input: &mut BufReader<impl Read>) -> io::Result<(Vec<u8>, u64)> {
    let (mut lines, mut count) = (Vec::new(), 0);
    while count < AT_ONCE as u64 && input.read_until(b'\n', &mut lines)? > 0 {
        count += 1;
        // No more than is there: who feeds one fix and waits for its
        // acknowledgement must not be waited for.
        if !input.buffer().contains(&b'\n') {
            break;
        }
    }
    Ok((lines, count))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives one piece at a time, as a pipe does.
    struct Pieces(Vec<&'static [u8]>);

    impl Read for Pieces {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            assert!(!self.0.is_empty(), "asked for more than it needed");
            let piece = self.0.remove(0);
            out[..piece.len()].copy_from_slice(piece);
            Ok(piece.len())
        }
    }

    #[test]
    fn lines_that_came_together_go_together_and_nobody_is_waited_for() {
        let mut input = BufReader::new(Pieces(vec![b"1\n2\n3", b"\n", b"4\n"]));
        let mut next = || waiting(&mut input).expect("reads");
        assert_eq!(next(), (b"1\n2\n".to_vec(), 2));
        assert_eq!(next(), (b"3\n".to_vec(), 1));
        assert_eq!(next(), (b"4\n".to_vec(), 1));
    }
}
