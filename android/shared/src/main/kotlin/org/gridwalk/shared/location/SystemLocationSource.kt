package org.gridwalk.shared.location

import android.Manifest.permission.ACCESS_COARSE_LOCATION
import android.Manifest.permission.ACCESS_FINE_LOCATION
import android.annotation.SuppressLint
import android.content.Context
import android.content.pm.PackageManager.PERMISSION_GRANTED
import android.location.Location
import android.location.LocationManager
import android.os.CancellationSignal
import android.os.Looper
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
import kotlinx.coroutines.suspendCancellableCoroutine
import kotlinx.coroutines.withTimeoutOrNull
import org.gridwalk.core.Fix

/**
 * The system's own [LocationManager]: no Google Play services, so it works on
 * every phone. GPS alone for routes; network positions are hundreds of metres
 * off and would only be refused.
 */
class SystemLocationSource(private val context: Context) : LocationSource {
    private val manager = context.getSystemService(LocationManager::class.java)

    override fun trouble(): Trouble? = when {
        !isAllowed(context) -> if (context.has(ACCESS_COARSE_LOCATION)) Trouble.PermissionRough else Trouble.PermissionOff
        !manager.hasGps() || !manager.isProviderEnabled(LocationManager.GPS_PROVIDER) -> Trouble.LocationOff
        else -> null
    }

    override fun watch(everyMs: Long): Flow<LocationEvent> = callbackFlow {
        val trouble = trouble()
        if (trouble != null) trySend(LocationEvent.Lost(trouble))
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
        if (isAllowed(context) && manager.hasGps()) {
            val request = LocationRequestCompat.Builder(everyMs).setQuality(LocationRequestCompat.QUALITY_HIGH_ACCURACY).setMinUpdateIntervalMillis(everyMs).build()
            try {
                // Also while the provider is switched off: the listener hears when it is switched on.
                LocationManagerCompat.requestLocationUpdates(manager, LocationManager.GPS_PROVIDER, request, listener, Looper.getMainLooper())
            } catch (_: SecurityException) {
                // Taken away between the question and the request.
                trySend(LocationEvent.Lost(Trouble.PermissionOff))
            }
        }
        awaitClose { @SuppressLint("MissingPermission") LocationManagerCompat.removeUpdates(manager, listener) }
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
        /** How long a report waits for a position: its form is filled in meanwhile. */
        private const val CURRENT_LIMIT_MS = 30_000L

        /** A route needs exact positions; "approximate" is a refusal. */
        fun isAllowed(context: Context): Boolean = context.has(ACCESS_FINE_LOCATION)
    }
}

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
