//! `./dev bench sync`: what the server takes and gives, over HTTP on loopback,
//! beside the floor: the same rows by prepared statements with a commit for each
//! batch, in the same kind of database, in the same run.
//!
//! The server is a process of its own, on the disk, with its defaults but for
//! the pace that it sets a phone. Clients share its cores, so they are thin, and
//! make their requests before the clock runs.

#![expect(clippy::print_stdout, reason = "its result")]
#![expect(clippy::disallowed_methods, reason = "it measures time")]
#![expect(clippy::cast_precision_loss, reason = "figures for people")]

mod floor;
mod line;
mod phone;
mod server;

use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};
use clap::Parser;
use gridwalk_bench::arguments;
use gridwalk_domain::wire::tracks::NamedChunk;
use gridwalk_domain::wire::{ChunkName, PullRequest, PullResponse, Unsent};
use gridwalk_domain::{EntityId, Fix, Position, RunId, StreamKey};
use gridwalk_track::{StoredFix, codec, quantise};
use serde::Serialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

use line::{Line, Sealed};
use phone::{BATCH, EDITS, Phone, all_taken};
use server::Serving;

#[derive(Parser)]
struct Args {
    /// One JSON object on the last line
    #[arg(long)]
    json: bool,
    /// Ops over which the server's memory is watched
    #[arg(long, default_value_t = 1_000_000)]
    ops: usize,
    /// Serves a folder, for the bench that started this process
    #[arg(long, hide = true)]
    serve: Option<std::path::PathBuf>,
}

#[derive(Serialize)]
struct Report {
    floor_ops_s: f64,
    push_ops_s: BTreeMap<usize, f64>,
    single_p50_ms: f64,
    single_p99_ms: f64,
    pull_entities_s: f64,
    pull_stored_s: f64,
    chunks_s: f64,
    backlog_s: f64,
    rss_mb: [f64; 2],
}

/// Phones, and how many batches each one pushes.
const PUSHES: [(usize, usize); 3] = [(1, 45), (8, 18), (50, 9)];
const MOST_PHONES: usize = 50;
/// Ops that each of [`MOST_PHONES`] pushes one by one.
const SINGLES: usize = 40;
/// Batches of incidents in the stream that is pulled.
const PULLED: usize = 50;
const CHUNK_FIXES: u32 = 600;
const CHUNKS: u32 = 2_000;
/// A week's backlog.
const WEEK_FIXES: u32 = 170_000;

fn main() -> Result<()> {
    let args = Args::parse_from(arguments());
    if let Some(folder) = &args.serve {
        return server::serve(folder);
    }
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let data = folder.path().join("data");
    let (mut phones, pulled, served) = server::begin(&data, MOST_PHONES)?;
    let address = served.address.clone();

    let mut push_ops_s = BTreeMap::new();
    let mut floor_ops_s = 0.0;
    for (count, batches) in PUSHES {
        let load = edits(&address, &mut phones[..count], batches)?;
        let before = floor::last_op(&data)?;
        let copy = folder.path().join(format!("floor-{count}"));
        if count == 8 {
            floor::copy(&data, &copy)?;
        }
        let took = together(&address, load)?;
        push_ops_s.insert(count, (count * batches * BATCH) as f64 / took.as_secs_f64());
        if count == 8 {
            let until = floor::last_op(&data)?;
            floor_ops_s = floor::run(&data, &copy, before, until)?;
        }
    }
    let (single_p50_ms, single_p99_ms) = singles(&address, &mut phones)?;
    let (pull_entities_s, pull_stored_s) = pull(&address, &pulled)?;
    let chunks_s = chunks(&address, &mut phones[0])?;
    let backlog_s = backlog(&address, &mut phones[1])?;
    let rss_mb = memory(&served, &mut phones[..8], args.ops)?;
    served.end()?;

    let report = Report {
        floor_ops_s,
        push_ops_s,
        single_p50_ms,
        single_p99_ms,
        pull_entities_s,
        pull_stored_s,
        chunks_s,
        backlog_s,
        rss_mb,
    };
    tell(&report, args.ops);
    if args.json {
        println!("{}", serde_json::to_string(&report)?);
    }
    Ok(())
}

