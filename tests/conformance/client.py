"""A client of the protocol, written from docs/protocol.md and nothing else.

It shares no code with ours: the standard library, plain JSON, no compression.
"""

import base64
import dataclasses
import hashlib
import http.client
import json
import re
import secrets
import struct
import time
import urllib.parse
import uuid


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def new_id() -> str:
    return str(uuid.uuid4())


def new_op_id() -> str:
    """UUID version 7: 48 bits of time, then chance."""
    bits = now_ms() << 80 | 7 << 76 | secrets.randbits(12) << 64 | 0b10 << 62 | secrets.randbits(62)
    return str(uuid.UUID(int=bits))


@dataclasses.dataclass
class Answer:
    status: int
    headers: dict
    body: bytes

    def json(self):
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The stable word of an error."""
        return self.json()["error"]["code"]


@dataclasses.dataclass
class Op:
    """An op as it is sent: the body's exact bytes, and their hash."""

    id: str
    body: str

    @property
    def sha256(self) -> str:
        return sha256(self.body.encode())

    def sealed(self) -> dict:
        return {"sha256": self.sha256, "body": self.body}

    def ref(self) -> dict:
        return {"id": self.id, "sha256": self.sha256}


class Phone:
    """One phone: identity, clocks, lanes, cursors."""

    def __init__(self, invitation: str):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(invitation).query)
        self.server = query["server"][0]
        self.code = query["code"][0]
        self.device = new_id()
        self.token = secrets.token_hex(32)
        self.send_token = secrets.token_hex(32)
        self.boot = new_id()
        self.started = time.monotonic_ns()
        self.receipt = None
        self.lanes = {}
        self.tenant = None
        self.worker = None
        self.scope = None
        self.epoch = None

    # The line.

    def ask(self, method: str, path: str, body: bytes = b"", headers: dict = None, token: str = None) -> Answer:
        where = urllib.parse.urlsplit(self.server)
        line = http.client.HTTPConnection(where.hostname, where.port, timeout=60)
        headers = {"Content-Type": "application/json", **(headers or {})}
        if token is None:
            token = self.token if self.tenant else ""
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if self.receipt and "Gridwalk-Receipt" not in headers:
            headers["Gridwalk-Receipt"] = "{epoch}/{seq}/{tag}".format(**self.receipt)
        try:
            line.request(method, path, body, headers)
            response = line.getresponse()
            answer = Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        finally:
            line.close()
        if self.tenant and answer.status == 200 and answer.headers.get("content-type", "").startswith("application/json"):
            self.receipt = answer.json().get("receipt") or self.receipt
        return answer

    def post(self, call: str, message: dict, **more) -> Answer:
        return self.ask("POST", f"/v1/{call}", json.dumps(message).encode(), **more)

    def ok(self, call: str, message: dict, **more):
        answer = self.post(call, message, **more)
        if answer.status != 200:
            raise AssertionError(f"{call}: {answer.status} {answer.body!r}")
        return answer.json()

    # The calls.

    def enrol(self, **changes) -> Answer:
        message = {
            "v": 1,
            "code": self.code,
            "device": self.device,
            "token": self.token,
            "send_token": self.send_token,
            "platform": "conformance",
            **changes,
        }
        answer = self.post("enrol", message, token="")
        if answer.status == 200:
            self.tenant = answer.json()["tenant"]
            self.worker = answer.json()["worker"]["id"]
        return answer

    def at(self) -> dict:
        mono_ms = (time.monotonic_ns() - self.started) // 1_000_000
        return {"wall_ms": now_ms(), "boot": self.boot, "mono_ms": mono_ms}

    def hello(self, **changes) -> dict:
        at = self.at()
        reading = {"wall_ms": at["wall_ms"], "mono_ms": at["mono_ms"]}
        token = changes.pop("token", None)
        message = {
            "v": 1,
            "app": "0.0.0",
            "at": at,
            "unsent": NOTHING,
            "scope_tag": None,
            "place": None,
            "boots": [{"boot": self.boot, "first": reading, "last": reading}],
            **changes,
        }
        answer = self.ok("hello", message, token=token)
        self.epoch = answer["epoch"]
        self.scope = answer.get("scope", self.scope)
        return answer

    def push(self, *ops: Op) -> list:
        return self.ok("push", {"v": 1, "ops": [op.sealed() for op in ops]})["outcomes"]

    def pull(self, streams: dict = None, receipts: dict = None) -> dict:
        streams = {key: None for key in self.scope["streams"]} if streams is None else streams
        return self.ok("pull", {"v": 1, "receipts": receipts, "streams": streams, "unsent": NOTHING})

    def pull_all(self, stream: str) -> dict:
        """A stream from its start: its entities by id, and its end."""
        cursor, entities = None, {}
        while True:
            page = self.pull({stream: cursor})["streams"][stream]
            entities.update({entity["id"]: entity for entity in page["entities"]})
            cursor = page["cursor"]
            if not page["more"]:
                return {"entities": entities, "cursor": cursor, "end": page["end"]}

    # Ops.

    @property
    def grid(self) -> str:
        return self.scope["grids"][0]["id"]

    @property
    def records(self) -> str:
        return f"grid/{self.grid}/records"

    def op(self, entity: str, kind: str, do: dict, **changes) -> Op:
        op_id = new_op_id()
        body = {
            "v": 1,
            "id": op_id,
            "tenant": self.tenant,
            "entity": entity,
            "kind": kind,
            "by": {"worker": self.worker, "device": self.device},
            "prev": self.lanes.get(entity),
            "at": self.at(),
            "nonce": secrets.token_hex(8),
            "do": do,
            **changes,
        }
        self.lanes[entity] = body["id"]
        return Op(body["id"], json.dumps(body, ensure_ascii=False))

    def incident(self, title: str = "楼道堆放杂物", entity: str = None, **changes) -> tuple:
        """The op that makes an incident, and the incident's id."""
        entity = entity or new_id()
        fields = {
            "catalogue": self.scope["catalogue"]["version"],
            "category": "fire_safety",
            "form.premises": "dwelling",
            "grid": self.grid,
            "title": title,
            "address": "兰山路 1 号院 3 号楼",
        }
        return self.op(entity, "incident", {"create": {"home": self.records, "fields": fields}}, **changes), entity

    def set(self, entity: str, base: str, field: str = "title", value="三楼楼道堆放杂物", **changes) -> Op:
        return self.op(entity, "incident", {"set": {field: {"value": value, "base": base}}}, **changes)

    def shift(self) -> tuple:
        entity = new_id()
        fields = {"worker": self.worker, "grid": self.grid}
        return self.op(entity, "shift", {"create": {"home": self.records, "fields": fields}}), entity

    def patrol(self, shift: str) -> tuple:
        entity = new_id()
        fields = {"worker": self.worker, "grid": self.grid, "shift": shift}
        create = {"create": {"home": self.records, "fields": fields}}
        return self.op(entity, "patrol", create, needs=[self.lanes[shift]]), entity

    # Tracks and attachments.

    def tracks(self, *chunks: tuple) -> Answer:
        """Chunks (patrol, run, first, count, body), each in a group of its own."""
        block = b"GWT1"
        for patrol, run, first, count, body in chunks:
            block += uuid.UUID(patrol).bytes + struct.pack(">Q", run) + varint(1)
            block += varint(first) + varint(count) + varint(len(body)) + body
        return self.ask("POST", "/v1/tracks", block, {"Content-Type": "application/vnd.gridwalk.tracks"})

    def tus(self, method: str, path: str, body: bytes = b"", **headers) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.ask(method, path, body, {"Tus-Resumable": "1.0.0", **named})

    def create_upload(self, content: bytes) -> Answer:
        hash64 = base64.b64encode(sha256(content).encode()).decode()
        return self.tus("POST", "/v1/blobs", Upload_Length=str(len(content)), Upload_Metadata=f"sha256 {hash64}")

    def patch(self, path: str, offset: int, piece: bytes, **more) -> Answer:
        kind = "application/offset+octet-stream"
        return self.tus("PATCH", path, piece, Content_Type=kind, Upload_Offset=str(offset), **more)


NOTHING = {"ops": 0, "chunks": 0, "blobs": 0, "oldest_ms": None}


def varint(number: int) -> bytes:
    """LEB128."""
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def digest(entities: dict) -> dict:
    """The end of a stream that lists these entities."""
    total = sum(
        int.from_bytes(hashlib.sha256(uuid.UUID(id).bytes + struct.pack(">Q", entity["rev"])).digest(), "big")
        for id, entity in entities.items()
    )
    return {"count": len(entities), "hash": f"{total % 2**256:064x}"}


def place(cursors: dict) -> str:
    """Where a phone stands, in one hash."""
    lines = [f"{stream} {c['epoch']}/{c['seq']}/{c['tag']}\n" for stream, c in cursors.items() if c]
    return sha256("".join(sorted(lines)).encode())
