//! What an operator is told when something cannot be done. Nothing was changed
//! then.

use gridwalk_domain::BadData;
use gridwalk_store::StoreError;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

/// The language of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lang {
    /// 中文
    Zh,
    /// English
    En,
}

/// Why something cannot be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AdminError {
    /// The data folder or its database cannot be used.
    Open(String),
    /// The store failed.
    Store(StoreError),
    /// A file cannot be read as what it should be.
    File {
        /// Its name.
        file: String,
        /// The line, from 1, or the feature of a GeoJSON file.
        line: usize,
        /// What is wrong.
        why: FileFault,
    },
    /// A GeoJSON file whose coordinate system was not named.
    NoCrs {
        /// Its name.
        file: String,
    },
    /// No grid bears this code.
    UnknownGrid(String),
    /// Several districts have a grid of this code.
    AmbiguousGrid(String),
    /// A role that is not given on grids of this level.
    WrongLevel {
        /// The role.
        role: String,
        /// The level it is given on.
        level: String,
    },
    /// A user bears this name.
    UserExists(String),
    /// No user bears this name.
    UnknownUser(String),
    /// The record is not below the user's grid any more, or was changed by
    /// somebody else just now.
    NotTheirs(String),
    /// No worker bears this name or id, and no grid was given to make one.
    UnknownWorker(String),
    /// Several workers bear this name.
    AmbiguousWorker(String),
    /// A name that is empty, too long or has control characters.
    BadName,
    /// There is no district yet.
    NoDistrict,
    /// There are several districts, and none was named.
    ChooseDistrict,
    /// The service refused it, for this reason.
    Refused(String),
    /// A catalogue or calendar that cannot be one.
    BadLaw {
        /// The file's name.
        file: String,
        /// What is wrong, and where.
        fault: BadData,
    },
    /// A catalogue or calendar that is not newer than what is in force.
    NotNewer {
        /// Its version.
        version: u32,
        /// The version in force.
        in_force: u32,
    },
    /// The catalogue has no such version here.
    UnknownVersion(u32),
    /// No phone bears this id.
    UnknownDevice(String),
    /// Nothing in quarantine has this hash.
    NotHeld(String),
    /// It cannot be taken as it is: why.
    Still(String),
    /// A time that cannot be read, or an end before its beginning.
    BadTime(String),
    /// A grid cannot take another's place: it is of another level or district, is
    /// closed, or is the same.
    BadSuccessor(String),
    /// A grid that others stand under cannot be closed.
    HasChildren(String),
    /// A grid cannot stand under this one.
    BadParent(String),
    /// The folder holds no backup, or not all of one.
    NoBackup {
        /// The folder.
        folder: String,
        /// What is wrong.
        why: String,
    },
    /// The backup was not checked, or is older than what phones rely on.
    NotRestorable {
        /// Which.
        backup: String,
    },
}

/// What is wrong with a line of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileFault {
    /// It cannot be read at all.
    Unreadable(String),
    /// It names no code that can be one.
    BadCode(String),
    /// It names no level.
    BadLevel(String),
    /// Its name is empty or too long.
    BadName,
    /// No grid bears the parent's code, in the file or on the server.
    UnknownParent(String),
    /// The parent does not stand above it.
    ParentNotAbove(String),
    /// A district with a parent, or another grid without one.
    ParentMissing,
    /// The code stands twice in the file.
    Twice(String),
    /// The file is about more than one district.
    SecondDistrict(String),
    /// The geometry is no polygon.
    NoPolygon,
    /// A ring is open, too short, or leaves the earth.
    BadRing,
    /// No grid of this code is below the user's.
    UnknownGrid(String),
    /// A value that cannot stand: what, and what is expected.
    BadValue(String),
    /// There is nothing in the file.
    Empty,
}

type Messages = BTreeMap<String, BTreeMap<String, String>>;

static MESSAGES: LazyLock<Messages> = LazyLock::new(|| {
    // A test reads it; what could not be read would show as its key.
    serde_json::from_str(include_str!("../../resources/messages.json")).unwrap_or_default()
});

/// A text of the resources, with what stands in braces filled in.
#[must_use]
pub fn message(key: &str, lang: Lang, values: &[(&str, &str)]) -> String {
    let name = match lang {
        Lang::Zh => "zh",
        Lang::En => "en",
    };
    let text = MESSAGES.get(key).and_then(|texts| texts.get(name));
    let mut text = text.cloned().unwrap_or_else(|| key.to_owned());
    for (name, value) in values {
        text = text.replace(&format!("{{{name}}}"), value);
    }
    text
}