fn tell(report: &Report, ops: usize) {
    let floor = report.floor_ops_s;
    println!(
        "{:<44} {floor:>10.0} ops/s",
        "floor: the same rows, prepared"
    );
    for (phones, ops_s) in &report.push_ops_s {
        let what = format!("pushed in batches of {BATCH}, phones: {phones}");
        println!(
            "{what:<44} {ops_s:>10.0} ops/s  {:>4.0} % of the floor",
            100.0 * ops_s / floor
        );
    }
    let what = format!("one op a push, {MOST_PHONES} phones: p50, p99");
    println!(
        "{what:<44} {:>10.1} ms {:>6.1} ms",
        report.single_p50_ms, report.single_p99_ms
    );
    println!(
        "{:<44} {:>10.0} entities/s",
        "pulled, leaving the server", report.pull_entities_s
    );
    println!(
        "{:<44} {:>10.0} entities/s",
        "pulled and stored by a phone, encrypted", report.pull_stored_s
    );
    println!(
        "{:<44} {:>10.0} chunks/s",
        "chunks of 600 fixes", report.chunks_s
    );
    println!("{:<44} {:>10.2} s", "a week's backlog", report.backlog_s);
    let [start, end] = report.rss_mb;
    println!(
        "{:<44} {start:>10.0} MB → {end:.0} MB",
        format!("the server's memory over {ops} ops")
    );
}

/// The requests of each phone: batches of edits, each incident edited as often
/// as people do. Their incidents are reported first.
fn edits(address: &str, phones: &mut [Phone], batches: usize) -> Result<Vec<Vec<Sealed>>> {
    let mut line = Line::open(address)?;
    let load = phones.iter_mut().map(|phone| {
        let mut requests = Vec::with_capacity(batches);
        while requests.len() < batches {
            let (incidents, report) = phone.report()?;
            all_taken(&line.send(&report)?)?;
            for round in 0..EDITS.min(batches - requests.len()) {
                requests.push(phone.edit(&incidents, round)?);
            }
        }
        Ok(requests)
    });
    load.collect()
}

/// All phones at once; how long until the last has its last answer.
fn together(address: &str, load: Vec<Vec<Sealed>>) -> Result<Duration> {
    let barrier = Arc::new(Barrier::new(load.len() + 1));
    let threads: Vec<_> = load
        .into_iter()
        .map(|requests| {
            let (barrier, mut line) = (Arc::clone(&barrier), Line::open(address)?);
            Ok(thread::spawn(move || -> Result<Vec<u8>> {
                barrier.wait();
                let mut last = Vec::new();
                for request in &requests {
                    last = line.send(request)?;
                }
                Ok(last)
            }))
        })
        .collect::<Result<_>>()?;
    barrier.wait();
    let start = Instant::now();
    let answers: Vec<_> = threads.into_iter().map(thread::JoinHandle::join).collect();
    let took = start.elapsed();
    for answer in answers {
        all_taken(&answer.map_err(|_| anyhow!("a client fell"))??)?;
    }
    Ok(took)
}

/// Half and 99 in a hundred of single pushes took no longer than that: ms.
fn singles(address: &str, phones: &mut [Phone]) -> Result<(f64, f64)> {
    let mut line = Line::open(address)?;
    let mut threads = Vec::new();
    let barrier = Arc::new(Barrier::new(phones.len()));
    for phone in phones {
        let (incidents, report) = phone.report()?;
        line.send(&report)?;
        let requests: Vec<Sealed> = incidents[..SINGLES]
            .iter()
            .map(|one| phone.edit(std::slice::from_ref(one), 0))
            .collect::<Result<_>>()?;
        let (barrier, mut line) = (Arc::clone(&barrier), Line::open(address)?);
        threads.push(thread::spawn(move || -> Result<Vec<f64>> {
            barrier.wait();
            let timed = requests.iter().map(|request| {
                let start = Instant::now();
                line.send(request)?;
                Ok(start.elapsed().as_secs_f64() * 1000.0)
            });
            timed.collect()
        }));
    }
    let mut all = Vec::new();
    for thread in threads {
        all.extend(thread.join().map_err(|_| anyhow!("a client fell"))??);
    }
    all.sort_by(f64::total_cmp);
    Ok((all[all.len() / 2], all[all.len() * 99 / 100]))
}

