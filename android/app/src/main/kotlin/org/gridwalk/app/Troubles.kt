package org.gridwalk.app

import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.combine
import kotlinx.coroutines.flow.distinctUntilChanged
import org.gridwalk.core.Status
import org.gridwalk.shared.location.LocationSource
import org.gridwalk.shared.location.Recording
import org.gridwalk.shared.location.Trouble

/**
 * What keeps a route from being recorded. The service says what it meets;
 * without the permission there is no service, and the system tells nobody when
 * it is given or taken: so it is measured, with each tick and when asked.
 */
class Troubles(private val locations: LocationSource, recording: Flow<Recording>, ticks: Flow<Long>) {
    private val asked = MutableStateFlow(0)

    val now: Flow<Trouble?> =
        combine(recording, ticks, asked) { now, _, _ -> (now as? Recording.On)?.trouble ?: locations.trouble() }.distinctUntilChanged()

    fun measureAgain() {
        asked.value++
    }
}

/** The trouble where it costs a route: without a patrol, or in a paused one, nothing is missed. */
internal fun Status.missing(trouble: Trouble?): Trouble? = trouble.takeIf { patrol?.paused == false }
