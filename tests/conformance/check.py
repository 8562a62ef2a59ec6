"""What docs/protocol.md promises, asked of a running server over plain HTTP.

Run it with tests/conformance/run. Each test is one sentence of that page.
"""

import base64
import email.utils
import hashlib
import json
import pathlib
import re
import secrets
import sys
import tempfile
import time
import unittest

from client import NOTHING, Op, Phone, digest, new_id, new_op_id, now_ms, place, sha256
from server import GRID, OTHER_GRID, Server

SCRATCH = tempfile.TemporaryDirectory(prefix="gridwalk-conformance-")
HASH = re.compile(r"[0-9a-f]{64}")


SERVER = Server(pathlib.Path(SCRATCH.name) / "server")


class Conformance(unittest.TestCase):
    server = SERVER

    def phone(self, **invitation) -> Phone:
        phone = Phone(self.server.invitation(**invitation))
        self.assertEqual(phone.enrol().status, 200)
        phone.hello()
        return phone

    def outcome(self, phone: Phone, op: Op) -> dict:
        (outcome,) = phone.push(op)
        self.assertEqual((outcome["op"], outcome["sha256"]), (op.id, op.sha256))
        return outcome

    def applied(self, phone: Phone, op: Op) -> dict:
        outcome = self.outcome(phone, op)
        self.assertEqual(outcome["outcome"], "applied", outcome)
        return outcome

    def refused(self, phone: Phone, op: Op, word: str, code: str):
        outcome = self.outcome(phone, op)
        self.assertEqual((outcome["outcome"], outcome["reason"]["code"]), (word, code), outcome)

    def state(self, phone: Phone, entity: str) -> dict:
        return phone.pull_all(phone.records)["entities"][entity]["state"]


class Transport(Conformance):
    def test_every_call_but_enrol_wants_a_token(self):
        stranger = Phone(self.server.invitation())
        for call in ["hello", "push", "pull", "have"]:
            answer = stranger.post(call, {}, token="0" * 64)
            self.assertEqual((answer.status, answer.code), (401, "signed_out"), call)

    def test_an_error_has_a_word_and_a_sentence(self):
        answer = self.phone().post("push", {"v": 1})
        self.assertEqual(answer.status, 400)
        self.assertEqual(set(answer.json()["error"]), {"code", "text"})

    def test_the_wrong_verb_and_the_wrong_address(self):
        phone = self.phone()
        self.assertEqual(phone.ask("GET", "/v1/push").status, 405)
        self.assertEqual(phone.ask("POST", "/v1/nothing").status, 404)

    def test_unknown_fields_are_ignored(self):
        answer = self.phone().ok("push", {"v": 1, "ops": [], "from_the_future": [1, 2, 3]})
        self.assertEqual(answer["outcomes"], [])


class Enrolment(Conformance):
    def test_a_repeated_request_gets_the_same_answer(self):
        phone = Phone(self.server.invitation())
        first, again = phone.enrol(), phone.enrol()
        self.assertEqual((first.status, first.json()), (200, again.json()))

    def test_a_code_works_for_one_device(self):
        invitation = self.server.invitation()
        self.assertEqual(Phone(invitation).enrol().status, 200)
        answer = Phone(invitation).enrol()
        self.assertEqual((answer.status, answer.code), (403, "wrong_code"))

    def test_a_wrong_code(self):
        answer = Phone(self.server.invitation()).enrol(code="AAAA-AAAA-AAAA")
        self.assertEqual((answer.status, answer.code), (403, "wrong_code"))

    def test_a_signed_out_phone_goes_on_as_the_same_device(self):
        phone = self.phone(worker="王")
        op, _ = phone.incident()
        self.applied(phone, op)
        phone.code = Phone(self.server.invitation(worker="王")).code
        phone.token, phone.send_token = secrets.token_hex(32), secrets.token_hex(32)
        self.assertEqual(phone.enrol(worker=phone.worker).status, 200)
        phone.hello()
        self.assertEqual(self.outcome(phone, op)["outcome"], "duplicate")

    def test_a_code_for_somebody_else_changes_nothing(self):
        phone = self.phone()
        old = phone.token
        phone.code = Phone(self.server.invitation()).code
        answer = phone.enrol(worker=phone.worker, token=secrets.token_hex(32))
        self.assertEqual((answer.status, answer.code), (409, "other_worker"))
        phone.token = old
        phone.hello()

    def test_a_new_phone_finds_the_open_records_and_the_old_one_may_only_send(self):
        old = self.phone(worker="李")
        op, incident = old.incident("旧手机上的报告")
        self.applied(old, op)
        new = self.phone(worker="李")
        self.assertEqual(self.state(new, incident)["fields"]["title"]["value"], "旧手机上的报告")
        self.assertEqual(old.hello()["standing"], "send_only")
        edit = old.set(incident, op.id)
        self.assertEqual(self.outcome(old, edit)["outcome"], "applied")
        self.assertEqual(old.hello()["scope"]["streams"], [])


