package org.gridwalk.app.today

import androidx.compose.foundation.clickable
import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.ColumnScope
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.Spacer
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.layout.size
import androidx.compose.foundation.layout.width
import androidx.compose.material3.LinearProgressIndicator
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.draw.clip
import androidx.compose.ui.unit.dp
import org.gridwalk.app.R
import org.gridwalk.app.look.Tokens
import org.gridwalk.app.look.now
import org.gridwalk.app.parts.Ask
import org.gridwalk.app.parts.Failed
import org.gridwalk.app.parts.Figure
import org.gridwalk.app.parts.FilledButton
import org.gridwalk.app.parts.Muted
import org.gridwalk.app.parts.Notice
import org.gridwalk.app.parts.Panel
import org.gridwalk.app.parts.PlainButton
import org.gridwalk.app.parts.Problem
import org.gridwalk.app.parts.ProblemNotice
import org.gridwalk.app.parts.SideBySide
import org.gridwalk.app.parts.StateWord
import org.gridwalk.app.parts.Symbol
import org.gridwalk.app.parts.Timed
import org.gridwalk.app.parts.Waiting
import org.gridwalk.app.patrol.icon
import org.gridwalk.app.words.Words
import org.gridwalk.app.words.words
import org.gridwalk.shared.R as Shared
import org.gridwalk.shared.location.Trouble

/** What the screen of today shows. */
sealed interface TodayState {
    data object Loading : TodayState

    data class Failed(val problem: Problem) : TodayState

    data class Ready(
        val nowMs: Long,
        val worker: String,
        /** Where the worker is on duty; off duty the only grid, where there is but one. */
        val grid: String?,
        /** Since when on duty; null: off duty. */
        val shiftSinceMs: Long?,
        val patrol: PatrolBrief?,
        val unsent: UnsentState,
        /** Why nothing is recorded although a patrol runs. */
        val trouble: Trouble? = null,
        /** Patrols of today that are over. */
        val finished: Int = 0,
        val finishedM: Double = 0.0,
        val ask: TodayAsk? = null,
        /** The server does not know this phone any more. */
        val signedOut: Boolean = false,
        val problem: Problem? = null,
    ) : TodayState
}

/** The running patrol in short. */
data class PatrolBrief(val paused: Boolean, val sinceMs: Long, val distanceM: Double)

/** What is still on this phone only. */
data class UnsentState(
    val count: Long = 0,
    val oldestMs: Long? = null,
    val refused: Int = 0,
    val lastContactMs: Long? = null,
    /** How far the sync under way is: done and all told; null: none is under way. */
    val sending: Pair<Long, Long>? = null,
    val problem: Problem? = null,
) {
    /** In one line, without its age where that is to be [short]; null where nothing is unsent. Never an error when it only waits. */
    fun line(words: Words, nowMs: Long, short: Boolean): String? = when {
        sending != null && sending.second > 0 -> words.say(Shared.string.unsent_sending, sending.first, sending.second)
        count == 0L -> null
        oldestMs == null || short -> words.say(Shared.string.unsent_some, count)
        else -> words.say(Shared.string.unsent_some_since, count, words.ago(oldestMs, nowMs))
    }
}

/** A question that stands over the screen. */
sealed interface TodayAsk {
    data object EndShift : TodayAsk

    /** [unsent] would be left behind; it is sent all the same. */
    data class LogOut(val unsent: Long) : TodayAsk

    /** The worker has several grids. */
    data class WhichGrid(val grids: List<GridChoice>) : TodayAsk
}

data class GridChoice(val id: String, val name: String)

class TodayActions(
    val onEndShift: () -> Unit = {},
    val onConfirmEndShift: () -> Unit = {},
    val onChooseGrid: (String) -> Unit = {},
    val onCancel: () -> Unit = {},
    val onStartPatrol: () -> Unit = {},
    val onOpenPatrol: () -> Unit = {},
    val onSync: () -> Unit = {},
    val onRetry: () -> Unit = {},
    val onEnrolAgain: () -> Unit = {},
    val onLogOut: () -> Unit = {},
    val onConfirmLogOut: () -> Unit = {},
)

