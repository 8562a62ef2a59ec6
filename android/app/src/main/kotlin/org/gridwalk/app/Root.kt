package org.gridwalk.app

import android.Manifest.permission.ACCESS_COARSE_LOCATION
import android.Manifest.permission.ACCESS_FINE_LOCATION
import android.Manifest.permission.POST_NOTIFICATIONS
import android.content.ActivityNotFoundException
import android.content.Context
import android.content.Intent
import android.net.Uri
import android.os.Build
import android.provider.Settings
import androidx.activity.compose.BackHandler
import androidx.activity.compose.rememberLauncherForActivityResult
import androidx.activity.result.contract.ActivityResultContracts.RequestMultiplePermissions
import androidx.activity.result.contract.ActivityResultContracts.TakePicture
import androidx.compose.runtime.Composable
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.remember
import androidx.compose.runtime.saveable.rememberSaveable
import androidx.compose.runtime.setValue
import androidx.compose.ui.platform.LocalContext
import androidx.core.content.FileProvider
import androidx.lifecycle.ViewModel
import androidx.lifecycle.compose.LifecycleResumeEffect
import androidx.lifecycle.compose.collectAsStateWithLifecycle
import androidx.lifecycle.viewModelScope
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.distinctUntilChanged
import kotlinx.coroutines.flow.map
import org.gridwalk.app.enrolment.EnrolmentActions
import org.gridwalk.app.enrolment.EnrolmentScreen
import org.gridwalk.app.incidents.IncidentsActions
import org.gridwalk.app.incidents.IncidentsScreen
import org.gridwalk.app.parts.Failed
import org.gridwalk.app.parts.Frame
import org.gridwalk.app.parts.MainAction
import org.gridwalk.app.parts.Page
import org.gridwalk.app.parts.Problem
import org.gridwalk.app.parts.Scrolled
import org.gridwalk.app.parts.Tab
import org.gridwalk.app.parts.Waiting
import org.gridwalk.app.parts.isLargeType
import org.gridwalk.app.patrol.PatrolActions
import org.gridwalk.app.patrol.PatrolAsks
import org.gridwalk.app.patrol.PatrolScreen
import org.gridwalk.app.patrol.PatrolState
import org.gridwalk.app.report.ReportActions
import org.gridwalk.app.report.ReportModel
import org.gridwalk.app.report.ReportScreen
import org.gridwalk.app.today.TodayActions
import org.gridwalk.app.today.TodayAsks
import org.gridwalk.app.today.TodayScreen
import org.gridwalk.app.today.TodayState
import org.gridwalk.app.words.words
import org.gridwalk.shared.Core
import org.gridwalk.shared.R as Shared

/** Which of the app's parts is shown. */
sealed interface RootState {
    data object Loading : RootState

    data class Failed(val problem: Problem) : RootState

    /** The phone is nobody's yet. */
    data object Enrolment : RootState

    /** [signedOut]: the server does not know this phone any more, and another code may be taken. */
    data class Home(val onShift: Boolean, val signedOut: Boolean) : RootState
}

class RootModel(private val core: Core) : ViewModel() {
    val state: StateFlow<RootState> = core.screen(viewModelScope, RootState.Loading, RootState::Failed) { gridwalk ->
        gridwalk.everything
            .map { it.status }
            .map { if (it.identity == null) RootState.Enrolment else RootState.Home(it.shift != null, it.signedOut) }
            .distinctUntilChanged()
    }

    fun onRetry() = core.retry()
}

@Composable
fun RootScreen(models: Models) {
    val state by models.root.state.collectAsStateWithLifecycle()
    when (val now = state) {
        RootState.Loading -> Page(words().say(Shared.string.app_name), onBack = null, bottom = {}) { Waiting() }
        is RootState.Failed -> Page(words().say(Shared.string.app_name), onBack = null, bottom = {}) { Failed(now.problem, models.root::onRetry) }
        RootState.Enrolment -> {
            val enrolment by models.enrolment.state.collectAsStateWithLifecycle()
            val actions = remember { models.enrolment.run { EnrolmentActions(::onCode, ::onServer, ::onEnrol) } }
            EnrolmentScreen(enrolment, actions)
        }
        is RootState.Home -> Home(now, models)
    }
}

