//! The way between a phone and the server, and all that happens on it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gridwalk_domain::wire::{PROTOCOL_VERSION, PushRequest};
use gridwalk_engine::{Method, Request, Response, TransportError};
use gridwalk_server::OpenError;
use std::borrow::Cow;
use std::collections::BTreeSet;

use super::{SeenOp, World};
use crate::fiber::Answer;
use crate::invariants::Violation;
use crate::random::Chance as _;
use crate::time::{MINUTE, SECOND};
use crate::trace::digest;

/// How a line behaves: chances of what goes wrong with a request.
#[derive(Clone, Debug, Default)]
pub struct Link {
    /// It gets lost, or arrives long after the phone has given up.
    pub loss: f64,
    /// It is carried out and its answer gets lost.
    pub answer_lost: f64,
    /// It is carried out once more, some time later.
    pub twice: f64,
    /// It breaks in mid-transfer; of an attachment the server has a part then.
    pub cut: f64,
    /// Something else answers: a hotel's login page, a proxy, a busy server.
    pub stranger: f64,
    /// Of an attachment one byte gets through a request.
    pub trickle: bool,
    /// A login page answers everything before this time.
    pub portal_until_ms: i64,
    /// Nothing gets through before this time.
    pub down_until_ms: i64,
    /// A push with this text in it is refused on the way.
    pub poison: Option<String>,
    /// The mean time one way.
    pub latency_ms: i64,
}

impl Link {
    /// A line as good as a seed gives it.
    pub(crate) fn draw(rng: &mut fastrand::Rng) -> Self {
        let bad = rng.happens(0.6);
        let mut chance = |most: f64| if bad { rng.f64() * most } else { 0.0 };
        Self {
            loss: chance(0.3),
            answer_lost: chance(0.2),
            twice: chance(0.2),
            cut: chance(0.2),
            stranger: chance(0.05),
            latency_ms: 20 + rng.about(300),
            ..Self::default()
        }
    }

    /// A line on which all goes well; what refuses texts stays.
    pub(crate) fn mend(&mut self) {
        *self = Self {
            poison: self.poison.take(),
            latency_ms: 50,
            ..Self::default()
        };
    }
}

/// A request that the server answered.
pub(crate) struct Exchange<'a> {
    pub(crate) path: &'a str,
    /// The request's body, uncompressed.
    pub(crate) asked: Cow<'a, [u8]>,
    /// The answer's body, uncompressed.
    pub(crate) told: Cow<'a, [u8]>,
}

/// The bytes of a body, uncompressed.
fn plain<'a>(encoding: Option<&str>, body: &'a [u8]) -> Cow<'a, [u8]> {
    match encoding {
        Some(coding) if coding.eq_ignore_ascii_case("zstd") => {
            Cow::Owned(zstd::stream::decode_all(body).unwrap_or_default())
        }
        _ => Cow::Borrowed(body),
    }
}

fn is_encoding((name, _): &(String, String)) -> bool {
    name.eq_ignore_ascii_case("content-encoding")
}

fn lost(message: &str) -> TransportError {
    TransportError::Interrupted {
        message: message.to_owned(),
    }
}

fn unreachable(message: &str) -> TransportError {
    TransportError::Unreachable {
        message: message.to_owned(),
    }
}

