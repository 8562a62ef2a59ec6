//! The outbox: what was saved and what became of it.
//!
//! A row is written in the transaction of the save and never changed but for
//! its state. `ready` waits to be sent (or was sent, and no outcome came);
//! `taken` stands on the server; `rejected` and `quarantined` are kept and
//! listed. A row that is `ready` with a reason is parked: the server refused
//! the request that carried it alone, and it is tried again daily. What is
//! `doubted` was settled in a time line that is no more ([`crate::timeline`]).

mod pen;
mod queue;
mod settle;

pub(crate) use pen::{Pen, first};
pub(crate) use queue::{Due, due, park, send_again, tried, unpark};
pub(crate) use settle::{Settled, Word, receipt, settle};

use gridwalk_domain::OpBody;

use crate::error::{Fault, Inner};

/// Whether something parked rests still, in SQL, with the server's present time
/// as `?2`: for a day, by the server's clock; where that was set back, it is
/// due.
pub(crate) const RESTS: &str = "(parked_ms <= ?2 AND parked_ms + 86400000 > ?2)";

/// The body of an op of this phone.
pub(crate) fn read(body: &str) -> Inner<OpBody> {
    serde_json::from_str(body).map_err(|_| Fault::Row("an op"))
}
