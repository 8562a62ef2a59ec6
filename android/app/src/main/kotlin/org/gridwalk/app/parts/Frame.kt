package org.gridwalk.app.parts

import androidx.annotation.DrawableRes
import androidx.annotation.StringRes
import androidx.compose.foundation.background
import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Box
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.ColumnScope
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.Spacer
import androidx.compose.foundation.layout.WindowInsets
import androidx.compose.foundation.layout.fillMaxSize
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.heightIn
import androidx.compose.foundation.layout.navigationBars
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.layout.size
import androidx.compose.foundation.layout.statusBars
import androidx.compose.foundation.layout.windowInsetsBottomHeight
import androidx.compose.foundation.layout.windowInsetsPadding
import androidx.compose.foundation.layout.windowInsetsTopHeight
import androidx.compose.foundation.rememberScrollState
import androidx.compose.foundation.selection.selectable
import androidx.compose.foundation.selection.selectableGroup
import androidx.compose.foundation.shape.CircleShape
import androidx.compose.foundation.text.BasicText
import androidx.compose.foundation.text.TextAutoSize
import androidx.compose.foundation.verticalScroll
import androidx.compose.material3.HorizontalDivider
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Surface
import androidx.compose.runtime.Composable
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.draw.clip
import androidx.compose.ui.semantics.Role
import androidx.compose.ui.text.style.TextAlign
import androidx.compose.ui.unit.dp
import androidx.compose.ui.unit.sp
import org.gridwalk.app.R
import org.gridwalk.app.look.Tokens
import org.gridwalk.app.look.now
import org.gridwalk.app.words.words
import org.gridwalk.shared.R as Shared

/** The three tabs, in the order of a day. */
enum class Tab(@param:StringRes val label: Int, @param:DrawableRes val icon: Int) {
    Today(Shared.string.tab_today, R.drawable.ic_today),
    Patrol(Shared.string.tab_patrol, R.drawable.ic_route),
    Incidents(Shared.string.tab_incidents, R.drawable.ic_incidents),
}

/** The one big action: on duty to report, before that to come on duty. */
enum class MainAction(@param:StringRes val label: Int, @param:DrawableRes val icon: Int) {
    StartShift(Shared.string.shift_start, R.drawable.ic_work),
    Report(Shared.string.report_action, R.drawable.ic_report),
}

/**
 * What stands around every tab: the big action at the thumb and the tabs below
 * it. [unsent] says in words what is on this phone only; null: nothing is.
 */
@Composable
fun Frame(
    tab: Tab,
    onTab: (Tab) -> Unit,
    action: MainAction?,
    onAction: () -> Unit,
    unsent: String? = null,
    saved: Boolean = false,
    onSavedSeen: () -> Unit = {},
    content: @Composable (Modifier) -> Unit,
) {
    Ground {
        Spacer(Modifier.windowInsetsTopHeight(WindowInsets.statusBars))
        content(Modifier.weight(1f).fillMaxWidth())
        Surface(color = MaterialTheme.colorScheme.surface) {
            Column {
                HorizontalDivider(color = MaterialTheme.colorScheme.outlineVariant)
                if (saved) {
                    Notice(
                        words().say(Shared.string.report_saved),
                        R.drawable.ic_sent,
                        Tokens.Done.now,
                        Modifier.padding(start = 16.dp, end = 16.dp, top = 12.dp),
                        action = words().say(Shared.string.common_close),
                        onAction = onSavedSeen,
                    )
                }
                // Today says it itself, unless the type is so large that its panel is out of sight.
                if (unsent != null && (tab != Tab.Today || isLargeType())) {
                    StateWord(unsent, R.drawable.ic_waiting, Tokens.Waiting.now, Modifier.padding(start = 20.dp, end = 20.dp, top = 12.dp))
                }
                if (action != null) {
                    BigButton(words().say(action.label), action.icon, onAction, Modifier.padding(start = 16.dp, end = 16.dp, top = 12.dp))
                }
                Tabs(tab, onTab)
                Spacer(Modifier.windowInsetsBottomHeight(WindowInsets.navigationBars))
            }
        }
    }
}