impl World {
    /// A request leaves a phone; chance decides what becomes of it.
    pub(crate) fn send(&mut self, no: usize, mut request: Request) {
        self.put_on_version(no, &mut request);
        let now_ms = self.now_ms();
        self.phones[no].asked += 1;
        let (link, rng) = (&self.phones[no].link, &mut self.rng);
        let there = 1 + rng.about(link.latency_ms);
        if now_ms < link.down_until_ms {
            self.answer(no, 5 * SECOND, Err(unreachable("no signal")));
        } else if now_ms < link.portal_until_ms {
            self.answer(no, there, Ok(stranger(0)));
        } else if rng.happens(link.loss) {
            if rng.happens(0.3) {
                let late = 30 * SECOND + rng.about(3 * MINUTE);
                self.after(late, move |world| {
                    world.deliver(no, &request);
                });
            }
            self.answer(no, 30 * SECOND, Err(TransportError::TimedOut));
        } else if rng.happens(link.stranger) {
            let answer = stranger(rng.u8(..));
            self.answer(no, there, Ok(answer));
        } else if rng.happens(link.cut) || link.trickle && request.method == Method::Patch {
            self.cut_off(no, there, request);
        } else {
            if rng.happens(link.twice) {
                // The same bytes again, now or much later.
                let again = there + rng.about(2 * MINUTE);
                let request = request.clone();
                self.after(again, move |world| {
                    world.deliver(no, &request);
                });
            }
            let back = 1 + self.rng.about(self.phones[no].link.latency_ms);
            let answer_lost = self.rng.happens(self.phones[no].link.answer_lost);
            let asked = self.phones[no].asked;
            self.after(there, move |world| {
                let answer = match world.deliver(no, &request) {
                    Some(answer) if !answer_lost => Ok(answer),
                    _ => Err(lost("reset")),
                };
                world.answer_to(no, asked, back, answer);
            });
        }
    }

    /// Where the server asks for a newer version, an upgraded app says it.
    fn put_on_version(&self, no: usize, request: &mut Request) {
        let old = format!("{{\"v\":{PROTOCOL_VERSION},");
        let plain = plain(request.header("content-encoding"), &request.body);
        if self.min_v <= PROTOCOL_VERSION
            || self.phones[no].speaks < self.min_v
            || !plain.starts_with(old.as_bytes())
        {
            return;
        }
        let mut body = format!("{{\"v\":{},", self.min_v).into_bytes();
        body.extend_from_slice(&plain[old.len()..]);
        request.body = body;
        request.headers.retain(|header| !is_encoding(header));
    }

    /// What it hears back it takes for its own version.
    fn take_off_version(&self, no: usize, answer: &mut Response) {
        let asks = format!("\"min_v\":{},", self.min_v);
        if self.min_v <= PROTOCOL_VERSION || self.phones[no].speaks < self.min_v {
            return;
        }
        let plain = plain(answer.header("content-encoding"), &answer.body);
        let text = String::from_utf8_lossy(&plain);
        if text.contains(&asks) {
            let own = format!("\"min_v\":{PROTOCOL_VERSION},");
            let body = text.replacen(&asks, &own, 1).into_bytes();
            answer.body = body;
            answer.headers.retain(|header| !is_encoding(header));
        }
    }

    /// The line breaks while the request goes up: of an attachment the server
    /// has what came until then, of anything else nothing.
    fn cut_off(&mut self, no: usize, there: i64, mut request: Request) {
        let asked = self.phones[no].asked;
        if request.method == Method::Patch && !request.body.is_empty() {
            let most = if self.phones[no].link.trickle {
                1
            } else {
                request.body.len() - 1
            };
            request.body.truncate(self.rng.usize(0..=most));
            self.after(there, move |world| {
                world.deliver(no, &request);
                world.answer_to(no, asked, 1, Err(lost("cut")));
            });
        } else {
            self.answer_to(no, asked, there, Err(lost("cut")));
        }
    }

    /// The phone hears this to its last request, after a while.
    fn answer(&mut self, no: usize, ms: i64, answer: Answer) {
        self.answer_to(no, self.phones[no].asked, ms, answer);
    }

    fn answer_to(&mut self, no: usize, asked: u64, ms: i64, answer: Answer) {
        self.after(ms, move |world| {
            if world.phones[no].asked == asked {
                world.resume(no, answer);
            }
        });
    }

