//! The way to the server: plain requests and answers, so that a simulation can
//! call a server in its own process.

use crate::ServerAddress;

/// The verb of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// GET
    Get,
    /// HEAD
    Head,
    /// POST
    Post,
    /// PATCH
    Patch,
    /// DELETE
    Delete,
}

impl Method {
    /// The verb as it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Its verb.
    pub method: Method,
    /// Its path, from `/`.
    pub path: String,
    /// Its headers; names are lower-case. `host`, `content-length` and
    /// `connection` are the transport's.
    pub headers: Vec<(String, String)>,
    /// Its body, as it goes out (`content-encoding` applied already).
    pub body: Vec<u8>,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// Its headers, in any case.
    pub headers: Vec<(String, String)>,
    /// Its body, as it came in: the engine undoes a `content-encoding`.
    pub body: Vec<u8>,
}

/// Why there is no answer. The request may have been carried out all the same.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// No connection came about.
    #[error("no connection: {message}")]
    Unreachable {
        /// What the system said.
        message: String,
    },
    /// No answer came in time.
    #[error("no answer in time")]
    TimedOut,
    /// The server's certificate is not to be trusted.
    #[error("the certificate is not to be trusted: {message}")]
    Untrusted {
        /// What is wrong with it.
        message: String,
    },
    /// The connection broke on the way.
    #[error("the connection broke: {message}")]
    Interrupted {
        /// What the system said.
        message: String,
    },
}

/// The way to the server.
///
/// An implementation follows no redirect, tries nothing twice, and writes
/// neither headers nor bodies to any log: the phone's token is among them.
pub trait Transport: Send + Sync {
    /// Sends a request and waits for its answer, whatever its status.
    ///
    /// # Errors
    /// [`TransportError`] where no whole answer came.
    fn send(&self, request: &Request) -> Result<Response, TransportError>;

    /// Whether it leads to this server. Those whose records are for another one
    /// are left out of a sync over it.
    fn leads_to(&self, _server: &ServerAddress) -> bool {
        true
    }

    /// The server's name as the `host` header gives it; for counting bytes
    /// only.
    fn host(&self) -> String {
        "localhost".to_owned()
    }
}

fn header_bytes(headers: &[(String, String)]) -> u64 {
    headers
        .iter()
        .map(|(name, value)| (name.len() + value.len() + 4) as u64)
        .sum()
}

fn digits(n: usize) -> u64 {
    n.to_string().len() as u64
}

impl Request {
    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }

    /// Bytes of the head and the body in HTTP/1.1, TLS aside.
    #[must_use]
    pub fn wire_bytes(&self, host: &str) -> u64 {
        let line = self.method.as_str().len() + self.path.len() + " HTTP/1.1\r\n".len() + 1;
        let host = "host: \r\n".len() + host.len();
        let length = match self.method {
            Method::Get | Method::Head => 0,
            _ => "content-length: \r\n".len() as u64 + digits(self.body.len()),
        };
        (line + host + "\r\n".len() + self.body.len()) as u64 + length + header_bytes(&self.headers)
    }
}

impl Response {
    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }

    /// Bytes of the head and the body in HTTP/1.1, TLS aside; a reason phrase
    /// of average length assumed.
    #[must_use]
    pub fn wire_bytes(&self) -> u64 {
        let line = "HTTP/1.1 200 OK\r\n\r\n".len();
        (line + self.body.len()) as u64 + header_bytes(&self.headers)
    }
}

fn find<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_those_of_http_1_1() {
        let request = Request {
            method: Method::Post,
            path: "/v1/push".into(),
            headers: vec![("content-type".into(), "application/json".into())],
            body: b"{}".to_vec(),
        };
        let text = "POST /v1/push HTTP/1.1\r\nhost: a:1\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";
        assert_eq!(request.wire_bytes("a:1"), text.len() as u64);
        let response = Response {
            status: 200,
            headers: vec![("A".into(), "b".into())],
            body: vec![],
        };
        assert_eq!(
            response.wire_bytes(),
            "HTTP/1.1 200 OK\r\nA: b\r\n\r\n".len() as u64
        );
        assert_eq!(response.header("a"), Some("b"));
    }
}
