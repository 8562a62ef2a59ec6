//! What a gridworker does: finding incidents, moving records through their
//! life, drafts, tasks, notices.

use gridwalk_domain as domain;
use gridwalk_engine as inner;
use serde_json::{Map, Value, json};

use crate::text::{list, read, read_optional, write_optional};
use crate::{
    CommentView, Engine, EngineError, IncidentView, NewIncident, NewPhoto, PhotoView, Place,
    SendState, StepView,
};

type Result<T> = std::result::Result<T, EngineError>;

/// Which incidents are asked for: those that fit all that is named.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct IncidentQuery {
    /// A status: `reported` …
    #[uniffi(default = None)]
    pub status: Option<String>,
    /// A code of the catalogue.
    #[uniffi(default = None)]
    pub category: Option<String>,
    /// The day on which it was found, `YYYY-MM-DD`.
    #[uniffi(default = None)]
    pub day: Option<String>,
    /// Words of its title or description, or parts of them.
    #[uniffi(default = None)]
    pub text: Option<String>,
    /// A circle that it was found in.
    #[uniffi(default = None)]
    pub near: Option<Near>,
    /// Whether the nearest comes first, not the newest.
    #[uniffi(default = false)]
    pub nearest_first: bool,
    /// How many come before this page.
    #[uniffi(default = 0)]
    pub offset: u32,
    /// How many come at most, up to 500.
    #[uniffi(default = 50)]
    pub limit: u32,
}

/// A circle on the ground, WGS-84.
#[derive(Clone, Copy, Debug, PartialEq, uniffi::Record)]
pub struct Near {
    /// Latitude of its middle.
    pub lat: f64,
    /// Longitude of its middle.
    pub lon: f64,
    /// Its radius in metres.
    pub within_m: f64,
}

impl TryFrom<IncidentQuery> for inner::IncidentQuery {
    type Error = EngineError;

    fn try_from(query: IncidentQuery) -> Result<Self> {
        Ok(Self {
            status: query.status,
            category: query.category,
            day: read_optional(query.day.as_deref(), "day")?,
            text: query.text,
            near: query.near.map(|near| inner::Near {
                position: domain::Position {
                    lat: near.lat,
                    lon: near.lon,
                },
                within_m: near.within_m,
            }),
            sort: if query.nearest_first {
                inner::Sort::Nearest
            } else {
                inner::Sort::Newest
            },
            offset: query.offset as usize,
            limit: query.limit as usize,
        })
    }
}

/// A page of incidents.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct IncidentPage {
    /// How many fit in all.
    pub total: u64,
    /// Those of the page.
    pub incidents: Vec<IncidentView>,
}

/// An answer to a question of a form.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Answer {
    /// The question's code.
    pub code: String,
    /// The answer as JSON: a text in quotes, a number, a list.
    pub json: String,
}

/// Reads the answers of a form.
pub(crate) fn answers(answers: Vec<Answer>) -> Result<std::collections::BTreeMap<String, Value>> {
    let read = |answer: Answer| {
        let value = serde_json::from_str(&answer.json).map_err(|_| EngineError::BadInput {
            what: format!("form.{}", answer.code),
            why: "is no JSON".to_owned(),
        })?;
        Ok((answer.code, value))
    };
    answers.into_iter().map(read).collect()
}

/// What an incident is, in the catalogue's codes.
#[derive(Clone, uniffi::Record)]
pub struct Classification {
    /// The category's code.
    pub category: String,
    /// The sub-category's code.
    #[uniffi(default = None)]
    pub subcategory: Option<String>,
    /// The severity's code.
    #[uniffi(default = None)]
    pub severity: Option<String>,
    /// The answers to its form.
    #[uniffi(default = [])]
    pub answers: Vec<Answer>,
    /// Those of them that are pictures.
    #[uniffi(default = [])]
    pub pictures: Vec<PictureAnswer>,
}

/// A picture that answers a question of a form: one for photos or a signature.
#[derive(Clone, uniffi::Record)]
pub struct PictureAnswer {
    /// The question's code.
    pub question: String,
    /// The picture; of several for one question each is an answer.
    pub picture: NewPhoto,
}

