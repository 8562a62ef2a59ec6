//! Measures a codec on traces: bytes and nanoseconds a fix.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use gridwalk_domain::Fix;
use gridwalk_track::{Keep, StoredFix, quantise_keeping};
use serde::Serialize;

use super::columns::{Columns, Fields};
use super::timer::ns_each;
use super::{CHUNKS, median};
use crate::traces::Trace;

/// What one chunk is made from: fixes for ours, columns for the others, made
/// before the time is taken.
pub(super) struct Input {
    pub(super) fixes: Vec<StoredFix>,
    pub(super) columns: Columns,
}

/// Something that packs chunks of fixes, each readable by itself.
pub(super) trait Codec {
    fn name(&self) -> &'static str;
    fn encode(&self, input: &Input) -> Result<Vec<u8>>;
    /// Unpacks; the result is compared where `check` asks for it, and thrown
    /// away where only the time counts.
    fn decode(&self, chunk: &[u8], input: &Input, check: bool) -> Result<()>;
}

/// Medians over traces; `None` where no trace has what is measured.
#[derive(Clone, Debug, Serialize)]
pub struct Figures {
    /// Bytes a fix: time and position.
    pub pos: Option<f64>,
    /// Bytes a fix: and accuracy.
    pub pos_acc: Option<f64>,
    /// Bytes a fix: and speed.
    pub full: Option<f64>,
    /// Nanoseconds a fix, encoding time, position and accuracy.
    pub enc_ns: Option<f64>,
    /// Nanoseconds a fix, decoding them.
    pub dec_ns: Option<f64>,
}

pub(super) fn measure(codec: &dyn Codec, traces: &[Trace]) -> Result<BTreeMap<usize, Figures>> {
    CHUNKS
        .into_iter()
        .map(|size| Ok((size, figures(codec, traces, size)?)))
        .collect()
}

fn figures(codec: &dyn Codec, traces: &[Trace], size: usize) -> Result<Figures> {
    let (mut pos, mut pos_acc, mut full) = (vec![], vec![], vec![]);
    let (mut enc_ns, mut dec_ns) = (vec![], vec![]);
    for trace in traces {
        pos.push(run(codec, &inputs(trace, Fields::Position, size))?.bytes);
        if !trace.fixes.iter().any(|f| f.accuracy_m.is_some()) {
            continue;
        }
        let with_accuracy = run(codec, &inputs(trace, Fields::Accuracy, size))?;
        pos_acc.push(with_accuracy.bytes);
        enc_ns.push(with_accuracy.enc_ns);
        dec_ns.push(with_accuracy.dec_ns);
        if trace.fixes.iter().any(|f| f.speed_mps.is_some()) {
            full.push(run(codec, &inputs(trace, Fields::Speed, size))?.bytes);
        }
    }
    Ok(Figures {
        pos: median(pos),
        pos_acc: median(pos_acc),
        full: median(full),
        enc_ns: median(enc_ns),
        dec_ns: median(dec_ns),
    })
}

/// A trace's chunks at the quantum of the comparison: a millionth of a degree,
/// a second, a metre, a decimetre a second.
fn inputs(trace: &Trace, fields: Fields, size: usize) -> Vec<Input> {
    let keep = match fields {
        Fields::Position => Keep::POSITION,
        Fields::Accuracy => Keep::ACCURACY,
        Fields::Speed => Keep::SPEED,
    };
    let fixes: Vec<Fix> = trace
        .fixes
        .iter()
        .map(|raw| {
            let fix = quantise_keeping(raw, keep);
            Fix {
                time_ms: fix.time_ms.div_euclid(1000) * 1000,
                ..fix
            }
        })
        .collect();
    let chunks = fixes.chunks(size);
    chunks
        .map(|chunk| Input {
            fixes: chunk.iter().copied().map(StoredFix::used).collect(),
            columns: Columns::of(chunk, fields),
        })
        .collect()
}

struct Run {
    bytes: f64,
    enc_ns: f64,
    dec_ns: f64,
}

fn run(codec: &dyn Codec, inputs: &[Input]) -> Result<Run> {
    let fixes: usize = inputs.iter().map(|i| i.fixes.len()).sum();
    let (enc_ns, chunks) = ns_each(fixes, || {
        inputs
            .iter()
            .map(|i| codec.encode(i))
            .collect::<Result<Vec<_>>>()
    });
    let chunks = chunks?;
    for (chunk, input) in chunks.iter().zip(inputs) {
        codec.decode(chunk, input, true)?;
    }
    let (dec_ns, decoded) = ns_each(fixes, || {
        chunks
            .iter()
            .zip(inputs)
            .try_for_each(|(c, i)| codec.decode(c, i, false))
    });
    decoded?;
    let bytes: usize = chunks.iter().map(Vec::len).sum();
    ensure!(fixes > 0, "a trace without fixes");
    #[expect(clippy::cast_precision_loss, reason = "counts of bytes and fixes")]
    let bytes = bytes as f64 / fixes as f64;
    Ok(Run {
        bytes,
        enc_ns,
        dec_ns,
    })
}
