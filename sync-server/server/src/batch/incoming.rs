//! Ops as they come, read once.

use gridwalk_domain::wire::{OpOutcome, Outcome, Reason};
use gridwalk_domain::{
    BadOp, Intent, MAX_BODY_BYTES, OP_VERSION, OpBody, OpHead, SealedOp, Sha256,
};
use gridwalk_store::OpRow;

/// Why: a word and a sentence.
pub(crate) fn reason(code: &str, text: &dyn std::fmt::Display) -> Reason {
    Reason {
        code: code.to_owned(),
        text: text.to_string(),
    }
}

/// An op whose head could be read.
pub(crate) struct Incoming {
    pub(crate) sha256: Sha256,
    pub(crate) head: OpHead,
    /// Or why it cannot be judged by this version.
    pub(crate) body: Result<OpBody, &'static str>,
    pub(crate) text: String,
}

impl Incoming {
    /// Reads what came; an op whose head cannot be read has its outcome already.
    pub(crate) fn open(op: SealedOp) -> Result<Self, OpOutcome> {
        let checked = if op.body.len() > MAX_BODY_BYTES {
            Err(BadOp::TooLarge(op.body.len()))
        } else if Sha256::of(op.body.as_bytes()) != op.sha256 {
            Err(BadOp::HashMismatch)
        } else {
            Self::read(op.sha256, op.body)
        };
        checked.map_err(|why| OpOutcome {
            op: None,
            sha256: op.sha256,
            outcome: Outcome::Rejected {
                reason: reason(
                    match why {
                        BadOp::HashMismatch => "hash_mismatch",
                        BadOp::TooLarge(_) => "too_large",
                        BadOp::Head { .. } | BadOp::UnknownIntent => "unreadable",
                    },
                    &why,
                ),
            },
        })
    }

    /// Reads what was stored before.
    pub(crate) fn stored(row: &OpRow) -> Result<Self, BadOp> {
        Self::read(row.summary.sha256, row.body.clone())
    }

    fn read(sha256: Sha256, text: String) -> Result<Self, BadOp> {
        let (head, body) = match serde_json::from_str::<OpBody>(&text) {
            Ok(body) => (head_of(&body), Ok(body)),
            Err(_) => {
                let head = serde_json::from_str::<OpHead>(&text).map_err(|why| BadOp::Head {
                    line: why.line(),
                    column: why.column(),
                })?;
                (head, Err("unknown_intent"))
            }
        };
        let body = if head.v > OP_VERSION {
            Err("unknown_version")
        } else {
            body
        };
        Ok(Self {
            sha256,
            head,
            body,
            text,
        })
    }

    /// Whether it makes its entity.
    pub(crate) fn creates(&self) -> bool {
        let intent = self.body.as_ref().map(|body| &body.intent);
        matches!(intent, Ok(Intent::Create { .. }))
    }
}

fn head_of(body: &OpBody) -> OpHead {
    OpHead {
        v: body.v,
        id: body.id,
        tenant: body.tenant,
        entity: body.entity,
        kind: body.kind.clone(),
        by: body.by,
        prev: body.prev,
        needs: body.needs.clone(),
        at: body.at,
    }
}
