//! The one object that the shells hold.

use gridwalk_domain as domain;
use gridwalk_engine as inner;
use gridwalk_system::{SystemClock, SystemRng};
use std::sync::Arc;

use crate::text::{list, read, read_optional};
use crate::{
    CancelToken, Catalogue, ConflictChoice, ConflictView, CoverageView, EngineError, ExportFormat,
    Exported, Fix, Grid, Identity, IncidentView, LogOut, NetworkCost, NewCheckIn, NewIncident,
    NextSync, Observer, OpenOptions, PatrolSummary, PatrolView, Power, Recorded, RouteView,
    SensorMark, SensorPlan, Status, Subscription, SyncObserver, SyncReport, SyncSettings,
    VaultView, observe, sync,
};

type Result<T> = std::result::Result<T, EngineError>;

/// A phone: one data file, and all that is done with it.
///
/// Safe to use from any thread; every call blocks until it is done, so none
/// belongs on a main thread. When a call that saves has returned, a kill of the
/// app loses nothing of it.
#[derive(uniffi::Object)]
pub struct Engine {
    pub(crate) inner: inner::Engine,
}

#[uniffi::export]
impl Engine {
    /// Opens the data file, and makes it where there is none.
    ///
    /// Caller: the app's start, and each service that the system starts
    /// without the app.
    ///
    /// # Errors
    /// `InUse`, `WrongKey`, `Damaged`, `TooNew`, `DiskFull`, `Storage`;
    /// `BadInput` where the key has not 32 bytes; `Wiped` where the phone had
    /// been reported stolen: destroy the key.
    #[uniffi::constructor]
    pub fn open(options: OpenOptions) -> Result<Arc<Self>> {
        let key = options.key.map(key).transpose()?;
        let rng = SystemRng::new().map_err(|_| EngineError::NoEntropy)?;
        let inner = inner::Engine::open(inner::Config {
            path: options.path.into(),
            disk: Arc::new(inner::SystemDisk),
            key,
            clock: Arc::new(SystemClock::new()),
            rng: Arc::new(rng),
            platform: options.platform,
            app: options.app,
        })?;
        Ok(Arc::new(Self { inner }))
    }

    /// Closes the data file; every later call throws `Closed`. Calling it twice
    /// does no harm.
    ///
    /// Caller: the app, before iOS suspends it and at its end.
    pub fn shut(&self) {
        self.inner.close();
    }

    /// Makes the phone known to the server: `invitation` is the whole text of
    /// the QR code, or a typed code with the `server`'s address. A phone that was
    /// signed out goes on with what it holds.
    ///
    /// Caller: EnrolmentScreen.
    ///
    /// # Errors
    /// `BadInvitation`, `EnrolRefused`, `AlreadyEnrolled`, `OtherWorker` where
    /// the code is for somebody else than the records on this phone, and those
    /// of a sync.
    pub fn enrol(&self, invitation: String, server: Option<String>) -> Result<Identity> {
        let invitation = inner::Invitation::parse(&invitation, server.as_deref())?;
        let transport = inner::HttpTransport::new(&invitation.server)?;
        Ok(self.inner.enrol(&transport, &invitation)?.into())
    }

    /// Whose phone it is; none before enrolment.
    ///
    /// Caller: the app's start, to choose the first screen.
    ///
    /// # Errors
    /// `Closed`, `Storage`.
    pub fn identity(&self) -> Result<Option<Identity>> {
        Ok(self.inner.identity()?.map(Into::into))
    }

    /// The grids that the worker writes in, with their boundaries.
    ///
    /// Caller: TodayScreen (which grid), PatrolScreen (its polygon).
    ///
    /// # Errors
    /// `Closed`, `Storage`.
    pub fn grids(&self) -> Result<Vec<Grid>> {
        Ok(list(self.inner.grids()?))
    }

    /// The catalogue in force, or the one that ships.
    ///
    /// Caller: ReportScreen, IncidentsScreen (names of codes).
    ///
    /// # Errors
    /// `Closed`, `Storage`.
    pub fn catalogue(&self) -> Result<Catalogue> {
        Ok(self.inner.catalogue()?.into())
    }

    /// How things stand.
    ///
    /// Caller: the location service's notification, the sync worker.
    ///
    /// # Errors
    /// `Closed`, `Storage`.
    pub fn status(&self) -> Result<Status> {
        Ok(self.inner.status()?.into())
    }

