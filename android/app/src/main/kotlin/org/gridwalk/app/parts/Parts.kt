package org.gridwalk.app.parts

import androidx.annotation.DrawableRes
import androidx.compose.foundation.BorderStroke
import androidx.compose.foundation.background
import androidx.compose.foundation.clickable
import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Box
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.ColumnScope
import androidx.compose.foundation.layout.PaddingValues
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.Spacer
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.heightIn
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.layout.size
import androidx.compose.foundation.layout.width
import androidx.compose.foundation.shape.CircleShape
import androidx.compose.material3.Button
import androidx.compose.material3.ButtonDefaults
import androidx.compose.material3.CircularProgressIndicator
import androidx.compose.material3.ExperimentalMaterial3Api
import androidx.compose.material3.Icon
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.OutlinedButton
import androidx.compose.material3.PlainTooltip
import androidx.compose.material3.Surface
import androidx.compose.material3.Text
import androidx.compose.material3.TooltipAnchorPosition
import androidx.compose.material3.TooltipBox
import androidx.compose.material3.TooltipDefaults
import androidx.compose.material3.rememberTooltipState
import androidx.compose.runtime.Composable
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.draw.clip
import androidx.compose.ui.graphics.Color
import androidx.compose.ui.platform.LocalDensity
import androidx.compose.ui.res.painterResource
import androidx.compose.ui.semantics.LiveRegionMode
import androidx.compose.ui.semantics.Role
import androidx.compose.ui.semantics.contentDescription
import androidx.compose.ui.semantics.heading
import androidx.compose.ui.semantics.liveRegion
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.text.style.TextAlign
import androidx.compose.ui.unit.Dp
import androidx.compose.ui.unit.dp
import org.gridwalk.app.look.Tokens
import org.gridwalk.app.words.words

/** Whether the type is so large that things side by side must go below each other. */
@Composable
fun isLargeType(): Boolean = LocalDensity.current.fontScale > 1.3f

/** An icon beside a word that says the same: it has no description of its own. */
@Composable
fun Symbol(@DrawableRes icon: Int, tint: Color, modifier: Modifier = Modifier.size(24.dp)) {
    Icon(painterResource(icon), contentDescription = null, modifier, tint)
}

@Composable
fun Heading(text: String, modifier: Modifier = Modifier) {
    Text(text, modifier.semantics { heading() }, style = MaterialTheme.typography.titleLarge)
}

/** Muted words that explain the line above them. */
@Composable
fun Muted(text: String, modifier: Modifier = Modifier) {
    Text(text, modifier, color = MaterialTheme.colorScheme.onSurfaceVariant, style = MaterialTheme.typography.bodySmall)
}

/** Muted words with an age in them: a long press, and TalkBack, say the moment exactly. */
@OptIn(ExperimentalMaterial3Api::class)
@Composable
fun Timed(text: String, momentMs: Long, modifier: Modifier = Modifier) {
    val exact = words().exact(momentMs)
    // The box around it keeps the words at their start, however wide it is.
    Box(modifier) {
        TooltipBox(
            TooltipDefaults.rememberTooltipPositionProvider(TooltipAnchorPosition.Above),
            tooltip = { PlainTooltip { Text(exact, style = MaterialTheme.typography.bodySmall) } },
            rememberTooltipState(),
        ) { Muted(text, Modifier.semantics { contentDescription = "$text, $exact" }) }
    }
}

/** A card: a line around it and no shadow. */
@Composable
fun Panel(modifier: Modifier = Modifier, padding: Dp = 16.dp, content: @Composable ColumnScope.() -> Unit) {
    Surface(
        modifier.fillMaxWidth(),
        shape = MaterialTheme.shapes.medium,
        color = MaterialTheme.colorScheme.surface,
        border = BorderStroke(1.dp, MaterialTheme.colorScheme.outlineVariant),
    ) {
        Column(Modifier.padding(padding), verticalArrangement = Arrangement.spacedBy(8.dp), content = content)
    }
}

/** The main action of a screen: 72 dp at the thumb. */
@Composable
fun BigButton(text: String, @DrawableRes icon: Int?, onClick: () -> Unit, modifier: Modifier = Modifier, enabled: Boolean = true, busy: Boolean = false) {
    Button(
        onClick,
        modifier.fillMaxWidth().heightIn(min = Tokens.Action),
        enabled = enabled && !busy,
        shape = MaterialTheme.shapes.medium,
        contentPadding = PaddingValues(horizontal = 16.dp, vertical = 12.dp),
    ) {
        if (busy) {
            CircularProgressIndicator(Modifier.size(28.dp), color = MaterialTheme.colorScheme.onSurfaceVariant, strokeWidth = 3.dp)
            Spacer(Modifier.width(12.dp))
        } else if (icon != null) {
            Icon(painterResource(icon), contentDescription = null, Modifier.size(28.dp))
            Spacer(Modifier.width(12.dp))
        }
        Text(text, style = MaterialTheme.typography.titleLarge, textAlign = TextAlign.Center)
    }
}

