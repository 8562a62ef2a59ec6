//! Notices, and that they were read.

use gridwalk_domain::kind::notice::{FILES, KIND, PUBLISHED, READING, read_by};
use gridwalk_domain::{Entity, EntityId, GridId, kind};
use serde_json::json;

use super::Engine;
use super::make::{Making, me};
use crate::core::Core;
use crate::error::{EngineError, Inner, Result};
use crate::gate::Gate;
use crate::identity::Synced;
use crate::view::{self, PhotoView, RecordView, one_of, shown_of, value};

/// A notice.
#[derive(Clone, Debug, PartialEq)]
pub struct NoticeView {
    /// What every record has.
    pub record: RecordView,
    /// Its title.
    pub title: String,
    /// What it says.
    pub text: String,
    /// Its files.
    pub files: Vec<PhotoView>,
    /// Until when it holds, in milliseconds since 1970.
    pub until_ms: Option<i64>,
    /// When the worker first read it, on whichever phone.
    pub read_ms: Option<i64>,
    /// Whether it waits to be read: it stands and was not read.
    pub unread: bool,
}

impl Engine {
    /// The notices for the worker's grids, the newest first.
    ///
    /// # Errors
    /// `Closed`, `Storage`.
    pub fn notices(&self) -> Result<Vec<NoticeView>> {
        self.shared.with(|core| {
            let readings = shown_of(core, READING.name)?;
            let all = shown_of(core, KIND.name)?.into_iter();
            all.map(|entity| of(core, &entity, &readings)).collect()
        })
    }

    /// Notes that the worker read a notice, for those who sent it; off duty too.
    /// A second time nothing is written.
    ///
    /// # Errors
    /// `NotEnrolled`, `NotFound`, `DiskFull`, `Storage`.
    pub fn read_notice(&self, notice: EntityId) -> Result<()> {
        let read = self.shared.with(|core| {
            let entity = one_of(core, notice, KIND.name)?;
            let readings = shown_of(core, READING.name)?;
            Ok(of(core, &entity, &readings)?.read_ms.is_some())
        })?;
        if read {
            return Ok(());
        }
        let plan = |core: &Core, _| {
            let entity = one_of(core, notice, KIND.name)?;
            let fields = [
                ("worker", me(core)?),
                ("grid", Some(json!(stood_in(core, &entity)?))),
                ("notice", Some(json!(notice))),
            ];
            Ok(Making::new(&READING, fields))
        };
        self.make(self.draw_id(), &[], plan, |_| Ok(()))?;
        Ok(())
    }
}

/// The grid of the worker's that the notice is for.
fn stood_in(core: &Core, notice: &Entity) -> Inner<GridId> {
    let gate = Gate::new(core.me()?, core.synced.as_ref());
    let top = kind::grid_of(notice);
    let own = || core.synced.iter().flat_map(Synced::own_grids);
    let below = own().find(|grid| top.is_some_and(|top| gate.district().is_below(grid.id, top)));
    // What lies above the community is not known here.
    let grid = below.or_else(|| own().next());
    Ok(grid.ok_or(EngineError::ChooseGrid)?.id)
}

fn of(core: &Core, entity: &Entity, readings: &[Entity]) -> Inner<NoticeView> {
    let record = view::record(core, entity)?;
    let me = core.me.as_ref().map(|me| me.worker.id);
    let read = read_by(entity.id, readings);
    let read_ms = me.and_then(|me| read.get(&me).copied());
    Ok(NoticeView {
        title: value(entity, "title").unwrap_or_default(),
        text: value(entity, "text").unwrap_or_default(),
        files: view::attached(core, entity, FILES)?,
        until_ms: value(entity, "until_ms"),
        unread: read_ms.is_none() && record.status == PUBLISHED,
        read_ms,
        record,
    })
}
