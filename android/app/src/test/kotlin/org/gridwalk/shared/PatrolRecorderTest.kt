package org.gridwalk.shared

import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.channelFlow
import kotlinx.coroutines.flow.consumeAsFlow
import kotlinx.coroutines.flow.onCompletion
import kotlinx.coroutines.flow.onStart
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.TestScope
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.test.runTest
import org.gridwalk.core.EngineException
import org.gridwalk.core.Fix
import org.gridwalk.core.NetworkCost
import org.gridwalk.core.NewIncident
import org.gridwalk.core.PatrolNow
import org.gridwalk.core.Power
import org.gridwalk.core.Recorded
import org.gridwalk.core.SensorMark
import org.gridwalk.core.SensorPlan
import org.gridwalk.core.SensorPriority
import org.gridwalk.core.SyncProgress
import org.gridwalk.shared.location.LocationEvent
import org.gridwalk.shared.location.LocationSource
import org.gridwalk.shared.location.PatrolRecorder
import org.gridwalk.shared.location.Recording
import org.gridwalk.shared.location.Supply
import org.gridwalk.shared.location.Trouble
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test

/** From the sensor to the core, both played: what the real ones seldom do. */
@OptIn(ExperimentalCoroutinesApi::class)
class PatrolRecorderTest {
    private val core = PlayedCore()
    private val sensor = PlayedSensor()
    private val supply = PlayedSupply()
    private val told = mutableListOf<Recording>()

    private fun played(test: suspend TestScope.() -> Unit) = runTest {
        val job = launch { PatrolRecorder(core, sensor, supply).run { told += it } }
        runCurrent()
        test()
        job.cancel()
    }

    private fun TestScope.says(event: LocationEvent) {
        sensor.events.trySend(event)
        runCurrent()
    }

    @Test
    fun the_sensor_is_off_while_paused_and_at_the_end() = played {
        assertTrue(sensor.isOn)
        core.patrol(paused = true)
        runCurrent()
        assertFalse(sensor.isOn)
        core.patrol(paused = false)
        runCurrent()
        assertTrue(sensor.isOn)
        core.noPatrol()
        runCurrent()
        assertFalse(sensor.isOn)
        assertEquals(listOf(Recording.On(), Recording.Paused, Recording.On(), Recording.Over), told)
    }

    @Test
    fun what_is_lost_is_marked_and_said_until_it_is_found() = played {
        says(LocationEvent.Lost(Trouble.LocationOff))
        says(LocationEvent.Found)
        says(LocationEvent.Fixes(listOf(fix(1))))
        assertEquals(listOf("asked 1000", "lost LOCATION_OFF", "found", "1"), core.stored)
        assertEquals(listOf(Recording.On(), Recording.On(Trouble.LocationOff), Recording.On()), told)
    }

    @Test
    fun what_cannot_be_stored_waits_in_its_order_and_is_said_until_it_can() = played {
        core.failing = EngineException.DiskFull()
        says(LocationEvent.Fixes(listOf(fix(1))))
        says(LocationEvent.Fixes(listOf(fix(2), fix(3))))
        says(LocationEvent.Lost(Trouble.LocationOff))
        assertEquals(Recording.On(Trouble.LocationOff), told.last())
        core.failing = null
        says(LocationEvent.Found)
        says(LocationEvent.Fixes(listOf(fix(4))))
        assertEquals(listOf("asked 1000", "1 2 3", "lost LOCATION_OFF", "found", "4"), core.stored)
        assertEquals(listOf(Recording.On(), Recording.On(Trouble.NotStored), Recording.On(Trouble.LocationOff), Recording.On()), told)
    }

    @Test
    fun a_position_after_the_end_of_the_patrol_is_nobody_s() = played {
        core.failing = EngineException.NoPatrol()
        says(LocationEvent.Fixes(listOf(fix(1))))
        core.failing = null
        says(LocationEvent.Fixes(listOf(fix(2))))
        assertEquals(listOf("asked 1000", "2"), core.stored)
    }

