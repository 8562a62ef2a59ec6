package org.gridwalk.app

import android.graphics.Bitmap
import android.graphics.BitmapFactory
import java.io.File
import kotlin.math.abs

/**
 * The pictures kept in android/screenshots. A new drawing may differ from the
 * kept one by a trace; what differs more lands beside the build, to be looked
 * at, and replaces the kept one where GRIDWALK_KEEP_SCREENSHOTS=1 says so.
 */
class Album(private val kept: File = File(System.getProperty("gridwalk.android")!!, "screenshots"), private val drawn: File = File(System.getProperty("gridwalk.drawn")!!)) {
    val differences = mutableListOf<String>()
    private val keep = System.getenv("GRIDWALK_KEEP_SCREENSHOTS") == "1"

    fun compare(name: String, picture: Bitmap) {
        val before = File(kept, "$name.png")
        val old = if (before.exists()) BitmapFactory.decodeFile(before.path) else null
        val share = old?.let { different(it, picture) } ?: 1.0
        if (share <= if (keep) 0.0 else TOLERATED) return
        val target = if (keep) before else File(drawn, "$name.png")
        target.parentFile?.mkdirs()
        target.outputStream().use { picture.compress(Bitmap.CompressFormat.PNG, 100, it) }
        if (!keep) differences += "$name: ${"%.2f".format(share * 100)} % of it differs from the kept picture; the new one is $target"
    }

    /** The share of pixels that are visibly another colour. */
    private fun different(a: Bitmap, b: Bitmap): Double {
        if (a.width != b.width || a.height != b.height) return 1.0
        val (left, right) = listOf(a, b).map { bitmap -> IntArray(a.width * a.height).also { bitmap.getPixels(it, 0, a.width, 0, 0, a.width, a.height) } }
        return left.indices.count { apart(left[it], right[it]) > CHANNEL }.toDouble() / left.size
    }

    private fun apart(a: Int, b: Int): Int = (0..16 step 8).maxOf { abs((a shr it and 0xFF) - (b shr it and 0xFF)) }

    companion object {
        /** Of 255: below it is the edge of a letter, drawn on another processor. */
        private const val CHANNEL = 40
        /** Three hundred pixels: less than one word. */
        private const val TOLERATED = 0.0003

        private val day = Light("zh", dark = false, 1f)
        private val night = day.copy(dark = true)
        private val english = day.copy(language = "en")
        private val large = day.copy(fontScale = 2f)

        /** What is kept: each screen by day, the main ones by night, in English and in the largest type. */
        val kept: List<Pair<String, Light>> = listOf(
            "enrol_scanned" to day, "today_off" to day, "today_walking" to day, "patrol_walking" to day, "report_filled" to day, "incidents_some" to day,
            "patrol_location" to day, "patrol_not_allowed" to day, "today_not_allowed" to day, "incidents_empty" to day, "today_failed" to day,
            "today_signed_out" to day, "incidents_disputed" to day, "today_log_out" to day,
            "today_walking" to night, "patrol_walking" to night, "report_filled" to night,
            "today_walking" to english, "report_filled" to english, "incidents_some" to english.copy(dark = true),
            "today_walking" to large, "report_filled" to large, "patrol_walking" to large.copy(language = "en"),
        )
    }
}
