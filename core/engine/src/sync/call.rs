//! One request and its answer: headers, compression, what went wrong, bytes.

use gridwalk_domain::wire::ErrorResponse;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::Read as _;

use super::CancelToken;
use crate::error::{EngineError, Result};
use crate::{Method, Request, Response, Transport, TransportError};

/// Bodies below this size are not worth compressing.
const COMPRESS_FROM: usize = 512;
const LEVEL: i32 = 6;
/// No answer may unpack to more.
const MAX_ANSWER: u64 = 64 * 1024 * 1024;
/// Where a busy server does not say when to come again.
const RETRY_MS: i64 = 60_000;
/// Nobody is asked to wait longer.
const MAX_RETRY_MS: i64 = 24 * 3_600_000;

/// What a sync has used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Spent {
    pub(crate) requests: u64,
    pub(crate) up: u64,
    pub(crate) down: u64,
}

/// The line to the server.
pub(crate) struct Line<'a> {
    transport: &'a dyn Transport,
    token: Option<String>,
    cancel: CancelToken,
    host: String,
    spent: Spent,
}

impl<'a> Line<'a> {
    pub(crate) fn new(
        transport: &'a dyn Transport,
        token: Option<String>,
        cancel: CancelToken,
    ) -> Self {
        Self {
            transport,
            token,
            cancel,
            host: transport.host(),
            spent: Spent::default(),
        }
    }

    pub(crate) fn spent(&self) -> Spent {
        self.spent
    }

    /// Sends JSON and reads JSON.
    pub(crate) fn post<T: DeserializeOwned>(
        &mut self,
        path: &str,
        message: &impl Serialize,
    ) -> Result<T> {
        let body = serde_json::to_vec(message).map_err(|error| bad_answer(&error))?;
        let mut headers = vec![header("content-type", "application/json")];
        let body = match compressed(&body) {
            Some(small) => {
                headers.push(header("content-encoding", "zstd"));
                small
            }
            None => body,
        };
        let response = self.send(Method::Post, path, headers, body)?;
        serde_json::from_slice(&accepted(response)?.body).map_err(|error| bad_answer(&error))
    }

    /// Sends bytes and reads JSON.
    pub(crate) fn post_bytes<T: DeserializeOwned>(
        &mut self,
        path: &str,
        kind: &str,
        body: Vec<u8>,
    ) -> Result<T> {
        let response = self.send(Method::Post, path, vec![header("content-type", kind)], body)?;
        serde_json::from_slice(&accepted(response)?.body).map_err(|error| bad_answer(&error))
    }

    /// Sends a request and gives the answer, whatever its status.
    pub(crate) fn send(
        &mut self,
        method: Method,
        path: &str,
        mut headers: Vec<(String, String)>,
        body: Vec<u8>,
    ) -> Result<Response> {
        if self.cancel.is_cancelled() {
            return Err(EngineError::Cancelled);
        }
        headers.push(header("accept-encoding", "zstd"));
        if let Some(token) = &self.token {
            headers.push(("authorization".to_owned(), format!("Bearer {token}")));
        }
        let request = Request {
            method,
            path: path.to_owned(),
            headers,
            body,
        };
        self.spent.requests += 1;
        self.spent.up += request.wire_bytes(&self.host);
        let mut response = self
            .transport
            .send(&request)
            .map_err(|error| no_answer(&error))?;
        self.spent.down += response.wire_bytes();
        if response
            .header("content-encoding")
            .is_some_and(|coding| coding.eq_ignore_ascii_case("zstd"))
        {
            response.body = unpack(&response.body)?;
        }
        Ok(response)
    }
}

