import java.io.File
import java.lang.ref.WeakReference
import java.util.concurrent.CountDownLatch
import kotlin.concurrent.thread
import kotlin.math.abs
import org.gridwalk.core.CancelToken
import org.gridwalk.core.Change
import org.gridwalk.core.Engine
import org.gridwalk.core.EngineException
import org.gridwalk.core.ExportFormat
import org.gridwalk.core.GapCause
import org.gridwalk.core.GridLevel
import org.gridwalk.core.IncidentView
import org.gridwalk.core.LogOut
import org.gridwalk.core.NetworkCost
import org.gridwalk.core.NewPhoto
import org.gridwalk.core.NextSync
import org.gridwalk.core.Power
import org.gridwalk.core.SendState
import org.gridwalk.core.SensorMark
import org.gridwalk.core.SensorPriority
import org.gridwalk.core.SyncCut
import org.gridwalk.core.SyncPhase
import org.gridwalk.core.SyncSettings
import org.gridwalk.core.VaultWhy
import org.junit.jupiter.api.AfterAll
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNotEquals
import org.junit.jupiter.api.Assertions.assertNotNull
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.BeforeAll
import org.junit.jupiter.api.BeforeEach
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestInfo
import org.junit.jupiter.api.TestInstance
import org.junit.jupiter.api.assertThrows
import org.junit.jupiter.api.io.TempDir

