//! A simulated gridworker's phone: a real engine with a database of its own,
//! fed by a [`Day`].

use anyhow::{Context as _, Result};
use chrono::TimeDelta;
use gridwalk_domain::{BootId, Clock, EntityId, GapCause, MarkKind};
use gridwalk_engine::{
    Config, Engine, EngineError, HttpTransport, Invitation, Key32, NewCheckIn, NewFinding,
    NewIncident, NewMediation, NewPhoto, NewVisit, Request, Response, Session, Signature,
    StepWords, SyncOptions, SystemDisk, Transport, TransportError,
};
use gridwalk_system::SystemRng;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::sync::Arc;

use crate::ledger::Event;
use crate::photo;
use crate::plan::{Act, CheckIn, Day, Mediate, Report, Take, UTC_OFFSET_MIN, Visit};
use crate::story;

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
            Act::Findings => self.findings()?,
            Act::Take(take) => self.take(take, tell)?,
            Act::Mediate(mediate) => self.mediate(mediate)?,
            Act::Visit(visit) => self.visit(visit)?,
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
            subcategory: report.sub,
            severity: Some(report.severity),
            title: report.title,
            description: Some(report.description),
            answers: report.answers,
            photos,
            ..NewIncident::default()
        })?;
        tell(Event::Incident(id));
        self.tell_attached(id, tell)
    }

    fn tell_attached(&self, record: EntityId, tell: &mut dyn FnMut(Event)) -> Result<()> {
        let attached = self.engine.record_of(record)?.blobs();
        tell(Event::Attached(attached.into_iter().collect()));
        Ok(())
    }

    /// The incident, task or mediation of a title.
    fn titled(&self, kind: &str, title: &str) -> Result<EntityId> {
        let found = match kind {
            "task" => {
                let mut all = self.engine.tasks()?.into_iter();
                all.find(|task| task.title == title)
                    .map(|task| task.record.id)
            }
            "mediation" => {
                let mut all = self.engine.mediations()?.into_iter();
                all.find(|one| one.title == title).map(|one| one.record.id)
            }
            _ => {
                let mut all = self.engine.incidents()?.into_iter();
                all.find(|one| one.title == title).map(|one| one.id)
            }
        };
        found.with_context(|| format!("no {kind} is called {title} on this phone"))
    }

    fn take(&self, take: Take, tell: &mut dyn FnMut(Event)) -> Result<()> {
        let record = self.titled(&take.kind, &take.of)?;
        let picture = |which| {
            let category = self.engine.record_of(record)?;
            let category = category.text("category").unwrap_or_default().to_owned();
            Ok::<_, anyhow::Error>(NewPhoto {
                bytes: photo::take(&category, which)?,
                mime: "image/jpeg".to_owned(),
            })
        };
        let signed = take.signed.into_iter().enumerate().map(|(nth, name)| {
            Ok(Signature {
                picture: NewPhoto {
                    bytes: photo::sign(nth)?,
                    mime: "image/jpeg".to_owned(),
                },
                name,
            })
        });
        let words = StepWords {
            reason: take.reason,
            note: take.note,
            photos: take.photo.map(picture).transpose()?.into_iter().collect(),
            more: take.more,
            signatures: signed.collect::<Result<_>>()?,
            ..StepWords::default()
        };
        let taken = self.engine.take(record, &take.step, words);
        taken.with_context(|| format!("{} of {}", take.step, take.of))?;
        self.tell_attached(record, tell)
    }

    /// What the patrol found of each category: normal, where nothing was
    /// reported on it.
    fn findings(&self) -> Result<()> {
        let patrol = self.engine.status()?.patrol.context("on patrol")?.id;
        let all = self.engine.incidents()?;
        let found: Vec<_> = all
            .iter()
            .filter(|one| one.patrol == Some(patrol))
            .collect();
        for category in ["hygiene", "fire_safety", "public_order"] {
            let incident = found.iter().find(|one| one.category == category);
            self.engine.record_finding(&NewFinding {
                category: category.to_owned(),
                incident: incident.map(|one| one.id),
                note: None,
            })?;
        }
        Ok(())
    }

    fn mediate(&self, mediate: Mediate) -> Result<()> {
        let id = self.engine.open_mediation(&NewMediation {
            title: mediate.of.clone(),
            incident: Some(self.titled("incident", &mediate.of)?),
            cause: Some(mediate.cause),
            address: Some(mediate.place.clone()),
            parties: mediate.parties.clone(),
            ..NewMediation::default()
        })?;
        let at_ms = |at: &str| Ok::<_, anyhow::Error>(self.day.time_ms(story::minute(at)?));
        self.engine.add_session(
            id,
            &Session {
                from_ms: at_ms(&mediate.from)?,
                to_ms: Some(at_ms(&mediate.to)?),
                at: Some(mediate.place),
                remote: false,
                present: mediate.parties,
                said: mediate.said,
            },
        )?;
        let today = chrono::DateTime::from_timestamp_millis(self.day.time_ms(0))
            .context("a day")?
            .checked_add_signed(TimeDelta::minutes(UTC_OFFSET_MIN.into()));
        let again =
            today.context("a day")?.date_naive() + TimeDelta::days(mediate.again_days.into());
        let date = again.to_string().parse().map_err(anyhow::Error::msg)?;
        self.engine.look_again(id, date, Some(&mediate.again))?;
        Ok(())
    }

    fn visit(&self, visit: Visit) -> Result<()> {
        self.engine.record_visit(&NewVisit {
            household: visit.household,
            purpose: Some(visit.purpose),
            found: Some(visit.found),
            ..NewVisit::default()
        })?;
        Ok(())
    }

    /// Reads what was sent to all.
    fn read_notices(&self) -> Result<()> {
        for notice in self.engine.notices()? {
            if notice.unread {
                self.engine.read_notice(notice.record.id)?;
            }
        }
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
            self.sync()?;
            return self.read_notices();
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
