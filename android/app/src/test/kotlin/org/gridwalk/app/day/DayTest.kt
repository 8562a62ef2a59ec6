package org.gridwalk.app.day

import android.content.Intent
import android.net.Uri
import android.os.Vibrator
import androidx.compose.ui.test.assertIsDisplayed
import androidx.compose.ui.test.hasSetTextAction
import androidx.compose.ui.test.junit4.v2.createEmptyComposeRule
import androidx.compose.ui.test.onNodeWithText
import androidx.compose.ui.test.performTextInput
import androidx.test.core.app.ActivityScenario
import androidx.test.core.app.ApplicationProvider
import java.io.File
import org.gridwalk.app.MainActivity
import org.gridwalk.core.SendState
import org.gridwalk.shared.R
import org.gridwalk.shared.sync.SyncSchedule
import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config

/** How many fixes the morning has; the afternoon goes on from there. */
private const val MORNING = 100

/**
 * A gridworker's day through the screens, over the real library, against a real
 * server. The morning runs in a process of its own, which is killed in
 * mid-patrol; the afternoon finds everything and goes on.
 */
@RunWith(RobolectricTestRunner::class)
@Config(application = TestApp::class)
class DayTest {
    @get:Rule
    val rule = createEmptyComposeRule()

    @get:Rule
    val scratch = TemporaryFolder()

    private lateinit var server: TestServer

    @After
    fun stop() {
        System.clearProperty("gridwalk.phone")
        server.close()
    }

    @Test
    fun a_whole_day_with_a_kill_and_a_turn_of_the_phone() {
        server = TestServer(scratch.newFolder("server"))
        val phone = scratch.newFolder("phone")
        morning(phone)
        System.setProperty("gridwalk.phone", phone.path)
        val hand = Hand(rule)
        hand.grants()
        server.stop()

        // The app is opened again, without signal: the patrol has gone on.
        hand.scenario = ActivityScenario.launch(MainActivity::class.java)
        hand.awaits(R.string.patrol_active)
        assertEquals(MORNING.toULong(), hand.status().patrol!!.fixes)
        hand.letsTheServiceRun()
        hand.walks(Trace.endingNow(760..819), MORNING + 60)

        report(hand)
        unsent(hand)
        finish(hand)
        online(hand)

        val incident = Regex("\"incidents\":\\[\"([0-9a-f-]{36})\"]").find(server.holdings())
        assertTrue(server.holdings(), incident != null)
        assertTrue(server.holdings(), "\"fixes_stored\":${MORNING + 60}" in server.holdings())
        // The photo, and its thumbnail.
        assertTrue(server.holdings(), Regex("\"attachments\":\\[\"[0-9a-f]{64}\",\"[0-9a-f]{64}\"]").containsMatchIn(server.holdings()))
    }

    /** Enrolled, on duty, on patrol, a hundred fixes; then SIGKILL. */
    private fun morning(phone: File) {
        val java = ProcessBuilder(
            listOf(File(System.getProperty("java.home"), "bin/java").path) + listOf("gridwalk.android", "gridwalk.server", "jna.library.path", "robolectric.offline", "robolectric.dependency.dir")
                .mapNotNull { name -> System.getProperty(name)?.let { "-D$name=$it" } } +
                listOf("-Dgridwalk.phone=${phone.path}", "-Dgridwalk.invitation=${server.invitation()}", "-Xmx1g") +
                listOf("-cp", System.getProperty("java.class.path"), "org.junit.runner.JUnitCore", Morning::class.java.name),
        )
        val process = java.redirectErrorStream(true).start()
        val told = mutableListOf<String>()
        val walked = process.inputStream.bufferedReader().lineSequence().onEach { told += it }.any { it == Morning.WALKED }
        process.destroyForcibly().waitFor()
        assertTrue(told.joinToString("\n"), walked)
    }

    /** The phone is turned in the middle of the form, and nothing of it is lost. */
    private fun report(hand: Hand) {
        hand.presses(R.string.report_action)
        hand.presses("消防安全")
        hand.until("the form can be written in") { rule.onAllNodes(hasSetTextAction()).fetchSemanticsNodes().isNotEmpty() }
        rule.onNode(hasSetTextAction()).performTextInput("3号楼楼道堆放纸箱")
        RuntimeEnvironment.setQualifiers("+land")
        hand.scenario.recreate()
        hand.awaits("3号楼楼道堆放纸箱")
        RuntimeEnvironment.setQualifiers("+port")
        hand.scenario.recreate()
        hand.presses(R.string.report_photo)
        hand.photographs()
        hand.awaits(R.string.report_photo_again)
        hand.presses(R.string.report_save)
        hand.awaits(R.string.report_saved)
        val vibrator = ApplicationProvider.getApplicationContext<TestApp>().getSystemService(Vibrator::class.java)
        assertTrue("the save is felt", shadowOf(vibrator).isVibrating)
        assertEquals(emptyList<File>(), hand.app.photos.listFiles().orEmpty().toList())
    }

