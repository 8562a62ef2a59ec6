//! Small facts, one a row.

use rusqlite::{Connection, OptionalExtension as _, Transaction, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Fault, Inner};

/// The names in use.
pub(crate) mod name {
    /// An enrolment that was begun (JSON).
    pub(crate) const ENROLLING: &str = "enrolling";
    /// What the worker may see and write, and its tag (JSON).
    pub(crate) const SCOPE: &str = "scope";
    /// The shift that runs (JSON id).
    pub(crate) const SHIFT: &str = "shift";
    /// The patrol that runs (JSON).
    pub(crate) const PATROL: &str = "patrol";
    /// What the last hello said (JSON).
    pub(crate) const CONTACT: &str = "contact";
    /// What is sent over which network, what is kept how long (JSON).
    pub(crate) const POLICY: &str = "policy";
    /// What requests begin with after one broke (JSON, bytes).
    pub(crate) const PACE: &str = "pace";
    /// When to sync next (JSON).
    pub(crate) const SCHEDULE: &str = "schedule";
    /// The version of the app that made the index of incidents (JSON).
    pub(crate) const INDEXED_BY: &str = "indexed_by";
    /// Whether deleted rows may still be read in the files.
    pub(crate) const UNCLEAN: &str = "unclean";
    /// Attachments whose files the server ordered to go (JSON).
    pub(crate) const ORDERED: &str = "ordered";
}

pub(crate) fn get<T: DeserializeOwned>(conn: &Connection, name: &'static str) -> Inner<Option<T>> {
    let mut query = conn.prepare_cached("SELECT value FROM meta WHERE name = ?1")?;
    let value: Option<Vec<u8>> = query.query_row([name], |row| row.get(0)).optional()?;
    value
        .map(|json| serde_json::from_slice(&json).map_err(|_| Fault::Row(name)))
        .transpose()
}

pub(crate) fn put<T: Serialize>(tx: &Transaction<'_>, name: &'static str, value: &T) -> Inner<()> {
    let json = serde_json::to_vec(value).map_err(|_| Fault::Row(name))?;
    tx.prepare_cached(
        "INSERT INTO meta (name, value) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = ?2",
    )?
    .execute(params![name, json])?;
    Ok(())
}

pub(crate) fn remove(tx: &Transaction<'_>, name: &'static str) -> Inner<()> {
    tx.prepare_cached("DELETE FROM meta WHERE name = ?1")?
        .execute([name])?;
    Ok(())
}
