package org.gridwalk.app.day

import android.Manifest.permission.POST_NOTIFICATIONS
import android.app.Application
import android.app.Service
import android.content.Intent
import androidx.compose.ui.test.junit4.v2.createEmptyComposeRule
import androidx.test.core.app.ApplicationProvider
import androidx.work.Constraints
import androidx.work.ListenableWorker.Result
import androidx.work.NetworkType
import androidx.work.WorkInfo
import androidx.work.WorkManager
import androidx.work.testing.TestListenableWorkerBuilder
import java.util.concurrent.TimeUnit
import kotlinx.coroutines.runBlocking
import org.gridwalk.core.EngineException
import org.gridwalk.core.NewIncident
import org.gridwalk.core.NewPhoto
import org.gridwalk.core.SendState
import org.gridwalk.shared.R
import org.gridwalk.shared.location.PatrolService
import org.gridwalk.shared.sync.SyncSchedule
import org.gridwalk.shared.sync.SyncWorker
import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config

/** The location service and the sync worker by themselves, over the real library and a real server. */
@RunWith(RobolectricTestRunner::class)
@Config(application = TestApp::class)
class ServiceTest {
    @get:Rule
    val scratch = TemporaryFolder()

    @get:Rule
    val rule = createEmptyComposeRule()

    private val app = ApplicationProvider.getApplicationContext<TestApp>()
    private val hand by lazy { Hand(rule) }
    private lateinit var server: TestServer

    @Before
    fun enrolled() {
        server = TestServer(scratch.newFolder("server"))
        core { enrol(server.invitation(), null) }
    }

    @After
    fun stop() = server.close()

    private fun <T> core(block: suspend org.gridwalk.shared.Gridwalk.() -> T): T = runBlocking { app.core.gridwalk().block() }

    private fun onPatrol() = core {
        startShift(null)
        startPatrol()
    }

    private fun report() = core { report(NewIncident("hygiene", null, "市场北门垃圾未清运", null, null, emptyList())) }

    @Test
    fun without_the_permission_no_service_is_started() {
        onPatrol()
        PatrolService.start(app)
        assertNull(shadowOf(app as Application).peekNextStartedService())
        assertNotNull("and the patrol runs all the same", hand.status().patrol)
    }

    @Test
    fun it_shows_that_it_records_and_ends_with_the_patrol() {
        onPatrol()
        hand.grants()
        hand.switchesGps(true)
        PatrolService.start(app)
        hand.letsTheServiceRun()
        assertEquals(app.getString(R.string.notification_title), hand.notified())
        hand.walks(Trace.endingNow(650..659), 10)
        core { finishPatrol() }
        hand.until("the service ends") { hand.serviceIsStopped() }
        assertEquals(0, hand.listeners())
    }

    @Test
    fun the_system_starts_it_again_without_the_app_and_it_goes_on() {
        onPatrol()
        hand.grants()
        hand.switchesGps(true)
        val service = Robolectric.buildService(PatrolService::class.java).create().get()
        assertEquals(Service.START_STICKY, service.onStartCommand(null, 0, 1))
        hand.until("the sensor is asked") { hand.listeners() == 1 }
        hand.walks(Trace.endingNow(650..659), 10)
        service.onStartCommand(null, 0, 2)
        hand.walks(Trace.endingNow(660..669), 20)
        assertEquals("twice started is not twice recorded", 1, hand.listeners())
        service.onDestroy()
    }

    @Test
    fun location_switched_off_and_on_again_is_survived_and_said_as_it_is() {
        onPatrol()
        hand.grants()
        hand.switchesGps(false)
        PatrolService.start(app)
        hand.letsTheServiceRun()
        hand.until("it does not say that it records") { hand.notified() == app.getString(R.string.location_off) }
        hand.switchesGps(true)
        hand.walks(Trace.endingNow(650..659), 10)
        hand.until("it says that it records") { hand.notified() == app.getString(R.string.notification_title) }
        hand.switchesGps(false)
        hand.until("it does not say so any longer") { hand.notified() == app.getString(R.string.location_off) }
        hand.switchesGps(true)
        hand.walks(Trace.endingNow(660..669), 20)
    }