impl From<PictureAnswer> for inner::PictureAnswer {
    fn from(answer: PictureAnswer) -> Self {
        Self {
            question: answer.question,
            picture: answer.picture.into(),
        }
    }
}

impl From<inner::PictureAnswer> for PictureAnswer {
    fn from(answer: inner::PictureAnswer) -> Self {
        Self {
            question: answer.question,
            picture: answer.picture.into(),
        }
    }
}

/// A report that may be of the same thing.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct DuplicateView {
    /// Which.
    pub incident: IncidentView,
    /// Metres between the two places.
    pub apart_m: f64,
    /// Milliseconds between the two findings.
    pub apart_ms: i64,
}

impl From<inner::DuplicateView> for DuplicateView {
    fn from(view: inner::DuplicateView) -> Self {
        Self {
            incident: view.incident.into(),
            apart_m: view.apart_m,
            apart_ms: view.apart_ms,
        }
    }
}

/// A step that the worker may take: a button.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct StepOffer {
    /// What it is called: `handle`, `escalate`, `verify` …
    pub name: String,
    /// The status after.
    pub to: String,
    /// What must be said with it: of each list at least one, by the names of
    /// [`StepWords`]; `category`: classify it first.
    pub needs: Vec<Vec<String>>,
}

impl From<inner::StepOffer> for StepOffer {
    fn from(offer: inner::StepOffer) -> Self {
        Self {
            name: offer.name,
            to: offer.to,
            needs: offer.needs,
        }
    }
}

/// A signature under an agreement.
#[derive(Clone, uniffi::Record)]
pub struct Signature {
    /// Who signed.
    pub name: String,
    /// The picture of it.
    pub picture: NewPhoto,
}

/// What somebody says with a step.
#[derive(Clone, uniffi::Record)]
pub struct StepWords {
    /// Why.
    #[uniffi(default = None)]
    pub reason: Option<String>,
    /// What was done or seen.
    #[uniffi(default = None)]
    pub note: Option<String>,
    /// What proves it.
    #[uniffi(default = [])]
    pub photos: Vec<NewPhoto>,
    /// Where; none: the last fix of the running patrol.
    #[uniffi(default = None)]
    pub place: Option<Place>,
    /// What was agreed on.
    #[uniffi(default = None)]
    pub agreement: Option<String>,
    /// Who signed that.
    #[uniffi(default = [])]
    pub signatures: Vec<Signature>,
}

impl From<StepWords> for inner::StepWords {
    fn from(words: StepWords) -> Self {
        let agreement = words.agreement;
        let more = agreement.map(|text| ("agreement".to_owned(), json!(text)));
        let signatures = words.signatures.into_iter();
        Self {
            reason: words.reason,
            note: words.note,
            photos: list(words.photos),
            place: words.place.map(Into::into),
            signatures: signatures
                .map(|signed| inner::Signature {
                    name: signed.name,
                    picture: signed.picture.into(),
                })
                .collect(),
            more: Map::from_iter(more),
        }
    }
}

/// A draft, as lists show it.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct DraftView {
    /// Its id; the report that it becomes has the same.
    pub id: String,
    /// When it was last saved.
    pub saved_ms: i64,
    /// When it was begun.
    pub found_ms: i64,
    /// A code of the catalogue; empty where none was chosen.
    pub category: String,
    /// One line.
    pub title: String,
    /// Where.
    pub place: Option<Place>,
    /// How many photos it has.
    pub photos: u32,
}

impl From<inner::DraftView> for DraftView {
    fn from(draft: inner::DraftView) -> Self {
        Self {
            id: draft.id.to_string(),
            saved_ms: draft.saved_ms,
            found_ms: draft.found_ms,
            category: draft.category,
            title: draft.title,
            place: draft.place.map(Into::into),
            photos: u32::try_from(draft.photos).unwrap_or(u32::MAX),
        }
    }
}

