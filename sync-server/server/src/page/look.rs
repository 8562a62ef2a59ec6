//! From a request of the page to its answer.

use gridwalk_domain::Catalogue;
use gridwalk_store::BlobRow;
use serde::Serialize;

use super::login::Login;
use crate::blobs::Bytes;
use crate::error::{Error, Fault};
use crate::http::Request;
use crate::rights::{Sight, Viewer};
use crate::service::Service;

/// The cookie that holds the session's token.
pub(crate) const COOKIE: &str = "gridwalk";

/// An answer, short of its headers.
pub(crate) enum Answer {
    /// JSON.
    Json(Vec<u8>),
    /// JSON that a browser may keep, to be asked for again by its tag.
    Tagged {
        /// The tag, quoted.
        tag: String,
        /// None where the browser has it.
        json: Option<Vec<u8>>,
    },
    /// JSON, and a session begins: its token, to be set as a cookie.
    LoggedIn(Vec<u8>, String),
    /// The session is over.
    LoggedOut,
    /// An attachment.
    Blob(BlobRow, Bytes),
}

pub(super) fn json(value: &impl Serialize) -> Result<Answer, Error> {
    Ok(Answer::Json(text(value)?))
}

pub(super) fn text(value: &impl Serialize) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(value)
        .map_err(|why| gridwalk_store::StoreError::Failed(format!("an answer: {why}")).into())
}

#[derive(Serialize)]
struct Categories<'a> {
    version: u32,
    categories: &'a [gridwalk_domain::Category],
    severities: &'a [gridwalk_domain::Severity],
}

fn catalogue(catalogue: &Catalogue) -> Result<Answer, Error> {
    json(&Categories {
        version: catalogue.version,
        categories: &catalogue.categories,
        severities: &catalogue.severities,
    })
}

impl Service {
    /// Answers a request to `/api/…`; `path` is what comes after it.
    pub(crate) fn look(&self, request: &Request, path: &[&str]) -> Result<Answer, Error> {
        let reading = request.method == "GET";
        if !reading && request.header("x-gridwalk") != Some("1") {
            let text = "The header X-Gridwalk: 1 is missing.";
            return Err(Fault::new(403, "forbidden", text).into());
        }
        match (request.method.as_str(), path) {
            ("POST", ["login"]) => {
                let login: Login = request.json(8 * 1024)?;
                return self.log_in(&login, &request.peer);
            }
            ("POST", ["logout"]) => return self.log_out(request),
            _ => {}
        }
        let viewer = self.viewer(request)?;
        if !reading {
            return Err(Fault::not_found().into());
        }
        match path {
            ["me"] => json(&self.me(&viewer)?),
            ["catalogue"] => catalogue(&viewer.law.catalogue),
            ["grids"] => self.grids(&viewer, request),
            ["grids", id, "map"] => self.map(&viewer, request, id),
            ["day"] => self.seen(&viewer, |sight| self.day(sight, request)),
            ["day", "routes"] => self.seen(&viewer, |sight| self.day_routes(sight, request)),
            ["coverage"] => self.seen(&viewer, |sight| self.coverage(sight, request)),
            ["days"] => self.seen(&viewer, |sight| self.days(sight, request)),
            ["patrols", id] => self.patrol(&viewer, id),
            ["incidents", id] => self.seen(&viewer, |sight| self.incident(sight, id)),
            ["records"] => self.seen(&viewer, |sight| self.records(sight, request)),
            ["records", kind, id] => self.seen(&viewer, |sight| self.record(sight, kind, id)),
            ["tasks"] => self.seen(&viewer, |sight| self.tasks(sight, request)),
            ["workers"] => self.seen(&viewer, |sight| self.workers(sight, request)),
            ["blobs", sha256] => self.blob(&viewer, sha256),
            ["holdings"] => self.seen(&viewer, |sight| {
                json(&super::holdings(sight.whole()?, &[sight.viewer.tenant.id])?)
            }),
            _ => Err(Fault::not_found().into()),
        }
    }

    /// Answers from one committed state, as the viewer sees it.
    pub(crate) fn seen<T>(
        &self,
        viewer: &Viewer,
        mut answer: impl FnMut(&Sight<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let (answered, shown) = self.read(|tx| {
            let sight = Sight::new(viewer, tx);
            Ok((answer(&sight)?, sight.shown()))
        })?;
        // Written down before it is shown.
        let who = format!("user/{}", viewer.user.id);
        self.note_readings(viewer.tenant.id, &who, shown)?;
        Ok(answered)
    }
}