    /** What waits is in words, and no error until somebody asks for the impossible. */
    private fun unsent(hand: Hand) {
        hand.presses(R.string.tab_incidents)
        hand.awaits("3 号楼楼道堆放纸箱".replace(" ", "\u202F"))
        hand.awaits(R.string.incident_on_phone)
        hand.presses(R.string.tab_today)
        hand.awaits(R.string.unsent_waiting)
        assertTrue(hand.status().unsent.ops > 0u && hand.status().unsent.blobs == 1uL)
        hand.presses(R.string.sync_now)
        hand.awaits(R.string.error_network)
    }

    private fun finish(hand: Hand) {
        hand.presses(R.string.tab_patrol)
        hand.presses(R.string.patrol_pause)
        hand.awaits(R.string.patrol_resume)
        hand.until("the sensor is left alone") { hand.listeners() == 0 }
        hand.presses(R.string.patrol_resume)
        hand.awaits(R.string.patrol_pause)
        hand.until("the sensor is asked again") { hand.listeners() == 1 }
        hand.presses(R.string.patrol_finish)
        hand.awaits(R.string.patrol_finish_ask)
        hand.pressesLast(R.string.patrol_finish)
        hand.awaits(R.string.patrol_start)
        hand.until("the service ends by itself") { hand.serviceIsStopped() }
        assertEquals(0, hand.listeners())
        hand.presses(R.string.tab_today)
        hand.presses(R.string.shift_end)
        hand.awaits(R.string.shift_end_ask)
        hand.pressesLast(R.string.shift_end)
        hand.awaits(R.string.today_off_shift)
    }

    /** There is signal again: the waiting work runs by itself, and what is large when there is Wi-Fi. */
    private fun online(hand: Hand) {
        server.start()
        hand.joins(wifi = false)
        hand.until("all but the route and the photo is sent") {
            hand.letsWorkRun(SyncSchedule.SOON)
            hand.status().unsent.run { ops == 0uL && chunks > 0uL && blobs == 1uL }
        }
        hand.awaits(hand.say(R.string.unsent_some, hand.status().unsent.run { chunks + blobs }.toLong()))
        hand.until("what is large waits for Wi-Fi") { hand.works(SyncSchedule.FREE).isNotEmpty() }
        hand.joins(wifi = true)
        hand.letsWorkRun(SyncSchedule.FREE)
        hand.awaits(R.string.unsent_none)
        hand.presses(R.string.tab_incidents)
        hand.awaits(R.string.incident_sent)
        hand.until("the server has said so") { kotlinx.coroutines.runBlocking { hand.app.core.gridwalk().let { core -> hand.incidents(core).all { it.send == SendState.Sent } } } }
    }
}

/** The part of the day before the kill; [DayTest] starts it in a process of its own. */
@RunWith(RobolectricTestRunner::class)
@Config(application = TestApp::class)
class Morning {
    @get:Rule
    val rule = createEmptyComposeRule()

    @Test
    fun until_the_kill() {
        val hand = Hand(rule)
        // The system's camera read the QR code.
        val scanned = Intent(Intent.ACTION_VIEW, Uri.parse(System.getProperty("gridwalk.invitation"))).setPackage(hand.app.packageName)
        hand.scenario = ActivityScenario.launch(scanned)
        hand.awaits(R.string.enrol_scanned)
        hand.presses(R.string.enrol_action)
        hand.awaits(TestServer.GRID_NAME)
        hand.presses(R.string.shift_start)
        hand.awaits(R.string.today_on_shift)
        hand.presses(R.string.patrol_start)
        hand.awaits(R.string.permission_location_title)
        hand.presses(R.string.common_allow)
        hand.answersPermissions(granted = true)
        hand.awaits(R.string.patrol_active)
        hand.switchesGps(true)
        hand.letsTheServiceRun()
        hand.walks(Trace.endingNow(650..749), MORNING)
        rule.onNodeWithText(hand.say(R.string.report_action)).assertIsDisplayed()
        println("\n$WALKED")
        System.out.flush()
        // Until it is killed.
        Thread.currentThread().join()
    }

    companion object {
        const val WALKED = "walked"
    }
}
