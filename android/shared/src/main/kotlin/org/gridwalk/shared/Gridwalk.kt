package org.gridwalk.shared

import kotlinx.coroutines.flow.Flow
import org.gridwalk.core.Catalogue
import org.gridwalk.core.Fix
import org.gridwalk.core.Grid
import org.gridwalk.core.Identity
import org.gridwalk.core.IncidentView
import org.gridwalk.core.NewIncident
import org.gridwalk.core.PatrolSummary
import org.gridwalk.core.PatrolView
import org.gridwalk.core.Recorded
import org.gridwalk.core.RouteView
import org.gridwalk.core.SensorMark
import org.gridwalk.core.Status
import org.gridwalk.core.SyncProgress
import org.gridwalk.core.SyncReport

/** Everything on this phone, as it stood at one moment. */
data class Everything(
    val status: Status,
    /** Newest first. */
    val incidents: List<IncidentView>,
    /** Newest first. */
    val patrols: List<PatrolView>,
)

/**
 * The core as the app sees it: the engine's calls as suspend functions, its
 * observers as a flow. What the screens, the location service and the sync
 * worker ask for, and no more.
 *
 * Every call may throw an [org.gridwalk.core.EngineException]; nothing was
 * changed then, and nothing is lost. When a call that saves has returned, a
 * kill of the app loses nothing of it.
 */
interface Gridwalk {
    /** Everything at once, then again after each change; the slow see the last only. Throws what the engine throws. */
    val everything: Flow<Everything>

    suspend fun status(): Status

    suspend fun enrol(invitation: String, server: String?): Identity

    suspend fun grids(): List<Grid>

    suspend fun catalogue(): Catalogue

    /** [grid] is an id; null where the worker has but one. */
    suspend fun startShift(grid: String?)

    suspend fun endShift()

    suspend fun startPatrol()

    suspend fun pausePatrol()

    suspend fun resumePatrol()

    suspend fun finishPatrol(): PatrolSummary

    suspend fun record(fixes: List<Fix>): Recorded

    suspend fun mark(mark: SensorMark)

    suspend fun route(patrol: String): RouteView

    suspend fun report(incident: NewIncident): String

    /**
     * Sends and receives. Cancelling the coroutine ends it between two requests.
     *
     * @param photosWait they stay for a network that nobody pays by the byte.
     */
    suspend fun sync(photosWait: Boolean, onProgress: (SyncProgress) -> Unit = {}): SyncReport

    /** Closes the data file. */
    suspend fun shut()
}
