package org.gridwalk.app

import android.content.res.Configuration
import android.graphics.Bitmap
import android.graphics.Canvas
import android.os.LocaleList
import androidx.activity.ComponentActivity
import androidx.compose.runtime.Composable
import androidx.compose.runtime.CompositionLocalProvider
import androidx.compose.runtime.getValue
import androidx.compose.runtime.key
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.setValue
import androidx.compose.runtime.snapshots.Snapshot
import androidx.compose.ui.platform.LocalConfiguration
import androidx.compose.ui.platform.LocalContext
import androidx.compose.ui.platform.LocalDensity
import androidx.compose.ui.test.junit4.AndroidComposeTestRule
import androidx.compose.ui.unit.Density
import java.util.Locale
import org.gridwalk.app.look.GridwalkTheme

/** How a scene is looked at. */
data class Light(val language: String, val dark: Boolean, val fontScale: Float) {
    override fun toString() = "$language-${if (dark) "dark" else "light"}-${fontScale}x"

    companion object {
        /** Both languages, by day and by night, in common type and in the largest. */
        val all = listOf("zh", "en").flatMap { language -> listOf(false, true).flatMap { dark -> listOf(1f, 2f).map { Light(language, dark, it) } } }
    }
}

/** Shows one scene after the other in one activity, which is much quicker than one activity each. */
class Stage(private val rule: AndroidComposeTestRule<*, out ComponentActivity>) {
    private var shown by mutableStateOf<Pair<String, Light>?>(null)

    init {
        // Spinners turn for ever; the clock stands, and each scene is drawn as it is.
        rule.mainClock.autoAdvance = false
        rule.setContent { shown?.let { (name, light) -> key(name, light) { Lit(light) { Scenes.all.getValue(name)() } } } }
    }

    fun show(name: String, light: Light) {
        rule.runOnUiThread {
            shown = name to light
            Snapshot.sendApplyNotifications()
        }
        // Time for the first frames and for what moves to its place.
        rule.mainClock.advanceTimeBy(500)
        rule.waitForIdle()
    }

    fun picture(): Bitmap {
        val view = rule.activity.window.decorView
        return Bitmap.createBitmap(view.width, view.height, Bitmap.Config.ARGB_8888).also { view.draw(Canvas(it)) }
    }
}

@Composable
private fun Lit(light: Light, content: @Composable () -> Unit) {
    val outer = LocalContext.current
    val configuration = Configuration(LocalConfiguration.current).apply {
        setLocales(LocaleList(if (light.language == "zh") Locale.SIMPLIFIED_CHINESE else Locale.ENGLISH))
        fontScale = light.fontScale
        uiMode = (uiMode and Configuration.UI_MODE_NIGHT_MASK.inv()) or if (light.dark) Configuration.UI_MODE_NIGHT_YES else Configuration.UI_MODE_NIGHT_NO
    }
    CompositionLocalProvider(
        LocalContext provides outer.createConfigurationContext(configuration),
        LocalConfiguration provides configuration,
        // Linear: harder on the layout than the system's own scaling, which spares what is large already.
        LocalDensity provides Density(LocalDensity.current.density, light.fontScale),
    ) { GridwalkTheme(light.dark, content) }
}
