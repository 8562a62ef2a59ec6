package org.gridwalk.shared.sync

import android.content.Context
import androidx.work.CoroutineWorker
import androidx.work.WorkManager
import androidx.work.WorkerParameters
import org.gridwalk.shared.GridwalkHost

/** One sync, when the system finds the time for it. */
class SyncWorker(context: Context, parameters: WorkerParameters) : CoroutineWorker(context, parameters) {
    override suspend fun doWork(): Result {
        val (error, photosWait) = (applicationContext as GridwalkHost).sync.runByItself()
        if (photosWait) SyncPolicy.photos(WorkManager.getInstance(applicationContext))
        if (error == null) return Result.success()
        // Failure would end a chain of waiting syncs for good; success leaves it to the next.
        return if (SyncPolicy.isWorthRetrying(error)) Result.retry() else Result.success()
    }
}
