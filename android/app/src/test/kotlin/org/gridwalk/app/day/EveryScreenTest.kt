package org.gridwalk.app.day

import androidx.compose.ui.test.junit4.v2.createEmptyComposeRule
import androidx.test.core.app.ActivityScenario
import java.io.File
import kotlinx.coroutines.runBlocking
import org.gridwalk.app.Light
import org.gridwalk.app.MainActivity
import org.gridwalk.app.faults
import org.gridwalk.core.Fix
import org.gridwalk.core.NewIncident
import org.gridwalk.core.NewPhoto
import org.gridwalk.shared.Gridwalk
import org.gridwalk.shared.R
import org.gridwalk.shared.location.toFix
import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Before
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config

/** Each screen of the whole app over the real library, in both languages, by day and night, in common type and in the largest. */
@RunWith(RobolectricTestRunner::class)
@Config(application = TestApp::class)
class EveryScreenTest {
    @get:Rule
    val scratch = TemporaryFolder()

    @get:Rule
    val rule = createEmptyComposeRule()

    private val hand by lazy { Hand(rule) }
    private val wrong = mutableListOf<String>()
    private lateinit var server: TestServer

    @Before
    fun start() {
        server = TestServer(scratch.newFolder("server"))
    }

    @After
    fun stop() = server.close()

    @Test
    fun no_word_of_it_is_cut() {
        inEachLight { light ->
            hand.awaits(R.string.enrol_intro)
            look("enrol", light)
        }
        runBlocking { hand.app.core.gridwalk().halfADay() }
        hand.grants()
        hand.switchesGps(true)
        inEachLight { light ->
            hand.awaits(R.string.today_on_shift)
            look("today", light)
            hand.presses(R.string.tab_patrol)
            hand.awaits(R.string.patrol_pause)
            look("patrol", light)
            hand.presses(R.string.tab_incidents)
            hand.awaits(R.string.incident_on_phone)
            look("incidents", light)
            hand.presses(R.string.report_action)
            hand.awaits(R.string.report_category)
            look("report", light)
        }
        assertEquals("", wrong.joinToString("\n"))
    }

    private fun inEachLight(visit: (Light) -> Unit) {
        for (light in Light.all) {
            RuntimeEnvironment.setQualifiers("+${if (light.language == "zh") "zh-rCN" else "en"}-${if (light.dark) "night" else "notnight"}")
            RuntimeEnvironment.setFontScale(light.fontScale)
            ActivityScenario.launch(MainActivity::class.java).use {
                hand.scenario = it
                visit(light)
            }
        }
    }

    private fun look(screen: String, light: Light) {
        rule.faults().mapTo(wrong) { "$screen $light: $it" }
        hand.draws(File(System.getProperty("gridwalk.drawn")!!, "whole/$screen-$light.png"))
    }

    /** On duty, on a real walk with a pause in it, and one report with a photo. */
    private suspend fun Gridwalk.halfADay() {
        enrol(server.invitation(), null)
        startShift(null)
        startPatrol()
        val walk: List<Fix> = Trace.endingNow(600..799).map { it.toFix() }
        record(walk.take(120))
        record(walk.drop(150))
        report(NewIncident("fire_safety", null, "3号楼楼道堆放纸箱，挡住消火栓", null, null, listOf(NewPhoto(jpeg(), "image/jpeg"))))
    }
}
