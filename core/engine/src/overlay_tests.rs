//! For random histories: what the phone shows is what the server will have.

use super::*;
use crate::core::begin;
use crate::gate::Gate;
use crate::identity::{Me, Synced};
use crate::outbox::{self, Pen, Word};
use crate::pull::{self, Raw};
use crate::timeline::{self, Asked, TimeLine};
use gridwalk_domain::wire::{
    BlobState, Cursor, HaveResponse, Outcome, Reason, Revised, StreamPage, WorkerRef,
};
use gridwalk_domain::{
    Author, BootId, Catalogue, Change, DeviceId, Effect, Epoch, GridId, Intent, Moment, OP_VERSION,
    OpBody, Rng, SealedOp, StreamKey, TenantId, UserId, WorkerId, apply_decided,
};
use proptest::prelude::*;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

const HOME: StreamKey = StreamKey::Records(GridId::from_bytes([1; 16]));
const ABOVE: GridId = GridId::from_bytes([9; 16]);
const RECORDS: [EntityId; 2] = [EntityId::from_bytes([7; 16]), EntityId::from_bytes([8; 16])];
const FAR: i64 = i64::MAX / 2;

struct Count(AtomicU64);
impl Rng for Count {
    fn fill(&self, out: &mut [u8]) {
        for chunk in out.chunks_mut(8) {
            let n = self.0.fetch_add(1, Ordering::Relaxed) + 1;
            let bytes = n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes();
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
    }
}

/// One change of a record.
#[derive(Clone, Copy, Debug)]
enum Edit {
    Create,
    Title(u8),
    Comment(u8),
    Tag(u8),
    Untag,
    Escalate,
    Resolve(u8),
    Delete,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    /// On the phone.
    Own(usize, Edit),
    /// By somebody else; `stale`: without having seen the last change.
    Other(usize, Edit, bool),
    /// So many ops are pushed; the answer may be lost on the way.
    Push(usize, bool),
    Pull,
    /// The server keeps a copy of how it stands.
    BackUp,
    /// It goes back to that; then the phone asks for what it doubts, or dies
    /// before that.
    Restore(bool),
    /// What is in quarantine is accepted.
    Accept,
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        2 => Just(Edit::Create),
        4 => any::<u8>().prop_map(Edit::Title),
        2 => any::<u8>().prop_map(Edit::Comment),
        1 => any::<u8>().prop_map(Edit::Tag),
        1 => Just(Edit::Untag),
        1 => Just(Edit::Escalate),
        2 => any::<u8>().prop_map(Edit::Resolve),
        1 => Just(Edit::Delete),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0_usize..2, edit()).prop_map(|(at, edit)| Step::Own(at, edit)),
        4 => (0_usize..2, edit(), any::<bool>()).prop_map(|(at, edit, stale)| Step::Other(at, edit, stale)),
        4 => (1_usize..6, any::<bool>()).prop_map(|(count, lost)| Step::Push(count, lost)),
        4 => Just(Step::Pull),
        1 => Just(Step::BackUp),
        1 => any::<bool>().prop_map(Step::Restore),
        1 => Just(Step::Accept),
    ]
}

