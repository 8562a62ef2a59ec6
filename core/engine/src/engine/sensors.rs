//! What to ask of the sensors.

use gridwalk_track::plan::{Power, Request};

use super::Engine;
use crate::error::Result;

impl Engine {
    /// What to ask of the sensors now; none: leave them alone, as nothing is
    /// recorded outside of a patrol or while it is paused.
    ///
    /// To be asked after each step of the patrol, after each call of
    /// [`Engine::record`], when the battery or its charger changes, and now and
    /// then while no position comes: every half a minute will do. It also syncs
    /// the last fixes to disk where no later one did.
    ///
    /// # Errors
    /// `Closed`.
    pub fn sensor_plan(&self, power: Power) -> Result<Option<Request>> {
        let now = self.shared.now();
        self.shared.with(|core| {
            core.recorder.settle(now, 0);
            let live = core.recorder.live.as_mut().filter(|live| !live.paused);
            Ok(live.map(|live| live.planner.ask(now.mono_ms, power)))
        })
    }
}
