package org.gridwalk.app

import androidx.compose.runtime.Composable
import org.gridwalk.app.enrolment.EnrolmentActions
import org.gridwalk.app.enrolment.EnrolmentScreen
import org.gridwalk.app.enrolment.EnrolmentState
import org.gridwalk.app.incidents.IncidentsActions
import org.gridwalk.app.incidents.IncidentsScreen
import org.gridwalk.app.incidents.IncidentsState
import org.gridwalk.app.parts.Failed
import org.gridwalk.app.parts.Frame
import org.gridwalk.app.parts.MainAction
import org.gridwalk.app.parts.Page
import org.gridwalk.app.parts.Problem
import org.gridwalk.app.parts.Scrolled
import org.gridwalk.app.parts.Tab
import org.gridwalk.app.parts.isLargeType
import org.gridwalk.app.patrol.PatrolActions
import org.gridwalk.app.patrol.PatrolAsk
import org.gridwalk.app.patrol.PatrolAsks
import org.gridwalk.app.patrol.PatrolScreen
import org.gridwalk.app.patrol.PatrolState
import org.gridwalk.app.report.ReportActions
import org.gridwalk.app.report.ReportScreen
import org.gridwalk.app.report.ReportState
import org.gridwalk.app.today.GridChoice
import org.gridwalk.app.today.TodayActions
import org.gridwalk.app.today.TodayAsk
import org.gridwalk.app.today.TodayAsks
import org.gridwalk.app.today.TodayScreen
import org.gridwalk.app.today.TodayState
import org.gridwalk.app.words.words
import org.gridwalk.shared.R as Shared

/** Every screen in every state worth looking at, by name. */
object Scenes {
    private fun enrol(state: EnrolmentState): @Composable () -> Unit = { EnrolmentScreen(state, EnrolmentActions()) }

    /** What the frame says below the other tabs, and below today in the largest type. */
    private val unsent @Composable get() = Samples.todayWalking.run { unsent.line(words(), nowMs, isLargeType()) }

    private fun today(state: TodayState, ask: TodayAsk? = null, saved: Boolean = false): @Composable () -> Unit = {
        val ready = state as? TodayState.Ready
        val on = ready?.let { if (it.shiftSinceMs == null) MainAction.StartShift else MainAction.Report }
        Frame(Tab.Today, {}, on, {}, ready?.run { unsent.line(words(), nowMs, isLargeType()) }, saved) { Scrolled(it) { TodayScreen(state, TodayActions()) } }
        TodayAsks(ask, TodayActions())
    }

    private fun patrol(state: PatrolState, ask: PatrolAsk? = null): @Composable () -> Unit = {
        val on = (state as? PatrolState.Ready)?.let { if (it.onShift) MainAction.Report else MainAction.StartShift }
        Frame(Tab.Patrol, {}, on, {}, unsent) { Scrolled(it) { PatrolScreen(state, PatrolActions()) } }
        PatrolAsks(ask, PatrolActions())
    }

    private fun report(state: ReportState): @Composable () -> Unit = { ReportScreen(state, ReportActions()) }

    private fun incidents(state: IncidentsState): @Composable () -> Unit = {
        Frame(Tab.Incidents, {}, MainAction.Report, {}, unsent) { IncidentsScreen(state, IncidentsActions(), it) }
    }

    val all: Map<String, @Composable () -> Unit> = linkedMapOf(
        "enrol_empty" to enrol(Samples.enrolEmpty),
        "enrol_scanned" to enrol(Samples.enrolScanned),
        "enrol_after_another" to enrol(Samples.enrolAfterAnother),
        "enrol_other_worker" to enrol(Samples.enrolOtherWorker),
        "enrol_working" to enrol(Samples.enrolWorking),
        "enrol_refused" to enrol(Samples.enrolRefused),
        "today_loading" to today(TodayState.Loading),
        "today_failed" to today(Samples.todayFailed),
        "today_off" to today(Samples.todayOff),
        "today_on" to today(Samples.todayOn),
        "today_walking" to today(Samples.todayWalking),
        "today_not_allowed" to today(Samples.todayNotAllowed),
        "today_sending" to today(Samples.todaySending),
        "today_offline" to today(Samples.todayOffline),
        "today_saved" to today(Samples.todayWalking, saved = true),
        "today_end_shift" to today(Samples.todayOn, TodayAsk.EndShift),
        "today_signed_out" to today(Samples.todaySignedOut),
        "today_log_out" to today(Samples.todayOff, TodayAsk.LogOut(unsent = 3)),
        "today_log_out_clean" to today(Samples.todayOff, TodayAsk.LogOut(unsent = 0)),
        "today_which_grid" to today(Samples.todayOff, TodayAsk.WhichGrid(listOf(GridChoice("1", "前十社区第三网格"), GridChoice("2", "前十社区第四网格")))),
        "patrol_loading" to patrol(PatrolState.Loading),
        "patrol_failed" to patrol(Samples.patrolFailed),
        "patrol_off" to patrol(Samples.patrolOff),
        "patrol_idle" to patrol(Samples.patrolIdle),
        "patrol_walking" to patrol(Samples.patrolWalking),
        "patrol_paused" to patrol(Samples.patrolPaused),
        "patrol_not_allowed" to patrol(Samples.patrolNotAllowed),
        "patrol_not_stored" to patrol(Samples.patrolNotStored),
        "patrol_location" to patrol(Samples.patrolIdle, PatrolAsk.Location),
        "patrol_finish" to patrol(Samples.patrolWalking, PatrolAsk.Finish),
        "report_loading" to report(ReportState.Loading),
        "report_failed" to report(Samples.reportFailed),
        "report_empty" to report(Samples.reportEmpty),
        "report_filled" to report(Samples.reportFilled),
        "report_no_place" to report(Samples.reportNoPlace),
        "report_saving" to report(Samples.reportSaving),
        "report_full" to report(Samples.reportFull),
        "report_discard" to report(Samples.reportFilled.copy(asksToDiscard = true)),
        "incidents_loading" to incidents(IncidentsState.Loading),
        "incidents_failed" to incidents(Samples.incidentsFailed),
        "incidents_empty" to incidents(Samples.incidentsEmpty),
        "incidents_some" to incidents(Samples.incidentsSome),
        "incidents_disputed" to incidents(Samples.incidentsDisputed),
        "wiped" to { Page(words().say(Shared.string.app_name), onBack = null, bottom = {}) { Failed(Problem(Shared.string.error_wiped), {}) } },
    )
}