/// What every record has.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct RecordView {
    /// Its id.
    pub id: String,
    /// When it was made.
    pub made_ms: i64,
    /// Its status.
    pub status: String,
    /// The grid's id.
    pub grid: Option<String>,
    /// The worker's id.
    pub worker: Option<String>,
    /// Its photos.
    pub photos: Vec<PhotoView>,
    /// The steps of its status, in order.
    pub history: Vec<StepView>,
    /// What was said about it, in order.
    pub comments: Vec<CommentView>,
    /// Whether it was made on this phone.
    pub mine: bool,
    /// Whether the server has it.
    pub send: SendState,
}

impl From<inner::RecordView> for RecordView {
    fn from(record: inner::RecordView) -> Self {
        Self {
            id: record.id.to_string(),
            made_ms: record.made_ms,
            status: record.status,
            grid: write_optional(record.grid),
            worker: write_optional(record.worker),
            photos: list(record.photos),
            history: list(record.history),
            comments: list(record.comments),
            mine: record.mine,
            send: record.send.into(),
        }
    }
}

/// A task.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct TaskView {
    /// What every record has.
    pub record: RecordView,
    /// What there is to do: `verify`, `visit`, `inspect`.
    pub work: String,
    /// One line.
    pub title: String,
    /// More.
    pub description: Option<String>,
    /// Until when, by the server's clock.
    pub due_ms: Option<i64>,
    /// Whether that is over.
    pub overdue: bool,
    /// The id of the record that it is about.
    pub about: Option<String>,
    /// Where.
    pub place: Option<Place>,
    /// Where, in words.
    pub address: Option<String>,
}

impl From<inner::TaskView> for TaskView {
    fn from(task: inner::TaskView) -> Self {
        Self {
            record: task.record.into(),
            work: task.work,
            title: task.title,
            description: task.description,
            due_ms: task.due_ms,
            overdue: task.overdue,
            about: write_optional(task.about),
            place: task.place.map(Into::into),
            address: task.address,
        }
    }
}

/// A notice.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct NoticeView {
    /// What every record has.
    pub record: RecordView,
    /// One line.
    pub title: String,
    /// What it says.
    pub text: String,
    /// Until when it holds.
    pub until_ms: Option<i64>,
    /// When the worker first read it, on whichever phone.
    pub read_ms: Option<i64>,
    /// Whether it waits to be read.
    pub unread: bool,
    /// Its files.
    #[uniffi(default = [])]
    pub files: Vec<PhotoView>,
}

impl From<inner::NoticeView> for NoticeView {
    fn from(notice: inner::NoticeView) -> Self {
        Self {
            record: notice.record.into(),
            title: notice.title,
            text: notice.text,
            until_ms: notice.until_ms,
            read_ms: notice.read_ms,
            unread: notice.unread,
            files: list(notice.files),
        }
    }
}

#[uniffi::export]
impl Engine {
    /// The incidents on this phone that fit, page by page.
    ///
    /// Caller: IncidentsScreen, its filters and its search.
    ///
    /// # Errors
    /// `BadInput` with the part of the query at fault.
    pub fn find_incidents(&self, query: IncidentQuery) -> Result<IncidentPage> {
        let page = self.inner.find_incidents(&query.try_into()?)?;
        Ok(IncidentPage {
            total: page.total as u64,
            incidents: list(page.incidents),
        })
    }

    /// Throws why not, where the worker may not report an incident now.
    ///
    /// Caller: TodayScreen, before ReportScreen opens.
    ///
    /// # Errors
    /// `NotEnrolled`, `NoShift`, `OutOfScope`, `BadInput`.
    pub fn may_report(&self) -> Result<()> {
        Ok(self.inner.may_report()?)
    }

    /// Incidents that may be of the same thing as what is about to be reported.
    ///
    /// Caller: ReportScreen, before it saves.
    ///
    /// # Errors
    /// `BadInput`, `Storage`.
    pub fn possible_duplicates(&self, incident: NewIncident) -> Result<Vec<DuplicateView>> {
        Ok(list(self.inner.possible_duplicates(&incident.try_into()?)?))
    }

