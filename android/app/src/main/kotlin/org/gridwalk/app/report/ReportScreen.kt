package org.gridwalk.app.report

import androidx.compose.foundation.BorderStroke
import androidx.compose.foundation.Image
import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.Spacer
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.heightIn
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.layout.size
import androidx.compose.foundation.layout.width
import androidx.compose.foundation.selection.selectable
import androidx.compose.foundation.selection.selectableGroup
import androidx.compose.foundation.text.KeyboardOptions
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.OutlinedTextField
import androidx.compose.material3.Surface
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.draw.clip
import androidx.compose.ui.graphics.ImageBitmap
import androidx.compose.ui.layout.ContentScale
import androidx.compose.ui.semantics.Role
import androidx.compose.ui.text.input.KeyboardCapitalization
import androidx.compose.ui.unit.dp
import org.gridwalk.app.R
import org.gridwalk.app.look.Tokens
import org.gridwalk.app.look.now
import org.gridwalk.app.parts.Ask
import org.gridwalk.app.parts.BigButton
import org.gridwalk.app.parts.CategoryName
import org.gridwalk.app.parts.Muted
import org.gridwalk.app.parts.Page
import org.gridwalk.app.parts.PlainButton
import org.gridwalk.app.parts.Problem
import org.gridwalk.app.parts.ProblemNotice
import org.gridwalk.app.parts.StateWord
import org.gridwalk.app.parts.Symbol
import org.gridwalk.app.parts.Waiting
import org.gridwalk.app.parts.categoryLook
import org.gridwalk.app.parts.isLargeType
import org.gridwalk.app.words.Words
import org.gridwalk.app.words.words
import org.gridwalk.shared.R as Shared

/** What the quick report shows. */
sealed interface ReportState {
    data object Loading : ReportState

    data class Failed(val problem: Problem) : ReportState

    data class Ready(
        val categories: List<CategoryName>,
        val category: String? = null,
        val words: String = "",
        val photo: ImageBitmap? = null,
        val place: PlaceState = PlaceState.Finding,
        val saving: Boolean = false,
        val asksToDiscard: Boolean = false,
        val problem: Problem? = null,
    ) : ReportState {
        val canSave get() = category != null
    }
}

/** Where it is, as far as the phone found out by itself. */
sealed interface PlaceState {
    data object Finding : PlaceState

    data object Unknown : PlaceState

    data class Known(val accuracyM: Double) : PlaceState
}

class ReportActions(
    val onCategory: (String) -> Unit = {},
    val onWords: (String) -> Unit = {},
    val onPhoto: () -> Unit = {},
    val onRemovePhoto: () -> Unit = {},
    val onSave: () -> Unit = {},
    val onBack: () -> Unit = {},
    val onDiscard: () -> Unit = {},
    val onKeep: () -> Unit = {},
    val onRetry: () -> Unit = {},
)

/** One tap for the kind, one for the photo, a few words, save. */
@Composable
fun ReportScreen(state: ReportState, actions: ReportActions) {
    val ready = state as? ReportState.Ready
    Page(
        title = words().say(Shared.string.report_title),
        onBack = actions.onBack,
        bottom = { if (ready != null) Bottom(ready, actions) },
    ) {
        when (state) {
            ReportState.Loading -> Waiting()
            is ReportState.Failed -> org.gridwalk.app.parts.Failed(state.problem, actions.onRetry)
            is ReportState.Ready -> {
                Text(words().say(Shared.string.report_category), style = MaterialTheme.typography.titleMedium)
                Categories(state, actions.onCategory)
                Photo(state, actions)
                OutlinedTextField(
                    state.words,
                    actions.onWords,
                    Modifier.fillMaxWidth().heightIn(min = 96.dp),
                    enabled = !state.saving,
                    label = { Text(words().say(Shared.string.report_words)) },
                    placeholder = { Text(words().say(Shared.string.report_words_hint)) },
                    textStyle = MaterialTheme.typography.bodyLarge,
                    keyboardOptions = KeyboardOptions(KeyboardCapitalization.Sentences),
                    shape = MaterialTheme.shapes.small,
                )
                Place(state.place)
            }
        }
    }
    if (ready?.asksToDiscard == true) {
        Ask(words().say(Shared.string.report_discard_ask), note = null, words().say(Shared.string.report_discard), actions.onDiscard, actions.onKeep)
    }
}

