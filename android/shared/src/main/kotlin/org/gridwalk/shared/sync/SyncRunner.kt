package org.gridwalk.shared.sync

import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import org.gridwalk.core.EngineException
import org.gridwalk.core.NetworkCost
import org.gridwalk.core.NextSync
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

/**
 * Runs syncs one after the other, whoever asks, and lets the screens watch.
 *
 * @param network what the present network costs.
 */
class SyncRunner(private val core: Core, private val network: () -> NetworkCost) {
    private val one = Mutex()
    private val mutable = MutableStateFlow(SyncState())

    val state: StateFlow<SyncState> = mutable.asStateFlow()

    /**
     * The user wants it: sends all that is unsent and receives what is new.
     *
     * @return null where it went well, else what went wrong.
     */
    suspend fun run(): Exception? = attempt(null)

    /** The same at a time that the system found; the engine says what goes over this network. */
    suspend fun runByItself(): Exception? = attempt(network())

    /** When the engine wants the next one; null where it cannot be asked. */
    suspend fun next(over: NetworkCost = network()): NextSync? = try {
        core.gridwalk().nextSync(over)
    } catch (cancelled: CancellationException) {
        throw cancelled
    } catch (_: Exception) {
        null
    }

    private suspend fun attempt(over: NetworkCost?): Exception? = one.withLock {
        mutable.value = SyncState(progress = SyncState.Progress(0, 0))
        var error: Exception? = null
        try {
            core.gridwalk().sync(over) { mutable.value = SyncState(progress = it.items()) }
        } catch (cancelled: CancellationException) {
            throw cancelled
        } catch (wiped: EngineException.Wiped) {
            core.wiped(wiped)
            error = wiped
        } catch (failed: Exception) {
            error = failed
        } finally {
            mutable.value = SyncState(error = error)
        }
        error
    }

    private fun SyncProgress.items() = SyncState.Progress(done.toLong(), total.toLong())
}
