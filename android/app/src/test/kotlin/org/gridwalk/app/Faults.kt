package org.gridwalk.app

import androidx.compose.ui.semantics.SemanticsActions
import androidx.compose.ui.semantics.SemanticsNode
import androidx.compose.ui.semantics.SemanticsProperties
import androidx.compose.ui.semantics.getOrNull
import androidx.compose.ui.test.SemanticsNodeInteractionsProvider
import androidx.compose.ui.test.isRoot
import androidx.compose.ui.text.TextLayoutResult
import org.gridwalk.app.look.Tokens

/** What is wrong with the screen that is shown: words that are cut, targets too small for a thumb. */
fun SemanticsNodeInteractionsProvider.faults(): List<String> {
    val nodes = onAllNodes(isRoot(), useUnmergedTree = true).fetchSemanticsNodes().flatMap { it.withAll() }
    return nodes.flatMap(::cutText).map { "cut: $it" } + nodes.flatMap(::smallTarget).map { "small: $it" }
}

private fun SemanticsNode.withAll(): List<SemanticsNode> = listOf(this) + children.flatMap { it.withAll() }

private fun SemanticsNode.isScrolled(): Boolean =
    generateSequence(parent) { it.parent }.any { it.config.contains(SemanticsProperties.VerticalScrollAxisRange) }

/** Text that does not fit its own box, or whose box is cut by one around it that does not scroll. */
private fun cutText(node: SemanticsNode): List<String> {
    val layouts = mutableListOf<TextLayoutResult>()
    node.config.getOrNull(SemanticsActions.GetTextLayoutResult)?.action?.invoke(layouts)
    val text = layouts.firstOrNull() ?: return emptyList()
    val said = text.layoutInput.text.text
    // A field shows its own text as it scrolls in it.
    val isField = node.config.contains(SemanticsProperties.EditableText)
    // Not hasVisualOverflow: what is handed out here was laid out anew as wide as it could be, and says so of every short line.
    val tooHigh = text.multiParagraph.height > text.size.height + 1
    val tooWide = (0 until text.lineCount).any { text.getLineRight(it) - text.getLineLeft(it) > node.size.width + 1 || text.isLineEllipsized(it) }
    val overflows = !isField && (tooHigh || tooWide)
    val broken = !isField && (0 until text.lineCount - 1).any { line -> breaksWord(said, text.getLineEnd(line)) }
    val clipped = !node.isScrolled() && (node.boundsInRoot.width + 1 < node.size.width || node.boundsInRoot.height + 1 < node.size.height)
    return listOfNotNull(said.takeIf { overflows || broken || clipped })
}

/** A line that ends within a Latin word. */
private fun breaksWord(text: String, end: Int): Boolean =
    end in 1 until text.length && text[end - 1].isLatin() && text[end].isLatin()

private fun Char.isLatin() = this in 'a'..'z' || this in 'A'..'Z'

private fun smallTarget(node: SemanticsNode): List<String> {
    if (!node.config.contains(SemanticsActions.OnClick) || node.config.contains(SemanticsProperties.Disabled)) return emptyList()
    val least = with(node.layoutInfo.density) { Tokens.Target.toPx() }
    val isSmall = node.size.width + 1 < least || node.size.height + 1 < least
    return listOfNotNull("${node.config.getOrNull(SemanticsProperties.Text) ?: node.config} ${node.size}".takeIf { isSmall })
}
