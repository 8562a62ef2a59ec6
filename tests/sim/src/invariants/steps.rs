//! A status has one life.

use gridwalk_domain::{Entity, kind};

use super::{At, Held, Invariant, Violation};
use crate::world::World;

pub(super) struct Steps;

impl Invariant for Steps {
    fn name(&self) -> &'static str {
        "a status moves along its table, each step from where the one before led"
    }

    fn at(&mut self, world: &World, at: At) -> Held {
        if at != At::End {
            return Ok(());
        }
        for record in world.views.values().flat_map(|view| view.records.values()) {
            if let Some(text) = off_the_table(&record.state) {
                return Err(Violation::new("", text).about(record.state.id));
            }
        }
        Ok(())
    }
}

fn off_the_table(state: &Entity) -> Option<String> {
    let table = kind::find(&state.kind)?;
    let mut stands: Option<&str> = None;
    for step in &state.history {
        let to = step.to.as_str();
        let fits = match stands {
            None => step.from.is_none() && table.initial == Some(to),
            Some(from) => {
                let mut steps = table.steps.iter();
                step.from.as_deref() == Some(from)
                    && steps.any(|rule| rule.from == from && rule.to == to)
            }
        };
        if !fits {
            return Some(format!(
                "from {stands:?} it went from {:?} to {to}",
                step.from
            ));
        }
        stands = Some(to);
    }
    None
}
