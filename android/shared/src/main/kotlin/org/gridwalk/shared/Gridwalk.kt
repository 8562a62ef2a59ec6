package org.gridwalk.shared

import kotlinx.coroutines.flow.Flow
import org.gridwalk.core.Catalogue
import org.gridwalk.core.Fix
import org.gridwalk.core.Grid
import org.gridwalk.core.Identity
import org.gridwalk.core.IncidentView
import org.gridwalk.core.LogOut
import org.gridwalk.core.NetworkCost
import org.gridwalk.core.NewIncident
import org.gridwalk.core.NextSync
import org.gridwalk.core.PatrolSummary
import org.gridwalk.core.PatrolView
import org.gridwalk.core.Power
import org.gridwalk.core.Recorded
import org.gridwalk.core.RouteView
import org.gridwalk.core.SensorMark
import org.gridwalk.core.SensorPlan
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

    /** What to ask of the sensors now; null: leave them alone. */
    suspend fun sensorPlan(power: Power): SensorPlan?

    suspend fun mark(mark: SensorMark)

    suspend fun route(patrol: String): RouteView

    suspend fun report(incident: NewIncident): String

    /**
     * Sends and receives. Cancelling the coroutine ends it between two requests.
     *
     * @param network what goes over it is the engine's to say; null: everything.
     */
    suspend fun sync(network: NetworkCost?, onProgress: (SyncProgress) -> Unit = {}): SyncReport

    /** When the next sync is due on this network: the engine knows of failures, of what the server asked for and of what is unsent. */
    suspend fun nextSync(network: NetworkCost): NextSync

    /** There is a network after there was none: what failed for want of it need not wait. */
    suspend fun networkReturned()

    /** Without [confirm] nothing changes where something would be left behind; the answer says what. */
    suspend fun logOut(confirm: Boolean): LogOut

    /** Closes the data file. */
    suspend fun shut()
}