/// The intent of an edit, as somebody makes it who sees `state`.
fn intent(edit: Edit, state: Option<&Entity>, seen: &dyn Fn(OpId) -> OpId) -> Option<Intent> {
    let title = |n: u8| json!(format!("题{}", n % 5));
    if let Edit::Create = edit {
        let fields = [
            ("grid", json!(GridId::from_bytes([1; 16]))),
            ("title", json!("新")),
            ("category", json!("other")),
            ("catalogue", json!(1)),
            ("address", json!("三单元")),
        ];
        let fields = fields.map(|(name, value)| (name.to_owned(), value)).into();
        return state
            .is_none()
            .then_some(Intent::Create { home: HOME, fields });
    }
    let state = state?;
    Some(match edit {
        Edit::Create => return None,
        Edit::Title(n) => {
            let base = state.base("title").map(seen);
            let change = Change {
                value: title(n),
                base,
            };
            Intent::Set([("title".to_owned(), change)].into())
        }
        Edit::Comment(n) => Intent::Append {
            list: "comments".to_owned(),
            value: json!({ "text": n.to_string() }),
        },
        Edit::Tag(n) => Intent::Add {
            set: "tags".to_owned(),
            value: json!(format!("签{}", n % 3)),
        },
        Edit::Untag => Intent::Remove {
            set: "tags".to_owned(),
            ids: vec![state.sets.get("tags")?.items.first()?.stamp.op],
        },
        Edit::Escalate => Intent::Transition {
            from: state.status()?.to_owned(),
            to: "escalated".to_owned(),
            base: seen(state.history.last()?.stamp.op),
            reason: Some("需要".to_owned()),
            with: serde_json::Map::from_iter([("holder".to_owned(), json!(ABOVE))]),
        },
        Edit::Resolve(n) => Intent::Resolve {
            field: "title".to_owned(),
            value: title(n),
            base: state.base("title").map(seen),
            replaces: state.fields["title"]
                .proposals
                .iter()
                .map(|kept| kept.stamp.op)
                .collect(),
        },
        Edit::Delete => Intent::Delete {
            base: seen(*state.ops.last()?),
        },
    })
}

#[derive(Clone, Default)]
struct Server {
    states: BTreeMap<EntityId, (Entity, u64)>,
    ops: BTreeMap<OpId, (SealedOp, Outcome)>,
    /// Who changed last, by number.
    log: Vec<EntityId>,
    epoch: u8,
}

impl Server {
    fn epoch(&self) -> Epoch {
        Epoch::from_bytes([self.epoch; 16])
    }

    fn state(&self, id: EntityId) -> Option<&Entity> {
        self.states.get(&id).map(|(state, _)| state)
    }

    fn take(&mut self, sealed: &SealedOp) -> Outcome {
        let op = sealed.open().expect("an op");
        if let Some((_, first)) = self.ops.get(&op.id) {
            let first = Box::new(first.clone());
            return Outcome::Duplicate { first };
        }
        if let Some(prev) = op.prev.filter(|prev| !self.ops.contains_key(prev)) {
            return Outcome::Deferred {
                missing: vec![prev],
            };
        }
        let barred = op
            .prev
            .is_some_and(|prev| matches!(self.ops[&prev].1, Outcome::Quarantined { .. }));
        let outcome = match barred {
            true => quarantined(),
            false => self.apply(&op, apply),
        };
        self.ops.insert(op.id, (sealed.clone(), outcome.clone()));
        outcome
    }

    fn apply(
        &mut self,
        op: &OpBody,
        apply: fn(&mut Option<Entity>, &OpBody, i64) -> Result<Effect, gridwalk_domain::Refusal>,
    ) -> Outcome {
        let mut state = self.state(op.entity).cloned();
        let rev = self.states.get(&op.entity).map_or(0, |(_, rev)| *rev);
        match apply(&mut state, op, op.at.wall_ms) {
            Err(gridwalk_domain::Refusal::UnknownBase | gridwalk_domain::Refusal::Missing) => {
                quarantined()
            }
            Err(refusal) => Outcome::Rejected {
                reason: Reason {
                    code: refusal.code().to_owned(),
                    text: String::new(),
                },
            },
            Ok(_) => {
                self.states
                    .insert(op.entity, (state.expect("applied"), rev + 1));
                self.log.push(op.entity);
                Outcome::Applied {
                    stream: HOME,
                    seq: self.log.len() as u64,
                }
            }
        }
    }
}

fn quarantined() -> Outcome {
    Outcome::Quarantined {
        reason: Reason {
            code: "unknown_base".to_owned(),
            text: String::new(),
        },
    }
}

