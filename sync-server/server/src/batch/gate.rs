//! The domain's gate, asked of the server's data: who may, by the rights of the
//! time at which an op was made, and what catalogue and grids say to it.
//!
//! Phones' ops are asked where they are judged, acts where they are made. What
//! was let in once is not asked again: not a person's decision, not the journal.

use gridwalk_domain::catalogue::BadReport;
use gridwalk_domain::rights::{Person, Rights};
use gridwalk_domain::rules::{self, Breach};
use gridwalk_domain::wire::Outcome;
use gridwalk_domain::{Intent, OpBody, apply, kind};
use gridwalk_store::{Read, Wait};

use super::incoming::reason;
use super::judge::{End, Verdict};
use super::{Batch, Loaded};
use crate::district::Known;
use crate::error::{Error, Fault};
use crate::states::States;

impl Batch<'_> {
    /// Asks the gate for an op of a phone that is judged.
    ///
    /// # Errors
    /// The verdict that a breach comes to, or the store's.
    pub(super) fn check_rules(
        &mut self,
        tx: &dyn Read,
        person: &Person,
        body: &OpBody,
        at_ms: i64,
    ) -> Result<(), End> {
        let Err(breach) = self.ask(tx, person, body, at_ms)? else {
            return Ok(());
        };
        if !matches!(breach, Breach::Report(BadReport::UnknownCatalogue(_))) {
            let reason = reason(breach.code(), &breach);
            return Err(Verdict::taken(Outcome::Rejected { reason }).into());
        }
        // It may be imported, or come with an upgrade. What is wrong besides does
        // not wait for that.
        let loaded = self.entities.get(&body.entity);
        let mut copy = loaded.and_then(|loaded| loaded.state.clone());
        if apply(&mut copy, body, at_ms).is_err() {
            return Ok(());
        }
        let text = breach.to_string();
        Err(Verdict::quarantined(breach.code(), &text, Some(Wait::Upgrade)).into())
    }

    /// Asks the gate for an act that is about to be taken.
    ///
    /// # Errors
    /// 403 with the reason where the author may not, 422 with the reason where
    /// another rule is broken.
    pub(crate) fn check_act(
        &mut self,
        tx: &dyn Read,
        person: &Person,
        body: &OpBody,
    ) -> Result<(), Error> {
        match self.ask(tx, person, body, body.at.wall_ms) {
            Ok(asked) => Ok(asked.map_err(|breach| match &breach {
                Breach::Denied(denied) => Fault::new(403, denied.code(), denied.to_string()),
                _ => Fault::refused(reason(breach.code(), &breach)),
            })?),
            // It says why itself when it is judged.
            Err(End::Not(_)) => Ok(()),
            Err(End::Store(error)) => Err(error.into()),
        }
    }

    fn ask(
        &mut self,
        tx: &dyn Read,
        person: &Person,
        body: &OpBody,
        at_ms: i64,
    ) -> Result<Result<(), Breach>, End> {
        let loaded = self.entities.entry(body.entity).or_default();
        if !loaded.is_for_the_gate(&self.tools.states, body)? {
            return Ok(Ok(()));
        }
        let district = Known::new(tx, self.tenant.id, &self.tree, &self.law);
        let rights = Rights::new(person, &district, at_ms);
        let checked = rules::check(&rights, loaded.state.as_ref(), body);
        district.sound()?;
        Ok(checked)
    }
}

impl Loaded {
    /// Whether there is something to ask. What is missing or there already, of
    /// another kind or of none that is known, or would live nowhere, `apply` says;
    /// what was taken before is settled.
    fn is_for_the_gate(&mut self, kept: &States, body: &OpBody) -> Result<bool, Verdict> {
        self.read(kept)?;
        let Some(kind) = kind::find(&body.kind) else {
            return Ok(false);
        };
        Ok(match (&body.intent, &self.state) {
            (Intent::Create { fields, .. }, None) => kind.home_of(fields).is_some(),
            (Intent::Create { .. }, Some(_)) | (_, None) => false,
            (_, Some(state)) => {
                let taken = state.ops.iter().rev().any(|op| *op == body.id);
                !taken && state.kind == body.kind
            }
        })
    }
}
