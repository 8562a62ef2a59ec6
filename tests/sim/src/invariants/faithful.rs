//! A fix is what the sensor gave.

use gridwalk_domain::{EntityId, Fix, RunId};
use gridwalk_track::codec;
use std::collections::BTreeMap;

use super::{Held, Invariant, Violation};
use crate::examine::Examined;
use crate::world::World;

pub(super) struct Faithful;

impl Invariant for Faithful {
    fn name(&self) -> &'static str {
        "a fix is kept as the sensor gave it, to a second and a millionth of a degree"
    }

    fn phone(&mut self, world: &World, no: usize, found: &Examined) -> Held {
        // Once is enough: a sealed chunk does not change.
        if world.views.is_empty() {
            return Ok(());
        }
        let mut kept: BTreeMap<(EntityId, RunId, u32), Fix> = BTreeMap::new();
        for chunk in &found.chunks {
            let Ok(fixes) = codec::decode(&chunk.body) else {
                let text = format!("p{no}: a chunk of run {} cannot be read", chunk.run);
                return Err(Violation::new("", text).about(chunk.patrol));
            };
            for (ordinal, stored) in (chunk.first..).zip(fixes) {
                kept.insert((chunk.patrol, chunk.run, ordinal), stored.fix);
            }
        }
        for bunch in world
            .ledger
            .bunches()
            .iter()
            .filter(|bunch| bunch.phone == no)
        {
            for (ordinal, given) in (bunch.first..).zip(&bunch.fixes) {
                let fix = kept.get(&(bunch.patrol, bunch.run, ordinal));
                if let Some(fix) = fix.filter(|fix| !alike(fix, given)) {
                    let text = format!("p{no}: {given:?} is kept as {fix:?}");
                    return Err(Violation::new("", text).about(bunch.patrol));
                }
            }
        }
        Ok(())
    }
}

fn alike(kept: &Fix, given: &Fix) -> bool {
    let near = |a: f64, b: f64| (a - b).abs() <= 1.1e-6;
    (kept.time_ms - given.time_ms).abs() <= 1000
        && near(kept.position.lat, given.position.lat)
        && near(kept.position.lon, given.position.lon)
        && kept.mocked == given.mocked
}
