package org.gridwalk.app.patrol

import androidx.compose.foundation.BorderStroke
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.ColumnScope
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.height
import androidx.compose.foundation.layout.padding
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Surface
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.ui.Modifier
import androidx.compose.ui.unit.dp
import org.gridwalk.app.R
import org.gridwalk.app.look.Tokens
import org.gridwalk.app.look.now
import org.gridwalk.app.parts.Ask
import org.gridwalk.app.parts.Failed
import org.gridwalk.app.parts.Figure
import org.gridwalk.app.parts.FilledButton
import org.gridwalk.app.parts.Heading
import org.gridwalk.app.parts.Muted
import org.gridwalk.app.parts.Notice
import org.gridwalk.app.parts.PlainButton
import org.gridwalk.app.parts.Problem
import org.gridwalk.app.parts.ProblemNotice
import org.gridwalk.app.parts.SideBySide
import org.gridwalk.app.parts.StateWord
import org.gridwalk.app.parts.Timed
import org.gridwalk.app.parts.Waiting
import org.gridwalk.app.today.PatrolWord
import org.gridwalk.app.words.Words
import org.gridwalk.app.words.gapWord
import org.gridwalk.app.words.words
import org.gridwalk.core.GapCause
import org.gridwalk.shared.R as Shared
import org.gridwalk.shared.location.Trouble

/** What the screen of the patrol shows. */
sealed interface PatrolState {
    data object Loading : PatrolState

    data class Failed(val problem: Problem) : PatrolState

    data class Ready(
        val nowMs: Long,
        val grid: String?,
        val map: GridMapState,
        val onShift: Boolean,
        /** The patrol that is running; null: none. */
        val patrol: PatrolNowState?,
        /** Why nothing is recorded although a patrol runs. */
        val trouble: Trouble? = null,
        val ask: PatrolAsk? = null,
        val problem: Problem? = null,
    ) : PatrolState
}

data class PatrolNowState(
    val paused: Boolean,
    val sinceMs: Long,
    val distanceM: Double,
    val lastFixMs: Long?,
    /** Newest last. */
    val gaps: List<GapState> = emptyList(),
)

data class GapState(val fromMs: Long, val toMs: Long, val cause: GapCause)

/** A question that stands over the screen. */
enum class PatrolAsk { Location, Finish }

class PatrolActions(
    val onStart: () -> Unit = {},
    val onPause: () -> Unit = {},
    val onResume: () -> Unit = {},
    val onFinish: () -> Unit = {},
    val onConfirmFinish: () -> Unit = {},
    /** The reason was read: the system may ask now. */
    val onAllowLocation: () -> Unit = {},
    /** The system need not ask: the patrol starts without a route. */
    val onCancel: () -> Unit = {},
    val onSettings: () -> Unit = {},
    val onTurnOnLocation: () -> Unit = {},
    val onRetry: () -> Unit = {},
)

/** The route so far on the grid, and what can be done with the patrol. */
@Composable
fun ColumnScope.PatrolScreen(state: PatrolState, actions: PatrolActions) {
    when (state) {
        PatrolState.Loading -> Waiting()
        is PatrolState.Failed -> Failed(state.problem, actions.onRetry)
        is PatrolState.Ready -> {
            Heading(state.grid ?: words().say(Shared.string.patrol_title), Modifier.padding(horizontal = 4.dp))
            ProblemNotice(state.problem)
            TroubleNotice(state.trouble, actions)
            Map(state.map)
            val patrol = state.patrol
            if (patrol == null) Idle(state, actions) else Running(state, patrol, actions)
        }
    }
}

/** The question of this screen, over everything else. */
@Composable
fun PatrolAsks(ask: PatrolAsk?, actions: PatrolActions) {
    when (ask) {
        null -> Unit
        PatrolAsk.Finish -> Ask(
            words().say(Shared.string.patrol_finish_ask),
            words().say(Shared.string.patrol_finish_note),
            words().say(Shared.string.patrol_finish),
            actions.onConfirmFinish,
            actions.onCancel,
        )
        PatrolAsk.Location -> Ask(
            words().say(Shared.string.permission_location_title),
            words().run { say(Shared.string.permission_location_why) + "\n" + say(Shared.string.permission_notification_why) },
            words().say(Shared.string.common_allow),
            actions.onAllowLocation,
            actions.onCancel,
            cancel = words().say(Shared.string.permission_location_without),
        )
    }
}

