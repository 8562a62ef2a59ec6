package org.gridwalk.app.patrol

import androidx.compose.foundation.Canvas
import androidx.compose.material3.MaterialTheme
import androidx.compose.runtime.Composable
import androidx.compose.ui.Modifier
import androidx.compose.ui.geometry.Offset
import androidx.compose.ui.geometry.Size
import androidx.compose.ui.graphics.Color
import androidx.compose.ui.graphics.Path
import androidx.compose.ui.graphics.PathFillType
import androidx.compose.ui.graphics.StrokeCap
import androidx.compose.ui.graphics.StrokeJoin
import androidx.compose.ui.graphics.drawscope.DrawScope
import androidx.compose.ui.graphics.drawscope.Stroke
import androidx.compose.ui.graphics.drawscope.rotate
import androidx.compose.ui.semantics.contentDescription
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.unit.dp
import org.gridwalk.app.look.Tokens
import org.gridwalk.app.look.now
import org.gridwalk.app.words.words
import org.gridwalk.shared.R as Shared

/** The colours of the map at this time of day. */
private class MapInk(val ground: Color, val grid: Color, val line: Color, val casing: Color, val route: Color)

/**
 * The grid's polygon and the route on it, with no tile service beneath. A gap
 * is drawn as nothing: two open ends.
 */
@Composable
fun GridMap(state: GridMapState, modifier: Modifier = Modifier) {
    val ink = MapInk(
        ground = MaterialTheme.colorScheme.background,
        grid = MaterialTheme.colorScheme.surface,
        line = Tokens.MapTownLine.now,
        casing = Tokens.MapCasing.now,
        route = MaterialTheme.colorScheme.primary,
    )
    val description = words().say(Shared.string.patrol_map)
    Canvas(modifier.semantics { contentDescription = description }) {
        drawRect(ink.ground)
        val points = state.grid.asSequence().flatten() + state.route.asSequence().flatten() + listOfNotNull(state.here)
        val fit = MapFit.of(points, size, margin = 20.dp.toPx()) ?: return@Canvas
        drawGrid(state.grid.map { ring -> ring.map(fit::place) }, ink)
        val lines = state.route.filter { it.isNotEmpty() }.map { line -> thinned(line.map(fit::place), least = 1.5.dp.toPx()) }
        drawRoute(lines, ink)
        state.here?.let { drawHere(fit.place(it), ink) }
    }
}

private fun path(points: List<Offset>, closed: Boolean): Path = Path().apply {
    points.forEachIndexed { index, point -> if (index == 0) moveTo(point.x, point.y) else lineTo(point.x, point.y) }
    if (closed) close()
}

private fun DrawScope.drawGrid(rings: List<List<Offset>>, ink: MapInk) {
    val area = Path().apply {
        fillType = PathFillType.EvenOdd
        for (ring in rings) addPath(path(ring, closed = true))
    }
    drawPath(area, ink.grid)
    drawPath(area, ink.line, style = Stroke(1.5.dp.toPx(), join = StrokeJoin.Round))
}

private fun DrawScope.drawRoute(lines: List<List<Offset>>, ink: MapInk) {
    val paths = lines.map { path(it, closed = false) }
    for (line in paths) drawPath(line, ink.casing, style = stroke(Tokens.RouteCasing.toPx()))
    for (line in paths) drawPath(line, ink.route, alpha = Tokens.ROUTE_OPACITY, style = stroke(Tokens.RouteLine.toPx()))
    for (line in lines) for (arrow in arrows(line, Tokens.RouteArrowEvery.toPx())) drawArrow(arrow, ink)
    lines.firstOrNull()?.first()?.let { start ->
        drawCircle(ink.casing, 7.dp.toPx(), start)
        drawCircle(ink.route, 5.5.dp.toPx(), start, style = Stroke(2.5.dp.toPx()))
    }
}

private fun DrawScope.stroke(width: Float) = Stroke(width, cap = StrokeCap.Round, join = StrokeJoin.Round)

private fun DrawScope.drawArrow(arrow: Arrow, ink: MapInk) {
    val half = 4.5.dp.toPx()
    val (x, y) = arrow.at
    rotate(arrow.degrees, arrow.at) {
        val head = path(listOf(Offset(x - half, y - half), Offset(x + half, y), Offset(x - half, y + half)), closed = false)
        drawPath(head, ink.casing, style = stroke(5.dp.toPx()))
        drawPath(head, ink.route, style = stroke(2.5.dp.toPx()))
    }
}

/** The end that moves: where the worker stands. */
private fun DrawScope.drawHere(at: Offset, ink: MapInk) {
    drawCircle(ink.route.copy(alpha = 0.18f), 16.dp.toPx(), at)
    drawCircle(ink.casing, 9.dp.toPx(), at)
    drawCircle(ink.route, 6.5.dp.toPx(), at)
}
