package org.gridwalk.app.words

/** Between Chinese and Latin; a line may break there. */
private const val THIN_SPACE = '\u2009'

/** Between a number and its unit; a line may not break there. */
const val NARROW_SPACE = '\u202F'

private fun Char.isHan() = this == '々' || this == '〇' || this in '\u3400'..'\u4DBF' || this in '\u4E00'..'\u9FFF' || this in '\uF900'..'\uFAFF'

private fun Char.isLatin() = this in 'A'..'Z' || this in 'a'..'z'

private fun Char.isDigit09() = this in '0'..'9'

/**
 * The text with a thin space wherever Chinese meets Latin letters or digits; a
 * number keeps to the word that counts it. A second time changes nothing. The
 * page and the iPhone do the same.
 */
fun spaced(text: String): String = buildString(text.length + 8) {
    var previous: Char? = null
    for (char in text) {
        when {
            previous == null -> Unit
            previous.isHan() && (char.isLatin() || char.isDigit09()) -> append(THIN_SPACE)
            char.isHan() && previous.isLatin() -> append(THIN_SPACE)
            char.isHan() && (previous.isDigit09() || previous == '%') -> append(NARROW_SPACE)
        }
        append(char)
        previous = char
    }
}
