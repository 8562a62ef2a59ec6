package org.gridwalk.app.day

import android.Manifest.permission.ACCESS_COARSE_LOCATION
import android.app.Activity
import android.app.Application
import android.content.Intent
import android.net.Uri
import android.provider.Settings
import androidx.compose.ui.test.junit4.v2.createEmptyComposeRule
import androidx.lifecycle.Lifecycle
import androidx.test.core.app.ActivityScenario
import java.io.File
import kotlinx.coroutines.runBlocking
import org.gridwalk.app.MainActivity
import org.gridwalk.core.EngineException
import org.gridwalk.core.NewIncident
import org.gridwalk.shared.R
import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertNull
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config

/** Whatever is refused, the rest goes on, and the screen says what is missing. */
@RunWith(RobolectricTestRunner::class)
@Config(application = TestApp::class)
class RefusalsTest {
    @get:Rule
    val scratch = TemporaryFolder()

    @get:Rule
    val rule = createEmptyComposeRule()

    private val hand by lazy { Hand(rule) }
    private lateinit var server: TestServer

    @Before
    fun onDuty() {
        server = TestServer(scratch.newFolder("server"))
        runBlocking {
            hand.app.core.gridwalk().run {
                enrol(server.invitation(), null)
                startShift(null)
            }
        }
        hand.scenario = ActivityScenario.launch(MainActivity::class.java)
    }

    @After
    fun stop() = server.close()

    @Test
    fun the_worker_declines_the_reason_and_patrols_without_a_route() {
        hand.presses(R.string.patrol_start)
        hand.awaits(R.string.permission_location_why)
        hand.presses(R.string.permission_location_without)
        hand.awaits(R.string.permission_location_off)
        assertNull("the system was not asked", shadowOf(hand.activity()).lastRequestedPermission)
        assertNotNull(hand.status().patrol)
        hand.presses(R.string.common_settings)
        assertEquals(Settings.ACTION_APPLICATION_DETAILS_SETTINGS, shadowOf(hand.activity()).nextStartedActivity.action)
    }

    @Test
    fun the_system_s_question_is_answered_no_and_later_the_settings_say_yes() {
        hand.presses(R.string.patrol_start)
        hand.presses(R.string.common_allow)
        hand.answersPermissions(granted = false)
        hand.awaits(R.string.permission_location_off)
        // Back from the settings, where it was allowed.
        hand.scenario.moveToState(Lifecycle.State.STARTED)
        hand.grants()
        hand.switchesGps(true)
        hand.scenario.moveToState(Lifecycle.State.RESUMED)
        hand.letsTheServiceRun()
        hand.until("the notice is gone") { !hand.sees(hand.say(R.string.permission_location_off)) }
        hand.walks(Trace.endingNow(650..659), 10)
    }

    @Test
    fun a_rough_position_makes_no_route_and_both_screens_say_so() {
        shadowOf(hand.app as Application).grantPermissions(ACCESS_COARSE_LOCATION)
        hand.presses(R.string.patrol_start)
        hand.presses(R.string.permission_location_without)
        hand.awaits(R.string.permission_location_reduced)
        hand.presses(R.string.tab_today)
        hand.awaits(R.string.today_on_shift)
        hand.awaits(R.string.permission_location_reduced)
    }

    @Test
    fun location_is_switched_off_in_the_phone() {
        hand.grants()
        hand.switchesGps(false)
        hand.presses(R.string.patrol_start)
        hand.awaits(R.string.location_off)
        hand.presses(R.string.location_turn_on)
        assertEquals(Settings.ACTION_LOCATION_SOURCE_SETTINGS, shadowOf(hand.activity()).nextStartedActivity.action)
    }

    @Test
    fun a_phone_that_the_server_no_longer_knows_keeps_all_and_says_so() {
        runBlocking { hand.app.core.gridwalk().report(NewIncident("hygiene", null, "市场北门垃圾未清运", null, null, emptyList())) }
        val unsent = hand.status().unsent.ops
        val listen = server.listen
        server.stop()
        TestServer(scratch.newFolder("stranger"), listen).use {
            hand.presses(R.string.sync_now)
            hand.awaits(R.string.error_revoked)
            assertEquals(unsent, hand.status().unsent.ops)
            hand.awaits(hand.say(R.string.unsent_some, unsent))
        }
        server.start()
        hand.presses(R.string.sync_now)
        hand.awaits(R.string.unsent_none)
        hand.until("it is known again") { !hand.sees(hand.say(R.string.error_revoked)) }
    }

    @Test
    fun a_phone_that_is_signed_out_takes_a_new_code_of_its_worker_s_alone() {
        val listen = server.listen
        server.stop()
        TestServer(scratch.newFolder("stranger"), listen).use { stranger ->
            hand.presses(R.string.sync_now)
            hand.presses(R.string.enrol_again)
            hand.awaits(R.string.enrol_intro)
            hand.types(R.string.enrol_code, stranger.invitation())
            hand.presses(R.string.enrol_action)
            hand.awaits(R.string.error_other_worker)
            hand.presses(hand.say(R.string.common_back), byDescription = true)
            hand.awaits(R.string.error_revoked)
        }
    }