    @Test
    fun the_sensor_is_asked_as_the_engine_plans_after_each_event_and_while_none_comes() = played {
        core.everyMs = 20_000u
        says(LocationEvent.Fixes(listOf(fix(1))))
        assertEquals(listOf(1_000u, 20_000u), sensor.asked)
        core.everyMs = 30_000u
        testScheduler.advanceTimeBy(30_001)
        runCurrent()
        assertEquals(listOf(1_000u, 20_000u, 30_000u), sensor.asked)
        core.everyMs = 10_000u
        supply.power.value = Power(percent = 15u, charging = false, saving = false)
        runCurrent()
        assertEquals(listOf(1_000u, 20_000u, 30_000u, 10_000u), sensor.asked)
        assertEquals(listOf("asked 1000", "1", "asked 20000", "asked 30000", "asked 10000"), core.stored)
    }

    @Test
    fun what_was_asked_for_is_noted_as_soon_as_it_can_be() = played {
        core.failing = EngineException.DiskFull()
        core.everyMs = 20_000u
        says(LocationEvent.Fixes(listOf(fix(1))))
        core.failing = null
        says(LocationEvent.Fixes(listOf(fix(2))))
        assertEquals(listOf("asked 1000", "1 2", "asked 20000"), core.stored)
    }

    private fun fix(timeMs: Long) = Fix(timeMs, 35.0, 118.0, 5f, null, null, null, mocked = false)
}

/** A sensor that the test plays. */
private class PlayedSensor : LocationSource {
    var events = Channel<LocationEvent>(Channel.UNLIMITED)
    var isOn = false

    override fun trouble(): Trouble? = null

    /** What was asked of it, in order. */
    val asked = mutableListOf<UInt>()

    override fun watch(plans: Flow<SensorPlan>): Flow<LocationEvent> {
        events = Channel(Channel.UNLIMITED)
        return channelFlow {
            launch { plans.collect { asked += it.everyMs } }
            events.consumeAsFlow().collect { send(it) }
        }.onStart { isOn = true }.onCompletion { isOn = false }
    }

    override suspend fun current(): Fix? = null
}

/** A battery that the test plays. */
private class PlayedSupply : Supply {
    override val power = MutableStateFlow(Power(percent = 80u, charging = false, saving = false))
}

/** A core that the test plays: on patrol, it notes what it stored, or fails. */
private class PlayedCore : Gridwalk {
    val stored = mutableListOf<String>()
    var failing: EngineException? = null
    override val everything = MutableStateFlow(standing(PatrolNow("p", false, 0, 0u, 0u, 0.0, 0, null)))

    fun patrol(paused: Boolean) = everything.run { value = standing(value.status.patrol!!.copy(paused = paused)) }

    fun noPatrol() = everything.run { value = standing(null) }

    private fun standing(patrol: PatrolNow?) =
        Everything(nothing.copy(patrol = patrol), emptyList(), emptyList())

    private fun store(what: String) {
        failing?.let { throw it }
        stored += what
    }

    override suspend fun record(fixes: List<Fix>): Recorded {
        store(fixes.joinToString(" ") { "${it.timeMs}" })
        return Recorded("p", 0u, emptyList())
    }

    /** What it plans. */
    var everyMs = 1_000u

    override suspend fun sensorPlan(power: Power) = SensorPlan(everyMs, SensorPriority.HIGH, 0f)

    override suspend fun mark(mark: SensorMark) = when (mark) {
        is SensorMark.Asked -> store("asked ${mark.everyMs}")
        is SensorMark.Lost -> store("lost ${mark.cause}")
        SensorMark.Found -> store("found")
    }

    override suspend fun status() = everything.value.status

    override suspend fun enrol(invitation: String, server: String?) = notAsked()

    override suspend fun grids() = notAsked()

    override suspend fun catalogue() = notAsked()

    override suspend fun startShift(grid: String?) = notAsked()

    override suspend fun endShift() = notAsked()

    override suspend fun startPatrol() = notAsked()

    override suspend fun pausePatrol() = notAsked()

    override suspend fun resumePatrol() = notAsked()

    override suspend fun finishPatrol() = notAsked()

    override suspend fun route(patrol: String) = notAsked()

    override suspend fun report(incident: NewIncident) = notAsked()

    override suspend fun sync(network: NetworkCost?, onProgress: (SyncProgress) -> Unit) = notAsked()

    override suspend fun nextSync(network: NetworkCost) = notAsked()

    override suspend fun networkReturned() = notAsked()

    override suspend fun logOut(confirm: Boolean) = notAsked()

    override suspend fun shut() = notAsked()

    private fun notAsked(): Nothing = error("a recorder does not ask for this")
}
