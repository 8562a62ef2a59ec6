//! What happens between phones and the server, beyond what each line does to
//! each request by chance.

use super::Fault;
use crate::random::Chance as _;
use crate::time::{HOUR, MINUTE};
use crate::world::World;
use crate::world::net::Link;

/// One phone, or all, have no signal for a while.
pub(super) struct Partition;

impl Fault for Partition {
    fn strike(&self, world: &mut World) {
        let until_ms = world.now_ms() + world.rng.about(20 * MINUTE);
        let all = world.rng.happens(0.2);
        let one = world.rng.usize(0..world.phones.len());
        for phone in &mut world.phones {
            if all || phone.no == one {
                phone.link.down_until_ms = until_ms;
            }
        }
        let who = if all {
            "all".to_owned()
        } else {
            format!("p{one}")
        };
        world.say(format_args!("no signal for {who}"));
    }
}

/// A line gets better or worse.
pub(super) struct Weather;

impl Fault for Weather {
    fn strike(&self, world: &mut World) {
        let no = world.rng.usize(0..world.phones.len());
        let poison = world.phones[no].link.poison.take();
        let mut link = Link::draw(&mut world.rng);
        link.poison = poison;
        world.say(format_args!(
            "p{no}'s line loses {:.0} %",
            link.loss * 100.0
        ));
        world.phones[no].link = link;
    }
}

/// Of an attachment one byte gets through a request, for a while.
pub(super) struct Trickle;

impl Fault for Trickle {
    fn strike(&self, world: &mut World) {
        let no = world.rng.usize(0..world.phones.len());
        world.phones[no].link.trickle = true;
        world.say(format_args!("p{no}'s line trickles"));
        let ms = world.rng.about(20 * MINUTE);
        world.after(ms, move |world| world.phones[no].link.trickle = false);
    }
}

/// A hotel's login page answers everything with 200, for a while.
pub(super) struct Portal;

impl Fault for Portal {
    fn strike(&self, world: &mut World) {
        let talking = world.phones.iter().filter(|phone| phone.call.is_some());
        let talking: Vec<usize> = talking.map(|phone| phone.no).collect();
        let some = world.rng.usize(0..world.phones.len());
        let no = world.rng.one_of(&talking).unwrap_or(some);
        let until_ms = world.now_ms() + world.rng.about(3 * MINUTE);
        world.phones[no].link.portal_until_ms = until_ms;
        world.say(format_args!("p{no} is behind a login page"));
    }
}

/// Something on the way refuses every push with one text in it, for ever.
pub(super) struct Poison;

impl Fault for Poison {
    fn strike(&self, world: &mut World) {
        let texts = world.ledger.facts();
        let written = texts.filter_map(|fact| Some((fact.token, fact.phone?)));
        let unsent = written.filter(|(_, no)| world.phones[*no].link.poison.is_none());
        let unsent: Vec<_> = unsent.collect();
        let late = unsent.len().saturating_sub(6);
        if let Some((token, no)) = world.rng.one_of(&unsent[late..]) {
            world.phones[no].link.poison = Some(token.to_string());
            world.say(format_args!("p{no}'s line refuses {token}"));
        }
    }

    fn rest_ms(&self) -> i64 {
        HOUR
    }
}
