//! Trains the codec's prior, and says how well it does on what it has not seen.

use std::io::Write;

use anyhow::Result;
use gridwalk_domain::Fix;
use gridwalk_track::codec::training::{Question, encode_with, questions, table};
use gridwalk_track::{Keep, StoredFix, quantise_keeping};

use crate::traces::{Trace, synthetic};

/// How many synthetic days of each kind are learnt from.
const DAYS: u64 = 12;
/// How often each shipped trace is: there are few, and they are real.
const REAL: usize = 2;

/// What the shipped prior is trained on.
#[must_use]
pub fn lessons(shipped: &[Trace]) -> Vec<Trace> {
    let real = std::iter::repeat_n(shipped, REAL).flatten().cloned();
    synthetic(1, DAYS).into_iter().chain(real).collect()
}

/// The table that these traces teach, cut into chunks of several lengths.
#[must_use]
pub fn learn(lessons: &[Trace]) -> Vec<u8> {
    let mut chunks: Vec<Vec<Question>> = Vec::new();
    for trace in lessons {
        let fixes = stored(trace, Keep::ALL);
        for size in [60, 300, 3600] {
            chunks.extend(fixes.chunks(size).map(questions));
        }
    }
    table(&chunks)
}

/// Each shipped trace by a table that has not seen it, and new synthetic days.
///
/// # Errors
///
/// Where the lines cannot be written.
pub fn check(shipped: &[Trace], out: &mut impl Write) -> Result<()> {
    writeln!(
        out,
        "{:32} pos 60/300/3600         pos+acc               +speed",
        "bytes a fix"
    )?;
    let table = learn(&lessons(&[]));
    let fresh = synthetic(crate::traces::MEASURED_FROM, 5);
    for trace in fresh.iter().chain(shipped) {
        line(&table, trace, "synthetic only", out)?;
    }
    for (i, trace) in shipped.iter().enumerate() {
        let others: Vec<Trace> = shipped
            .iter()
            .enumerate()
            .filter(|(j, _)| *j != i)
            .map(|(_, t)| t.clone())
            .collect();
        line(&learn(&lessons(&others)), trace, "unseen", out)?;
    }
    Ok(())
}

fn line(table: &[u8], trace: &Trace, what: &str, out: &mut impl Write) -> Result<()> {
    write!(out, "{:32}", format!("{:.20} {what}", trace.name))?;
    for keep in [Keep::POSITION, Keep::ACCURACY, Keep::SPEED] {
        let fixes = stored(trace, keep);
        for size in [60, 300, 3600] {
            let mut bytes = 0;
            for chunk in fixes.chunks(size) {
                bytes += encode_with(table, chunk)?.len();
            }
            #[expect(clippy::cast_precision_loss, reason = "counts")]
            let each = bytes as f64 / fixes.len() as f64;
            write!(out, " {each:.3}")?;
        }
        write!(out, "  ")?;
    }
    writeln!(out)?;
    Ok(())
}

fn stored(trace: &Trace, keep: Keep) -> Vec<StoredFix> {
    let quantised = |f: &Fix| StoredFix::used(quantise_keeping(f, keep));
    trace.fixes.iter().map(quantised).collect()
}