/// What was synced: one grid, its community, the catalogue that ships.
fn synced(worker: &WorkerRef) -> Synced {
    let scope = json!({
        "worker": worker, "streams": [HOME], "utc_offset_min": 480,
        "catalogue": Catalogue::shipped(),
        "grids": [{"id": GridId::from_bytes([1; 16]), "code": "371302001201003", "parent": ABOVE,
            "level": "base", "name": "一网格", "synthetic": true}],
    });
    Synced {
        tag: gridwalk_domain::Sha256([0; 32]),
        scope: serde_json::from_value(scope).expect("a scope"),
    }
}

struct World {
    conn: Connection,
    me: Me,
    synced: Synced,
    line: TimeLine,
    rng: Count,
    now: Moment,
    server: Server,
    backup: Server,
    epochs: u8,
    /// What the server had when it was last pulled.
    pulled: Server,
    /// Whether a person decided something since.
    decided: bool,
}

impl World {
    fn new() -> Self {
        let conn = crate::store::in_memory();
        conn.execute("INSERT INTO account (n, me, line) VALUES (1, '', '')", [])
            .expect("inserts");
        conn.execute("INSERT INTO stream (key) VALUES (?1)", [HOME.to_string()])
            .expect("follows");
        let server = Server {
            epoch: 1,
            ..Server::default()
        };
        let worker = WorkerRef {
            id: WorkerId::from_bytes([3; 16]),
            name: String::new(),
        };
        let mut world = Self {
            conn,
            synced: synced(&worker),
            me: Me {
                account: 1,
                tenant: TenantId::from_bytes([2; 16]),
                worker,
                device: DeviceId::from_bytes([4; 16]),
                token: Some(String::new()),
                send_token: String::new(),
                server: String::new(),
                ca: None,
            },
            line: TimeLine::default(),
            rng: Count(AtomicU64::new(0)),
            now: Moment {
                wall_ms: 1_700_000_000_000,
                boot: BootId::from_bytes([5; 16]),
                mono_ms: 0,
            },
            backup: server.clone(),
            pulled: server.clone(),
            server,
            epochs: 1,
            decided: false,
        };
        world.hello();
        world
    }

    fn shown(&self, id: EntityId) -> Option<Entity> {
        load(&self.conn, 1, id).expect("reads")
    }

    fn word(&self) -> Word {
        Word {
            account: 1,
            epoch: self.server.epoch(),
            lifetime_ms: 0,
        }
    }

    fn own(&mut self, id: EntityId, edit: Edit) {
        let Some(intent) = intent(edit, self.shown(id).as_ref(), &|op| op) else {
            return;
        };
        let pen = Pen {
            me: &self.me,
            at: self.now,
            rng: &self.rng,
            gate: Gate::new(&self.me, Some(&self.synced)),
        };
        let tx = begin(&mut self.conn).expect("begins");
        // What the phone itself refuses is not written.
        if pen.write(&tx, id, "incident", vec![], intent).is_ok() {
            tx.commit().expect("commits");
        }
    }

    fn other(&mut self, id: EntityId, edit: Edit, stale: bool) {
        let state = self.server.state(id).cloned();
        let first = state.as_ref().map(|state| state.ops[0]);
        let seen = |op| first.filter(|_| stale).unwrap_or(op);
        let Some(intent) = intent(edit, state.as_ref(), &seen) else {
            return;
        };
        let body = OpBody {
            v: OP_VERSION,
            id: OpId::draw(0, &self.rng),
            tenant: self.me.tenant,
            entity: id,
            kind: "incident".to_owned(),
            by: Author::User {
                user: UserId::from_bytes([9; 16]),
            },
            prev: None,
            needs: vec![],
            at: self.now,
            nonce: String::new(),
            intent,
        };
        self.server.take(&body.seal().expect("seals"));
    }