class Hello(Conformance):
    def test_the_scope_is_sent_once(self):
        phone = Phone(self.server.invitation())
        phone.enrol()
        first = phone.hello()
        self.assertIn(phone.records, first["scope"]["streams"])
        self.assertEqual(first["standing"], "active")
        self.assertNotIn("scope", phone.hello(scope_tag=first["scope_tag"]))

    def test_a_boundary_is_closed_rings_of_lon_lat(self):
        ring = self.phone().scope["grids"][0]["boundary"][0][0]
        self.assertEqual(ring[0], ring[-1])
        self.assertTrue(all(-8.7 < lon < -8.5 and 52.6 < lat < 52.7 for lon, lat in ring))

    def test_the_streams_are_records_notices_and_the_inbox(self):
        phone = self.phone()
        kinds = {stream.rsplit("/", 1)[1] for stream in phone.scope["streams"]}
        self.assertEqual(kinds, {"records", "notices", "inbox"})
        self.assertIn(f"worker/{phone.worker}/inbox", phone.scope["streams"])

    def test_a_phone_that_stands_where_the_server_stands_has_nothing_to_pull(self):
        phone = self.phone()
        op, _ = phone.incident()
        self.applied(phone, op)
        pulled = phone.pull()
        cursors = {stream: page["cursor"] for stream, page in pulled["streams"].items()}
        cursors[f"device/{phone.device}/receipts"] = pulled["receipts"]["cursor"]
        self.assertFalse(phone.hello(place=place(cursors))["news"])
        op, _ = phone.incident()
        self.applied(phone, op)
        self.assertTrue(phone.hello(place=place(cursors))["news"])

    def test_the_send_token_sends_and_nothing_else(self):
        phone = self.phone()
        op, incident = phone.incident()
        self.applied(phone, op)
        edit = phone.set(incident, op.id)
        hello = phone.hello(token=phone.send_token)
        self.assertEqual((hello["standing"], hello["scope"]["streams"]), ("send_only", []))
        phone.token = phone.send_token
        self.assertEqual(self.outcome(phone, edit)["outcome"], "applied")
        pulled = phone.ok("pull", {"v": 1, "receipts": None, "streams": {f"grid/{new_id()}/records": None}, "unsent": NOTHING})
        self.assertEqual(pulled["streams"], {})
        self.assertEqual([item["of"] for item in pulled["receipts"]["items"]], ["op", "op"])


class Push(Conformance):
    def test_an_op_is_applied_at_a_number_of_its_stream(self):
        phone = self.phone()
        op, _ = phone.incident()
        outcome = self.applied(phone, op)
        self.assertEqual(outcome["stream"], phone.records)
        self.assertGreater(outcome["seq"], 0)

    def test_the_same_op_twice_is_one(self):
        phone = self.phone()
        op, incident = phone.incident()
        first = self.applied(phone, op)
        again = self.outcome(phone, op)
        self.assertEqual(again["outcome"], "duplicate")
        self.assertEqual(again["first"], {key: first[key] for key in ["outcome", "stream", "seq"]})
        self.assertEqual(self.state(phone, incident)["ops"], [op.id])

    def test_the_same_id_with_another_body_is_kept_beside(self):
        phone = self.phone()
        op, _ = phone.incident("第一份")
        self.applied(phone, op)
        other = Op(op.id, op.body.replace("第一份", "第二份"))
        self.refused(phone, other, "quarantined", "same_id_other_hash")
        self.assertEqual(self.outcome(phone, other)["outcome"], "duplicate")

    def test_a_changed_body_is_found_out(self):
        phone = self.phone()
        op, _ = phone.incident()
        answer = phone.ok("push", {"v": 1, "ops": [{"sha256": "0" * 64, "body": op.body}]})
        (outcome,) = answer["outcomes"]
        self.assertIsNone(outcome["op"])
        self.assertEqual(outcome["reason"]["code"], "hash_mismatch")

    def test_what_is_no_op_at_all(self):
        phone = self.phone()
        body = "{}"
        answer = phone.ok("push", {"v": 1, "ops": [{"sha256": sha256(body.encode()), "body": body}]})
        self.assertEqual(answer["outcomes"][0]["reason"]["code"], "unreadable")

    def test_bad_values_are_rejected_and_nothing_else_suffers(self):
        phone = self.phone()
        bad, _ = phone.incident("长" * 10_000)
        good, _ = phone.incident()
        first, second = phone.push(bad, good)
        self.assertEqual((first["outcome"], first["reason"]["code"]), ("rejected", "bad_value"))
        self.assertEqual(second["outcome"], "applied")

    def test_an_op_too_large_is_rejected(self):
        phone = self.phone()
        op, _ = phone.incident(nonce="0" * 70_000)
        (outcome,) = phone.push(op)
        self.assertEqual(outcome["reason"]["code"], "too_large")

    def test_a_lane_waits_for_its_prev_and_no_other_does(self):
        phone = self.phone()
        create, incident = phone.incident()
        edit = phone.set(incident, create.id)
        other, _ = phone.incident()
        waits, goes = phone.push(edit, other)
        self.assertEqual((waits["outcome"], waits["missing"]), ("deferred", [create.id]))
        self.assertEqual(goes["outcome"], "applied")
        self.assertEqual([o["outcome"] for o in phone.push(create, edit)], ["applied", "applied"])

    def test_a_need_of_another_lane_must_come_first(self):
        phone = self.phone()
        shift, id = phone.shift()
        patrol, _ = phone.patrol(id)
        self.assertEqual(self.outcome(phone, patrol)["outcome"], "deferred")
        self.assertEqual([o["outcome"] for o in phone.push(shift, patrol)], ["applied", "applied"])

    def test_after_a_rejected_op_its_lane_goes_on(self):
        phone = self.phone()
        create, incident = phone.incident()
        bad = phone.set(incident, create.id, value="")
        good = phone.set(incident, create.id)
        self.assertEqual([o["outcome"] for o in phone.push(create, bad, good)], ["applied", "rejected", "applied"])

    def test_after_a_rejected_create_its_lane_does_not(self):
        phone = self.phone()
        create, incident = phone.incident("")
        edit = phone.set(incident, create.id)
        first, second = phone.push(create, edit)
        self.assertEqual(first["outcome"], "rejected")
        self.assertEqual(second["reason"]["code"], "depends_on_refused")

    def test_another_grid_is_out_of_scope(self):
        phone, other = self.phone(), self.phone(grid=OTHER_GRID)
        fields = {"catalogue": 1, "category": "hygiene", "grid": other.grid, "title": "别人的网格"}
        op = phone.op(new_id(), "incident", {"create": {"home": other.records, "fields": fields}})
        self.refused(phone, op, "quarantined", "out_of_scope")

    def test_another_author_is_not_believed(self):
        phone, other = self.phone(), self.phone()
        op, _ = phone.incident(by={"worker": other.worker, "device": other.device})
        self.refused(phone, op, "quarantined", "foreign_author")

    def test_what_a_newer_app_wrote_is_kept(self):
        phone = self.phone()
        for changes, code in [
            ({"kind": "drone_flight"}, "unknown_kind"),
            ({"v": 99}, "unknown_version"),
            ({"do": {"teleport": {}}}, "unknown_intent"),
        ]:
            op, entity = phone.incident()
            newer = phone.op(entity, **{"kind": "incident", "do": json.loads(op.body)["do"], **changes, "prev": None})
            self.refused(phone, newer, "quarantined", code)

    def test_unknown_fields_of_a_record_are_kept(self):
        phone = self.phone()
        create, incident = phone.incident()
        edit = phone.set(incident, None, field="from_a_newer_app", value={"a": [1]})
        phone.push(create, edit)
        self.assertEqual(self.state(phone, incident)["fields"]["from_a_newer_app"]["value"], {"a": [1]})

    def test_too_many_ops_at_a_time(self):
        phone = self.phone()
        op, _ = phone.incident()
        answer = phone.post("push", {"v": 1, "ops": [op.sealed()] * 201})
        self.assertEqual((answer.status, answer.code), (413, "too_large"))


