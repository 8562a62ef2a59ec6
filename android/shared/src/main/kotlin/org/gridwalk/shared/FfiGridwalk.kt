package org.gridwalk.shared

import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.async
import kotlinx.coroutines.cancel
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.channels.awaitClose
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.SharingStarted
import kotlinx.coroutines.flow.buffer
import kotlinx.coroutines.flow.callbackFlow
import kotlinx.coroutines.flow.catch
import kotlinx.coroutines.flow.conflate
import kotlinx.coroutines.flow.filterNotNull
import kotlinx.coroutines.flow.flowOn
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.runningFold
import kotlinx.coroutines.flow.shareIn
import kotlinx.coroutines.withContext
import org.gridwalk.core.CancelToken
import org.gridwalk.core.Change
import org.gridwalk.core.Engine
import org.gridwalk.core.Fix
import org.gridwalk.core.NetworkCost
import org.gridwalk.core.NewIncident
import org.gridwalk.core.Observer
import org.gridwalk.core.OpenOptions
import org.gridwalk.core.Power
import org.gridwalk.core.SensorMark
import org.gridwalk.core.SyncObserver
import org.gridwalk.core.SyncProgress
import org.gridwalk.core.SyncReport

/**
 * [Gridwalk] over the generated bindings. The engine blocks, so each call runs
 * on [io]; its callbacks come on threads of its own and become flows here.
 */
class FfiGridwalk private constructor(private val engine: Engine, private val io: CoroutineDispatcher) : Gridwalk {
    private val scope = CoroutineScope(SupervisorJob() + io)

    // One subscription feeds all screens and the notification. What goes wrong reaches whoever collects.
    override val everything: Flow<Everything> =
        engine.changes().runningFold(null as Everything?, ::next).filterNotNull().conflate()
            .map { Result.success(it) }.catch { emit(Result.failure(it)) }.flowOn(io)
            .shareIn(scope, SharingStarted.WhileSubscribed(replayExpirationMillis = 0), replay = 1)
            .map { it.getOrThrow() }

    override suspend fun status() = call { status() }

    override suspend fun enrol(invitation: String, server: String?) = call { enrol(invitation, server) }

    override suspend fun grids() = call { grids() }

    override suspend fun catalogue() = call { catalogue() }

    override suspend fun startShift(grid: String?) {
        call { startShift(grid) }
    }

    override suspend fun endShift() = call { endShift() }

    override suspend fun startPatrol() {
        call { startPatrol() }
    }

    override suspend fun pausePatrol() = call { pausePatrol() }

    override suspend fun resumePatrol() = call { resumePatrol() }

    override suspend fun finishPatrol() = call { finishPatrol() }

    override suspend fun record(fixes: List<Fix>) = call { record(fixes) }

    override suspend fun sensorPlan(power: Power) = call { sensorPlan(power) }

    override suspend fun mark(mark: SensorMark) = call { mark(mark) }

    override suspend fun route(patrol: String) = call { route(patrol) }

    override suspend fun report(incident: NewIncident) = call { reportIncident(incident) }

    override suspend fun sync(network: NetworkCost?, onProgress: (SyncProgress) -> Unit): SyncReport = CancelToken().use { token ->
        val observer = object : SyncObserver {
            override fun progress(progress: SyncProgress) = onProgress(progress)
        }
        coroutineScope {
            val report = async(io) { engine.sync(observer, token, network) }
            try {
                report.await()
            } catch (cancelled: CancellationException) {
                // The engine blocks and hears of it only so; the scope then waits for it.
                token.cancel()
                throw cancelled
            }
        }
    }

    override suspend fun nextSync(network: NetworkCost) = call { nextSync(network) }

    override suspend fun networkReturned() = call { networkReturned() }

    override suspend fun logOut(confirm: Boolean) = call { logOut(confirm) }

    override suspend fun shut() {
        call { shut() }
        scope.cancel()
    }

    private suspend fun <T> call(block: Engine.() -> T): T = withContext(io) { engine.block() }

    companion object {
        /**
         * Opens the data file, and makes it where there is none.
         *
         * @param path where it lies; other files of that name with a suffix lie beside it.
         * @param key 32 bytes.
         * @param version the app's, as the server shall see it.
         */
        suspend fun open(path: String, key: ByteArray, version: String, io: CoroutineDispatcher = Dispatchers.IO): FfiGridwalk =
            withContext(io) { FfiGridwalk(Engine.open(OpenOptions(path, key, "android", version)), io) }
    }
}

/** The engine's changes. Nobody is slower than memory: a change is small and none may be skipped. */
private fun Engine.changes(): Flow<Change> = callbackFlow {
    val subscription = observe(
        object : Observer {
            override fun changed(change: Change) {
                if (change == Change.Closed) close() else trySend(change)
            }
        },
    )
    awaitClose {
        subscription.cancel()
        subscription.close()
    }
}.buffer(Channel.UNLIMITED)

/** What stands after a change; null before the first snapshot. */
fun next(before: Everything?, change: Change): Everything? = when (change) {
    is Change.Snapshot -> Everything(change.status, change.incidents, change.patrols)
    is Change.StatusChanged -> before?.copy(status = change.status)
    is Change.IncidentChanged -> before?.copy(
        incidents = before.incidents.with(change.incident, { it.id }).sortedByDescending { it.foundMs },
    )
    is Change.PatrolChanged -> before?.copy(
        patrols = before.patrols.with(change.patrol, { it.id }).sortedByDescending { it.startedMs },
    )
    is Change.Gone -> before?.copy(
        incidents = before.incidents.filter { it.id != change.id },
        patrols = before.patrols.filter { it.id != change.id },
    )
    Change.Closed -> before
}

private fun <T> List<T>.with(new: T, id: (T) -> String): List<T> = filter { id(it) != id(new) } + new