    /// Begins a shift in the grid of this id; none: the worker's only grid.
    /// Gives the shift's id.
    ///
    /// Caller: TodayScreen.
    ///
    /// # Errors
    /// `NotEnrolled`, `ShiftRunning`, `ChooseGrid`, `OutOfScope`, `DiskFull`.
    pub fn start_shift(&self, grid: Option<String>) -> Result<String> {
        let grid = read_optional(grid.as_deref(), "grid")?;
        Ok(self.inner.start_shift(grid)?.to_string())
    }

    /// Ends the shift.
    ///
    /// Caller: TodayScreen.
    ///
    /// # Errors
    /// `NoShift`, `PatrolRunning`, `DiskFull`.
    pub fn end_shift(&self) -> Result<()> {
        Ok(self.inner.end_shift()?)
    }

    /// Starts a patrol in the shift's grid and gives its id.
    ///
    /// Caller: PatrolScreen.
    ///
    /// # Errors
    /// `NoShift`, `PatrolRunning`, `DiskFull`.
    pub fn start_patrol(&self) -> Result<String> {
        Ok(self.inner.start_patrol()?.to_string())
    }

    /// Pauses the patrol: nothing is recorded until it is resumed.
    ///
    /// Caller: PatrolScreen, the notification's button.
    ///
    /// # Errors
    /// `NoPatrol`, `PatrolPaused`, `DiskFull`.
    pub fn pause_patrol(&self) -> Result<()> {
        Ok(self.inner.pause_patrol()?)
    }

    /// Goes on with the paused patrol.
    ///
    /// Caller: PatrolScreen, the notification's button.
    ///
    /// # Errors
    /// `NoPatrol`, `PatrolNotPaused`, `DiskFull`.
    pub fn resume_patrol(&self) -> Result<()> {
        Ok(self.inner.resume_patrol()?)
    }

    /// Finishes the patrol.
    ///
    /// Caller: PatrolScreen.
    ///
    /// # Errors
    /// `NoPatrol`, `DiskFull`.
    pub fn finish_patrol(&self) -> Result<PatrolSummary> {
        Ok(self.inner.finish_patrol()?.into())
    }

    /// Records fixes, one or a bunch. When it returns, a kill of the app loses
    /// none of them.
    ///
    /// Caller: the location service.
    ///
    /// # Errors
    /// `NoPatrol`, `PatrolPaused`, `DiskFull`, `Storage`.
    pub fn record(&self, fixes: Vec<Fix>) -> Result<Recorded> {
        let fixes: Vec<domain::Fix> = list(fixes);
        Ok(self.inner.record(&fixes)?.into())
    }

    /// What to ask of the sensors now; none: leave them alone, as nothing is
    /// recorded outside of a patrol or while it is paused.
    ///
    /// Caller: the location service, after each step of the patrol, after each
    /// `record`, when the battery changes, and every half a minute while no
    /// position comes.
    ///
    /// # Errors
    /// `Closed`.
    pub fn sensor_plan(&self, power: Power) -> Result<Option<SensorPlan>> {
        Ok(self.inner.sensor_plan(power.into())?.map(Into::into))
    }

    /// Notes what the sensor is at, so that a gap has its cause.
    ///
    /// Caller: the location service.
    ///
    /// # Errors
    /// `NoPatrol`, `DiskFull`.
    pub fn mark(&self, mark: SensorMark) -> Result<()> {
        Ok(self.inner.mark(mark.into())?)
    }

    /// Saves that the worker is at a site, or why they could not be, and gives
    /// the check-in's id.
    ///
    /// Caller: PatrolScreen, a site that was touched.
    ///
    /// # Errors
    /// `NotEnrolled`, `NoShift`, `NotFound`, `OutOfScope`, `BadInput`,
    /// `DiskFull`.
    pub fn check_in(&self, new: NewCheckIn) -> Result<String> {
        Ok(self.inner.check_in(new.try_into()?)?.to_string())
    }

    /// The sites of the worker's grids and how they stand today.
    ///
    /// Caller: PatrolScreen and TodayScreen, when the number of fixes in the
    /// status grew, after a check-in and after a sync.
    ///
    /// # Errors
    /// `Closed`, `Storage`.
    pub fn coverage(&self) -> Result<CoverageView> {
        Ok(self.inner.coverage()?.into())
    }

