//! `./dev bench sensors`: what each way to ask the sensors costs on simulated
//! days, beside the distance error that it makes.

use std::collections::BTreeMap;
use std::io::Write as _;

use anyhow::Result;
use clap::Parser;
use gridwalk_bench::days::{Day, Plan};
use gridwalk_bench::sensors::{Cost, Policy, live};
use gridwalk_bench::{arguments, traces::MEASURED_FROM};
use gridwalk_track::plan::Power;
use serde::Serialize;

#[derive(Parser)]
struct Args {
    /// Days of each kind
    #[arg(long, default_value_t = 12)]
    days: u64,
    /// One JSON object on the last line
    #[arg(long)]
    json: bool,
}

const LOW: Power = Power {
    percent: Some(15),
    charging: false,
    saving: false,
};
const FULL: Power = Power {
    percent: Some(80),
    ..LOW
};
/// The first is what the others are held against.
const POLICIES: [(&str, Policy); 6] = [
    ("every 1 s", Policy::Fixed(1_000, 0.0)),
    ("every 5 s", Policy::Fixed(5_000, 0.0)),
    ("every 20 s", Policy::Fixed(20_000, 0.0)),
    ("every 1 s, 10 m", Policy::Fixed(1_000, 10.0)),
    ("planned", Policy::Planned(FULL)),
    ("planned, battery low", Policy::Planned(LOW)),
];

/// One policy: medians over days, and the error that 19 of 20 days stay below.
#[derive(Serialize)]
struct Row {
    fixes: f64,
    gps_on_s: f64,
    bytes: f64,
    error_percent: f64,
    error_percent_p95: f64,
    gap_s: f64,
}

fn main() -> Result<()> {
    let args = Args::parse_from(arguments());
    let mut out = std::io::stdout().lock();
    let mut all: BTreeMap<&str, BTreeMap<&str, Row>> = BTreeMap::new();
    for (kind, plan) in [
        ("on foot and by scooter", Plan::DAY),
        ("on foot", Plan::WALK),
    ] {
        writeln!(out, "{} days of eight hours {kind}; medians", args.days)?;
        writeln!(
            out,
            "{:<22}{:>8}{:>12}{:>10}{:>12}{:>10}{:>8}",
            "asked", "fixes", "GPS on (s)", "bytes", "distance %", "p95 %", "gaps s"
        )?;
        let days: Vec<Day> = (MEASURED_FROM..MEASURED_FROM + args.days)
            .map(|seed| Day::new(seed, plan))
            .collect();
        for (name, policy) in POLICIES {
            let row = row(days.iter().map(|day| live(day, plan, policy)).collect());
            writeln!(
                out,
                "{name:<22}{:>8.0}{:>12.0}{:>10.0}{:>+12.2}{:>10.2}{:>8.0}",
                row.fixes,
                row.gps_on_s,
                row.bytes,
                row.error_percent,
                row.error_percent_p95,
                row.gap_s
            )?;
            all.entry(kind).or_default().insert(name, row);
        }
        writeln!(out)?;
    }
    if args.json {
        writeln!(out, "{}", serde_json::to_string(&all)?)?;
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "counts of a day")]
fn row(days: Vec<Cost>) -> Row {
    let at = |share: f64, of: &dyn Fn(&Cost) -> f64| quantile(days.iter().map(of).collect(), share);
    Row {
        fixes: at(0.5, &|day| day.fixes as f64),
        gps_on_s: at(0.5, &|day| day.on_s as f64),
        bytes: at(0.5, &|day| day.bytes as f64),
        error_percent: at(0.5, &|day| day.error),
        error_percent_p95: at(0.95, &|day| day.error.abs()),
        gap_s: at(0.5, &|day| day.gap_s as f64),
    }
}

/// The value below which this share of the values lies.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "an index within a list"
)]
fn quantile(mut values: Vec<f64>, share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let last = values.len().saturating_sub(1);
    values
        .get((last as f64 * share).round() as usize)
        .copied()
        .unwrap_or(f64::NAN)
}
