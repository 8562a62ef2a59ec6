package org.gridwalk.app

import androidx.compose.ui.graphics.Canvas
import androidx.compose.ui.graphics.Color
import androidx.compose.ui.graphics.ImageBitmap
import androidx.compose.ui.graphics.Paint
import androidx.compose.ui.geometry.Rect
import kotlin.math.cos
import kotlin.math.sin
import org.gridwalk.app.enrolment.EnrolmentState
import org.gridwalk.app.incidents.Delivery
import org.gridwalk.app.incidents.IncidentRow
import org.gridwalk.app.incidents.IncidentsState
import org.gridwalk.app.parts.CategoryName
import org.gridwalk.app.parts.Problem
import org.gridwalk.app.patrol.GapState
import org.gridwalk.app.patrol.GridMapState
import org.gridwalk.app.patrol.PatrolNowState
import org.gridwalk.app.patrol.PatrolState
import org.gridwalk.app.patrol.Point
import org.gridwalk.app.report.PlaceState
import org.gridwalk.app.report.ReportState
import org.gridwalk.app.today.PatrolBrief
import org.gridwalk.app.today.TodayState
import org.gridwalk.app.today.UnsentState
import org.gridwalk.core.GapCause
import org.gridwalk.shared.R
import org.gridwalk.shared.location.Trouble

/** States of every screen, for previews and for the tests that draw them. */
object Samples {
    /** 2026-11-21 10:42:00 in Linyi. */
    const val NOW = 1_795_228_920_000L
    private const val MINUTE = 60_000L
    private const val HOUR = 60 * MINUTE
    private const val GRID = "前十社区第三网格"

    val categories = listOf(
        CategoryName("hygiene", "环境卫生", "Hygiene"),
        CategoryName("fire_safety", "消防安全", "Fire safety"),
        CategoryName("public_order", "社会治安", "Public order"),
        CategoryName("family_dispute", "家庭纠纷", "Family dispute"),
        CategoryName("other", "其他", "Other"),
    )

    val enrolEmpty = EnrolmentState()
    val enrolScanned = EnrolmentState("gridwalk://enrol?server=https://wangge.example.cn&code=7KQ2-M4XH-9TRB", scanned = true)
    val enrolRefused = EnrolmentState("7KQ2-M4XH-9TRB", "wangge.example.cn", problem = Problem(R.string.error_code_wrong))
    val enrolAfterAnother = enrolEmpty.copy(left = 7)
    val enrolOtherWorker = enrolScanned.copy(problem = Problem(R.string.error_other_worker))
    val enrolWorking = enrolScanned.copy(working = true)

    val todayOff = TodayState.Ready(NOW, "网格员01", GRID, shiftSinceMs = null, patrol = null, UnsentState(lastContactMs = NOW - 14 * HOUR))
    val todayOn = todayOff.copy(shiftSinceMs = NOW - 25 * MINUTE, unsent = UnsentState(lastContactMs = NOW - 2 * MINUTE))
    val todayWalking = todayOn.copy(
        shiftSinceMs = NOW - 3 * HOUR - 5 * MINUTE,
        patrol = PatrolBrief(paused = false, NOW - 72 * MINUTE, 3_240.0),
        unsent = UnsentState(3, NOW - 2 * HOUR - 10 * MINUTE, lastContactMs = NOW - 2 * HOUR - 12 * MINUTE),
    )
    val todayNotAllowed = todayOn.copy(patrol = PatrolBrief(paused = false, NOW - 3 * MINUTE, 0.0), trouble = Trouble.PermissionOff)
    val todaySending = todayWalking.copy(unsent = todayWalking.unsent.copy(sending = 2L to 7L))
    val todayOffline = todayWalking.copy(unsent = todayWalking.unsent.copy(refused = 1, problem = Problem(R.string.error_network)))
    val todaySignedOut = todayOff.copy(signedOut = true, unsent = UnsentState(3, NOW - 2 * HOUR, lastContactMs = NOW - HOUR))
    val todayFailed = TodayState.Failed(Problem(R.string.error_storage_full))

    private val grid = listOf(
        Point(35.06210, 118.33020), Point(35.06330, 118.33580), Point(35.06120, 118.33990), Point(35.05730, 118.34040),
        Point(35.05490, 118.33690), Point(35.05610, 118.33110), Point(35.06210, 118.33020),
    )

    /** Streets walked one after the other, with a bend here and there. */
    private fun walk(vararg corners: Pair<Double, Double>): List<Point> = corners.toList().zipWithNext().flatMapIndexed { leg, (a, b) ->
        List(24) { step ->
            val part = step / 24.0
            val sway = 0.00004 * sin(step * 0.9 + leg)
            Point(a.first + (b.first - a.first) * part + sway, a.second + (b.second - a.second) * part + sway * cos(step.toDouble()))
        }
    }

