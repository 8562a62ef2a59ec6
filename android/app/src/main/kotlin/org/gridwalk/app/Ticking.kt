package org.gridwalk.app

import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow

/** The phone's wall clock, as the screens read it. */
fun interface WallClock {
    fun nowMs(): Long
}

/** Now, and again every [everyMs], while somebody looks. */
fun WallClock.ticks(everyMs: Long = 15_000): Flow<Long> = flow {
    while (true) {
        emit(nowMs())
        delay(everyMs)
    }
}
