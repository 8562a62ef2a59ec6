package org.gridwalk.app

import androidx.lifecycle.ViewModel
import androidx.lifecycle.viewModelScope
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.SharingStarted
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.catch
import kotlinx.coroutines.flow.flatMapLatest
import kotlinx.coroutines.flow.flowOf
import kotlinx.coroutines.flow.stateIn
import kotlinx.coroutines.launch
import org.gridwalk.app.parts.Problem
import org.gridwalk.app.words.problemOf
import org.gridwalk.shared.Core
import org.gridwalk.shared.CoreState
import org.gridwalk.shared.Gridwalk

/** How long a screen's data is kept while nobody looks: a turn of the phone. */
private const val TURN_MS = 5_000L

/** A screen's state: loading, failed, or made from the open core. */
@OptIn(ExperimentalCoroutinesApi::class)
internal fun <S> Core.screen(scope: CoroutineScope, loading: S, failed: (Problem) -> S, ready: (Gridwalk) -> Flow<S>): StateFlow<S> = state
    .flatMapLatest { core ->
        when (core) {
            CoreState.Opening -> flowOf(loading)
            is CoreState.Failed -> flowOf(failed(problemOf(core.error)))
            is CoreState.Open -> ready(core.gridwalk).catch { emit(failed(problemOf(it))) }
        }
    }
    .stateIn(scope, SharingStarted.WhileSubscribed(TURN_MS), loading)

/** A view model that asks the core for things; what goes wrong becomes its [problem], the next success clears it. */
abstract class AskingModel(protected val core: Core) : ViewModel() {
    protected val problem = MutableStateFlow<Problem?>(null)

    protected fun ask(block: suspend Gridwalk.() -> Unit) {
        viewModelScope.launch {
            problem.value = try {
                core.gridwalk().block()
                null
            } catch (cancelled: CancellationException) {
                throw cancelled
            } catch (error: Exception) {
                problemOf(error)
            }
        }
    }
}
