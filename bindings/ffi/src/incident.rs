//! Incidents: what the quick report saves, what the list of incidents shows.

use gridwalk_domain as domain;
use gridwalk_engine as inner;

use crate::text::{list, read, write_optional};
use crate::work::answers;
use crate::{Advice, Answer, EngineError, PictureAnswer, Place};

/// What the quick report saves, with its photos, in one go.
#[derive(Clone, uniffi::Record)]
pub struct NewIncident {
    /// A code of the catalogue; empty where it is classified later.
    pub category: String,
    /// A code of the catalogue; what is usual where none is given.
    pub severity: Option<String>,
    /// One line, at most 100 characters; may be empty.
    pub title: String,
    /// More, at most 5,000 characters.
    pub description: Option<String>,
    /// Where; none: the last fix of the running patrol, if it is younger than
    /// two minutes.
    pub place: Option<Place>,
    /// Photos, as the camera gave them.
    pub photos: Vec<NewPhoto>,
    /// A code of the catalogue.
    #[uniffi(default = None)]
    pub subcategory: Option<String>,
    /// Where, in words; where nobody says and no fix tells, the grid's name.
    #[uniffi(default = None)]
    pub address: Option<String>,
    /// The answers to its form; those that are required may wait until it goes
    /// on its way.
    #[uniffi(default = [])]
    pub answers: Vec<Answer>,
    /// Answers that are pictures: a signature, or photos in their order.
    #[uniffi(default = [])]
    pub pictures: Vec<PictureAnswer>,
}

impl TryFrom<NewIncident> for inner::NewIncident {
    type Error = EngineError;

    fn try_from(incident: NewIncident) -> Result<Self, EngineError> {
        Ok(Self {
            category: incident.category,
            subcategory: incident.subcategory,
            severity: incident.severity,
            title: incident.title,
            description: incident.description,
            answers: answers(incident.answers)?,
            pictures: list(incident.pictures),
            place: incident.place.map(Into::into),
            address: incident.address,
            photos: list(incident.photos),
        })
    }
}

impl From<inner::NewIncident> for NewIncident {
    fn from(incident: inner::NewIncident) -> Self {
        let answers = incident.answers.into_iter();
        let answers = answers.map(|(code, value)| Answer {
            code,
            json: value.to_string(),
        });
        Self {
            category: incident.category,
            severity: incident.severity,
            title: incident.title,
            description: incident.description,
            place: incident.place.map(Into::into),
            photos: list(incident.photos),
            subcategory: incident.subcategory,
            address: incident.address,
            answers: answers.collect(),
            pictures: list(incident.pictures),
        }
    }
}

/// A photo, as the camera gave it. Its metadata goes before it is stored.
#[derive(Clone, uniffi::Record)]
pub struct NewPhoto {
    /// JPEG, PNG or WebP.
    pub bytes: Vec<u8>,
    /// What the camera called it: `image/jpeg` …
    pub mime: String,
}

impl From<NewPhoto> for inner::NewPhoto {
    fn from(photo: NewPhoto) -> Self {
        Self {
            bytes: photo.bytes,
            mime: photo.mime,
        }
    }
}

impl From<inner::NewPhoto> for NewPhoto {
    fn from(photo: inner::NewPhoto) -> Self {
        Self {
            bytes: photo.bytes,
            mime: photo.mime,
        }
    }
}

/// Whether the server has a record.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum SendState {
    /// Saved on this phone; sending was not tried yet.
    Saved,
    /// Tried, or its photos or tracks are under way.
    Waiting,
    /// The server has all of it, photos and tracks too, by its own word.
    Sent,
    /// Some of it was not taken. It is kept.
    Refused {
        /// The server's word.
        code: String,
        /// The server's sentence.
        why: String,
        /// What to do.
        advice: Advice,
    },
    /// The server refuses even a request with a part of it alone: it rests, and
    /// is tried again daily and after an upgrade of either side.
    Parked {
        /// The server's word.
        code: String,
        /// The server's sentence.
        why: String,
        /// What to do.
        advice: Advice,
    },
}

impl From<inner::SendState> for SendState {
    fn from(state: inner::SendState) -> Self {
        match state {
            inner::SendState::Saved => Self::Saved,
            inner::SendState::Waiting => Self::Waiting,
            inner::SendState::Sent => Self::Sent,
            inner::SendState::Refused { code, why, advice } => Self::Refused {
                code,
                why,
                advice: advice.into(),
            },
            inner::SendState::Parked { code, why, advice } => Self::Parked {
                code,
                why,
                advice: advice.into(),
            },
        }
    }
}

/// An incident, as it stands on this phone: the server's word with this
/// phone's own unsent saves on top.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct IncidentView {
    /// Its id.
    pub id: String,
    /// Its status: `reported`, `escalated`, `closed` …
    pub status: String,
    /// A code of the catalogue; empty where it is not classified yet.
    pub category: String,
    /// A code of the catalogue.
    pub severity: Option<String>,
    /// One line.
    pub title: String,
    /// More.
    pub description: Option<String>,
    /// Where, by the grid's id.
    pub grid: Option<String>,
    /// Who found it, by the worker's id.
    pub worker: Option<String>,
    /// On which patrol.
    pub patrol: Option<String>,
    /// Where exactly.
    pub place: Option<Place>,
    /// When it was found.
    pub found_ms: i64,
    /// Its photos.
    pub photos: Vec<PhotoView>,
    /// The steps of its status, in order.
    pub history: Vec<StepView>,
    /// What was said about it, in order.
    pub comments: Vec<CommentView>,
    /// Fields for which something else was proposed too.
    pub conflicts: u32,
    /// Whether it was made on this phone.
    pub mine: bool,
    /// Whether the server has it.
    pub send: SendState,
    /// A code of the catalogue.
    #[uniffi(default = None)]
    pub subcategory: Option<String>,
    /// Where, in words.
    #[uniffi(default = None)]
    pub address: Option<String>,
    /// Its tags.
    #[uniffi(default = [])]
    pub tags: Vec<String>,
    /// Until when it may stand where it stands, by the server's clock.
    #[uniffi(default = None)]
    pub due_ms: Option<i64>,
    /// Whether that is over.
    #[uniffi(default = false)]
    pub overdue: bool,
    /// The grid that holds it now, by its id.
    #[uniffi(default = None)]
    pub holder: Option<String>,
    /// To whom it is dispatched.
    #[uniffi(default = None)]
    pub assignee: Option<Assignee>,
}

