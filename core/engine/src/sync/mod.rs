//! A sync: hello, have, push, pull, tracks, attachments, receipts.
//!
//! It always starts from what is durable, holds the engine's lock for its
//! transactions only, and may be cancelled between any two requests and started
//! again at once. Nothing leaves the outbox but by the server's word for that
//! very op, chunk or attachment: any other answer, and none, keeps it. What is
//! pulled never waits for what is large to be sent.

mod accounts;
mod blobs;
mod call;
mod enrolment;
mod fetch;
mod have;
mod hello;
mod meter;
mod pace;
mod push;
mod report;
mod streams;
mod tracks;

use gridwalk_domain::Epoch;
use gridwalk_domain::wire::{Cursor, Limits, Standing};
use rusqlite::Transaction;
use std::sync::PoisonError;

use crate::attachments::Which;
use crate::core::{Core, Shared, begin};
use crate::error::{EngineError, Inner, Result};
use crate::identity::Me;
use crate::observe::Touched;
use crate::outbox::Word;
use crate::policy::{Network, Policy};
use crate::schedule::{self, Ended, Seen};
use crate::store::meta::{self, name};
use crate::{Transport, account, boots, timeline};
use call::{Halt, Line, Step};
pub(crate) use enrolment::enrol;
pub(crate) use fetch::fetch;
pub use fetch::{FetchOptions, FetchProgress, Fetched};
use hello::After;
use meter::Meter;
use pace::Pace;
pub use report::{CancelToken, Cut, Phase, Progress, SyncOptions, SyncProgress, SyncReport};

/// A sync that runs, for one account after the other.
pub(crate) struct Run<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) line: Line<'a>,
    pub(crate) report: SyncReport,
    pub(crate) meter: Meter,
    /// Whose records are sent now.
    pub(crate) me: Me,
    pub(crate) limits: Limits,
    /// The time line that the server is of.
    epoch: Epoch,
    /// The server's clock when it said hello, and the phone's monotonic one.
    server: (i64, i64),
    /// Whether there is something to pull, and whether this app may.
    news: bool,
    too_old: bool,
    standing: Standing,
    /// Whether the server did not know what the phone named: all is doubted at
    /// the next hello.
    misfit: bool,
    /// Whether everything on this phone is to go.
    wipe: bool,
    network: Network,
    /// What the last sync's broken request carried too much of.
    pace: Option<usize>,
}

pub(crate) fn run(
    shared: &Shared,
    transport: &dyn Transport,
    options: SyncOptions,
) -> Result<SyncReport> {
    let _one = shared
        .syncing
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let now = shared.now();
    let (present, leaving, seen) = shared.with(|core| {
        if let Some(after_ms) = core.schedule.ordered_ms(now) {
            return Err(EngineError::RetryLater { after_ms }.into());
        }
        let seen = schedule::seen(core, options.network)?;
        Ok((core.me.clone(), account::leaving(&core.conn)?, seen))
    })?;
    let reached = |me: &Me| transport.leads_to(&me.address());
    let present = present.filter(reached);
    let leaving: Vec<Me> = leaving.into_iter().filter(reached).collect();
    let first = present.as_ref().or(leaving.first());
    let first = first.ok_or(EngineError::NotEnrolled)?.clone();
    let line = Line::new(transport, options.cancel, options.budget_bytes);
    let mut run = Run::new(shared, line, Meter::new(options.progress), first);
    run.network = options.network;
    run.pace = shared.with(|core| meta::get(&core.conn, name::PACE))?;
    let whose = present.is_some() || shared.with(|core| Ok(core.me.is_none()))?;
    let outcome = run.everybody(present, transport);
    if run.wipe {
        shared.wipe()?;
        return Err(EngineError::Wiped);
    }
    let got_on = run.meter.moved();
    let outcome = run.end(outcome);
    // What goes wrong at another server is nothing to whoever uses the phone.
    if whose {
        shared.note_sync(&outcome, got_on, seen);
    }
    shared.observers.touch(&Touched::status());
    shared.clean_up();
    outcome
}

