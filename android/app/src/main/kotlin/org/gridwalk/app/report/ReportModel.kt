package org.gridwalk.app.report

import androidx.compose.ui.graphics.ImageBitmap
import androidx.compose.ui.graphics.asImageBitmap
import androidx.lifecycle.SavedStateHandle
import androidx.lifecycle.viewModelScope
import java.io.File
import java.util.UUID
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.combine
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import org.gridwalk.app.AskingModel
import org.gridwalk.app.parts.CategoryName
import org.gridwalk.app.parts.Problem
import org.gridwalk.app.screen
import org.gridwalk.app.words.problemOf
import org.gridwalk.core.Fix
import org.gridwalk.core.NewIncident
import org.gridwalk.core.NewPhoto
import org.gridwalk.core.Place
import org.gridwalk.shared.Core
import org.gridwalk.shared.Gridwalk
import org.gridwalk.shared.R
import org.gridwalk.shared.location.LocationSource
import org.gridwalk.shared.photo.PhotoReader

/** What of the form is being written; survives the camera taking the app's memory. */
private data class Draft(val category: String? = null, val words: String = "", val photo: ImageBitmap? = null)

/**
 * One quick report. What was entered is kept by [saved] when the system takes
 * the app's memory for the camera; the photo lies in [folder] until it is saved.
 *
 * @param onSaved the report is on the phone, durably.
 */
class ReportModel(
    core: Core,
    private val saved: SavedStateHandle,
    private val locations: LocationSource,
    private val folder: File,
    private val io: CoroutineDispatcher = Dispatchers.IO,
    private val onSaved: () -> Unit,
) : AskingModel(core) {
    private val draft = MutableStateFlow(Draft(saved[CATEGORY], saved[WORDS] ?: ""))
    private val place = MutableStateFlow<PlaceState>(PlaceState.Finding)
    private val saving = MutableStateFlow(false)
    private val asksToDiscard = MutableStateFlow(false)
    private var fix: Fix? = null

    val state: StateFlow<ReportState> = core.screen(viewModelScope, ReportState.Loading, ReportState::Failed, ::ready)

    /** Whether the form is open; false again once it is saved or given up. */
    val isOpen: StateFlow<Boolean> = saved.getStateFlow(OPEN, false)

    /** A report was saved, and the words that say so are still to be read. */
    val isJustSaved: StateFlow<Boolean> = saved.getStateFlow(JUST_SAVED, false)

    private fun ready(gridwalk: Gridwalk): Flow<ReportState> {
        val categories = flow { emit(gridwalk.catalogue().categories.map { CategoryName(it.code, it.zh, it.en) }) }
        val doing = combine(saving, asksToDiscard, problem, ::Triple)
        return combine(categories, draft, place, doing) { known, draft, place, (saving, asks, problem) ->
            ReportState.Ready(known, draft.category, draft.words, draft.photo, place, saving, asks, problem)
        }
    }

    init {
        if (isOpen.value) {
            // The app was killed behind the camera, and is back.
            showPhoto()
            findPlace()
        }
    }

    fun onOpen() {
        saved[OPEN] = true
        saved[JUST_SAVED] = false
        findPlace()
    }

    fun onCategory(code: String) {
        saved[CATEGORY] = code
        draft.value = draft.value.copy(category = code)
    }

    fun onWords(words: String) {
        saved[WORDS] = words
        draft.value = draft.value.copy(words = words)
    }

    /** The file that the camera is to write; the one before stays until the new one is taken. */
    fun newPhotoFile(): File {
        folder.mkdirs()
        return File(folder, "${UUID.randomUUID()}.jpg").also { saved[TAKING] = it.path }
    }

    /** The camera is done: [taken] tells whether it wrote the file. */
    fun onPhotoTaken(taken: Boolean) {
        val new: String = saved.remove<String>(TAKING) ?: return
        if (!taken) {
            File(new).delete()
            return
        }
        saved.get<String>(PHOTO)?.let { File(it).delete() }
        saved[PHOTO] = new
        showPhoto()
    }

    fun onCameraMissing() {
        saved.remove<String>(TAKING)
        problem.value = Problem(R.string.report_camera_missing)
    }

    fun onRemovePhoto() {
        saved.remove<String>(PHOTO)?.let { File(it).delete() }
        draft.value = draft.value.copy(photo = null)
    }

    fun onBack() {
        val now = draft.value
        val isBlank = now.category == null && now.words.isBlank() && now.photo == null
        if (isBlank) onDiscard() else asksToDiscard.value = true
    }

    fun onKeep() {
        asksToDiscard.value = false
    }

    fun onDiscard() = clear()

    fun onSave() {
        val now = state.value as? ReportState.Ready ?: return
        val category = now.categories.find { it.code == now.category } ?: return
        if (saving.value) return
        saving.value = true
        problem.value = null
        viewModelScope.launch {
            try {
                val photo = saved.get<String>(PHOTO)?.let { path -> withContext(io) { PhotoReader.read(File(path)) } }
                core.gridwalk().report(incident(category, now.words, fix, photo))
                clear()
                saved[JUST_SAVED] = true
                onSaved()
            } catch (cancelled: CancellationException) {
                throw cancelled
            } catch (error: Exception) {
                problem.value = problemOf(error)
            } finally {
                saving.value = false
            }
        }
    }

    fun onSavedSeen() {
        saved[JUST_SAVED] = false
    }

    fun onRetry() = core.retry()

    private fun clear() {
        onRemovePhoto()
        for (key in listOf(CATEGORY, WORDS)) saved.remove<String>(key)
        draft.value = Draft()
        asksToDiscard.value = false
        problem.value = null
        fix = null
        saved[OPEN] = false
    }

    private fun showPhoto() {
        val path: String = saved[PHOTO] ?: return
        viewModelScope.launch {
            val bitmap = withContext(io) { PhotoReader.decode(File(path), PhotoReader.SHOWN_PX) }
            if (bitmap == null) {
                onRemovePhoto()
                problem.value = Problem(R.string.error_photo_unreadable)
            } else {
                draft.value = draft.value.copy(photo = bitmap.asImageBitmap())
            }
        }
    }

    /** Found by itself while the form is filled in; never waited for. */
    private fun findPlace() {
        place.value = PlaceState.Finding
        viewModelScope.launch {
            fix = locations.current()
            place.value = fix?.let { PlaceState.Known((it.accuracyM ?: Float.NaN).toDouble()) } ?: PlaceState.Unknown
        }
    }

    private companion object {
        const val OPEN = "open"
        const val JUST_SAVED = "just_saved"
        const val CATEGORY = "category"
        const val WORDS = "words"
        const val PHOTO = "photo"
        const val TAKING = "taking"
    }
}

/** A title is one line; what is longer than one goes into the description whole. */
internal fun incident(category: CategoryName, words: String, fix: Fix?, photo: ByteArray?): NewIncident {
    val said = words.trim()
    val line = said.lineSequence().firstOrNull().orEmpty().trim()
    val title = line.take(TITLE_CHARS).ifEmpty { category.zh }
    return NewIncident(
        category = category.code,
        severity = null,
        title = title,
        description = said.takeIf { it.isNotEmpty() && it != title },
        place = fix?.let { Place(it.lat, it.lon, it.accuracyM?.toDouble()) },
        photos = listOfNotNull(photo?.let { NewPhoto(it, "image/jpeg") }),
    )
}

private const val TITLE_CHARS = 40
