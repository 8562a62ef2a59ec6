//! What is told of the day besides walking: incidents that go their way, a
//! dispute that is mediated, work that is sent down. `resources/story.json` has
//! who does what and when.

use anyhow::{Context as _, Result};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::plan::{self, Day};

#[derive(Deserialize)]
struct Story {
    workers: Vec<Line>,
    office: Vec<Office>,
}

/// Something that a gridworker does.
#[derive(Deserialize)]
struct Line {
    /// Which of the twelve, from 0.
    worker: usize,
    /// When, by the clock on the wall.
    at: String,
    act: plan::Act,
}

/// Something that somebody on the page does.
#[derive(Clone, Deserialize)]
pub(crate) struct Office {
    /// Who: `community`, `street`, `district`, `department`.
    pub(crate) by: String,
    /// Of whose community, as the number of a gridworker.
    #[serde(default)]
    pub(crate) of: usize,
    at: String,
    pub(crate) act: Deed,
}

/// What they do.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Deed {
    /// Sends something down.
    Make {
        /// `notice`, `task`.
        kind: String,
        /// To whom; to all of the street where nobody is named.
        #[serde(default)]
        worker: Option<usize>,
        /// Until when.
        #[serde(default)]
        due: Option<String>,
        fields: Map<String, Value>,
    },
    /// Takes a step.
    Take {
        /// The title of the incident.
        of: String,
        step: String,
        #[serde(default)]
        reason: Option<String>,
        #[serde(default)]
        note: Option<String>,
        /// Whom it is dispatched to: `worker` who found it, or `department`.
        #[serde(default)]
        to: Option<String>,
        /// Until when.
        #[serde(default)]
        until: Option<String>,
    },
}

impl Office {
    /// The minute of the day.
    ///
    /// # Errors
    /// Where the story says no time.
    pub(crate) fn minute(&self) -> Result<u32> {
        minute(&self.at)
    }
}

fn story() -> Result<Story> {
    serde_json::from_str(include_str!("resources/story.json")).context("the story")
}

/// The minute of the day of a time on the wall.
///
/// # Errors
/// Where it is none.
pub(crate) fn minute(at: &str) -> Result<u32> {
    let (hour, minute) = at.split_once(':').context("HH:MM")?;
    Ok(hour.parse::<u32>()? * 60 + minute.parse::<u32>()?)
}

/// Puts what gridworkers do into their days.
///
/// # Errors
/// Where the story is wrong.
pub(crate) fn tell(days: &mut [Day]) -> Result<()> {
    for line in story()?.workers {
        let day = days.get_mut(line.worker).context("one of the twelve")?;
        day.acts.push((minute(&line.at)?, line.act));
    }
    for day in days {
        day.acts.sort_by_key(|(minute, _)| *minute);
    }
    Ok(())
}

/// What people on the page do, in the order of time.
///
/// # Errors
/// Where the story is wrong.
pub(crate) fn office() -> Result<Vec<Office>> {
    let mut office = story()?.office;
    office.sort_by_key(|deed| deed.minute().unwrap_or(u32::MAX));
    Ok(office)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_story_can_be_told() {
        assert!(office().expect("reads").is_sorted_by_key(|deed| {
            let minute = deed.minute().expect("a time");
            assert!((plan::BEGIN..plan::END).contains(&minute));
            minute
        }));
        let story = story().expect("reads");
        for line in story.workers {
            assert!(line.worker < plan::WORKERS);
            assert!((plan::BEGIN..plan::END).contains(&minute(&line.at).expect("a time")));
        }
    }
}
