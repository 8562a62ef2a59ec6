//! What went wrong, in one line: where, what, what to do.

use gridwalk_engine::EngineError;
use gridwalk_engine::track::read::{Problem as Trouble, ReadError};
use std::io;
use std::path::Path;

use crate::attach;
use crate::text::Texts;

pub(crate) type Outcome<T> = Result<T, Problem>;

/// What went wrong.
pub(crate) struct Problem {
    /// A file, an address: where it went wrong.
    place: Option<String>,
    what: What,
}

enum What {
    Engine(EngineError),
    Track(ReadError),
    Text(&'static str, Vec<(&'static str, String)>),
    BrokenPipe,
}

impl Problem {
    pub(crate) fn text(name: &'static str, values: Vec<(&'static str, String)>) -> Self {
        Self {
            place: None,
            what: What::Text(name, values),
        }
    }

    pub(crate) fn at(mut self, place: impl Into<String>) -> Self {
        self.place = Some(place.into());
        self
    }

    pub(crate) fn reading(file: &Path, error: &io::Error) -> Self {
        Self::file("problem.read_file", file, error)
    }

    pub(crate) fn writing(file: &Path, error: &io::Error) -> Self {
        Self::file("problem.write_file", file, error)
    }

    fn file(otherwise: &'static str, file: &Path, error: &io::Error) -> Self {
        let said = match error.kind() {
            io::ErrorKind::NotFound => Self::text("problem.no_file", vec![]),
            io::ErrorKind::PermissionDenied => Self::text("problem.denied", vec![]),
            kind => Self::text(otherwise, vec![("why", kind.to_string())]),
        };
        said.at(shown(file))
    }

    pub(crate) fn track(file: &Path, error: &ReadError) -> Self {
        Self {
            place: None,
            what: What::Track(error.clone()),
        }
        .at(shown(file))
    }

    /// Nobody reads what is written: no failure of this program's.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        matches!(self.what, What::BrokenPipe)
    }

    pub(crate) fn line(&self, texts: &Texts) -> String {
        let said = match &self.what {
            What::Engine(error) => {
                let mut values = values(error);
                if let EngineError::NotAllowed { rule, field, .. } = error {
                    let [rule_zh, _] = texts.both(&format!("rule.{rule}"), &[]);
                    let [nothing, _] = texts.both("rule.no_field", &[]);
                    let what = if field.is_empty() { &nothing } else { field };
                    values.extend([("rule", rule_zh), ("what", what.clone())]);
                }
                let [zh, _] = texts.both(&format!("error.{}", error.code()), &values);
                texts.choose(zh, error.to_string())
            }
            What::Track(error) => {
                let (name, mut values) = track(&error.problem);
                values.push(("line", error.line.to_string()));
                let [zh, _] = texts.both(name, &values);
                texts.choose(zh, error.to_string())
            }
            What::Text(name, values) => texts.say(name, values),
            What::BrokenPipe => String::new(),
        };
        let said = said.replace('\n', " ");
        match &self.place {
            Some(place) => format!("{place}: {said}"),
            None => said,
        }
    }
}

impl From<EngineError> for Problem {
    fn from(error: EngineError) -> Self {
        Self {
            place: None,
            what: What::Engine(error),
        }
    }
}

/// Writing to the standard output failed.
impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self {
                place: None,
                what: What::BrokenPipe,
            },
            kind => Self::text("problem.write_file", vec![("why", kind.to_string())]).at("stdout"),
        }
    }
}

pub(crate) fn shown(file: &Path) -> String {
    file.display().to_string()
}

/// The text of what is wrong with a track file, and its blanks.
fn track(problem: &Trouble) -> (&'static str, Vec<(&'static str, String)>) {
    match problem {
        Trouble::NotText => ("track.not_text", vec![]),
        Trouble::NotATrack => ("track.not_a_track", vec![]),
        Trouble::MissingColumn(name) => {
            ("track.missing_column", vec![("field", (*name).to_owned())])
        }
        Trouble::WrongFields { expected, found } => (
            "track.wrong_fields",
            vec![
                ("expected", expected.to_string()),
                ("found", found.to_string()),
            ],
        ),
        Trouble::BadValue { field, found, .. } => (
            "track.bad_value",
            vec![("field", (*field).to_owned()), ("found", found.clone())],
        ),
        Trouble::BadXml(why) => ("track.bad_xml", vec![("why", why.clone())]),
        Trouble::CutShort => ("track.cut_short", vec![]),
        Trouble::Empty => ("track.empty", vec![]),
    }
}

