package org.gridwalk.shared.location

import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.flow.distinctUntilChanged
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.transformLatest
import kotlinx.coroutines.flow.transformWhile
import org.gridwalk.core.EngineException
import org.gridwalk.core.SensorMark
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
 * The sensor is asked while it is active and left alone while it is paused.
 *
 * @param everyMs how often to ask.
 */
class PatrolRecorder(private val gridwalk: Gridwalk, private val source: LocationSource, private val everyMs: Long = EVERY_MS) {
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
        save { mark(SensorMark.Asked(everyMs.toUInt())) }
        source.watch(everyMs).collect { event ->
            waiting += event
            if (waiting.size > HELD) waiting.removeFirst()
            store()
            tell((event as? LocationEvent.Lost)?.trouble ?: Trouble.NotStored.takeIf { waiting.isNotEmpty() })
        }
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
        const val EVERY_MS = 2_000L

        /** Twenty minutes of walking wait in memory while nothing can be stored; the oldest go first. */
        const val HELD = 600
    }
}
