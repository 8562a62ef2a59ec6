//! What a phone acknowledged is on it after every fall.

use gridwalk_domain::{EntityId, Intent, OpBody, OpId, RunId, kind};
use std::collections::{BTreeMap, BTreeSet};

use super::{Held, Invariant, Violation};
use crate::examine::Examined;
use crate::ledger::{CREATED, Saved, Token, tokens};
use crate::world::World;

pub(super) struct Survives;

impl Invariant for Survives {
    fn name(&self) -> &'static str {
        "what a phone acknowledged survives kills and power cuts, and what it refused is nowhere"
    }

    fn phone(&mut self, world: &World, no: usize, found: &Examined) -> Held {
        // What a clone left behind goes with the phone that it is a clone of.
        let phone = &world.phones[no];
        if phone.left && phone.cloned && world.stolen.contains(&phone.worker) {
            return Ok(());
        }
        texts(world, no, found)?;
        duties(world, no, found)?;
        fixes(world, no, found)
    }
}

/// Whether the server has the op of a text, from this phone or from a clone: one
/// that left keeps it no longer than a backup needs it.
fn sent(world: &World, no: usize, token: Token) -> bool {
    let tenant = world.district.workers[world.phones[no].worker].tenant;
    let ids: Vec<OpId> = world
        .ops
        .values()
        .filter(|seen| seen.phones.contains(&no) || world.phones[no].cloned)
        .filter(|seen| {
            serde_json::to_string(&seen.body).is_ok_and(|text| tokens(&text).any(|t| t == token))
        })
        .map(|seen| seen.body.id)
        .collect();
    let known = world.server.read(|tx| tx.ops(tenant, &ids));
    known.is_ok_and(|known| !known.is_empty())
}

fn texts(world: &World, no: usize, found: &Examined) -> Held {
    for fact in world.ledger.facts().filter(|fact| fact.phone == Some(no)) {
        if fact.record.is_some_and(|id| world.purged.contains(&id)) {
            continue;
        }
        let there = found.tokens.contains_key(&fact.token)
            || fact.saved == Saved::Yes && world.phones[no].left && sent(world, no, fact.token);
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
    if world.phones[no].cloned || world.phones[no].left {
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

/// Whether the server has a fix.
fn stored(world: &World, no: usize, patrol: EntityId, run: RunId, ordinal: u32) -> bool {
    let tenant = world.district.workers[world.phones[no].worker].tenant;
    let has = |run_: RunId, first: u32, count: u32| {
        run_ == run && (first..first + count).contains(&ordinal)
    };
    let known = world.server.read(|tx| {
        let chunks = tx.chunks(tenant, patrol)?;
        let held = tx.held_chunks(tenant, Some(patrol))?;
        let taken = chunks
            .iter()
            .any(|row| has(row.span.key.run, row.span.first, row.span.count));
        Ok(taken
            || held
                .iter()
                .any(|row| has(row.span.key.run, row.span.first, row.span.count)))
    });
    known.unwrap_or(false)
}

fn fixes(world: &World, no: usize, found: &Examined) -> Held {
    let mut sealed: BTreeMap<(EntityId, RunId), BTreeSet<u32>> = BTreeMap::new();
    for chunk in &found.chunks {
        let run = sealed.entry((chunk.patrol, chunk.run)).or_default();
        for ordinal in (chunk.first..).take(chunk.count as usize) {
            if !run.insert(ordinal) {
                let text = format!("p{no}: fix {ordinal} of run {} is there twice", chunk.run);
                return Err(Violation::new("", text).about(chunk.patrol));
            }
        }
    }
    let left = world.phones[no].left;
    let bunches = world.ledger.bunches().iter();
    for bunch in bunches.filter(|bunch| bunch.phone == no && !bunch.excused) {
        let run = sealed.get(&(bunch.patrol, bunch.run));
        let mut ordinals = (bunch.first..).take(bunch.fixes.len());
        let lost = ordinals.find(|ordinal| {
            run.is_none_or(|run| !run.contains(ordinal))
                && !(left && stored(world, no, bunch.patrol, bunch.run, *ordinal))
        });
        if let Some(ordinal) = lost {
            let text = format!(
                "p{no}: fix {ordinal} of run {} was acknowledged and is gone",
                bunch.run
            );
            return Err(Violation::new("", text).about(bunch.patrol));
        }
    }
    Ok(())
}
