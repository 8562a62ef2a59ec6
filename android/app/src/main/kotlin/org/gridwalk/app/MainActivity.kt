package org.gridwalk.app

import android.content.Intent
import android.os.Bundle
import androidx.activity.ComponentActivity
import androidx.activity.compose.setContent
import androidx.activity.enableEdgeToEdge
import androidx.activity.viewModels
import androidx.lifecycle.createSavedStateHandle
import androidx.lifecycle.viewmodel.initializer
import androidx.lifecycle.viewmodel.viewModelFactory
import org.gridwalk.app.enrolment.EnrolmentModel
import org.gridwalk.app.incidents.IncidentsModel
import org.gridwalk.app.look.GridwalkTheme
import org.gridwalk.app.patrol.PatrolModel
import org.gridwalk.app.report.ReportModel
import org.gridwalk.app.today.TodayModel
import org.gridwalk.shared.location.PatrolService

/** The view models of all screens; they outlive a turn of the phone. */
class Models(
    val root: RootModel,
    val enrolment: EnrolmentModel,
    val today: TodayModel,
    val patrol: PatrolModel,
    val report: ReportModel,
    val incidents: IncidentsModel,
)

/** The one activity. An invitation that the system's camera read opens it too. */
class MainActivity : ComponentActivity() {
    private val app get() = application as GridwalkApp

    private val root: RootModel by viewModels { viewModelFactory { initializer { RootModel(app.core) } } }

    private val enrolment: EnrolmentModel by viewModels {
        viewModelFactory { initializer { EnrolmentModel(app.core, createSavedStateHandle(), app::syncRegularly) } }
    }

    private val today: TodayModel by viewModels {
        viewModelFactory { initializer { TodayModel(app.core, app.sync, app.clock, app.troubles, app::syncSoon) } }
    }

    private val patrol: PatrolModel by viewModels {
        val app = app
        viewModelFactory { initializer { PatrolModel(app.core, app.locations, app.clock, app.troubles, { PatrolService.start(app) }, app::syncSoon) } }
    }

    private val report: ReportModel by viewModels {
        val app = app
        viewModelFactory {
            initializer {
                ReportModel(app.core, createSavedStateHandle(), app.locations, app.photos) {
                    confirmByVibration(app)
                    app.syncSoon()
                }
            }
        }
    }

    private val incidents: IncidentsModel by viewModels { viewModelFactory { initializer { IncidentsModel(app.core, app.clock) } } }

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        enableEdgeToEdge()
        if (savedInstanceState == null) take(intent)
        val models = Models(root, enrolment, today, patrol, report, incidents)
        setContent { GridwalkTheme { RootScreen(models) } }
    }

    override fun onNewIntent(intent: Intent) {
        super.onNewIntent(intent)
        take(intent)
    }

    private fun take(intent: Intent) {
        if (intent.action == Intent.ACTION_VIEW) intent.dataString?.let(enrolment::onScanned)
    }
}
