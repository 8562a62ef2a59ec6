package org.gridwalk.shared

import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import org.gridwalk.core.EngineException
import org.gridwalk.shared.location.LocationSource
import org.gridwalk.shared.location.Recording
import org.gridwalk.shared.location.Supply
import org.gridwalk.shared.sync.SyncRunner

/** Whether the data is open. */
sealed interface CoreState {
    data object Opening : CoreState

    data class Open(val gridwalk: Gridwalk) : CoreState

    /** It cannot be opened; [error] is the engine's, or the key provider's [KeyLost]. */
    data class Failed(val error: Exception) : CoreState
}

/**
 * The one open core of this process. The activity, the location service and the
 * sync worker each may be the first to need it, and none of them owns it.
 *
 * @param destroyKey called where the phone was reported stolen and the engine has destroyed the data.
 */
class Core(private val scope: CoroutineScope, private val destroyKey: () -> Unit, private val open: suspend () -> Gridwalk) {
    private val mutable = MutableStateFlow<CoreState>(CoreState.Opening)

    val state: StateFlow<CoreState> = mutable.asStateFlow()

    init {
        start()
    }

    /** Tries again where opening failed. */
    fun retry() {
        if (mutable.value is CoreState.Failed) {
            mutable.value = CoreState.Opening
            start()
        }
    }

    /**
     * The core, once it is open.
     *
     * @throws Exception what kept it from opening.
     */
    suspend fun gridwalk(): Gridwalk = when (val state = mutable.first { it != CoreState.Opening }) {
        is CoreState.Open -> state.gridwalk
        is CoreState.Failed -> throw state.error
        CoreState.Opening -> error("filtered out above")
    }

    /** A sync learnt that the phone was reported stolen: the key goes after the data. [retry] begins a phone that is nobody's. */
    suspend fun wiped(error: EngineException.Wiped) {
        val open = mutable.value
        if (open is CoreState.Open) open.gridwalk.shut()
        destroyKey()
        mutable.value = CoreState.Failed(error)
    }

    private fun start() {
        scope.launch {
            mutable.value = try {
                CoreState.Open(open())
            } catch (cancelled: CancellationException) {
                throw cancelled
            } catch (wiped: EngineException.Wiped) {
                destroyKey()
                CoreState.Failed(wiped)
            } catch (error: Exception) {
                CoreState.Failed(error)
            }
        }
    }
}

/** What the process holds for its activity, service and worker; the application is one. */
interface GridwalkHost {
    val core: Core
    val sync: SyncRunner
    val locations: LocationSource
    val supply: Supply

    /** What the location service is at; it says so itself. */
    val recording: MutableStateFlow<Recording>
}
