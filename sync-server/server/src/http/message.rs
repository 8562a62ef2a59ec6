//! Requests and answers as plain values.

use serde::de::DeserializeOwned;
use std::fmt;
use std::io::Read as _;

use super::coding;
use crate::error::{Error, Fault};

/// A request, its body included.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// `GET`, `POST` …
    pub method: String,
    /// The path, as it stands in the request line, without the query.
    pub path: String,
    /// What comes after the `?`, without it.
    pub query: String,
    /// Names in any case.
    pub headers: Vec<(String, String)>,
    /// As it came: `Content-Encoding` is undone here.
    pub body: Vec<u8>,
    /// Where it comes from, for limits: an address without a port.
    pub peer: String,
    /// Whether it came over TLS.
    pub secure: bool,
}

/// A request whose body is still to come.
pub(crate) type Head = Request;

impl Request {
    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The value of a query's field, decoded.
    pub(crate) fn query(&self, name: &str) -> Option<String> {
        let mut fields = form_urlencoded::parse(self.query.as_bytes());
        fields
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.into_owned())
    }

    /// The value of a cookie.
    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        let cookies = self.header("cookie")?.split(';');
        let mut pairs = cookies.filter_map(|cookie| cookie.trim().split_once('='));
        pairs
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value)
    }

    /// The token that a phone shows.
    pub(crate) fn bearer(&self) -> Option<&str> {
        let (scheme, token) = self.header("authorization")?.split_once(' ')?;
        scheme
            .eq_ignore_ascii_case("bearer")
            .then_some(token.trim())
    }

    /// The body, uncompressed, of at most `most` bytes.
    pub(crate) fn plain(&self, most: usize) -> Result<std::borrow::Cow<'_, [u8]>, Fault> {
        coding::decode(self.header("content-encoding"), &self.body, most)
    }

    /// The body, read as JSON.
    pub(crate) fn json<T: DeserializeOwned>(&self, most: usize) -> Result<T, Error> {
        let body = self.plain(most)?;
        serde_json::from_slice(&body).map_err(|why| {
            // The position tells enough; the value that was there may be personal.
            let (line, column) = (why.line(), why.column());
            let text = format!("The body cannot be read as JSON (line {line}, column {column}).");
            Fault::bad_request(text).into()
        })
    }
}

/// An answer's body.
pub enum Body {
    /// All of it.
    Bytes(Vec<u8>),
    /// Of an attachment, to be read piece by piece.
    Stream {
        /// How many bytes there are.
        length: u64,
        /// The bytes.
        bytes: Box<dyn std::io::Read + Send>,
    },
}

impl Body {
    /// All of it.
    ///
    /// # Errors
    /// What the system says while it reads.
    pub fn into_bytes(self) -> std::io::Result<Vec<u8>> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            Self::Stream { mut bytes, .. } => {
                let mut out = Vec::new();
                bytes.read_to_end(&mut out)?;
                Ok(out)
            }
        }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "{} bytes", bytes.len()),
            Self::Stream { length, .. } => write!(f, "a stream of {length} bytes"),
        }
    }
}

/// An answer.
#[derive(Debug)]
pub struct Response {
    /// The status of HTTP.
    pub status: u16,
    /// Names in small letters.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Body,
}

impl Response {
    /// One without a body.
    #[must_use]
    pub fn empty(status: u16) -> Self {
        Self {
            status,
            headers: vec![],
            body: Body::Bytes(vec![]),
        }
    }

    pub(crate) fn json(status: u16, json: Vec<u8>) -> Self {
        let mut response = Self::empty(status).with("content-type", "application/json");
        response.body = Body::Bytes(json);
        response.with("cache-control", "no-store")
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.retain(|(known, _)| *known != name);
        self.headers.push((name, value.into()));
        self
    }

    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value.as_str())
    }
}

impl From<Fault> for Response {
    fn from(fault: Fault) -> Self {
        let body = serde_json::to_vec(&fault.body()).unwrap_or_default();
        let response = Self::json(fault.status, body);
        match fault.retry_after_s {
            Some(seconds) => response.with("retry-after", seconds.to_string()),
            None => response,
        }
    }
}
