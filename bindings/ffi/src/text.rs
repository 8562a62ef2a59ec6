//! Ids travel as text.

use std::str::FromStr;

use crate::EngineError;

/// Reads an id or a hash; `what` names the argument that it came from.
pub(crate) fn read<T>(text: &str, what: &str) -> Result<T, EngineError>
where
    T: FromStr,
    T::Err: std::fmt::Display,
{
    text.parse().map_err(|error: T::Err| EngineError::BadInput {
        what: what.to_owned(),
        why: error.to_string(),
    })
}

/// Reads an id that may be left out.
pub(crate) fn read_optional<T>(text: Option<&str>, what: &str) -> Result<Option<T>, EngineError>
where
    T: FromStr,
    T::Err: std::fmt::Display,
{
    text.map(|text| read(text, what)).transpose()
}

/// Writes an id that may be absent.
pub(crate) fn write_optional<T: ToString>(id: Option<T>) -> Option<String> {
    id.map(|id| id.to_string())
}

/// Makes records out of a list of the engine's.
pub(crate) fn list<T, U: From<T>>(items: Vec<T>) -> Vec<U> {
    items.into_iter().map(U::from).collect()
}
