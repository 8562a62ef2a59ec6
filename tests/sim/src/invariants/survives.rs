//! What a phone acknowledged is on it after every fall.

use gridwalk_domain::{EntityId, Intent, OpBody, RunId, kind};
use std::collections::BTreeMap;

use super::{Held, Invariant, Violation, broken};
use crate::examine::Examined;
use crate::ledger::{CREATED, Saved};
use crate::world::World;

pub(super) struct Survives;

impl Invariant for Survives {
    fn name(&self) -> &'static str {
        "what a phone acknowledged survives kills and power cuts, and what it refused is nowhere"
    }

    fn phone(&mut self, world: &World, no: usize, found: &Examined) -> Held {
        texts(world, no, found)?;
        duties(world, no, found)?;
        fixes(world, no, found)
    }
}

fn texts(world: &World, no: usize, found: &Examined) -> Held {
    for fact in world.ledger.facts().filter(|fact| fact.phone == no) {
        let there = found.tokens.contains_key(&fact.token);
        let text = match (fact.saved, there) {
            (Saved::Yes, false) => "was acknowledged and is gone",
            (Saved::No, true) => "was refused and is there",
            _ => continue,
        };
        let text = format!("p{no}: {} {} {text}", fact.what, fact.token);
        let violation = Violation::new("", text);
        return Err(match fact.record {
            Some(record) => violation.about(record),
            None => violation,
        });
    }
    Ok(())
}

/// How often each status of a shift or patrol was reached by the outbox.
fn steps(found: &Examined) -> BTreeMap<(EntityId, String), usize> {
    let mut steps = BTreeMap::new();
    for op in &found.ops {
        let Ok(body) = serde_json::from_str::<OpBody>(&op.body) else {
            continue;
        };
        if ![kind::shift::KIND.name, kind::patrol::KIND.name].contains(&body.kind.as_str()) {
            continue;
        }
        let to = match body.intent {
            Intent::Create { .. } => CREATED.to_owned(),
            Intent::Transition { to, .. } => to,
            _ => continue,
        };
        *steps.entry((body.entity, to)).or_default() += 1;
    }
    steps
}

fn duties(world: &World, no: usize, found: &Examined) -> Held {
    // Where two phones have the same shifts and patrols, one of them may have
    // taken a step that the other then need not take.
    if world.phones[no].cloned {
        return Ok(());
    }
    let mut asked: BTreeMap<(EntityId, &str), (usize, usize)> = BTreeMap::new();
    let duties = world.ledger.duties().iter();
    for duty in duties.filter(|duty| duty.phone == no) {
        let (least, most) = asked.entry((duty.record, duty.to)).or_default();
        *least += usize::from(duty.saved == Saved::Yes);
        *most += usize::from(duty.saved != Saved::No);
    }
    if asked.is_empty() {
        return Ok(());
    }
    let there = steps(found);
    for ((record, to), (least, most)) in asked {
        let count = there.get(&(record, to.to_owned())).copied().unwrap_or(0);
        if !(least..=most).contains(&count) {
            let text = format!("p{no}: {to} is there {count} times, not {least} to {most}");
            return Err(Violation::new("", text).about(record));
        }
    }
    Ok(())
}

fn fixes(world: &World, no: usize, found: &Examined) -> Held {
    // How far each run is sealed; chunks follow each other without a hole.
    let mut sealed: BTreeMap<(EntityId, RunId), u64> = BTreeMap::new();
    for chunk in &found.chunks {
        let end = sealed.entry((chunk.patrol, chunk.run)).or_default();
        if *end != u64::from(chunk.first) {
            return broken(format!(
                "p{no}: chunks of run {} jump from {end} to {}",
                chunk.run, chunk.first
            ));
        }
        *end += u64::from(chunk.count);
    }
    let bunches = world.ledger.bunches().iter();
    for bunch in bunches.filter(|bunch| bunch.phone == no && !bunch.excused) {
        let end = u64::from(bunch.first) + bunch.fixes.len() as u64;
        let there = sealed.get(&(bunch.patrol, bunch.run)).copied().unwrap_or(0);
        if there < end {
            let text = format!(
                "p{no}: fixes up to {end} of run {} were acknowledged, {there} are there",
                bunch.run
            );
            return Err(Violation::new("", text).about(bunch.patrol));
        }
    }
    Ok(())
}