/** Any other action: 56 dp, a line around it. */
@Composable
fun PlainButton(text: String, onClick: () -> Unit, modifier: Modifier = Modifier, @DrawableRes icon: Int? = null, enabled: Boolean = true, ink: Color = MaterialTheme.colorScheme.primary) {
    OutlinedButton(
        onClick,
        modifier.heightIn(min = Tokens.Target),
        enabled = enabled,
        shape = MaterialTheme.shapes.medium,
        colors = ButtonDefaults.outlinedButtonColors(containerColor = MaterialTheme.colorScheme.surface),
        border = BorderStroke(1.dp, MaterialTheme.colorScheme.outlineVariant),
        contentPadding = PaddingValues(horizontal = 12.dp, vertical = 8.dp),
    ) {
        if (icon != null) {
            Symbol(icon, if (enabled) ink else MaterialTheme.colorScheme.onSurfaceVariant)
            Spacer(Modifier.width(8.dp))
        }
        Text(text, color = if (enabled) ink else MaterialTheme.colorScheme.onSurfaceVariant, style = MaterialTheme.typography.labelLarge, textAlign = TextAlign.Center)
    }
}

/** A filled action of second rank, in the middle of a screen. */
@Composable
fun FilledButton(text: String, onClick: () -> Unit, modifier: Modifier = Modifier, @DrawableRes icon: Int? = null, enabled: Boolean = true) {
    Button(
        onClick,
        modifier.heightIn(min = Tokens.Target),
        enabled = enabled,
        shape = MaterialTheme.shapes.medium,
        contentPadding = PaddingValues(horizontal = 16.dp, vertical = 8.dp),
    ) {
        if (icon != null) {
            Icon(painterResource(icon), contentDescription = null, Modifier.size(24.dp))
            Spacer(Modifier.width(8.dp))
        }
        Text(text, style = MaterialTheme.typography.labelLarge, textAlign = TextAlign.Center)
    }
}

/** An icon that is a button by itself; [name] is what TalkBack says. */
@Composable
fun IconTarget(@DrawableRes icon: Int, name: String, onClick: () -> Unit, modifier: Modifier = Modifier) {
    Box(
        modifier.size(Tokens.Target).clip(CircleShape).clickable(role = Role.Button, onClick = onClick).semantics { contentDescription = name },
        contentAlignment = Alignment.Center,
    ) { Symbol(icon, MaterialTheme.colorScheme.onSurface) }
}

/** A state: shape, word and colour together. */
@Composable
fun StateWord(text: String, @DrawableRes icon: Int, ink: Color, modifier: Modifier = Modifier) {
    Row(modifier, verticalAlignment = Alignment.CenterVertically) {
        Symbol(icon, ink, Modifier.size(22.dp))
        Spacer(Modifier.width(6.dp))
        Text(text, color = ink, style = MaterialTheme.typography.titleSmall)
    }
}

/** Something that the user should read, with what can be done about it. */
@Composable
fun Notice(
    text: String,
    @DrawableRes icon: Int,
    ink: Color,
    modifier: Modifier = Modifier,
    action: String? = null,
    onAction: () -> Unit = {},
) {
    Surface(
        modifier.fillMaxWidth().semantics { liveRegion = LiveRegionMode.Polite },
        shape = MaterialTheme.shapes.medium,
        color = MaterialTheme.colorScheme.surface,
        border = BorderStroke(1.dp, ink),
    ) {
        Column(Modifier.padding(start = 16.dp, end = 16.dp, top = 12.dp, bottom = if (action == null) 12.dp else 8.dp)) {
            Row {
                Symbol(icon, ink, Modifier.padding(top = 2.dp).size(24.dp))
                Spacer(Modifier.width(12.dp))
                Text(text, style = MaterialTheme.typography.bodyLarge)
            }
            if (action != null) {
                Box(
                    Modifier.align(Alignment.End).heightIn(min = Tokens.Target).clip(MaterialTheme.shapes.small)
                        .clickable(role = Role.Button, onClick = onAction).padding(horizontal = 16.dp),
                    contentAlignment = Alignment.Center,
                ) { Text(action, color = MaterialTheme.colorScheme.primary, style = MaterialTheme.typography.labelLarge) }
            }
        }
    }
}

/** A number to be read at arm's length, under its name. */
@Composable
fun Figure(name: String, value: String, modifier: Modifier = Modifier) {
    Column(modifier.semantics(mergeDescendants = true) {}) {
        Muted(name)
        Text(value, style = MaterialTheme.typography.displaySmall)
    }
}

/** Two things side by side, or below each other where the type is large. */
@Composable
fun SideBySide(first: @Composable (Modifier) -> Unit, second: @Composable (Modifier) -> Unit, modifier: Modifier = Modifier) {
    if (isLargeType()) {
        Column(modifier.fillMaxWidth(), verticalArrangement = Arrangement.spacedBy(12.dp)) {
            first(Modifier.fillMaxWidth())
            second(Modifier.fillMaxWidth())
        }
    } else {
        Row(modifier.fillMaxWidth(), horizontalArrangement = Arrangement.spacedBy(12.dp)) {
            first(Modifier.weight(1f))
            second(Modifier.weight(1f))
        }
    }
}

/** A line with a name of its own: an icon in a tinted disc. */
@Composable
fun Disc(@DrawableRes icon: Int, ink: Color, modifier: Modifier = Modifier) {
    Box(modifier.size(44.dp).clip(CircleShape).background(ink.copy(alpha = 0.14f)), contentAlignment = Alignment.Center) {
        Symbol(icon, ink, Modifier.size(26.dp))
    }
}
