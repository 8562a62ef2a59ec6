package org.gridwalk.app.incidents

import androidx.lifecycle.ViewModel
import androidx.lifecycle.viewModelScope
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.combine
import kotlinx.coroutines.flow.distinctUntilChanged
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.map
import org.gridwalk.app.WallClock
import org.gridwalk.app.parts.CategoryName
import org.gridwalk.app.screen
import org.gridwalk.app.ticks
import org.gridwalk.app.words.adviceWord
import org.gridwalk.core.Catalogue
import org.gridwalk.core.IncidentView
import org.gridwalk.core.SendState
import org.gridwalk.shared.Core
import org.gridwalk.shared.Gridwalk

/** Own incidents with their state. */
class IncidentsModel(private val core: Core, private val clock: WallClock) : ViewModel() {
    val state: StateFlow<IncidentsState> = core.screen(viewModelScope, IncidentsState.Loading, IncidentsState::Failed, ::ready)

    private fun ready(gridwalk: Gridwalk): Flow<IncidentsState> {
        val own = gridwalk.everything.map { all -> all.incidents.filter { it.mine } }.distinctUntilChanged()
        val catalogue = flow { emit(gridwalk.catalogue()) }
        return combine(own, catalogue, clock.ticks()) { incidents, known, now -> IncidentsState.Ready(now, incidents.map { row(it, known) }) }
    }

    fun onRetry() = core.retry()
}

internal fun row(incident: IncidentView, catalogue: Catalogue) = IncidentRow(
    id = incident.id,
    // What is not classified yet bears the name that was chosen as a tag.
    category = catalogue.categories.find { it.code == incident.category || incident.category.isEmpty() && it.zh in incident.tags }?.let { CategoryName(it.code, it.zh, it.en) }
        // A code that this phone's catalogue has not: its word stands for it.
        ?: CategoryName(incident.category, incident.category, incident.category),
    title = incident.title,
    foundMs = incident.foundMs,
    status = incident.status,
    photos = incident.photos.size,
    changedTwice = incident.conflicts > 0u,
    delivery = when (val send = incident.send) {
        SendState.Saved, SendState.Waiting -> Delivery.OnPhone
        SendState.Sent -> Delivery.Sent
        is SendState.Refused -> Delivery.Refused(adviceWord(send.advice))
        is SendState.Parked -> Delivery.Parked(adviceWord(send.advice))
    },
)
