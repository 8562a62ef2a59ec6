package org.gridwalk.app.enrolment

import androidx.lifecycle.SavedStateHandle
import androidx.lifecycle.ViewModel
import androidx.lifecycle.viewModelScope
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.catch
import kotlinx.coroutines.flow.collectLatest
import kotlinx.coroutines.flow.filterIsInstance
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.launch
import org.gridwalk.app.words.problemOf
import org.gridwalk.shared.Core
import org.gridwalk.shared.CoreState

/** Takes a code, by hand or from a QR code, and makes the phone its worker's. */
class EnrolmentModel(private val core: Core, private val saved: SavedStateHandle, private val onEnrolled: () -> Unit) : ViewModel() {
    private val mutable = MutableStateFlow(EnrolmentState())

    val state: StateFlow<EnrolmentState> = mutable.asStateFlow()

    init {
        viewModelScope.launch {
            core.state.filterIsInstance<CoreState.Open>().collectLatest { open ->
                open.gridwalk.everything.catch { }.collect { all -> mutable.update { it.copy(left = all.status.leftUnsent.toLong()) } }
            }
        }
        onCode(saved[CODE] ?: "")
        onServer(saved[SERVER] ?: "")
    }

    /** A typed code, or a whole invitation pasted in. */
    fun onCode(code: String) {
        saved[CODE] = code
        mutable.update { it.copy(code = code, scanned = code.trim().startsWith(INVITATION, ignoreCase = true), problem = null) }
    }

    fun onServer(server: String) {
        saved[SERVER] = server
        mutable.update { it.copy(server = server, problem = null) }
    }

    /** The system's camera read an invitation and opened the app with it. */
    fun onScanned(invitation: String) = onCode(invitation)

    fun onEnrol() {
        val now = state.value
        if (!now.canEnrol || now.working) return
        mutable.update { it.copy(working = true, problem = null) }
        viewModelScope.launch {
            try {
                core.gridwalk().enrol(now.code.trim(), now.server.trim().takeUnless { now.scanned })
                saved.remove<String>(CODE)
                mutable.update { EnrolmentState(left = it.left) }
                onEnrolled()
            } catch (cancelled: CancellationException) {
                throw cancelled
            } catch (error: Exception) {
                mutable.update { it.copy(working = false, problem = problemOf(error)) }
            }
        }
    }

    private companion object {
        const val CODE = "code"
        const val SERVER = "server"
        const val INVITATION = "gridwalk:"
    }
}