@Composable
private fun TroubleNotice(trouble: Trouble?, actions: PatrolActions) {
    if (trouble == null) return
    val (action, onAction) = when (trouble) {
        Trouble.PermissionOff, Trouble.PermissionRough -> Shared.string.common_settings to actions.onSettings
        Trouble.LocationOff -> Shared.string.location_turn_on to actions.onTurnOnLocation
        // The screen is on again where this is read; what was lost is a gap.
        Trouble.PowerSaved, Trouble.NotStored -> null to {}
    }
    Notice(words().say(trouble.text), trouble.icon, MaterialTheme.colorScheme.error, action = action?.let { words().say(it) }, onAction = onAction)
}

/** What stands beside the words. */
val Trouble.icon: Int get() = if (this == Trouble.NotStored) R.drawable.ic_warning else R.drawable.ic_location_off

@Composable
private fun Map(map: GridMapState) {
    Surface(
        Modifier.fillMaxWidth(),
        shape = MaterialTheme.shapes.medium,
        color = MaterialTheme.colorScheme.background,
        border = BorderStroke(1.dp, MaterialTheme.colorScheme.outlineVariant),
    ) { GridMap(map, Modifier.fillMaxWidth().height(264.dp)) }
}

@Composable
private fun Idle(state: PatrolState.Ready, actions: PatrolActions) {
    Muted(
        words().say(if (state.onShift) Shared.string.patrol_idle_note else Shared.string.patrol_off_shift_note),
        Modifier.padding(horizontal = 4.dp),
    )
    if (state.onShift) FilledButton(words().say(Shared.string.patrol_start), actions.onStart, Modifier.fillMaxWidth(), R.drawable.ic_play)
}

@Composable
private fun Running(state: PatrolState.Ready, patrol: PatrolNowState, actions: PatrolActions) {
    val words = words()
    SideBySide(
        first = { modifier -> Column(modifier) { PatrolWord(patrol.paused) } },
        second = { modifier ->
            if (!patrol.paused && state.trouble == null) {
                if (patrol.lastFixMs == null) Muted(words.say(Shared.string.patrol_locating), modifier)
                else Timed(words.say(Shared.string.patrol_last_fix, words.ago(patrol.lastFixMs, state.nowMs)), patrol.lastFixMs, modifier)
            }
        },
        Modifier.padding(horizontal = 4.dp),
    )
    SideBySide(
        first = { Figure(words.say(Shared.string.patrol_distance), Words.distance(patrol.distanceM), it) },
        second = { Figure(words.say(Shared.string.patrol_duration), Words.clock(state.nowMs - patrol.sinceMs), it) },
        Modifier.padding(horizontal = 4.dp),
    )
    SideBySide(
        first = {
            if (patrol.paused) FilledButton(words.say(Shared.string.patrol_resume), actions.onResume, it, R.drawable.ic_play)
            else PlainButton(words.say(Shared.string.patrol_pause), actions.onPause, it, R.drawable.ic_pause)
        },
        second = { PlainButton(words.say(Shared.string.patrol_finish), actions.onFinish, it, R.drawable.ic_stop) },
    )
    Column(Modifier.padding(horizontal = 4.dp)) {
        if (patrol.gaps.isEmpty()) Muted(words.say(Shared.string.patrol_no_gaps))
        for (gap in patrol.gaps.asReversed()) {
            StateWord(
                words.say(Shared.string.patrol_gap, words.span(gap.toMs - gap.fromMs), words.say(gapWord(gap.cause))),
                R.drawable.ic_gap,
                if (gap.cause == GapCause.PAUSED) MaterialTheme.colorScheme.onSurfaceVariant else Tokens.Waiting.now,
                Modifier.padding(vertical = 4.dp),
            )
        }
    }
}