/** What of a screen may be longer than the screen. */
@Composable
fun Scrolled(modifier: Modifier, content: @Composable ColumnScope.() -> Unit) {
    Column(modifier.verticalScroll(rememberScrollState()).padding(16.dp), verticalArrangement = Arrangement.spacedBy(12.dp), content = content)
}

/** The whole screen's ground, with ink that reads on it. */
@Composable
private fun Ground(content: @Composable ColumnScope.() -> Unit) {
    Surface(Modifier.fillMaxSize(), color = MaterialTheme.colorScheme.background, contentColor = MaterialTheme.colorScheme.onBackground) {
        Column(content = content)
    }
}

@Composable
private fun Tabs(chosen: Tab, onTab: (Tab) -> Unit) {
    Row(Modifier.fillMaxWidth().padding(horizontal = 8.dp, vertical = 4.dp).selectableGroup()) {
        for (tab in Tab.entries) {
            val isChosen = tab == chosen
            val colors = MaterialTheme.colorScheme
            val ink = if (isChosen) colors.primary else colors.onSurfaceVariant
            Column(
                Modifier.weight(1f).heightIn(min = Tokens.Target)
                    .clip(MaterialTheme.shapes.medium)
                    .selectable(isChosen, role = Role.Tab) { onTab(tab) }
                    .padding(vertical = 6.dp),
                horizontalAlignment = Alignment.CenterHorizontally,
            ) {
                Box(
                    Modifier.clip(CircleShape).background(if (isChosen) colors.secondaryContainer else colors.surface)
                        .padding(horizontal = 20.dp, vertical = 4.dp),
                ) { Symbol(tab.icon, ink, Modifier.size(28.dp)) }
                // A word in a third of the screen: at the largest type it grows as far as it fits, rather than being cut.
                BasicText(
                    words().say(tab.label),
                    Modifier.fillMaxWidth(),
                    style = MaterialTheme.typography.labelMedium.copy(color = ink, textAlign = TextAlign.Center),
                    maxLines = 1,
                    autoSize = TextAutoSize.StepBased(minFontSize = 10.sp, maxFontSize = Tokens.TypeSmall, stepSize = 1.sp),
                )
            }
        }
    }
}

/** A page of its own, without tabs: back at the top, the one action at the thumb. */
@Composable
fun Page(
    title: String,
    onBack: (() -> Unit)?,
    bottom: @Composable ColumnScope.() -> Unit,
    content: @Composable ColumnScope.() -> Unit,
) {
    Ground {
        Spacer(Modifier.windowInsetsTopHeight(WindowInsets.statusBars))
        Row(Modifier.fillMaxWidth().padding(horizontal = if (onBack == null) 16.dp else 4.dp, vertical = 4.dp), verticalAlignment = Alignment.CenterVertically) {
            if (onBack != null) IconTarget(R.drawable.ic_back, words().say(Shared.string.common_back), onBack)
            Heading(title, Modifier.padding(vertical = 12.dp))
        }
        Column(
            Modifier.weight(1f).fillMaxWidth().verticalScroll(rememberScrollState()).padding(start = 16.dp, end = 16.dp, bottom = 16.dp),
            verticalArrangement = Arrangement.spacedBy(12.dp),
            content = content,
        )
        Surface(color = MaterialTheme.colorScheme.surface) {
            Column {
                HorizontalDivider(color = MaterialTheme.colorScheme.outlineVariant)
                Column(
                    Modifier.fillMaxWidth().windowInsetsPadding(WindowInsets.navigationBars).padding(horizontal = 16.dp, vertical = 12.dp),
                    verticalArrangement = Arrangement.spacedBy(12.dp),
                    content = bottom,
                )
            }
        }
    }
}
