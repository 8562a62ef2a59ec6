//! Cuts the used fixes into segments and says why.

use gridwalk_domain::{Fix, GapCause};

use super::{Gap, Mark, MarkKind, Rules};
use crate::geometry::distance_m;
use crate::{Refusal, StoredFix};

/// The marks of a patrol, sorted.
pub(super) struct Marks {
    all: Vec<Mark>,
    pub(super) started: Option<i64>,
    pub(super) finished: Option<i64>,
}

impl Marks {
    pub(super) fn new(marks: &[Mark]) -> Self {
        let mut all = marks.to_vec();
        // Stable: of two marks at one time the one given first is first.
        all.sort_by_key(|m| m.at_ms);
        let started = all
            .iter()
            .find(|m| m.kind == MarkKind::Started)
            .map(|m| m.at_ms);
        let finished = all
            .iter()
            .rev()
            .find(|m| m.kind == MarkKind::Finished)
            .map(|m| m.at_ms);
        Self {
            all,
            started,
            finished,
        }
    }

    /// Those after one time, up to and with another.
    fn between(&self, after_ms: i64, to_ms: i64) -> &[Mark] {
        let from = self.all.partition_point(|m| m.at_ms <= after_ms);
        let to = self.all.partition_point(|m| m.at_ms <= to_ms).max(from);
        &self.all[from..to]
    }

    fn before(&self, ms: i64) -> impl Iterator<Item = &Mark> {
        self.all[..self.all.partition_point(|m| m.at_ms <= ms)]
            .iter()
            .rev()
    }

    /// Whether the patrol was paused at this time.
    fn paused(&self, ms: i64) -> bool {
        let mut kinds = self.before(ms).map(|m| m.kind);
        let last = kinds.find(|k| matches!(k, MarkKind::Paused | MarkKind::Resumed));
        last == Some(MarkKind::Paused)
    }

    /// What the shell had reported as lost at this time and not yet found.
    fn lost(&self, ms: i64) -> Option<GapCause> {
        let mut kinds = self.before(ms).map(|m| m.kind);
        match kinds.find(|k| matches!(k, MarkKind::Lost { .. } | MarkKind::Found)) {
            Some(MarkKind::Lost { cause }) => Some(cause),
            _ => None,
        }
    }

    /// How often the sensors were asked for a fix at this time.
    fn asked(&self, ms: i64) -> Option<i64> {
        self.before(ms).find_map(|m| match m.kind {
            MarkKind::Asked { every_ms } => Some(i64::from(every_ms)),
            _ => None,
        })
    }
}

/// What [`split`] finds.
pub(super) struct Parts {
    pub(super) segments: Vec<Vec<Fix>>,
    pub(super) gaps: Vec<Gap>,
}

/// What is known of a silence beside the marks.
#[derive(Clone, Copy, Default)]
struct Silence {
    /// Another opening of the engine follows.
    new_run: bool,
    /// The sensor delivered positions, too vague to be used.
    vague: bool,
}

pub(super) fn split(runs: &[&[StoredFix]], marks: &Marks, rules: &Rules) -> Parts {
    let mut parts = Parts {
        segments: Vec::new(),
        gaps: Vec::new(),
    };
    let mut current: Vec<Fix> = Vec::new();
    let mut last: Option<Fix> = None;
    let mut silence = Silence::default();
    let mut limit = rules.silence_ms;
    for run in runs {
        silence.new_run = true;
        limit = silence_limit(run, rules);
        for stored in *run {
            let fix = &stored.fix;
            match stored.refused {
                None => {}
                Some(reason) => {
                    silence.vague |= reason == Refusal::Inaccurate;
                    continue;
                }
            }
            // Other runs may overlap (two phones in one hand); within one, time
            // only goes back where the clock did, and the filter believed it.
            if silence.new_run && last.is_some_and(|l| fix.time_ms <= l.time_ms) {
                continue;
            }
            if marks.paused(fix.time_ms) {
                continue;
            }
            match last {
                None => parts.gaps.extend(before_first(fix, marks, limit, silence)),
                Some(from) => {
                    if let Some(cause) = broken(&from, fix, marks, limit, silence, rules) {
                        parts.segments.push(std::mem::take(&mut current));
                        parts.gaps.push(Gap {
                            from_ms: from.time_ms,
                            to_ms: fix.time_ms,
                            cause,
                            from: Some(from.position),
                            to: Some(fix.position),
                        });
                    }
                }
            }
            current.push(*fix);
            last = Some(*fix);
            silence = Silence::default();
        }
    }
    if !current.is_empty() {
        parts.segments.push(current);
    }
    parts
        .gaps
        .extend(after_last(last.as_ref(), marks, limit, silence));
    parts
}

