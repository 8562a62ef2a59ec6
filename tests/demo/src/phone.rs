//! A simulated gridworker's phone: a real engine with a database of its own,
//! fed by a [`Day`].

use anyhow::{Context as _, Result};
use gridwalk_domain::{BootId, Clock, GapCause, MarkKind};
use gridwalk_engine::{
    Config, Engine, EngineError, HttpTransport, Invitation, Key32, NewCheckIn, NewIncident,
    NewPhoto, Request, Response, SyncOptions, SystemDisk, Transport, TransportError,
};
use gridwalk_system::SystemRng;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::sync::Arc;

use crate::ledger::Event;
use crate::photo;
use crate::plan::{Act, CheckIn, Day, Report};

/// What a phone needs to start; written to a file for a phone that runs in a
/// process of its own.
#[derive(Serialize, Deserialize)]
pub(crate) struct Setup {
    /// Its database.
    pub(crate) database: PathBuf,
    /// Its key, 64 hex digits. A real phone's keystore keeps it.
    pub(crate) key: String,
    /// The invitation that its worker scanned.
    pub(crate) invitation: String,
    /// The demo's one boot.
    pub(crate) boot: BootId,
    /// When the demo's clocks begin.
    pub(crate) clock_start_ms: i64,
    /// What its worker does.
    pub(crate) day: Day,
}

/// A phone that is switched on.
pub(crate) struct Phone {
    engine: Engine,
    transport: HttpTransport,
    day: Day,
    next_act: usize,
    next_fix: usize,
}

impl Phone {
    /// Opens the app at a minute of the day: what comes before is past. The
    /// first time, the phone is enrolled. What an earlier process had recorded
    /// is told as events.
    ///
    /// # Errors
    /// What the engine says.
    pub(crate) fn open(
        setup: Setup,
        clock: Arc<dyn Clock>,
        minute: u32,
        tell: &mut dyn FnMut(Event),
    ) -> Result<Self> {
        let engine = Engine::open(Config {
            path: setup.database,
            disk: Arc::new(SystemDisk),
            key: Some(Key32::from_hex(&setup.key).context("the key has 64 hex digits")?),
            clock,
            rng: Arc::new(SystemRng::new()?),
            platform: "terminal".to_owned(),
            app: env!("CARGO_PKG_VERSION").to_owned(),
        })?;
        let invitation = Invitation::parse(&setup.invitation, None)?;
        let transport = HttpTransport::new(&invitation.server)?;
        if engine.identity()?.is_none() {
            engine.enrol(&transport, &invitation)?;
        }
        for patrol in engine.patrols()? {
            for run in patrol.runs {
                let count = u32::try_from(run.fixes)?;
                tell(Event::Fixes {
                    patrol: patrol.id,
                    run: run.run,
                    first: 0,
                    count,
                });
            }
        }
        let day = setup.day;
        let next_act = day.acts.partition_point(|(at, _)| *at < minute);
        let now_ms = day.time_ms(minute);
        let next_fix = day.fixes.partition_point(|fix| fix.time_ms < now_ms);
        Ok(Self {
            engine,
            transport,
            day,
            next_act,
            next_fix,
        })
    }

    /// Lives through the minute that ends now: the sensor's fixes, then what
    /// the worker does. Everything acknowledged is told at once.
    ///
    /// # Errors
    /// What the engine says; being offline is no error.
    pub(crate) fn live(&mut self, minute: u32, tell: &mut dyn FnMut(Event)) -> Result<()> {
        self.sense(minute, tell)?;
        while let Some((at, act)) = self.day.acts.get(self.next_act) {
            if *at > minute {
                break;
            }
            let act = act.clone();
            self.next_act += 1;
            self.act(act, minute, tell)?;
        }
        Ok(())
    }

    fn sense(&mut self, minute: u32, tell: &mut dyn FnMut(Event)) -> Result<()> {
        let now_ms = self.day.time_ms(minute);
        let rest = &self.day.fixes[self.next_fix..];
        let due = rest.partition_point(|fix| fix.time_ms < now_ms);
        self.next_fix += due;
        let walking = self
            .engine
            .status()?
            .patrol
            .is_some_and(|patrol| !patrol.paused);
        // Off duty and in a pause the sensor is off: there is nothing to take.
        for fix in rest[..due].iter().filter(|_| walking) {
            let recorded = self.engine.record(std::slice::from_ref(fix))?;
            let (patrol, run, first) = (recorded.patrol, recorded.run, recorded.first);
            tell(Event::Fixes {
                patrol,
                run,
                first,
                count: 1,
            });
        }
        Ok(())
    }

