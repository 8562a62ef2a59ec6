//! From a sensor's fixes to a route: nothing panics, nothing is lost on the
//! way, and what the route says holds together.
#![no_main]

use arbitrary::{Arbitrary as _, Result, Unstructured};
use gridwalk_domain::{Fix, Mark};
use gridwalk_track::StoredFix;
use gridwalk_track::filter::{Arrived, Filter};
use gridwalk_track::route::Route;
use gridwalk_track::simplify::{fewest, max_sed_m};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Ok((runs, marks)) = patrol(&mut Unstructured::new(data)) else {
        return;
    };
    let route = Route::build(&runs, &marks);
    let refused: usize = route.refused.iter().map(|(_, count)| count).sum();
    assert_eq!(route.fixes, runs.iter().map(Vec::len).sum::<usize>());
    assert!(route.used + refused <= route.fixes);
    assert!(route.distance_m >= 0.0 && route.distance_m.is_finite());
    assert!(route.moving_ms >= 0 && route.gap_ms() >= 0);
    for segment in &route.segments {
        assert!(segment.windows(2).all(|w| w[0].time_ms < w[1].time_ms));
        assert!(max_sed_m(segment, &fewest(segment, 5.0)) <= 5.0);
    }
});

fn patrol(u: &mut Unstructured<'_>) -> Result<(Vec<Vec<StoredFix>>, Vec<Mark>)> {
    let (mut runs, mut marks) = (vec![Vec::new()], Vec::new());
    let mut filter = Filter::default();
    let mut before: Option<Fix> = None;
    let mut count = 0;
    while !u.is_empty() && count < 500 {
        let fix = gridwalk_fuzz::fix(u, before.as_ref())?;
        let arrived = match u.ratio(7, 8)? {
            true => Arrived::of(&fix),
            false => Arrived {
                wall_ms: i64::arbitrary(u)?,
                mono_ms: i64::arbitrary(u)?,
            },
        };
        if let Some(run) = runs.last_mut() {
            run.push(filter.take(&fix, arrived));
        }
        if u.ratio(1, 8)? {
            marks.push(gridwalk_fuzz::mark(u, fix.time_ms)?);
        }
        if u.ratio(1, 32)? {
            runs.push(Vec::new());
            filter.break_off();
        }
        before = Some(fix);
        count += 1;
    }
    Ok((runs, marks))
}
