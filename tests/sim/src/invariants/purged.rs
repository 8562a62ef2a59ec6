//! What was purged is nowhere.

use gridwalk_domain::{EntityId, Sha256};

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
        attachments(world)
    }
}

/// An attachment that was purged by itself is on no phone of its district, and on
/// the server only where another district has the same.
fn attachments(world: &World) -> Held {
    let tenant = world.district.grids[0].tenant;
    for (blob, content) in &world.purged_blobs {
        let mut others = world.views.iter().filter(|(other, _)| **other != tenant);
        if !others.any(|(_, view)| view.blobs.contains(blob)) && world.server.blob(*blob).is_some()
        {
            let text = format!("attachment {blob} is still on the server");
            return Err(Violation::new("", text));
        }
        let phones = world.phones.iter().filter(|phone| !phone.wiped);
        for phone in phones.filter(|phone| phone.enrolled || phone.left) {
            let theirs = world.district.workers[phone.worker].tenant == tenant;
            let file = phone.disk.holds(content).filter(|_| theirs);
            if let Some(file) = file.filter(|_| !strands(phone, *blob)) {
                let (file, no) = (file.display(), phone.no);
                let text = format!("attachment {blob} is still in {file} of p{no}");
                return Err(Violation::new("", text));
            }
        }
    }
    Ok(())
}

/// As [`stranded`], of an attachment.
fn strands(phone: &Phone, blob: Sha256) -> bool {
    let found = Examined::of(&phone.disk).unwrap_or_default();
    let mut blobs = found.blobs.iter();
    phone.cloned && blobs.any(|row| row.sha256 == blob && row.stranded)
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
