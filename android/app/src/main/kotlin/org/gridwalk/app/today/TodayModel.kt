package org.gridwalk.app.today

import androidx.lifecycle.viewModelScope
import java.time.Instant
import java.time.ZoneId
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.combine
import kotlinx.coroutines.launch
import org.gridwalk.app.AskingModel
import org.gridwalk.app.Troubles
import org.gridwalk.app.WallClock
import org.gridwalk.app.missing
import org.gridwalk.app.parts.Problem
import org.gridwalk.app.screen
import org.gridwalk.app.ticks
import org.gridwalk.app.words.problemOf
import org.gridwalk.core.EngineException
import org.gridwalk.core.PatrolView
import org.gridwalk.core.Status
import org.gridwalk.core.Unsent
import org.gridwalk.shared.Core
import org.gridwalk.shared.Everything
import org.gridwalk.shared.Gridwalk
import org.gridwalk.shared.location.Trouble
import org.gridwalk.shared.sync.SyncRunner
import org.gridwalk.shared.sync.SyncState

/** Shift, patrol and what is unsent. [onSaved] is told of every save, so that it is sent soon. */
class TodayModel(
    core: Core,
    private val sync: SyncRunner,
    private val clock: WallClock,
    private val troubles: Troubles,
    private val onSaved: () -> Unit,
) : AskingModel(core) {
    private val question = MutableStateFlow<TodayAsk?>(null)

    val state: StateFlow<TodayState> = core.screen(viewModelScope, TodayState.Loading, TodayState::Failed, ::ready)

    private fun ready(gridwalk: Gridwalk): Flow<TodayState> {
        val said = combine(troubles.now, question, problem, ::Triple)
        return combine(gridwalk.everything, sync.state, clock.ticks(), said) { everything, syncing, now, (trouble, asked, wrong) ->
            today(everything, syncing, now, trouble, asked, wrong)
        }
    }

    /** The worker comes on duty; where there are several grids, the question which comes first. */
    fun onStartShift() = ask {
        val grids = status().grids
        if (grids.size > 1) {
            question.value = TodayAsk.WhichGrid(grids.map { GridChoice(it.id, it.name) })
        } else {
            startShift(null)
            onSaved()
        }
    }

    fun onChooseGrid(grid: String) {
        question.value = null
        ask {
            startShift(grid)
            onSaved()
        }
    }

    fun onEndShift() {
        question.value = TodayAsk.EndShift
    }

    fun onConfirmEndShift() {
        question.value = null
        ask {
            if (status().patrol != null) finishPatrol()
            endShift()
            onSaved()
        }
    }

    fun onCancel() {
        question.value = null
    }

    fun onLogOut() = ask {
        val status = status()
        question.value = TodayAsk.LogOut(status.unsent.count())
    }

    /** What is unsent stays on this phone, seen by nobody, and is sent. */
    fun onConfirmLogOut() {
        question.value = null
        ask {
            logOut(confirm = true)
            onSaved()
        }
    }

    /** Now, by the worker's wish, rather than when the system finds the time. */
    fun onSync() {
        viewModelScope.launch { sync.run() }
    }

    fun onRetry() = core.retry()
}

internal fun today(everything: Everything, syncing: SyncState, nowMs: Long, trouble: Trouble?, ask: TodayAsk?, problem: Problem?): TodayState {
    val status = everything.status
    val done = everything.patrols.filter { it.mine && it.status == "finished" && isSameDay(it.startedMs, nowMs) }
    return TodayState.Ready(
        nowMs = nowMs,
        worker = status.identity?.workerName.orEmpty(),
        grid = status.shift?.grid?.name ?: status.grids.singleOrNull()?.name,
        shiftSinceMs = status.shift?.sinceMs,
        patrol = status.patrol?.let { PatrolBrief(it.paused, it.sinceMs, it.distanceM) },
        trouble = status.missing(trouble),
        unsent = unsent(status, syncing),
        finished = done.size,
        finishedM = done.sumOf { it.distanceM ?: 0.0 },
        ask = ask,
        signedOut = status.signedOut,
        problem = problem,
    )
}

private fun unsent(status: Status, syncing: SyncState) = UnsentState(
    count = status.unsent.count(),
    oldestMs = status.unsent.oldestMs,
    refused = status.refused.size,
    lastContactMs = status.lastContactMs,
    sending = syncing.progress?.let { it.done to it.total },
    // That the phone is signed out stands at the top, for as long as it is so.
    problem = syncing.error?.takeUnless { it is EngineException.SignedOut && status.signedOut }?.let(::problemOf),
)

private fun Unsent.count(): Long = (ops + chunks + blobs).toLong()

private fun isSameDay(aMs: Long, bMs: Long): Boolean {
    val (a, b) = listOf(aMs, bMs).map { Instant.ofEpochMilli(it).atZone(ZoneId.systemDefault()).toLocalDate() }
    return a == b
}
