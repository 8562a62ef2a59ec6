//! Must-visit sites for the demo, laid where the day's walks make them tell
//! something: one that is passed, one in the basement where there is no signal,
//! one that nobody comes near, one that is checked in at by hand. All of them
//! are made up.

use geo::{BoundingRect as _, Contains as _, Point, Polygon};
use gridwalk_domain::{Every, Fix, Position};
use gridwalk_engine::track::geometry::distance_m;
use serde::{Deserialize, Serialize};
use std::ops::Range;

use crate::plan::{Act, CheckIn, Day};

const MARKET: &str = "菜市场（合成）";
const WAREHOUSE: &str = "地下仓库（合成）";
const SCHOOL: &str = "小学（合成）";
/// The site that workers check in at by hand.
const ELDER: &str = "独居老人家（合成）";

/// A site of one grid.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct PlannedSite {
    name: String,
    sort: String,
    at: Position,
    every: Every,
}

/// The sites of a grid whose worker walks so.
pub(crate) fn plan(
    grid: &Polygon<f64>,
    fixes: &[Fix],
    midnight_ms: i64,
    morning: &Range<u32>,
    afternoon: &Range<u32>,
) -> Vec<PlannedSite> {
    let at = |minute: u32| {
        let ms = midnight_ms + i64::from(minute) * 60_000;
        let near = fixes.partition_point(|fix| fix.time_ms < ms);
        fixes[near.min(fixes.len() - 1)].position
    };
    let site = |name: &str, sort: &str, at, every| PlannedSite {
        name: name.to_owned(),
        sort: sort.to_owned(),
        at,
        every,
    };
    vec![
        site(MARKET, "market", at(morning.start + 12), Every::Day),
        // Where some of them lose the signal (see `plan`).
        site(WAREHOUSE, "warehouse", at(afternoon.start + 13), Every::Day),
        site(SCHOOL, "school", far_from(grid, fixes), Every::Patrol),
        site(ELDER, "elder", at(morning.start + 20), Every::Week),
    ]
}

/// The place within the grid that is farthest from all that was walked.
fn far_from(grid: &Polygon<f64>, fixes: &[Fix]) -> Position {
    const STEPS: u32 = 24;
    let Some(bounds) = grid.bounding_rect() else {
        return fixes[0].position;
    };
    let share = |n: u32| f64::from(n) / f64::from(STEPS);
    let places = (0..STEPS * STEPS).map(|n| Position {
        lon: bounds.min().x + bounds.width() * share(n % STEPS),
        lat: bounds.min().y + bounds.height() * share(n / STEPS),
    });
    let room = |place: &Position| {
        let all = fixes
            .iter()
            .step_by(20)
            .map(|fix| distance_m(fix.position, *place));
        all.fold(f64::INFINITY, f64::min)
    };
    let inside = places.filter(|p| grid.contains(&Point::new(p.lon, p.lat)));
    let best = inside.max_by(|a, b| room(a).total_cmp(&room(b)));
    best.unwrap_or(fixes[0].position)
}

/// What the worker says by hand: some are at the door, some find nobody home,
/// and some say nothing.
pub(crate) fn check_in(index: usize, morning: &Range<u32>) -> Option<(u32, Act)> {
    let (missed, note) = match index % 4 {
        0 => (None, None),
        1 => (Some("nobody_home"), Some("敲门无人应答，邻居说去了女儿家")),
        _ => return None,
    };
    // This phone is out of reach from before its first sync: it knows no site.
    (index != 5).then(|| {
        let check_in = CheckIn {
            site: ELDER.to_owned(),
            missed: missed.map(str::to_owned),
            note: note.map(str::to_owned),
        };
        (morning.start + 23, Act::CheckIn(check_in))
    })
}

/// The file of sites that the street's supervisor imports.
pub(crate) fn file(days: &[Day]) -> String {
    let mut text = String::from("grid,name,lat,lon,radius_m,every,times,sort\n");
    for day in days {
        for site in &day.sites {
            let every = match site.every {
                Every::Patrol => "patrol",
                Every::Day => "day",
                Every::Week => "week",
            };
            let Position { lat, lon } = site.at;
            let (name, sort) = (&site.name, &site.sort);
            text += &format!(
                "{},{name},{lat:.6},{lon:.6},40,{every},1,{sort}\n",
                day.grid
            );
        }
    }
    text
}
