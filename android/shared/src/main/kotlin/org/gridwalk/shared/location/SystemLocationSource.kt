package org.gridwalk.shared.location

import android.Manifest.permission.ACCESS_COARSE_LOCATION
import android.Manifest.permission.ACCESS_FINE_LOCATION
import android.annotation.SuppressLint
import android.content.Context
import android.content.Intent
import android.content.pm.PackageManager.PERMISSION_GRANTED
import android.location.Location
import android.location.LocationManager
import android.os.Build
import android.os.CancellationSignal
import android.os.Looper
import android.os.PowerManager
import androidx.core.content.ContextCompat
import androidx.core.location.LocationCompat
import androidx.core.location.LocationListenerCompat
import androidx.core.location.LocationManagerCompat
import androidx.core.location.LocationRequestCompat
import java.util.concurrent.Executor
import kotlin.coroutines.resume
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.channels.awaitClose
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.buffer
import kotlinx.coroutines.flow.callbackFlow
import kotlinx.coroutines.launch
import kotlinx.coroutines.suspendCancellableCoroutine
import kotlinx.coroutines.withTimeoutOrNull
import org.gridwalk.core.Fix
import org.gridwalk.core.SensorPlan
import org.gridwalk.core.SensorPriority

/**
 * The system's own [LocationManager]: no Google Play services, so it works on
 * every phone. GPS alone for routes; network positions are hundreds of metres
 * off and would only be refused.
 */
class SystemLocationSource(private val context: Context) : LocationSource {
    private val manager = context.getSystemService(LocationManager::class.java)
    private val power = context.getSystemService(PowerManager::class.java)

    override fun trouble(): Trouble? = when {
        !isAllowed(context) -> if (context.has(ACCESS_COARSE_LOCATION)) Trouble.PermissionRough else Trouble.PermissionOff
        !manager.hasGps() || !manager.isProviderEnabled(LocationManager.GPS_PROVIDER) -> Trouble.LocationOff
        isSavedAway() -> Trouble.PowerSaved
        else -> null
    }

    /** Some phones that save power switch positions off with the screen, for all apps. */
    private fun isSavedAway(): Boolean = !power.isInteractive && power.isPowerSaveMode && when {
        Build.VERSION.SDK_INT < Build.VERSION_CODES.P -> false
        else -> power.locationPowerSaveMode in TAKEN_WITH_THE_SCREEN
    }

    override fun watch(plans: Flow<SensorPlan>): Flow<LocationEvent> = callbackFlow {
        val trouble = trouble()
        if (trouble != null) trySend(LocationEvent.Lost(trouble))
        var saved = isSavedAway()
        val screen = heard(context, Intent.ACTION_SCREEN_OFF, Intent.ACTION_SCREEN_ON, PowerManager.ACTION_POWER_SAVE_MODE_CHANGED) {
            val now = isSavedAway()
            if (now != saved) trySend(if (now) LocationEvent.Lost(Trouble.PowerSaved) else LocationEvent.Found)
            saved = now
        }
        val listener = object : LocationListenerCompat {
            override fun onLocationChanged(location: Location) {
                trySend(LocationEvent.Fixes(listOf(location.toFix())))
            }

            override fun onLocationChanged(locations: List<Location>) {
                trySend(LocationEvent.Fixes(locations.map { it.toFix() }))
            }

            override fun onProviderDisabled(provider: String) {
                trySend(LocationEvent.Lost(Trouble.LocationOff))
            }

            override fun onProviderEnabled(provider: String) {
                trySend(LocationEvent.Found)
            }
        }
        launch {
            plans.collect { plan ->
                if (!isAllowed(context) || !manager.hasGps()) return@collect
                try {
                    // Also while the provider is switched off: the listener hears when it is switched on. A second request of the same listener takes the first one's place.
                    LocationManagerCompat.requestLocationUpdates(manager, LocationManager.GPS_PROVIDER, plan.request(), listener, Looper.getMainLooper())
                } catch (_: SecurityException) {
                    // Taken away between the question and the request.
                    trySend(LocationEvent.Lost(Trouble.PermissionOff))
                }
            }
        }
        awaitClose {
            context.unregisterReceiver(screen)
            @SuppressLint("MissingPermission") LocationManagerCompat.removeUpdates(manager, listener)
        }
    }.buffer(Channel.UNLIMITED)

    override suspend fun current(): Fix? {
        if (trouble() != null) return null
        return withTimeoutOrNull(CURRENT_LIMIT_MS) { one() }?.toFix()
    }

    private suspend fun one(): Location? = suspendCancellableCoroutine { waiting ->
        val signal = CancellationSignal()
        waiting.invokeOnCancellation { signal.cancel() }
        try {
            LocationManagerCompat.getCurrentLocation(manager, LocationManager.GPS_PROVIDER, signal, Executor { it.run() }) { waiting.resume(it) }
        } catch (_: SecurityException) {
            waiting.resume(null)
        }
    }

    private fun LocationManager.hasGps() = LocationManager.GPS_PROVIDER in allProviders

    companion object {
        private val TAKEN_WITH_THE_SCREEN =
            setOf(PowerManager.LOCATION_MODE_GPS_DISABLED_WHEN_SCREEN_OFF, PowerManager.LOCATION_MODE_ALL_DISABLED_WHEN_SCREEN_OFF)

        /** How long a report waits for a position: its form is filled in meanwhile. */
        private const val CURRENT_LIMIT_MS = 30_000L

        /** A route needs exact positions; "approximate" is a refusal. */
        fun isAllowed(context: Context): Boolean = context.has(ACCESS_FINE_LOCATION)
    }
}

private fun SensorPlan.request() = LocationRequestCompat.Builder(everyMs.toLong())
    .setQuality(if (priority == SensorPriority.HIGH) LocationRequestCompat.QUALITY_HIGH_ACCURACY else LocationRequestCompat.QUALITY_BALANCED_POWER_ACCURACY)
    .setMinUpdateIntervalMillis(everyMs.toLong())
    .setMinUpdateDistanceMeters(displacementM)
    .build()

private fun Context.has(permission: String) = ContextCompat.checkSelfPermission(this, permission) == PERMISSION_GRANTED

/** As the core takes it: what the sensor did not say stays unknown. */
fun Location.toFix() = Fix(
    timeMs = time,
    lat = latitude,
    lon = longitude,
    accuracyM = accuracy.takeIf { hasAccuracy() },
    altitudeM = altitude.toFloat().takeIf { hasAltitude() },
    speedMps = speed.takeIf { hasSpeed() },
    bearingDeg = bearing.takeIf { hasBearing() },
    mocked = LocationCompat.isMock(this),
)
