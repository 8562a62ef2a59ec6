//! Reporting an incident, with photos or without.

use gridwalk_engine::{NewIncident, NewPhoto, Place};
use image::{GrayImage, ImageFormat, Luma};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Cursor;

use super::Action;
use crate::ledger::{Fact, Saved};
use crate::random::Chance as _;
use crate::world::phone::Phone;
use crate::world::{Called, World};

/// A small photo; now and then the same as another one of its district, as every
/// purge of an attachment is a district's.
pub(super) fn photo(world: &mut World, no: usize) -> NewPhoto {
    let tenant = world.district.workers[world.phones[no].worker].tenant;
    let same = 7 + u64::from(tenant == world.district.grids[0].tenant);
    let rng = &mut world.rng;
    let seed = if rng.happens(0.2) { same } else { rng.u64(..) };
    let mut noise = fastrand::Rng::with_seed(seed);
    // One in three is wide enough to have a thumbnail.
    let (width, rows) = match noise.happens(0.33) {
        true => (400, noise.u32(1..4)),
        false => (30, noise.u32(1..90)),
    };
    let image = GrayImage::from_fn(width, rows, |_, _| Luma([noise.u8(..)]));
    let mut bytes = Cursor::new(Vec::new());
    let written = image.write_to(&mut bytes, ImageFormat::Png);
    assert!(written.is_ok(), "a picture in memory is written");
    NewPhoto {
        bytes: bytes.into_inner(),
        mime: String::new(),
    }
}

/// A short recording: AMR, frames of speech at 4.75 kbit/s (RFC 4867).
pub(super) fn recording(world: &mut World) -> Vec<u8> {
    const FRAME: usize = 12;
    let rng = &mut world.rng;
    let mut bytes = b"#!AMR\n".to_vec();
    for _ in 0..rng.usize(1..100) {
        bytes.push(0x04);
        bytes.extend(std::iter::repeat_with(|| rng.u8(..)).take(FRAME));
    }
    bytes
}

/// Photos for a report.
pub(super) fn photos(world: &mut World, no: usize) -> Vec<NewPhoto> {
    let count = [0, 0, 1, 1, 2];
    let count = count[world.rng.usize(0..count.len())];
    (0..count).map(|_| photo(world, no)).collect()
}

/// A place in the district.
const HERE: Place = Place {
    lat: 35.1,
    lon: 118.3,
    accuracy_m: Some(10.0),
};

/// A category of the catalogue, mostly with what its form asks for.
pub(super) fn class(rng: &mut fastrand::Rng) -> (&'static str, BTreeMap<String, Value>) {
    let classes = [
        ("hygiene", None),
        ("fire_safety", Some(("premises", "dwelling"))),
        ("public_order", Some(("police", "no"))),
        ("family_dispute", Some(("hurt", "no"))),
        ("other", None),
    ];
    let (category, asked) = classes[rng.usize(0..classes.len())];
    let answer = asked.filter(|_| !rng.happens(0.1));
    let answer = answer.map(|(question, said)| (question.to_owned(), json!(said)));
    (category, answer.into_iter().collect())
}

/// Reports an incident.
pub(super) struct Report;

impl Action for Report {
    fn weight(&self, phone: &Phone) -> u32 {
        if phone.shift.is_some() { 10 } else { 0 }
    }

    fn act(&self, world: &mut World, no: usize) {
        let Some((_, grid)) = world.phones[no].shift else {
            return;
        };
        let token = world.token(grid);
        let photos = photos(world, no);
        // Of the categories whose forms ask for no answer.
        let (category, answers) = class(&mut world.rng);
        let new = NewIncident {
            category: category.to_owned(),
            title: format!("楼道堆物{token}"),
            answers,
            place: world.rng.happens(0.3).then_some(HERE),
            photos,
            ..NewIncident::default()
        };
        let what = &format!("reports {token}, {} photos", new.photos.len());
        let Some(called) = world.call(no, what, |engine| engine.report_incident(new.clone()))
        else {
            return;
        };
        let record = match called {
            Called::Done(id) => Some(id),
            Called::Refused(_) | Called::Died => None,
        };
        if let Some(id) = record {
            world.say(format_args!("{token} is {}", World::short(id)));
            let worker = world.phones[no].worker;
            world.ledger.add_incident(id, worker, grid);
        }
        let fact = Fact {
            token,
            phone: Some(no),
            at_ms: world.now_ms(),
            what: "incident",
            record,
            photos: new.photos.len(),
            saved: called.saved(),
        };
        debug_assert!(fact.saved != Saved::Yes || fact.record.is_some());
        world.ledger.add(fact);
    }
}