    fn act(&mut self, act: Act, minute: u32, tell: &mut dyn FnMut(Event)) -> Result<()> {
        match act {
            Act::StartShift => self.engine.start_shift(None).map(|_| ())?,
            Act::StartPatrol => tell(Event::Patrol(self.engine.start_patrol()?)),
            Act::Pause => self.engine.pause_patrol()?,
            Act::Resume => self.engine.resume_patrol()?,
            Act::LoseSignal => self.engine.mark(MarkKind::Lost {
                cause: GapCause::NoSignal,
            })?,
            Act::FindSignal => self.engine.mark(MarkKind::Found)?,
            Act::FinishPatrol => self.engine.finish_patrol().map(|_| ())?,
            Act::EndShift => self.engine.end_shift()?,
            Act::Report(report) => self.report(report, tell)?,
            Act::CheckIn(check_in) => self.check_in(check_in)?,
            Act::Sync => self.try_to_sync(minute)?,
        }
        Ok(())
    }

    /// Saves a report with its photo.
    ///
    /// # Errors
    /// What the engine says.
    pub(crate) fn report(&self, report: Report, tell: &mut dyn FnMut(Event)) -> Result<()> {
        let mut photos = Vec::new();
        if let Some(which) = report.photo {
            let bytes = photo::take(&report.category, which)?;
            photos.push(NewPhoto {
                bytes,
                mime: "image/jpeg".to_owned(),
            });
        }
        let id = self.engine.report_incident(NewIncident {
            category: report.category,
            severity: Some(report.severity),
            title: report.title,
            description: Some(report.description),
            answers: report.answers,
            photos,
            ..NewIncident::default()
        })?;
        let photos = self.engine.incident(id)?.photos;
        tell(Event::Incident {
            id,
            photos: photos.iter().map(|photo| photo.sha256).collect(),
        });
        Ok(())
    }

    fn check_in(&self, planned: CheckIn) -> Result<()> {
        let sites = self.engine.coverage()?.sites;
        let site = sites.iter().find(|each| each.site.name == planned.site);
        let site = site.context("a site that was not synced")?.site.id;
        self.engine.check_in(NewCheckIn {
            site,
            missed: planned.missed,
            note: planned.note,
            place: None,
        })?;
        Ok(())
    }

    fn try_to_sync(&self, minute: u32) -> Result<()> {
        if !self
            .day
            .offline
            .as_ref()
            .is_some_and(|gone| gone.contains(&minute))
        {
            return self.sync();
        }
        let outcome = self.engine.sync(&NoNetwork, SyncOptions::default());
        match outcome {
            Err(EngineError::Unreachable { .. }) => Ok(()),
            other => anyhow::bail!("a sync without a network ended as {other:?}"),
        }
    }

    /// Sends all there is to send.
    ///
    /// # Errors
    /// What the engine says.
    pub(crate) fn sync(&self) -> Result<()> {
        self.engine.sync(&self.transport, SyncOptions::default())?;
        Ok(())
    }

    /// How many records have not been sent: ops, chunks, attachments.
    ///
    /// # Errors
    /// What the engine says.
    pub(crate) fn unsent(&self) -> Result<u64> {
        let unsent = self.engine.status()?.unsent;
        Ok(unsent.ops + unsent.chunks + unsent.blobs)
    }

    /// Goes out once more, and loses the network right after the phone has
    /// said what it has to send.
    ///
    /// # Errors
    /// What the engine says.
    pub(crate) fn go_out_of_sight(&self, report: Report) -> Result<()> {
        self.engine.start_shift(None)?;
        self.report(report, &mut |_| {})?;
        let cut = CutAfterHello(&self.transport);
        match self.engine.sync(&cut, SyncOptions::default()) {
            Err(EngineError::Unreachable { .. }) => Ok(()),
            other => anyhow::bail!("a sync over a cut line ended as {other:?}"),
        }
    }
}

fn unreachable() -> TransportError {
    TransportError::Unreachable {
        message: "no network".to_owned(),
    }
}

/// A basement.
struct NoNetwork;

impl Transport for NoNetwork {
    fn send(&self, _: &Request) -> Result<Response, TransportError> {
        Err(unreachable())
    }
}

/// A line that carries one `hello` and nothing more.
struct CutAfterHello<'a>(&'a HttpTransport);

impl Transport for CutAfterHello<'_> {
    fn send(&self, request: &Request) -> Result<Response, TransportError> {
        match request.path.as_str() {
            "/v1/hello" => self.0.send(request),
            _ => Err(unreachable()),
        }
    }
}