/// To whom an incident is dispatched, by the id.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Assignee {
    /// A gridworker.
    Worker {
        /// The worker's id.
        id: String,
    },
    /// A department.
    Department {
        /// The department's id.
        id: String,
    },
    /// A team.
    Team {
        /// The team's id.
        id: String,
    },
}

impl From<domain::kind::incident::Assignee> for Assignee {
    fn from(assignee: domain::kind::incident::Assignee) -> Self {
        use domain::kind::incident::Assignee as Inner;
        match assignee {
            Inner::Worker(id) => Self::Worker { id: id.to_string() },
            Inner::Department(id) => Self::Department { id: id.to_string() },
            Inner::Team(id) => Self::Team { id: id.to_string() },
        }
    }
}

impl From<inner::IncidentView> for IncidentView {
    fn from(incident: inner::IncidentView) -> Self {
        Self {
            id: incident.id.to_string(),
            status: incident.status,
            category: incident.category,
            severity: incident.severity,
            title: incident.title,
            description: incident.description,
            grid: write_optional(incident.grid),
            worker: write_optional(incident.worker),
            patrol: write_optional(incident.patrol),
            place: incident.place.map(Into::into),
            found_ms: incident.found_ms,
            photos: list(incident.photos),
            history: list(incident.history),
            comments: list(incident.comments),
            conflicts: incident.conflicts,
            mine: incident.mine,
            send: incident.send.into(),
            subcategory: incident.subcategory,
            address: incident.address,
            tags: incident.tags,
            due_ms: incident.due_ms,
            overdue: incident.overdue,
            holder: write_optional(incident.holder),
            assignee: incident.assignee.map(Into::into),
        }
    }
}

/// A photo of an incident.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct PhotoView {
    /// SHA-256 of its bytes: 64 hex digits.
    pub sha256: String,
    /// Its type.
    pub mime: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// Whether its bytes are on this phone.
    pub here: bool,
    /// Whether the server has it whole.
    pub sent: bool,
}

impl From<inner::PhotoView> for PhotoView {
    fn from(photo: inner::PhotoView) -> Self {
        Self {
            sha256: photo.sha256.to_string(),
            mime: photo.mime,
            bytes: photo.bytes,
            here: photo.here,
            sent: photo.sent,
        }
    }
}

/// A step of an incident's status.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct StepView {
    /// The status before; none for the first.
    pub from: Option<String>,
    /// The status after.
    pub to: String,
    /// When.
    pub at_ms: i64,
    /// By whom.
    pub by: Author,
    /// Why, where a reason was given.
    pub reason: Option<String>,
    /// What was done or seen.
    #[uniffi(default = None)]
    pub note: Option<String>,
    /// The photos that prove it.
    #[uniffi(default = [])]
    pub proof: Vec<PhotoView>,
    /// Where its author stood.
    #[uniffi(default = None)]
    pub place: Option<Place>,
    /// Until when the work is to be done.
    #[uniffi(default = None)]
    pub limit_ms: Option<i64>,
}

impl From<inner::StepView> for StepView {
    fn from(step: inner::StepView) -> Self {
        Self {
            from: step.from,
            to: step.to,
            at_ms: step.at_ms,
            by: step.by.into(),
            reason: step.reason,
            note: step.note,
            proof: list(step.proof),
            place: step.place.map(Into::into),
            limit_ms: step.limit_ms,
        }
    }
}

/// Something that was said about a record.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct CommentView {
    /// When.
    pub at_ms: i64,
    /// By whom.
    pub by: Author,
    /// What.
    pub text: String,
}

impl From<inner::CommentView> for CommentView {
    fn from(comment: inner::CommentView) -> Self {
        Self {
            at_ms: comment.at_ms,
            by: comment.by.into(),
            text: comment.text,
        }
    }
}

/// Who did something.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Author {
    /// A gridworker, on a phone.
    Worker {
        /// The worker's id.
        id: String,
        /// The installation's id.
        device: String,
    },
    /// Somebody on the supervisor's page.
    User {
        /// The user's id.
        id: String,
    },
    /// The server by itself: a time limit, another system.
    Server,
}

impl TryFrom<Author> for domain::Author {
    type Error = EngineError;

    fn try_from(author: Author) -> Result<Self, EngineError> {
        Ok(match author {
            Author::Worker { id, device } => Self::Worker {
                worker: read(&id, "id")?,
                device: read(&device, "device")?,
            },
            Author::User { id } => Self::User {
                user: read(&id, "id")?,
            },
            Author::Server => Self::Server {
                server: domain::ServerPart::Unknown,
            },
        })
    }
}

impl From<domain::Author> for Author {
    fn from(author: domain::Author) -> Self {
        match author {
            domain::Author::Worker { worker, device } => Self::Worker {
                id: worker.to_string(),
                device: device.to_string(),
            },
            domain::Author::User { user } => Self::User {
                id: user.to_string(),
            },
            domain::Author::Server { .. } => Self::Server,
        }
    }
}
