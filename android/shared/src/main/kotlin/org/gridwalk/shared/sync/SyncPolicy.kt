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
import org.gridwalk.core.Unsent

/**
 * When to sync: soon after each save, and every quarter of an hour, whenever
 * there is a network; and what: photos wait for one that nobody pays by the
 * byte. Records and routes, which are small, do not.
 */
object SyncPolicy {
    const val SOON = "sync-soon"
    const val REGULARLY = "sync-regularly"
    const val PHOTOS = "sync-photos"

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

    /** Photos stayed here: they go when a network comes that costs nothing. */
    fun photos(manager: WorkManager) {
        val free = Constraints.Builder().setRequiredNetworkType(NetworkType.UNMETERED).build()
        val request = OneTimeWorkRequestBuilder<SyncWorker>().setConstraints(free).build()
        manager.enqueueUniqueWork(PHOTOS, ExistingWorkPolicy.KEEP, request)
    }

    /** Whether a sync that starts by itself leaves the photos here: for an hour at most, and never because a clock was set back. */
    fun photosWait(isMetered: Boolean, unsent: Unsent, nowMs: Long): Boolean {
        val age = unsent.oldestMs?.let { nowMs - it } ?: return false
        return isMetered && unsent.blobs > 0u && age in 0 until PATIENCE_MS
    }

    /** Whether trying again by itself can help; what needs a person only waits for the next regular sync. */
    fun isWorthRetrying(error: Exception): Boolean = when (error) {
        is EngineException.Offline, is EngineException.Busy, is EngineException.ServerFault, is EngineException.BadAnswer -> true
        else -> false
    }

    /** How long photos wait; the regular sync after that takes them along. */
    const val PATIENCE_MS = 60 * 60_000L

    private const val EVERY_MIN = 15L
    private const val FIRST_RETRY_S = 30L
}
