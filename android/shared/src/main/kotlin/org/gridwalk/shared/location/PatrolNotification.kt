package org.gridwalk.shared.location

import android.Manifest.permission.POST_NOTIFICATIONS
import android.annotation.SuppressLint
import android.app.Notification
import android.app.PendingIntent
import android.content.Context
import android.content.pm.PackageManager.PERMISSION_GRANTED
import android.os.Build
import androidx.core.app.NotificationChannelCompat
import androidx.core.app.NotificationCompat
import androidx.core.app.NotificationManagerCompat
import androidx.core.content.ContextCompat
import org.gridwalk.shared.R

/** Says, outside the app, that a patrol is being recorded. A tap opens the app. */
class PatrolNotification(private val context: Context) {
    private val manager = NotificationManagerCompat.from(context)

    /** It says "recording" only while something is. */
    fun build(recording: Recording): Notification {
        val text = when (recording) {
            is Recording.On -> recording.trouble?.text ?: R.string.notification_title
            Recording.Paused, Recording.Over -> R.string.notification_paused
        }
        return build(text, ongoing = true)
    }

    /** Without the permission the system shows nothing, and the patrol goes on. */
    fun show(recording: Recording) {
        if (recording != Recording.Over) post(build(recording))
    }

    /** The system does not let the service run by itself: the worker has to open the app. */
    fun askToOpen() = post(build(R.string.notification_interrupted, ongoing = false))

    @SuppressLint("MissingPermission")
    private fun post(notification: Notification) {
        val allowed = Build.VERSION.SDK_INT < Build.VERSION_CODES.TIRAMISU ||
            ContextCompat.checkSelfPermission(context, POST_NOTIFICATIONS) == PERMISSION_GRANTED
        if (allowed) manager.notify(ID, notification)
    }

    private fun build(text: Int, ongoing: Boolean): Notification {
        val channel = NotificationChannelCompat.Builder(CHANNEL, NotificationManagerCompat.IMPORTANCE_LOW)
            .setName(context.getString(R.string.notification_channel)).build()
        manager.createNotificationChannel(channel)
        val open = context.packageManager.getLaunchIntentForPackage(context.packageName)
        return NotificationCompat.Builder(context, CHANNEL)
            .setSmallIcon(R.drawable.ic_patrol)
            .setContentTitle(context.getString(text))
            .setOngoing(ongoing)
            .setAutoCancel(!ongoing)
            .setCategory(NotificationCompat.CATEGORY_SERVICE)
            .setForegroundServiceBehavior(NotificationCompat.FOREGROUND_SERVICE_IMMEDIATE)
            .setContentIntent(open?.let { PendingIntent.getActivity(context, 0, it, PendingIntent.FLAG_IMMUTABLE) })
            .build()
    }

    companion object {
        const val ID = 1
        private const val CHANNEL = "patrol"
    }
}
