//! Fetching an attachment: by range, gone on with after a cut, held to its hash
//! before anybody sees it.

use gridwalk_domain::{EntityId, Sha256};
use std::sync::{Arc, PoisonError};

use super::call::{Halt, Line, Step, accepted, header};
use super::pace::Pace;
use super::{CancelToken, receipt_of};
use crate::attachments::PIECE;
use crate::core::{Shared, begin};
use crate::error::{EngineError, Result};
use crate::fetched::{self, SMALL, Wanted};
use crate::observe::Touched;
use crate::policy::{Network, Policy};
use crate::{Method, Response, Transport};

/// The most that one request asks for.
const MOST: usize = 16 * PIECE;
/// How often one begins anew where other bytes came.
const TRIES: usize = 2;

/// What a caller may give to a fetch.
#[derive(Clone, Default)]
pub struct FetchOptions {
    /// What the network costs. Thumbnails come over any; what is large comes over
    /// a metered one where the policy sends photos over it, or a person asked.
    pub network: Network,
    /// Whether a person asked for it just now.
    pub by_person: bool,
    /// Ends it at the next request.
    pub cancel: CancelToken,
    /// Who is told how far it is.
    pub progress: Option<Arc<dyn FetchProgress>>,
}

/// Who is told how far a fetch is.
pub trait FetchProgress: Send + Sync {
    /// So many bytes of an attachment are here. Called from the thread that
    /// fetches, under no lock of the engine's data.
    fn progress(&self, sha256: Sha256, bytes: u64, of: u64);
}

/// What a fetch came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fetched {
    /// The thumbnail that is on this phone now, where there is one.
    pub thumb: Option<Sha256>,
    /// Whether the attachment itself is.
    pub here: bool,
    /// Requests made.
    pub requests: u64,
    /// Bytes sent: HTTP heads and bodies, TLS aside.
    pub bytes_up: u64,
    /// Bytes received.
    pub bytes_down: u64,
}

struct Fetch<'a> {
    shared: &'a Shared,
    line: Line<'a>,
    pace: Pace,
    /// Whose phone it was when the fetch began.
    account: i64,
    records: Vec<EntityId>,
    progress: Option<Arc<dyn FetchProgress>>,
    most_kept: u64,
}

pub(crate) fn fetch(
    shared: &Shared,
    transport: &dyn Transport,
    sha256: Sha256,
    options: &FetchOptions,
) -> Result<Fetched> {
    let _one = shared
        .fetching
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let (me, receipt, policy, shown, own) = shared.with(|core| {
        let me = core.me()?.clone();
        let receipt = receipt_of(core, me.account)?;
        let policy = Policy::load(&core.conn)?;
        let shown = fetched::shown(&core.conn, sha256)?;
        let own = fetched::is_here(&core.conn, me.account, sha256)?;
        Ok((me, receipt, policy, shown, own))
    })?;
    let (content, thumb) = (shown.content, shown.thumb);
    if content.is_none() && !own {
        return Err(EngineError::NotFound);
    }
    let mut line = Line::new(transport, options.cancel.clone(), None);
    line.token = Some(me.token.as_ref().unwrap_or(&me.send_token).clone());
    line.receipt = receipt;
    let mut fetch = Fetch {
        shared,
        line,
        pace: Pace::new(None, MOST),
        account: me.account,
        records: shown.records,
        progress: options.progress.clone(),
        most_kept: u64::from(policy.keep_fetched_mb) * 1_000_000,
    };
    let may = |wanted: &Wanted| {
        wanted.bytes <= u64::from(SMALL)
            || options.by_person
            || policy.sends_photos(options.network)
    };
    let mut done = Fetched::default();
    if let Some(thumb) = thumb {
        fetch.one(thumb).map_err(error)?;
        done.thumb = Some(thumb.sha256);
    }
    done.here = own;
    if let Some(content) = content.filter(|content| !own && may(content)) {
        fetch.one(content).map_err(error)?;
        done.here = true;
    }
    let spent = fetch.line.spent();
    done.requests = spent.requests;
    done.bytes_up = spent.up;
    done.bytes_down = spent.down;
    Ok(done)
}

fn error(halt: Halt) -> EngineError {
    match halt {
        Halt::Failed(EngineError::ServerError { status: 404, .. }) => EngineError::NotFound,
        Halt::Failed(error) => error,
        Halt::Wait | Halt::Budget => EngineError::RetryLater { after_ms: 0 },
        Halt::HelloAgain | Halt::Misfit => EngineError::BadAnswer {
            message: "the server is of another time line; sync first".to_owned(),
        },
    }
}

