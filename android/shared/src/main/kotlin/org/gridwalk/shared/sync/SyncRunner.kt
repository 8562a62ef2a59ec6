package org.gridwalk.shared.sync

import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import org.gridwalk.core.SyncProgress
import org.gridwalk.shared.Core
import org.gridwalk.shared.Gridwalk

/** How syncing stands. */
data class SyncState(
    /** How far the sync under way is; null: none is under way. */
    val progress: Progress? = null,
    /** What the last one failed with; null: it went well, or none ran yet. */
    val error: Exception? = null,
) {
    /** Items of the phase under way. */
    data class Progress(val done: Long, val total: Long)
}

/** How a sync that started by itself went. */
data class Attempt(
    /** What went wrong; null: nothing. */
    val error: Exception?,
    /** Photos stayed here for a network that nobody pays by the byte. */
    val photosWait: Boolean,
)

/**
 * Runs syncs one after the other, whoever asks, and lets the screens watch.
 *
 * @param isMetered whether somebody pays the present network by the byte.
 */
class SyncRunner(private val core: Core, private val nowMs: () -> Long, private val isMetered: () -> Boolean) {
    private val one = Mutex()
    private val mutable = MutableStateFlow(SyncState())

    val state: StateFlow<SyncState> = mutable.asStateFlow()

    /**
     * The user wants it: sends all that is unsent and receives what is new.
     *
     * @return null where it went well, else what went wrong.
     */
    suspend fun run(): Exception? = attempt { false }.error

    /** The same at a time that the system found; [SyncPolicy.photosWait] says what goes over this network. */
    suspend fun runByItself(): Attempt = attempt { SyncPolicy.photosWait(isMetered(), it.status().unsent, nowMs()) }

    private suspend fun attempt(photosWait: suspend (Gridwalk) -> Boolean): Attempt = one.withLock {
        mutable.value = SyncState(progress = SyncState.Progress(0, 0))
        var error: Exception? = null
        var wait = false
        try {
            val gridwalk = core.gridwalk()
            wait = photosWait(gridwalk)
            gridwalk.sync(wait) { mutable.value = SyncState(progress = it.items()) }
        } catch (cancelled: CancellationException) {
            throw cancelled
        } catch (failed: Exception) {
            error = failed
        } finally {
            mutable.value = SyncState(error = error)
        }
        Attempt(error, wait)
    }

    private fun SyncProgress.items() = SyncState.Progress(done.toLong(), total.toLong())
}
