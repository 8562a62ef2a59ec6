//! The stretches of a trace that somebody walked.

use std::ops::RangeInclusive;

use geo::{Coord, Distance, Euclidean, Point};
use gridwalk_domain::Fix;

use crate::Plane;

/// Speeds that count as walking, in metres a second over half a minute.
pub const WALKING_MPS: RangeInclusive<f64> = 0.3..=2.5;
/// Half of the window over which speed is measured: shorter ones measure the
/// sensor's wobble, longer ones blur the step onto a bicycle.
const HALF_WINDOW_MS: i64 = 15_000;
/// Fixes further apart than this are not one walk.
const LONGEST_STEP_MS: i64 = 60_000;
/// Standing still longer than this ends a walk.
const LONGEST_STAND_MS: i64 = 120_000;
/// A walk shorter than this is not worth having.
const SHORTEST_WALK_MS: i64 = 180_000;

/// Cuts out of a trace what was walked, in its order.
///
/// A short stand within a walk stays; whatever is faster than walking ends it.
#[must_use]
pub fn walking_pieces(trace: &[Fix]) -> Vec<Vec<Fix>> {
    let one_walk = |a: &Fix, b: &Fix| (1..=LONGEST_STEP_MS).contains(&(b.time_ms - a.time_ms));
    trace.chunk_by(one_walk).flat_map(walks_of).collect()
}

/// The walks in a run of fixes without a hole.
fn walks_of(run: &[Fix]) -> Vec<Vec<Fix>> {
    let speeds = speeds(run);
    let mut walks = Vec::new();
    // First and last fix of the walk under way that moved.
    let mut walk: Option<(usize, usize)> = None;
    for (i, &speed) in speeds.iter().enumerate() {
        let stood_too_long = |last: usize| run[i].time_ms - run[last].time_ms > LONGEST_STAND_MS;
        if speed > *WALKING_MPS.end() || walk.is_some_and(|(_, last)| stood_too_long(last)) {
            walks.extend(walk.take());
        }
        if WALKING_MPS.contains(&speed) {
            walk = Some((walk.map_or(i, |(first, _)| first), i));
        }
    }
    walks.extend(walk);
    walks
        .into_iter()
        .filter(|&(first, last)| run[last].time_ms - run[first].time_ms >= SHORTEST_WALK_MS)
        .map(|(first, last)| run[first..=last].to_vec())
        .collect()
}

/// For each fix the speed over the window around it, in metres a second.
fn speeds(run: &[Fix]) -> Vec<f64> {
    let Some(first) = run.first() else {
        return Vec::new();
    };
    let plane = Plane::at(first.position);
    let place = |f: &Fix| {
        plane.metres(Coord {
            x: f.position.lon,
            y: f.position.lat,
        })
    };
    let mut walked = vec![0.0];
    for pair in run.windows(2) {
        let step = Euclidean.distance(Point(place(&pair[0])), Point(place(&pair[1])));
        walked.push(walked[walked.len() - 1] + step);
    }
    let speed = |i: usize| {
        let middle = run[i].time_ms;
        let from = run.partition_point(|f| f.time_ms < middle - HALF_WINDOW_MS);
        let to = run.partition_point(|f| f.time_ms <= middle + HALF_WINDOW_MS);
        // Where fixes are rare, at least the steps to the neighbours.
        let from = from.min(i.saturating_sub(1));
        let to = to.clamp(i + 1, run.len()).max((i + 2).min(run.len())) - 1;
        // A length of time of minutes is exact as a float.
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of a few minutes")]
        let seconds = (run[to].time_ms - run[from].time_ms) as f64 / 1000.0;
        if seconds > 0.0 {
            (walked[to] - walked[from]) / seconds
        } else {
            0.0
        }
    };
    (0..run.len()).map(speed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use gridwalk_domain::Position;

    /// One fix a second northward, at these speeds for so many seconds each.
    fn trace(legs: &[(f64, u32)]) -> Vec<Fix> {
        let (mut north, mut time_ms) = (0.0, 1_000_000);
        let mut fixes = Vec::new();
        for &(speed, seconds) in legs {
            for _ in 0..seconds {
                let position = Position {
                    lat: 35.1 + north / 111_195.0,
                    lon: 118.3,
                };
                fixes.push(Fix {
                    time_ms,
                    position,
                    accuracy_m: None,
                    altitude_m: None,
                    speed_mps: None,
                    bearing_deg: None,
                    mocked: false,
                });
                north += speed;
                time_ms += 1000;
            }
        }
        fixes
    }

    fn seconds(piece: &[Fix]) -> i64 {
        (piece[piece.len() - 1].time_ms - piece[0].time_ms) / 1000
    }

    #[test]
    fn a_ride_between_two_walks_is_left_out() {
        let pieces = walking_pieces(&trace(&[(1.3, 600), (8.0, 300), (1.2, 400)]));
        assert_eq!(pieces.len(), 2);
        assert!(
            (580..=600).contains(&seconds(&pieces[0])),
            "{}",
            seconds(&pieces[0])
        );
        assert!(
            (370..=400).contains(&seconds(&pieces[1])),
            "{}",
            seconds(&pieces[1])
        );
    }

    #[test]
    fn a_short_stand_stays_and_a_long_one_ends_the_walk() {
        assert_eq!(
            walking_pieces(&trace(&[(1.0, 300), (0.0, 90), (1.0, 300)])).len(),
            1
        );
        assert_eq!(
            walking_pieces(&trace(&[(1.0, 300), (0.0, 400), (1.0, 300)])).len(),
            2
        );
    }

    #[test]
    fn a_walk_ends_at_a_hole_and_where_time_goes_back() {
        let mut holed = trace(&[(1.0, 800)]);
        holed.drain(390..460);
        assert_eq!(walking_pieces(&holed).len(), 2);
        let mut back = trace(&[(1.0, 400)]);
        back.extend(trace(&[(1.0, 400)]));
        assert_eq!(walking_pieces(&back).len(), 2);
    }

    #[test]
    fn short_walks_rides_and_empty_traces_give_nothing() {
        assert!(walking_pieces(&trace(&[(1.0, 100)])).is_empty());
        assert!(walking_pieces(&trace(&[(6.0, 900)])).is_empty());
        assert!(walking_pieces(&trace(&[(0.0, 900)])).is_empty());
        assert!(walking_pieces(&[]).is_empty());
    }
}