    fn push(&mut self, count: usize, lost: bool) -> usize {
        let due = outbox::due(&self.conn, 1, FAR, 0, count, usize::MAX).expect("reads");
        let outcomes: Vec<_> = due.iter().map(|op| self.server.take(&op.sealed)).collect();
        if !lost {
            let word = self.word();
            let tx = begin(&mut self.conn).expect("begins");
            for (op, outcome) in due.iter().zip(&outcomes) {
                outbox::settle(&tx, &word, op.id, op.sealed.sha256, outcome).expect("settles");
            }
            tx.commit().expect("commits");
        }
        due.len()
    }

    fn pull(&mut self) {
        self.have();
        let after = pull::cursor(&self.conn, HOME).expect("reads");
        let from = after.map_or(0, |cursor| usize::try_from(cursor.seq).expect("small"));
        let changed: std::collections::BTreeSet<_> = self.server.log[from..].iter().collect();
        let entities = changed.into_iter().map(|id| {
            let (state, rev) = &self.server.states[id];
            Revised {
                id: *id,
                seq: 0,
                rev: *rev,
                state: Some(serde_json::value::to_raw_value(state).expect("writes")),
            }
        });
        let page: StreamPage<Raw> = StreamPage {
            entities: entities.collect(),
            cursor: Some(Cursor {
                epoch: self.server.epoch(),
                seq: self.server.log.len() as u64,
                tag: 0,
            }),
            more: false,
            reset: false,
            end: None,
        };
        let epoch = self.server.epoch();
        let tx = begin(&mut self.conn).expect("begins");
        pull::keep_page(&tx, HOME, &page, epoch, 0).expect("keeps");
        tx.commit().expect("commits");
        self.pulled = self.server.clone();
        self.decided = false;
    }

    fn hello(&mut self) {
        let tx = begin(&mut self.conn).expect("begins");
        let epoch = self.server.epoch();
        timeline::begin(&tx, &self.me, &mut self.line, epoch, 0).expect("begins");
        tx.commit().expect("commits");
    }

    fn have(&mut self) {
        let word = self.word();
        let doubts = timeline::doubts(&self.conn, 1, Asked::default(), 500).expect("reads");
        let Some(doubts) = doubts else { return };
        let ops = doubts.request.ops.iter();
        let answer = HaveResponse {
            ops: ops
                .map(|asked| self.server.ops.get(&asked.id).map(|(_, said)| said.clone()))
                .collect(),
            chunks: vec![],
            blobs: Vec::<Option<BlobState>>::new(),
        };
        let tx = begin(&mut self.conn).expect("begins");
        timeline::keep(&tx, &word, &doubts.request, &answer).expect("keeps");
        tx.commit().expect("commits");
    }

    fn accept(&mut self) {
        let waiting: Vec<SealedOp> = self
            .server
            .ops
            .values()
            .filter(|(_, said)| matches!(said, Outcome::Quarantined { .. }))
            .map(|(op, _)| op.clone())
            .collect();
        for sealed in waiting {
            self.decided = true;
            let op = sealed.open().expect("an op");
            let outcome = self.server.apply(&op, apply_decided);
            self.server
                .ops
                .insert(op.id, (sealed.clone(), outcome.clone()));
            let word = self.word();
            let tx = begin(&mut self.conn).expect("begins");
            outbox::settle(&tx, &word, op.id, sealed.sha256, &outcome).expect("settles");
            tx.commit().expect("commits");
        }
    }

    fn step(&mut self, step: Step) {
        self.now.wall_ms += 1_000;
        self.now.mono_ms += 1_000;
        match step {
            Step::Own(at, edit) => self.own(RECORDS[at], edit),
            Step::Other(at, edit, stale) => self.other(RECORDS[at], edit, stale),
            Step::Push(count, lost) => {
                self.have();
                self.push(count, lost);
            }
            Step::Pull => self.pull(),
            Step::BackUp => self.backup = self.server.clone(),
            Step::Restore(asks) => {
                self.epochs += 1;
                self.server = Server {
                    epoch: self.epochs,
                    ..self.backup.clone()
                };
                self.hello();
                if asks {
                    self.have();
                }
            }
            Step::Accept => self.accept(),
        }
    }

