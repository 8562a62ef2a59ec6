package org.gridwalk.shared.location

import android.content.Context
import android.content.Intent
import android.content.pm.ServiceInfo
import android.os.Build
import android.util.Log
import androidx.core.app.ServiceCompat
import androidx.core.content.ContextCompat
import androidx.lifecycle.LifecycleService
import androidx.lifecycle.lifecycleScope
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.Job
import kotlinx.coroutines.launch
import org.gridwalk.shared.GridwalkHost

/**
 * Keeps the app alive while a patrol runs, and says so in a notification.
 *
 * The app swiped away does not end it. The system may kill it all the same, and
 * start it again later without the app: it then finds the patrol in the data
 * file and goes on, with a gap.
 */
class PatrolService : LifecycleService() {
    private var recording: Job? = null

    override fun onStartCommand(intent: Intent?, flags: Int, startId: Int): Int {
        super.onStartCommand(intent, flags, startId)
        if (!comeForward()) {
            stopSelf()
            return START_NOT_STICKY
        }
        if (recording?.isActive != true) recording = lifecycleScope.launch { record() }
        return START_STICKY
    }

    private suspend fun record() {
        val host = applicationContext as GridwalkHost
        val notification = PatrolNotification(this)
        try {
            PatrolRecorder(host.core.gridwalk(), host.locations, host.supply).run {
                host.recording.value = it
                notification.show(it)
            }
        } catch (cancelled: CancellationException) {
            throw cancelled
        } catch (error: Exception) {
            // What was recorded is safe; the screen shows that nothing more is.
            Log.w(TAG, "recording stopped: ${error.javaClass.simpleName}")
        }
        ServiceCompat.stopForeground(this, ServiceCompat.STOP_FOREGROUND_REMOVE)
        stopSelf()
    }

    override fun onDestroy() {
        (applicationContext as GridwalkHost).recording.value = Recording.Over
        super.onDestroy()
    }

    /** Whether the system lets it run in the foreground: not without permission, nor always out of the background. */
    private fun comeForward(): Boolean {
        val type = if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.Q) ServiceInfo.FOREGROUND_SERVICE_TYPE_LOCATION else 0
        return try {
            ServiceCompat.startForeground(this, PatrolNotification.ID, PatrolNotification(this).build(Recording.On()), type)
            true
        } catch (error: SecurityException) {
            refused(error)
        } catch (error: IllegalStateException) {
            // ForegroundServiceStartNotAllowedException, which is newer than the oldest system served.
            refused(error)
        }
    }

    private fun refused(error: Exception): Boolean {
        Log.w(TAG, "not allowed to record in the foreground: ${error.javaClass.simpleName}")
        PatrolNotification(this).askToOpen()
        return false
    }

    companion object {
        private const val TAG = "gridwalk"

        /**
         * Starts recording where a patrol runs; while one is, a second start
         * changes nothing. Only to be called while a screen is shown, and
         * useless without the permission.
         */
        fun start(context: Context) {
            if (SystemLocationSource.isAllowed(context)) {
                ContextCompat.startForegroundService(context, Intent(context, PatrolService::class.java))
            }
        }
    }
}