/** Shift, patrol, and what is unsent. Lies in the frame of the tabs. */
@Composable
fun ColumnScope.TodayScreen(state: TodayState, actions: TodayActions) {
    when (state) {
        TodayState.Loading -> Waiting()
        is TodayState.Failed -> Failed(state.problem, actions.onRetry)
        is TodayState.Ready -> {
            Greeting(state)
            ProblemNotice(state.problem)
            if (state.signedOut) {
                val ink = MaterialTheme.colorScheme.error
                Notice(words().say(Shared.string.error_revoked), R.drawable.ic_warning, ink, action = words().say(Shared.string.enrol_again), onAction = actions.onEnrolAgain)
            }
            ShiftPanel(state, actions)
            if (state.shiftSinceMs != null) PatrolPanel(state, actions)
            UnsentPanel(state.nowMs, state.unsent, actions.onSync)
            // Whoever is on duty ends the shift first.
            if (state.shiftSinceMs == null) PlainButton(words().say(Shared.string.logout_action), actions.onLogOut, Modifier.fillMaxWidth(), R.drawable.ic_logout)
        }
    }
}

/** The question of this screen, over everything else. */
@Composable
fun TodayAsks(ask: TodayAsk?, actions: TodayActions) {
    when (ask) {
        null -> Unit
        TodayAsk.EndShift -> Ask(
            words().say(Shared.string.shift_end_ask),
            words().say(Shared.string.shift_end_note),
            words().say(Shared.string.shift_end),
            actions.onConfirmEndShift,
            actions.onCancel,
        )
        is TodayAsk.LogOut -> Ask(
            words().say(Shared.string.logout_ask),
            if (ask.unsent > 0) words().say(Shared.string.logout_unsent, ask.unsent) else words().say(Shared.string.logout_note),
            words().say(Shared.string.logout_action),
            actions.onConfirmLogOut,
            actions.onCancel,
        )
        is TodayAsk.WhichGrid -> Ask(
            words().say(Shared.string.shift_which_grid),
            note = null,
            confirm = ask.grids.first().name,
            onConfirm = { actions.onChooseGrid(ask.grids.first().id) },
            onCancel = actions.onCancel,
        ) {
            Column(verticalArrangement = Arrangement.spacedBy(12.dp)) {
                for (grid in ask.grids.drop(1)) PlainButton(grid.name, { actions.onChooseGrid(grid.id) }, Modifier.fillMaxWidth())
            }
        }
    }
}

@Composable
private fun Greeting(state: TodayState.Ready) {
    Column(Modifier.padding(horizontal = 4.dp)) {
        Text(state.grid ?: words().say(Shared.string.app_name), style = MaterialTheme.typography.titleLarge)
        Muted(words().say(Shared.string.enrol_worker, state.worker))
    }
}

@Composable
private fun ShiftPanel(state: TodayState.Ready, actions: TodayActions) {
    val since = state.shiftSinceMs
    Panel {
        if (since == null) {
            StateWord(words().say(Shared.string.today_off_shift), R.drawable.ic_circle, MaterialTheme.colorScheme.onSurfaceVariant)
            Muted(words().say(Shared.string.today_off_shift_note))
        } else {
            SideBySide(
                first = { modifier ->
                    Column(modifier) {
                        StateWord(words().say(Shared.string.today_on_shift), R.drawable.ic_circle_fill, Tokens.Done.now)
                        Muted(words().span(state.nowMs - since))
                    }
                },
                second = { modifier -> PlainButton(words().say(Shared.string.shift_end), actions.onEndShift, modifier, R.drawable.ic_logout) },
            )
        }
    }
}

