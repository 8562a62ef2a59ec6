package org.gridwalk.app

import androidx.compose.ui.geometry.Offset
import androidx.compose.ui.geometry.Size
import org.gridwalk.app.patrol.Arrow
import org.gridwalk.app.patrol.MapFit
import org.gridwalk.app.patrol.Point
import org.gridwalk.app.patrol.arrows
import org.gridwalk.app.patrol.thinned
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test

class MapGeometryTest {
    private val size = Size(400f, 300f)

    @Test
    fun what_is_fitted_lies_within_the_margin_north_up() {
        val points = listOf(Point(35.00, 118.00), Point(35.02, 118.05), Point(35.01, 118.01))
        val fit = MapFit.of(points.asSequence(), size, margin = 20f)!!
        val placed = points.map(fit::place)
        for ((x, y) in placed) assertTrue("$x, $y", x in 19.9f..380.1f && y in 19.9f..280.1f)
        assertTrue("north is above", placed[1].y < placed[0].y)
        assertTrue("east is to the right", placed[1].x > placed[0].x)
    }

    @Test
    fun a_square_on_the_ground_is_a_square_on_the_screen() {
        // At 60° north a degree of longitude is half as long as one of latitude.
        val fit = MapFit.of(sequenceOf(Point(60.0, 10.0), Point(60.01, 10.02)), size, margin = 0f)!!
        val (a, b) = fit.place(Point(60.0, 10.0)) to fit.place(Point(60.01, 10.02))
        assertEquals(1.0, ((b.x - a.x) / (a.y - b.y)).toDouble(), 0.01)
    }

    @Test
    fun a_single_point_is_not_blown_up_and_nothing_fits_nowhere() {
        val fit = MapFit.of(sequenceOf(Point(35.0, 118.0)), size, margin = 20f)!!
        assertEquals(Offset(200f, 150f), fit.place(Point(35.0, 118.0)))
        assertNull(MapFit.of(emptySequence(), size, margin = 20f))
        assertNull(MapFit.of(sequenceOf(Point(35.0, 118.0)), Size(30f, 30f), margin = 20f))
        assertNotNull(MapFit.of(sequenceOf(Point(35.0, 118.0), Point(35.0, 118.1)), size, margin = 20f))
    }

    @Test
    fun thinning_keeps_the_ends_and_what_is_far_enough() {
        val line = listOf(Offset(0f, 0f), Offset(1f, 0f), Offset(3f, 0f), Offset(3.5f, 0f), Offset(4f, 0f))
        assertEquals(listOf(Offset(0f, 0f), Offset(3f, 0f), Offset(4f, 0f)), thinned(line, least = 2f))
        assertEquals(listOf(Offset(1f, 1f)), thinned(listOf(Offset(1f, 1f)), least = 2f))
    }

    @Test
    fun arrows_follow_the_line_round_its_corners() {
        val line = listOf(Offset(0f, 0f), Offset(100f, 0f), Offset(100f, 100f))
        assertEquals(
            listOf(Arrow(Offset(40f, 0f), 0f), Arrow(Offset(100f, 20f), 90f), Arrow(Offset(100f, 100f), 90f)).dropLast(1),
            arrows(line, every = 80f),
        )
        assertEquals(emptyList<Arrow>(), arrows(listOf(Offset(0f, 0f), Offset(30f, 0f)), every = 80f))
    }
}
