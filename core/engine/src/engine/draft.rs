//! Drafts of reports.

use gridwalk_domain::EntityId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use super::Engine;
use super::form::{self, Picture, PictureAnswer};
use super::incident::{NewIncident, Seen, near, report};
use super::{NewAttachment, NewPhoto};
use crate::attachments::{self, Stored, Thumbs};
use crate::core::{Core, begin};
use crate::drafts::{self, Kept};
use crate::error::{Fault, Inner, Result};
use crate::view::Place;

/// A draft, as lists show it.
#[derive(Clone, Debug, PartialEq)]
pub struct DraftView {
    /// Its identity; the report that it becomes has the same.
    pub id: EntityId,
    /// When it was last saved, in milliseconds since 1970 by the phone's clock.
    pub saved_ms: i64,
    /// When it was begun.
    pub found_ms: i64,
    /// The code of its category; empty where none was chosen.
    pub category: String,
    /// Its title, else the beginning of what was seen.
    pub title: String,
    /// Where.
    pub place: Option<Place>,
    /// How many photos it has, those in its form aside.
    pub photos: usize,
}

/// What is kept of a draft beside its photos.
#[derive(Serialize, Deserialize)]
struct Body {
    new: NewIncident,
    seen: Seen,
    /// Which question a photo answers, by its number; the others answer none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    questions: BTreeMap<i64, String>,
}

impl Body {
    fn read(kept: &Kept) -> Inner<Self> {
        serde_json::from_str(&kept.body).map_err(|_| Fault::Row("a draft"))
    }
}

/// # Errors
/// All of them: `NotEnrolled`, `NotFound` where there is no such draft of the
/// worker's, `Closed`, `Storage`.
#[expect(clippy::missing_errors_doc, reason = "said once, above")]
impl Engine {
    /// Saves a draft, a new one or in place of `draft`, with its photos: what it
    /// says need not be right yet. The place and the time are those of its first
    /// saving. Durable when it returns.
    ///
    /// # Errors
    /// `NotTaken`, `DiskFull`, `Invalid` where it is too large or there are
    /// 200 others.
    pub fn save_draft(&self, draft: Option<EntityId>, mut new: NewIncident) -> Result<EntityId> {
        let now_ms = self.shared.now().wall_ms;
        let id = draft.unwrap_or_else(|| self.draw_id());
        self.shared.with(|core| {
            let worker = core.me()?.worker.id;
            draft.map_or(Ok(()), |id| drafts::load(&core.conn, worker, id).map(drop))
        })?;
        let photos = std::mem::take(&mut new.photos);
        let pictures = std::mem::take(&mut new.pictures);
        let first = i64::try_from(photos.len()).unwrap_or(i64::MAX);
        let questions = pictures.iter().map(|one| one.question.clone());
        let questions = (first..).zip(questions).collect();
        let stored = self.keep_pictures(&new, photos, &pictures)?;
        self.shared.with(|core| {
            let worker = core.me()?.worker.id;
            let seen = match draft {
                Some(id) => Body::read(&drafts::load(&core.conn, worker, id)?)?.seen,
                None => {
                    new.place = new.place.or_else(|| near(core, now_ms));
                    Seen::now(core, now_ms)
                }
            };
            let body = Body {
                new,
                seen,
                questions,
            };
            let body = serde_json::to_string(&body).map_err(|_| Fault::Row("a draft"))?;
            stored.ensure()?;
            let tx = begin(&mut core.conn)?;
            drafts::save(&tx, worker, id, now_ms, &body, &stored)?;
            tx.commit()
        })?;
        self.shared.clean_up();
        Ok(id)
    }

    /// The worker's drafts, the latest first.
    pub fn drafts(&self) -> Result<Vec<DraftView>> {
        self.shared.with(|core| {
            let worker = core.me()?.worker.id;
            let ids = drafts::ids(&core.conn, worker)?.into_iter();
            ids.map(|id| shown(id, &drafts::load(&core.conn, worker, id)?))
                .collect()
        })
    }

    /// A draft to go on with, with its photos.
    pub fn draft(&self, draft: EntityId) -> Result<NewIncident> {
        let kept = self.kept(draft)?;
        Ok(self.opened(&kept)?.new)
    }

    /// Throws a draft away.
    pub fn discard_draft(&self, draft: EntityId) -> Result<()> {
        let kept = self.kept(draft)?;
        self.shared.with(|core| {
            let worker = core.me()?.worker.id;
            let tx = begin(&mut core.conn)?;
            drafts::remove(&tx, worker, draft, &kept)?;
            tx.commit()
        })?;
        self.shared.clean_up();
        Ok(())
    }

    /// Makes the report of a draft, in the grid of the shift; in the same
    /// transaction the draft goes. It was found when and where the draft was
    /// begun.
    ///
    /// # Errors
    /// Those of [`Engine::report_incident`]; the draft is then as it was.
    pub fn submit_draft(&self, draft: EntityId) -> Result<EntityId> {
        let kept = self.kept(draft)?;
        let Body { new, seen, .. } = self.opened(&kept)?;
        let worker = self.shared.with(|core| Ok(core.me()?.worker.id))?;
        let plan = |core: &Core, _| report(core, &new, &seen);
        let id = self.make(draft, &new.photos, plan, |tx| {
            drafts::remove(tx, worker, draft, &kept)
        })?;
        self.shared.clean_up();
        Ok(id)
    }

    fn kept(&self, draft: EntityId) -> Result<Kept> {
        self.shared
            .with(|core| drafts::load(&core.conn, core.me()?.worker.id, draft))
    }

    /// Looks at a draft's pictures and stores them; their thumbnails are made when
    /// it is submitted.
    fn keep_pictures(
        &self,
        new: &NewIncident,
        photos: Vec<NewPhoto>,
        pictures: &[PictureAnswer],
    ) -> Result<Stored<'_>> {
        let catalogue = self.catalogue()?;
        let sub = new.subcategory.as_deref();
        let pictures = form::pictures(pictures, &catalogue, &new.category, sub);
        let photos = photos.into_iter().map(NewAttachment::from);
        let all = photos.chain(pictures.iter().map(Picture::attachment));
        attachments::keep(&self.shared, all.collect(), None, Thumbs::Later)
    }

    fn opened(&self, kept: &Kept) -> Result<Body> {
        let mut body = Body::read(kept)?;
        for photo in &kept.photos {
            let picture = NewPhoto {
                bytes: self.shared.vault.get(photo.sha256, photo.bytes)?,
                mime: String::new(),
            };
            match body.questions.get(&photo.n).cloned() {
                None => body.new.photos.push(picture),
                Some(question) => body.new.pictures.push(PictureAnswer { question, picture }),
            }
        }
        Ok(body)
    }
}

fn shown(id: EntityId, kept: &Kept) -> Inner<DraftView> {
    let Body {
        new,
        seen,
        questions,
    } = Body::read(kept)?;
    let photos = kept.photos.iter();
    let photos = photos.filter(|photo| !questions.contains_key(&photo.n));
    let described = new.description.unwrap_or_default();
    let title = match new.title.as_str() {
        "" => described.lines().next().unwrap_or_default().to_owned(),
        title => title.to_owned(),
    };
    Ok(DraftView {
        id,
        saved_ms: kept.saved_ms,
        found_ms: seen.found_ms,
        category: new.category,
        title,
        place: new.place,
        photos: photos.count(),
    })
}