fn unexpected(message: &str) -> Halt {
    let message = message.to_owned();
    EngineError::BadAnswer { message }.into()
}

impl Fetch<'_> {
    /// Brings one attachment here.
    fn one(&mut self, wanted: Wanted) -> Step<()> {
        let len = usize::try_from(wanted.bytes).map_err(|_| EngineError::NotFound)?;
        let (account, sha256) = (self.account, wanted.sha256);
        let here = self
            .shared
            .with(|core| fetched::is_here(&core.conn, account, sha256))?;
        if here {
            return Ok(());
        }
        self.begin(wanted)?;
        let vault = &self.shared.vault;
        // Somebody who left this phone may have had the same content, or a data file
        // that was set aside; whether it is that still nobody has checked.
        if !vault.reads(sha256, len) {
            let mut part = vault.part(sha256, len).map_err(EngineError::from)?;
            let mut right = false;
            for _ in 0..TRIES {
                while part.got() < len {
                    self.tell(wanted, part.got());
                    let bytes = self.piece(wanted, part.got(), len)?;
                    part.add(&bytes).map_err(EngineError::from)?;
                }
                right = part.check().map_err(EngineError::from)?;
                if right {
                    break;
                }
            }
            if !right {
                return Err(unexpected("its bytes are not those of its hash"));
            }
            self.keep(wanted, || part.finish())?;
        } else {
            self.keep(wanted, || Ok(()))?;
        }
        self.tell(wanted, len);
        Ok(())
    }

    fn tell(&self, wanted: Wanted, got: usize) {
        if let Some(progress) = &self.progress {
            progress.progress(wanted.sha256, got as u64, wanted.bytes);
        }
    }

    /// Makes room for it and notes that it comes.
    fn begin(&self, wanted: Wanted) -> Result<()> {
        let (records, account) = (&self.records, self.account);
        let gone = self.shared.with(|core| {
            if core.account() != account {
                return Err(EngineError::Cancelled.into());
            }
            let tx = begin(&mut core.conn)?;
            fetched::begun(&tx, wanted, records)?;
            let gone = fetched::make_room(&tx, wanted.sha256, self.most_kept)?;
            tx.commit()?;
            Ok(gone)
        })?;
        if gone {
            self.shared.clean_up();
        }
        Ok(())
    }

    /// Notes that it is whole, under the name that `name` gives it, unless it
    /// was purged meanwhile or the worker left.
    fn keep(&self, wanted: Wanted, name: impl FnOnce() -> crate::error::Inner<()>) -> Result<()> {
        let records = self.records.clone();
        self.shared.change(|core| {
            let tx = begin(&mut core.conn)?;
            if !fetched::whole(&tx, wanted.sha256)? {
                return Err(EngineError::NotFound.into());
            }
            name()?;
            tx.commit()?;
            Ok(((), Touched::records(records)))
        })
    }

    /// The next bytes: whole pieces, or what is left.
    fn piece(&mut self, wanted: Wanted, from: usize, len: usize) -> Step<Vec<u8>> {
        let pieces = (self.pace.bytes() / PIECE).max(1);
        let to = len.min(from + pieces * PIECE);
        let path = format!("/v1/blobs/{}", wanted.sha256);
        let headers = vec![
            header("range", &format!("bytes={from}-{}", to - 1)),
            header("if-range", &format!("\"{}\"", wanted.sha256)),
        ];
        let since = self.shared.now().mono_ms;
        let response = self.line.send(Method::Get, &path, headers, vec![])?;
        let response = accepted(response)?;
        let bytes = the_range(response, from, to, len)?;
        self.pace
            .took(bytes.len(), self.shared.now().mono_ms - since);
        Ok(bytes)
    }
}

/// The bytes that were asked for, whatever the server sent besides.
fn the_range(response: Response, from: usize, to: usize, len: usize) -> Step<Vec<u8>> {
    let told = response.header("content-range").map(str::to_owned);
    let mut bytes = response.body;
    match response.status {
        206 => {
            let right = format!("bytes {from}-{}/{len}", to - 1);
            if told.as_deref() != Some(right.as_str()) || bytes.len() != to - from {
                return Err(unexpected("expected the range that was asked for"));
            }
        }
        // All of it: a proxy in between knows no ranges.
        200 if bytes.len() == len => {
            bytes.truncate(to);
            bytes.drain(..from);
        }
        _ => return Err(unexpected("expected the attachment")),
    }
    Ok(bytes)
}