    @Test
    fun a_battery_saver_that_takes_positions_with_the_screen_is_the_gap_s_cause() {
        onPatrol()
        hand.grants()
        hand.switchesGps(true)
        PatrolService.start(app)
        hand.letsTheServiceRun()
        hand.walks(Trace.endingNow(650..659), 10)
        hand.savesPower(true)
        hand.until("it does not say that it records") { hand.notified() == app.getString(R.string.location_saver) }
        hand.savesPower(false)
        hand.until("it says that it records") { hand.notified() == app.getString(R.string.notification_title) }
        // How densely it is asked again depends on how long nothing came: the plan's to say.
        hand.until("the sensor is asked again") { hand.listeners() == 1 }
    }

    @Test
    fun the_sensor_is_asked_as_the_engine_plans_it() {
        onPatrol()
        hand.grants()
        hand.switchesGps(true)
        PatrolService.start(app)
        hand.letsTheServiceRun()
        hand.until("once a second while walking") { hand.asked() == 1_000L }
        hand.hasBattery(percent = 10)
        hand.until("and more rarely on a low battery") { hand.asked() >= 5_000L }
        assertEquals("with one listener", 1, hand.listeners())
    }

    @Test
    fun the_app_swiped_away_does_not_end_it() {
        onPatrol()
        hand.grants()
        hand.switchesGps(true)
        val service = Robolectric.buildService(PatrolService::class.java).create().startCommand(0, 1).get()
        hand.until("the sensor is asked") { hand.listeners() == 1 }
        hand.walks(Trace.endingNow(650..659), 10)
        service.onTaskRemoved(Intent())
        hand.walks(Trace.endingNow(660..669), 20)
        assertFalse(shadowOf(service).isStoppedBySelf)
        service.onDestroy()
    }

    @Test
    fun without_the_permission_the_system_s_restart_asks_to_open_the_app() {
        onPatrol()
        shadowOf(app as Application).grantPermissions(POST_NOTIFICATIONS)
        val service = Robolectric.buildService(PatrolService::class.java).create().get()
        shadowOf(service).setThrowInStartForeground(SecurityException("not with this type"))
        assertEquals(Service.START_NOT_STICKY, service.onStartCommand(null, 0, 1))
        assertTrue(shadowOf(service).isStoppedBySelf)
        assertEquals(app.getString(R.string.notification_interrupted), hand.notified())
        assertEquals(0, hand.listeners())
    }

    @Test
    fun without_a_patrol_it_ends_at_once() {
        hand.grants()
        val service = Robolectric.buildService(PatrolService::class.java).create().startCommand(0, 1).get()
        hand.until("the service ends") { shadowOf(service).isStoppedBySelf }
        assertEquals(0, hand.listeners())
    }

    @Test
    fun work_waits_for_a_network_and_then_sends() {
        core { startShift(null) }
        report()
        SyncSchedule(WorkManager.getInstance(app)).soon()
        val work = hand.works(SyncSchedule.SOON).single()
        assertEquals(WorkInfo.State.ENQUEUED, work.state)
        assertEquals(NetworkType.CONNECTED, work.constraints.requiredNetworkType)
        assertTrue(hand.status().unsent.ops > 0u)
        hand.letsWorkRun(SyncSchedule.SOON)
        hand.until("it is sent") { hand.works(SyncSchedule.SOON).single().state == WorkInfo.State.SUCCEEDED }
        assertEquals(0uL, hand.status().unsent.ops)
    }