class Merging(Conformance):
    """Two phones of one grid, which do not hear from each other in between."""

    def pair(self):
        one, two = self.phone(), self.phone()
        create, incident = one.incident("原来的标题")
        self.applied(one, create)
        return one, two, create, incident

    def title(self, phone: Phone, incident: str) -> tuple:
        field = self.state(phone, incident)["fields"]["title"]
        return field["value"], [kept["value"] for kept in field.get("proposals", [])]

    def test_a_stale_edit_is_kept_beside(self):
        one, two, create, incident = self.pair()
        self.applied(one, one.set(incident, create.id, value="甲的标题"))
        stale = two.set(incident, create.id, value="乙的标题")
        self.assertEqual(self.outcome(two, stale)["outcome"], "conflict_kept")
        self.assertEqual(self.title(one, incident), ("甲的标题", ["乙的标题"]))
        self.assertEqual(self.title(two, incident), self.title(one, incident))

    def test_an_edit_of_a_proposal_replaces_it_there(self):
        one, two, create, incident = self.pair()
        self.applied(one, one.set(incident, create.id, value="甲"))
        stale = two.set(incident, create.id, value="乙")
        again = two.set(incident, stale.id, value="乙二")
        self.assertEqual([o["outcome"] for o in two.push(stale, again)], ["conflict_kept"] * 2)
        self.assertEqual(self.title(one, incident), ("甲", ["乙二"]))

    def test_a_resolve_settles_what_it_lists(self):
        one, two, create, incident = self.pair()
        first = one.set(incident, create.id, value="甲")
        self.applied(one, first)
        stale = two.set(incident, create.id, value="乙")
        self.outcome(two, stale)
        do = {"resolve": {"field": "title", "value": "商定", "base": first.id, "replaces": [stale.id]}}
        self.applied(one, one.op(incident, "incident", do))
        self.assertEqual(self.title(two, incident), ("商定", []))

    def test_comments_of_both_stay(self):
        one, two, _, incident = self.pair()
        for phone, text in [(one, "甲说"), (two, "乙说")]:
            self.applied(phone, phone.op(incident, "incident", {"append": {"list": "comments", "value": {"text": text}}}))
        texts = {entry["value"]["text"] for entry in self.state(one, incident)["lists"]["comments"]}
        self.assertEqual(texts, {"甲说", "乙说"})

    def test_what_is_removed_before_it_is_added_stays_out(self):
        one, two, _, incident = self.pair()
        add = one.op(incident, "incident", {"add": {"set": "tags", "value": "夜间"}})
        self.applied(two, two.op(incident, "incident", {"remove": {"set": "tags", "ids": [add.id]}}))
        self.applied(one, add)
        self.assertEqual(self.state(one, incident)["sets"]["tags"]["items"], [])

    def test_a_stale_step_keeps_its_words(self):
        one, two, create, incident = self.pair()
        above = one.scope["grids"][0]["parent"]
        step = lambda phone, to, reason: phone.op(
            incident,
            "incident",
            {"transition": {"from": "reported", "to": to, "base": create.id, "reason": reason, "with": {"holder": above}}},
        )
        self.applied(one, step(one, "escalated", "需要城管处理"))
        self.assertEqual(self.outcome(two, step(two, "escalated", "我也上报"))["outcome"], "conflict_kept")
        state = self.state(one, incident)
        self.assertEqual([s["to"] for s in state["history"]], ["reported", "escalated"])
        self.assertEqual(state["lists"]["comments"][0]["value"]["text"], "我也上报")

    def test_a_step_that_the_table_does_not_have(self):
        one, _, create, incident = self.pair()
        do = {"transition": {"from": "reported", "to": "verified", "base": create.id}}
        self.refused(one, one.op(incident, "incident", do), "rejected", "no_such_step")

    def test_what_is_for_others_is_refused_alone(self):
        one, two, create, incident = self.pair()
        delete = two.op(incident, "incident", {"delete": {"base": create.id}})
        comment = two.op(incident, "incident", {"append": {"list": "comments", "value": {"text": "我来看看"}}})
        first, second = two.push(delete, comment)
        self.assertEqual((first["outcome"], first["reason"]["code"]), ("rejected", "not_for_you"))
        self.assertEqual(second["outcome"], "applied")

    def test_a_report_keeps_to_the_catalogue(self):
        phone = self.phone()
        for fields, word, code in [
            ({"category": "moon_dust"}, "rejected", "unknown_code"),
            ({"category": "fire_safety", "form.premises": 7}, "rejected", "bad_answer"),
            ({"category": "hygiene", "form.nothing": "x"}, "rejected", "unknown_question"),
            ({"category": "hygiene", "catalogue": 4_000_000_000}, "quarantined", "unknown_catalogue"),
        ]:
            fields = {"catalogue": 1, "grid": phone.grid, "title": "报告", "address": "一号院", **fields}
            op = phone.op(new_id(), "incident", {"create": {"home": phone.records, "fields": fields}})
            self.refused(phone, op, word, code)
        fields = {"catalogue": 1, "grid": phone.grid, "title": "不知在哪"}
        op = phone.op(new_id(), "incident", {"create": {"home": phone.records, "fields": fields}})
        self.refused(phone, op, "rejected", "unfit")

    def test_a_report_may_wait_for_its_answers_until_it_goes_on_its_way(self):
        phone, incident = self.phone(), new_id()
        fields = {"catalogue": 1, "grid": phone.grid, "address": "一号院", "category": "fire_safety"}
        create = phone.op(incident, "incident", {"create": {"home": phone.records, "fields": fields}})
        self.applied(phone, create)
        with_ = {"note": "已清走", "photos": [{"sha256": "0" * 64, "mime": "image/jpeg", "bytes": 1}]}
        do = {"transition": {"from": "reported", "to": "handled_on_site", "base": create.id, "with": with_}}
        self.refused(phone, phone.op(incident, "incident", do), "rejected", "unanswered")

    def test_a_stale_delete_is_a_proposal_and_an_edit_revives(self):
        one, two, create, incident = self.pair()
        self.applied(two, two.set(incident, create.id))
        self.assertEqual(self.outcome(one, one.op(incident, "incident", {"delete": {"base": create.id}}))["outcome"], "conflict_kept")
        state = self.state(one, incident)
        self.assertNotIn("deleted", state)
        self.assertEqual(len(state["delete_proposed"]), 1)
        last = state["ops"][-1]
        self.applied(one, one.op(incident, "incident", {"delete": {"base": last}}))
        self.assertIn("deleted", self.state(two, incident))
        self.applied(two, two.op(incident, "incident", {"append": {"list": "comments", "value": {"text": "还在"}}}))
        self.assertNotIn("deleted", self.state(one, incident))

    def test_what_builds_on_an_unknown_change_waits_aside_and_goes_on_by_itself(self):
        one, two, create, incident = self.pair()
        first = one.set(incident, create.id, value="一")
        builds_on_it = two.set(incident, first.id, value="二")
        self.refused(two, builds_on_it, "quarantined", "unknown_base")
        self.applied(one, first)
        self.assertEqual(self.title(two, incident), ("二", []))
        last = two.pull()["receipts"]["items"][-1]
        self.assertEqual((last["op"], last["outcome"]), (builds_on_it.id, "applied"))


