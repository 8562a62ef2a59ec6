package org.gridwalk.app.patrol

import androidx.lifecycle.viewModelScope
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.combine
import kotlinx.coroutines.flow.conflate
import kotlinx.coroutines.flow.distinctUntilChanged
import kotlinx.coroutines.flow.map
import org.gridwalk.app.AskingModel
import org.gridwalk.app.WallClock
import org.gridwalk.app.Troubles
import org.gridwalk.app.missing
import org.gridwalk.app.parts.Problem
import org.gridwalk.app.screen
import org.gridwalk.app.ticks
import org.gridwalk.core.GapCause
import org.gridwalk.core.Grid
import org.gridwalk.core.PatrolNow
import org.gridwalk.core.RouteView
import org.gridwalk.core.SensorMark
import org.gridwalk.core.Status
import org.gridwalk.shared.Core
import org.gridwalk.shared.Gridwalk
import org.gridwalk.shared.location.LocationSource
import org.gridwalk.shared.location.Trouble

/**
 * The running patrol and its route.
 *
 * @param startRecording starts the service that feeds the core, where the system lets it.
 * @param onSaved is told of every save, so that it is sent soon.
 */
class PatrolModel(
    core: Core,
    private val locations: LocationSource,
    private val clock: WallClock,
    private val troubles: Troubles,
    private val startRecording: () -> Unit,
    private val onSaved: () -> Unit,
) : AskingModel(core) {
    private val question = MutableStateFlow<PatrolAsk?>(null)

    /** Whether the position was refused when this screen was last shown. */
    private var wasRefused = isRefused()

    val state: StateFlow<PatrolState> = core.screen(viewModelScope, PatrolState.Loading, PatrolState::Failed, ::ready)

    private fun ready(gridwalk: Gridwalk): Flow<PatrolState> {
        val status = gridwalk.everything.map { it.status }.distinctUntilChanged()
        val said = combine(troubles.now, question, problem, ::Triple)
        return combine(status, gridwalk.routes(status), gridwalk.boundaries(status), clock.ticks(), said) { now, route, grid, nowMs, (trouble, ask, problem) ->
            patrol(now, route, grid, nowMs, trouble, ask, problem)
        }
    }

    private fun isRefused() = locations.trouble()?.cause == GapCause.PERMISSION_OFF

    /** With a reason before the system's own question; the answer comes to [onLocationAnswered]. */
    fun onStart() {
        if (isRefused()) question.value = PatrolAsk.Location else start()
    }

    /** Whatever the answer: a refusal costs the route and nothing else. */
    fun onLocationAnswered() {
        question.value = null
        start()
    }

    private fun start() = ask {
        startPatrol()
        onSaved()
        record()
    }

    private suspend fun Gridwalk.record() {
        wasRefused = isRefused()
        // Without the permission there is no service that would say so.
        if (wasRefused) mark(SensorMark.Lost(GapCause.PERMISSION_OFF)) else startRecording()
        troubles.measureAgain()
    }

    /**
     * The screen came back: the user may have been in the settings, and the
     * service may have been killed. What is shown is what is measured.
     */
    fun onShown() = ask {
        val (before, now) = wasRefused to isRefused()
        wasRefused = now
        troubles.measureAgain()
        if (!now && status().patrol?.paused == false) {
            if (before) mark(SensorMark.Found)
            startRecording()
        }
    }

    fun onPause() = ask {
        pausePatrol()
        onSaved()
    }

    fun onResume() = ask {
        resumePatrol()
        onSaved()
        record()
    }

    fun onFinish() {
        question.value = PatrolAsk.Finish
    }

    fun onConfirmFinish() {
        question.value = null
        ask {
            finishPatrol()
            onSaved()
        }
    }

    /** "No" to the question on the screen; to that for the location it means: without a route. */
    fun onCancel() {
        if (question.value == PatrolAsk.Location) onLocationAnswered() else question.value = null
    }

    fun onRetry() = core.retry()
}

/** The route of the running patrol, read again when there is more of it; a slow phone skips what it had no time for. */
private fun Gridwalk.routes(status: Flow<Status>): Flow<RouteView?> = status
    .map { it.patrol?.let { patrol -> Triple(patrol.id, patrol.fixes, patrol.paused) } }
    .distinctUntilChanged()
    .conflate()
    .map { it?.let { (patrol, _, _) -> route(patrol) } }

/** The boundary of the grid that the worker is on duty in, else of the only one. */
private fun Gridwalk.boundaries(status: Flow<Status>): Flow<Grid?> = status
    .map { (it.shift?.grid ?: it.grids.singleOrNull())?.id }
    .distinctUntilChanged()
    .map { id -> grids().find { it.id == id } }

internal fun patrol(status: Status, route: RouteView?, grid: Grid?, nowMs: Long, trouble: Trouble?, ask: PatrolAsk?, problem: Problem?): PatrolState.Ready {
    val patrol = status.patrol
    val running = route?.takeIf { it.patrol == patrol?.id }
    return PatrolState.Ready(
        nowMs = nowMs,
        grid = grid?.name ?: status.shift?.grid?.name,
        map = GridMapState(
            grid = grid?.boundary.orEmpty().flatten().map { ring -> ring.map { Point(it.lat, it.lon) } },
            route = running?.segments.orEmpty().map { segment -> segment.map { Point(it.lat, it.lon) } },
            here = patrol?.freshPosition(nowMs),
        ),
        onShift = status.shift != null,
        patrol = patrol?.let { now ->
            PatrolNowState(
                now.paused, now.sinceMs, now.distanceM, now.lastFix?.timeMs,
                running?.gaps.orEmpty().map { GapState(it.fromMs, it.toMs, it.cause) },
            )
        },
        trouble = status.missing(trouble),
        ask = ask,
        problem = problem,
    )
}

/** Nothing old looks live: after two minutes the dot goes, the words with its age stay. */
private fun PatrolNow.freshPosition(nowMs: Long): Point? =
    lastFix?.takeIf { !paused && nowMs - it.timeMs < FRESH_MS }?.let { Point(it.lat, it.lon) }

private const val FRESH_MS = 2 * 60_000L
