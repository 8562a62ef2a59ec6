//! Between Rust's types and SQLite's.

use gridwalk_domain::{
    BootId, DeviceId, EntityId, Epoch, GridId, GridLevel, OpId, RunId, Sha256, StreamDigest,
    StreamKey, TenantId, UserId, WorkerId,
};
use gridwalk_store::StoreError;
use rusqlite::types::Value;
use rusqlite::{Connection, Params, Row};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::rc::Rc;

type Result<T, E = StoreError> = std::result::Result<T, E>;

/// SQLite's error as the store's.
pub(crate) fn error(error: rusqlite::Error) -> StoreError {
    match error {
        rusqlite::Error::SqliteFailure(failure, why) => {
            let why = why.unwrap_or_else(|| failure.to_string());
            match failure.code {
                code if crate::is_full(code) => StoreError::Full,
                rusqlite::ErrorCode::ConstraintViolation | rusqlite::ErrorCode::TooBig => {
                    StoreError::Refused(why)
                }
                _ => StoreError::Failed(why),
            }
        }
        rusqlite::Error::FromSqlConversionFailure(..)
        | rusqlite::Error::InvalidColumnType(..)
        | rusqlite::Error::IntegralValueOutOfRange(..)
        | rusqlite::Error::Utf8Error(..) => StoreError::Damaged(error.to_string()),
        other => StoreError::Failed(other.to_string()),
    }
}

pub(crate) fn damaged(what: &str) -> StoreError {
    StoreError::Damaged(what.to_owned())
}

/// All rows of a cached statement.
pub(crate) fn all<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    mut read: impl FnMut(&Cells<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    let mut out = Vec::new();
    each(connection, sql, params, |cells| {
        out.push(read(cells)?);
        Ok(true)
    })?;
    Ok(out)
}

/// Each row of a cached statement, while `read` says to go on.
pub(crate) fn each(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    mut read: impl FnMut(&Cells<'_>) -> Result<bool>,
) -> Result<()> {
    let mut statement = connection.prepare_cached(sql).map_err(error)?;
    let mut rows = statement.query(params).map_err(error)?;
    while let Some(row) = rows.next().map_err(error)? {
        if !read(&Cells(row))? {
            break;
        }
    }
    Ok(())
}

/// The first row of a cached statement.
pub(crate) fn one<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    mut read: impl FnMut(&Cells<'_>) -> Result<T>,
) -> Result<Option<T>> {
    let mut out = None;
    each(connection, sql, params, |cells| {
        out = Some(read(cells)?);
        Ok(false)
    })?;
    Ok(out)
}

/// Runs a cached statement; how many rows it changed.
pub(crate) fn run(connection: &Connection, sql: &str, params: impl Params) -> Result<usize> {
    let mut statement = connection.prepare_cached(sql).map_err(error)?;
    statement.execute(params).map_err(error)
}

/// A row, read by position.
pub(crate) struct Cells<'a>(&'a Row<'a>);

impl Cells<'_> {
    pub(crate) fn blob(&self, at: usize) -> Result<Vec<u8>> {
        self.0.get(at).map_err(error)
    }

    /// A blob where it lies.
    pub(crate) fn bytes(&self, at: usize) -> Result<&[u8]> {
        let cell = self.0.get_ref(at).map_err(error)?;
        cell.as_blob().map_err(|_| damaged("not a blob"))
    }

    pub(crate) fn text(&self, at: usize) -> Result<String> {
        self.0.get(at).map_err(error)
    }

    pub(crate) fn maybe_text(&self, at: usize) -> Result<Option<String>> {
        self.0.get(at).map_err(error)
    }

    pub(crate) fn integer(&self, at: usize) -> Result<i64> {
        self.0.get(at).map_err(error)
    }

    pub(crate) fn maybe_integer(&self, at: usize) -> Result<Option<i64>> {
        self.0.get(at).map_err(error)
    }

    pub(crate) fn real(&self, at: usize) -> Result<f64> {
        self.0.get(at).map_err(error)
    }

    pub(crate) fn flag(&self, at: usize) -> Result<bool> {
        Ok(self.integer(at)? != 0)
    }

    /// A number that is never negative.
    pub(crate) fn number(&self, at: usize) -> Result<u64> {
        u64::try_from(self.integer(at)?).map_err(|_| damaged("a negative number"))
    }

    pub(crate) fn number32(&self, at: usize) -> Result<u32> {
        u32::try_from(self.integer(at)?).map_err(|_| damaged("a number out of range"))
    }

    pub(crate) fn signed32(&self, at: usize) -> Result<i32> {
        i32::try_from(self.integer(at)?).map_err(|_| damaged("a number out of range"))
    }

    pub(crate) fn get<T: FromCell>(&self, at: usize) -> Result<T> {
        let cell = self.0.get_ref(at).map_err(error)?;
        let bytes = cell.as_blob().map_err(|_| damaged("not a blob"))?;
        T::from_cell(bytes).ok_or_else(|| damaged("a blob of another length"))
    }

    pub(crate) fn maybe<T: FromCell>(&self, at: usize) -> Result<Option<T>> {
        match self.0.get_ref(at).map_err(error)? {
            rusqlite::types::ValueRef::Null => Ok(None),
            _ => self.get(at).map(Some),
        }
    }

    pub(crate) fn json<T: DeserializeOwned>(&self, at: usize) -> Result<T> {
        let cell = self.0.get_ref(at).map_err(error)?;
        let text = cell.as_str().map_err(|_| damaged("not a text"))?;
        serde_json::from_str(text).map_err(|why| StoreError::Damaged(why.to_string()))
    }

    pub(crate) fn maybe_json<T: DeserializeOwned>(&self, at: usize) -> Result<Option<T>> {
        match self.0.get_ref(at).map_err(error)? {
            rusqlite::types::ValueRef::Null => Ok(None),
            _ => self.json(at).map(Some),
        }
    }

    /// A word that names one of `all`.
    pub(crate) fn word<T: std::str::FromStr>(&self, at: usize) -> Result<T> {
        self.text(at)?
            .parse()
            .map_err(|_| damaged("a word that is not known"))
    }

    pub(crate) fn level(&self, at: usize) -> Result<GridLevel> {
        match self.integer(at)? {
            0 => Ok(GridLevel::District),
            1 => Ok(GridLevel::Town),
            2 => Ok(GridLevel::Community),
            3 => Ok(GridLevel::Base),
            _ => Err(damaged("a level that is not known")),
        }
    }
}

