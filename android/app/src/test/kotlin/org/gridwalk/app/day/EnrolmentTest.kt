package org.gridwalk.app.day

import androidx.compose.ui.test.junit4.v2.createEmptyComposeRule
import androidx.test.core.app.ActivityScenario
import org.gridwalk.app.MainActivity
import org.gridwalk.shared.R
import org.junit.After
import org.junit.Assert.assertNull
import org.junit.Before
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config

/** A new phone, a code typed by hand, and what may go wrong with it. */
@RunWith(RobolectricTestRunner::class)
@Config(application = TestApp::class)
class EnrolmentTest {
    @get:Rule
    val scratch = TemporaryFolder()

    @get:Rule
    val rule = createEmptyComposeRule()

    private val hand by lazy { Hand(rule) }
    private lateinit var server: TestServer

    @Before
    fun start() {
        server = TestServer(scratch.newFolder("server"))
        hand.scenario = ActivityScenario.launch(MainActivity::class.java)
        hand.awaits(R.string.enrol_intro)
    }

    @After
    fun stop() = server.close()

    @Test
    fun a_typed_code_with_the_server_s_address() {
        val invitation = server.invitation()
        val code = Regex("code=([^&]+)").find(invitation)!!.groupValues[1]
        hand.types(R.string.enrol_code, code.lowercase())
        hand.types(R.string.enrol_server, server.url)
        // A turn of the phone in between.
        RuntimeEnvironment.setQualifiers("+land")
        hand.scenario.recreate()
        hand.awaits(server.url)
        hand.presses(R.string.enrol_action)
        hand.awaits(TestServer.GRID_NAME)
        hand.awaits(R.string.today_off_shift)
    }

    @Test
    fun a_wrong_code_says_what_to_do_and_changes_nothing() {
        hand.types(R.string.enrol_code, "AAAA-BBBB-CCCC")
        hand.types(R.string.enrol_server, server.url)
        hand.presses(R.string.enrol_action)
        hand.awaits(R.string.error_code_wrong)
        assertNull(hand.status().identity)
    }

    @Test
    fun a_server_that_is_not_there() {
        val address = server.url
        server.stop()
        hand.types(R.string.enrol_code, "AAAA-BBBB-CCCC")
        hand.types(R.string.enrol_server, address)
        hand.presses(R.string.enrol_action)
        hand.awaits(R.string.error_network)
        assertNull(hand.status().identity)
    }

    @Test
    fun what_is_no_code_at_all() {
        hand.types(R.string.enrol_code, "gridwalk://wipe?all=1")
        hand.presses(R.string.enrol_action)
        hand.awaits(R.string.error_link_unreadable)
    }
}