@Composable
private fun PatrolPanel(state: TodayState.Ready, actions: TodayActions) {
    val patrol = state.patrol
    Panel {
        if (patrol == null) {
            StateWord(words().say(Shared.string.patrol_idle), R.drawable.ic_walk, MaterialTheme.colorScheme.onSurfaceVariant)
            Muted(
                if (state.finished == 0) words().say(Shared.string.today_no_patrol)
                else words().say(Shared.string.today_patrols_done, state.finished, Words.distance(state.finishedM)),
            )
            FilledButton(words().say(Shared.string.patrol_start), actions.onStartPatrol, Modifier.fillMaxWidth(), R.drawable.ic_play)
        } else {
            Column(
                Modifier.fillMaxWidth().clip(MaterialTheme.shapes.small).clickable(onClick = actions.onOpenPatrol),
                verticalArrangement = Arrangement.spacedBy(8.dp),
            ) {
                PatrolWord(patrol.paused)
                state.trouble?.let { StateWord(words().say(it.text), it.icon, MaterialTheme.colorScheme.error) }
                SideBySide(
                    first = { Figure(words().say(Shared.string.patrol_distance), Words.distance(patrol.distanceM), it) },
                    second = { Figure(words().say(Shared.string.patrol_duration), Words.clock(state.nowMs - patrol.sinceMs), it) },
                )
            }
        }
    }
}

/** Whether the patrol records or rests. */
@Composable
fun PatrolWord(paused: Boolean) {
    if (paused) StateWord(words().say(Shared.string.patrol_paused), R.drawable.ic_pause, Tokens.Waiting.now)
    else StateWord(words().say(Shared.string.patrol_active), R.drawable.ic_walk, MaterialTheme.colorScheme.primary)
}

/** What is unsent, in words; never an error when it only waits. */
@Composable
private fun UnsentPanel(nowMs: Long, unsent: UnsentState, onSync: () -> Unit) {
    val words = words()
    Panel {
        if (unsent.count == 0L) {
            StateWord(words.say(Shared.string.unsent_none), R.drawable.ic_sent, Tokens.Done.now)
        } else {
            Row(verticalAlignment = Alignment.Top) {
                Symbol(R.drawable.ic_waiting, Tokens.Waiting.now, Modifier.padding(top = 2.dp).size(22.dp))
                Spacer(Modifier.width(6.dp))
                Column {
                    Text(words.say(Shared.string.unsent_some, unsent.count), color = Tokens.Waiting.now, style = MaterialTheme.typography.titleMedium)
                    if (unsent.oldestMs != null) Text(words.say(Shared.string.unsent_since, words.ago(unsent.oldestMs, nowMs)))
                }
            }
            Muted(words.say(Shared.string.unsent_waiting))
        }
        if (unsent.refused > 0) {
            StateWord(words.say(Shared.string.unsent_refused, unsent.refused), R.drawable.ic_refused, MaterialTheme.colorScheme.error)
        }
        val sending = unsent.sending
        if (sending != null) {
            val (done, total) = sending
            Text(words.say(Shared.string.unsent_sending, done, total))
            LinearProgressIndicator(
                progress = { if (total == 0L) 0f else (done.toFloat() / total).coerceIn(0f, 1f) },
                Modifier.fillMaxWidth().clip(MaterialTheme.shapes.small),
            )
        } else {
            if (unsent.lastContactMs == null) Muted(words.say(Shared.string.sync_never))
            else Timed(words.say(Shared.string.sync_last, words.ago(unsent.lastContactMs, nowMs)), unsent.lastContactMs)
            if (unsent.problem != null) StateWord(words.say(unsent.problem.text), R.drawable.ic_warning, MaterialTheme.colorScheme.onSurface)
            if (unsent.count > 0 || unsent.problem != null) {
                PlainButton(words.say(Shared.string.sync_now), onSync, Modifier.fillMaxWidth(), R.drawable.ic_sending)
            }
        }
    }
}