@Composable
private fun Bottom(state: ReportState.Ready, actions: ReportActions) {
    ProblemNotice(state.problem)
    val label = when {
        state.saving -> Shared.string.report_saving
        state.canSave -> Shared.string.report_save
        else -> Shared.string.report_needs_category
    }
    BigButton(words().say(label), R.drawable.ic_sent.takeIf { state.canSave }, actions.onSave, enabled = state.canSave, busy = state.saving)
}

@Composable
private fun Categories(state: ReportState.Ready, onCategory: (String) -> Unit) {
    val columns = if (isLargeType()) 1 else 2
    Column(Modifier.selectableGroup(), verticalArrangement = Arrangement.spacedBy(8.dp)) {
        for (row in state.categories.chunked(columns)) {
            Row(horizontalArrangement = Arrangement.spacedBy(8.dp)) {
                for (category in row) CategoryTile(category, category.code == state.category, !state.saving, onCategory, Modifier.weight(1f))
                if (row.size < columns) Spacer(Modifier.weight(1f))
            }
        }
    }
}

@Composable
private fun CategoryTile(category: CategoryName, chosen: Boolean, enabled: Boolean, onCategory: (String) -> Unit, modifier: Modifier) {
    val look = categoryLook(category.code)
    val colors = MaterialTheme.colorScheme
    val ink = look.ink
    Surface(
        modifier.heightIn(min = 64.dp).clip(MaterialTheme.shapes.medium).selectable(chosen, enabled, Role.RadioButton) { onCategory(category.code) },
        shape = MaterialTheme.shapes.medium,
        color = if (chosen) ink else colors.surface,
        border = BorderStroke(1.dp, if (chosen) ink else colors.outlineVariant),
    ) {
        Row(Modifier.padding(horizontal = 12.dp, vertical = 8.dp), verticalAlignment = Alignment.CenterVertically) {
            Symbol(look.icon, if (chosen) colors.onPrimary else ink, Modifier.size(30.dp))
            Spacer(Modifier.width(10.dp))
            Text(
                words().either(category.zh, category.en),
                color = if (chosen) colors.onPrimary else colors.onSurface,
                style = MaterialTheme.typography.labelLarge,
            )
        }
    }
}

@Composable
private fun Photo(state: ReportState.Ready, actions: ReportActions) {
    val photo = state.photo
    if (photo == null) {
        PlainButton(words().say(Shared.string.report_photo), actions.onPhoto, Modifier.fillMaxWidth(), R.drawable.ic_camera, enabled = !state.saving)
        return
    }
    Row(horizontalArrangement = Arrangement.spacedBy(12.dp), verticalAlignment = Alignment.CenterVertically) {
        Image(
            photo,
            words().say(Shared.string.report_photo_taken),
            Modifier.size(124.dp).clip(MaterialTheme.shapes.medium),
            contentScale = ContentScale.Crop,
        )
        Column(Modifier.weight(1f), verticalArrangement = Arrangement.spacedBy(12.dp)) {
            PlainButton(words().say(Shared.string.report_photo_again), actions.onPhoto, Modifier.fillMaxWidth(), R.drawable.ic_camera, enabled = !state.saving)
            PlainButton(words().say(Shared.string.report_photo_remove), actions.onRemovePhoto, Modifier.fillMaxWidth(), R.drawable.ic_delete, enabled = !state.saving)
        }
    }
}

@Composable
private fun Place(place: PlaceState) {
    when (place) {
        PlaceState.Finding -> Muted(words().say(Shared.string.patrol_locating))
        PlaceState.Unknown -> StateWord(words().say(Shared.string.report_place_unknown), R.drawable.ic_location_off, Tokens.Waiting.now)
        is PlaceState.Known -> StateWord(
            words().say(Shared.string.report_place, Words.distance(place.accuracyM)),
            R.drawable.ic_location,
            MaterialTheme.colorScheme.onSurfaceVariant,
        )
    }
}
