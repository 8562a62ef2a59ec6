package org.gridwalk.shared.location

import androidx.annotation.StringRes
import kotlinx.coroutines.flow.Flow
import org.gridwalk.core.Fix
import org.gridwalk.core.GapCause
import org.gridwalk.core.SensorPlan
import org.gridwalk.shared.R

/** Why a patrol that runs records no route, as measured; [cause] is the gap's. */
enum class Trouble(@param:StringRes val text: Int, val cause: GapCause) {
    PermissionOff(R.string.permission_location_off, GapCause.PERMISSION_OFF),

    /** Only the neighbourhood is allowed, which makes no route. */
    PermissionRough(R.string.permission_location_reduced, GapCause.PERMISSION_OFF),
    LocationOff(R.string.location_off, GapCause.LOCATION_OFF),

    /** The system saves power and takes the position away while the screen is off. */
    PowerSaved(R.string.location_saver, GapCause.BATTERY_LOW),

    /** Positions come, and the phone cannot store them. */
    NotStored(R.string.error_not_stored, GapCause.UNKNOWN),
}

/** What the sensor says. */
sealed interface LocationEvent {
    data class Fixes(val fixes: List<Fix>) : LocationEvent

    /** From here on there is no position, and this is why. */
    data class Lost(val trouble: Trouble) : LocationEvent

    /** Positions may come again. */
    data object Found : LocationEvent
}

/** The phone's sense of place. */
interface LocationSource {
    /** What keeps it from working, as measured now; null: nothing. */
    fun trouble(): Trouble?

    /** Positions while collected, as the last of [plans] asks for them; the sensor is off otherwise. */
    fun watch(plans: Flow<SensorPlan>): Flow<LocationEvent>

    /** One position, now; null where none is found in a reasonable time. */
    suspend fun current(): Fix?
}
