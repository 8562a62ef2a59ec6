//! The codec from the inside, for the program that trains its prior: what is
//! asked while fixes are coded, and how well another table would do.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "probabilities are clamped to 12 bits, counts of steps to 4"
)]

use super::model::{Answers, NUMBER, Numbers, Slot, belief, number};
use super::prior::{Prior, SETTLED_STEPS};
use super::row::Row;
use super::walk::{SLOTS_A, SLOTS_B, Walk};
use super::{ChunkError, encode_from, frame_of};
use crate::StoredFix;

/// One question: its slots in the contexts of either kind, twice the same where
/// it has only one, and the answer.
pub type Question = (u32, u32, bool);

/// What is asked while these fixes are coded into one chunk, but for its head.
#[must_use]
pub fn questions(fixes: &[StoredFix]) -> Vec<Question> {
    let rows: Vec<Row> = fixes.iter().map(Row::of).collect();
    let Some((first, rest)) = rows.split_first() else {
        return Vec::new();
    };
    let mut asked = Asked::default();
    let mut walk = Walk::new(frame_of(&rows), *first);
    walk.first(&mut asked, first);
    for row in rest {
        walk.next(&mut asked, row);
    }
    asked.0
}

#[derive(Default)]
struct Asked(Vec<Question>);

impl Numbers for Asked {
    fn number(&mut self, a: usize, b: usize, value: i64) -> i64 {
        let mut about = About {
            a: a * NUMBER,
            b: SLOTS_A + b * NUMBER,
            asked: &mut self.0,
        };
        number(&mut about, value)
    }
}

/// The questions about one number, whose slots begin here.
struct About<'a> {
    a: usize,
    b: usize,
    asked: &'a mut Vec<Question>,
}

impl Answers for About<'_> {
    fn ask(&mut self, question: usize, bit: bool) -> bool {
        let index = |slot: usize| u32::try_from(slot).unwrap_or(u32::MAX);
        self.asked
            .push((index(self.a + question), index(self.b + question), bit));
        bit
    }

    fn ask_one(&mut self, question: usize, bit: bool) -> bool {
        let index = u32::try_from(self.a + question).unwrap_or(u32::MAX);
        self.asked.push((index, index, bit));
        bit
    }

    fn plain(&mut self, _: u32, value: u64) -> u64 {
        value
    }
}

/// [`super::encode`] from another table.
///
/// # Errors
///
/// As [`super::encode`].
pub fn encode_with(table: &[u8], fixes: &[StoredFix]) -> Result<Vec<u8>, ChunkError> {
    encode_from(&Prior::of(table), fixes)
}

/// A table from the questions of many chunks.
///
/// Each slot starts with the mean of its answers, and as settled as would have
/// cost the fewest bits over all chunks: one that differs from track to track
/// has to give way soon, one that is the same everywhere need not.
#[must_use]
pub fn table(chunks: &[Vec<Question>]) -> Vec<u8> {
    let mut answers: Vec<Vec<Vec<bool>>> = vec![Vec::new(); SLOTS_A + SLOTS_B];
    // The chunk in which a slot was asked last.
    let mut seen = vec![usize::MAX; SLOTS_A + SLOTS_B];
    for (i, chunk) in chunks.iter().enumerate() {
        for (a, b, bit) in chunk {
            let both = [*a, *b];
            for slot in &both[..if a == b { 1 } else { 2 }] {
                let slot = *slot as usize;
                if seen[slot] != i {
                    seen[slot] = i;
                    answers[slot].push(Vec::new());
                }
                answers[slot]
                    .last_mut()
                    .into_iter()
                    .for_each(|run| run.push(*bit));
            }
        }
    }
    answers
        .iter()
        .flat_map(|runs| trained(runs).to_be_bytes())
        .collect()
}

fn trained(runs: &[Vec<bool>]) -> u16 {
    let all = runs.iter().map(Vec::len).sum::<usize>() as f64;
    let yes = runs.iter().flatten().filter(|b| **b).count() as f64;
    let p = (((yes + 0.4) / (all + 0.8)) * 4096.0)
        .floor()
        .clamp(0.0, 4095.0) as u16;
    let start = |n: u16| Slot::new((p << 4) | 8, n);
    let bits = |n: u16| -> f64 {
        let run = |answers: &Vec<bool>| {
            let mut slot = start(n);
            let mut bits = 0.0;
            for answer in answers {
                let yes = f64::from(belief(slot, slot)) / 65_536.0;
                bits -= if *answer { yes } else { 1.0 - yes }.log2();
                slot.learn(*answer);
            }
            bits
        };
        runs.iter().map(run).sum()
    };
    // A slot that was hardly ever asked is hardly settled.
    let most = if all < 20.0 { 4 } else { SETTLED_STEPS.len() };
    let costs = SETTLED_STEPS[..most].iter().map(|n| bits(*n));
    let best = costs
        .enumerate()
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .map_or(0, |(i, _)| i);
    (p << 4) | best as u16
}
