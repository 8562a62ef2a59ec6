//! The phone an op came from, as far as judging it asks.

use gridwalk_domain::rights::Person;
use gridwalk_domain::{BootId, DeviceId, Moment, TenantId};
use gridwalk_store::{AssignmentRow, DeviceRow, DeviceStanding, Read, StoreError};
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::district;
use crate::sync::Boots;
use crate::tree::Tree;

/// A phone and its worker.
pub(super) struct Sender {
    pub(super) device: DeviceRow,
    pub(super) assignments: Vec<AssignmentRow>,
    /// Whether its app is too old to be judged.
    pub(super) too_old: bool,
    /// Its worker with their rights; made when the first op needs it.
    person: Option<Arc<Person>>,
    boots: Boots,
    /// The boots that were asked for, known or not.
    asked: BTreeMap<BootId, ()>,
}

impl Sender {
    fn new(tx: &dyn Read, device: DeviceRow, too_old: bool) -> Result<Self, StoreError> {
        let assignments = tx.assignments(device.tenant, Some(device.worker))?;
        Ok(Self {
            device,
            assignments,
            too_old,
            person: None,
            boots: Boots::default(),
            asked: BTreeMap::new(),
        })
    }

    fn person(&mut self, tree: &Tree) -> Arc<Person> {
        let made = || {
            let person = district::worker(self.device.worker, &self.assignments, tree);
            Arc::new(person)
        };
        Arc::clone(self.person.get_or_insert_with(made))
    }

    pub(super) fn is_stolen(&self) -> bool {
        self.device.standing == DeviceStanding::Stolen
    }

    /// When `at` was, as well as the server knows.
    pub(super) fn correct(
        &mut self,
        tx: &dyn Read,
        at: &Moment,
        now_ms: i64,
    ) -> Result<i64, StoreError> {
        if self.asked.insert(at.boot, ()).is_none() {
            let rows = tx.boots(self.device.tenant, self.device.id, &[at.boot])?;
            self.boots.add(rows);
        }
        Ok(self.boots.correct(at, now_ms))
    }
}

/// The phones that ops of a batch came from.
#[derive(Default)]
pub(super) struct Senders(BTreeMap<DeviceId, Sender>);

impl Senders {
    /// Adds the phone that sends now.
    pub(super) fn add(
        &mut self,
        tx: &dyn Read,
        device: &DeviceRow,
        too_old: bool,
    ) -> Result<(), StoreError> {
        let sender = Sender::new(tx, device.clone(), too_old)?;
        self.0.insert(device.id, sender);
        Ok(())
    }

    /// The worker of a phone, with their rights; none where it is not known.
    pub(super) fn worker(
        &mut self,
        tx: &dyn Read,
        tenant: TenantId,
        id: DeviceId,
        tree: &Tree,
    ) -> Result<Option<Arc<Person>>, StoreError> {
        let sender = self.get(tx, tenant, id)?;
        Ok(sender.map(|sender| sender.person(tree)))
    }

    /// The phone of an op that was stored before; none where it is not known.
    pub(super) fn get(
        &mut self,
        tx: &dyn Read,
        tenant: TenantId,
        id: DeviceId,
    ) -> Result<Option<&mut Sender>, StoreError> {
        use std::collections::btree_map::Entry;
        match self.0.entry(id) {
            Entry::Occupied(known) => Ok(Some(known.into_mut())),
            Entry::Vacant(new) => match tx.device(id)?.filter(|row| row.tenant == tenant) {
                Some(device) => Ok(Some(new.insert(Sender::new(tx, device, false)?))),
                None => Ok(None),
            },
        }
    }
}
