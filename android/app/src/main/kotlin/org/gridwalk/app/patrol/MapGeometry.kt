package org.gridwalk.app.patrol

import androidx.compose.ui.geometry.Offset
import androidx.compose.ui.geometry.Size
import kotlin.math.PI
import kotlin.math.atan2
import kotlin.math.cos
import kotlin.math.hypot
import kotlin.math.min

/** A point on the earth, WGS-84, in degrees. */
data class Point(val lat: Double, val lon: Double)

/** What the map shows. */
data class GridMapState(
    /** The rings of the grid's polygons. */
    val grid: List<List<Point>> = emptyList(),
    /** The route, cut where there is a gap. */
    val route: List<List<Point>> = emptyList(),
    /** Where the worker is, as far as known; drawn only while it is fresh. */
    val here: Point? = null,
) {
    val isEmpty get() = grid.all { it.isEmpty() } && route.all { it.isEmpty() } && here == null
}

/**
 * Fits a piece of the earth into a rectangle, north up, the same scale both
 * ways. Within a grid (a few kilometres) the earth is flat, save that degrees of
 * longitude are shorter than those of latitude.
 */
class MapFit private constructor(private val west: Double, private val north: Double, private val stretch: Double, private val scale: Double, private val left: Float, private val top: Float) {
    fun place(point: Point): Offset = Offset(
        left + ((point.lon - west) * stretch * scale).toFloat(),
        top + ((north - point.lat) * scale).toFloat(),
    )

    companion object {
        /** Some 50 m: a single point is not blown up to the whole map. */
        private const val LEAST_DEGREES = 0.0005

        fun of(points: Sequence<Point>, size: Size, margin: Float): MapFit? {
            val first = points.firstOrNull() ?: return null
            var (south, north) = first.lat to first.lat
            var (west, east) = first.lon to first.lon
            for (point in points) {
                south = minOf(south, point.lat); north = maxOf(north, point.lat)
                west = minOf(west, point.lon); east = maxOf(east, point.lon)
            }
            val stretch = cos((south + north) / 2 * PI / 180)
            val (wide, high) = maxOf((east - west) * stretch, LEAST_DEGREES) to maxOf(north - south, LEAST_DEGREES)
            val scale = min((size.width - 2 * margin) / wide, (size.height - 2 * margin) / high)
            if (!(scale > 0 && scale.isFinite())) return null
            val left = (size.width - ((east - west) * stretch * scale).toFloat()) / 2
            val top = (size.height - ((north - south) * scale).toFloat()) / 2
            return MapFit(west, north, stretch, scale, left, top)
        }
    }
}

/**
 * A line on the screen without the points that nobody could tell apart: those
 * nearer than [least] pixels to the one before. Its ends stay.
 */
fun thinned(line: List<Offset>, least: Float): List<Offset> {
    if (line.size < 3) return line
    val kept = mutableListOf(line.first())
    for (index in 1 until line.lastIndex) if ((line[index] - kept.last()).getDistance() >= least) kept += line[index]
    kept += line.last()
    return kept
}

/** An arrow on a line: where, and which way it points, in degrees clockwise from the right. */
data class Arrow(val at: Offset, val degrees: Float)

/** Arrows along a line, [every] pixels apart, the first half of that from its start. */
fun arrows(line: List<Offset>, every: Float): List<Arrow> = buildList {
    var left = every / 2
    for ((from, to) in line.zipWithNext()) {
        val length = hypot(to.x - from.x, to.y - from.y)
        var along = left
        while (along < length) {
            val part = along / length
            add(Arrow(Offset(from.x + (to.x - from.x) * part, from.y + (to.y - from.y) * part), (atan2(to.y - from.y, to.x - from.x) * 180 / PI).toFloat()))
            along += every
        }
        left = along - length
    }
}
