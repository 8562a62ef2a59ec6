//! Fields that were written twice.

use gridwalk_engine as inner;

use crate::text::{list, read};
use crate::{Author, EngineError};

/// A field that was written twice; somebody is to say what it shall be.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ConflictView {
    /// The record's id.
    pub record: String,
    /// What the record is: `incident` …
    pub kind: String,
    /// Its title, where it has one.
    pub title: Option<String>,
    /// The field: `title`, `severity` …
    pub field: String,
    /// What stands.
    pub standing: VersionView,
    /// What others wrote without having seen it.
    pub others: Vec<VersionView>,
}

impl From<inner::ConflictView> for ConflictView {
    fn from(conflict: inner::ConflictView) -> Self {
        Self {
            record: conflict.record.to_string(),
            kind: conflict.kind,
            title: conflict.title,
            field: conflict.field,
            standing: conflict.standing.into(),
            others: list(conflict.others),
        }
    }
}

impl TryFrom<ConflictView> for inner::ConflictView {
    type Error = EngineError;

    fn try_from(conflict: ConflictView) -> Result<Self, EngineError> {
        let others = conflict.others.into_iter().map(TryInto::try_into);
        Ok(Self {
            record: read(&conflict.record, "record")?,
            kind: conflict.kind,
            title: conflict.title,
            field: conflict.field,
            standing: conflict.standing.try_into()?,
            others: others.collect::<Result<_, _>>()?,
        })
    }
}

/// What somebody wrote into a field.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct VersionView {
    /// Its name: the op that wrote it.
    pub op: String,
    /// By whom.
    pub by: Author,
    /// When.
    pub at_ms: i64,
    /// What, to be shown: a text as it is, anything else as JSON.
    pub text: String,
    /// What, as JSON.
    pub json: String,
}

impl From<inner::VersionView> for VersionView {
    fn from(version: inner::VersionView) -> Self {
        let json = version.value.to_string();
        Self {
            op: version.op.to_string(),
            by: version.by.into(),
            at_ms: version.at_ms,
            text: version.value.as_str().map_or(json.clone(), str::to_owned),
            json,
        }
    }
}

impl TryFrom<VersionView> for inner::VersionView {
    type Error = EngineError;

    fn try_from(version: VersionView) -> Result<Self, EngineError> {
        Ok(Self {
            op: read(&version.op, "op")?,
            by: version.by.try_into()?,
            at_ms: version.at_ms,
            value: read(&version.json, "json")?,
        })
    }
}

/// How a conflict is settled.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum ConflictChoice {
    /// By one of its versions.
    Keep {
        /// The version's op.
        op: String,
    },
    /// By another text.
    Write {
        /// Which.
        text: String,
    },
}

impl TryFrom<ConflictChoice> for inner::Choice {
    type Error = EngineError;

    fn try_from(choice: ConflictChoice) -> Result<Self, EngineError> {
        Ok(match choice {
            ConflictChoice::Keep { op } => Self::Keep(read(&op, "op")?),
            ConflictChoice::Write { text } => Self::Write(text.into()),
        })
    }
}