impl FileFault {
    fn key(&self) -> (&'static str, &str) {
        match self {
            Self::Unreadable(why) => ("file.unreadable", why),
            Self::BadCode(text) => ("file.bad_code", text),
            Self::BadLevel(text) => ("file.bad_level", text),
            Self::BadName => ("file.bad_name", ""),
            Self::UnknownParent(code) => ("file.unknown_parent", code),
            Self::ParentNotAbove(code) => ("file.parent_not_above", code),
            Self::ParentMissing => ("file.parent_missing", ""),
            Self::Twice(code) => ("file.twice", code),
            Self::SecondDistrict(code) => ("file.second_district", code),
            Self::NoPolygon => ("file.no_polygon", ""),
            Self::BadRing => ("file.bad_ring", ""),
            Self::UnknownGrid(code) => ("file.unknown_grid", code),
            Self::BadValue(why) => ("file.bad_value", why),
            Self::Empty => ("file.empty", ""),
        }
    }
}

impl AdminError {
    /// One line: what, where, what to do.
    #[must_use]
    pub fn message(&self, lang: Lang) -> String {
        let say = |key: &str, values: &[(&str, &str)]| message(key, lang, values);
        match self {
            Self::Open(why) => say("open", &[("why", why)]),
            Self::Store(why) => say("store", &[("why", &why.to_string())]),
            Self::File { file, line, why } => {
                let (key, what) = why.key();
                let why = say(key, &[("what", what)]);
                say(
                    "file",
                    &[("file", file), ("line", &line.to_string()), ("why", &why)],
                )
            }
            Self::NoCrs { file } => say("no_crs", &[("file", file)]),
            Self::UnknownGrid(code) => say("unknown_grid", &[("code", code)]),
            Self::AmbiguousGrid(code) => say("ambiguous_grid", &[("code", code)]),
            Self::WrongLevel { role, level } => {
                say("wrong_level", &[("role", role), ("level", level)])
            }
            Self::UserExists(name) => say("user_exists", &[("name", name)]),
            Self::UnknownUser(name) => say("unknown_user", &[("name", name)]),
            Self::NotTheirs(id) => say("not_theirs", &[("id", id)]),
            Self::UnknownWorker(name) => say("unknown_worker", &[("name", name)]),
            Self::AmbiguousWorker(name) => say("ambiguous_worker", &[("name", name)]),
            Self::BadName => say("bad_name", &[]),
            Self::NoDistrict => say("no_district", &[]),
            Self::ChooseDistrict => say("choose_district", &[]),
            Self::Refused(why) => say("refused", &[("why", why)]),
            Self::BadLaw { file, fault } => say(
                "bad_law",
                &[
                    ("file", file),
                    ("line", &fault.line.to_string()),
                    ("column", &fault.column.to_string()),
                    ("at", &fault.at),
                    ("why", &fault.why),
                ],
            ),
            Self::NotNewer { version, in_force } => say(
                "not_newer",
                &[
                    ("version", &version.to_string()),
                    ("in_force", &in_force.to_string()),
                ],
            ),
            Self::UnknownVersion(version) => {
                say("unknown_version", &[("version", &version.to_string())])
            }
            Self::UnknownDevice(id) => say("unknown_device", &[("id", id)]),
            Self::NotHeld(hash) => say("not_held", &[("hash", hash)]),
            Self::Still(why) => say("still_held", &[("why", why)]),
            Self::BadTime(text) => say("bad_time", &[("text", text)]),
            Self::BadSuccessor(code) => say("bad_successor", &[("code", code)]),
            Self::HasChildren(code) => say("has_children", &[("code", code)]),
            Self::BadParent(code) => say("bad_parent", &[("code", code)]),
            Self::NoBackup { folder, why } => say("no_backup", &[("folder", folder), ("why", why)]),
            Self::NotRestorable { backup } => say("not_restorable", &[("backup", backup)]),
        }
    }
}

impl fmt::Display for AdminError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message(Lang::En))
    }
}

impl std::error::Error for AdminError {}

impl From<StoreError> for AdminError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_has_both_languages() {
        assert!(MESSAGES.len() > 30, "the resource reads");
        for (key, texts) in MESSAGES.iter() {
            assert!(
                texts.contains_key("zh") && texts.contains_key("en"),
                "{key}"
            );
        }
        let error = AdminError::File {
            file: "d.csv".into(),
            line: 3,
            why: FileFault::UnknownParent("371399".into()),
        };
        let (zh, en) = (error.message(Lang::Zh), error.message(Lang::En));
        for text in [&zh, &en] {
            assert!(
                text.contains("d.csv") && text.contains('3') && text.contains("371399"),
                "{text}"
            );
            assert!(!text.contains('{') && !text.contains('\n'), "{text}");
        }
        assert_ne!(zh, en);
    }
}