impl Shared {
    /// Notes how a sync ended, for the next one. Where it cannot be stored it is
    /// kept in mind.
    fn note_sync(&self, outcome: &Result<SyncReport>, got_on: bool, seen: Seen) {
        let now = self.now();
        let ended = match outcome {
            Ok(report) => Ended::Well {
                wait_ms: match report.cut {
                    Some(Cut::RetryAfter { after_ms }) => after_ms,
                    Some(Cut::Budget) | None => 0,
                },
            },
            Err(EngineError::Cancelled | EngineError::Closed) => return,
            Err(EngineError::RetryLater { after_ms }) => Ended::Failed {
                got_on,
                wait_ms: *after_ms,
            },
            Err(_) => Ended::Failed { got_on, wait_ms: 0 },
        };
        let _ = self.with(|core| {
            core.schedule.note(now, ended, seen, &*self.rng);
            let tx = begin(&mut core.conn)?;
            core.schedule.store(&tx)?;
            tx.commit()
        });
    }
}

impl<'a> Run<'a> {
    fn new(shared: &'a Shared, line: Line<'a>, meter: Meter, me: Me) -> Self {
        Self {
            shared,
            line,
            report: SyncReport::default(),
            meter,
            me,
            limits: Limits::default(),
            epoch: Epoch::from_bytes([0; 16]),
            server: (0, 0),
            news: false,
            too_old: false,
            standing: Standing::Active,
            misfit: false,
            wipe: false,
            network: Network::Unmetered,
            pace: None,
        }
    }

    /// What a sync came to.
    fn end(mut self, outcome: Step<()>) -> Result<SyncReport> {
        let spent = self.line.spent();
        self.report.requests = spent.requests;
        self.report.bytes_up = spent.up;
        self.report.bytes_down = spent.down;
        self.report.cut = match outcome {
            Ok(()) => None,
            Err(Halt::Budget) => Some(Cut::Budget),
            Err(Halt::Wait) => Some(Cut::RetryAfter {
                after_ms: self.line.wait_ms().unwrap_or(0),
            }),
            Err(Halt::Failed(error)) => return Err(error),
            Err(Halt::HelloAgain | Halt::Misfit) => {
                let message = "the server is of another time line again and again".to_owned();
                return Err(EngineError::BadAnswer { message });
            }
        };
        Ok(self.report)
    }

    fn round(&mut self) -> Step<()> {
        if self.hello()? == After::Left {
            return Ok(());
        }
        self.have()?;
        self.seal()?;
        let pushed = self.push();
        match &pushed {
            // The server has a fault with what was pushed; what it has for this
            // phone comes down all the same.
            Ok(())
            | Err(Halt::Failed(EngineError::ServerError { .. } | EngineError::BadAnswer { .. })) => {
                self.pull(Phase::Pull)?;
            }
            Err(_) => return pushed,
        }
        pushed?;
        // A phone that was stolen sends what it can, whatever that costs.
        let (policy, network) = match self.standing {
            Standing::Wipe => (Policy::default(), Network::Unmetered),
            _ => (
                self.shared.with(|core| Policy::load(&core.conn))?,
                self.network,
            ),
        };
        if policy.sends_routes(network) {
            self.tracks()?;
        }
        // A thumbnail is as small as a few ops, and shows what happened.
        self.blobs(match policy.sends_photos(network) {
            true => Which::All,
            false => Which::Thumbs,
        })?;
        self.pull(Phase::Receipts)?;
        self.forget_the_break()?;
        Ok(self.let_go()?)
    }

    /// How large requests begin in this sync.
    fn pace(&self, most: usize) -> Pace {
        Pace::new(self.pace, most)
    }