pub(crate) fn header(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

fn compressed(body: &[u8]) -> Option<Vec<u8>> {
    if body.len() < COMPRESS_FROM {
        return None;
    }
    zstd::bulk::compress(body, LEVEL)
        .ok()
        .filter(|small| small.len() < body.len())
}

fn unpack(body: &[u8]) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    let packed = zstd::stream::read::Decoder::new(body).map_err(|error| bad_answer(&error))?;
    packed
        .take(MAX_ANSWER + 1)
        .read_to_end(&mut out)
        .map_err(|error| bad_answer(&error))?;
    if out.len() as u64 > MAX_ANSWER {
        return Err(EngineError::BadAnswer {
            message: "it is too large".to_owned(),
        });
    }
    Ok(out)
}

fn bad_answer(error: &dyn std::error::Error) -> EngineError {
    EngineError::BadAnswer {
        message: error.to_string(),
    }
}

fn no_answer(error: &TransportError) -> EngineError {
    match error {
        TransportError::Unreachable { message } | TransportError::Interrupted { message } => {
            EngineError::Unreachable {
                message: message.clone(),
            }
        }
        TransportError::TimedOut => EngineError::TimedOut,
        TransportError::Untrusted { message } => EngineError::Untrusted {
            message: message.clone(),
        },
    }
}

/// The answer where its status says yes, else what it says.
pub(crate) fn accepted(response: Response) -> Result<Response> {
    let status = response.status;
    if (200..300).contains(&status) {
        return Ok(response);
    }
    let said: Option<ErrorResponse> = serde_json::from_slice(&response.body).ok();
    let (code, text) = match said {
        Some(said) => (said.error.code, said.error.text),
        None => (
            format!("http_{status}"),
            "the answer does not say why".to_owned(),
        ),
    };
    Err(match status {
        401 => EngineError::SignedOut,
        429 | 503 => EngineError::RetryLater {
            after_ms: retry_after(&response),
        },
        _ => EngineError::ServerError { status, code, text },
    })
}

/// Milliseconds; a date is too seldom sent to be worth reading.
fn retry_after(response: &Response) -> i64 {
    let seconds = response
        .header("retry-after")
        .and_then(|text| text.trim().parse::<i64>().ok());
    seconds
        .map_or(RETRY_MS, |seconds| seconds.saturating_mul(1000))
        .clamp(0, MAX_RETRY_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Response {
        let headers = headers
            .iter()
            .map(|(name, value)| header(name, value))
            .collect();
        Response {
            status,
            headers,
            body: body.as_bytes().to_vec(),
        }
    }

    #[test]
    fn every_status_becomes_what_the_shell_can_act_on() {
        let busy = accepted(answer(503, &[("Retry-After", "7")], ""));
        assert_eq!(busy, Err(EngineError::RetryLater { after_ms: 7000 }));
        let later = accepted(answer(
            429,
            &[("Retry-After", "Sun, 22 Nov 2026 22:00:00 GMT")],
            "",
        ));
        assert_eq!(later, Err(EngineError::RetryLater { after_ms: RETRY_MS }));
        assert_eq!(accepted(answer(401, &[], "")), Err(EngineError::SignedOut));
        let said = accepted(answer(422, &[], r#"{"error":{"code":"c","text":"t"}}"#));
        assert_eq!(
            said,
            Err(EngineError::ServerError {
                status: 422,
                code: "c".into(),
                text: "t".into()
            })
        );
        assert!(matches!(
            accepted(answer(302, &[], "")),
            Err(EngineError::ServerError { .. })
        ));
        assert!(accepted(answer(204, &[], "")).is_ok());
    }

    #[test]
    fn an_answer_that_unpacks_without_end_is_refused() {
        let bomb =
            zstd::bulk::compress(&vec![0; usize::try_from(MAX_ANSWER).expect("fits") + 2], 1)
                .expect("packs");
        assert!(matches!(unpack(&bomb), Err(EngineError::BadAnswer { .. })));
        let fair = zstd::bulk::compress(b"fair", 1).expect("packs");
        assert_eq!(unpack(&fair).expect("unpacks"), b"fair");
        assert!(unpack(b"no zstd").is_err());
    }
}
