package org.gridwalk.app

import androidx.activity.ComponentActivity
import androidx.compose.ui.test.junit4.v2.createAndroidComposeRule
import androidx.compose.ui.test.longClick
import androidx.compose.ui.test.onNodeWithText
import androidx.compose.ui.test.performTouchInput
import java.time.ZoneId
import java.util.TimeZone
import org.junit.Assert.assertEquals
import org.junit.Before
import org.junit.Rule
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner

/** Every scene in every light: no word cut, nothing too small for a thumb, and the pictures as they were. */
@RunWith(RobolectricTestRunner::class)
class ScenesTest {
    @get:Rule
    val rule = createAndroidComposeRule<ComponentActivity>()

    @Before
    fun inLinyi() = TimeZone.setDefault(TimeZone.getTimeZone(ZoneId.of("Asia/Shanghai")))

    @Test
    fun no_word_is_cut_and_every_target_is_large_enough() {
        val stage = Stage(rule)
        val wrong = mutableListOf<String>()
        for (name in Scenes.all.keys) for (light in Light.all) {
            stage.show(name, light)
            rule.faults().mapTo(wrong) { "$name $light: $it" }
        }
        assertEquals("", wrong.joinToString("\n"))
    }

    @Test
    fun a_long_press_on_an_age_says_the_moment() {
        Stage(rule).show("incidents_some", Light("zh", dark = false, fontScale = 1f))
        rule.onNodeWithText("4\u202F分钟前", substring = true).performTouchInput { longClick() }
        rule.mainClock.advanceTimeBy(1_000)
        rule.onNodeWithText("2026-11-21 10:38:00").assertExists()
    }

    @Test
    fun the_pictures_are_as_they_were() {
        val stage = Stage(rule)
        val album = Album()
        for ((name, light) in Album.kept) {
            stage.show(name, light)
            album.compare("$name-$light", stage.picture())
        }
        assertEquals("", album.differences.joinToString("\n"))
    }
}