class Kinds(Conformance):
    """The tables of the kinds that are no incident, a record of each."""

    day = 86_400_000

    def supervisor(self, role: str = "community") -> str:
        """A user above the grid; their name."""
        name = f"{role}-{secrets.token_hex(4)}"
        code = {"community": GRID[:12], "town": GRID[:9]}[role]
        self.server.verb("user", "add", "--name", name, "--role", role, "--grid", code)
        return name

    def act(self, user: str, *words: str) -> str:
        return self.server.verb("act", "--as", user, *words)

    def make(self, phone: Phone, kind: str, home: str, **fields) -> tuple:
        """Makes a record of the phone's worker's; its id and the op that made it."""
        entity = new_id()
        fields = {"worker": phone.worker, "grid": phone.grid, **fields}
        op = phone.op(entity, kind, {"create": {"home": home, "fields": fields}})
        self.applied(phone, op)
        return entity, op.id

    def step(self, phone: Phone, kind: str, entity: str, base: str, way: str, reason: str = None, **with_) -> Op:
        came, to = way.split(" → ")
        step = {"from": came, "to": to, "base": base, "with": with_}
        if reason:
            step["reason"] = reason
        return phone.op(entity, kind, {"transition": step})

    def say(self, phone: Phone, kind: str, entity: str, how: str, where: str, value) -> Op:
        part = "list" if how == "append" else "set"
        return phone.op(entity, kind, {how: {part: where, "value": value}})

    def inbox(self, phone: Phone) -> dict:
        entities = phone.pull_all(f"worker/{phone.worker}/inbox")["entities"]
        return {id: entity["state"] for id, entity in entities.items()}

    def test_a_task_is_seen_accepted_and_done_with_proof(self):
        phone, user = self.phone(), self.supervisor()
        due = now_ms() + self.day
        fields = ["work=visit", "title=走访独居老人", "description=看看取暖", f"due_ms={due}", "address=一号院"]
        task = self.act(user, "create", "task", f"grid=grid:{GRID}", f'worker="{phone.worker}"', *fields).split()[0]
        state = self.inbox(phone)[task]
        self.assertEqual(state["fields"]["due_ms"]["value"], due)
        self.assertEqual([step["to"] for step in state["history"]], ["sent"])
        sent = state["history"][0]["op"]
        seen = self.step(phone, "task", task, sent, "sent → seen")
        accepted = self.step(phone, "task", task, seen.id, "seen → accepted")
        self.assertEqual([o["outcome"] for o in phone.push(seen, accepted)], ["applied", "applied"])
        bare = self.step(phone, "task", task, accepted.id, "accepted → done")
        self.refused(phone, bare, "rejected", "step_needs")
        back = self.step(phone, "task", task, accepted.id, "accepted → sent")
        self.refused(phone, back, "rejected", "no_such_step")
        place_ = {"lat": 52.65, "lon": -8.6, "accuracy_m": 8}
        done = self.step(phone, "task", task, accepted.id, "accepted → done", note="一切都好", place=place_)
        self.applied(phone, done)
        self.act(user, "step", task, "reopen", "--reason", "照片看不清")
        steps = [step["to"] for step in self.inbox(phone)[task]["history"]]
        self.assertEqual(steps, ["sent", "seen", "accepted", "done", "accepted"])

    def test_a_task_is_not_made_by_a_gridworker(self):
        phone = self.phone()
        fields = {"worker": phone.worker, "grid": phone.grid, "work": "visit", "title": "去看看"}
        op = phone.op(new_id(), "task", {"create": {"home": f"worker/{phone.worker}/inbox", "fields": fields}})
        self.refused(phone, op, "rejected", "not_for_you")

    def test_a_notice_is_read_and_withdrawn(self):
        phone, user = self.phone(), self.supervisor()
        until = now_ms() + self.day
        fields = ["title=大风", "text=明天有大风，\n请加固棚屋", f"until_ms={until}"]
        notice = self.act(user, "create", "notice", f"grid=grid:{GRID}", *fields).split()[0]
        stream = f"grid/{phone.grid}/notices"
        state = phone.pull_all(stream)["entities"][notice]["state"]
        self.assertEqual(state["fields"]["until_ms"]["value"], until)
        reading, _ = self.make(phone, "notice_reading", f"worker/{phone.worker}/inbox", notice=notice)
        self.assertEqual(self.inbox(phone)[reading]["fields"]["notice"]["value"], notice)
        self.act(user, "step", notice, "withdraw", "--reason", "风停了")
        state = phone.pull_all(stream)["entities"][notice]["state"]
        self.assertEqual(state["history"][-1]["to"], "withdrawn")

    def test_a_mediation_has_parties_sessions_and_an_agreement(self):
        phone, colleague = self.phone(), self.phone()
        home = f"worker/{phone.worker}/inbox"
        mediation, made = self.make(phone, "mediation", home, title="婆媳", cause="为了孩子", address="一号院")
        wife, mother = {"name": "甲方", "phone": "138 0000 0000"}, {"name": "乙方", "note": "三楼"}
        at = now_ms() - 3_600_000
        session = {"from_ms": at, "to_ms": at + 1_800_000, "where": "调解室", "present": [wife, mother], "said": "各让一步"}
        says = [
            ("add", "parties", wife),
            ("add", "parties", mother),
            ("add", "readers", {"worker": colleague.worker}),
            ("append", "sessions", session),
            ("append", "sessions", {"from_ms": at, "present": [wife], "said": "", "remote": True}),
            ("append", "look_again", {"date": "2099-01-05", "note": "回访"}),
        ]
        for how, where, value in says:
            self.applied(phone, self.say(phone, "mediation", mediation, how, where, value))
        for where, value in [
            ("sessions", {**session, "present": []}),
            ("sessions", {"from_ms": at, "present": [wife]}),
            ("sessions", {**session, "to_ms": at - 1}),
            ("look_again", {"date": "2100-01-01"}),
        ]:
            self.refused(phone, self.say(phone, "mediation", mediation, "append", where, value), "rejected", "bad_value")
        signed = [{"sha256": sha256(name.encode()), "mime": "image/png", "bytes": 900, "name": name} for name in ["甲方", "乙方"]]
        bare = self.step(phone, "mediation", mediation, made, "open → agreed", agreement="轮流做饭")
        self.refused(phone, bare, "rejected", "step_needs")
        agree = self.step(phone, "mediation", mediation, made, "open → agreed", agreement="轮流做饭", signatures=signed)
        self.applied(phone, agree)
        closed = self.step(phone, "mediation", mediation, agree.id, "agreed → closed", note="已回访")
        self.applied(phone, closed)
        state = self.inbox(colleague)[mediation]
        self.assertEqual([item["value"] for item in state["sets"]["parties"]["items"]], [wife, mother])
        self.assertEqual([entry["value"]["said"] for entry in state["lists"]["sessions"]], ["各让一步", ""])
        self.assertEqual(state["history"][1]["with"]["signatures"], signed)
        self.assertEqual(set(state["history"][1]), {"op", "by", "at_ms", "from", "to", "with"})

    def test_a_visit_says_whom_one_met_and_what_one_found(self):
        phone = self.phone()
        met = {"person": {"name": "甲", "phone": "13800000000"}, "purpose": "elder", "found": "一切都好\n已送药"}
        visit, made = self.make(phone, "visit", phone.records, visited_ms=now_ms(), household="一号院 301", **met)
        tag = self.say(phone, "visit", visit, "add", "tags", "独居")
        self.applied(phone, tag)
        self.assertEqual(self.state(phone, visit)["sets"]["tags"]["items"][0]["op"], tag.id)
        self.applied(phone, phone.op(visit, "visit", {"remove": {"set": "tags", "ids": [tag.id]}}))
        self.assertEqual(self.state(phone, visit)["sets"]["tags"], {"items": [], "removed": [tag.id]})
        moved = phone.op(visit, "visit", {"set": {"worker": {"value": new_id(), "base": made}}})
        self.refused(phone, moved, "rejected", "fixed")

    def test_a_finding_is_normal_or_leads_to_an_incident(self):
        phone = self.phone()
        shift, on = phone.shift()
        patrol, outing = phone.patrol(on)
        report, incident = phone.incident()
        phone.push(shift, patrol, report)
        of = {"patrol": outing, "catalogue": 1}
        self.make(phone, "finding", phone.records, category="hygiene", result="normal", found_ms=now_ms(), **of)
        abnormal = {"category": "fire_safety", "result": "abnormal", **of}
        finding, _ = self.make(phone, "finding", phone.records, incident=incident, **abnormal)
        self.assertEqual(self.state(phone, finding)["fields"]["incident"]["value"], incident)
        fields = {"worker": phone.worker, "grid": phone.grid, **abnormal}
        op = phone.op(new_id(), "finding", {"create": {"home": phone.records, "fields": fields}})
        self.refused(phone, op, "rejected", "bad_value")