    private val morning = walk(35.0578 to 118.3322, 35.0604 to 118.3317, 35.0611 to 118.3352, 35.0586 to 118.3359, 35.0589 to 118.3383)
    private val later = walk(35.0598 to 118.3391, 35.0612 to 118.3378, 35.0604 to 118.3362)
    val map = GridMapState(listOf(grid), listOf(morning, later), later.last())

    val patrolIdle = PatrolState.Ready(NOW, GRID, GridMapState(listOf(grid)), onShift = true, patrol = null)
    val patrolOff = patrolIdle.copy(onShift = false)
    val patrolWalking = patrolIdle.copy(
        map = map,
        patrol = PatrolNowState(
            paused = false, NOW - 72 * MINUTE, 3_240.0, NOW - 20_000,
            listOf(GapState(NOW - 50 * MINUTE, NOW - 46 * MINUTE, GapCause.PAUSED), GapState(NOW - 31 * MINUTE, NOW - 19 * MINUTE, GapCause.APP_KILLED)),
        ),
    )
    val patrolPaused = patrolWalking.copy(map = map.copy(here = null), patrol = patrolWalking.patrol?.copy(paused = true))
    val patrolNotAllowed = patrolIdle.copy(patrol = PatrolNowState(paused = false, NOW - 3 * MINUTE, 0.0, null), trouble = Trouble.PermissionOff)
    val patrolNotStored = patrolWalking.copy(trouble = Trouble.NotStored)
    val patrolFailed = PatrolState.Failed(Problem(R.string.error_key_missing))

    /** A picture of nothing in particular: a wall, a street, a heap. */
    private fun photo(): ImageBitmap = ImageBitmap(240, 240).also { image ->
        val canvas = Canvas(image)
        fun block(color: Long, left: Float, top: Float, right: Float, bottom: Float) = canvas.drawRect(Rect(left, top, right, bottom), Paint().apply { this.color = Color(color) })
        block(0xFFB8C4CE, 0f, 0f, 240f, 90f)
        block(0xFF9C8772, 0f, 60f, 240f, 160f)
        block(0xFF6F7276, 0f, 160f, 240f, 240f)
        block(0xFF4F6B45, 60f, 130f, 120f, 190f)
        block(0xFF86603E, 105f, 145f, 175f, 195f)
    }

    val reportEmpty = ReportState.Ready(categories)
    val reportFilled = ReportState.Ready(categories, "fire_safety", "3号楼楼道堆放纸箱，挡住消火栓", photo(), PlaceState.Known(8.0))
    val reportNoPlace = ReportState.Ready(categories, "family_dispute", "", null, PlaceState.Unknown)
    val reportFull = reportFilled.copy(problem = Problem(R.string.error_storage_full))
    val reportSaving = reportFilled.copy(saving = true)
    val reportFailed = ReportState.Failed(Problem(R.string.error_internal))

    val incidentsEmpty = IncidentsState.Ready(NOW, emptyList())
    val incidentsSome = IncidentsState.Ready(
        NOW,
        listOf(
            IncidentRow("1", categories[1], "3号楼楼道堆放纸箱，挡住消火栓", NOW - 4 * MINUTE, "reported", 1, Delivery.OnPhone),
            IncidentRow("2", categories[3], "婆媳为接送孩子争吵，已劝和", NOW - 2 * HOUR, "handled_on_site", 0, Delivery.Sent),
            IncidentRow("3", categories[0], "市场北门垃圾未清运", NOW - 5 * HOUR, "in_progress", 2, Delivery.Sent),
            IncidentRow("4", categories[2], "夜间有人尾随", NOW - 30 * HOUR, "escalated", 0, Delivery.Refused(R.string.advice_ask_supervisor)),
            IncidentRow("5", categories[4], "路灯不亮", NOW - 51 * HOUR, "closed", 1, Delivery.Sent),
        ),
    )
    val incidentsDisputed = IncidentsState.Ready(
        NOW,
        listOf(
            IncidentRow("1", categories[0], "沿街商户占道经营", NOW - 26 * HOUR, "in_progress", 1, Delivery.Sent, changedTwice = true),
            IncidentRow("2", categories[1], "地下车库疏散门上锁", NOW - 40 * HOUR, "reported", 0, Delivery.Parked(R.string.advice_retried_daily)),
        ),
    )
    val incidentsFailed = IncidentsState.Failed(Problem(R.string.error_database_damaged))
}