/// How long this run may be silent: a multiple of its usual interval, within
/// bounds.
fn silence_limit(run: &[StoredFix], rules: &Rules) -> i64 {
    let used: Vec<i64> = run
        .iter()
        .filter(|s| s.refused.is_none())
        .map(|s| s.fix.time_ms)
        .collect();
    let mut intervals: Vec<i64> = used
        .windows(2)
        .map(|w| w[1].saturating_sub(w[0]))
        .filter(|d| *d > 0)
        .collect();
    if intervals.is_empty() {
        return rules.silence_ms;
    }
    let middle = intervals.len() / 2;
    let usual = *intervals.select_nth_unstable(middle).1;
    bounded(usual.saturating_mul(rules.usual_intervals), rules)
}

fn bounded(ms: i64, rules: &Rules) -> i64 {
    ms.min(rules.most_silence_ms).max(rules.silence_ms)
}

/// Whether there is a gap between two used fixes, and why.
fn broken(
    from: &Fix,
    to: &Fix,
    marks: &Marks,
    limit: i64,
    silence: Silence,
    rules: &Rules,
) -> Option<GapCause> {
    let ms = to.time_ms.saturating_sub(from.time_ms);
    if ms <= 0 {
        return Some(GapCause::Unknown);
    }
    // Three of the asked intervals: one fix may be missed, and another.
    let asked = marks
        .asked(from.time_ms)
        .map(|every| bounded(every.saturating_mul(3), rules));
    let silent = ms > asked.map_or(limit, |asked| asked.max(limit));
    let between = marks.between(from.time_ms, to.time_ms);
    let told = between.iter().any(|m| match m.kind {
        MarkKind::Paused | MarkKind::Opened { .. } => true,
        MarkKind::Lost { .. } => ms > rules.reported_silence_ms,
        _ => false,
    });
    if silent || told || silence.new_run || jumped(from, to, ms, rules) {
        return Some(cause(from.time_ms, between, marks, silence));
    }
    None
}

fn jumped(from: &Fix, to: &Fix, ms: i64, rules: &Rules) -> bool {
    #[expect(clippy::cast_precision_loss, reason = "exact below 285,000 years")]
    let seconds = ms as f64 / 1000.0;
    let accuracy = |f: &Fix| f64::from(f.accuracy_m.unwrap_or(15.0));
    let slack = accuracy(from) + accuracy(to) + 20.0;
    distance_m(from.position, to.position) > rules.speed_mps * seconds + slack
}

/// The reason that says most: what the worker did, what the shell reported,
/// what the run and the boot show, what the sensor delivered.
fn cause(from_ms: i64, between: &[Mark], marks: &Marks, silence: Silence) -> GapCause {
    let kinds = || between.iter().map(|m| m.kind);
    if marks.paused(from_ms) || kinds().any(|k| k == MarkKind::Paused) {
        return GapCause::Paused;
    }
    let reported = kinds().find_map(|k| match k {
        MarkKind::Lost { cause } => Some(cause),
        _ => None,
    });
    if let Some(cause) = reported.or_else(|| marks.lost(from_ms)) {
        return cause;
    }
    if kinds().any(|k| k == MarkKind::Opened { rebooted: true }) {
        return GapCause::PhoneOff;
    }
    if silence.new_run || kinds().any(|k| matches!(k, MarkKind::Opened { .. })) {
        return GapCause::AppKilled;
    }
    if silence.vague {
        GapCause::NoSignal
    } else {
        GapCause::Unknown
    }
}

/// Marks whose clock is a day off the fixes' say nothing about a silence.
const SAME_CLOCK_MS: i64 = 86_400_000;

fn before_first(fix: &Fix, marks: &Marks, limit: i64, silence: Silence) -> Option<Gap> {
    let started = marks.started?;
    let ms = fix.time_ms.saturating_sub(started);
    if !(limit..SAME_CLOCK_MS).contains(&ms) {
        return None;
    }
    // The first run of a patrol is new, and nothing was killed.
    let silence = Silence {
        new_run: false,
        ..silence
    };
    Some(Gap {
        from_ms: started,
        to_ms: fix.time_ms,
        cause: cause(started, marks.between(started, fix.time_ms), marks, silence),
        from: None,
        to: Some(fix.position),
    })
}

fn after_last(last: Option<&Fix>, marks: &Marks, limit: i64, silence: Silence) -> Option<Gap> {
    let finished = marks.finished?;
    let from_ms = last.map_or(marks.started, |fix| Some(fix.time_ms))?;
    let ms = finished.saturating_sub(from_ms);
    if !(limit..SAME_CLOCK_MS).contains(&ms) {
        return None;
    }
    let silence = Silence {
        new_run: silence.new_run && last.is_some(),
        ..silence
    };
    Some(Gap {
        from_ms,
        to_ms: finished,
        cause: cause(from_ms, marks.between(from_ms, finished), marks, silence),
        from: last.map(|f| f.position),
        to: None,
    })
}
