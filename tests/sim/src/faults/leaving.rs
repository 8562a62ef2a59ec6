//! Phones that lose their rights: another one takes their place, they are
//! revoked or stolen, at best in mid-push.

use gridwalk_domain::DeviceId;
use gridwalk_server::admin::Revoke as Whose;

use super::Fault;
use super::server::restart;
use crate::random::Chance as _;
use crate::time::{HOUR, MINUTE};
use crate::world::World;

/// A worker gets a new phone; the old one may only send from then on.
pub(super) struct Replace;

impl Fault for Replace {
    fn strike(&self, world: &mut World) {
        let Some((no, _)) = world.some_device().filter(|_| world.phones.len() < 12) else {
            return;
        };
        let worker = world.phones[no].worker;
        if let Ok(new) = world.buy_phone(worker) {
            world.say(format_args!("p{new} is to take the place of p{no}"));
            let ms = world.rng.about(5 * MINUTE);
            world.after(ms, move |world| world.open(new));
        }
    }

    fn rest_ms(&self) -> i64 {
        HOUR
    }
}

/// A phone may only send from now on.
pub(super) struct Revoke;

impl Fault for Revoke {
    fn strike(&self, world: &mut World) {
        revoke(world, false);
    }

    fn rest_ms(&self) -> i64 {
        HOUR
    }
}

/// A phone is stolen: it is wiped when it makes contact.
pub(super) struct Steal;

impl Fault for Steal {
    fn strike(&self, world: &mut World) {
        revoke(world, true);
    }

    fn rest_ms(&self) -> i64 {
        2 * HOUR
    }
}

fn revoke(world: &mut World, stolen: bool) {
    let Some((no, device)) = world.some_device() else {
        return;
    };
    let id = device.to_string();
    let admin = world.server.service().admin();
    let done = admin.revoke(Whose::Device(&id), stolen);
    world.send_away(world.phones[no].worker, None);
    if stolen {
        world.stolen.insert(world.phones[no].worker);
    }
    let what = if stolen { "stolen" } else { "revoked" };
    world.say(format_args!("p{no} is {what}: {}", done.is_ok()));
    if world.server.is_dead() {
        restart(world);
    }
}

impl World {
    /// An enrolled phone, one that talks to the server just now if there is one.
    fn some_device(&mut self) -> Option<(usize, DeviceId)> {
        let mut found = Vec::new();
        for phone in &self.phones {
            let identity = phone
                .engine
                .as_ref()
                .and_then(|engine| engine.status().ok());
            if let Some(identity) = identity.and_then(|status| status.identity) {
                found.push((phone.no, identity.device, phone.call.is_some()));
            }
        }
        if found.iter().any(|(_, _, talks)| *talks) {
            found.retain(|(_, _, talks)| *talks);
        }
        let found = self.rng.one_of(&found)?;
        Some((found.0, found.1))
    }
}