class Tracks(Conformance):
    def walk(self):
        phone = self.phone()
        shift, id = phone.shift()
        patrol, patrol_id = phone.patrol(id)
        return phone, shift, patrol, patrol_id

    def test_a_chunk_waits_for_its_patrol(self):
        phone, shift, patrol, id = self.walk()
        chunk = (id, 0xC0FFEE, 0, 3, b"\xff a newer version")
        (outcome,) = phone.tracks(chunk).json()["outcomes"]
        self.assertEqual(outcome["outcome"], "deferred")
        self.assertEqual((outcome["patrol"], outcome["run"]), (id, "0000000000c0ffee"))
        phone.push(shift, patrol)
        (outcome,) = phone.tracks(chunk).json()["outcomes"]
        self.assertEqual((outcome["outcome"], outcome["reason"]["code"]), ("quarantined", "unknown_version"))
        (receipt,) = [item for item in phone.pull()["receipts"]["items"] if item["of"] == "chunk"]
        self.assertEqual((receipt["first"], receipt["count"]), (0, 3))

    def test_a_chunk_without_fixes(self):
        phone, shift, patrol, id = self.walk()
        phone.push(shift, patrol)
        (outcome,) = phone.tracks((id, 1, 0, 0, b"")).json()["outcomes"]
        self.assertEqual((outcome["outcome"], outcome["reason"]["code"]), ("rejected", "bad_name"))

    def test_a_block_that_cannot_be_read_changes_nothing(self):
        phone, *_ = self.walk()
        kind = {"Content-Type": "application/vnd.gridwalk.tracks"}
        answer = phone.ask("POST", "/v1/tracks", b"GWT1 and nonsense", kind)
        self.assertEqual((answer.status, answer.code), (400, "bad_block"))
        self.assertEqual(phone.ask("POST", "/v1/tracks", b"GWT1").status, 415)