@Composable
private fun Home(state: RootState.Home, models: Models) {
    val reporting by models.report.isOpen.collectAsStateWithLifecycle()
    val saved by models.report.isJustSaved.collectAsStateWithLifecycle()
    var tab by rememberSaveable { mutableStateOf(Tab.Today) }
    var enrolling by rememberSaveable { mutableStateOf(false) }
    val patrol = patrolActions(models)
    val today = remember { todayActions(models, { tab = Tab.Patrol }) { enrolling = true } }
    LifecycleResumeEffect(Unit) {
        models.patrol.onShown()
        onPauseOrDispose {}
    }
    if (reporting) {
        Report(models.report)
        return
    }
    val enrolment by models.enrolment.state.collectAsStateWithLifecycle()
    if (state.signedOut && (enrolling || enrolment.scanned)) {
        val back = {
            enrolling = false
            models.enrolment.onCode("")
        }
        BackHandler(onBack = back)
        EnrolmentScreen(enrolment, models.enrolment.run { EnrolmentActions(::onCode, ::onServer, ::onEnrol, back) })
        return
    }
    BackHandler(enabled = tab != Tab.Today) { tab = Tab.Today }
    val todayState by models.today.state.collectAsStateWithLifecycle()
    val patrolState by models.patrol.state.collectAsStateWithLifecycle()
    Frame(
        tab = tab,
        onTab = {
            models.report.onSavedSeen()
            tab = it
        },
        action = if (state.onShift) MainAction.Report else MainAction.StartShift,
        onAction = { if (state.onShift) models.report.onOpen() else models.today.onStartShift() },
        unsent = (todayState as? TodayState.Ready)?.let { it.unsent.line(words(), it.nowMs, short = isLargeType()) },
        saved = saved,
        onSavedSeen = models.report::onSavedSeen,
    ) { modifier ->
        when (tab) {
            Tab.Today -> Scrolled(modifier) { TodayScreen(todayState, today) }
            Tab.Patrol -> Scrolled(modifier) { PatrolScreen(patrolState, patrol) }
            Tab.Incidents -> {
                val incidents by models.incidents.state.collectAsStateWithLifecycle()
                IncidentsScreen(incidents, IncidentsActions(models.incidents::onRetry), modifier)
            }
        }
    }
    TodayAsks((todayState as? TodayState.Ready)?.ask, today)
    PatrolAsks((patrolState as? PatrolState.Ready)?.ask, patrol)
}

private fun todayActions(models: Models, openPatrol: () -> Unit, enrolAgain: () -> Unit) = models.today.run {
    TodayActions(
        onEndShift = ::onEndShift,
        onConfirmEndShift = ::onConfirmEndShift,
        onChooseGrid = ::onChooseGrid,
        onCancel = ::onCancel,
        onStartPatrol = {
            openPatrol()
            models.patrol.onStart()
        },
        onOpenPatrol = openPatrol,
        onSync = ::onSync,
        onRetry = ::onRetry,
        onEnrolAgain = enrolAgain,
        onLogOut = ::onLogOut,
        onConfirmLogOut = ::onConfirmLogOut,
    )
}

@Composable
private fun patrolActions(models: Models): PatrolActions {
    val context = LocalContext.current
    val permissions = rememberLauncherForActivityResult(RequestMultiplePermissions()) { models.patrol.onLocationAnswered() }
    return remember(context) {
        models.patrol.run {
            PatrolActions(
                onStart = ::onStart,
                onPause = ::onPause,
                onResume = ::onResume,
                onFinish = ::onFinish,
                onConfirmFinish = ::onConfirmFinish,
                onAllowLocation = { permissions.launch(patrolPermissions()) },
                onCancel = ::onCancel,
                onSettings = { context.open(Intent(Settings.ACTION_APPLICATION_DETAILS_SETTINGS, Uri.fromParts("package", context.packageName, null))) },
                onTurnOnLocation = { context.open(Intent(Settings.ACTION_LOCATION_SOURCE_SETTINGS)) },
                onRetry = ::onRetry,
            )
        }
    }
}

/** Coarse must be asked along with fine; the notification is how the worker sees that it records. */
private fun patrolPermissions(): Array<String> {
    val location = arrayOf(ACCESS_FINE_LOCATION, ACCESS_COARSE_LOCATION)
    return if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.TIRAMISU) location + POST_NOTIFICATIONS else location
}

/** Some phones lack some settings page; then nothing opens, and all else goes on. */
private fun Context.open(intent: Intent) {
    try {
        startActivity(intent)
    } catch (_: ActivityNotFoundException) {
    }
}

@Composable
private fun Report(model: ReportModel) {
    val state by model.state.collectAsStateWithLifecycle()
    val context = LocalContext.current
    val camera = rememberLauncherForActivityResult(TakePicture(), model::onPhotoTaken)
    val actions = remember(context) {
        ReportActions(
            onCategory = model::onCategory,
            onWords = model::onWords,
            onPhoto = {
                val file = model.newPhotoFile()
                try {
                    camera.launch(FileProvider.getUriForFile(context, "${context.packageName}.photos", file))
                } catch (_: ActivityNotFoundException) {
                    model.onCameraMissing()
                }
            },
            onRemovePhoto = model::onRemovePhoto,
            onSave = model::onSave,
            onBack = model::onBack,
            onDiscard = model::onDiscard,
            onKeep = model::onKeep,
            onRetry = model::onRetry,
        )
    }
    BackHandler { model.onBack() }
    ReportScreen(state, actions)
}