    @Test
    fun who_logs_out_is_told_what_is_unsent_and_the_next_one_sees_none_of_it() {
        runBlocking { hand.app.core.gridwalk().report(NewIncident("hygiene", null, "市场北门垃圾未清运", null, null, emptyList())) }
        hand.presses(R.string.shift_end)
        hand.awaits(R.string.shift_end_ask)
        hand.pressesLast(R.string.shift_end)
        hand.presses(R.string.logout_action)
        val unsent = hand.status().unsent.ops.toLong()
        hand.awaits(hand.say(R.string.logout_unsent, unsent))
        hand.pressesLast(R.string.logout_action)
        hand.awaits(hand.say(R.string.enrol_left, unsent))
        assertNull(hand.status().identity)
        hand.types(R.string.enrol_code, server.invitation())
        hand.presses(R.string.enrol_action)
        hand.presses(R.string.tab_incidents)
        hand.awaits(R.string.incidents_empty)
        assertEquals(unsent.toULong(), hand.status().leftUnsent)
    }

    @Test
    fun a_stolen_phone_is_wiped_with_its_key_and_says_so() {
        val key = File(hand.app.noBackupFilesDir, "gridwalk.key").readBytes()
        val before = hand.status().identity!!
        server.reportStolen(before.deviceId)
        runBlocking { hand.app.sync.run() }
        hand.awaits(R.string.error_wiped)
        assertEquals(emptyList<String>(), hand.app.noBackupFilesDir.list().orEmpty().filter { it.startsWith("gridwalk") })
        hand.presses(R.string.common_retry)
        hand.awaits(R.string.enrol_intro)
        assertFalse(key.contentEquals(File(hand.app.noBackupFilesDir, "gridwalk.key").readBytes()))
    }

    @Test
    fun another_worker_s_code_changes_nothing_on_a_phone_that_has_its_worker() {
        val before = hand.status().identity
        val scanned = Intent(Intent.ACTION_VIEW, Uri.parse(server.invitation())).setPackage(hand.app.packageName)
        ActivityScenario.launch<MainActivity>(scanned).use { hand.awaits(R.string.today_on_shift) }
        assertEquals(before, hand.status().identity)
        assertThrows(EngineException.AlreadyEnrolled::class.java) { runBlocking { hand.app.core.gridwalk().enrol(server.invitation(), null) } }
        assertEquals(before, hand.status().identity)
    }

    @Test
    fun no_camera_and_no_place_and_the_report_is_saved_all_the_same() {
        shadowOf(hand.app as Application).checkActivities(true)
        hand.presses(R.string.report_action)
        hand.awaits(R.string.report_needs_category)
        hand.presses("家庭纠纷")
        hand.presses(R.string.report_photo)
        hand.awaits(R.string.report_camera_missing)
        hand.awaits(R.string.report_place_unknown)
        hand.presses(R.string.report_save)
        hand.awaits(R.string.report_saved)
        val saved = runBlocking { hand.incidents(hand.app.core.gridwalk()) }.single()
        // Its form asks for more than the screen does: it is classified later.
        assertEquals(listOf("家庭纠纷"), saved.tags)
        assertEquals("" to 0, saved.category to saved.photos.size)
        assertNull(saved.place)
    }

    @Test
    fun a_photo_not_taken_leaves_no_trace() {
        hand.presses(R.string.report_action)
        hand.presses(R.string.report_photo)
        hand.until("the camera is opened") { shadowOf(hand.activity()).peekNextStartedActivityForResult() != null }
        val asked = shadowOf(hand.activity()).nextStartedActivityForResult.intent
        hand.scenario.onActivity { shadowOf(it).receiveResult(asked, Activity.RESULT_CANCELED, null) }
        hand.awaits(R.string.report_photo)
        hand.presses(hand.say(R.string.common_back), byDescription = true)
        hand.awaits(R.string.today_on_shift)
        assertTrue(hand.app.photos.listFiles().orEmpty().isEmpty())
    }

    @Test
    fun leaving_a_form_with_words_in_it_asks_once() {
        hand.presses(R.string.report_action)
        hand.presses("环境卫生")
        hand.presses(hand.say(R.string.common_back), byDescription = true)
        hand.awaits(R.string.report_discard_ask)
        hand.presses(R.string.common_cancel)
        hand.until("the form is still there") { !hand.sees(hand.say(R.string.report_discard_ask)) && hand.sees(hand.say(R.string.report_save)) }
        hand.presses(hand.say(R.string.common_back), byDescription = true)
        hand.presses(R.string.report_discard)
        hand.awaits(R.string.today_on_shift)
    }
}
