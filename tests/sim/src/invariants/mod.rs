//! What must hold. Each invariant is one module, its name a sentence; it is
//! shown every answer of the server, every phone's disk after each fall and at
//! the end, and the whole at the end.

mod arrived;
mod cursors;
mod deeds;
mod faithful;
mod lines;
mod photos;
mod poison;
mod purged;
mod queues;
mod replicas;
mod scope;
mod shown;
mod steps;
mod survives;
mod texts;
mod twice;

use gridwalk_domain::EntityId;

use crate::examine::Examined;
use crate::world::World;
use crate::world::net::Exchange;

/// What does not hold.
#[derive(Clone, Debug)]
pub struct Violation {
    /// What should hold.
    pub invariant: &'static str,
    /// What is the case instead.
    pub text: String,
    /// The records concerned.
    pub records: Vec<EntityId>,
}

impl Violation {
    pub(crate) fn new(invariant: &'static str, text: impl Into<String>) -> Self {
        Self {
            invariant,
            text: text.into(),
            records: vec![],
        }
    }

    /// Names a record concerned.
    pub(crate) fn about(mut self, record: EntityId) -> Self {
        self.records.push(record);
        self
    }
}

/// What an invariant finds; it does not say its name itself.
pub(crate) type Held = Result<(), Violation>;

/// Something that does not hold.
fn broken<T>(text: String) -> Result<T, Violation> {
    Err(Violation::new("", text))
}

/// A point of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum At {
    /// After this round of syncs in the calm.
    Round(usize),
    /// At the end.
    End,
}

/// Something that must hold.
pub(crate) trait Invariant {
    /// It, in a sentence.
    fn name(&self) -> &'static str;

    /// A phone is answered.
    fn answer(&mut self, _: &World, _: usize, _: &Exchange<'_>) -> Held {
        Ok(())
    }

    /// What is on a phone's disk, after each opening and at the end.
    fn phone(&mut self, _: &World, _: usize, _: &Examined) -> Held {
        Ok(())
    }

    /// A point of the run.
    fn at(&mut self, _: &World, _: At) -> Held {
        Ok(())
    }
}

/// All of them.
pub(crate) fn all() -> Vec<Box<dyn Invariant>> {
    vec![
        Box::new(survives::Survives),
        Box::new(photos::Photos),
        Box::new(shown::Shown),
        Box::new(twice::NothingTwice),
        Box::new(scope::Scope),
        Box::<cursors::Cursors>::default(),
        Box::<lines::Lines>::default(),
        Box::new(poison::Poison),
        Box::new(purged::Purged),
        Box::new(queues::Queues),
        Box::new(arrived::Arrived),
        Box::new(faithful::Faithful),
        Box::new(replicas::Replicas),
        Box::new(deeds::Deeds),
        Box::new(texts::Texts),
        Box::new(steps::Steps),
    ]
}
