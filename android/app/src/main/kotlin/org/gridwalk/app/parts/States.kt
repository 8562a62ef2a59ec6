package org.gridwalk.app.parts

import androidx.activity.compose.BackHandler
import androidx.annotation.DrawableRes
import androidx.annotation.StringRes
import androidx.compose.foundation.background
import androidx.compose.foundation.clickable
import androidx.compose.foundation.interaction.MutableInteractionSource
import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Box
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.WindowInsets
import androidx.compose.foundation.layout.fillMaxSize
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.navigationBars
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.layout.size
import androidx.compose.foundation.layout.windowInsetsPadding
import androidx.compose.foundation.rememberScrollState
import androidx.compose.foundation.verticalScroll
import androidx.compose.material3.CircularProgressIndicator
import androidx.compose.material3.LocalTextStyle
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Surface
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.runtime.remember
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.graphics.Color
import androidx.compose.ui.semantics.clearAndSetSemantics
import androidx.compose.ui.semantics.paneTitle
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.text.style.LineBreak
import androidx.compose.ui.text.style.TextAlign
import androidx.compose.ui.unit.dp
import org.gridwalk.app.R
import org.gridwalk.app.words.words
import org.gridwalk.shared.R as Shared

/** Something went wrong: what happened and what to do, in one sentence. */
data class Problem(@param:StringRes val text: Int)

/** While the data is being opened: no screen flashes by, a word says what happens. */
@Composable
fun Waiting(@StringRes text: Int = Shared.string.common_loading, modifier: Modifier = Modifier) {
    Column(
        modifier.fillMaxWidth().padding(vertical = 64.dp),
        horizontalAlignment = Alignment.CenterHorizontally,
        verticalArrangement = Arrangement.spacedBy(16.dp),
    ) {
        CircularProgressIndicator(Modifier.size(40.dp))
        Text(words().say(text), color = MaterialTheme.colorScheme.onSurfaceVariant)
    }
}

/** Nothing here, or nothing can be shown: a shape, a sentence, and a next step where there is one. */
@Composable
fun Blank(
    @DrawableRes icon: Int,
    title: String,
    note: String,
    modifier: Modifier = Modifier,
    ink: Color = MaterialTheme.colorScheme.onSurfaceVariant,
    action: String? = null,
    onAction: () -> Unit = {},
) {
    Column(
        modifier.fillMaxWidth().padding(horizontal = 8.dp, vertical = 40.dp),
        horizontalAlignment = Alignment.CenterHorizontally,
        verticalArrangement = Arrangement.spacedBy(12.dp),
    ) {
        Symbol(icon, ink, Modifier.size(56.dp))
        Text(title, style = MaterialTheme.typography.titleLarge, textAlign = TextAlign.Center)
        Text(note, color = MaterialTheme.colorScheme.onSurfaceVariant, textAlign = TextAlign.Center, style = LocalTextStyle.current.copy(lineBreak = LineBreak.Heading))
        if (action != null) FilledButton(action, onAction)
    }
}

/** A screen that could not be filled. */
@Composable
fun Failed(problem: Problem, onRetry: () -> Unit, modifier: Modifier = Modifier) {
    Blank(
        R.drawable.ic_warning,
        words().say(Shared.string.common_failed),
        words().say(problem.text),
        modifier,
        ink = MaterialTheme.colorScheme.error,
        action = words().say(Shared.string.common_retry),
        onAction = onRetry,
    )
}

/** What went wrong with the last thing that was tried. */
@Composable
fun ProblemNotice(problem: Problem?, modifier: Modifier = Modifier, action: String? = null, onAction: () -> Unit = {}) {
    if (problem != null) Notice(words().say(problem.text), R.drawable.ic_warning, MaterialTheme.colorScheme.error, modifier, action, onAction)
}

/**
 * A question over the screen, at the thumb. One decision: to do it, or to leave
 * all as it is.
 */
@Composable
fun Ask(
    title: String,
    note: String?,
    confirm: String,
    onConfirm: () -> Unit,
    onCancel: () -> Unit,
    cancel: String = words().say(Shared.string.common_cancel),
    more: @Composable () -> Unit = {},
) {
    BackHandler(onBack = onCancel)
    Box(Modifier.fillMaxSize(), contentAlignment = Alignment.BottomCenter) {
        Box(
            Modifier.fillMaxSize().background(Color.Black.copy(alpha = 0.5f))
                .clickable(remember { MutableInteractionSource() }, indication = null, onClick = onCancel)
                .clearAndSetSemantics {},
        )
        Surface(
            Modifier.fillMaxWidth().semantics { paneTitle = title },
            shape = MaterialTheme.shapes.large,
            color = MaterialTheme.colorScheme.surface,
        ) {
            Column(
                Modifier.windowInsetsPadding(WindowInsets.navigationBars).verticalScroll(rememberScrollState()).padding(20.dp),
                verticalArrangement = Arrangement.spacedBy(12.dp),
            ) {
                Heading(title)
                if (note != null) Text(note, color = MaterialTheme.colorScheme.onSurfaceVariant)
                more()
                BigButton(confirm, icon = null, onConfirm)
                PlainButton(cancel, onCancel, Modifier.fillMaxWidth())
            }
        }
    }
}
