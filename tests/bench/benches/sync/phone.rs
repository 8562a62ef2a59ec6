//! A phone that makes the wire's ops and chunks, and keeps nothing.

use anyhow::{Result, ensure};
use gridwalk_domain::wire::tracks::{CONTENT_TYPE, NamedChunk, encode};
use gridwalk_domain::wire::{EnrolRequest, EnrolResponse, PushRequest, PushResponse};
use gridwalk_domain::{
    Author, BootId, Change, DeviceId, EntityId, GridId, Intent, Moment, OP_VERSION, OpBody, OpId,
    Rng, SealedOp, StreamKey, TenantId, WorkerId,
};
use gridwalk_system::SystemRng;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::line::{Line, Sealed, post};

/// Ops of one push.
pub(crate) const BATCH: usize = 200;
/// Edits of one incident: as many as people make.
pub(crate) const EDITS: usize = 9;

pub(crate) struct Phone {
    pub(crate) grid: GridId,
    pub(crate) token: String,
    device: DeviceId,
    worker: WorkerId,
    tenant: TenantId,
    boot: BootId,
    rng: Arc<SystemRng>,
    now_ms: i64,
    /// The last op of each lane.
    lanes: BTreeMap<EntityId, OpId>,
}

impl Phone {
    pub(crate) fn enrol(
        line: &mut Line,
        code: &str,
        grid: GridId,
        rng: &Arc<SystemRng>,
        now_ms: i64,
    ) -> Result<Self> {
        let draw: &dyn Rng = &**rng;
        let device = DeviceId::draw(draw);
        let token = hex::encode(draw.bytes::<32>());
        let request = EnrolRequest {
            v: 1,
            code: code.into(),
            device,
            token: token.clone(),
            send_token: hex::encode(draw.bytes::<32>()),
            platform: "bench".into(),
            worker: None,
        };
        let body = serde_json::to_vec(&request)?;
        let answer = line.send(&post("/v1/enrol", "", "application/json", &body))?;
        let answer: EnrolResponse = serde_json::from_slice(&answer)?;
        Ok(Self {
            grid,
            token,
            device,
            worker: answer.worker.id,
            tenant: answer.tenant,
            boot: BootId::draw(draw),
            rng: Arc::clone(rng),
            now_ms,
            lanes: BTreeMap::new(),
        })
    }

    fn op(&mut self, kind: &str, entity: EntityId, intent: Intent, needs: Vec<OpId>) -> OpBody {
        let id = OpId::draw(self.now_ms, &*self.rng);
        OpBody {
            v: OP_VERSION,
            id,
            tenant: self.tenant,
            entity,
            kind: kind.into(),
            by: Author::Worker {
                worker: self.worker,
                device: self.device,
            },
            prev: self.lanes.insert(entity, id),
            needs,
            at: Moment {
                wall_ms: self.now_ms,
                boot: self.boot,
                mono_ms: 3_600_000,
            },
            nonce: OpBody::draw_nonce(&*self.rng),
            intent,
        }
    }

    fn create(&mut self, kind: &str, fields: Value, needs: Vec<OpId>) -> Result<OpBody> {
        let entity = EntityId::draw(&*self.rng);
        let (home, fields) = (
            StreamKey::Records(self.grid),
            serde_json::from_value(fields)?,
        );
        Ok(self.op(kind, entity, Intent::Create { home, fields }, needs))
    }

    /// Reports [`BATCH`] incidents; who they are, and the request.
    pub(crate) fn report(&mut self) -> Result<(Vec<EntityId>, Sealed)> {
        let mut ops = Vec::with_capacity(BATCH);
        for n in 0..BATCH {
            let fields = json!({
                "grid": self.grid, "catalogue": 1, "category": "fire_safety", "form.premises": "dwelling",
                "title": format!("第{n}件：楼道堆放杂物，占用疏散通道"),
                "place": {"lat": 35.052, "lon": 118.302, "accuracy_m": 8.0},
            });
            ops.push(self.create("incident", fields, vec![])?);
        }
        let who = ops.iter().map(|op| op.entity).collect();
        Ok((who, self.push(&ops)?))
    }

    /// An edit of each of these incidents: an op of some 400 bytes each.
    pub(crate) fn edit(&mut self, incidents: &[EntityId], round: usize) -> Result<Sealed> {
        let ops: Vec<OpBody> = incidents
            .iter()
            .map(|entity| {
                let change = Change {
                    value: json!(format!("第{round}次更正：楼道堆放杂物")),
                    base: self.lanes.get(entity).copied(),
                };
                let set = Intent::Set([("title".to_owned(), change)].into());
                self.op("incident", *entity, set, vec![])
            })
            .collect();
        self.push(&ops)
    }

    /// A shift and a patrol; the patrol, and the request.
    pub(crate) fn patrol(&mut self) -> Result<(EntityId, Sealed)> {
        let fields = json!({"worker": self.worker, "grid": self.grid});
        let shift = self.create("shift", fields, vec![])?;
        let fields = json!({"worker": self.worker, "grid": self.grid, "shift": shift.entity});
        let patrol = self.create("patrol", fields, vec![shift.id])?;
        let id = patrol.entity;
        Ok((id, self.push(&[shift, patrol])?))
    }

    pub(crate) fn tracks(&self, chunks: &[NamedChunk]) -> Sealed {
        post("/v1/tracks", &self.token, CONTENT_TYPE, &encode(chunks))
    }

    fn push(&self, ops: &[OpBody]) -> Result<Sealed> {
        let sealed: Result<Vec<SealedOp>, _> = ops.iter().map(OpBody::seal).collect();
        let request = PushRequest { v: 1, ops: sealed? };
        Ok(self.json("/v1/push", &serde_json::to_vec(&request)?))
    }

    pub(crate) fn json(&self, path: &str, body: &[u8]) -> Sealed {
        post(path, &self.token, "application/json", body)
    }
}

/// Every op of a push was taken; to be asked of some answers, beside the clock.
pub(crate) fn all_taken(answer: &[u8]) -> Result<()> {
    use gridwalk_domain::wire::Outcome::{Applied, ConflictKept};
    let answer: PushResponse = serde_json::from_slice(answer)?;
    for outcome in &answer.outcomes {
        let taken = matches!(outcome.outcome, Applied { .. } | ConflictKept { .. });
        ensure!(taken, "{:?}", outcome.outcome);
    }
    Ok(())
}
