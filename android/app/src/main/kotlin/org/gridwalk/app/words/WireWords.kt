package org.gridwalk.app.words

import androidx.annotation.DrawableRes
import androidx.annotation.StringRes
import androidx.compose.material3.MaterialTheme
import androidx.compose.runtime.Composable
import androidx.compose.ui.graphics.Color
import org.gridwalk.app.R
import org.gridwalk.app.look.Tokens
import org.gridwalk.app.look.now
import org.gridwalk.core.GapCause
import org.gridwalk.shared.R as Shared

/** Why a route is interrupted. */
@StringRes
fun gapWord(cause: GapCause): Int = when (cause) {
    GapCause.PAUSED -> Shared.string.gap_paused
    GapCause.APP_KILLED -> Shared.string.gap_app_killed
    GapCause.PERMISSION_OFF -> Shared.string.gap_permission_off
    GapCause.LOCATION_OFF -> Shared.string.gap_location_off
    GapCause.BATTERY_LOW -> Shared.string.gap_battery_low
    GapCause.PHONE_OFF -> Shared.string.gap_phone_off
    GapCause.NO_SIGNAL -> Shared.string.gap_no_signal
    GapCause.UNKNOWN -> Shared.string.gap_unknown
}

/** A state of an incident's life: shape and word; [mood] gives the colour. */
enum class StatusLook(val wire: String, @param:StringRes val word: Int, @param:DrawableRes val icon: Int, private val mood: Mood) {
    Reported("reported", Shared.string.status_reported, R.drawable.ic_circle, Mood.Open),
    HandledOnSite("handled_on_site", Shared.string.status_handled_on_site, R.drawable.ic_task, Mood.Done),
    Escalated("escalated", Shared.string.status_escalated, R.drawable.ic_arrow_up, Mood.Open),
    Accepted("accepted", Shared.string.status_accepted, R.drawable.ic_half, Mood.Open),
    Dispatched("dispatched", Shared.string.status_dispatched, R.drawable.ic_half, Mood.Open),
    InProgress("in_progress", Shared.string.status_in_progress, R.drawable.ic_progress, Mood.Open),
    Resolved("resolved", Shared.string.status_resolved, R.drawable.ic_task, Mood.Done),
    Verified("verified", Shared.string.status_verified, R.drawable.ic_task, Mood.Done),
    Closed("closed", Shared.string.status_closed, R.drawable.ic_sent, Mood.Done),
    Rejected("rejected", Shared.string.status_rejected, R.drawable.ic_cancel, Mood.Quiet);

    private enum class Mood { Open, Done, Quiet }

    val ink: Color
        @Composable get() = when (mood) {
            Mood.Open -> MaterialTheme.colorScheme.primary
            Mood.Done -> Tokens.Done.now
            Mood.Quiet -> MaterialTheme.colorScheme.onSurfaceVariant
        }

    companion object {
        /** Null for a state that came after this app: its word is then shown as it is. */
        fun of(wire: String): StatusLook? = entries.find { it.wire == wire }
    }
}
