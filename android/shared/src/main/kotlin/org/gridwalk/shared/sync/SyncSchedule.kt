package org.gridwalk.shared.sync

import androidx.work.Constraints
import androidx.work.ExistingPeriodicWorkPolicy
import androidx.work.ExistingWorkPolicy
import androidx.work.NetworkType
import androidx.work.OneTimeWorkRequestBuilder
import androidx.work.PeriodicWorkRequestBuilder
import androidx.work.WorkManager
import java.util.concurrent.TimeUnit

/**
 * The engine's answers as work for the system: when to sync is the engine's to
 * say, and here it only becomes an alarm that survives the process.
 */
class SyncSchedule(private val manager: WorkManager) {
    /** Something was saved, or the network came back. What comes while a sync runs gets a look of its own after it. */
    fun soon() = enqueue(SOON, ExistingWorkPolicy.APPEND_OR_REPLACE, NetworkType.CONNECTED)

    /** The watchdog: it asks the engine again whatever became of all other work. */
    fun regularly() {
        val request = PeriodicWorkRequestBuilder<SyncWorker>(EVERY_MIN, TimeUnit.MINUTES).setConstraints(over(NetworkType.CONNECTED)).build()
        manager.enqueueUniquePeriodicWork(REGULARLY, ExistingPeriodicWorkPolicy.KEEP, request)
    }

    /**
     * The engine named a time.
     *
     * @param isAlarm whether the alarm itself asks: it cannot replace the work that it still is.
     */
    fun after(ms: Long, isAlarm: Boolean) =
        enqueue(ALARM, if (isAlarm) ExistingWorkPolicy.APPEND_OR_REPLACE else ExistingWorkPolicy.REPLACE, NetworkType.CONNECTED, ms)

    /** Something stays here until there is a network that nobody pays by the byte. */
    fun whenFree() = enqueue(FREE, ExistingWorkPolicy.KEEP, NetworkType.UNMETERED)

    private fun enqueue(name: String, policy: ExistingWorkPolicy, network: NetworkType, delayMs: Long = 0) {
        val request = OneTimeWorkRequestBuilder<SyncWorker>()
            .setConstraints(over(network))
            .setInitialDelay(delayMs, TimeUnit.MILLISECONDS)
            .addTag(name)
            .build()
        manager.enqueueUniqueWork(name, policy, request)
    }

    private fun over(network: NetworkType) = Constraints.Builder().setRequiredNetworkType(network).build()

    companion object {
        const val SOON = "sync-soon"
        const val REGULARLY = "sync-regularly"
        const val ALARM = "sync-alarm"
        const val FREE = "sync-free"

        private const val EVERY_MIN = 15L
    }
}
