package org.gridwalk.shared.location

import kotlinx.coroutines.flow.Flow
import org.gridwalk.core.Fix
import org.gridwalk.core.GapCause

/** What the sensor says. */
sealed interface LocationEvent {
    data class Fixes(val fixes: List<Fix>) : LocationEvent

    /** From here on there is no position, and this is why. */
    data class Lost(val cause: GapCause) : LocationEvent

    /** Positions may come again. */
    data object Found : LocationEvent
}

/** The phone's sense of place. */
interface LocationSource {
    /** What keeps it from working, as measured now; null: nothing. */
    fun trouble(): GapCause?

    /** Positions while collected, some [everyMs] apart; the sensor is off otherwise. */
    fun watch(everyMs: Long): Flow<LocationEvent>

    /** One position, now; null where none is found in a reasonable time. */
    suspend fun current(): Fix?
}
