//! After the server went back in time: asking what it still holds.

use gridwalk_domain::wire::HaveResponse;

use super::call::Step;
use super::{Phase, Run};
use crate::error::EngineError;
use crate::observe::Touched;
use crate::timeline::{self, Asked};

/// How much is asked for at a time: some 20 KB of names and hashes.
const PAGE: usize = 200;

impl Run<'_> {
    /// Asks for all that is doubted, page by page. What the server does not
    /// have waits to be sent again.
    pub(super) fn have(&mut self) -> Step<()> {
        let account = self.me.account;
        let total = self
            .shared
            .with(|core| timeline::doubted(&core.conn, account))?;
        if total == 0 {
            return Ok(());
        }
        self.meter.plan(Phase::Have, total, 0);
        let mut asked = Asked::default();
        loop {
            self.tell(Phase::Have);
            let page = self
                .shared
                .with(|core| timeline::doubts(&core.conn, account, asked, PAGE))?;
            let Some(page) = page else { return Ok(()) };
            let answer: HaveResponse = self.line.post("/v1/have", &page.request)?;
            let count = |ops: usize, chunks: usize, blobs: usize| [ops, chunks, blobs];
            let wanted = &page.request;
            let wanted = count(wanted.ops.len(), wanted.chunks.len(), wanted.blobs.len());
            if wanted != count(answer.ops.len(), answer.chunks.len(), answer.blobs.len()) {
                let message = "expected a word for each that was asked for".to_owned();
                return Err(EngineError::BadAnswer { message }.into());
            }
            self.keep(None, |tx, word| {
                let touched = timeline::keep(tx, word, &page.request, &answer)?;
                Ok(((), Touched::records(touched)))
            })?;
            let items = wanted.iter().sum::<usize>() as u64;
            self.report.asked += items;
            self.meter.did(Phase::Have, items, 0);
            asked = page.to;
        }
    }
}
