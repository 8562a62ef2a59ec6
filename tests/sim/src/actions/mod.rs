//! What workers do. Each action is one module: when it comes into question, and
//! what is done.

mod amend;
pub(crate) mod duty;
mod records;
mod report;
mod talk;
mod walk;

pub(crate) use records::MEDIATION;

use crate::random::Chance as _;
use crate::world::World;
use crate::world::phone::Phone;

/// Something that a worker may do.
pub(crate) trait Action: Sync {
    /// How likely it is now, against the others; 0 where it is out of question.
    fn weight(&self, phone: &Phone) -> u32;
    /// Does it.
    fn act(&self, world: &mut World, no: usize);
}

/// All of them.
const ALL: &[&dyn Action] = &[
    &talk::Enrol,
    &talk::Sync,
    &talk::Cancel,
    &duty::StartShift,
    &duty::EndShift,
    &duty::StartPatrol,
    &duty::Pause,
    &duty::Resume,
    &duty::Finish,
    &walk::Mark,
    &report::Report,
    &amend::Edit,
    &amend::Classify,
    &amend::Comment,
    &amend::Step,
    &amend::Work,
    &amend::Tag,
    &amend::Untag,
    &amend::Attach,
    &amend::Record,
    &amend::Resolve,
    &amend::Delete,
    &records::Visit,
    &records::Mediate,
    &records::Meet,
    &records::LookAgain,
    &records::Find,
    &records::ReadNotice,
];

/// A whole day of one phone, for a script.
pub(crate) const DAY: &[&dyn Action] = &[
    &talk::Enrol,
    &talk::Sync,
    &duty::StartShift,
    &duty::StartPatrol,
    &walk::Fixes(25, 1),
    &report::Report,
    &amend::Edit,
    &amend::Comment,
    &talk::Sync,
    &amend::Attach,
    &amend::Step,
    &duty::Pause,
    &duty::Resume,
    &walk::Fixes(70, 5),
    &walk::Mark,
    &talk::Sync,
    &report::Report,
    &amend::Resolve,
    &amend::Tag,
    &duty::Finish,
    &duty::EndShift,
    &talk::Sync,
];

/// The worker of a phone does something.
pub(crate) fn act(world: &mut World, no: usize) {
    let weights: Vec<(usize, u32)> = {
        let phone = &world.phones[no];
        let weighed = ALL.iter().map(|action| action.weight(phone));
        weighed.enumerate().collect()
    };
    let total: u32 = weights.iter().map(|(_, weight)| weight).sum();
    if total == 0 {
        return;
    }
    let mut drawn = world.rng.u32(0..total);
    for (at, weight) in weights {
        if drawn < weight {
            return ALL[at].act(world, no);
        }
        drawn -= weight;
    }
}

impl World {
    /// Takes up the walk of the running patrol.
    pub(crate) fn walk_on(&mut self, no: usize) {
        walk::go(self, no);
    }

    /// An incident in a grid that the phone's worker has now; mostly a late one.
    fn some_incident(&mut self, no: usize) -> Option<(gridwalk_domain::EntityId, usize)> {
        let (now_ms, worker) = (self.now_ms(), self.phones[no].worker);
        let theirs = self.district.read_by(worker, now_ms);
        let known: Vec<_> = self.ledger.latest(&theirs, worker).take(8).collect();
        let engine = self.phones[no].engine.clone()?;
        // One that the phone shows, if it is soon found: workers change what
        // they see.
        let mut drawn = self.rng.one_of(&known);
        for _ in 0..3 {
            match drawn {
                Some((id, _)) if engine.record_of(id).is_err() => drawn = self.rng.one_of(&known),
                _ => break,
            }
        }
        drawn
    }
}
