//! A cursor says what the phone has.

use gridwalk_domain::StreamKey;
use gridwalk_domain::wire::{Cursor, PullRequest, PullResponse};
use serde::de::IgnoredAny;
use std::collections::BTreeMap;

use super::{Held, Invariant, Violation, broken};
use crate::examine::Examined;
use crate::world::World;
use crate::world::net::Exchange;

/// A stream that a phone reads in pages. Where the server goes back meanwhile, what
/// moved behind the page that was read, and is before it again, is not in what
/// comes: the end's count and hash show it, and the stream is read anew.
struct Reading {
    since_ms: i64,
    /// Where its last page ends.
    end: Option<Cursor>,
}

#[derive(Default)]
pub(super) struct Cursors {
    /// What each phone last said of where it stands.
    said: BTreeMap<(usize, StreamKey), Cursor>,
    readings: BTreeMap<(usize, StreamKey), Reading>,
}

impl Invariant for Cursors {
    fn name(&self) -> &'static str {
        "cursors are never ahead of the data, and go back only where a stream is read anew"
    }

    fn answer(&mut self, world: &World, no: usize, exchange: &Exchange<'_>) -> Held {
        if exchange.path != "/v1/pull" {
            return Ok(());
        }
        let Ok(pull) = serde_json::from_slice::<PullRequest>(&exchange.asked) else {
            return Ok(());
        };
        let told = serde_json::from_slice::<PullResponse<IgnoredAny>>(&exchange.told);
        for (stream, cursor) in pull.streams {
            let page = told.as_ref().ok();
            let page = page.and_then(|told| told.streams.get(&stream));
            let page = page.map(|page| (page.more, page.cursor));
            self.read(world.now_ms(), (no, stream), cursor, page);
            let known = match cursor {
                // Read anew.
                None => self.said.remove(&(no, stream)),
                Some(cursor) => self.said.insert((no, stream), cursor),
            };
            let (Some(known), Some(cursor)) = (known, cursor) else {
                continue;
            };
            if known.epoch == cursor.epoch && known.seq > cursor.seq {
                // The same request may come again, late.
                self.said.insert((no, stream), known);
            }
        }
        Ok(())
    }

    fn phone(&mut self, world: &World, no: usize, found: &Examined) -> Held {
        for (stream, cursor) in &found.cursors {
            if matches!(stream, StreamKey::Receipts(_)) {
                continue;
            }
            let known = self.said.get(&(no, *stream));
            if let Some(known) = known.filter(|known| known.epoch == cursor.epoch)
                && known.seq > cursor.seq
            {
                return broken(format!(
                    "p{no}: {stream} went back from {} to {}",
                    known.seq, cursor.seq
                ));
            }
            let reading = self.readings.get(&(no, *stream));
            let torn = reading.is_some_and(|reading| {
                reading.since_ms < world.back_ms && reading.end != Some(*cursor)
            });
            if !torn && on_the_line(world, no, *stream, *cursor) {
                has_all(world, no, *stream, cursor.seq, found)?;
            }
        }
        Ok(())
    }
}

impl Cursors {
    /// A phone asked for a page, and was told this one, perhaps.
    fn read(
        &mut self,
        now_ms: i64,
        of: (usize, StreamKey),
        from: Option<Cursor>,
        page: Option<(bool, Option<Cursor>)>,
    ) {
        let ended = |reading: &Reading| reading.end.is_some() && reading.end == from;
        if from.is_none() || self.readings.get(&of).is_some_and(ended) {
            self.readings.remove(&of);
        }
        let Some((more, cursor)) = page else { return };
        if more {
            let begun = Reading {
                since_ms: now_ms,
                end: None,
            };
            self.readings.entry(of).or_insert(begun).end = None;
        } else if let Some(reading) = self.readings.get_mut(&of) {
            reading.end = cursor;
        }
    }
}

/// Whether the server gave this cursor out, in the past that it is of.
fn on_the_line(world: &World, no: usize, stream: StreamKey, cursor: Cursor) -> bool {
    let tenant = world.district.workers[world.phones[no].worker].tenant;
    let known = world.server.read(|tx| {
        let epoch = tx.epoch()?;
        Ok((epoch, tx.tag(tenant, stream, cursor.seq)?))
    });
    known.is_ok_and(|(epoch, tag)| {
        epoch == Some(cursor.epoch) && tag.is_some_and(|tag| tag.value() == cursor.tag)
    })
}

/// Whether the phone has all that changed up to this number, as it is now.
fn has_all(world: &World, no: usize, stream: StreamKey, seq: u64, found: &Examined) -> Held {
    let tenant = world.district.workers[world.phones[no].worker].tenant;
    let page = world
        .server
        .read(|tx| tx.page(tenant, stream, 0, usize::MAX));
    let Ok(page) = page else {
        return broken("the server's store cannot be read".to_owned());
    };
    let listed = found.listing.get(&stream);
    for row in page.iter().filter(|row| row.seq <= seq) {
        let id = row.entity;
        // A purge is heard of, and kept as nothing.
        let purged = row.state.is_none();
        let rev = listed.and_then(|listed| listed.get(&id)).copied();
        let base = found.base.get(&id).map(|base| base.rev);
        if rev != Some(row.rev) || !purged && base.is_none_or(|base| base < row.rev) {
            let text = format!(
                "p{no} stands at {seq} of {stream} and has revision {rev:?}, not {}, of number {}",
                row.rev, row.seq
            );
            return Err(Violation::new("", text).about(id));
        }
    }
    Ok(())
}