    /// Notes that a request broke on the way that carried so much: the next
    /// sync begins with less. What cannot be noted is only slower.
    fn broke(&self, halt: &Halt, carried: usize) {
        let broke = matches!(
            halt,
            Halt::Failed(EngineError::Unreachable { .. } | EngineError::TimedOut)
        );
        if broke {
            let _ = self.shared.with(|core| {
                let tx = begin(&mut core.conn)?;
                meta::put(&tx, name::PACE, &Pace::after_break(carried))?;
                tx.commit()
            });
        }
    }

    /// The line carries what it is given again.
    fn forget_the_break(&mut self) -> Result<()> {
        if self.pace.take().is_none() {
            return Ok(());
        }
        self.shared.with(|core| {
            let tx = begin(&mut core.conn)?;
            meta::remove(&tx, name::PACE)?;
            tx.commit()
        })
    }

    /// A running patrol's fixes go along once they make a chunk worth sending.
    fn seal(&self) -> Result<()> {
        const WORTH: usize = 60;
        let now = self.shared.now();
        self.shared.with(|core| {
            if core
                .recorder
                .live
                .as_ref()
                .is_some_and(|live| live.unsealed >= WORTH)
            {
                let tx = begin(&mut core.conn)?;
                core.recorder.seal(&tx, now)?;
                tx.commit()?;
                core.recorder.sealed();
            }
            Ok(())
        })
    }

    pub(crate) fn tell(&mut self, phase: Phase) {
        let spent = self.line.spent();
        self.meter.tell(phase, spent);
    }

    /// The server's clock now.
    pub(crate) fn server_ms(&self) -> i64 {
        let (server_ms, mono_ms) = self.server;
        server_ms + (self.shared.now().mono_ms - mono_ms).max(0)
    }

    /// Keeps something that the server said, in one transaction with the
    /// highest receipt that the answer names.
    ///
    /// The receipt also says of which time line the word is. Where that is not
    /// the one that hello told, the word is kept as one of the new line, and
    /// hello is to be said again.
    pub(crate) fn keep<T>(
        &mut self,
        receipt: Option<Cursor>,
        write: impl FnOnce(&Transaction<'_>, &Word) -> Inner<(T, Touched)>,
    ) -> Step<T> {
        let now = self.shared.now();
        let (account, epoch) = (self.me.account, self.epoch);
        let (out, ours) = self.shared.change(|core| {
            self.still_there(core)?;
            let word = Word {
                account,
                epoch: receipt.map_or(epoch, |receipt| receipt.epoch),
                lifetime_ms: boots::lifetime(&core.conn, now)?,
            };
            let tx = begin(&mut core.conn)?;
            let (out, touched) = write(&tx, &word)?;
            let ours = match receipt {
                None => true,
                Some(receipt) => timeline::see(&tx, account, receipt)?,
            };
            tx.commit()?;
            Ok(((out, ours), touched))
        })?;
        if !ours {
            return Err(Halt::HelloAgain);
        }
        if receipt.is_some() {
            self.line.receipt = self.shared.with(|core| receipt_of(core, account))?;
        }
        Ok(out)
    }

    /// Whoever used the phone when the sync began may have logged out since.
    fn still_there(&self, core: &Core) -> Inner<()> {
        let left = self.me.is_present() && core.account() != self.me.account;
        if left {
            return Err(EngineError::Cancelled.into());
        }
        Ok(())
    }

    /// Changes what is noted of the account's time line.
    fn note(&self, change: impl FnOnce(&mut timeline::TimeLine)) -> Result<()> {
        self.shared.with(|core| {
            let tx = begin(&mut core.conn)?;
            let mut line = account::line(&tx, self.me.account)?;
            change(&mut line);
            account::keep_line(&tx, self.me.account, &line)?;
            tx.commit()
        })
    }
}

fn receipt_of(core: &Core, account: i64) -> Inner<Option<Cursor>> {
    Ok(account::line(&core.conn, account)?.receipt)
}
