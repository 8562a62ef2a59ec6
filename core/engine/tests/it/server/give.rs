//! What the server gives: how things stand, what it holds, what changed.

use super::*;

impl FakeServer {
    pub(super) fn hello(
        &self,
        state: &mut State,
        asking: Asking,
        request: HelloRequest,
    ) -> HelloResponse {
        let grids = match asking.standing {
            Standing::Active => state.assigned.get(&asking.worker).cloned(),
            _ => None,
        };
        let grids = grids.unwrap_or_default();
        let mut streams: Vec<StreamKey> = grids
            .iter()
            .map(|grid| StreamKey::Records(grid.id))
            .collect();
        if state.inboxes {
            streams.extend(grids.iter().map(|grid| StreamKey::Notices(grid.id)));
            streams.push(StreamKey::Notices(COMMUNITY));
            streams.push(StreamKey::Inbox(asking.worker));
        }
        let place = streams
            .iter()
            .chain([&StreamKey::Receipts(asking.device)])
            .filter_map(|key| Some((*key, state.end(*key)?)))
            .collect();
        let scope = Scope {
            worker: self.named(asking.worker),
            grids,
            streams,
            catalogue: state.catalogue.clone().unwrap_or_else(Catalogue::shipped),
            older_catalogues: state.older_catalogues.clone(),
            calendar: Some(Calendar::shipped()),
            utc_offset_min: 480,
        };
        let scope_tag = Sha256::of(&serde_json::to_vec(&scope).expect("writes"));
        let answer = HelloResponse {
            min_v: state.min_v,
            max_v: 2,
            server_ms: request.at.wall_ms + state.ahead_ms,
            epoch: state.epoch(),
            server: state.version.clone(),
            standing: asking.standing,
            watermark: state.watermark.get(&asking.device).copied().unwrap_or(0),
            news: request.place != Some(place_of(&place)),
            scope_tag,
            scope: (request.scope_tag != Some(scope_tag)).then_some(scope),
            limits: Limits {
                push_ops: 20,
                ..Limits::default()
            },
        };
        state.hellos.push(request);
        answer
    }

    pub(super) fn pull(
        &self,
        state: &mut State,
        asking: Asking,
        request: &PullRequest,
    ) -> Response {
        if state.min_v > request.v {
            return error(426, "version");
        }
        if asking.standing != Standing::Active && !request.streams.is_empty() {
            return error(403, "send_only");
        }
        let receipts = state.receipt_page(asking.device, request.receipts);
        let streams = request
            .streams
            .iter()
            .map(|(key, asked)| (*key, state.stream_page(*key, *asked)))
            .collect();
        json(&PullResponse { receipts, streams })
    }
}

impl State {
    fn good(&self, stream: StreamKey, cursor: &Cursor) -> bool {
        cursor.epoch == self.epoch() && self.tag(stream, cursor.seq) == Some(cursor.tag)
    }

    fn receipt_page(&self, device: DeviceId, asked: Option<Cursor>) -> ReceiptPage {
        let key = StreamKey::Receipts(device);
        let after = asked
            .filter(|cursor| self.good(key, cursor))
            .map_or(0, |cursor| cursor.seq);
        let all = self.receipts.get(&device).map_or(&[][..], Vec::as_slice);
        let from = usize::try_from(after).expect("small");
        let items: Vec<Receipt> = (after + 1..)
            .zip(&all[from..])
            .take(self.page)
            .map(|(n, of)| Receipt { n, of: of.clone() })
            .collect();
        let to = after + items.len() as u64;
        ReceiptPage {
            more: to < all.len() as u64,
            cursor: self.cursor(key, to),
            items,
        }
    }

    fn stream_page(&self, key: StreamKey, asked: Option<Cursor>) -> StreamPage {
        let known = asked.filter(|cursor| self.good(key, cursor));
        let after = known.map_or(0, |cursor| cursor.seq);
        let listed = || {
            self.entities
                .iter()
                .filter(move |(_, listed)| listed.home == key)
        };
        let mut changed: Vec<_> = listed().filter(|(_, listed)| listed.seq > after).collect();
        changed.sort_by_key(|(_, listed)| listed.seq);
        let more = changed.len() > self.page;
        changed.truncate(self.page);
        let last = changed.last().map_or(after, |(_, listed)| listed.seq);
        let mut hash = StreamDigest::default();
        listed().for_each(|(id, listed)| hash.add(*id, listed.rev));
        let count = listed().count() as u64 + u64::from(self.lie_about_count);
        let entities = changed.into_iter().map(|(id, listed)| Revised {
            id: *id,
            seq: listed.seq,
            rev: listed.rev,
            state: listed.state.clone(),
        });
        StreamPage {
            entities: entities.collect(),
            cursor: match more {
                true => self.cursor(key, last),
                false => self.end(key),
            },
            more,
            reset: asked.is_some() && known.is_none(),
            end: (!more).then_some(StreamEnd { count, hash }),
        }
    }

    /// An attachment by range, where a record shows it.
    pub(super) fn attachment(&mut self, request: &Request) -> Response {
        let sha256 = request.path.strip_prefix("/v1/blobs/").expect("a path");
        let sha256: Sha256 = sha256.parse().expect("a hash");
        let shown = self.states().any(|state| state.blobs().contains(&sha256));
        let Some(bytes) = self.blobs.get(&sha256).filter(|_| shown).cloned() else {
            return error(404, "not_found");
        };
        let range = request
            .header("range")
            .and_then(|range| range.strip_prefix("bytes="));
        let Some((from, to)) = range.and_then(|range| range.split_once('-')) else {
            panic!("a range is asked for");
        };
        if self.no_ranges {
            return Response {
                body: bytes,
                ..status(200, &[])
            };
        }
        let [from, to]: [usize; 2] = [from, to].map(|n| n.parse().expect("a number"));
        let range = format!("bytes {from}-{to}/{}", bytes.len());
        self.given += to + 1 - from;
        Response {
            body: bytes[from..=to].to_vec(),
            ..status(206, &[("content-range", range)])
        }
    }

    pub(super) fn have(&mut self, request: HaveRequest) -> Response {
        let ops = request.ops.iter().map(|asked| {
            let (sealed, outcome) = self.ops.get(&asked.id)?;
            let entity = sealed.head().expect("an op").entity;
            let outcome = match self.purged_entities.contains(&entity) {
                true => Outcome::Purged,
                false => outcome.clone(),
            };
            (sealed.sha256 == asked.sha256).then_some(outcome)
        });
        let chunks = request
            .chunks
            .iter()
            .map(|name| self.chunks.get(name).map(|_| TrackOutcome::Stored));
        let blobs = request.blobs.iter().map(|sha256| {
            let held = self.blobs.get(sha256).map(|_| BlobState::Whole);
            held.or(self.purged.get(sha256).map(|_| BlobState::Purged))
        });
        let answer = json(&HaveResponse {
            ops: ops.collect(),
            chunks: chunks.collect(),
            blobs: blobs.collect(),
        });
        self.haves.push(request);
        answer
    }
}