    /// Says what an incident is: a quick capture before it goes on its way.
    ///
    /// Caller: IncidentsScreen, one opened.
    ///
    /// # Errors
    /// `NoShift`, `NotFound`, `OutOfScope`, `UnknownCategory`, `BadInput` with
    /// the question at fault, `PhotoNotTaken`, `DiskFull`.
    pub fn classify(&self, id: String, classification: Classification) -> Result<()> {
        let class = inner::Classification {
            category: classification.category,
            subcategory: classification.subcategory,
            severity: classification.severity,
            answers: answers(classification.answers)?,
            pictures: list(classification.pictures),
        };
        Ok(self.inner.classify(read(&id, "id")?, &class)?)
    }

    /// The steps that the worker may take from where a record stands.
    ///
    /// Caller: every screen that shows one record, for its buttons.
    ///
    /// # Errors
    /// `NotFound`, `BadInput`.
    pub fn steps(&self, id: String) -> Result<Vec<StepOffer>> {
        Ok(list(self.inner.steps(read(&id, "id")?)?))
    }

    /// Takes a step by its name.
    ///
    /// Caller: every screen that shows one record, a button that was pressed.
    ///
    /// # Errors
    /// `NoShift`, `NotFound`, `OutOfScope`, `BadInput` with what is missing or
    /// not allowed, `PhotoNotTaken`, `DiskFull`.
    pub fn take(&self, id: String, step: String, words: StepWords) -> Result<()> {
        Ok(self.inner.take(read(&id, "id")?, &step, words.into())?)
    }

    /// Saves a draft, a new one or in place of another, and gives its id.
    ///
    /// Caller: ReportScreen, when it is left without saving.
    ///
    /// # Errors
    /// `NotEnrolled`, `NotFound`, `BadInput`, `PhotoNotTaken`, `DiskFull`.
    pub fn save_draft(&self, draft: Option<String>, incident: NewIncident) -> Result<String> {
        let draft = read_optional(draft.as_deref(), "draft")?;
        let saved = self.inner.save_draft(draft, incident.try_into()?)?;
        Ok(saved.to_string())
    }

    /// The worker's drafts, the latest first.
    ///
    /// Caller: TodayScreen.
    ///
    /// # Errors
    /// `NotEnrolled`, `Storage`.
    pub fn drafts(&self) -> Result<Vec<DraftView>> {
        Ok(list(self.inner.drafts()?))
    }

    /// A draft to go on with, with its photos.
    ///
    /// Caller: ReportScreen, opened with a draft.
    ///
    /// # Errors
    /// `NotFound`, `BadInput`, `Storage`.
    pub fn draft(&self, id: String) -> Result<NewIncident> {
        Ok(self.inner.draft(read(&id, "id")?)?.into())
    }

    /// Throws a draft away.
    ///
    /// Caller: TodayScreen.
    ///
    /// # Errors
    /// `NotFound`, `BadInput`.
    pub fn discard_draft(&self, id: String) -> Result<()> {
        Ok(self.inner.discard_draft(read(&id, "id")?)?)
    }

    /// Makes the report of a draft and gives its id, which is the draft's.
    ///
    /// Caller: ReportScreen.
    ///
    /// # Errors
    /// Those of `report_incident`; the draft is then as it was.
    pub fn submit_draft(&self, id: String) -> Result<String> {
        Ok(self.inner.submit_draft(read(&id, "id")?)?.to_string())
    }

    /// The worker's tasks, the most urgent first; they are answered with
    /// [`Self::take`]: `see`, `accept`, `finish`, `return`.
    ///
    /// Caller: TodayScreen.
    ///
    /// # Errors
    /// `Closed`, `Storage`.
    pub fn tasks(&self) -> Result<Vec<TaskView>> {
        Ok(list(self.inner.tasks()?))
    }

    /// The notices for the worker's grids, the newest first.
    ///
    /// Caller: TodayScreen.
    ///
    /// # Errors
    /// `Closed`, `Storage`.
    pub fn notices(&self) -> Result<Vec<NoticeView>> {
        Ok(list(self.inner.notices()?))
    }

    /// Notes that the worker read a notice; a second time nothing is written.
    ///
    /// Caller: TodayScreen, a notice that was opened.
    ///
    /// # Errors
    /// `NotFound`, `BadInput`, `DiskFull`.
    pub fn read_notice(&self, id: String) -> Result<()> {
        Ok(self.inner.read_notice(read(&id, "id")?)?)
    }
}
