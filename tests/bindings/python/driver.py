"""Drives the real library through its generated Python, against a real server.

Run it with tests/bindings/run python. The scenarios bear the same names in
every language (tests/bindings/README.md).
"""

import gc
import pathlib
import queue
import subprocess
import sys
import tempfile
import threading
import unittest
import weakref

import gridwalk
from gridwalk import Change, EngineError, GapCause, NetworkCost, NextSync, SendState, SensorMark, SyncPhase
from support import GRID, Phone, Server, allocated_kb, incident, now_ms, photo, resident_kb, trace

SCRATCH = tempfile.TemporaryDirectory(prefix="gridwalk-python-")
PHONES = pathlib.Path(SCRATCH.name)
# Nothing here waits for a time; this only ends a run that would never end.
NEVER_S = 60


class Changes(gridwalk.Observer):
    """Collects what a subscription tells, and from which threads."""

    def __init__(self, fails=False):
        self.told = queue.Queue()
        self.threads = set()
        self.fails = fails

    def changed(self, change):
        self.threads.add(threading.get_ident())
        self.told.put(change)
        if self.fails:
            raise RuntimeError("this observer always fails")

    def next(self):
        return self.told.get(timeout=NEVER_S)

    def until(self, fits):
        """The first change that fits, and all before it."""
        seen = [self.next()]
        while not fits(seen[-1]):
            seen.append(self.next())
        return seen


class Progress(gridwalk.SyncObserver):
    """Collects progress; may do something at each call."""

    def __init__(self, then=lambda progress: None):
        self.seen = []
        self.then = then

    def progress(self, progress):
        self.seen.append(progress)
        self.then(progress)


