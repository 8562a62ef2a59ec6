//! One request and its answer: headers, compression, what went wrong, bytes.

use gridwalk_domain::wire::{Cursor, ErrorResponse, RECEIPT_HEADER};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::Read as _;

use super::CancelToken;
use crate::error::EngineError;
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

/// Why a sync goes no further.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Halt {
    /// Something failed; what was done until then stays done.
    Failed(EngineError),
    /// The server is of a new time line, or lets the phone do less: it must say
    /// hello again.
    HelloAgain,
    /// The server does not know the receipt or the cursors that the phone named:
    /// it must say hello again and doubt all that it holds as sent, whatever
    /// time line hello tells.
    Misfit,
    /// The next request would go beyond the caller's budget.
    Budget,
    /// A good answer asked for no further request so soon.
    Wait,
}

impl From<EngineError> for Halt {
    fn from(error: EngineError) -> Self {
        Self::Failed(error)
    }
}

/// The result of a step of a sync.
pub(crate) type Step<T> = std::result::Result<T, Halt>;

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
    /// Who asks.
    pub(crate) token: Option<String>,
    /// The highest receipt that was seen.
    pub(crate) receipt: Option<Cursor>,
    cancel: CancelToken,
    host: String,
    spent: Spent,
    budget: Option<u64>,
    wait_ms: Option<i64>,
}

impl<'a> Line<'a> {
    pub(crate) fn new(
        transport: &'a dyn Transport,
        cancel: CancelToken,
        budget: Option<u64>,
    ) -> Self {
        Self {
            transport,
            token: None,
            receipt: None,
            cancel,
            host: transport.host(),
            spent: Spent::default(),
            budget,
            wait_ms: None,
        }
    }

    pub(crate) fn spent(&self) -> Spent {
        self.spent
    }

    /// What a good answer asked to wait.
    pub(crate) fn wait_ms(&self) -> Option<i64> {
        self.wait_ms
    }

    /// How many bytes the budget still allows for a body.
    pub(crate) fn room(&self) -> usize {
        /// Heads of a request and its answer.
        const HEADS: u64 = 1024;
        let Some(budget) = self.budget else {
            return usize::MAX;
        };
        let spent = self.spent.up + self.spent.down + HEADS;
        usize::try_from(budget.saturating_sub(spent)).unwrap_or(usize::MAX)
    }

    /// Sends JSON and reads JSON.
    pub(crate) fn post<T: DeserializeOwned>(
        &mut self,
        path: &str,
        message: &impl Serialize,
    ) -> Step<T> {
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
        read(&accepted(response)?)
    }

    /// Sends bytes and reads JSON.
    pub(crate) fn post_bytes<T: DeserializeOwned>(
        &mut self,
        path: &str,
        kind: &str,
        body: Vec<u8>,
    ) -> Step<T> {
        let response = self.send(Method::Post, path, vec![header("content-type", kind)], body)?;
        read(&accepted(response)?)
    }

    /// Sends a request and gives the answer, whatever its status.
    pub(crate) fn send(
        &mut self,
        method: Method,
        path: &str,
        mut headers: Vec<(String, String)>,
        body: Vec<u8>,
    ) -> Step<Response> {
        if self.cancel.is_cancelled() {
            return Err(EngineError::Cancelled.into());
        }
        if self.wait_ms.is_some() {
            return Err(Halt::Wait);
        }
        headers.push(header("accept-encoding", "zstd"));
        if let Some(token) = &self.token {
            headers.push(("authorization".to_owned(), format!("Bearer {token}")));
        }
        if let Some(receipt) = &self.receipt {
            headers.push((RECEIPT_HEADER.to_owned(), receipt.to_string()));
        }
        let request = Request {
            method,
            path: path.to_owned(),
            headers,
            body,
        };
        let bytes = request.wire_bytes(&self.host);
        let spent = self.spent.up + self.spent.down;
        if self.budget.is_some_and(|budget| spent + bytes > budget) {
            return Err(Halt::Budget);
        }
        self.spent.requests += 1;
        self.spent.up += bytes;
        let mut response = self
            .transport
            .send(&request)
            .map_err(|error| no_answer(&error))?;
        self.spent.down += response.wire_bytes();
        if (200..300).contains(&response.status) && response.header("retry-after").is_some() {
            self.wait_ms = Some(retry_after(&response)).filter(|ms| *ms > 0);
        }
        if response
            .header("content-encoding")
            .is_some_and(|coding| coding.eq_ignore_ascii_case("zstd"))
        {
            response.body = unpack(&response.body)?;
        }
        Ok(response)
    }
}

fn read<T: DeserializeOwned>(response: &Response) -> Step<T> {
    serde_json::from_slice(&response.body).map_err(|error| bad_answer(&error).into())
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

fn unpack(body: &[u8]) -> Result<Vec<u8>, EngineError> {
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
pub(crate) fn accepted(response: Response) -> Step<Response> {
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
    Err(match (status, code.as_str()) {
        (401, _) => EngineError::SignedOut.into(),
        (409, "epoch") => Halt::Misfit,
        (403, "send_only") => Halt::HelloAgain,
        (429 | 503, _) => EngineError::RetryLater {
            after_ms: retry_after(&response),
        }
        .into(),
        _ => EngineError::ServerError { status, code, text }.into(),
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

    fn refused(status: u16, headers: &[(&str, &str)], body: &str) -> Halt {
        accepted(answer(status, headers, body)).expect_err("no good answer")
    }

    #[test]
    fn every_status_becomes_what_the_shell_can_act_on() {
        let later = |after_ms| Halt::Failed(EngineError::RetryLater { after_ms });
        assert_eq!(refused(503, &[("Retry-After", "7")], ""), later(7000));
        let date = ("Retry-After", "Sun, 22 Nov 2026 22:00:00 GMT");
        assert_eq!(refused(429, &[date], ""), later(RETRY_MS));
        assert_eq!(refused(401, &[], ""), Halt::Failed(EngineError::SignedOut));
        assert_eq!(
            refused(422, &[], r#"{"error":{"code":"c","text":"t"}}"#),
            Halt::Failed(EngineError::ServerError {
                status: 422,
                code: "c".into(),
                text: "t".into()
            })
        );
        let epoch = r#"{"error":{"code":"epoch","text":"t"}}"#;
        assert_eq!(refused(409, &[], epoch), Halt::Misfit);
        assert!(matches!(
            refused(302, &[], ""),
            Halt::Failed(EngineError::ServerError { .. })
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