/**
 * Drives the real library through its generated Kotlin, against a real server.
 * The scenarios bear the same names in every language (tests/bindings/README.md).
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class BindingsTest {
    private lateinit var scratch: File
    private lateinit var server: Server
    private lateinit var phone: Phone
    private val opened = mutableListOf<Engine>()

    @BeforeAll
    fun start(@TempDir scratch: File) {
        this.scratch = scratch
        server = Server(File(scratch, "server"))
    }

    @AfterAll
    fun stop() = server.close()

    @BeforeEach
    fun buy(test: TestInfo) {
        phone = Phone(File(scratch, test.testMethod.get().name))
    }

    @AfterEach
    fun shut() {
        opened.forEach(Engine::shut)
        opened.clear()
    }

    private fun open() = phone.open().also { opened += it }

    private fun enrolled(server: Server = this.server) = open().also { it.enrol(server.invitation(), null) }

    @Test
    fun enrolsAndKnowsItsGrid() {
        val engine = open()
        assertNull(engine.identity())
        val identity = engine.enrol(server.invitation(), null)
        assertEquals(identity, engine.identity())
        assertEquals(server.url, identity.server)
        val grid = engine.grids().single()
        assertEquals(GRID to GridLevel.BASE, grid.code to grid.level)
        val ring = grid.boundary[0][0]
        assertEquals(ring.first(), ring.last(), "a ring is closed")
        assertEquals(setOf(52.62, 52.69), ring.map { it.lat }.toSet())
        assertTrue("fire_safety" in engine.catalogue().categories.map { it.code })
    }

    @Test
    fun aShiftAndAPatrolFromARealTrace() {
        val engine = enrolled()
        engine.startShift(null)
        val patrol = engine.startPatrol()
        engine.mark(SensorMark.Asked(1000u))
        trace(700..899, endsMs = nowMs()).chunked(20).forEachIndexed { bunch, fixes ->
            val recorded = engine.record(fixes)
            assertEquals(patrol to 20uL * (bunch + 1).toULong(), recorded.patrol to recorded.acked)
        }
        engine.pausePatrol()
        assertTrue(engine.status().patrol!!.paused)
        engine.resumePatrol()
        val now = engine.status()
        assertEquals(200uL to GRID, now.patrol!!.fixes to now.shift!!.grid.code)
        val summary = engine.finishPatrol()
        assertEquals(200uL, summary.fixes)
        val route = engine.route(patrol)
        assertEquals(200uL, route.fixes)
        // From fix to fix it is 1,125 m; what lies in gaps is not counted.
        assertTrue(route.distanceM in 1_000.0..1_125.0, "${route.distanceM}")
        assertTrue(abs(route.distanceM - summary.distanceM) < 1)
        assertEquals(route.used, route.segments.sumOf { it.size }.toULong())
        assertTrue("<trkpt" in engine.export(patrol, ExportFormat.GPX))
        engine.endShift()
        engine.sync(null, null)
        assertEquals(SendState.Sent, engine.patrol(patrol).send)
        val held = Regex("\\{[^{}]*\"id\":\"$patrol\"[^{}]*").find(server.holdings())
        assertTrue(held != null && "\"fixes_stored\":200" in held.value, "$held")
    }

    @Test
    fun killedAndGoesOn() {
        val before = enrolled()
        before.startShift(null)
        val patrol = before.startPatrol()
        before.shut()
        val recorder = ProcessBuilder(recorder())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start()
        val lines = recorder.inputReader()
        var acked = 0uL
        while (acked < 120u) acked = lines.readLine().removePrefix("acked ").toULong()
        // By its handle: the process itself would close its pipe along with it.
        recorder.toHandle().destroyForcibly()
        // A last line may be cut off; what stands in whole lines was acknowledged.
        val rest = lines.readText().substringBeforeLast('\n', "").lines().filter { it.isNotEmpty() }
        acked = rest.lastOrNull()?.removePrefix("acked ")?.toULong() ?: acked
        recorder.waitFor()

        val engine = open()
        val now = engine.status().patrol!!
        assertEquals(patrol, now.id, "the patrol goes on")
        assertTrue(now.fixes >= acked, "every acknowledged fix is there: ${now.fixes} of $acked")
        engine.record(trace(1600..1649, startsMs = nowMs() + 1_000))
        engine.finishPatrol()
        val route = engine.route(patrol)
        assertEquals(now.fixes + 50u, route.fixes)
        assertTrue(GapCause.APP_KILLED in route.gaps.map { it.cause }, "${route.gaps}")
        assertTrue(route.segments.size >= 2, "a gap is not a line")
    }

    @OptIn(ExperimentalStdlibApi::class)
    private fun recorder(): List<String> {
        val inherited = listOf("jna.library.path", "gridwalk.fixtures").map { "-D$it=${System.getProperty(it)}" }
        val java = File(System.getProperty("java.home"), "bin/java").path
        val classes = listOf("-cp", System.getProperty("java.class.path"), "Recorder")
        return listOf(java) + inherited + classes + listOf(phone.folder.path, phone.key.toHexString())
    }

    @Test
    fun anIncidentWithAPhoto() {
        val engine = enrolled()
        engine.startShift(null)
        val saved = engine.reportIncident(incident("楼道堆物", photo(200)))
        val shown = engine.incidents().single()
        assertEquals(listOf(saved, "楼道堆物", "reported"), listOf(shown.id, shown.title, shown.status))
        assertEquals(SendState.Saved, shown.send)
        val kept = shown.photos.single()
        assertEquals(kept.bytes, engine.photo(kept.sha256).size.toULong())
        val report = engine.sync(null, null)
        assertEquals(1uL, report.blobsSent)
        assertEquals(SendState.Sent, engine.incident(saved).send)
        assertTrue(engine.incident(saved).photos[0].sent)
        val holdings = server.holdings()
        assertTrue(saved in holdings && kept.sha256 in holdings)
    }

    @Test
    fun offlineLosesNothing() {
        Server(File(scratch, "offline-server")).use { server ->
            val engine = enrolled(server)
            engine.startShift(null)
            engine.sync(null, null)
            server.stop()
            val saved = engine.reportIncident(incident("断网时上报", photo(60)))
            val before = engine.status().unsent
            assertTrue(before.ops >= 1u && before.blobs == 1uL, "$before")
            assertThrows<EngineException.Offline> { engine.sync(null, null) }
            assertEquals(before, engine.status().unsent)
            server.start()
            engine.sync(null, null)
            assertEquals(SendState.Sent, engine.incident(saved).send)
            val after = engine.status().unsent
            assertEquals(listOf(0uL, 0uL, 0uL, null), listOf(after.ops, after.chunks, after.blobs, after.oldestMs))
        }
    }

    @Test
    fun syncWithProgress() {
        val engine = enrolled()
        engine.startShift(null)
        val large = photo(700)
        engine.reportIncident(incident("消防通道被占", large))
        val progress = Progress()
        val report = engine.sync(progress, null)
        val phases = progress.seen.map { it.phase }
        for (phase in listOf(SyncPhase.HELLO, SyncPhase.PUSH, SyncPhase.BLOBS, SyncPhase.PULL)) {
            assertTrue(phase in phases, "$phase of $phases")
        }
        assertTrue(progress.seen.all { it.done <= it.total })
        val up = progress.seen.map { it.bytesUp }
        assertEquals(up.sorted(), up, "what is sent only grows")
        assertTrue(report.bytesUp > large.bytes.size.toULong() * 9u / 10u)
    }

    @Test
    fun theEngineSaysWhenAndOverWhichNetwork() {
        val engine = open()
        assertEquals(NextSync.Never, engine.nextSync(NetworkCost.UNMETERED))
        engine.enrol(server.invitation(), null)
        engine.startShift(null)
        val saved = engine.reportIncident(incident("路灯不亮", photo(60)))
        assertEquals(NextSync.WhenOnline, engine.nextSync(NetworkCost.OFFLINE))
        assertEquals(NextSync.Now, engine.nextSync(NetworkCost.METERED))
        engine.sync(null, null, NetworkCost.METERED)
        assertEquals(SendState.Waiting, engine.incident(saved).send, "its photo waits")
        val after = engine.nextSync(NetworkCost.METERED) as NextSync.After
        assertTrue(after.ms in 1..900_000, "$after")
        assertEquals(NextSync.Now, engine.nextSync(NetworkCost.UNMETERED))
        engine.networkReturned()
        engine.setSyncSettings(SyncSettings(routesOnMetered = true, photosOnMetered = true, keepRoutesDays = 30u))
        assertTrue(engine.syncSettings().photosOnMetered)
        assertEquals(NextSync.Now, engine.nextSync(NetworkCost.METERED))
        engine.sync(null, null, NetworkCost.METERED)
        assertEquals(SendState.Sent, engine.incident(saved).send)
        assertEquals(SyncCut.Budget, engine.sync(null, null, NetworkCost.UNMETERED, 1uL).cut)
    }

    @Test
    fun whoLeavesIsAskedAndWhatIsUnsentIsSent() {
        val engine = enrolled()
        engine.startShift(null)
        engine.reportIncident(incident("井盖缺失", photo(60)))
        val asked = (engine.logOut(false) as LogOut.Asks).departure
        assertTrue(asked.onShift && asked.unsent.blobs == 1uL, "$asked")
        assertNotNull(engine.identity(), "nothing was changed")
        assertEquals(LogOut.Done, engine.logOut(true))
        assertEquals(null, engine.identity())
        assertEquals(emptyList<IncidentView>(), engine.incidents())
        val left = engine.vault().single()
        assertEquals(VaultWhy.LOGGED_OUT, left.why)
        assertEquals(left.unsent.ops + left.unsent.blobs, engine.status().leftUnsent)
        val written = engine.exportUnsent(File(scratch, "unsent").path)
        assertEquals(left.unsent.ops to 1uL, written.ops to written.blobs)
        engine.enrol(server.invitation(), null)
        assertTrue(engine.incidents().isEmpty() && engine.conflicts().isEmpty())
        engine.sync(null, null)
        assertEquals(0uL, engine.status().leftUnsent)
    }

    @Test
    fun theSensorsPlan() {
        val engine = enrolled()
        val full = Power(percent = 90u, charging = false, saving = false)
        assertEquals(null, engine.sensorPlan(full), "no patrol, no sensor")
        engine.startShift(null)
        engine.startPatrol()
        val plan = engine.sensorPlan(full)!!
        assertEquals(1_000u to SensorPriority.HIGH, plan.everyMs to plan.priority)
        val low = engine.sensorPlan(Power(percent = null, charging = false, saving = true))!!
        assertTrue(low.everyMs > plan.everyMs, "$low")
        engine.pausePatrol()
        assertEquals(null, engine.sensorPlan(full))
        assertTrue(engine.coverage().sites.isEmpty())
    }

    @Test
    fun errorsHaveTheirTypes() {
        val nobody = "00000000-0000-4000-8000-000000000000"
        val engine = open()
        assertThrows<EngineException.NotEnrolled> { engine.sync(null, null) }
        assertThrows<EngineException.BadInvitation> { engine.enrol("https://example.org/", null) }
        val refused = assertThrows<EngineException.EnrolRefused> { engine.enrol("AAAA-AAAA-AAAA", server.url) }
        assertEquals("wrong_code", refused.code)
        assertNull(engine.identity(), "a refused code changes nothing")
        engine.enrol(server.invitation(), null)
        assertThrows<EngineException.AlreadyEnrolled> { engine.enrol(server.invitation(), null) }
        assertThrows<EngineException.NoShift> { engine.startPatrol() }
        assertThrows<EngineException.OutOfScope> { engine.startShift(nobody) }
        val bad = assertThrows<EngineException.BadInput> { engine.startShift("第一网格") }
        assertEquals("grid", bad.what)
        assertTrue("UUID" in "$bad", "the text says what is expected: $bad")
        engine.startShift(engine.grids()[0].id)
        assertThrows<EngineException.NoPatrol> { engine.record(trace(0..0, endsMs = nowMs())) }
        assertThrows<EngineException.UnknownCategory> {
            engine.reportIncident(incident("楼道堆物", category = "weather"))
        }
        val gif = NewPhoto("GIF89a".toByteArray(), "image/gif")
        val taken = assertThrows<EngineException.PhotoNotTaken> { engine.reportIncident(incident("楼道堆物", gif)) }
        assertEquals(0u, taken.index)
        assertTrue(engine.incidents().isEmpty(), "a refused report leaves nothing")
        assertThrows<EngineException.NotFound> { engine.incident(nobody) }
        assertThrows<EngineException.InUse> { phone.open() }
        engine.shut()
        engine.shut()
        assertThrows<EngineException.Closed> { engine.status() }
        assertThrows<EngineException.WrongKey> { Engine.open(phone.options(ByteArray(32) { 1 })) }
        assertThrows<EngineException.BadInput> { Engine.open(phone.options("too short".toByteArray())) }
        assertEquals(1, listOfNotNull(open().status().shift).size)
    }

    @Test
    fun aCallbackFromAnotherThread() {
        val engine = enrolled()
        val changes = Changes()
        val subscription = engine.observe(changes)
        assertNull((changes.next() as Change.Snapshot).status.shift)
        engine.startShift(null)
        changes.until<Change.StatusChanged> { it.status.shift != null }
        val saved = engine.reportIncident(incident("井盖缺失"))
        assertEquals(saved, changes.until<Change.IncidentChanged>().incident.id)
        assertFalse(Thread.currentThread() in changes.threads)
        subscription.cancel()
        changes.told.clear()
        engine.endShift()
        engine.status()
        assertTrue(changes.told.isEmpty(), "nothing is told after cancel returned")
    }

    @Test
    fun aSubscriptionEndsWithTheEngine() {
        val engine = enrolled()
        val changes = Changes()
        engine.observe(changes).use {
            engine.shut()
            changes.until<Change.Closed>()
        }
    }

    @Test
    fun anObserverThatThrowsDoesNoHarm() {
        val engine = enrolled()
        val changes = Changes(fails = true)
        engine.observe(changes).use {
            assertTrue(changes.next() is Change.Snapshot)
            engine.startShift(null)
            changes.until<Change.StatusChanged> { it.status.shift != null }
        }
        val progress = Progress { error("this observer always fails") }
        engine.sync(progress, null)
        assertTrue(progress.seen.size > 1, "the sync went on and told more")
        assertEquals(0uL, engine.status().unsent.ops)
    }

    @Test
    fun cancel() {
        val engine = enrolled()
        engine.startShift(null)
        val saved = engine.reportIncident(incident("占道经营", photo(900), photo(900)))
        val early = CancelToken()
        early.cancel()
        assertTrue(early.isCancelled())
        assertThrows<EngineException.Cancelled> { engine.sync(null, early) }
        assertNotEquals(SendState.Sent, engine.incident(saved).send)

        val token = CancelToken()
        val sending = CountDownLatch(1)
        val canceller = thread {
            sending.await()
            token.cancel()
        }
        val oncePhotosGo = Progress {
            if (it.phase == SyncPhase.BLOBS) {
                sending.countDown()
                canceller.join()
            }
        }
        assertThrows<EngineException.Cancelled> { engine.sync(oncePhotosGo, token) }
        val half = engine.incident(saved)
        assertEquals(SendState.Waiting, half.send)
        assertFalse(half.photos.all { it.sent })
        engine.sync(null, CancelToken())
        assertEquals(SendState.Sent, engine.incident(saved).send)
    }

    @Test
    fun tenThousandCallsWithoutALeak() {
        val engine = enrolled()
        engine.startShift(null)
        engine.startPatrol()
        engine.reportIncident(incident("井盖缺失", photo(60)))
        engine.record(trace(700..899, endsMs = nowMs()))

        fun calls(times: Int) = repeat(times) { number ->
            engine.status()
            engine.incidents()
            CancelToken().use(CancelToken::cancel)
            assertThrows<EngineException.PatrolRunning> { engine.startPatrol() }
            if (number % 50 == 0) {
                val changes = Changes()
                engine.observe(changes).use { changes.next() }
            }
        }
        calls(2_000)
        // The JVM itself takes from malloc and gives back, by fits and starts; a leak grows each
        // time. The driver in Python holds the library to a tighter figure.
        val grown = List(5) {
            System.gc()
            val before = allocatedKb()
            calls(2_000)
            System.gc()
            allocatedKb() - before
        }
        assertTrue(grown.sorted()[2] < 400, "KB more allocated after each 2,000 calls of each: $grown")
        assertTrue(isForgotten(observedOnce(engine)), "the core keeps no observer after its subscription")
    }

    /** An observer whose subscription has ended; nobody holds it but the core, if it leaks. */
    private fun observedOnce(engine: Engine): WeakReference<Changes> {
        val changes = Changes()
        engine.observe(changes).use { changes.next() }
        return WeakReference(changes)
    }
}
