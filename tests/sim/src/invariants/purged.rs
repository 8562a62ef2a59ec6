//! What was purged is nowhere.

use gridwalk_domain::EntityId;

use super::{At, Held, Invariant, Violation};
use crate::examine::Examined;
use crate::world::World;
use crate::world::phone::Phone;

pub(super) struct Purged;

impl Invariant for Purged {
    fn name(&self) -> &'static str {
        "purged bytes are in no live store and on no phone that has made contact since"
    }

    fn at(&mut self, world: &World, at: At) -> Held {
        if at != At::End {
            return Ok(());
        }
        let stored = stored(world);
        for record in &world.purged {
            for token in world.ledger.about(*record) {
                let text = token.to_string();
                if stored.iter().any(|stored| stored.contains(&text)) {
                    let text = format!("{token} is still on the server");
                    return Err(Violation::new("", text).about(*record));
                }
                let mut phones = world
                    .phones
                    .iter()
                    .filter(|phone| (phone.enrolled || phone.left) && !phone.wiped);
                let found = phones.find_map(|phone| {
                    let file = phone.disk.holds(text.as_bytes())?;
                    if phone.cloned && stranded(phone, *record) {
                        return None;
                    }
                    Some(format!(
                        "{token} is still in {} of p{}",
                        file.display(),
                        phone.no
                    ))
                });
                if let Some(text) = found {
                    return Err(Violation::new("", text).about(*record));
                }
            }
        }
        Ok(())
    }
}

/// Whether a record is somebody's who left this phone, and whose token is void: for
/// them there is no contact.
fn stranded(phone: &Phone, record: EntityId) -> bool {
    let found = Examined::of(&phone.disk).unwrap_or_default();
    let mut ops = found.ops.iter();
    ops.any(|op| op.entity == record && op.stranded)
}

/// Every text that the server stores.
fn stored(world: &World) -> Vec<String> {
    let tenants = world.views.keys();
    let texts = tenants.map(|tenant| world.server.texts(*tenant).unwrap_or_default());
    texts.flatten().collect()
}