    /// Saves an incident with its photos and gives its id.
    ///
    /// Caller: ReportScreen.
    ///
    /// # Errors
    /// `NotEnrolled`, `NoShift`, `OutOfScope`, `BadInput`, `UnknownCategory`,
    /// `PhotoNotTaken`, `DiskFull`.
    pub fn report_incident(&self, incident: NewIncident) -> Result<String> {
        Ok(self
            .inner
            .report_incident(incident.try_into()?)?
            .to_string())
    }

    /// The incidents on this phone, newest first.
    ///
    /// Caller: IncidentsScreen when it is drawn without a subscription (tests,
    /// support); it follows [`Self::observe`] otherwise.
    ///
    /// # Errors
    /// `Closed`, `Storage`.
    pub fn incidents(&self) -> Result<Vec<IncidentView>> {
        Ok(list(self.inner.incidents()?))
    }

    /// One incident.
    ///
    /// Caller: IncidentsScreen, one opened.
    ///
    /// # Errors
    /// `NotFound`, `BadInput`.
    pub fn incident(&self, id: String) -> Result<IncidentView> {
        Ok(self.inner.incident(read(&id, "id")?)?.into())
    }

    /// The bytes of a photo, as they leave this phone.
    ///
    /// Caller: IncidentsScreen, one opened.
    ///
    /// # Errors
    /// `NotFound`, `BadInput`, `Storage`.
    pub fn photo(&self, sha256: String) -> Result<Vec<u8>> {
        Ok(self.inner.photo(read(&sha256, "sha256")?)?)
    }

    /// The patrols on this phone, newest first.
    ///
    /// Caller: TodayScreen when it is drawn without a subscription (tests,
    /// support); it follows [`Self::observe`] otherwise.
    ///
    /// # Errors
    /// `Closed`, `Storage`.
    pub fn patrols(&self) -> Result<Vec<PatrolView>> {
        Ok(list(self.inner.patrols()?))
    }

    /// One patrol.
    ///
    /// Caller: PatrolScreen, after it was finished.
    ///
    /// # Errors
    /// `NotFound`, `BadInput`.
    pub fn patrol(&self, id: String) -> Result<PatrolView> {
        Ok(self.inner.patrol(read(&id, "id")?)?.into())
    }

    /// The route of one's own patrol, the running one too.
    ///
    /// Caller: PatrolScreen, when the number of fixes in the status grew.
    ///
    /// # Errors
    /// `NotFound`, `BadInput`, `Storage`.
    pub fn route(&self, patrol: String) -> Result<RouteView> {
        Ok(self.inner.route(read(&patrol, "patrol")?)?.into())
    }

    /// A record as a file that other programs read.
    ///
    /// Caller: support, and whoever must get data off a phone that cannot send.
    ///
    /// # Errors
    /// `NotFound`, `BadInput`, `Storage`.
    pub fn export(&self, record: String, format: ExportFormat) -> Result<String> {
        Ok(self.inner.export(read(&record, "record")?, format.into())?)
    }

    /// Sends what is unsent and receives what is new, also for those who left
    /// this phone. One at a time: a second caller waits.
    ///
    /// `network`: what the network costs, unmetered where it is left out; routes
    /// and photos go by the settings. `budget_bytes`: how much it may use, both
    /// ways, unlimited where it is left out.
    ///
    /// Caller: the sync worker, and TodayScreen's "sync now".
    ///
    /// # Errors
    /// `NotEnrolled`, `Offline`, `Busy`, `SignedOut`, `Untrusted`,
    /// `ServerFault`, `BadAnswer`, `Cancelled`. What was sent until then is
    /// sent, all else is kept. `Wiped` where the phone was reported stolen:
    /// destroy the key.
    #[uniffi::method(default(network = None, budget_bytes = None))]
    pub fn sync(
        &self,
        observer: Option<Arc<dyn SyncObserver>>,
        cancel: Option<Arc<CancelToken>>,
        network: Option<NetworkCost>,
        budget_bytes: Option<u64>,
    ) -> Result<SyncReport> {
        let options = inner::SyncOptions {
            progress: observer.map(|observer| Arc::new(sync::Watched(observer)) as _),
            cancel: cancel.map_or_else(inner::CancelToken::new, |token| token.inner.clone()),
            network: network.map_or_else(inner::Network::default, Into::into),
            budget_bytes,
        };
        Ok(self.inner.sync_over_http(&options)?.into())
    }