/// What an error's text has blanks for.
fn values(error: &EngineError) -> Vec<(&'static str, String)> {
    use EngineError as E;
    match error {
        E::Damaged { set_aside } => vec![("set_aside", set_aside.clone())],
        E::TooNew { found, known } => {
            vec![("found", found.to_string()), ("known", known.to_string())]
        }
        E::Storage { message }
        | E::Unreachable { message }
        | E::Untrusted { message }
        | E::BadAnswer { message } => {
            vec![("message", message.clone())]
        }
        E::BadInvitation { why } => vec![("why", why.clone())],
        E::EnrolRefused { code, .. } | E::UnknownGrid { code } | E::UnknownCategory { code } => {
            vec![("code", code.clone())]
        }
        E::OutOfScope { grid } => vec![("grid", grid.clone())],
        E::Invalid { field, why } => vec![("field", field.clone()), ("why", why.clone())],
        E::NotTaken { index, why } => attach::values(*index, why),
        E::RetryLater { after_ms } => vec![("seconds", ((after_ms + 999) / 1000).to_string())],
        E::ServerError { status, code, .. } => {
            vec![("status", status.to_string()), ("code", code.clone())]
        }
        _ => vec![],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gridwalk_engine::media::{Kind, NotTaken};

    #[test]
    fn every_fault_of_a_track_file_has_a_text_without_open_blanks() {
        let texts = Texts::new(None);
        let all = [
            Trouble::NotText,
            Trouble::NotATrack,
            Trouble::MissingColumn("lat"),
            Trouble::WrongFields {
                expected: 7,
                found: 6,
            },
            Trouble::BadValue {
                field: "lat",
                found: "x".to_owned(),
                expected: "a number",
            },
            Trouble::BadXml("x".to_owned()),
            Trouble::CutShort,
            Trouble::Empty,
        ];
        for problem in all {
            let error = ReadError {
                line: 12,
                problem,
                advice: "mend it",
            };
            let line = Problem::track(Path::new("a.csv"), &error).line(&texts);
            assert!(
                line.starts_with("a.csv: 第 12 行") && line.contains("line 12"),
                "{line}"
            );
            assert!(!line.contains('{'), "{line}");
        }
    }

    #[test]
    fn every_error_has_a_text_without_open_blanks() {
        let texts = Texts::new(None);
        let text = || "x".to_owned();
        let not_taken = |why| EngineError::NotTaken { index: 0, why };
        let all = [
            EngineError::Closed,
            EngineError::InUse,
            EngineError::NoCipher,
            EngineError::WrongKey,
            EngineError::Damaged { set_aside: text() },
            EngineError::TooNew { found: 2, known: 1 },
            EngineError::DiskFull,
            EngineError::Storage { message: text() },
            EngineError::BadInvitation { why: text() },
            EngineError::NotEnrolled,
            EngineError::AlreadyEnrolled,
            EngineError::EnrolRefused {
                code: text(),
                text: text(),
            },
            EngineError::ChooseGrid,
            EngineError::UnknownGrid { code: text() },
            EngineError::OutOfScope { grid: text() },
            EngineError::NoShift,
            EngineError::ShiftRunning,
            EngineError::NoPatrol,
            EngineError::PatrolRunning,
            EngineError::PatrolPaused,
            EngineError::PatrolNotPaused,
            EngineError::Invalid {
                field: text(),
                why: text(),
            },
            EngineError::UnknownCategory { code: text() },
            EngineError::NotAllowed {
                rule: "unanswered",
                field: text(),
                why: text(),
            },
            not_taken(NotTaken::Empty),
            not_taken(NotTaken::TooLarge {
                kind: Kind::Video,
                bytes: 2,
                most: 1,
            }),
            not_taken(NotTaken::TooManyPixels {
                width: 2,
                height: 2,
                most: 1,
            }),
            not_taken(NotTaken::UnknownType),
            not_taken(NotTaken::WrongKind {
                found: Kind::Video,
                wanted: Kind::Photo,
            }),
            not_taken(NotTaken::Broken),
            not_taken(NotTaken::Fixed { what: "x" }),
            not_taken(NotTaken::Unreadable { why: text() }),
            EngineError::NotFound,
            EngineError::Unreachable { message: text() },
            EngineError::Untrusted { message: text() },
            EngineError::TimedOut,
            EngineError::SignedOut,
            EngineError::RetryLater { after_ms: 1 },
            EngineError::ServerError {
                status: 500,
                code: text(),
                text: text(),
            },
            EngineError::BadAnswer { message: text() },
            EngineError::OtherWorker,
            EngineError::Wiped,
            EngineError::Cancelled,
        ];
        for error in all {
            assert!(
                texts.has(&format!("error.{}", error.code())),
                "{}",
                error.code()
            );
            let line = Problem::from(error).at("somewhere").line(&texts);
            assert!(!line.contains('{') && !line.contains('\n'), "{line}");
            assert!(
                line.starts_with("somewhere: ") && line.contains(" · "),
                "{line}"
            );
        }
    }
}