pub(crate) const fn level(level: GridLevel) -> i64 {
    match level {
        GridLevel::District => 0,
        GridLevel::Town => 1,
        GridLevel::Community => 2,
        GridLevel::Base => 3,
    }
}

/// What is kept as a blob of fixed length.
pub(crate) trait FromCell: Sized {
    fn from_cell(bytes: &[u8]) -> Option<Self>;
}

macro_rules! ids {
    ($($name:ident),*) => {$(
        impl FromCell for $name {
            fn from_cell(bytes: &[u8]) -> Option<Self> {
                bytes.try_into().ok().map(Self::from_bytes)
            }
        }
    )*};
}

ids!(
    BootId, DeviceId, EntityId, Epoch, GridId, OpId, TenantId, UserId, WorkerId
);

impl FromCell for Sha256 {
    fn from_cell(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

impl FromCell for StreamDigest {
    fn from_cell(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self::from_bytes)
    }
}

impl FromCell for StreamKey {
    fn from_cell(bytes: &[u8]) -> Option<Self> {
        let (sort, id) = bytes.split_first()?;
        let id: [u8; 16] = id.try_into().ok()?;
        match sort {
            1 => Some(Self::Records(GridId::from_bytes(id))),
            2 => Some(Self::Notices(GridId::from_bytes(id))),
            3 => Some(Self::Inbox(WorkerId::from_bytes(id))),
            4 => Some(Self::Receipts(DeviceId::from_bytes(id))),
            _ => None,
        }
    }
}

/// A stream's 17 bytes.
pub(crate) fn stream(key: &StreamKey) -> [u8; 17] {
    let (sort, id) = match key {
        StreamKey::Records(grid) => (1, grid.as_bytes()),
        StreamKey::Notices(grid) => (2, grid.as_bytes()),
        StreamKey::Inbox(worker) => (3, worker.as_bytes()),
        StreamKey::Receipts(device) => (4, device.as_bytes()),
    };
    let mut out = [0; 17];
    out[0] = sort;
    out[1..].copy_from_slice(id);
    out
}

const TOP_BIT: u64 = 1 << 63;

/// A run, all 64 bits of it, in an order that SQLite's signed numbers keep.
pub(crate) const fn run_number(run: RunId) -> i64 {
    (run.0 ^ TOP_BIT).cast_signed()
}

pub(crate) const fn run_of(number: i64) -> RunId {
    RunId(number.cast_unsigned() ^ TOP_BIT)
}

/// A number that the contract keeps below 2⁶³.
pub(crate) fn number(value: u64) -> Result<i64> {
    i64::try_from(value).map_err(|_| StoreError::Refused("a number above 2⁶³".to_owned()))
}

pub(crate) fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|why| StoreError::Refused(why.to_string()))
}

/// A list for `rarray`.
pub(crate) fn list<'a>(items: impl Iterator<Item = &'a [u8]>) -> Rc<Vec<Value>> {
    Rc::new(items.map(|bytes| Value::Blob(bytes.to_vec())).collect())
}

pub(crate) fn words<'a>(items: impl Iterator<Item = &'a str>) -> Rc<Vec<Value>> {
    Rc::new(items.map(|text| Value::Text(text.to_owned())).collect())
}