class Bindings(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(PHONES / "server")

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def phone(self):
        return Phone(PHONES / self.id().rsplit(".", 1)[-1])

    def opened(self, phone=None):
        engine = (phone or self.phone()).open()
        self.addCleanup(engine.shut)
        return engine

    def enrolled(self, server=None, phone=None):
        engine = self.opened(phone)
        engine.enrol((server or self.server).invitation(), None)
        return engine

    def test_enrols_and_knows_its_grid(self):
        engine = self.opened()
        self.assertIsNone(engine.identity())
        identity = engine.enrol(self.server.invitation(), None)
        self.assertEqual(identity, engine.identity())
        self.assertEqual(identity.server, self.server.url)
        (grid,) = engine.grids()
        self.assertEqual((grid.code, grid.level), (GRID, gridwalk.GridLevel.BASE))
        ring = grid.boundary[0][0]
        self.assertEqual(ring[0], ring[-1], "a ring is closed")
        self.assertEqual({point.lat for point in ring}, {52.62, 52.69})
        self.assertIn("fire_safety", [category.code for category in engine.catalogue().categories])

    def test_a_shift_and_a_patrol_from_a_real_trace(self):
        engine = self.enrolled()
        engine.start_shift(None)
        patrol = engine.start_patrol()
        engine.mark(SensorMark.ASKED(every_ms=1000))
        fixes = trace(700, 900, ends_ms=now_ms())
        for first in range(0, 200, 20):
            recorded = engine.record(fixes[first : first + 20])
            self.assertEqual((recorded.patrol, recorded.acked), (patrol, first + 20))
        engine.pause_patrol()
        self.assertTrue(engine.status().patrol.paused)
        engine.resume_patrol()
        now = engine.status()
        self.assertEqual((now.patrol.fixes, now.shift.grid.code), (200, GRID))
        summary = engine.finish_patrol()
        self.assertEqual(summary.fixes, 200)
        route = engine.route(patrol)
        self.assertEqual(route.fixes, 200)
        # From fix to fix it is 1,125 m; what lies in gaps is not counted.
        self.assertTrue(1_000 < route.distance_m < 1_125, route.distance_m)
        self.assertAlmostEqual(route.distance_m, summary.distance_m, delta=1)
        points = [point for segment in route.segments for point in segment]
        self.assertEqual(len(points), route.used)
        self.assertIn("<trkpt", engine.export(patrol, gridwalk.ExportFormat.GPX))
        engine.end_shift()
        engine.sync(None, None)
        self.assertEqual(engine.patrol(patrol).send, SendState.SENT())
        (held,) = [held for held in self.server.holdings()["patrols"] if held["id"] == patrol]
        self.assertEqual(held["fixes_stored"], 200)

    def test_killed_and_goes_on(self):
        phone = self.phone()
        engine = self.enrolled(phone=phone)
        engine.start_shift(None)
        patrol = engine.start_patrol()
        engine.shut()
        command = [sys.executable, pathlib.Path(__file__).with_name("recorder.py"), phone.folder, phone.key.hex()]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        with subprocess.Popen(command, **pipes, text=True) as recorder:
            acked = 0
            while acked < 120:
                acked = int(recorder.stdout.readline().split()[1])
            recorder.kill()
            told = [int(line.split()[1]) for line in recorder.stdout if line.endswith("\n")]
        acked = max([acked, *told])
        again = self.opened(phone)
        now = again.status().patrol
        self.assertEqual(now.id, patrol, "the patrol goes on")
        self.assertGreaterEqual(now.fixes, acked, "every acknowledged fix is there")
        kept = now.fixes
        again.record(trace(1600, 1650, starts_ms=now_ms() + 1_000))
        again.finish_patrol()
        route = again.route(patrol)
        self.assertEqual(route.fixes, kept + 50)
        self.assertIn(GapCause.APP_KILLED, [gap.cause for gap in route.gaps])
        self.assertGreaterEqual(len(route.segments), 2, "a gap is not a line")

    def test_an_incident_with_a_photo(self):
        engine = self.enrolled()
        engine.start_shift(None)
        saved = engine.report_incident(incident("楼道堆物", photo(40)))
        (shown,) = engine.incidents()
        self.assertEqual((shown.id, shown.title, shown.status), (saved, "楼道堆物", "reported"))
        self.assertEqual(shown.send, SendState.SAVED())
        (kept,) = shown.photos
        self.assertEqual(len(engine.photo(kept.sha256)), kept.bytes)
        report = engine.sync(None, None)
        self.assertEqual(report.blobs_sent, 1)
        self.assertEqual(engine.incident(saved).send, SendState.SENT())
        self.assertTrue(engine.incident(saved).photos[0].sent)
        holdings = self.server.holdings()
        self.assertIn(saved, holdings["incidents"])
        self.assertIn(kept.sha256, holdings["attachments"])

    def test_offline_loses_nothing(self):
        server = Server(PHONES / "offline-server")
        self.addCleanup(server.stop)
        engine = self.enrolled(server)
        engine.start_shift(None)
        engine.sync(None, None)
        server.stop()
        saved = engine.report_incident(incident("断网时上报", photo(8)))
        before = engine.status().unsent
        self.assertGreaterEqual(before.ops, 1)
        self.assertEqual(before.blobs, 1)
        with self.assertRaises(EngineError.Offline):
            engine.sync(None, None)
        self.assertEqual(engine.status().unsent, before)
        server.start()
        engine.sync(None, None)
        self.assertEqual(engine.incident(saved).send, SendState.SENT())
        after = engine.status().unsent
        self.assertEqual((after.ops, after.chunks, after.blobs, after.oldest_ms), (0, 0, 0, None))

    def test_an_incident_goes_its_way_and_a_draft_waits(self):
        engine = self.enrolled()
        with self.assertRaises(EngineError.NoShift):
            engine.may_report()
        engine.start_shift(None)
        engine.may_report()
        saved = engine.report_incident(incident("楼道有味", photo(20)))
        shown = engine.incident(saved)
        self.assertEqual((shown.category, shown.tags), ("", ["消防安全"]), "its form asks for more")
        page = engine.find_incidents(gridwalk.IncidentQuery(text="有味"))
        self.assertEqual((page.total, page.incidents[0].id), (1, saved))
        needs = {offer.name: offer.needs for offer in engine.steps(saved)}
        self.assertEqual(needs, {"handle": [["category"], ["note"]], "escalate": [["reason"], ["category"]]})
        words = gridwalk.StepWords(note="已劝离", photos=[photo(10)])
        with self.assertRaises(EngineError.BadInput):
            engine.take(saved, "handle", words)
        premises = gridwalk.Answer(code="premises", json='"dwelling"')
        engine.classify(saved, gridwalk.Classification(category="fire_safety", answers=[premises]))
        engine.take(saved, "handle", words)
        self.assertEqual(engine.incident(saved).status, "handled_on_site")
        hints = engine.possible_duplicates(incident("又一处"))
        self.assertEqual([hint.incident.id for hint in hints], [saved])

        draft = engine.save_draft(None, incident("没写完", photo(5)))
        self.assertEqual([(one.title, one.photos) for one in engine.drafts()], [("没写完", 1)])
        opened = engine.draft(draft)
        opened.title = "写完了"
        self.assertEqual(engine.save_draft(draft, opened), draft)
        self.assertEqual(engine.submit_draft(draft), draft)
        self.assertEqual((engine.drafts(), engine.incident(draft).title), ([], "写完了"))
        with self.assertRaises(EngineError.NotFound):
            engine.discard_draft(draft)
        self.assertEqual((engine.tasks(), engine.notices()), ([], []))
        engine.sync(None, None)
        self.assertEqual(engine.incident(saved).send, SendState.SENT())

    def test_sync_with_progress(self):
        engine = self.enrolled()
        engine.start_shift(None)
        engine.report_incident(incident("消防通道被占", photo(300)))
        progress = Progress()
        report = engine.sync(progress, None)
        phases = [seen.phase for seen in progress.seen]
        for phase in (SyncPhase.HELLO, SyncPhase.PUSH, SyncPhase.BLOBS, SyncPhase.PULL):
            self.assertIn(phase, phases)
        for seen in progress.seen:
            self.assertLessEqual(seen.done, seen.total)
        up = [seen.bytes_up for seen in progress.seen]
        self.assertEqual(up, sorted(up), "what is sent only grows")
        self.assertGreater(report.bytes_up, 300 * 1024)

    def test_the_engine_says_when_and_over_which_network(self):
        engine = self.opened(self.phone())
        self.assertEqual(engine.next_sync(NetworkCost.UNMETERED), NextSync.NEVER())
        engine.enrol(self.server.invitation(), None)
        engine.start_shift(None)
        saved = engine.report_incident(incident("路灯不亮", photo(20)))
        self.assertEqual(engine.next_sync(NetworkCost.OFFLINE), NextSync.WHEN_ONLINE())
        self.assertEqual(engine.next_sync(NetworkCost.METERED), NextSync.NOW())
        engine.sync(None, None, NetworkCost.METERED)
        self.assertEqual(engine.incident(saved).send, SendState.WAITING(), "its photo waits")
        after = engine.next_sync(NetworkCost.METERED)
        self.assertTrue(0 < after.ms <= 900_000, after)
        self.assertEqual(engine.next_sync(NetworkCost.UNMETERED), NextSync.NOW())
        engine.network_returned()
        engine.set_sync_settings(gridwalk.SyncSettings(routes_on_metered=True, photos_on_metered=True, keep_routes_days=30))
        self.assertTrue(engine.sync_settings().photos_on_metered)
        self.assertEqual(engine.next_sync(NetworkCost.METERED), NextSync.NOW())
        engine.sync(None, None, NetworkCost.METERED)
        self.assertEqual(engine.incident(saved).send, SendState.SENT())
        report = engine.sync(None, None, NetworkCost.UNMETERED, 1)
        self.assertEqual(report.cut, gridwalk.SyncCut.BUDGET())

    def test_who_leaves_is_asked_and_what_is_unsent_is_sent(self):
        engine = self.enrolled()
        engine.start_shift(None)
        engine.report_incident(incident("井盖缺失", photo(20)))
        asked = engine.log_out(False)
        self.assertTrue(asked.is_asks() and asked.departure.on_shift and asked.departure.unsent.blobs == 1, asked)
        self.assertIsNotNone(engine.identity(), "nothing was changed")
        self.assertEqual(engine.log_out(True), gridwalk.LogOut.DONE())
        self.assertEqual((engine.identity(), engine.incidents()), (None, []))
        (left,) = engine.vault()
        self.assertEqual(left.why, gridwalk.VaultWhy.LOGGED_OUT)
        unsent = engine.status().left_unsent
        self.assertEqual(unsent, left.unsent.ops + left.unsent.blobs)
        written = engine.export_unsent(str(PHONES / "unsent"))
        self.assertEqual((written.ops, written.blobs), (left.unsent.ops, 1))
        engine.enrol(self.server.invitation(), None)
        self.assertEqual((engine.incidents(), engine.conflicts()), ([], []))
        engine.sync(None, None)
        self.assertEqual(engine.status().left_unsent, 0)

    def test_the_sensor_s_plan(self):
        engine = self.enrolled()
        full = gridwalk.Power(percent=90, charging=False, saving=False)
        self.assertIsNone(engine.sensor_plan(full), "no patrol, no sensor")
        engine.start_shift(None)
        engine.start_patrol()
        plan = engine.sensor_plan(full)
        self.assertEqual((plan.every_ms, plan.priority), (1_000, gridwalk.SensorPriority.HIGH))
        low = engine.sensor_plan(gridwalk.Power(percent=None, charging=False, saving=True))
        self.assertGreater(low.every_ms, plan.every_ms)
        engine.pause_patrol()
        self.assertIsNone(engine.sensor_plan(full))
        self.assertEqual(engine.coverage().sites, [])

    def test_errors_have_their_types(self):
        phone = self.phone()
        engine = self.opened(phone)
        with self.assertRaises(EngineError.NotEnrolled):
            engine.sync(None, None)
        with self.assertRaises(EngineError.BadInvitation):
            engine.enrol("https://example.org/", None)
        with self.assertRaises(EngineError.EnrolRefused) as refused:
            engine.enrol("AAAA-AAAA-AAAA", self.server.url)
        self.assertEqual(refused.exception.code, "wrong_code")
        self.assertIsNone(engine.identity(), "a refused code changes nothing")
        engine.enrol(self.server.invitation(), None)
        with self.assertRaises(EngineError.AlreadyEnrolled):
            engine.enrol(self.server.invitation(), None)
        with self.assertRaises(EngineError.NoShift):
            engine.start_patrol()
        with self.assertRaises(EngineError.OutOfScope):
            engine.start_shift("00000000-0000-4000-8000-000000000000")
        with self.assertRaises(EngineError.BadInput) as bad:
            engine.start_shift("第一网格")
        self.assertEqual(bad.exception.what, "grid")
        engine.start_shift(engine.grids()[0].id)
        with self.assertRaises(EngineError.NoPatrol):
            engine.record(trace(0, 1, ends_ms=now_ms()))
        with self.assertRaises(EngineError.UnknownCategory):
            wrong = incident("楼道堆物")
            wrong.category = "weather"
            engine.report_incident(wrong)
        with self.assertRaises(EngineError.PhotoNotTaken) as taken:
            engine.report_incident(incident("楼道堆物", gridwalk.NewPhoto(bytes=b"GIF89a", mime="image/gif")))
        self.assertEqual(taken.exception.index, 0)
        self.assertEqual(engine.incidents(), [], "a refused report leaves nothing")
        with self.assertRaises(EngineError.NotFound):
            engine.incident("00000000-0000-4000-8000-000000000000")
        with self.assertRaises(EngineError.InUse):
            phone.open()
        engine.shut()
        engine.shut()
        with self.assertRaises(EngineError.Closed):
            engine.status()
        with self.assertRaises(EngineError.WrongKey):
            gridwalk.Engine.open(phone.options(key=bytes(31) + b"\1"))
        with self.assertRaises(EngineError.BadInput):
            gridwalk.Engine.open(phone.options(key=b"too short"))
        self.assertEqual(self.opened(phone).status().shift.grid.code, GRID)

    def test_a_callback_from_another_thread(self):
        engine = self.enrolled()
        changes = Changes()
        subscription = engine.observe(changes)
        first = changes.next()
        self.assertTrue(first.is_snapshot())
        self.assertIsNone(first.status.shift)
        engine.start_shift(None)
        changes.until(lambda change: change.is_status_changed() and change.status.shift)
        saved = engine.report_incident(incident("井盖缺失"))
        told = changes.until(lambda change: change.is_incident_changed())[-1]
        self.assertEqual(told.incident.id, saved)
        self.assertNotIn(threading.get_ident(), changes.threads)
        subscription.cancel()
        while not changes.told.empty():
            changes.told.get()
        engine.end_shift()
        engine.status()
        self.assertTrue(changes.told.empty(), "nothing is told after cancel returned")

    def test_a_subscription_ends_with_the_engine(self):
        engine = self.enrolled()
        changes = Changes()
        subscription = engine.observe(changes)
        engine.shut()
        changes.until(lambda change: change.is_closed())
        subscription.cancel()

    def test_an_observer_that_throws_does_no_harm(self):
        engine = self.enrolled()
        changes = Changes(fails=True)
        subscription = engine.observe(changes)
        self.assertTrue(changes.next().is_snapshot())
        engine.start_shift(None)
        changes.until(lambda change: change.is_status_changed() and change.status.shift)
        subscription.cancel()

        def fail(_):
            raise RuntimeError("this observer always fails")

        progress = Progress(fail)
        engine.sync(progress, None)
        self.assertGreater(len(progress.seen), 1, "the sync went on and told more")
        self.assertEqual(engine.status().unsent.ops, 0)

    def test_cancel(self):
        engine = self.enrolled()
        engine.start_shift(None)
        saved = engine.report_incident(incident("占道经营", photo(500), photo(500)))
        token = gridwalk.CancelToken()
        token.cancel()
        self.assertTrue(token.is_cancelled())
        with self.assertRaises(EngineError.Cancelled):
            engine.sync(None, token)
        self.assertNotEqual(engine.incident(saved).send, SendState.SENT())

        token = gridwalk.CancelToken()
        sending = threading.Event()

        def once_photos_go(progress):
            if progress.phase == SyncPhase.BLOBS:
                sending.set()
                canceller.join()

        def cancel():
            sending.wait(NEVER_S)
            token.cancel()

        canceller = threading.Thread(target=cancel)
        canceller.start()
        with self.assertRaises(EngineError.Cancelled):
            engine.sync(Progress(once_photos_go), token)
        half = engine.incident(saved)
        self.assertEqual(half.send, SendState.WAITING())
        self.assertFalse(all(photo.sent for photo in half.photos))
        engine.sync(None, gridwalk.CancelToken())
        self.assertEqual(engine.incident(saved).send, SendState.SENT())

    def test_ten_thousand_calls_without_a_leak(self):
        engine = self.enrolled()
        engine.start_shift(None)
        engine.start_patrol()
        engine.report_incident(incident("井盖缺失", photo(4)))
        fixes = trace(700, 900, ends_ms=now_ms())
        engine.record(fixes)

        def calls(times):
            for number in range(times):
                engine.status()
                engine.incidents()
                gridwalk.CancelToken().cancel()
                try:
                    engine.start_patrol()
                except EngineError.PatrolRunning:
                    pass
                if number % 50 == 0:
                    changes = Changes()
                    subscription = engine.observe(changes)
                    changes.next()
                    subscription.cancel()

        calls(1_000)
        gc.collect()
        allocated, resident = allocated_kb(), resident_kb()
        calls(10_000)
        gc.collect()
        allocated, resident = allocated_kb() - allocated, resident_kb() - resident
        # Seven bytes kept by any one of these functions would be more.
        self.assertLess(allocated, 64, f"{allocated} KB more allocated after 10,000 calls of each")
        self.assertLess(resident, 4_096, f"{resident} KB more in memory after 10,000 calls of each")

        changes = Changes()
        subscription = engine.observe(changes)
        subscription.cancel()
        forgotten = weakref.ref(changes)
        del changes, subscription
        gc.collect()
        self.assertIsNone(forgotten(), "the core keeps no observer after its subscription")


if __name__ == "__main__":
    program = unittest.main(exit=False, verbosity=2)
    result = program.result
    failed = len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses)
    SCRATCH.cleanup()
    print(f"python: {max(0, result.testsRun - failed)} passed" + (f", {failed} FAILED" if failed else ""))
    sys.exit(1 if failed or not result.testsRun else 0)
