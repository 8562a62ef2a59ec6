//! Who was shown a record of narrow readers: written down before it is shown.

use gridwalk_domain::kind::mediation::is_narrow;
use gridwalk_domain::{EntityId, TenantId};
use gridwalk_store::ReadingRow;
use serde::Deserialize;
use std::collections::BTreeSet;

use crate::error::Error;
use crate::service::Service;

/// Of a state, what tells whether it has narrow readers.
#[derive(Deserialize)]
struct Head {
    kind: String,
}

/// Whether a stored state is of a record with narrow readers.
pub(crate) fn is_narrow_state(state: &str) -> bool {
    serde_json::from_str::<Head>(state).is_ok_and(|head| is_narrow(&head.kind))
}

impl Service {
    /// Writes down that somebody is shown these records; durable on return.
    ///
    /// # Errors
    /// Where the store fails: they must not be shown then.
    pub(crate) fn note_readings(
        &self,
        tenant: TenantId,
        who: &str,
        records: BTreeSet<EntityId>,
    ) -> Result<(), Error> {
        if records.is_empty() {
            return Ok(());
        }
        let (who, at_ms) = (who.to_owned(), self.now_ms());
        self.commit(move |tx| {
            for entity in &records {
                let row = ReadingRow {
                    entity: *entity,
                    at_ms,
                    who: who.clone(),
                };
                tx.add_reading(tenant, &row)?;
            }
            Ok(())
        })
    }
}
