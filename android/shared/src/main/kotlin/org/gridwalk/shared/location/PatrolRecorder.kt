package org.gridwalk.shared.location

import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.combine
import kotlinx.coroutines.flow.distinctUntilChanged
import kotlinx.coroutines.flow.filterNotNull
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.mapLatest
import kotlinx.coroutines.flow.onEach
import kotlinx.coroutines.flow.transformLatest
import kotlinx.coroutines.flow.transformWhile
import org.gridwalk.core.EngineException
import org.gridwalk.core.Power
import org.gridwalk.core.SensorMark
import org.gridwalk.core.SensorPlan
import org.gridwalk.shared.Gridwalk

/** What the recorder is at. */
sealed interface Recording {
    /** [trouble]: nothing is recorded, and this is why; null: what comes is stored. */
    data class On(val trouble: Trouble? = null) : Recording

    data object Paused : Recording

    data object Over : Recording
}

/**
 * Carries positions from the sensor to the core for as long as a patrol runs.
 * The sensor is asked while it is active, as the engine plans it, and left alone
 * while it is paused.
 */
class PatrolRecorder(private val gridwalk: Gridwalk, private val source: LocationSource, private val supply: Supply) {
    /** What the sensor was asked for, as far as the core has noted it. */
    private var noted: UInt? = null

    /** What the sensor said and the core could not store yet, oldest first. */
    private val waiting = ArrayDeque<LocationEvent>()

    /** Runs until no patrol is left. */
    @OptIn(ExperimentalCoroutinesApi::class)
    suspend fun run(onRecording: (Recording) -> Unit) {
        gridwalk.everything
            .map { everything -> everything.status.patrol.let { if (it == null) Recording.Over else if (it.paused) Recording.Paused else Recording.On() } }
            .distinctUntilChanged()
            .transformWhile { recording ->
                emit(recording)
                recording != Recording.Over
            }
            .transformLatest { recording ->
                emit(recording)
                if (recording is Recording.On) record { emit(Recording.On(it)) }
            }
            .distinctUntilChanged()
            .collect { onRecording(it) }
    }

    private suspend fun record(tell: suspend (Trouble?) -> Unit) {
        waiting.clear()
        noted = null
        val stored = MutableStateFlow(0L)
        var asked = 0u
        val plans = plans(stored).onEach {
            asked = it.everyMs
            note(asked)
        }
        source.watch(plans).collect { event ->
            waiting += event
            if (waiting.size > HELD) waiting.removeFirst()
            store()
            note(asked)
            stored.value++
            tell((event as? LocationEvent.Lost)?.trouble ?: Trouble.NotStored.takeIf { waiting.isNotEmpty() })
        }
    }

    /** What the engine wants of the sensor: asked again after each event, when the battery changes, and while nothing comes. */
    @OptIn(ExperimentalCoroutinesApi::class)
    private fun plans(stored: Flow<Long>): Flow<SensorPlan> = combine(supply.power, stored, ticks()) { power, _, _ -> power }
        .mapLatest { plan(it) }.filterNotNull().distinctUntilChanged()

    private fun ticks(): Flow<Unit> = flow {
        while (true) {
            emit(Unit)
            delay(SILENT_MS)
        }
    }

    private suspend fun plan(power: Power): SensorPlan? = try {
        gridwalk.sensorPlan(power)
    } catch (_: EngineException) {
        // The recording says itself what is wrong.
        null
    }

    /** How often the sensor is asked: tried again with the next event where it cannot be stored. */
    private suspend fun note(everyMs: UInt) {
        if (everyMs != 0u && everyMs != noted && save { mark(SensorMark.Asked(everyMs)) }) noted = everyMs
    }

    /** Stores what waits, in its order, as far as it can. */
    private suspend fun store() {
        while (waiting.isNotEmpty()) {
            // One save for all positions in a row.
            val fixes = waiting.takeWhile { it is LocationEvent.Fixes }
            val isStored = save {
                when (val first = waiting.first()) {
                    is LocationEvent.Fixes -> record(fixes.flatMap { (it as LocationEvent.Fixes).fixes })
                    is LocationEvent.Lost -> mark(SensorMark.Lost(first.trouble.cause))
                    LocationEvent.Found -> mark(SensorMark.Found)
                }
            }
            if (!isStored) return
            repeat(maxOf(1, fixes.size)) { waiting.removeFirst() }
        }
    }

    /** False where it has to be tried again: the phone is full, say, which must not end the recording. */
    private suspend fun save(block: suspend Gridwalk.() -> Unit): Boolean = try {
        gridwalk.block()
        true
    } catch (closed: EngineException.Closed) {
        throw closed
    } catch (_: EngineException.NoPatrol) {
        true
    } catch (_: EngineException.PatrolPaused) {
        // Paused or finished by the screen in this moment: it belongs to no patrol.
        true
    } catch (_: EngineException) {
        false
    }

    private companion object {
        /** How often the plan is asked for while no position comes. */
        const val SILENT_MS = 30_000L

        /** Twenty minutes of walking wait in memory while nothing can be stored; the oldest go first. */
        const val HELD = 600
    }
}
