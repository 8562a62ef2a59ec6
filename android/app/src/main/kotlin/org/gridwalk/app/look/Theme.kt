package org.gridwalk.app.look

import androidx.compose.foundation.isSystemInDarkTheme
import androidx.compose.foundation.shape.RoundedCornerShape
import androidx.compose.material3.ColorScheme
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Shapes
import androidx.compose.material3.Typography
import androidx.compose.material3.darkColorScheme
import androidx.compose.material3.lightColorScheme
import androidx.compose.runtime.Composable
import androidx.compose.runtime.CompositionLocalProvider
import androidx.compose.runtime.ReadOnlyComposable
import androidx.compose.runtime.staticCompositionLocalOf
import androidx.compose.ui.graphics.Color
import androidx.compose.ui.graphics.compositeOver
import androidx.compose.ui.text.PlatformTextStyle
import androidx.compose.ui.text.TextStyle
import androidx.compose.ui.text.font.FontWeight
import androidx.compose.ui.text.style.LineHeightStyle
import androidx.compose.ui.unit.TextUnit
import androidx.compose.ui.unit.sp

private val LocalDark = staticCompositionLocalOf { false }

/** This colour for the time of day that the theme is in. */
val Tint.now: Color
    @Composable @ReadOnlyComposable
    get() = if (LocalDark.current) dark else light

private fun scheme(dark: Boolean): ColorScheme {
    fun of(tint: Tint) = if (dark) tint.dark else tint.light
    val surface = of(Tokens.Surface)
    val tinted = of(Tokens.Primary).copy(alpha = TINTED).compositeOver(surface)
    val base = if (dark) darkColorScheme() else lightColorScheme()
    return base.copy(
        primary = of(Tokens.Primary),
        onPrimary = of(Tokens.OnColor),
        primaryContainer = tinted,
        onPrimaryContainer = of(Tokens.Ink),
        secondary = of(Tokens.Primary),
        onSecondary = of(Tokens.OnColor),
        secondaryContainer = tinted,
        onSecondaryContainer = of(Tokens.Primary),
        tertiary = of(Tokens.Primary),
        onTertiary = of(Tokens.OnColor),
        background = of(Tokens.Ground),
        onBackground = of(Tokens.Ink),
        surface = surface,
        onSurface = of(Tokens.Ink),
        surfaceVariant = of(Tokens.Ground),
        onSurfaceVariant = of(Tokens.Muted),
        surfaceTint = surface,
        surfaceContainerLowest = surface,
        surfaceContainerLow = surface,
        surfaceContainer = surface,
        surfaceContainerHigh = surface,
        surfaceContainerHighest = of(Tokens.Ground),
        error = of(Tokens.Overdue),
        onError = of(Tokens.OnColor),
        outline = of(Tokens.Muted),
        outlineVariant = of(Tokens.Line),
    )
}

/** How much of a colour is left where it only tints a ground. */
private const val TINTED = 0.14f

/** One of the four sizes; Chinese wants air between lines, figures do not. */
private fun style(size: TextUnit, weight: FontWeight = FontWeight.Normal, lineHeight: Float = Tokens.LINE_HEIGHT) = TextStyle(
    fontSize = size,
    fontWeight = weight,
    lineHeight = size * lineHeight,
    letterSpacing = 0.sp,
    lineHeightStyle = LineHeightStyle(LineHeightStyle.Alignment.Center, LineHeightStyle.Trim.None),
    platformStyle = PlatformTextStyle(includeFontPadding = false),
)

private val small = style(Tokens.TypeSmall)
private val body = style(Tokens.TypeBody)
private val title = style(Tokens.TypeTitle, FontWeight.Medium, lineHeight = 1.36f)
private val figure = style(Tokens.TypeFigure, FontWeight.Medium, lineHeight = 1.25f).copy(fontFeatureSettings = "tnum")

private val typography = Typography(
    displayLarge = figure,
    displayMedium = figure,
    displaySmall = figure,
    headlineLarge = figure,
    headlineMedium = title,
    headlineSmall = title,
    titleLarge = title,
    // No weight of its own: common phones have Chinese in one weight, and digits beside it would stand out.
    titleMedium = body,
    titleSmall = small,
    bodyLarge = body,
    bodyMedium = body,
    bodySmall = small,
    labelLarge = body.copy(fontWeight = FontWeight.Medium),
    labelMedium = small,
    labelSmall = small,
)

private val shapes = Shapes(
    extraSmall = RoundedCornerShape(Tokens.RadiusControl),
    small = RoundedCornerShape(Tokens.RadiusControl),
    medium = RoundedCornerShape(Tokens.RadiusCard),
    large = RoundedCornerShape(Tokens.RadiusCard),
    extraLarge = RoundedCornerShape(Tokens.RadiusCard),
)

/** Material 3 in the house's colours, sizes and corners. */
@Composable
fun GridwalkTheme(dark: Boolean = isSystemInDarkTheme(), content: @Composable () -> Unit) {
    CompositionLocalProvider(LocalDark provides dark) {
        MaterialTheme(colorScheme = scheme(dark), typography = typography, shapes = shapes, content = content)
    }
}