class Attachments(Conformance):
    def test_resumed_by_the_byte_after_a_cut(self):
        phone = self.phone()
        content = secrets.token_bytes(100_000)
        made = phone.create_upload(content)
        self.assertEqual((made.status, made.headers["upload-offset"]), (201, "0"))
        path = made.headers["location"]
        self.assertEqual(phone.patch(path, 0, content[:60_000]).headers["upload-offset"], "60000")
        self.assertEqual(phone.patch(path, 0, content[:10]).code, "wrong_offset")
        asked = phone.tus("HEAD", path)
        self.assertEqual((asked.status, asked.headers["upload-offset"]), (200, "60000"))
        last = phone.patch(path, 60_000, content[60_000:])
        self.assertEqual((last.status, last.headers["upload-offset"]), (204, "100000"))
        self.assertRegex(last.headers["gridwalk-receipt"], rf"^{phone.epoch}/\d+/\d+$")
        receipts = phone.pull()["receipts"]["items"]
        self.assertIn(sha256(content), [item.get("sha256") for item in receipts if item["of"] == "blob"])

    def test_the_same_content_is_sent_once(self):
        phone = self.phone()
        content = secrets.token_bytes(1_000)
        phone.patch(phone.create_upload(content).headers["location"], 0, content)
        self.assertEqual(self.phone().create_upload(content).headers["upload-offset"], "1000")

    def test_other_bytes_than_announced(self):
        phone = self.phone()
        made = phone.create_upload(b"a" * 500)
        answer = phone.patch(made.headers["location"], 0, b"b" * 500)
        self.assertEqual(answer.status, 460)
        self.assertEqual(phone.tus("HEAD", made.headers["location"]).status, 404)

    def test_a_piece_with_another_checksum_is_not_kept(self):
        phone = self.phone()
        content = secrets.token_bytes(1_000)
        path = phone.create_upload(content).headers["location"]
        for name in ("sha1", "sha256"):
            checksum = base64.b64encode(hashlib.new(name, content[:500]).digest()).decode()
            answer = phone.patch(path, 0, content[1:501], Upload_Checksum=f"{name} {checksum}")
            self.assertEqual((answer.status, answer.code), (460, "checksum_mismatch"))
            self.assertEqual(phone.tus("HEAD", path).headers["upload-offset"], "0")
        answer = phone.patch(path, 0, content[:500], Upload_Checksum=f"{name} {checksum}")
        self.assertEqual((answer.status, answer.headers["upload-offset"]), (204, "500"))
        self.assertEqual(phone.patch(path, 500, content[500:], Upload_Checksum="md5 x").status, 400)

    def test_an_upload_expires(self):
        phone = self.phone()
        content = secrets.token_bytes(1_000)
        made = phone.create_upload(content)
        expires = email.utils.parsedate_to_datetime(made.headers["upload-expires"]).timestamp()
        self.assertAlmostEqual(expires, time.time() + 7 * 86_400, delta=300)
        self.assertIn("upload-expires", phone.patch(made.headers["location"], 0, content[:500]).headers)
        self.assertNotIn("upload-expires", phone.patch(made.headers["location"], 500, content[500:]).headers)

    def test_the_extensions_are_named(self):
        answer = self.phone().ask("OPTIONS", "/v1/blobs")
        self.assertEqual(answer.headers["tus-extension"], "creation,checksum,expiration")
        self.assertEqual(answer.headers["tus-checksum-algorithm"], "sha1,sha256")

    def test_what_a_record_shows_is_downloaded_by_range(self):
        phone, content = self.phone(), secrets.token_bytes(1_000)
        path = f"/v1/blobs/{sha256(content)}"
        phone.patch(phone.create_upload(content).headers["location"], 0, content)
        self.assertEqual(phone.ask("GET", path).status, 404, "no record shows it")
        made, incident = phone.incident()
        photo = {"sha256": sha256(content), "mime": "image/jpeg", "bytes": len(content)}
        shown = phone.op(incident, "incident", {"append": {"list": "photos", "value": photo}})
        phone.push(made, shown)
        whole = phone.ask("GET", path)
        self.assertEqual((whole.status, whole.body), (200, content))
        tag = whole.headers["etag"]
        self.assertEqual(tag, f'"{sha256(content)}"')
        part = phone.ask("GET", path, headers={"Range": "bytes=900-", "If-Range": tag})
        self.assertEqual((part.status, part.body), (206, content[900:]))
        self.assertEqual(part.headers["content-range"], "bytes 900-999/1000")
        other = phone.ask("GET", path, headers={"Range": "bytes=900-", "If-Range": '"other"'})
        self.assertEqual((other.status, other.body), (200, content))
        self.assertEqual(phone.ask("GET", path, headers={"Range": "bytes=1000-"}).status, 416)
        self.assertEqual(phone.ask("GET", path, headers={"If-None-Match": tag}).status, 304)

    def test_another_version_of_tus(self):
        answer = self.phone().ask("POST", "/v1/blobs", headers={"Tus-Resumable": "0.2.2"})
        self.assertEqual((answer.status, answer.code), (412, "tus_version"))


