//! What is in quarantine, and what lets it out: what it waited for, or a person.

use gridwalk_domain::wire::Outcome;
use gridwalk_domain::{OpBody, OpId, Rng, SealedOp};
use gridwalk_store::{OpRow, OpSummary, Read, StoreError, Wait};

use super::incoming::{Incoming, reason};
use super::judge::Verdict;
use super::{Batch, Name};

/// Why a person's decision cannot be carried out. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Undecided {
    /// It is not in quarantine (any more).
    NotHeld,
    /// It still cannot be taken, for this reason.
    Still(Outcome),
}

impl Batch<'_> {
    /// Says that something has come which ops may have waited for.
    pub(crate) fn has_come(&mut self, wait: Wait) {
        self.woken.insert(wait);
    }

    /// Judges again what waited for something that has come, and what waited for
    /// that in turn, until nothing more is let out.
    pub(crate) fn free(&mut self, tx: &dyn Read) -> Result<(), StoreError> {
        while !self.woken.is_empty() {
            let causes = std::mem::take(&mut self.woken);
            let rows = self.waiting(tx, &causes.iter().copied().collect::<Vec<_>>())?;
            self.causes.extend(causes);
            let mut opened = Vec::new();
            for row in rows {
                // What was stored could be read once.
                if let Ok(op) = Incoming::stored(&row) {
                    opened.push((row, op));
                }
            }
            self.load(tx, opened.iter().map(|(_, op)| op))?;
            for (row, op) in opened {
                let verdict = self.judge_again(tx, &op, row.device)?;
                let creates = op.creates();
                self.settle(row, creates, verdict);
            }
        }
        Ok(())
    }

    /// All that waits for one of these, by what this batch knows.
    fn waiting(&self, tx: &dyn Read, causes: &[Wait]) -> Result<Vec<OpRow>, StoreError> {
        let name = |row: &OpRow| -> Name { (row.summary.id, row.summary.sha256) };
        let waits = |row: &&OpRow| row.summary.wait.is_some_and(|wait| causes.contains(&wait));
        let mut rows = tx.waiting_ops(self.tenant.id, causes)?;
        rows.retain(|row| !self.decided.contains_key(&name(row)));
        let decided = self.decided.values().map(|(row, _)| row);
        rows.extend(decided.filter(waits).cloned());
        rows.extend(self.stored.iter().filter(waits).cloned());
        Ok(rows)
    }

    /// Notes what became of an op that was judged anew.
    fn settle(&mut self, row: OpRow, creates: bool, verdict: Verdict) {
        let summary = OpSummary {
            creates,
            outcome: verdict.outcome,
            wait: verdict.wait,
            ..row.summary.clone()
        };
        if summary == row.summary {
            return;
        }
        if summary.outcome != row.summary.outcome {
            self.wake(&summary);
        }
        self.note(row, summary);
    }

    /// Puts a new summary in the place of a stored op's.
    pub(crate) fn note(&mut self, row: OpRow, summary: OpSummary) {
        let name: Name = (summary.id, summary.sha256);
        let known = self.known.entry(summary.id).or_default();
        match known.iter_mut().find(|known| known.sha256 == name.1) {
            Some(known) => *known = summary.clone(),
            None => known.push(summary.clone()),
        }
        if let Some(at) = self.stored_at.get(&name) {
            self.stored[*at].summary = summary;
            return;
        }
        let before = row.summary.outcome.clone();
        let (kept, _) = self.decided.entry(name).or_insert((row, before));
        kept.summary = summary;
    }

    /// Takes an op out of quarantine because a person says so.
    ///
    /// One whose id another body bears already is said again under a new id; that
    /// op is returned, to be written into the journal.
    pub(crate) fn accept(
        &mut self,
        tx: &dyn Read,
        row: &OpRow,
    ) -> Result<Result<Option<SealedOp>, Undecided>, StoreError> {
        let Outcome::Quarantined { reason } = &row.summary.outcome else {
            return Ok(Err(Undecided::NotHeld));
        };
        let still = || Undecided::Still(row.summary.outcome.clone());
        let Ok(op) = Incoming::stored(row) else {
            return Ok(Err(still()));
        };
        let Ok(body) = &op.body else {
            return Ok(Err(still()));
        };
        self.load(tx, std::iter::once(&op))?;
        if self.is_purged(&op) {
            return Ok(Err(Undecided::NotHeld));
        }
        let again = reason.code == "same_id_other_hash";
        let (body, sealed) = if again {
            let body = reissue(body, &*self.tools.rng);
            let sealed = body.seal();
            match sealed {
                Ok(sealed) => (body, Some(sealed)),
                Err(_) => return Ok(Err(still())),
            }
        } else {
            (body.clone(), None)
        };
        let outcome = match self.take_decided(tx, &op, &body)? {
            Ok(outcome) => outcome,
            Err(verdict) => return Ok(Err(Undecided::Still(verdict.outcome))),
        };
        if let Some(sealed) = &sealed {
            self.stands_for(&body, sealed, row, &outcome);
        } else {
            let summary = OpSummary {
                creates: op.creates(),
                outcome,
                wait: None,
                ..row.summary.clone()
            };
            self.wake(&summary);
            self.note(row.clone(), summary);
        }
        Ok(Ok(sealed))
    }

    /// Stores an op that says what another one said, and that it does.
    fn stands_for(&mut self, body: &OpBody, sealed: &SealedOp, row: &OpRow, outcome: &Outcome) {
        let new = OpSummary {
            id: body.id,
            sha256: sealed.sha256,
            entity: body.entity,
            creates: row.summary.creates,
            outcome: outcome.clone(),
            wait: None,
            reissued: None,
        };
        let old = OpSummary {
            outcome: outcome.clone(),
            wait: None,
            reissued: Some(body.id),
            ..row.summary.clone()
        };
        self.wake(&new);
        self.wake(&old);
        self.add(OpRow {
            summary: new,
            device: None,
            received_ms: self.now_ms,
            body: sealed.body.clone(),
        });
        self.note(row.clone(), old);
    }

    /// Refuses an op in quarantine because a person says so.
    pub(crate) fn refuse(
        &mut self,
        tx: &dyn Read,
        row: &OpRow,
    ) -> Result<Result<(), Undecided>, StoreError> {
        if !matches!(row.summary.outcome, Outcome::Quarantined { .. }) {
            return Ok(Err(Undecided::NotHeld));
        }
        self.know(tx, vec![row.summary.id])?;
        let reason = reason("refused", &"a person refused it");
        let summary = OpSummary {
            outcome: Outcome::Rejected { reason },
            wait: None,
            ..row.summary.clone()
        };
        self.wake(&summary);
        self.note(row.clone(), summary);
        Ok(Ok(()))
    }
}

/// The same intent of the same author, as an op of its own.
fn reissue(body: &OpBody, rng: &dyn Rng) -> OpBody {
    OpBody {
        id: OpId::draw(body.at.wall_ms, rng),
        prev: None,
        needs: Vec::new(),
        nonce: OpBody::draw_nonce(rng),
        ..body.clone()
    }
}