    /// When to sync next on this network: what the engine knows of failures,
    /// waits and what is unsent goes into it, and it survives a restart.
    ///
    /// Caller: the sync worker, when something was saved, when the network
    /// changed, after each sync, and when the time given has come.
    ///
    /// # Errors
    /// `Closed`, `Storage`.
    pub fn next_sync(&self, network: NetworkCost) -> Result<NextSync> {
        Ok(self.inner.next_sync(network.into())?.into())
    }

    /// Tells that there is a network after there was none: what failed for want
    /// of it need not wait.
    ///
    /// Caller: what watches the network.
    ///
    /// # Errors
    /// `Closed`.
    pub fn network_returned(&self) -> Result<()> {
        Ok(self.inner.network_returned()?)
    }

    /// What is sent over which network, and what is kept how long.
    ///
    /// Caller: the settings, a screen that is still to come.
    ///
    /// # Errors
    /// `Closed`, `Storage`.
    pub fn sync_settings(&self) -> Result<SyncSettings> {
        Ok(self.inner.policy()?.into())
    }

    /// Changes that.
    ///
    /// Caller: the settings, a screen that is still to come.
    ///
    /// # Errors
    /// `Closed`, `DiskFull`, `Storage`.
    pub fn set_sync_settings(&self, settings: SyncSettings) -> Result<()> {
        Ok(self.inner.set_policy(settings.into())?)
    }

    /// Logs the worker out, offline too. Without `confirm` nothing is changed
    /// where something would be left behind; the answer says what, to be shown.
    ///
    /// Caller: TodayScreen off duty, once it has been asked.
    ///
    /// # Errors
    /// `NotEnrolled`, `DiskFull`, `Storage`.
    pub fn log_out(&self, confirm: bool) -> Result<LogOut> {
        Ok(self.inner.log_out(confirm)?.into())
    }

    /// What is on this phone and on no screen: counts alone.
    ///
    /// Caller: the settings, a screen that is still to come.
    ///
    /// # Errors
    /// `Closed`, `Storage`.
    pub fn vault(&self) -> Result<Vec<VaultView>> {
        Ok(list(self.inner.vault()?))
    }

    /// Writes everything that the server has not taken into a new folder, not
    /// encrypted, for support to bring it in by hand.
    ///
    /// Caller: the settings, a screen that is still to come, for support.
    ///
    /// # Errors
    /// `Closed`, `DiskFull`, `Storage`.
    pub fn export_unsent(&self, folder: String) -> Result<Exported> {
        Ok(self
            .inner
            .export_unsent(std::path::Path::new(&folder))?
            .into())
    }

    /// The fields that were written twice and wait for somebody to settle them.
    ///
    /// Caller: IncidentsScreen, where the status counts any.
    ///
    /// # Errors
    /// `Closed`, `Storage`.
    pub fn conflicts(&self) -> Result<Vec<ConflictView>> {
        Ok(list(self.inner.conflicts()?))
    }

    /// Settles a conflict as it was shown; what came in since stays.
    ///
    /// Caller: IncidentsScreen, one opened.
    ///
    /// # Errors
    /// `NoShift`, `NotFound`, `OutOfScope`, `BadInput`, `DiskFull`.
    pub fn resolve(&self, conflict: ConflictView, choice: ConflictChoice) -> Result<()> {
        Ok(self
            .inner
            .settle(&conflict.try_into()?, choice.try_into()?)?)
    }

    /// Hears of every change, beginning with how everything stands.
    ///
    /// Caller: the adapters beneath all view models (Kotlin's Flow, Swift's
    /// AsyncSequence).
    ///
    /// # Errors
    /// `Closed`, `Storage`.
    pub fn observe(&self, observer: Arc<dyn Observer>) -> Result<Arc<Subscription>> {
        let inner = self.inner.observe(Arc::new(observe::Watched(observer)))?;
        Ok(Subscription::new(inner))
    }
}

/// Takes the key over and forgets where it came from.
fn key(bytes: Vec<u8>) -> Result<inner::Key32> {
    let length = bytes.len();
    let key = <[u8; 32]>::try_from(bytes).map_err(|_| EngineError::BadInput {
        what: "key".to_owned(),
        why: format!("{length} bytes; exactly 32 are expected"),
    })?;
    Ok(inner::Key32::new(key))
}
