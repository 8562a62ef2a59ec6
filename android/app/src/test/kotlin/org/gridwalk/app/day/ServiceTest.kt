package org.gridwalk.app.day

import android.app.NotificationManager
import android.app.Service
import androidx.compose.ui.test.junit4.v2.createEmptyComposeRule
import androidx.test.core.app.ApplicationProvider
import androidx.work.Constraints
import androidx.work.ListenableWorker.Result
import androidx.work.NetworkType
import androidx.work.WorkInfo
import androidx.work.WorkManager
import androidx.work.testing.TestListenableWorkerBuilder
import androidx.work.testing.WorkManagerTestInitHelper
import java.util.concurrent.TimeUnit
import kotlinx.coroutines.runBlocking
import org.gridwalk.core.EngineException
import org.gridwalk.core.NewIncident
import org.gridwalk.shared.R
import org.gridwalk.shared.location.PatrolNotification
import org.gridwalk.shared.location.PatrolService
import org.gridwalk.shared.sync.SyncPolicy
import org.gridwalk.shared.sync.SyncWorker
import org.junit.After
import org.junit.Assert.assertEquals
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
        assertNull(shadowOf(app as android.app.Application).peekNextStartedService())
        assertNotNull("and the patrol runs all the same", hand.status().patrol)
    }

    @Test
    fun it_shows_that_it_records_and_ends_with_the_patrol() {
        onPatrol()
        hand.grants()
        hand.switchesGps(true)
        PatrolService.start(app)
        hand.letsTheServiceRun()
        val shown = shadowOf(app.getSystemService(NotificationManager::class.java)).getNotification(PatrolNotification.ID)
        assertEquals(app.getString(R.string.notification_title), shadowOf(shown).contentTitle)
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
    fun location_switched_off_and_on_again_is_survived() {
        onPatrol()
        hand.grants()
        hand.switchesGps(false)
        PatrolService.start(app)
        hand.letsTheServiceRun()
        hand.switchesGps(true)
        hand.walks(Trace.endingNow(650..659), 10)
        hand.switchesGps(false)
        hand.switchesGps(true)
        hand.walks(Trace.endingNow(660..669), 20)
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
        SyncPolicy.soon(WorkManager.getInstance(app))
        val work = works(SyncPolicy.SOON).single()
        assertEquals(WorkInfo.State.ENQUEUED, work.state)
        assertEquals(NetworkType.CONNECTED, work.constraints.requiredNetworkType)
        assertTrue(hand.status().unsent.ops > 0u)
        WorkManagerTestInitHelper.getTestDriver(app)!!.setAllConstraintsMet(work.id)
        hand.until("it is sent") { works(SyncPolicy.SOON).single().state == WorkInfo.State.SUCCEEDED }
        assertEquals(0uL, hand.status().unsent.ops)
    }

    @Test
    fun without_a_server_it_is_tried_again_and_nothing_is_lost() {
        core { startShift(null) }
        report()
        val before = hand.status().unsent.ops
        server.stop()
        assertEquals(Result.retry(), work())
        assertTrue("${app.sync.state.value}", app.sync.state.value.error is EngineException.Offline)
        assertEquals(before, hand.status().unsent.ops)
        server.start()
        assertEquals(Result.success(), work())
        assertEquals(0uL, hand.status().unsent.ops)
        assertNull(app.sync.state.value.error)
    }

    @Test
    fun it_is_also_done_regularly_and_only_once() {
        repeat(2) { SyncPolicy.regularly(WorkManager.getInstance(app)) }
        val work = works(SyncPolicy.REGULARLY).single()
        assertEquals(TimeUnit.MINUTES.toMillis(15), work.periodicityInfo!!.repeatIntervalMillis)
        assertEquals(Constraints.Builder().setRequiredNetworkType(NetworkType.CONNECTED).build(), work.constraints)
    }

    private fun works(name: String) = WorkManager.getInstance(app).getWorkInfosForUniqueWork(name).get()

    private fun work(): Result = runBlocking { TestListenableWorkerBuilder<SyncWorker>(app).build().doWork() }
}
