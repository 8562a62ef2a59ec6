package org.gridwalk.shared.sync

import android.content.Context
import androidx.work.CoroutineWorker
import androidx.work.WorkManager
import androidx.work.WorkerParameters
import org.gridwalk.core.NetworkCost
import org.gridwalk.core.NextSync
import org.gridwalk.shared.GridwalkHost

/** Syncs if the engine says so, and sets the alarm for the time that it names. */
class SyncWorker(context: Context, parameters: WorkerParameters) : CoroutineWorker(context, parameters) {
    private val sync get() = (applicationContext as GridwalkHost).sync

    override suspend fun doWork(): Result {
        if (sync.next() == NextSync.Now) sync.runByItself()
        arm(SyncSchedule(WorkManager.getInstance(applicationContext)))
        // Failure would end a chain of waiting work for good; when to try again is in the alarm.
        return Result.success()
    }

    private suspend fun arm(schedule: SyncSchedule) {
        // What cannot be opened cannot be asked: the watchdog tries again.
        val next = sync.next() ?: return
        when (next) {
            // Something was saved meanwhile; or the engine could not note how it went, on a full disk.
            NextSync.Now -> schedule.after(PAUSE_MS, isAlarm)
            is NextSync.After -> schedule.after(maxOf(next.ms, PAUSE_MS), isAlarm)
            // The network went while this ran. Not at once, should engine and system disagree about it.
            NextSync.WhenOnline -> schedule.after(AGAIN_MS, isAlarm)
            NextSync.Never -> Unit
        }
        if (next is NextSync.After && sync.next(NetworkCost.UNMETERED) == NextSync.Now) schedule.whenFree()
    }

    private val isAlarm get() = SyncSchedule.ALARM in tags

    private companion object {
        /** The shortest pause between two syncs by themselves. */
        const val PAUSE_MS = 1_000L

        /** After a network that went: all work waits for the next one, and this for a while too. */
        const val AGAIN_MS = 60_000L
    }
}