/// Entities a second that leave the server, and that a phone stores.
fn pull(address: &str, pulled: &server::Pulled) -> Result<(f64, f64)> {
    let mut line = Line::open(address)?;
    let mut reporter = pulled.reporter(&mut line)?;
    for _ in 0..PULLED {
        let (_, report) = reporter.report()?;
        line.send(&report)?;
    }
    let stream = StreamKey::Records(reporter.grid);
    let (mut cursor, mut entities, mut took) = (None, 0, Duration::ZERO);
    loop {
        let request = PullRequest {
            v: 1,
            receipts: None,
            streams: [(stream, cursor)].into(),
            unsent: Unsent::default(),
        };
        let request = reporter.json("/v1/pull", &serde_json::to_vec(&request)?);
        let start = Instant::now();
        let answer = line.send(&request)?;
        took += start.elapsed();
        let answer: PullResponse<Box<RawValue>> = serde_json::from_slice(&answer)?;
        let page = answer.streams.get(&stream).context("the stream")?;
        entities += page.entities.len();
        cursor = page.cursor;
        if page.end.is_some() {
            break;
        }
    }
    let left = entities as f64 / took.as_secs_f64();
    Ok((left, pulled.stored(address, entities)?))
}

/// Chunks of a patrol: a walk eastwards, one fix a second.
fn walk(patrol: EntityId, run: u64, fixes: u32) -> Result<Vec<NamedChunk>> {
    let fix = |n: u32| {
        let fix = Fix {
            time_ms: 1_795_000_000_000 + i64::from(n) * 1000,
            position: Position {
                lat: 35.052 + f64::from(n * 7919 % 13) * 1e-6,
                lon: 118.301 + f64::from(n % 20_000) * 1.3e-5,
            },
            accuracy_m: Some([4.0, 5.0, 7.0, 4.0, 6.0][n as usize % 5]),
            altitude_m: None,
            speed_mps: Some(1.2),
            bearing_deg: None,
            mocked: false,
        };
        StoredFix::used(quantise(&fix))
    };
    let chunks = (0..fixes).step_by(CHUNK_FIXES as usize).map(|first| {
        let count = CHUNK_FIXES.min(fixes - first);
        let stored: Vec<StoredFix> = (first..first + count).map(fix).collect();
        Ok(NamedChunk {
            name: ChunkName {
                patrol,
                run: RunId(run),
                first,
                count,
            },
            body: codec::encode(&stored).map_err(|why| anyhow!("{why:?}"))?,
        })
    });
    chunks.collect()
}

fn timed(line: &mut Line, requests: &[Sealed]) -> Result<f64> {
    let start = Instant::now();
    for request in requests {
        line.send(request)?;
    }
    Ok(start.elapsed().as_secs_f64())
}

fn chunks(address: &str, phone: &mut Phone) -> Result<f64> {
    let mut line = Line::open(address)?;
    let (patrol, begin) = phone.patrol()?;
    all_taken(&line.send(&begin)?)?;
    let chunks = walk(patrol, 1, CHUNKS * CHUNK_FIXES)?;
    let requests: Vec<Sealed> = chunks.chunks(100).map(|some| phone.tracks(some)).collect();
    Ok(f64::from(CHUNKS) / timed(&mut line, &requests)?)
}

/// One phone after a week without a signal: 170,000 fixes and 200 ops.
fn backlog(address: &str, phone: &mut Phone) -> Result<f64> {
    let mut line = Line::open(address)?;
    let (patrol, begin) = phone.patrol()?;
    let (_, report) = phone.report()?;
    let mut requests = vec![begin, report];
    let chunks = walk(patrol, 1, WEEK_FIXES)?;
    requests.extend(chunks.chunks(100).map(|some| phone.tracks(some)));
    timed(&mut line, &requests)
}

/// The server's resident memory after a tenth of the ops, and after all.
fn memory(served: &Serving, phones: &mut [Phone], ops: usize) -> Result<[f64; 2]> {
    let (mut done, mut start) = (0, None);
    while done < ops {
        let load = edits(&served.address, phones, EDITS)?;
        together(&served.address, load)?;
        done += phones.len() * (EDITS + 1) * BATCH;
        if start.is_none() && done * 10 >= ops {
            start = Some(served.rss_mb()?);
        }
    }
    let end = served.rss_mb()?;
    Ok([start.unwrap_or(end), end])
}