    /// A request reaches the server; none where it dies over it.
    fn deliver(&mut self, no: usize, request: &Request) -> Option<Response> {
        let asked = plain(request.header("content-encoding"), &request.body);
        if let Some(refusal) = self.poisoned(no, request, &asked) {
            return Some(refusal);
        }
        self.note_ops(no, request, &asked);
        let line = format!(
            "p{no} → {} {}{} {} B {}",
            request.method.as_str(),
            request.path,
            announced(request),
            request.body.len(),
            digest(&request.body)
        );
        let answered = self.server.handle(request, &format!("10.0.0.{no}"));
        if request.path == "/v1/enrol" {
            self.enrolled_perhaps(no, &answered);
        }
        match answered {
            Ok(Some(mut answer)) => {
                self.take_off_version(no, &mut answer);
                let (status, body) = (answer.status, &answer.body);
                let (len, sum) = (body.len(), digest(body));
                self.say(format_args!("{line} ← {status} {len} B {sum}"));
                let exchange = Exchange {
                    path: &request.path,
                    asked,
                    told: plain(answer.header("content-encoding"), &answer.body),
                };
                self.show(|invariant, world| invariant.answer(world, no, &exchange));
                Some(answer)
            }
            Ok(None) => {
                self.say(format_args!("{line} ← the server died and is back"));
                None
            }
            Err(error) => {
                let text = format!("the server does not start again: {error}");
                self.breaks(Violation::new("the server starts after every crash", text));
                None
            }
        }
    }

    /// Where the server may have made a phone its worker's, the others may hear
    /// any time that they may only send, whatever the phone itself hears.
    fn enrolled_perhaps(&mut self, no: usize, answered: &Result<Option<Response>, OpenError>) {
        let refused = |answer: &Response| (400..500).contains(&answer.status);
        if matches!(answered, Ok(Some(answer)) if refused(answer)) {
            return;
        }
        let worker = self.phones[no].worker;
        let others = self.phones.iter_mut().filter(|phone| phone.no != no);
        for phone in others.filter(|phone| phone.worker == worker) {
            phone.to_leave = true;
        }
    }

    /// A proxy on the way that does not like a text.
    fn poisoned(&self, no: usize, request: &Request, asked: &[u8]) -> Option<Response> {
        let poison = self.phones[no].link.poison.as_deref()?;
        let found = request.path == "/v1/push" && String::from_utf8_lossy(asked).contains(poison);
        found.then(|| Response {
            status: 400,
            headers: vec![],
            body: br#"{"error":{"code":"blocked","text":"blocked"}}"#.to_vec(),
        })
    }

    /// Remembers what the ops of a push say.
    fn note_ops(&mut self, no: usize, request: &Request, asked: &[u8]) {
        if request.path != "/v1/push" {
            return;
        }
        let Ok(push) = serde_json::from_slice::<PushRequest>(asked) else {
            return;
        };
        for op in push.ops {
            if let Ok(body) = op.open() {
                let seen = self.ops.entry(body.id).or_insert_with(|| SeenOp {
                    body,
                    phones: BTreeSet::new(),
                });
                seen.phones.insert(no);
            }
        }
    }
}

/// The hash under which an upload is announced.
fn announced(request: &Request) -> String {
    let metadata = request.header("upload-metadata").unwrap_or_default();
    let encoded = metadata.split(' ').nth(1).unwrap_or_default();
    let hash = STANDARD.decode(encoded).unwrap_or_default();
    let hash = String::from_utf8_lossy(&hash).into_owned();
    hash.get(..8)
        .map(|hash| format!(" of {hash}"))
        .unwrap_or_default()
}

/// What answers instead of the server.
fn stranger(which: u8) -> Response {
    let page = b"<html><body>Please sign in</body></html>".to_vec();
    let (status, headers, body) = match which % 6 {
        0 => (200, vec![("content-type", "text/html")], page),
        1 => (302, vec![("location", "http://portal/")], vec![]),
        2 => (502, vec![], page),
        3 => (503, vec![("retry-after", "7")], vec![]),
        4 => (429, vec![("retry-after", "60")], vec![]),
        _ => (403, vec![], page),
    };
    let headers = headers.into_iter();
    Response {
        status,
        headers: headers
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        body,
    }
}
