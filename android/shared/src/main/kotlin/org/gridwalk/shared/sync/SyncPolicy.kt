package org.gridwalk.shared.sync

import androidx.work.BackoffPolicy
import androidx.work.Constraints
import androidx.work.ExistingPeriodicWorkPolicy
import androidx.work.ExistingWorkPolicy
import androidx.work.NetworkType
import androidx.work.OneTimeWorkRequestBuilder
import androidx.work.PeriodicWorkRequestBuilder
import androidx.work.WorkManager
import java.util.concurrent.TimeUnit
import org.gridwalk.core.EngineException

/**
 * When to sync: soon after each save, and every quarter of an hour, whenever
 * there is a network. The engine decides what; this decides only when.
 */
object SyncPolicy {
    const val SOON = "sync-soon"
    const val REGULARLY = "sync-regularly"

    private val online = Constraints.Builder().setRequiredNetworkType(NetworkType.CONNECTED).build()

    /** Something was saved. A save that comes while a sync runs gets a sync of its own after it. */
    fun soon(manager: WorkManager) {
        val request = OneTimeWorkRequestBuilder<SyncWorker>()
            .setConstraints(online)
            .setBackoffCriteria(BackoffPolicy.EXPONENTIAL, FIRST_RETRY_S, TimeUnit.SECONDS)
            .build()
        manager.enqueueUniqueWork(SOON, ExistingWorkPolicy.APPEND_OR_REPLACE, request)
    }

    /** Also when nothing is saved: notices and tasks come down, and what failed for good is tried again. */
    fun regularly(manager: WorkManager) {
        val request = PeriodicWorkRequestBuilder<SyncWorker>(EVERY_MIN, TimeUnit.MINUTES).setConstraints(online).build()
        manager.enqueueUniquePeriodicWork(REGULARLY, ExistingPeriodicWorkPolicy.KEEP, request)
    }

    /** Whether trying again by itself can help; what needs a person only waits for the next regular sync. */
    fun isWorthRetrying(error: Exception): Boolean = when (error) {
        is EngineException.Offline, is EngineException.Busy, is EngineException.ServerFault, is EngineException.BadAnswer -> true
        else -> false
    }

    private const val EVERY_MIN = 15L
    private const val FIRST_RETRY_S = 30L
}
