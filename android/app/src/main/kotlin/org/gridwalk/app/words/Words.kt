package org.gridwalk.app.words

import android.content.res.Resources
import androidx.annotation.StringRes
import androidx.compose.runtime.Composable
import androidx.compose.runtime.ReadOnlyComposable
import androidx.compose.ui.platform.LocalResources
import java.time.Instant
import java.time.ZoneId
import java.time.format.DateTimeFormatter
import java.util.Locale
import kotlin.math.roundToInt
import org.gridwalk.shared.R

private const val MINUTE_MS = 60_000L
private const val HOUR_MS = 60 * MINUTE_MS
private const val DAY_MS = 24 * HOUR_MS

/**
 * What the screens say, in the language of [resources]; times in [zone].
 *
 * The zone is the phone's: a gridworker's phone is where its district is.
 */
class Words(private val resources: Resources, private val zone: ZoneId = ZoneId.systemDefault()) {
    /** A text with its placeholders filled, in the order of the Chinese text. */
    fun say(@StringRes id: Int, vararg values: Any): String =
        spaced(if (values.isEmpty()) resources.getString(id) else resources.getString(id, *values))

    /** A name that comes in both languages, as the catalogue's do. */
    fun either(zh: String, en: String): String = spaced(if (resources.configuration.locales[0].language == "en") en else zh)

    /** "4 分钟前" when fresh; the date and time when older than a day, or ahead of the clock. */
    fun ago(momentMs: Long, nowMs: Long): String {
        val past = nowMs - momentMs
        return when {
            // A little ahead is the difference between two clocks, not the future.
            past < -MINUTE_MS || past >= DAY_MS -> moment(momentMs, "yyyy-MM-dd HH:mm")
            past < MINUTE_MS -> say(R.string.time_now)
            past < HOUR_MS -> say(R.string.time_minutes_ago, past / MINUTE_MS)
            else -> say(R.string.time_hours_ago, past / HOUR_MS)
        }
    }

    /** For a long press and for TalkBack: the second of the day. */
    fun exact(momentMs: Long): String = moment(momentMs, "yyyy-MM-dd HH:mm:ss")

    /** A length of time: "45 秒", "12 分钟", "3 小时 5 分钟". Seconds only below a minute. */
    fun span(ms: Long): String {
        val seconds = (ms.coerceAtLeast(0) + 500) / 1000
        if (seconds < 60) return say(R.string.span_seconds, seconds)
        val (hours, rest) = ((seconds + 30) / 60).let { it / 60 to it % 60 }
        return when {
            hours == 0L -> say(R.string.span_minutes, rest)
            rest == 0L -> say(R.string.span_hours, hours)
            else -> say(R.string.span_hours_minutes, hours, rest)
        }
    }

    private fun moment(ms: Long, pattern: String): String =
        DateTimeFormatter.ofPattern(pattern, Locale.ROOT).withZone(zone).format(Instant.ofEpochMilli(ms))

    companion object {
        /** A running clock, the same in both languages: `1:05`, minutes and hours. */
        fun clock(ms: Long): String {
            val minutes = ms.coerceAtLeast(0) / MINUTE_MS
            return String.format(Locale.ROOT, "%d:%02d", minutes / 60, minutes % 60)
        }

        /** Metres in words: `430 m`, `3.2 km`, `128 km`. */
        fun distance(metres: Double): String = when {
            !metres.isFinite() -> "–"
            metres < 999.5 -> withUnit(metres.coerceAtLeast(0.0).roundToInt().toString(), "m")
            metres < 99_950 -> withUnit(String.format(Locale.ROOT, "%.1f", metres / 1000), "km")
            else -> withUnit((metres / 1000).roundToInt().toString(), "km")
        }

        private fun withUnit(number: String, unit: String) = "$number$NARROW_SPACE$unit"
    }
}

/** The words of the language that the screen is in. */
@Composable
@ReadOnlyComposable
fun words(): Words = Words(LocalResources.current)
