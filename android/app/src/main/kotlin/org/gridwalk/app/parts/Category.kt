package org.gridwalk.app.parts

import androidx.annotation.DrawableRes
import androidx.compose.ui.graphics.Color
import androidx.compose.runtime.Composable
import org.gridwalk.app.R
import org.gridwalk.app.look.Tint
import org.gridwalk.app.look.Tokens
import org.gridwalk.app.look.now

/** A category as the catalogue names it, in both languages. */
data class CategoryName(val code: String, val zh: String, val en: String)

/** How a category looks: always icon, word and colour together. */
class CategoryLook(@param:DrawableRes val icon: Int, private val tint: Tint) {
    val ink: Color @Composable get() = tint.now
}

private val known = mapOf(
    "hygiene" to CategoryLook(R.drawable.ic_hygiene, Tokens.Hygiene),
    "fire_safety" to CategoryLook(R.drawable.ic_fire_safety, Tokens.FireSafety),
    "public_order" to CategoryLook(R.drawable.ic_public_order, Tokens.PublicOrder),
    "family_dispute" to CategoryLook(R.drawable.ic_family_dispute, Tokens.FamilyDispute),
)
private val other = CategoryLook(R.drawable.ic_other, Tokens.Other)

/** The look of the category with this code; one that came after this app looks like "other". */
fun categoryLook(code: String): CategoryLook = known[code] ?: other