    /// What the index of incidents has.
    fn found(&self) -> Vec<(EntityId, String, String)> {
        let mut query = self
            .conn
            .prepare("SELECT entity, status, text FROM found ORDER BY entity")
            .expect("reads");
        let rows = query.query_map([], |row| {
            let id = EntityId::from_bytes(row.get(0)?);
            Ok((id, row.get(1)?, row.get(2)?))
        });
        let rows: Result<_, _> = rows.expect("reads").collect();
        rows.expect("reads")
    }

    /// What it must have.
    fn found_by_a_scan(&self) -> Vec<(EntityId, String, String)> {
        let ids = ids(&self.conn, 1, "incident").expect("reads").into_iter();
        let shown = ids.filter_map(|id| shown(&self.conn, 1, id).expect("reads"));
        let mut out: Vec<_> = shown
            .filter(|entity| entity.deleted.is_none())
            .map(|entity| {
                let status = entity.status().unwrap_or_default().to_owned();
                (entity.id, status, crate::index::text(&entity))
            })
            .collect();
        out.sort();
        out
    }

    /// What the server would have, did the phone push all it holds, and did
    /// nobody else do anything.
    fn to_come(&self) -> Server {
        let mut server = self.server.clone();
        for op in outbox::due(&self.conn, 1, FAR, 0, usize::MAX, usize::MAX).expect("reads") {
            server.take(&op.sealed);
        }
        server
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn what_is_shown_is_what_the_server_will_have(steps in proptest::collection::vec(step(), 1..50)) {
        let mut world = World::new();
        for step in steps {
            world.step(step);
            prop_assert_eq!(world.found(), world.found_by_a_scan());
            let doubted = timeline::doubted(&world.conn, 1).expect("reads") > 0;
            // Where nobody else changed anything since the last pull, nothing is
            // doubted and nothing was refused, the picture is the future.
            let refused: bool = world
                .conn
                .query_row("SELECT EXISTS (SELECT 1 FROM op WHERE state NOT IN ('ready', 'taken'))", [], |row| row.get(0))
                .expect("reads");
            let to_come = world.to_come();
            let will_refuse = to_come.ops.values().any(|(_, said)| !matches!(said, Outcome::Applied { .. }));
            for id in RECORDS {
                let only_own = world.pulled.epoch == world.server.epoch
                    && world.server.state(id).is_none_or(|state| {
                        let known = world.pulled.state(id).map_or(&[][..], |state| &state.ops);
                        state.ops.iter().filter(|op| !known.contains(op)).all(|op| {
                            matches!(world.server.ops[op].0.open().expect("an op").by, Author::Worker { .. })
                        })
                    });
                if only_own && !world.decided && !doubted && !refused && !will_refuse {
                    let shown = world.shown(id);
                    prop_assert_eq!(shown.as_ref(), to_come.state(id));
                }
            }
        }
        // Calm: all is pushed and pulled. What the phone shows is the server's.
        world.have();
        for _ in 0..200 {
            if world.push(5, false) == 0 {
                break;
            }
        }
        world.pull();
        for id in RECORDS {
            let shown = world.shown(id);
            if let Some(state) = world.server.state(id) {
                prop_assert_eq!(shown.as_ref(), Some(state));
            } else if let Some(shown) = shown {
                // Refused from the start: shown as this phone made it.
                let refused = world.server.ops.get(&shown.ops[0]).map(|(_, said)| said);
                let refused = matches!(refused, Some(Outcome::Rejected { .. } | Outcome::Quarantined { .. }));
                prop_assert!(refused, "shown and unknown to the server");
            }
        }
        let waiting: i64 = world
            .conn
            .query_row("SELECT count(*) FROM op WHERE state = 'ready'", [], |row| row.get(0))
            .expect("counts");
        prop_assert_eq!(waiting, 0);
    }
}
