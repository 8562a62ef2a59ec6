package org.gridwalk.app

import android.content.res.Configuration
import androidx.compose.runtime.Composable
import androidx.compose.ui.tooling.preview.Preview
import androidx.compose.ui.tooling.preview.PreviewParameter
import androidx.compose.ui.tooling.preview.PreviewParameterProvider
import org.gridwalk.app.look.GridwalkTheme

/** The names of all scenes, for Android Studio's gallery. */
class SceneNames : PreviewParameterProvider<String> {
    override val values = Scenes.all.keys.asSequence()
}

@Preview(name = "中文", locale = "zh-rCN", widthDp = 360, heightDp = 780)
@Preview(name = "English, night, large type", locale = "en", fontScale = 2f, uiMode = Configuration.UI_MODE_NIGHT_YES, widthDp = 360, heightDp = 780)
@Composable
internal fun Scene(@PreviewParameter(SceneNames::class) name: String) {
    GridwalkTheme { Scenes.all.getValue(name)() }
}