    @Test
    fun without_a_server_it_is_tried_again_by_the_engine_s_alarm_and_nothing_is_lost() {
        core { startShift(null) }
        report()
        val before = hand.status().unsent.ops
        server.stop()
        assertEquals(Result.success(), work())
        assertTrue("${app.sync.state.value}", app.sync.state.value.error is EngineException.Offline)
        assertEquals(before, hand.status().unsent.ops)
        val alarm = hand.works(SyncSchedule.ALARM).single()
        assertEquals(WorkInfo.State.ENQUEUED, alarm.state)
        assertTrue("${alarm.initialDelayMillis} ms, drawn below ten seconds", alarm.initialDelayMillis <= 10_000)
        server.start()
        hand.joins(wifi = false)
        hand.until("the network's return is taken as one") { hand.works(SyncSchedule.SOON).isNotEmpty() }
        hand.letsWorkRun(SyncSchedule.SOON)
        hand.until("it is sent") { hand.status().unsent.ops == 0uL }
        hand.until("nothing is wrong any more") { app.sync.state.value.run { error == null && progress == null } }
    }

    @Test
    fun after_a_sync_the_engine_s_time_is_the_alarm_and_until_then_nothing_runs() {
        core { startShift(null) }
        assertEquals(Result.success(), work())
        val alarm = hand.works(SyncSchedule.ALARM).single()
        assertTrue("${alarm.initialDelayMillis} ms, a quarter of an hour", alarm.initialDelayMillis in 800_000..900_000)
        val requests = server.holdings()
        assertEquals(Result.success(), work())
        assertEquals("it was not time", requests, server.holdings())
        assertEquals("and there is one alarm", 1, hand.works(SyncSchedule.ALARM).count { !it.state.isFinished })
    }

    @Test
    fun it_is_also_done_regularly_and_only_once() {
        repeat(2) { SyncSchedule(WorkManager.getInstance(app)).regularly() }
        val work = hand.works(SyncSchedule.REGULARLY).single()
        assertEquals(TimeUnit.MINUTES.toMillis(15), work.periodicityInfo!!.repeatIntervalMillis)
        assertEquals(Constraints.Builder().setRequiredNetworkType(NetworkType.CONNECTED).build(), work.constraints)
    }

    @Test
    fun over_mobile_data_the_report_goes_and_its_photo_waits_for_wifi() {
        reportWithPhoto()
        hand.joins(wifi = false)
        assertEquals(Result.success(), work())
        assertEquals("the report is there, the photo is not", 0uL to 1uL, hand.status().unsent.run { ops to blobs })
        assertEquals(SendState.Waiting, runBlocking { hand.incidents(app.core.gridwalk()) }.single().send)
        val waiting = hand.works(SyncSchedule.FREE).single()
        assertEquals(NetworkType.UNMETERED, waiting.constraints.requiredNetworkType)
        hand.joins(wifi = true)
        hand.letsWorkRun(SyncSchedule.FREE)
        hand.until("the photo is sent") { hand.status().unsent.blobs == 0uL }
        assertEquals(SendState.Sent, runBlocking { hand.incidents(app.core.gridwalk()) }.single().send)
    }

    @Test
    fun by_the_worker_s_wish_everything_goes_over_mobile_data() {
        reportWithPhoto()
        hand.joins(wifi = false)
        assertNull(runBlocking { app.sync.run() })
        assertEquals(0uL, hand.status().unsent.run { ops + chunks + blobs })
    }

    @Test
    fun what_those_who_left_had_not_sent_goes_by_itself() {
        core { startShift(null) }
        report()
        core { logOut(confirm = true) }
        assertTrue("${hand.status()}", hand.status().run { identity == null && leftUnsent > 0u })
        assertEquals(Result.success(), work())
        assertEquals(0uL, hand.status().leftUnsent)
    }

    private fun reportWithPhoto() = core {
        startShift(null)
        report(NewIncident("hygiene", null, "市场北门垃圾未清运", null, null, listOf(NewPhoto(jpeg(), "image/jpeg"))))
    }

    private fun work(): Result = runBlocking { TestListenableWorkerBuilder<SyncWorker>(app).build().doWork() }
}
