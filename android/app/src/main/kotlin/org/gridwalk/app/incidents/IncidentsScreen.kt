package org.gridwalk.app.incidents

import androidx.annotation.StringRes
import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.ExperimentalLayoutApi
import androidx.compose.foundation.layout.FlowRow
import androidx.compose.foundation.layout.PaddingValues
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.lazy.LazyColumn
import androidx.compose.foundation.lazy.items
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.ui.Modifier
import androidx.compose.ui.unit.dp
import org.gridwalk.app.R
import org.gridwalk.app.look.Tokens
import org.gridwalk.app.look.now
import org.gridwalk.app.parts.Blank
import org.gridwalk.app.parts.CategoryName
import org.gridwalk.app.parts.Disc
import org.gridwalk.app.parts.Failed
import org.gridwalk.app.parts.Heading
import org.gridwalk.app.parts.Panel
import org.gridwalk.app.parts.Problem
import org.gridwalk.app.parts.StateWord
import org.gridwalk.app.parts.Timed
import org.gridwalk.app.parts.Waiting
import org.gridwalk.app.parts.categoryLook
import org.gridwalk.app.words.StatusLook
import org.gridwalk.app.words.spaced
import org.gridwalk.app.words.words
import org.gridwalk.shared.R as Shared

/** What the list of own incidents shows. */
sealed interface IncidentsState {
    data object Loading : IncidentsState

    data class Failed(val problem: Problem) : IncidentsState

    data class Ready(val nowMs: Long, val incidents: List<IncidentRow>) : IncidentsState
}

data class IncidentRow(
    val id: String,
    val category: CategoryName,
    val title: String,
    val foundMs: Long,
    /** The wire's word for its state. */
    val status: String,
    val photos: Int,
    val delivery: Delivery,
    /** Somebody else wrote a field too that this worker wrote, and nobody has settled it. */
    val changedTwice: Boolean = false,
)

/** Whether the server has it. [advice] says what to do where there is something to do or to know. */
sealed interface Delivery {
    val advice: Int? get() = null

    data object OnPhone : Delivery

    data object Sent : Delivery

    /** The server did not take it. */
    data class Refused(@param:StringRes override val advice: Int) : Delivery

    /** The server does not take it yet; it is tried again by itself. */
    data class Parked(@param:StringRes override val advice: Int) : Delivery
}

class IncidentsActions(val onRetry: () -> Unit = {})

/** Own incidents, newest first, each with its state; there may be years of them. */
@Composable
fun IncidentsScreen(state: IncidentsState, actions: IncidentsActions, modifier: Modifier = Modifier) {
    LazyColumn(modifier, contentPadding = PaddingValues(16.dp), verticalArrangement = Arrangement.spacedBy(12.dp)) {
        item { Heading(words().say(Shared.string.incidents_title), Modifier.padding(horizontal = 4.dp)) }
        when (state) {
            IncidentsState.Loading -> item { Waiting() }
            is IncidentsState.Failed -> item { Failed(state.problem, actions.onRetry) }
            is IncidentsState.Ready -> {
                if (state.incidents.isEmpty()) {
                    item { Blank(R.drawable.ic_incidents, words().say(Shared.string.incidents_empty), words().say(Shared.string.incidents_empty_note)) }
                }
                items(state.incidents, { it.id }) { IncidentPanel(state.nowMs, it) }
            }
        }
    }
}

@OptIn(ExperimentalLayoutApi::class)
@Composable
private fun IncidentPanel(nowMs: Long, incident: IncidentRow) {
    val words = words()
    val look = categoryLook(incident.category.code)
    Panel(padding = 12.dp) {
        Row(horizontalArrangement = Arrangement.spacedBy(12.dp)) {
            Disc(look.icon, look.ink, Modifier.padding(top = 2.dp))
            Column(Modifier.weight(1f), verticalArrangement = Arrangement.spacedBy(2.dp)) {
                Text(words.either(incident.category.zh, incident.category.en), color = look.ink, style = MaterialTheme.typography.titleSmall)
                Text(spaced(incident.title), style = MaterialTheme.typography.bodyLarge)
                Timed(
                    listOfNotNull(
                        words.ago(incident.foundMs, nowMs),
                        words.say(Shared.string.incident_photos, incident.photos).takeIf { incident.photos > 0 },
                    ).joinToString(" · "),
                    incident.foundMs,
                )
                FlowRow(Modifier.padding(top = 4.dp), horizontalArrangement = Arrangement.spacedBy(16.dp), verticalArrangement = Arrangement.spacedBy(4.dp)) {
                    Status(incident.status)
                    DeliveryWord(incident.delivery)
                }
                if (incident.changedTwice) StateWord(words.say(Shared.string.incident_changed_twice), R.drawable.ic_warning, Tokens.Waiting.now)
                incident.delivery.advice?.let { Text(words.say(it), style = MaterialTheme.typography.bodySmall) }
            }
        }
    }
}

@Composable
private fun Status(wire: String) {
    val status = StatusLook.of(wire)
    if (status == null) StateWord(wire, R.drawable.ic_circle, MaterialTheme.colorScheme.onSurfaceVariant)
    else StateWord(words().say(status.word), status.icon, status.ink)
}

@Composable
private fun DeliveryWord(delivery: Delivery) {
    when (delivery) {
        Delivery.OnPhone -> StateWord(words().say(Shared.string.incident_on_phone), R.drawable.ic_waiting, Tokens.Waiting.now)
        Delivery.Sent -> StateWord(words().say(Shared.string.incident_sent), R.drawable.ic_sent, Tokens.Done.now)
        is Delivery.Parked -> StateWord(words().say(Shared.string.incident_parked), R.drawable.ic_waiting, Tokens.Waiting.now)
        is Delivery.Refused -> StateWord(words().say(Shared.string.incident_refused), R.drawable.ic_refused, MaterialTheme.colorScheme.error)
    }
}