class Pull(Conformance):
    def test_count_and_hash_are_those_of_what_was_pulled(self):
        phone = self.phone()
        made = [phone.incident()[0] for _ in range(20)]
        phone.push(*made)
        pulled = phone.pull_all(phone.records)
        self.assertEqual(pulled["end"], digest(pulled["entities"]))

    def test_a_cursor_goes_on_where_it_was(self):
        phone = self.phone()
        create, incident = phone.incident()
        self.applied(phone, create)
        cursor = phone.pull_all(phone.records)["cursor"]
        self.applied(phone, phone.set(incident, create.id))
        page = phone.pull({phone.records: cursor})["streams"][phone.records]
        self.assertEqual([entity["id"] for entity in page["entities"]], [incident])
        self.assertFalse(page["reset"])

    def test_a_cursor_of_another_time_line_asks_for_a_hello(self):
        phone = self.phone()
        op, _ = phone.incident()
        self.applied(phone, op)
        cursor = {"epoch": new_id(), "seq": 1, "tag": 5}
        answer = phone.post("pull", {"v": 1, "receipts": None, "streams": {phone.records: cursor}, "unsent": NOTHING})
        self.assertEqual((answer.status, answer.code), (409, "epoch"))

    def test_foreign_streams_are_left_out(self):
        phone, other = self.phone(), self.phone(grid=OTHER_GRID)
        op, _ = other.incident("只给那个网格看")
        self.applied(other, op)
        answer = phone.post("pull", {"v": 1, "receipts": None, "streams": {other.records: None, phone.records: None}, "unsent": NOTHING})
        self.assertEqual(list(answer.json()["streams"]), [phone.records])
        self.assertFalse("只给那个网格看".encode() in answer.body, "bytes of a foreign grid")

    def test_a_receipt_for_each_op_in_order(self):
        phone = self.phone()
        good, _ = phone.incident()
        bad, _ = phone.incident("")
        phone.push(good, bad)
        items = phone.pull()["receipts"]["items"]
        self.assertEqual([item["n"] for item in items], [1, 2])
        self.assertEqual([item["outcome"] for item in items], ["applied", "rejected"])


