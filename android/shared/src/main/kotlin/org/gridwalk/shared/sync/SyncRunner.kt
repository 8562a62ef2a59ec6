package org.gridwalk.shared.sync

import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import org.gridwalk.core.SyncProgress
import org.gridwalk.shared.Core

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

/** Runs syncs one after the other, whoever asks, and lets the screens watch. */
class SyncRunner(private val core: Core) {
    private val one = Mutex()
    private val mutable = MutableStateFlow(SyncState())

    val state: StateFlow<SyncState> = mutable.asStateFlow()

    /**
     * Sends what is unsent and receives what is new.
     *
     * @return null where it went well, else what went wrong.
     */
    suspend fun run(): Exception? = one.withLock {
        mutable.value = SyncState(progress = SyncState.Progress(0, 0))
        var error: Exception? = null
        try {
            core.gridwalk().sync { mutable.value = SyncState(progress = it.items()) }
        } catch (cancelled: CancellationException) {
            throw cancelled
        } catch (failed: Exception) {
            error = failed
        } finally {
            mutable.value = SyncState(error = error)
        }
        error
    }

    private fun SyncProgress.items() = SyncState.Progress(done.toLong(), total.toLong())
}
