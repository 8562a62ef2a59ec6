package org.gridwalk.app.day

import android.location.Location
import android.location.LocationManager
import java.time.Instant

/** A real walk of somebody with a phone, moved in time alone. */
object Trace {
    private val rows by lazy { TestServer.repositoryFile("tests/fixtures/tracks/phone_304_to_ul_2019_02_18_0745.csv").readLines().drop(1).map { it.split(',') } }

    /** The system hands on what comes no sooner than it was asked for, by this clock. */
    private var elapsedMs = 0L

    /** These rows of it, as if the last were of this moment. */
    fun endingNow(range: IntRange): List<Location> {
        val piece = rows.slice(range)
        val shift = Instant.now().toEpochMilli() - piece.last()[0].toLong()
        return piece.map { (time, lat, lon, _, accuracy) ->
            Location(LocationManager.GPS_PROVIDER).apply {
                elapsedMs += 3_000
                elapsedRealtimeNanos = elapsedMs * 1_000_000
                this.time = time.toLong() + shift
                latitude = lat.toDouble()
                longitude = lon.toDouble()
                this.accuracy = accuracy.toFloatOrNull() ?: 8f
            }
        }
    }
}