class TimeLines(Conformance):
    def test_a_receipt_of_another_epoch(self):
        phone = self.phone()
        header = {"Gridwalk-Receipt": f"{new_id()}/1/5"}
        answer = phone.ask("POST", "/v1/push", json.dumps({"v": 1, "ops": []}).encode(), header)
        self.assertEqual((answer.status, answer.code), (409, "epoch"))
        self.assertEqual(phone.hello()["epoch"], phone.epoch)

    def test_a_receipt_that_was_never_given_begins_a_new_time_line(self):
        server = Server(pathlib.Path(SCRATCH.name) / "gone-back")
        self.addCleanup(server.stop)
        phone = Phone(server.invitation())
        phone.enrol()
        phone.hello()
        op, _ = phone.incident()
        self.applied(phone, op)
        before = phone.epoch
        phone.receipt = {**phone.receipt, "seq": 1_000, "tag": 7}
        answer = phone.post("push", {"v": 1, "ops": []})
        self.assertEqual((answer.status, answer.code), (409, "epoch"))
        self.assertNotEqual(phone.hello()["epoch"], before)

    def test_have_tells_what_is_here(self):
        phone = self.phone()
        here, _ = phone.incident()
        applied = self.applied(phone, here)
        away, _ = phone.incident()
        content = secrets.token_bytes(100)
        phone.patch(phone.create_upload(content).headers["location"], 0, content)
        chunk = {"patrol": new_id(), "run": "00c0ffee00c0ffee", "first": 0, "count": 300}
        blobs = [sha256(content), sha256(b"never sent")]
        answer = phone.ok("have", {"v": 1, "ops": [here.ref(), away.ref()], "chunks": [chunk], "blobs": blobs})
        self.assertEqual(answer["ops"], [{key: applied[key] for key in ["outcome", "stream", "seq"]}, None])
        self.assertEqual((answer["chunks"], answer["blobs"]), ([None], ["whole", None]))

    def test_too_much_is_asked_for_at_once(self):
        ops = [{"id": new_op_id(), "sha256": "0" * 64}] * 501
        answer = self.phone().post("have", {"v": 1, "ops": ops, "chunks": [], "blobs": []})
        self.assertEqual((answer.status, answer.code), (413, "too_large"))


class Clocks(Conformance):
    def made_at(self, phone: Phone, **at) -> int:
        op, incident = phone.incident(at={**phone.at(), **at})
        self.applied(phone, op)
        return self.state(phone, incident)["created"]["at_ms"]

    def test_twenty_years_off_is_put_right_by_the_monotonic_clock(self):
        phone = Phone(self.server.invitation())
        phone.enrol()
        wrong = now_ms() - 20 * 365 * 86_400_000
        at = {"wall_ms": wrong, "boot": phone.boot, "mono_ms": 1_000_000}
        reading = {"wall_ms": wrong, "mono_ms": 1_000_000}
        phone.hello(at=at, boots=[{"boot": phone.boot, "first": reading, "last": reading}])
        arrived = now_ms()
        # Ten minutes before that hello.
        made = self.made_at(phone, wall_ms=wrong - 600_000, mono_ms=400_000)
        self.assertAlmostEqual(made, arrived - 600_000, delta=5_000)

    def test_an_earlier_boot_lies_between_the_contacts(self):
        phone = self.phone()
        first_contact = now_ms()
        lost, boot = new_id(), new_id()
        wrong = now_ms() + 20 * 365 * 86_400_000
        span = lambda boot, wall, mono: {
            "boot": boot,
            "first": {"wall_ms": wall, "mono_ms": 0},
            "last": {"wall_ms": wall + mono, "mono_ms": mono},
        }
        phone.boot = boot
        at = {"wall_ms": now_ms(), "boot": boot, "mono_ms": 10}
        phone.hello(at=at, boots=[span(lost, wrong, 20), span(boot, now_ms() - 10, 10)])
        second_contact = now_ms()
        made = self.made_at(phone, wall_ms=wrong + 5, boot=lost, mono_ms=5)
        self.assertGreaterEqual(made, first_contact - 5_000)
        self.assertLessEqual(made, second_contact)

    def test_nothing_is_refused_for_its_time(self):
        phone = self.phone()
        for wall_ms in [0, -(10**12), 10**14]:
            phone.boot = new_id()
            reading = {"wall_ms": wall_ms, "mono_ms": 0}
            phone.hello(boots=[{"boot": phone.boot, "first": reading, "last": reading}])
            self.made_at(phone, wall_ms=wall_ms, mono_ms=0)


class Told(unittest.TextTestResult):
    """Names each test by its sentence."""

    def startTest(self, test):
        super().startTest(test)
        self.stream.write(f"  {test.id().split('.', 1)[1].replace('.test_', ': ').replace('_', ' ')}\n")


if __name__ == "__main__":
    suite = unittest.TestSuite(
        unittest.defaultTestLoader.loadTestsFromTestCase(case)
        for case in Conformance.__subclasses__()
        if not sys.argv[1:] or case.__name__ in sys.argv[1:]
    )
    result = unittest.TextTestRunner(resultclass=Told, verbosity=0).run(suite)
    passed = result.testsRun - len(result.failures) - len(result.errors)
    SERVER.stop()
    SCRATCH.cleanup()
    print(f"conformance: {passed} passed", flush=True)
    sys.exit(0 if result.wasSuccessful() and passed else 1)
