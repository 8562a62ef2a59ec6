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
enum class Recording { On, Paused, Over }

/**
 * Carries positions from the sensor to the core for as long as a patrol runs.
 * The sensor is asked while it is active and left alone while it is paused.
 *
 * @param everyMs how often to ask. Fixed for now; the core is to say it, from
 *   motion and battery.
 */
class PatrolRecorder(private val gridwalk: Gridwalk, private val source: LocationSource, private val everyMs: Long = EVERY_MS) {
    /** Runs until no patrol is left. */
    @OptIn(ExperimentalCoroutinesApi::class)
    suspend fun run(onRecording: (Recording) -> Unit) {
        gridwalk.everything
            .map { everything -> everything.status.patrol.let { if (it == null) Recording.Over else if (it.paused) Recording.Paused else Recording.On } }
            .distinctUntilChanged()
            .transformWhile { recording ->
                emit(recording)
                recording != Recording.Over
            }
            .transformLatest { recording ->
                emit(recording)
                if (recording == Recording.On) record()
            }
            .collect { onRecording(it) }
    }

    private suspend fun record() {
        save { mark(SensorMark.Asked(everyMs.toUInt())) }
        source.watch(everyMs).collect { event ->
            save {
                when (event) {
                    is LocationEvent.Fixes -> record(event.fixes)
                    is LocationEvent.Lost -> mark(SensorMark.Lost(event.cause))
                    LocationEvent.Found -> mark(SensorMark.Found)
                }
            }
        }
    }

    /**
     * A save that fails (the phone is full, say) must not end the recording: the
     * next one may succeed, and the age of the last position tells the worker.
     */
    private suspend fun save(block: suspend Gridwalk.() -> Unit) {
        try {
            gridwalk.block()
        } catch (closed: EngineException.Closed) {
            throw closed
        } catch (_: EngineException) {
            // Paused or finished by the screen in the same instant, or no room: see above.
        }
    }

    private companion object {
        const val EVERY_MS = 2_000L
    }
}
