//! What one could use instead, each written as its users would: columns of
//! delta of delta with zstd, pcodec, Google's polyline with times beside it.

use anyhow::{Context as _, Result, ensure};
use geo_types::Coord;
use pco::ChunkConfig;
use pco::standalone::{simple_compress, simple_decompress};

use super::codecs::{Codec, Input};
use super::columns::Columns;

/// Delta of delta (of accuracy and speed: delta) in columns, as varints,
/// compressed by zstd at its level 19.
pub(super) struct DodZstd;

impl Codec for DodZstd {
    fn name(&self) -> &'static str {
        "dod_zstd19"
    }

    fn encode(&self, input: &Input) -> Result<Vec<u8>> {
        let mut plain = Vec::with_capacity(input.columns.len() * 4);
        put(&mut plain, input.columns.len() as u64);
        for (i, column) in input.columns.measured().enumerate() {
            let first = deltas(column);
            let written = if i < 3 { deltas(&first) } else { first };
            written.iter().for_each(|v| put(&mut plain, zigzag(*v)));
        }
        Ok(zstd::bulk::compress(&plain, 19)?)
    }

    fn decode(&self, chunk: &[u8], input: &Input, check: bool) -> Result<()> {
        let plain = zstd::bulk::decompress(chunk, 16 << 20)?;
        let mut at = 0;
        let count = usize::try_from(get(&plain, &mut at)?)?;
        let mut columns = Vec::new();
        while at < plain.len() {
            let read = (0..count).map(|_| Ok(unzigzag(get(&plain, &mut at)?)));
            let read = read.collect::<Result<Vec<i64>>>()?;
            let first = if columns.len() < 3 { sums(&read) } else { read };
            columns.push(sums(&first));
        }
        same(Columns::from_measured(columns), input, check)
    }
}

/// pcodec with its own choice of everything, a column each.
pub(super) struct Pcodec;

impl Codec for Pcodec {
    fn name(&self) -> &'static str {
        "pcodec"
    }

    fn encode(&self, input: &Input) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        for column in input.columns.measured() {
            let packed = simple_compress(column, &ChunkConfig::default())?;
            put(&mut out, packed.len() as u64);
            out.extend_from_slice(&packed);
        }
        Ok(out)
    }

    fn decode(&self, chunk: &[u8], input: &Input, check: bool) -> Result<()> {
        let mut at = 0;
        let mut columns = Vec::new();
        while at < chunk.len() {
            let length = usize::try_from(get(chunk, &mut at)?)?;
            let packed = chunk.get(at..at + length).context("cut short")?;
            columns.push(simple_decompress::<i64>(packed)?);
            at += length;
        }
        same(Columns::from_measured(columns), input, check)
    }
}

/// A polyline of precision 6, then the other columns as varints of deltas.
pub(super) struct Polyline;

impl Codec for Polyline {
    fn name(&self) -> &'static str {
        "polyline6"
    }

    #[expect(clippy::cast_precision_loss, reason = "millionths of a degree")]
    fn encode(&self, input: &Input) -> Result<Vec<u8>> {
        let c = &input.columns;
        let way = c.lat.iter().zip(&c.lon);
        let way = way.map(|(lat, lon)| Coord {
            x: *lon as f64 / 1e6,
            y: *lat as f64 / 1e6,
        });
        let line = polyline::encode_coordinates(way, 6)?;
        let mut out = Vec::new();
        put(&mut out, line.len() as u64);
        out.extend_from_slice(line.as_bytes());
        for column in [&c.time, &c.accuracy, &c.speed] {
            deltas(column)
                .iter()
                .for_each(|v| put(&mut out, zigzag(*v)));
        }
        Ok(out)
    }

    #[expect(clippy::cast_possible_truncation, reason = "millionths of a degree")]
    fn decode(&self, chunk: &[u8], input: &Input, check: bool) -> Result<()> {
        let mut at = 0;
        let length = usize::try_from(get(chunk, &mut at)?)?;
        let line = std::str::from_utf8(chunk.get(at..at + length).context("cut short")?)?;
        at += length;
        let way = polyline::decode_polyline(line, 6)?;
        let mut columns = vec![
            Vec::new(),
            way.coords().map(|c| (c.y * 1e6).round() as i64).collect(),
            way.coords().map(|c| (c.x * 1e6).round() as i64).collect(),
        ];
        while at < chunk.len() {
            let read = (0..way.0.len()).map(|_| Ok(unzigzag(get(chunk, &mut at)?)));
            let column = sums(&read.collect::<Result<Vec<i64>>>()?);
            if columns[0].is_empty() {
                columns[0] = column;
            } else {
                columns.push(column);
            }
        }
        same(Columns::from_measured(columns), input, check)
    }
}

fn same(columns: Columns, input: &Input, check: bool) -> Result<()> {
    let columns = std::hint::black_box(columns);
    ensure!(
        !check || columns == input.columns,
        "a peer did not give back what went in"
    );
    Ok(())
}

fn deltas(values: &[i64]) -> Vec<i64> {
    let mut before = 0;
    values
        .iter()
        .map(|v| v - std::mem::replace(&mut before, *v))
        .collect()
}

fn sums(deltas: &[i64]) -> Vec<i64> {
    let mut sum = 0;
    deltas
        .iter()
        .map(|d| {
            sum += d;
            sum
        })
        .collect()
}

fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}

fn put(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}

fn get(bytes: &[u8], at: &mut usize) -> Result<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = *bytes.get(*at).context("cut short")?;
        *at += 1;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            break;
        }
    }
    Ok(value)
}
