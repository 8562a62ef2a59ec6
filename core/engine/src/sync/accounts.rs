//! For whom a sync is: whoever uses the phone, then those who left something
//! behind.

use gridwalk_domain::wire::Standing;

use super::Run;
use super::call::{Halt, Step};
use crate::core::begin;
use crate::error::{EngineError, Result};
use crate::identity::Me;
use crate::policy::Policy;
use crate::{Transport, account, boots, retention, view};

/// Of somebody who left and has nothing unsent, the server is asked so often
/// whether a backup has all.
const ASK_EVERY_MS: i64 = 3_600_000;
/// How often hello is said again in one sync because the server went back in
/// time, or lets the phone do less than before.
const ROUNDS: usize = 4;

impl Run<'_> {
    /// Whoever uses the phone first, then those who left and whose server this
    /// transport leads to. What goes wrong for those is not the first one's
    /// fault: the next sync tries again.
    pub(super) fn everybody(&mut self, present: Option<Me>, transport: &dyn Transport) -> Step<()> {
        let alone = present.is_none();
        let mut outcome = match present {
            Some(me) => self.account(me),
            None => Ok(()),
        };
        match &outcome {
            Ok(()) => {}
            // The line works, and the others' records have waited long enough.
            Err(Halt::Failed(
                EngineError::ServerError { .. }
                | EngineError::BadAnswer { .. }
                | EngineError::SignedOut
                | EngineError::Storage { .. },
            )) => {}
            Err(_) if self.wipe => {}
            Err(_) => return outcome,
        }
        self.meter.vault = true;
        let leaving = self.shared.with(|core| account::leaving(&core.conn))?;
        for me in leaving {
            if !transport.leads_to(&me.address()) || !self.is_time_for(&me)? {
                continue;
            }
            match self.account(me) {
                Err(halt @ (Halt::Budget | Halt::Wait)) => return Err(halt),
                Err(halt @ Halt::Failed(EngineError::Cancelled | EngineError::Closed)) => {
                    return Err(halt);
                }
                Err(halt) if alone => outcome = Err(halt),
                Ok(()) | Err(_) => {}
            }
        }
        outcome
    }

    /// Sends and pulls for one account.
    fn account(&mut self, me: Me) -> Step<()> {
        self.line.token = Some(me.token.as_ref().unwrap_or(&me.send_token).clone());
        self.me = me;
        self.standing = Standing::Active;
        self.misfit = false;
        let mut outcome = Err(Halt::HelloAgain);
        for _ in 0..ROUNDS {
            outcome = self.round();
            match outcome {
                Err(Halt::Misfit) => self.misfit = true,
                Err(Halt::HelloAgain) => {}
                _ => break,
            }
        }
        if outcome == Err(Halt::Failed(EngineError::SignedOut)) {
            self.note(|line| line.signed_out = true)?;
        }
        // What could be sent of somebody whose phone was stolen was sent. A round that
        // came to its end has let go of it.
        if !self.me.is_present() && self.standing == Standing::Wipe && outcome.is_err() {
            self.let_go()?;
        }
        outcome
    }

    /// Whether it is time to ask for somebody who left: at once where something
    /// is to be sent.
    fn is_time_for(&self, me: &Me) -> Result<bool> {
        let now = self.shared.now();
        self.shared.with(|core| {
            // Where the disk was full when the app opened and nobody saves
            // anything any more, no time would ever pass.
            core.note_boot(now)?;
            let lifetime_ms = boots::lifetime(&core.conn, now)?;
            let unsent = view::unsent(&core.conn, me.account)?;
            let mut line = account::line(&core.conn, me.account)?;
            let rested = line
                .asked_ms
                .is_none_or(|at| lifetime_ms - at >= ASK_EVERY_MS);
            let to_send = unsent.ops + unsent.chunks + unsent.blobs > 0;
            if !rested && !to_send {
                return Ok(false);
            }
            line.asked_ms = Some(lifetime_ms);
            let tx = begin(&mut core.conn)?;
            account::keep_line(&tx, me.account, &line)?;
            tx.commit()?;
            Ok(true)
        })
    }

    /// Lets go of what need not be kept any more.
    pub(super) fn let_go(&self) -> Result<()> {
        let now = self.shared.now();
        self.shared.with(|core| {
            let lifetime_ms = boots::lifetime(&core.conn, now)?;
            let policy = Policy::load(&core.conn)?;
            let tx = begin(&mut core.conn)?;
            let watermark = account::line(&tx, self.me.account)?.watermark;
            if self.me.is_present() {
                retention::let_go(&tx, &self.me, watermark, lifetime_ms, policy)?;
            } else if self.standing == Standing::Wipe {
                retention::erase(&tx, &self.me)?;
                account::strike(&tx, &self.me)?;
            } else if retention::let_go_of_leaving(&tx, &self.me, watermark)? {
                account::strike(&tx, &self.me)?;
            }
            tx.commit()
        })
    }
}
